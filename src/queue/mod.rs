//! The queue: a table of the ledger, so that a job commits together with the change of state that asks for it. It knows nothing of what
//! jobs mean. Any number of worker processes may work on it at once.
//!
//! One job's life: `claim` (a lease, a fencing token) → heartbeats in `lease` → `settle` (done, parked, again later, dead, cancelled);
//! `reap` takes back what a worker that is gone had claimed. `wake` tells workers that there may be something to do.

pub mod cancel;
pub mod claim;
pub mod lease;
mod liveness;
pub mod reap;
pub mod retry;
mod run;
pub mod settle;
mod wake;
mod worker;

pub use wake::notify;
pub use worker::{JobHandler, JobOutcome, Tally, Worker, WorkerOptions};

use jiff::Timestamp;

use crate::db::Tx;
use crate::ledger::LedgerError;
use crate::ledger::job::{self, Enqueued, NewJob};

/// Queues a job in the caller's transaction and has workers told when that commits.
pub async fn enqueue(tx: &mut Tx, new: &NewJob, now: Timestamp) -> Result<Enqueued, LedgerError> {
    let enqueued = job::enqueue(tx, new, now).await?;
    notify(tx).await?;
    Ok(enqueued)
}

#[cfg(test)]
mod tests;
