//! The right to work on a job, and the check that it still holds. Every write that a job makes to the ledger passes through here in the
//! same transaction: an attempt that has been given up, or whose lease has run out, can write nothing.
//!
//! Rows are always locked in this order: request, then job, then whatever the caller locks. Whoever keeps to it cannot deadlock.

use std::sync::Arc;

use tokio::sync::watch;

use crate::args;
use crate::db::{Record, Tx};
use crate::ledger::{LedgerError, database_now, locking, request};

/// A claimed job in the hands of one worker: the fencing token of one attempt.
#[derive(Debug, Clone)]
pub struct JobLease {
    /// The job.
    pub job_id: String,
    /// The request that it answers.
    pub request_id: Option<String>,
    /// What is to be done.
    pub duty: String,
    /// The lane that it holds.
    pub lane: String,
    /// Which attempt this is, from 1.
    pub attempt: i64,
    /// How many attempts have failed before.
    pub failures: i64,
    /// The worker.
    pub worker: String,
    /// What the handler needs to know, as JSON.
    pub payload: String,
    /// Raised when the job should stop at its next safe point.
    pub cancel: CancelFlag,
}

impl JobLease {
    /// No lease at all: for a rehearsal, which writes nothing. Every write under it is refused.
    pub fn outside() -> JobLease {
        JobLease {
            job_id: String::new(),
            request_id: None,
            duty: String::new(),
            lane: String::new(),
            attempt: 0,
            failures: 0,
            worker: String::new(),
            payload: String::new(),
            cancel: CancelFlag::default(),
        }
    }
}

/// Why a job should stop, from the mildest to the most urgent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StopReason {
    /// The worker is shutting down; the job will be continued elsewhere.
    Draining,
    /// Somebody cancelled the job.
    CancelRequested,
    /// Another worker may have taken over: nothing more will be accepted from this attempt.
    LeaseLost,
}

/// Tells a running job to stop. Jobs look at it between steps that belong together, never in the middle of one.
#[derive(Debug, Clone)]
pub struct CancelFlag(Arc<watch::Sender<Option<StopReason>>>);

impl Default for CancelFlag {
    fn default() -> Self {
        CancelFlag(Arc::new(watch::Sender::new(None)))
    }
}

impl CancelFlag {
    /// Raises the flag; a milder reason never replaces a more urgent one.
    pub fn raise(&self, reason: StopReason) {
        self.0.send_if_modified(|current| {
            let is_news = *current < Some(reason);
            if is_news {
                *current = Some(reason);
            }
            is_news
        });
    }

    /// Why to stop; `None` while there is no reason to.
    pub fn reason(&self) -> Option<StopReason> {
        *self.0.borrow()
    }

    /// Whether to stop.
    pub fn is_raised(&self) -> bool {
        self.reason().is_some()
    }

    /// Waits until the flag is raised.
    pub async fn raised(&self) -> StopReason {
        let mut receiver = self.0.subscribe();
        loop {
            if let Some(reason) = *receiver.borrow_and_update() {
                return reason;
            }
            // The sender lives in `self`, so that waiting cannot fail.
            if receiver.changed().await.is_err() {
                return StopReason::LeaseLost;
            }
        }
    }
}

/// Who writes.
#[derive(Debug, Clone, Copy)]
pub enum Writer<'a> {
    /// A running job: the write counts only while the attempt holds it.
    Attempt(&'a JobLease),
    /// A person, or intake: no job is involved.
    Outside,
}

impl Writer<'_> {
    /// Refuses a stale attempt.
    pub async fn check(self, tx: &mut Tx) -> Result<(), LedgerError> {
        match self {
            Writer::Attempt(lease) => assert_current(tx, lease).await,
            Writer::Outside => Ok(()),
        }
    }
}

/// Fails with [`LedgerError::Stale`] unless the attempt holds its job with a lease that has not run out. The job stays locked until the
/// transaction ends, so that nobody can take it over between this check and the caller's writes.
pub async fn assert_current(tx: &mut Tx, lease: &JobLease) -> Result<(), LedgerError> {
    let row = lock_running(tx, lease).await?;
    // Time is read after the locks were waited for.
    match row.opt_int("lease_until")? {
        Some(until) if until > database_now(tx).await? => Ok(()),
        _ => Err(LedgerError::Stale),
    }
}

/// Locks the request and the job of an attempt that nobody has taken over, even if its lease has run out by now.
pub(crate) async fn lock_running(tx: &mut Tx, lease: &JobLease) -> Result<Record, LedgerError> {
    if let Some(request_id) = &lease.request_id {
        request::lock(tx, request_id).await?;
    }
    let sql = locking!(
        tx.dialect(),
        "SELECT failures, max_attempts, lease_until, cancel_requested, rerun FROM job
         WHERE id = $1 AND attempt = $2 AND state = 'running'"
    );
    let row = tx.on().fetch_optional(sql, args![lease.job_id.as_str(), lease.attempt]).await?;
    row.ok_or(LedgerError::Stale)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_most_urgent_reason_to_stop_stays() {
        let flag = CancelFlag::default();
        assert!(!flag.is_raised());
        flag.raise(StopReason::CancelRequested);
        flag.raise(StopReason::Draining);
        assert_eq!(flag.raised().await, StopReason::CancelRequested);
        flag.raise(StopReason::LeaseLost);
        assert_eq!(flag.reason(), Some(StopReason::LeaseLost));
    }

    #[tokio::test]
    async fn every_copy_of_a_flag_is_the_same_flag() {
        let flag = CancelFlag::default();
        let copy = flag.clone();
        let waiting = tokio::spawn(async move { copy.raised().await });
        tokio::task::yield_now().await;
        flag.raise(StopReason::Draining);
        assert_eq!(waiting.await.unwrap(), StopReason::Draining);
    }
}
