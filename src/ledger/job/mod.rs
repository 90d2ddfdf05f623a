//! Jobs: pieces of work for a worker, in the same database as what they are about, so that a change of state and the work that follows
//! from it commit together. Claiming, ending and reaping are in `queue`; here is what other parts of the program need.

mod enqueue;
mod lease;

pub use enqueue::{Enqueued, NewJob, enqueue};
pub(crate) use lease::lock_running;
pub use lease::{CancelFlag, JobLease, StopReason, Writer, assert_current};

use jiff::Timestamp;

use super::LedgerError;
use crate::args;
use crate::db::{DbError, Record, Tx};

/// Version of payloads and of the steps behind them. A program claims jobs of this version and older ones, never newer ones.
pub const FORMAT: i64 = 1;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JobState {
    /// Waiting for its time and a worker.
    Ready,
    /// A worker holds it.
    Running,
    /// Finished.
    Done,
    /// Given up: the dead letter.
    Dead,
    /// Withdrawn.
    Cancelled,
}

impl JobState {
    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            JobState::Ready => "ready",
            JobState::Running => "running",
            JobState::Done => "done",
            JobState::Dead => "dead",
            JobState::Cancelled => "cancelled",
        }
    }

    fn parse(word: &str) -> Option<JobState> {
        const ALL: [JobState; 5] = [JobState::Ready, JobState::Running, JobState::Done, JobState::Dead, JobState::Cancelled];
        ALL.into_iter().find(|state| state.as_str() == word)
    }
}

/// A job as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct Job {
    /// Id.
    pub id: String,
    /// The request that it answers.
    pub request_id: Option<String>,
    /// What is to be done.
    pub duty: String,
    /// Its lane.
    pub lane: String,
    /// Where it stands.
    pub state: JobState,
    /// Not before this instant.
    pub run_at: Timestamp,
    /// How often it was claimed.
    pub attempt: i64,
    /// How many attempts failed or were lost.
    pub failures: i64,
    /// The worker that holds it or held it last.
    pub worker: Option<String>,
    /// What the handler needs to know, as JSON.
    pub payload: String,
    /// Whether somebody asked it to stop.
    pub cancel_requested: bool,
    /// Code of the last failure.
    pub last_error: Option<String>,
    /// When it was done, dead or cancelled.
    pub finished_at: Option<Timestamp>,
}

/// The columns of a [`Job`].
macro_rules! columns {
    () => {
        "id, request_id, duty, lane, state, run_at, attempt, failures, worker, payload, cancel_requested, last_error, finished_at"
    };
}

/// One job.
pub async fn get(tx: &mut Tx, job_id: &str) -> Result<Job, LedgerError> {
    let sql = concat!("SELECT ", columns!(), " FROM job WHERE id = $1");
    let row = tx.on().fetch_optional(sql, args![job_id]).await?.ok_or(LedgerError::NotFound { noun: "job" })?;
    read(&row)
}

/// All jobs of a request, oldest first.
pub async fn of_request(tx: &mut Tx, request_id: &str) -> Result<Vec<Job>, LedgerError> {
    let sql = concat!("SELECT ", columns!(), " FROM job WHERE request_id = $1 ORDER BY created_at, id");
    tx.on().fetch_all(sql, args![request_id]).await?.iter().map(read).collect()
}

fn read(row: &Record) -> Result<Job, LedgerError> {
    let word = row.text("state")?;
    let state = JobState::parse(&word)
        .ok_or_else(|| DbError::Column { column: "state".into(), problem: "is a word that this program does not know".into() })?;
    Ok(Job {
        id: row.text("id")?,
        request_id: row.opt_text("request_id")?,
        duty: row.text("duty")?,
        lane: row.text("lane")?,
        state,
        run_at: row.instant("run_at")?,
        attempt: row.int("attempt")?,
        failures: row.int("failures")?,
        worker: row.opt_text("worker")?,
        payload: row.text("payload")?,
        cancel_requested: row.flag("cancel_requested")?,
        last_error: row.opt_text("last_error")?,
        finished_at: row.opt_instant("finished_at")?,
    })
}
