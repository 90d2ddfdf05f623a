//! Keeping a lease: a heartbeat at a third of its length, beside the job and never in its way. It raises the job's flag when somebody
//! cancelled it or when the lease is lost, and also when the ledger has not answered for a whole lease: then it may be lost.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::claim::lease_end;
use crate::args;
use crate::db::Tx;
use crate::ledger::job::{JobLease, StopReason};
use crate::ledger::{Ledger, LedgerError};

/// What a heartbeat learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// The lease is ours for its whole length again.
    Held,
    /// The same, and somebody asked the job to stop.
    CancelRequested,
    /// The job is not ours any more.
    Lost,
}

/// Renews a lease, even one that has run out, as long as nobody has taken the job over.
pub async fn heartbeat(tx: &mut Tx, lease: &JobLease, length: Duration) -> Result<Beat, LedgerError> {
    let until = lease_end(tx, length).await?;
    let sql = "UPDATE job SET lease_until = $3 WHERE id = $1 AND attempt = $2 AND state = 'running' RETURNING cancel_requested";
    match tx.on().fetch_optional(sql, args![lease.job_id.as_str(), lease.attempt, until]).await? {
        None => Ok(Beat::Lost),
        Some(row) if row.flag("cancel_requested")? => Ok(Beat::CancelRequested),
        Some(_) => Ok(Beat::Held),
    }
}

/// A running heartbeat; it stops when dropped, so that a job that is dropped loses its lease.
pub(super) struct Heart(JoinHandle<()>);

impl Heart {
    /// Starts beating for a job that was claimed just now.
    pub(super) fn start(ledger: Arc<Ledger>, lease: JobLease, length: Duration) -> Heart {
        Heart(tokio::spawn(async move { beat_until_lost(&ledger, &lease, length).await }))
    }
}

impl Drop for Heart {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn beat_until_lost(ledger: &Ledger, lease: &JobLease, length: Duration) {
    let mut last_answer = Instant::now();
    loop {
        tokio::time::sleep(length / 3).await;
        let asked = Instant::now();
        let deadline = last_answer + length;
        match tokio::time::timeout_at(deadline, beat_once(ledger, lease, length)).await {
            Ok(Ok(Beat::Held)) => last_answer = asked,
            Ok(Ok(Beat::CancelRequested)) => {
                last_answer = asked;
                lease.cancel.raise(StopReason::CancelRequested);
            }
            Ok(Ok(Beat::Lost)) => {
                tracing::warn!(job_id = %lease.job_id, attempt = lease.attempt, "another worker has taken the job over");
                return lease.cancel.raise(StopReason::LeaseLost);
            }
            Ok(Err(error)) if Instant::now() < deadline => {
                tracing::warn!(job_id = %lease.job_id, %error, "a heartbeat failed and will be repeated");
            }
            Ok(Err(_)) | Err(_) => {
                tracing::warn!(job_id = %lease.job_id, attempt = lease.attempt, "the ledger has not answered for a whole lease");
                return lease.cancel.raise(StopReason::LeaseLost);
            }
        }
    }
}

async fn beat_once(ledger: &Ledger, lease: &JobLease, length: Duration) -> Result<Beat, LedgerError> {
    let mut tx = ledger.begin().await?;
    let beat = heartbeat(&mut tx, lease, length).await?;
    tx.commit().await?;
    Ok(beat)
}
