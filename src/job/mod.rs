//! What a worker does, one file per kind of job; each reads from top to bottom like a recipe.

mod approvals;
mod covered;
mod decision;
mod environment;
mod holding;
mod intake;
mod result_document;
mod resume;

pub use approvals::people_needed;
pub use covered::Covered;
pub use decision::{Approved, DecisionError, approve, cancel, extend, plan_of, refuse, retry};
pub use environment::pin_source;
pub use holding::{HoldingError, Placement, Preview, keep, place, preview, release};
pub use intake::{IntakeError, receive, refuse_what_cannot_work};
pub use result_document::result_document;
pub use resume::{Released, activate_placed_holds, release_due_holds};

/// Carries out an access, portability or erasure request.
pub const ANSWER: &str = "answer";
/// Looks again whether what a request erased is still gone.
pub const REVERIFY: &str = "reverify";
