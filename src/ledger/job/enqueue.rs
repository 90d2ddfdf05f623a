//! Queueing a job in the caller's transaction: it exists exactly if the caller's change of state does. A wish for a job that already
//! waits or runs is never lost: the waiting one stands for both, and the running one will run again.

use jiff::Timestamp;

use super::FORMAT;
use crate::args;
use crate::db::Tx;
use crate::ledger::{LedgerError, new_id};

/// With this many failures a job is dead. With the delays of `queue::retry` the last one comes a day or more after the first.
const MAX_ATTEMPTS: i64 = 16;

/// A job to be queued.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The request that it answers.
    pub request_id: Option<String>,
    /// What is to be done.
    pub duty: String,
    /// Jobs of one lane run one after the other.
    pub lane: String,
    /// Higher runs first.
    pub priority: i64,
    /// Deadline of the request: among jobs of one priority the earliest runs first.
    pub due_at: Option<Timestamp>,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// With this many failures the job is dead.
    pub max_attempts: i64,
    /// At most one waiting or running job has this key.
    pub unique_key: Option<String>,
    /// What the handler needs to know, as JSON. No identifiers (S-1).
    pub payload: String,
}

impl NewJob {
    /// A job that answers a request, in the request's lane. There is one such job of each duty at a time.
    pub fn for_request(duty: &str, request: &crate::ledger::request::Request, run_at: Timestamp) -> NewJob {
        NewJob {
            request_id: Some(request.id.clone()),
            duty: duty.to_owned(),
            lane: request.lane(),
            priority: 0,
            due_at: request.deadline(),
            run_at,
            max_attempts: MAX_ATTEMPTS,
            unique_key: Some(format!("{duty}:{}", request.id)),
            payload: "{}".into(),
        }
    }

    /// A recurring duty about nobody in particular: a lane of its own, one at a time.
    pub fn duty(duty: &str, run_at: Timestamp) -> NewJob {
        NewJob {
            request_id: None,
            duty: duty.to_owned(),
            lane: format!("duty:{duty}"),
            priority: 0,
            due_at: None,
            run_at,
            max_attempts: MAX_ATTEMPTS,
            unique_key: Some(format!("duty:{duty}")),
            payload: "{}".into(),
        }
    }
}

/// What queueing did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enqueued {
    /// A new job, by id.
    New(String),
    /// A job with the same unique key was waiting and stands for this one too.
    Waiting(String),
    /// A job with the same unique key was running and will run again when it is done.
    RunsAgain(String),
}

impl Enqueued {
    /// The job that will do the work.
    pub fn job_id(&self) -> &str {
        match self {
            Enqueued::New(id) | Enqueued::Waiting(id) | Enqueued::RunsAgain(id) => id,
        }
    }
}

/// Queues a job. Workers hear of it through `queue::notify` in the same transaction, or when they next look.
pub async fn enqueue(tx: &mut Tx, job: &NewJob, now: Timestamp) -> Result<Enqueued, LedgerError> {
    // A job with our key may end between one statement and the next; then the key is free and the next round inserts.
    loop {
        if let Some(id) = insert(tx, job, now).await? {
            return Ok(Enqueued::New(id));
        }
        let Some(key) = job.unique_key.as_deref() else {
            return Err(LedgerError::Unreadable { noun: "job", problem: "its id is taken".into() });
        };
        // Locking the row (by an update that changes nothing) makes the answer true until we commit.
        let hasten =
            "UPDATE job SET run_at = CASE WHEN run_at > $2 THEN $2 ELSE run_at END WHERE unique_key = $1 AND state = 'ready'
                      RETURNING id";
        if let Some(row) = tx.on().fetch_optional(hasten, args![key, job.run_at]).await? {
            return Ok(Enqueued::Waiting(row.text("id")?));
        }
        let again = "UPDATE job SET rerun = 1 WHERE unique_key = $1 AND state = 'running' RETURNING id";
        if let Some(row) = tx.on().fetch_optional(again, args![key]).await? {
            return Ok(Enqueued::RunsAgain(row.text("id")?));
        }
    }
}

async fn insert(tx: &mut Tx, job: &NewJob, now: Timestamp) -> Result<Option<String>, LedgerError> {
    let sql =
        "INSERT INTO job (id, request_id, duty, lane, state, format, priority, due_at, run_at, attempt, failures, max_attempts,
                                unique_key, payload, cancel_requested, rerun, created_at)
               VALUES ($1, $2, $3, $4, 'ready', $5, $6, $7, $8, 0, 0, $9, $10, $11, 0, 0, $12)
               ON CONFLICT DO NOTHING";
    let id = new_id(now)?;
    let due_at = job.due_at.map_or(i64::MAX, |due| due.as_microsecond());
    let args = args![
        id.as_str(),
        job.request_id.as_deref(),
        job.duty.as_str(),
        job.lane.as_str(),
        FORMAT,
        job.priority,
        due_at,
        job.run_at,
        job.max_attempts,
        job.unique_key.as_deref(),
        job.payload.as_str(),
        now,
    ];
    let inserted = tx.on().execute(sql, args).await? == 1;
    Ok(inserted.then_some(id))
}
