//! Ending an attempt. Every way out is fenced: an attempt that no longer holds its job changes nothing and hears [`LedgerError::Stale`]
//! . A job that is given up takes its request with it to `failed`, in the same transaction, so that a dead letter is never silent.

use std::time::Duration;

use jiff::Timestamp;

use super::retry;
use crate::args;
use crate::db::Tx;
use crate::ledger::LedgerError;
use crate::ledger::job::{JobLease, lock_running};
use crate::ledger::request::{fail_for_dead_job, withdraw};

/// Where a job ended up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// Finished.
    Done,
    /// Waits, to run again not before this instant.
    Again(Timestamp),
    /// Given up.
    Dead,
    /// Withdrawn while it ran.
    Cancelled,
}

/// How an attempt ended, by the word in the ledger.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ending<'a> {
    /// `done`, `parked`, `failed`, `dead`, `released`, `cancelled` or `lost`.
    pub word: &'a str,
    /// Code of the failure.
    pub error: Option<&'a str>,
}

/// The work is done. If the same job was asked for meanwhile it waits again, as new.
pub async fn finish(tx: &mut Tx, lease: &JobLease, now: Timestamp) -> Result<Settled, LedgerError> {
    finish_as(tx, lease, "done", now).await
}

/// Nothing more can be done until something outside happens (an approval, a release); whoever makes it happen queues the job anew. One
/// that was asked to stop is cancelled instead.
pub async fn park(tx: &mut Tx, lease: &JobLease, now: Timestamp) -> Result<Settled, LedgerError> {
    if lock_running(tx, lease).await?.flag("cancel_requested")? {
        return close_cancelled(tx, lease, now).await;
    }
    finish_as(tx, lease, "parked", now).await
}

async fn finish_as(tx: &mut Tx, lease: &JobLease, word: &str, now: Timestamp) -> Result<Settled, LedgerError> {
    let ending = Ending { word, error: None };
    if lock_running(tx, lease).await?.flag("rerun")? {
        // The wish to run again came after any wish to stop.
        let sql = "UPDATE job SET cancel_requested = 0 WHERE id = $1 AND attempt = $2 AND state = 'running'";
        fenced(tx.on().execute(sql, args![lease.job_id.as_str(), lease.attempt]).await?)?;
        back_to_ready(tx, lease, now, 0, ending, now).await?;
        return Ok(Settled::Again(now));
    }
    close(tx, lease, "done", ending, now).await?;
    Ok(Settled::Done)
}

/// The attempt failed. The job waits and runs again, after `after` or a growing delay; with its last failure it is dead. One that was
/// asked to stop is cancelled instead.
pub async fn fail(
    tx: &mut Tx,
    lease: &JobLease,
    code: &str,
    after: Option<Duration>,
    now: Timestamp,
) -> Result<Settled, LedgerError> {
    let delay = |failures| match after {
        Some(delay) => Ok(delay),
        None => retry::backoff(failures),
    };
    if lock_running(tx, lease).await?.flag("cancel_requested")? {
        return close_cancelled(tx, lease, now).await;
    }
    count_failure(tx, lease, Ending { word: "failed", error: Some(as_code(code)) }, delay, now).await
}

/// The worker is gone. Like a failure, but there is no delay: what broke was the worker, and finding that out has taken its time. A job
/// that was asked to stop is not cancelled here: it may have left something of which nobody knows whether it took effect (E-2), and
/// the next attempt has to look before it stops.
pub(super) async fn lose(tx: &mut Tx, lease: &JobLease, now: Timestamp) -> Result<Settled, LedgerError> {
    count_failure(tx, lease, Ending { word: "lost", error: Some("worker_lost") }, |_| Ok(Duration::ZERO), now).await
}

/// The job can never succeed.
pub async fn bury(tx: &mut Tx, lease: &JobLease, code: &str, now: Timestamp) -> Result<Settled, LedgerError> {
    lock_running(tx, lease).await?;
    let ending = Ending { word: "dead", error: Some(as_code(code)) };
    close_dead(tx, lease, ending, now).await
}

