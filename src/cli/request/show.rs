//! `habeas request show`: one request, item by item. With `--json` it is the result document of the interface.

use serde_json::Value;

use super::{One, find};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::{output::Printer, show};
use crate::deployment::Deployment;
use crate::job::{approval_asked, people_needed, plan_of, result_document};
use crate::ledger::approval;
use crate::ledger::request::Request;
use crate::plan::Plan;
use crate::request::Status;

/// Shows a request.
pub async fn run(args: &One, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let request = find(&mut tx, &args.request).await?;
    let document = result_document(&request)?;
    if context.printer.is_json() {
        context.printer.document(&document)?;
        return Ok(Exit::Done);
    }
    let plan = plan_of(&mut tx, &request).await?;
    let given = match &request.plan_digest {
        Some(digest) => approval::of_plan(&mut tx, &request.id, digest).await?,
        None => Vec::new(),
    };
    drop(tx);
    show::result(context.printer, &document, &deployment.config.controller.time_zone)?;
    if let (Some(message), true) = (document["reason"]["message"].as_str(), is_waiting(&request)) {
        context.printer.data(&format!("{:<12} {message}", "waits"))?;
    }
    if let (Some(plan), true) = (&plan, is_waiting(&request)) {
        let items_are_shown = document["items"].as_array().is_some_and(|items| !items.is_empty());
        if !items_are_shown {
            planned(context.printer, plan)?;
        }
        obstacles(context.printer, plan)?;
    }
    if !given.is_empty() {
        let people: Vec<&str> = given.iter().map(|given| given.actor.as_str()).collect();
        context.printer.data(&format!("{:<12} {}", "approved by", people.join(", ")))?;
    }
    if let Some(hint) = next_step(&request, &document, plan.as_ref(), given.len())? {
        context.printer.hint(&hint);
    }
    Ok(Exit::Done)
}

fn is_waiting(request: &Request) -> bool {
    matches!(request.status, Status::WaitingApproval | Status::WaitingController | Status::WaitingIdentity)
}

/// Prints what a plan would do where.
pub(super) fn planned(printer: Printer, plan: &Plan) -> Result<(), CliError> {
    let items = serde_json::to_value(&plan.items).map_err(|error| CliError::Other(error.into()))?;
    show::items(printer, &items)
}

/// Prints what stands in a plan's way, and what should be known before it is approved.
pub(super) fn obstacles(printer: Printer, plan: &Plan) -> Result<(), CliError> {
    for gap in &plan.gaps {
        printer.data(&format!("{:<12} {}: {}", "not reached", gap.source, gap.reason))?;
    }
    for problem in &plan.problems {
        printer.data(&format!("{:<12} {}: {}", "problem", problem.subject, problem.problem))?;
    }
    for text in &plan.warnings {
        printer.data(&format!("{:<12} {text}", "warning"))?;
    }
    for text in &plan.fuses {
        printer.data(&format!("{:<12} {text}: two people must agree", "fuse"))?;
    }
    Ok(())
}

fn next_step(request: &Request, document: &Value, plan: Option<&Plan>, given: usize) -> Result<Option<String>, CliError> {
    let code = &request.code;
    Ok(match request.status {
        Status::WaitingApproval => {
            let needed = plan.map_or(Ok(1), |plan| approval_asked(request).map(|asked| people_needed(asked, plan)))?;
            let digest = request.plan_digest.as_deref().unwrap_or("PLAN_DIGEST");
            let missing = needed.saturating_sub(given);
            let who = if missing == 1 { "one person".to_owned() } else { format!("{missing} different people") };
            Some(format!("{who} must still agree: `habeas request approve {code} --digest {digest}`"))
        }
        Status::WaitingIdentity | Status::WaitingController => {
            Some(reason_hint(document).unwrap_or_else(|| format!("when that is settled: `habeas request retry {code}`")))
        }
        Status::Failed => {
            let why = request.failure_code.as_deref().unwrap_or("unknown");
            Some(format!("the work was given up ({why}); when the cause is removed: `habeas request retry {code}`"))
        }
        Status::Queued => Some("a worker takes it up: `habeas worker --once`".into()),
        _ => None,
    })
}

fn reason_hint(document: &Value) -> Option<String> {
    document["reason"]["hint"].as_str().map(str::to_owned)
}

/// Whether the request still moves by itself.
pub(super) fn is_moving(document: &Value) -> bool {
    ["queued", "running", "verifying"].iter().any(|status| document["status"] == *status)
}
