//! Requests of data subjects: kinds, life, deadlines.

mod approval;
pub mod deadline;
mod ground;
mod job_file;
mod kind;
mod lifecycle;

pub use approval::Approval;
pub use deadline::{Deadline, DeadlineError};
pub use ground::ErasureGround;
pub use job_file::{Changes, Deliver, DeliverMode, JobFile, JobFileError, JobProblem};
pub use kind::Kind;
pub use lifecycle::Status;
