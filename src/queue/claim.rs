//! Claiming: giving one worker the lease of one job, so that no two running jobs are about the same person.
//!
//! A lane is guarded twice: by a unique index, which cannot be argued with, and by a look at the aliases of running requests, which
//! catches two requests that name one person by different identifiers. The look needs claims to come one after the other: on SQLite
//! they do, on PostgreSQL a short advisory lock sees to it.

use std::time::Duration;

use jiff::Timestamp;

use crate::args;
use crate::crypto::Keys;
use crate::db::{Dialect, Record, Tx};
use crate::ledger::job::{CancelFlag, FORMAT, JobLease, StopReason, assert_current};
use crate::ledger::{LedgerError, database_now, request};
use crate::subject::Identifier;

/// Key of the advisory lock under which claims come one after the other.
const CLAIMS: i64 = 7_091_977;

/// Who claims, and for how long.
#[derive(Debug, Clone, Copy)]
pub struct Claimant<'a> {
    /// The worker.
    pub worker: &'a str,
    /// How long the lease lasts without a heartbeat.
    pub lease: Duration,
}

/// A job that may run in a lane that is free: the condition of every claim. `$1` is now, `$2` the newest format that we know.
macro_rules! claimable {
    () => {
        "j.state = 'ready' AND j.run_at <= $1 AND j.format <= $2
         AND NOT EXISTS (SELECT 1 FROM job r WHERE r.lane = j.lane AND r.state = 'running')
         AND NOT EXISTS (SELECT 1 FROM request_alias mine
                         JOIN request_alias theirs ON theirs.alias_ref = mine.alias_ref AND theirs.request_id <> mine.request_id
                         JOIN job r ON r.request_id = theirs.request_id AND r.state = 'running'
                         WHERE mine.request_id = j.request_id)"
    };
}

macro_rules! update {
    ($($choice:tt)+) => {
        concat!(
            "UPDATE job SET state = 'running', attempt = attempt + 1, worker = $3, lease_until = $4
             WHERE id = (SELECT j.id FROM job j WHERE ",
            claimable!(),
            $($choice)+,
            ") RETURNING id, request_id, duty, lane, attempt, failures, payload, cancel_requested"
        )
    };
}

/// Claims the most urgent job that may run; `None` if there is none. A unique violation means that somebody else was faster: try again.
pub async fn next(tx: &mut Tx, claimant: Claimant<'_>, now: Timestamp) -> Result<Option<JobLease>, LedgerError> {
    let lease_until = begin(tx, claimant.lease).await?;
    let sql = match tx.dialect() {
        Dialect::Sqlite => update!(" ORDER BY j.priority DESC, j.due_at, j.run_at, j.id LIMIT 1"),
        Dialect::Postgres | Dialect::MySql => {
            update!(" ORDER BY j.priority DESC, j.due_at, j.run_at, j.id LIMIT 1 FOR UPDATE SKIP LOCKED")
        }
    };
    let row = tx.on().fetch_optional(sql, args![now, FORMAT, claimant.worker, lease_until]).await?;
    taken(tx, row, claimant, now).await
}

/// Claims one particular job; `None` if it may not run now: not ready, not yet due, or its lane is taken.
pub async fn this(tx: &mut Tx, job_id: &str, claimant: Claimant<'_>, now: Timestamp) -> Result<Option<JobLease>, LedgerError> {
    let lease_until = begin(tx, claimant.lease).await?;
    let sql = match tx.dialect() {
        Dialect::Sqlite => update!(" AND j.id = $5"),
        Dialect::Postgres | Dialect::MySql => update!(" AND j.id = $5 FOR UPDATE SKIP LOCKED"),
    };
    let row = tx.on().fetch_optional(sql, args![now, FORMAT, claimant.worker, lease_until, job_id]).await?;
    taken(tx, row, claimant, now).await
}

/// How many jobs wait that could run now if their lanes were free.
pub async fn count_ready(tx: &mut Tx, now: Timestamp) -> Result<i64, LedgerError> {
    let sql = "SELECT COUNT(*) AS jobs FROM job WHERE state = 'ready' AND run_at <= $1 AND format <= $2";
    Ok(tx.on().fetch_one(sql, args![now, FORMAT]).await?.int("jobs")?)
}

/// The person turned out to be known by further names. Adds them, and says whether the job may go on: `false` means that another running
/// job works on the same person, and that this one has to come back later (it will not be claimed before the other is done).
pub async fn widen(tx: &mut Tx, keys: &Keys, lease: &JobLease, identifiers: &[Identifier]) -> Result<bool, LedgerError> {
    one_at_a_time(tx).await?;
    assert_current(tx, lease).await?;
    let Some(request_id) = &lease.request_id else { return Ok(true) };
    request::add_aliases(tx, keys, request_id, identifiers).await?;
    let sql = "SELECT COUNT(*) AS others FROM request_alias mine
               JOIN request_alias theirs ON theirs.alias_ref = mine.alias_ref AND theirs.request_id <> mine.request_id
               JOIN job r ON r.request_id = theirs.request_id AND r.state = 'running'
               WHERE mine.request_id = $1";
    Ok(tx.on().fetch_one(sql, args![request_id.as_str()]).await?.int("others")? == 0)
}

/// Waits for our turn and gives the end of a lease that starts now.
async fn begin(tx: &mut Tx, lease: Duration) -> Result<i64, LedgerError> {
    one_at_a_time(tx).await?;
    lease_end(tx, lease).await
}

/// When a lease that starts now will end, by the database's clock.
pub(super) async fn lease_end(tx: &mut Tx, lease: Duration) -> Result<i64, LedgerError> {
    let micros = i64::try_from(lease.as_micros()).unwrap_or(i64::MAX);
    Ok(database_now(tx).await?.saturating_add(micros))
}

async fn one_at_a_time(tx: &mut Tx) -> Result<(), LedgerError> {
    if tx.dialect() == Dialect::Postgres {
        tx.on().execute("SELECT pg_advisory_xact_lock($1)", args![CLAIMS]).await?;
    }
    Ok(())
}

async fn taken(tx: &mut Tx, row: Option<Record>, claimant: Claimant<'_>, now: Timestamp) -> Result<Option<JobLease>, LedgerError> {
    let Some(row) = row else { return Ok(None) };
    let lease = JobLease {
        job_id: row.text("id")?,
        request_id: row.opt_text("request_id")?,
        duty: row.text("duty")?,
        lane: row.text("lane")?,
        attempt: row.int("attempt")?,
        failures: row.int("failures")?,
        worker: claimant.worker.to_owned(),
        payload: row.text("payload")?,
        cancel: CancelFlag::default(),
    };
    if row.flag("cancel_requested")? {
        lease.cancel.raise(StopReason::CancelRequested);
    }
    let sql = "INSERT INTO attempt (job_id, attempt, worker, started_at) VALUES ($1, $2, $3, $4)";
    tx.on().execute(sql, args![lease.job_id.as_str(), lease.attempt, claimant.worker, now]).await?;
    Ok(Some(lease))
}
