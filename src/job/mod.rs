//! What a worker does, one file per kind of job; each reads from top to bottom like a recipe.

mod intake;

pub use intake::{IntakeError, receive};

/// Carries out an access, portability or erasure request.
pub const ANSWER: &str = "answer";
/// Looks again whether what a request erased is still gone.
pub const REVERIFY: &str = "reverify";
