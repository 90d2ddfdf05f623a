//! Working in the foreground: one request now, or the whole queue.

use std::sync::Arc;

use tokio::sync::watch;

use super::error::CliError;
use super::exit::Exit;
use crate::deployment::Deployment;
use crate::job::Answers;
use crate::ledger::job::{self, JobState};
use crate::ledger::request::{self, Request};
use crate::queue::{Worker, WorkerOptions};

/// A worker of this process.
pub fn worker(deployment: &Arc<Deployment>, concurrency: usize) -> Result<Worker, CliError> {
    let handler = Arc::new(Answers::new(Arc::clone(deployment)));
    let options = WorkerOptions { concurrency, ..WorkerOptions::default() };
    Ok(Worker::new(deployment.ledger.clone(), handler, Arc::clone(&deployment.clock), options)?)
}

/// Runs the waiting job of a request now; the request as it is afterwards.
pub async fn run_request(deployment: &Arc<Deployment>, request: &Request) -> Result<Request, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let jobs = job::of_request(&mut tx, &request.id).await?;
    tx.rollback().await?;
    let Some(waiting) = jobs.iter().find(|job| job.duty == crate::job::ANSWER && job.state == JobState::Ready) else {
        return Err(conflict(request));
    };
    let (_stop, shutdown) = watch::channel(false);
    match worker(deployment, 1)?.run_one(&waiting.id, shutdown).await? {
        None => return Err(conflict(request)),
        Some(tally) if tally.again > 0 => return Err(again(deployment, request).await?),
        Some(_) => {}
    }
    let mut tx = deployment.ledger.begin().await?;
    let request = request::get(&mut tx, &request.id).await?;
    tx.rollback().await?;
    Ok(request)
}

fn conflict(request: &Request) -> CliError {
    CliError::Outcome {
        exit: Exit::Conflict,
        message: format!("request {} cannot run now: another request of the same person is running", request.code),
        hint: Some("it is queued; a worker runs it afterwards".into()),
    }
}

/// The attempt failed in a way that time may heal: the job stays queued.
async fn again(deployment: &Deployment, request: &Request) -> Result<CliError, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let jobs = job::of_request(&mut tx, &request.id).await?;
    tx.rollback().await?;
    let code = jobs.iter().rev().find_map(|job| job.last_error.clone()).unwrap_or_else(|| "unknown".into());
    if code == "lane_taken" {
        return Ok(conflict(request));
    }
    Ok(CliError::Outcome {
        exit: Exit::Failure,
        message: format!("request {} did not finish ({code})", request.code),
        hint: Some("it stays queued, and the next `habeas worker` tries again".into()),
    })
}
