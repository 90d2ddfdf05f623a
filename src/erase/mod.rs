//! Carrying out an erasure so that no hold can be overtaken: permits, the batches that they authorise, and the draining that a new
//! hold waits for. What erases in a source accepts only an [`Authorised`] batch, and only this module can make one.

mod authorise;
mod drain;
#[cfg(test)]
mod hold_tests;
mod permit;

pub use authorise::{Authorisation, Authorised, Batch, CoOwners, Held, authorise};
pub use drain::{DrainError, DrainReport, Drained, FenceError, InFlight, SessionError, SessionKiller, drain, fence};
pub use permit::{Opening, Permit, PermitError, PermitRequest, open};
