//! Carrying out an erasure so that no hold can be overtaken: permits, the batches that they authorise, and the draining that a new
//! hold waits for. What erases in a source accepts only an [`Authorised`] batch, and only this module can make one.

mod authorise;
mod drain;
mod execute;
mod execute_objects;
mod execute_rows;
#[cfg(test)]
mod hold_tests;
pub mod manifest;
mod new_object;
mod permit;

pub use authorise::{Authorisation, Authorised, Batch, CoOwners, Held, authorise};
pub use drain::{DrainError, DrainReport, Drained, FenceError, InFlight, SessionError, SessionKiller, drain, fence};
pub use execute::{ExecuteError, Executor, batch_of};
pub use execute_objects::entries_of;
pub use permit::{Opening, Permit, PermitError, PermitRequest, open};
