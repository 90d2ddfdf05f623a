//! Requests of data subjects: kinds, life, deadlines.

pub mod deadline;
mod kind;
mod lifecycle;

pub use deadline::{Deadline, DeadlineError};
pub use kind::Kind;
pub use lifecycle::Status;
