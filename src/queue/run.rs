//! One attempt from claim to settlement: the handler with a heartbeat beside it, its panic caught, its outcome written. The outcome of a
//! job that is not ours any more is dropped: whoever took over will find out by looking (E-3).

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::lease::Heart;
use super::settle::{self, Settled};
use super::{JobHandler, JobOutcome};
use crate::clock::Clock;
use crate::db::Tx;
use crate::ledger::job::{JobLease, StopReason};
use crate::ledger::{Ledger, LedgerError};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    /// The ledger knows.
    Settled(Settled),
    /// The job had been taken over, or the ledger did not answer in time.
    Lost,
}

pub(super) async fn run_and_settle(
    ledger: Arc<Ledger>,
    handler: Arc<dyn JobHandler>,
    clock: Arc<dyn Clock>,
    length: Duration,
    lease: JobLease,
) -> Ended {
    let heart = Heart::start(Arc::clone(&ledger), lease.clone(), length);
    tracing::info!(job_id = %lease.job_id, duty = %lease.duty, lane = %lease.lane, attempt = lease.attempt, "the job begins");
    let outcome = AssertUnwindSafe(handler.run(lease.clone())).catch_unwind().await;
    // A panic's message may quote anything, and the default hook has printed it: the code says all that is kept.
    let outcome = outcome.unwrap_or(JobOutcome::Retry { after: None, code: "panicked".into() });
    let ended = settle_with_patience(&ledger, &lease, &outcome, clock.as_ref(), length).await;
    drop(heart);
    match (&ended, &outcome) {
        (Ended::Settled(settled), JobOutcome::Retry { code, .. } | JobOutcome::Dead { code }) => {
            tracing::warn!(job_id = %lease.job_id, duty = %lease.duty, attempt = lease.attempt, %code, ?settled, "the job did not succeed");
        }
        (Ended::Settled(settled), _) => {
            tracing::info!(job_id = %lease.job_id, duty = %lease.duty, attempt = lease.attempt, ?settled, "the job ends");
        }
        (Ended::Lost, _) => {}
    }
    ended
}

/// Writes the outcome; a busy or absent ledger is asked again for as long as a lease lasts.
async fn settle_with_patience(
    ledger: &Ledger,
    lease: &JobLease,
    outcome: &JobOutcome,
    clock: &dyn Clock,
    length: Duration,
) -> Ended {
    let give_up_at = Instant::now() + length;
    loop {
        let error = match settle_once(ledger, lease, outcome, clock).await {
            Ok(settled) => return Ended::Settled(settled),
            Err(error) => error,
        };
        let is_last = !error.is_transient() || Instant::now() >= give_up_at;
        if is_last {
            tracing::warn!(job_id = %lease.job_id, attempt = lease.attempt, %error, "the outcome of the attempt could not be written");
            return Ended::Lost;
        }
        tokio::time::sleep(length / 20).await;
    }
}

async fn settle_once(ledger: &Ledger, lease: &JobLease, outcome: &JobOutcome, clock: &dyn Clock) -> Result<Settled, LedgerError> {
    let mut tx = ledger.begin().await?;
    let settled = settle(&mut tx, lease, outcome, clock).await?;
    tx.commit().await?;
    Ok(settled)
}

async fn settle(tx: &mut Tx, lease: &JobLease, outcome: &JobOutcome, clock: &dyn Clock) -> Result<Settled, LedgerError> {
    let now = clock.now();
    let is_draining = lease.cancel.reason() == Some(StopReason::Draining);
    match outcome {
        JobOutcome::Done => settle::finish(tx, lease, now).await,
        JobOutcome::Park => settle::park(tx, lease, now).await,
        JobOutcome::Retry { .. } if is_draining => settle::release(tx, lease, now).await,
        JobOutcome::Retry { after, code } => settle::fail(tx, lease, code, *after, now).await,
        JobOutcome::Dead { code } => settle::bury(tx, lease, code, now).await,
    }
}
