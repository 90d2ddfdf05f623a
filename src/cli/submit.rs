//! `habeas submit`: puts jobs into the queue and answers with their request ids, one per line.

use std::path::PathBuf;

use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::operator::Operator;
use crate::deployment::Deployment;
use crate::job;
use crate::ledger::request::Request;
use crate::request::JobFile;

/// What `habeas submit` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job files, `-` for standard input; each holds one job or JSON Lines.
    #[arg(value_name = "JOB", required = true)]
    pub jobs: Vec<PathBuf>,
    /// Who asks: cannot release a hold that affects the erasure.
    #[command(flatten)]
    pub operator: Operator,
}

/// Takes all jobs in, each with its place in the queue, and prints their request ids. Nothing is taken in unless all could be.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let jobs = input::read_jobs(&args.jobs)?;
    let deployment = context.open().await?;
    for job in &jobs {
        job::refuse_what_cannot_work(&deployment, job)?;
        input::warn_of_doubts(job.subject.as_ref(), &deployment, context.printer);
    }
    // A scheduler has no name; then there is nobody whom a hold would have to know.
    let by = args.operator.name().ok();
    let mut accepted: Vec<Request> = Vec::new();
    for job in &jobs {
        let request = match take_in(&deployment, job, by.as_deref()).await {
            Ok(request) => request,
            Err(error) => return Err(stopped(error, accepted.len(), jobs.len())),
        };
        if !context.printer.is_json() {
            context.printer.data(&request.id)?;
        }
        accepted.push(request);
    }
    if context.printer.is_json() {
        let document: Vec<_> = accepted
            .iter()
            .map(|request| {
                json!({
                    "request_id": request.id, "code": request.code, "status": request.status, "kind": request.kind,
                    "received_at": request.received_at, "due_at": request.due_at,
                })
            })
            .collect();
        context.printer.document(&document)?;
    }
    Ok(Exit::Done)
}

async fn take_in(deployment: &Deployment, job: &JobFile, by: Option<&str>) -> Result<Request, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let received = job::receive(&mut tx, deployment, job, by).await?;
    tx.commit().await?;
    Ok(received.request().clone())
}

/// The first of many jobs may be in already when another one is refused: then the error says how many.
fn stopped(error: CliError, accepted: usize, all: usize) -> CliError {
    if accepted == 0 {
        return error;
    }
    CliError::Outcome {
        exit: error.exit(),
        message: format!("job {} of {all}: {error}; the {accepted} before it were accepted", accepted + 1),
        hint: error.hint(),
    }
}
