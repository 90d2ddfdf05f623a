//! `habeas run`: an operator executes a job now, in the foreground. It goes through the queue like every other job, so that what is
//! interrupted here is finished by the next worker.

use std::path::PathBuf;
use std::sync::Arc;

use super::answer;
use super::confirm::{Asker, Destructive, confirm_at};
use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::operator::Operator;
use super::{input, work};
use crate::counted::counted;
use crate::deployment::Deployment;
use crate::job::{self, result_document};
use crate::ledger::request::{self, Received, Request};
use crate::request::{Approval, JobFile, Kind, Status};

/// What `habeas run` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job file, or `-` for standard input.
    #[arg(value_name = "JOB")]
    pub job: PathBuf,
    /// Confirm the plan of this digest, as `habeas plan` shows it.
    #[arg(long, value_name = "PLAN_DIGEST")]
    pub confirm: Option<String>,
    /// Who confirms.
    #[command(flatten)]
    pub operator: Operator,
}

/// Takes the job in, runs it, asks where it has to be asked, and prints the answer.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let mut job = input::read_job(&args.job)?;
    input::refuse_what_is_not_carried_out(&job)?;
    let as_written = job.clone();
    ask_even_if_the_job_does_not(&mut job, args, context);
    let deployment = Arc::new(context.open().await?);
    input::warn_of_doubts(job.subject.as_ref(), &deployment, context.printer);
    let received = receive_once(&deployment, [&as_written, &job], args).await?;
    let request = match received {
        Received::New(request) => request,
        Received::Before(request) if request.status == Status::WaitingApproval => {
            context.printer.talk(&format!("request {} waits for the same and goes on", request.code));
            let mut tx = deployment.ledger.begin().await?;
            let again = job::plan_again(&mut tx, &deployment, &request.id, &person(args)).await?;
            tx.commit().await?;
            again
        }
        Received::Before(request) if request.status == Status::Queued || request.status == Status::Running => request,
        Received::Before(request) => return finish(&deployment, &request, context).await,
    };
    let mut request = work::run_request(&deployment, &request).await?;
    if request.status == Status::WaitingApproval {
        // A plan waits although the job asks for no approval where a fuse has blown: then somebody has to say yes all the same.
        let asked = if job.approval() == Approval::None { Approval::One } else { job.approval() };
        confirm(args, &deployment, &request, asked, context).await?;
        request = reload(&deployment, &request.id).await?;
        if request.status == Status::Queued {
            request = work::run_request(&deployment, &request).await?;
        }
    }
    finish(&deployment, &request, context).await
}

/// Takes the job in, unless the same one waits for an approval already: then nobody wants a second request for it.
async fn receive_once(deployment: &Deployment, jobs: [&JobFile; 2], args: &Args) -> Result<Received, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    for job in jobs {
        job::refuse_what_cannot_work(deployment, job)?;
        if let Some(request) = job::waiting_for_approval(&mut tx, deployment, job).await? {
            tx.rollback().await?;
            return Ok(Received::Before(request));
        }
    }
    let received = job::receive(&mut tx, deployment, jobs[1], args.operator.name().ok().as_deref()).await?;
    tx.commit().await?;
    Ok(received)
}

fn person(args: &Args) -> String {
    args.operator.name().unwrap_or_else(|_| "operator".to_owned())
}

/// A person at the terminal is asked before data is erased, and a digest that was given must fit, whatever the job says.
fn ask_even_if_the_job_does_not(job: &mut JobFile, args: &Args, context: &Context) {
    let somebody = context.terminal().is_there() || args.confirm.is_some();
    if job.kind == Kind::Erasure && job.approval() == Approval::None && somebody {
        job.asked_approval = Some(Approval::One);
    }
}

async fn confirm(
    args: &Args,
    deployment: &Deployment,
    request: &Request,
    approval: Approval,
    context: &Context,
) -> Result<(), CliError> {
    let document = result_document(request)?;
    let digest = request.plan_digest.clone().unwrap_or_default();
    if context.terminal().is_there() && args.confirm.is_none() {
        super::show::items(context.printer, &document["items"])?;
    }
    let effects: u64 = document["items"].as_array().into_iter().flatten().filter_map(|item| item["expected"].as_u64()).sum();
    let summary = format!("this erases or changes {}", counted(effects, "record", "records"));
    let about = Destructive { summary: &summary, request_code: &request.code, plan_digest: &digest, approval };
    let confirmed = confirm_at(context.terminal(), about, args.confirm.as_deref()).await;
    if let Err(refusal) = confirmed {
        if context.printer.is_json() {
            context.printer.warn(&format!("request {} waits for an approval: {refusal}", request.code));
            context.printer.document(&document)?;
            return Err(CliError::Told { exit: refusal.exit() });
        }
        context.printer.hint(&format!(
            "request {0} waits: the same command with `--confirm` goes on with it and makes no second one; `habeas request cancel {0}` drops it",
            request.code
        ));
        return Err(refusal);
    }
    let person = person(args);
    let mut tx = deployment.ledger.begin().await?;
    job::approve(&mut tx, deployment, &request.id, &digest, &person).await?;
    tx.commit().await?;
    Ok(())
}

async fn reload(deployment: &Deployment, id: &str) -> Result<Request, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let request = request::get(&mut tx, id).await?;
    tx.rollback().await?;
    Ok(request)
}

async fn finish(deployment: &Deployment, request: &Request, context: &Context) -> Result<Exit, CliError> {
    let document = result_document(request)?;
    if context.printer.is_json() {
        context.printer.document(&document)?;
    } else {
        super::show::result(context.printer, &document, &deployment.config.controller.time_zone)?;
    }
    Ok(answer::exit(context, &document))
}
