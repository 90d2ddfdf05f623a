//! What a worker does, one file per kind of job; each reads from top to bottom like a recipe.

mod approvals;
mod case;
mod certifying;
mod covered;
mod covered_objects;
mod decision;
mod environment;
mod erasure;
mod export;
mod handler;
mod holding;
mod identifiers;
mod intake;
mod locked_version;
mod mirroring;
mod names;
mod passes;
pub mod planning;
mod requesters;
mod result;
mod result_document;
mod resume;
mod reverify;
mod shelving;
mod unlocking;
mod verifying;
mod waiting;

pub use approvals::{approval_asked, people_needed, person_key};
pub use case::{Case, JobError, alias_refs, holds_now};
pub use covered::{Below, Covered};
pub use decision::{Approved, DecisionError, approve, cancel, extend, plan_again, plan_of, refuse, retry};
pub use environment::{pin_source, pinned_identity};
pub use erasure::Ended;
pub use handler::Answers;
pub use holding::{HoldingError, Letting, Placement, Preview, keep, place, preview, release};
pub use identifiers::doubts;
pub use intake::{IntakeError, receive, refuse_what_cannot_work, waiting_for_approval};
pub use mirroring::{Mirrored, mirror_holds};
pub use result::{ArchiveResult, CertificateResult, ItemResult, PlaceResult, Reason, StoredResult};
pub use result_document::result_document;
pub use resume::{Released, activate_placed_holds, release_due_holds};
pub use shelving::{Swept, expire_archives};
pub use unlocking::Unlocked;

/// Carries out an access, portability or erasure request, or a look again at all erasures.
pub const ANSWER: &str = "answer";
/// Looks again whether what a request erased is still gone.
pub const REVERIFY: &str = "reverify";
