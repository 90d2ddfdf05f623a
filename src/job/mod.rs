//! What a worker does, one file per kind of job; each reads from top to bottom like a recipe.

mod case;
mod certifying;
mod erasure;
mod export;
mod handler;
mod intake;
pub mod planning;
mod result;
mod reverify;
mod verifying;

pub use case::{Case, JobError, alias_refs, holds_now};
pub use erasure::Ended;
pub use handler::Answers;
pub use intake::{IntakeError, check_against_map, receive};
pub use result::{ArchiveResult, CertificateResult, ItemResult, PlaceResult, Reason, StoredResult};
pub use reverify::{Relooked, look_again};

/// Carries out an access, portability or erasure request, or a look again at all erasures.
pub const ANSWER: &str = "answer";
/// Looks again whether what a request erased is still gone.
pub const REVERIFY: &str = "reverify";