/// The worker has to leave; nothing is wrong with the job, which waits for the next worker with no failure counted. One that was asked
/// to stop is cancelled instead.
pub async fn release(tx: &mut Tx, lease: &JobLease, now: Timestamp) -> Result<Settled, LedgerError> {
    let row = lock_running(tx, lease).await?;
    if row.flag("cancel_requested")? {
        return close_cancelled(tx, lease, now).await;
    }
    let ending = Ending { word: "released", error: None };
    back_to_ready(tx, lease, now, row.int("failures")?, ending, now).await?;
    Ok(Settled::Again(now))
}

async fn count_failure(
    tx: &mut Tx,
    lease: &JobLease,
    ending: Ending<'_>,
    delay: impl FnOnce(i64) -> Result<Duration, crate::crypto::CryptoError>,
    now: Timestamp,
) -> Result<Settled, LedgerError> {
    let row = lock_running(tx, lease).await?;
    let failures = row.int("failures")? + 1;
    if failures >= row.int("max_attempts")? {
        return close_dead(tx, lease, ending, now).await;
    }
    let run_at = retry::after(now, delay(failures)?);
    back_to_ready(tx, lease, run_at, failures, ending, now).await?;
    Ok(Settled::Again(run_at))
}

async fn close_dead(tx: &mut Tx, lease: &JobLease, ending: Ending<'_>, now: Timestamp) -> Result<Settled, LedgerError> {
    close(tx, lease, "dead", ending, now).await?;
    if let Some(request_id) = &lease.request_id {
        fail_for_dead_job(tx, request_id, ending.error.unwrap_or("unknown"), now).await?;
    }
    Ok(Settled::Dead)
}

async fn close_cancelled(tx: &mut Tx, lease: &JobLease, now: Timestamp) -> Result<Settled, LedgerError> {
    close(tx, lease, "cancelled", Ending { word: "cancelled", error: None }, now).await?;
    if let Some(request_id) = &lease.request_id {
        match withdraw(tx, request_id, now).await {
            // The job had already brought the request to where it cannot be withdrawn from: there it stays.
            Ok(_) | Err(LedgerError::Transition { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(Settled::Cancelled)
}

async fn close(tx: &mut Tx, lease: &JobLease, state: &str, ending: Ending<'_>, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE job SET state = $3, lease_until = NULL, rerun = 0, last_error = $4, finished_at = $5
               WHERE id = $1 AND attempt = $2 AND state = 'running'";
    let args = args![lease.job_id.as_str(), lease.attempt, state, ending.error, now];
    fenced(tx.on().execute(sql, args).await?)?;
    end_attempt(tx, lease, ending, now).await
}

async fn back_to_ready(
    tx: &mut Tx,
    lease: &JobLease,
    run_at: Timestamp,
    failures: i64,
    ending: Ending<'_>,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let sql = "UPDATE job SET state = 'ready', lease_until = NULL, rerun = 0, run_at = $3, failures = $4, last_error = $5
               WHERE id = $1 AND attempt = $2 AND state = 'running'";
    let args = args![lease.job_id.as_str(), lease.attempt, run_at, failures, ending.error];
    fenced(tx.on().execute(sql, args).await?)?;
    end_attempt(tx, lease, ending, now).await
}

async fn end_attempt(tx: &mut Tx, lease: &JobLease, ending: Ending<'_>, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE attempt SET ended_at = $3, outcome = $4, error = $5 WHERE job_id = $1 AND attempt = $2 AND ended_at IS NULL";
    let args = args![lease.job_id.as_str(), lease.attempt, now, ending.word, ending.error];
    fenced(tx.on().execute(sql, args).await?)
}

fn fenced(changed: u64) -> Result<(), LedgerError> {
    if changed == 1 { Ok(()) } else { Err(LedgerError::Stale) }
}

/// A failure is kept as a code: free text could quote a row (S-1).
fn as_code(text: &str) -> &str {
    let is_code = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'_' | b'.' | b'-');
    let fits = (1..=64).contains(&text.len());
    if fits && text.bytes().all(is_code) { text } else { "uncoded" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_1_only_codes_are_kept_of_a_failure() {
        assert_eq!(as_code("source_unreachable"), "source_unreachable");
        assert_eq!(as_code("Key (email)=(ada@example.com) already exists"), "uncoded");
        assert_eq!(as_code("ada@example.com"), "uncoded");
        assert_eq!(as_code(""), "uncoded");
    }
}
