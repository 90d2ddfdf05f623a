//! `habeas request list`: the most urgent first.

use serde_json::json;

use super::List;
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::deployment::Deployment;
use crate::ledger::request::{Filter, Listed, list};

/// Lists requests.
pub async fn run(args: &List, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let now = deployment.now();
    let filter = Filter {
        status: args.status.map(Into::into),
        kind: args.kind,
        due_by: args.overdue.then_some(now),
        limit: i64::from(args.limit),
        ..Filter::default()
    };
    let mut tx = deployment.ledger.begin().await?;
    let listed = list(&mut tx, &filter).await?;
    let is_overdue = |listed: &Listed| listed.request.closed_at.is_none() && listed.request.deadline().is_some_and(|due| due < now);
    if context.printer.is_json() {
        let document: Vec<_> = listed
            .iter()
            .map(|one| {
                let request = &one.request;
                json!({
                    "request_id": request.id, "code": request.code, "kind": request.kind, "status": request.status,
                    "received_at": request.received_at, "due_at": request.due_at, "extended_to": request.extended_to,
                    "overdue": is_overdue(one), "waiting_jobs": one.live_jobs, "dead_jobs": one.dead_jobs, "test": request.is_test,
                })
            })
            .collect();
        context.printer.document(&document)?;
        return Ok(Exit::Done);
    }
    if listed.is_empty() {
        context.printer.talk("no request fits");
        return Ok(Exit::Done);
    }
    let time_zone = &deployment.config.controller.time_zone;
    let rows = listed.iter().map(|one| {
        let request = &one.request;
        vec![
            request.code.clone(),
            request.kind.as_str().to_owned(),
            request.status.to_string(),
            show::day(request.received_at, time_zone),
            request.deadline().map(|due| show::day(due, time_zone)).unwrap_or_default(),
            attention(one, is_overdue(one)),
        ]
    });
    context.printer.table(&["code", "kind", "status", "received", "due", "attention"], rows)?;
    if listed.len() == args.limit as usize {
        context.printer.hint("there may be more: `--limit N`");
    }
    Ok(Exit::Done)
}

fn attention(listed: &Listed, is_overdue: bool) -> String {
    let mut words = Vec::new();
    if is_overdue {
        words.push("overdue".to_owned());
    }
    if listed.dead_jobs > 0 {
        words.push(format!("given up: {}", listed.request.failure_code.as_deref().unwrap_or("unknown")));
    }
    if listed.request.is_test {
        words.push("test".into());
    }
    words.join(", ")
}
