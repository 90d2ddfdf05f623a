//! Requests of data subjects: kinds, life, deadlines.

mod approval;
mod ground;
mod job_file;
mod kind;

pub use approval::Approval;
pub use ground::ErasureGround;
pub use job_file::{Changes, Deliver, DeliverMode, JobFile, JobFileError, JobProblem};
pub use kind::Kind;
