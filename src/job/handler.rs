//! Which recipe a job calls for, and how its end is told to the queue and to the operator.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::case::{Case, JobError};
use super::erasure::Ended;
use super::result::{Reason, StoredResult};
use super::waiting::store_waiting;
use super::{erasure, export, reverify};
use crate::deployment::Deployment;
use crate::erase::ExecuteError;
use crate::failpoint;
use crate::ledger::job::JobLease;
use crate::ledger::request::{self, Request};
use crate::queue::{JobHandler, JobOutcome};
use crate::request::{Kind, Status};

/// Answers requests.
pub struct Answers {
    deployment: Arc<Deployment>,
}

impl Answers {
    /// A handler for this installation.
    pub fn new(deployment: Arc<Deployment>) -> Answers {
        Answers { deployment }
    }
}

impl JobHandler for Answers {
    fn run(&self, lease: JobLease) -> BoxFuture<'_, JobOutcome> {
        async move { run(&self.deployment, &lease).await }.boxed()
    }
}

async fn run(deployment: &Deployment, lease: &JobLease) -> JobOutcome {
    let ended = match lease.duty.as_str() {
        super::ANSWER => answer(deployment, lease).await,
        super::REVERIFY => look_again(deployment, lease).await,
        unknown => {
            tracing::error!(duty = unknown, "a job of a kind that this program does not know");
            return JobOutcome::Dead { code: "unknown_duty".into() };
        }
    };
    deployment.progress.end();
    failpoint::hit("answer-before-settle");
    match ended {
        Ok(Ended::Answered) => JobOutcome::Done,
        Ok(Ended::Waiting) => JobOutcome::Park,
        Ok(Ended::LaneTaken) => JobOutcome::Retry { after: Some(Duration::ZERO), code: "lane_taken".into() },
        Err(error) => outcome_of(&error, lease),
    }
}

fn outcome_of(error: &JobError, lease: &JobLease) -> JobOutcome {
    let code = error.code();
    if error.is_transient() {
        tracing::warn!(job = %lease.job_id, attempt = lease.attempt, code, "job will be tried again: {error}");
        return JobOutcome::Retry { after: None, code: code.into() };
    }
    tracing::error!(job = %lease.job_id, attempt = lease.attempt, code, "job failed: {error}");
    JobOutcome::Dead { code: code.into() }
}

async fn answer(deployment: &Deployment, lease: &JobLease) -> Result<Ended, JobError> {
    let Request { kind, status, .. } = request_of(deployment, lease).await?;
    if matches!(status, Status::Completed | Status::Partial) {
        // Whoever queues a request again says so in its status: the attempt that answered this one died before the queue heard of it.
        return Ok(Ended::Answered);
    }
    if kind == Kind::Reverify {
        return reverify_all(deployment, lease).await;
    }
    let case = Case::open(deployment, lease).await?;
    let answered = match kind {
        Kind::Access | Kind::Portability => export::export(case).await,
        Kind::Erasure => erase_on_the_present_schema(deployment, lease, case).await,
        other => return Err(JobError::Stored(format!("`{}` is not carried out by this version", other.as_str()))),
    };
    match answered {
        Err(error) => ask_somebody(deployment, lease, error).await,
        ended => ended,
    }
}

/// How often a schema may change under one attempt before the next one goes on later.
const MOST_SCHEMAS: u32 = 3;

/// A schema that changes while rows are erased stops the batch; with the catalogue read again, what is left is planned anew.
async fn erase_on_the_present_schema(deployment: &Deployment, lease: &JobLease, case: Case<'_>) -> Result<Ended, JobError> {
    let mut ended = erasure::erase(case).await;
    for _ in 1..MOST_SCHEMAS {
        let Err(JobError::Execute(ExecuteError::SchemaChanged(source))) = &ended else { break };
        tracing::warn!(job = %lease.job_id, source, "the schema has changed: what is left is planned anew");
        ended = erasure::erase(Case::open(deployment, lease).await?).await;
    }
    ended
}

async fn request_of(deployment: &Deployment, lease: &JobLease) -> Result<Request, JobError> {
    let id = lease.request_id.clone().ok_or_else(|| JobError::Stored("it belongs to no request".into()))?;
    let mut tx = deployment.ledger.begin().await?;
    Ok(request::get(&mut tx, &id).await?)
}

/// What nobody but a person can settle makes the request wait for one, and is not a failure of the job.
async fn ask_somebody(deployment: &Deployment, lease: &JobLease, error: JobError) -> Result<Ended, JobError> {
    use crate::gather::GatherError;
    let (status, hint) = match &error {
        JobError::Gather(GatherError::Ambiguous { .. } | GatherError::Contradiction { .. }) => {
            (Status::WaitingIdentity, "give further identifiers of the person, or correct the records, and submit again")
        }
        JobError::Gather(GatherError::Map(_)) | JobError::Map(_) => (
            Status::WaitingController,
            "correct the data map or the source (`habeas map check`, `habeas doctor`), then `habeas request retry`",
        ),
        JobError::Blind(_) => (
            Status::WaitingController,
            "give the verifying role SELECT on these tables (`habeas doctor`), then `habeas request retry`",
        ),
        JobError::HoldMissing => (
            Status::WaitingController,
            "restore the ledger, or place the hold again and have the loss looked into; `habeas journal show` lists what was placed",
        ),
        JobError::Execute(ExecuteError::ObjectsRefused { .. }) => {
            (Status::WaitingController, "give the role the right to delete versions (docs/objects.md), then `habeas request retry`")
        }
        // What was erased before it stays erased; of the batch itself nothing was done.
        refusal if refusal.is_raised_by_source() => (
            Status::WaitingController,
            "let the trigger allow it for this role, or write `habeas: {on_erasure: keep}` for what it protects; then `habeas request retry`",
        ),
        _ => return Err(error),
    };
    let mut case = Case::open(deployment, lease).await?;
    let reason = Reason { code: error.code().into(), message: error.to_string(), hint: Some(hint.into()) };
    if error.is_raised_by_source() {
        tracing::error!(job = %lease.job_id, attempt = lease.attempt, code = error.code(), "the job waits for somebody: {error}");
    }
    let result = StoredResult { reason: Some(reason), ..StoredResult::default() };
    store_waiting(&mut case, status, None, &result).await?;
    case.close().await;
    Ok(Ended::Waiting)
}

async fn look_again(deployment: &Deployment, lease: &JobLease) -> Result<Ended, JobError> {
    let mut case = Case::open(deployment, lease).await?;
    reverify::look_again(&mut case).await?;
    let payload: serde_json::Value = serde_json::from_str(&lease.payload).unwrap_or_default();
    if payload.get("last").and_then(serde_json::Value::as_bool) == Some(true) {
        reverify::destroy_manifests(&case).await?;
    }
    case.close().await;
    Ok(Ended::Answered)
}

/// A job of kind `reverify`: every erasure whose manifest is still there is looked at again.
async fn reverify_all(deployment: &Deployment, lease: &JobLease) -> Result<Ended, JobError> {
    reverify::look_at_all(deployment, lease).await?;
    Ok(Ended::Answered)
}
