//! Requests of data subjects: kinds, life, deadlines.

mod approval;
mod ground;
mod job_file;
pub mod deadline;
mod kind;
mod lifecycle;

pub use approval::Approval;
pub use ground::ErasureGround;
pub use job_file::{Changes, Deliver, DeliverMode, JobFile, JobFileError, JobProblem};
pub use deadline::{Deadline, DeadlineError};
pub use kind::Kind;
pub use lifecycle::Status;
