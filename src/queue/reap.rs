//! Taking back jobs whose worker is gone: its lease has run out by the database's clock, or its process demonstrably ended on this very
//! machine. The job waits again with its old attempt fenced off, or is dead after too many losses.

use jiff::Timestamp;

use super::liveness::is_provably_gone;
use super::settle::{self, Settled};
use crate::args;
use crate::ledger::job::{CancelFlag, JobLease};
use crate::ledger::{Ledger, LedgerError, database_now};

/// What reaping found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reaped {
    /// Jobs that wait again.
    pub again: u64,
    /// Jobs that were lost too often.
    pub dead: u64,
}

/// Reaps what there is to reap, one transaction per job.
pub async fn reap(ledger: &Ledger, now: Timestamp) -> Result<Reaped, LedgerError> {
    let mut reaped = Reaped::default();
    for lease in abandoned(ledger).await? {
        let mut tx = ledger.begin().await?;
        let settled = match take_back(&mut tx, &lease, now).await {
            // Its worker was only slow and has renewed or ended it since, or another reaper was faster.
            Ok(None) | Err(LedgerError::Stale) => continue,
            other => other?,
        };
        tx.commit().await?;
        tracing::warn!(job_id = %lease.job_id, attempt = lease.attempt, worker = %lease.worker, "took a job back from a worker that is gone");
        match settled {
            Some(Settled::Dead) => reaped.dead += 1,
            _ => reaped.again += 1,
        }
    }
    Ok(reaped)
}

/// Running jobs whose worker seems to be gone. There are never more running jobs than workers have hands.
async fn abandoned(ledger: &Ledger) -> Result<Vec<JobLease>, LedgerError> {
    let mut tx = ledger.begin().await?;
    let database_now = database_now(&mut tx).await?;
    let sql = "SELECT id, request_id, duty, lane, attempt, failures, worker, payload, lease_until FROM job WHERE state = 'running'";
    let rows = tx.on().fetch_all(sql, args![]).await?;
    tx.rollback().await?;
    let mut leases = Vec::new();
    for row in rows {
        let worker = row.text("worker")?;
        if row.int("lease_until")? > database_now && !is_provably_gone(&worker) {
            continue;
        }
        leases.push(JobLease {
            job_id: row.text("id")?,
            request_id: row.opt_text("request_id")?,
            duty: row.text("duty")?,
            lane: row.text("lane")?,
            attempt: row.int("attempt")?,
            failures: row.int("failures")?,
            worker,
            payload: row.text("payload")?,
            cancel: CancelFlag::default(),
        });
    }
    Ok(leases)
}

async fn take_back(tx: &mut crate::db::Tx, lease: &JobLease, now: Timestamp) -> Result<Option<Settled>, LedgerError> {
    let row = crate::ledger::job::lock_running(tx, lease).await?;
    if row.int("lease_until")? > database_now(tx).await? && !is_provably_gone(&lease.worker) {
        return Ok(None);
    }
    settle::lose(tx, lease, now).await.map(Some)
}
