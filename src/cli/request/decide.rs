//! `habeas request refuse|cancel|retry|extend`: a person decides, the ledger and the journal keep it.

use serde_json::{Value, json};

use super::{Decide, WithReason, find};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::deployment::Deployment;
use crate::job;
use crate::ledger::request::Request;
use crate::queue::cancel::Cancelled;
use crate::request::Status;

/// Refuses a request.
pub async fn refuse(args: &WithReason, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let person = args.operator.name()?;
    let mut tx = deployment.ledger.begin().await?;
    let request = find(&mut tx, &args.request).await?;
    job::refuse(&mut tx, deployment, &request.id, &args.reason, &person).await?;
    tx.commit().await?;
    tell(context, &request, Status::Refused, json!({"reason": args.reason}), &format!("refused ({})", args.reason))?;
    context.printer.hint("the person must hear why, and of the right to complain, within a month (Art. 12(4))");
    Ok(Exit::Done)
}

/// Cancels a request, or asks its worker to stop.
pub async fn cancel(args: &Decide, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let person = args.operator.name()?;
    let mut tx = deployment.ledger.begin().await?;
    let request = find(&mut tx, &args.request).await?;
    let (cancelled, status) = job::cancel(&mut tx, deployment, &request.id, &person).await?;
    tx.commit().await?;
    let asked = cancelled == Cancelled::Asked;
    let words = if asked { format!("{status}: its worker was asked to stop at its next safe point") } else { status.to_string() };
    tell(context, &request, status, json!({"asked_to_stop": asked}), &words)?;
    if status == Status::Partial {
        context.printer.hint("records were changed before: that is not undone, and the request stays on record as partial");
    }
    Ok(Exit::Done)
}

/// Takes a request up again.
pub async fn retry(args: &Decide, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let person = args.operator.name()?;
    let mut tx = deployment.ledger.begin().await?;
    let request = find(&mut tx, &args.request).await?;
    let status = job::retry(&mut tx, deployment, &request.id, &person).await?;
    tx.commit().await?;
    tell(context, &request, status, json!({}), status.as_str())?;
    Ok(Exit::Done)
}

/// Extends the deadline.
pub async fn extend(args: &WithReason, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let person = args.operator.name()?;
    let mut tx = deployment.ledger.begin().await?;
    let request = find(&mut tx, &args.request).await?;
    let until = job::extend(&mut tx, deployment, &request.id, &args.reason, &person).await?;
    tx.commit().await?;
    let words = format!("extended to {}", show::minute(until, &deployment.config.controller.time_zone));
    tell(context, &request, request.status, json!({"extended_to": until, "reason": args.reason}), &words)?;
    context.printer.hint("the person must hear of it and why, before the first deadline (Art. 12(3))");
    Ok(Exit::Done)
}

fn tell(context: &Context, request: &Request, status: Status, more: Value, words: &str) -> Result<(), CliError> {
    if !context.printer.is_json() {
        return context.printer.data(&format!("{}  {words}", request.code));
    }
    let mut document = json!({"request_id": request.id, "code": request.code, "status": status});
    if let (Some(document), Value::Object(more)) = (document.as_object_mut(), more) {
        document.extend(more);
    }
    context.printer.document(&document)
}
