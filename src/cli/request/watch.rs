//! `habeas request watch`: tells every change of a request until it waits for somebody or has ended.

use std::time::Duration;

use super::{One, find, show};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::counted::counted;
use crate::deployment::Deployment;
use crate::job::result_document;
use crate::ledger::execution;
use crate::ledger::request::Request;
use crate::request::Status;

const EVERY: Duration = Duration::from_millis(500);

/// Watches a request. The exit code tells how it ended.
pub async fn run(args: &One, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let mut told = String::new();
    let request = loop {
        let mut tx = deployment.ledger.begin().await?;
        let request = find(&mut tx, &args.request).await?;
        let line = line(&request, records_dealt_with(&mut tx, &request).await?);
        tx.rollback().await?;
        if line != told && !context.printer.is_json() {
            context.printer.data(&line)?;
        }
        told = line;
        if !show::is_moving(&result_document(&request)?) {
            break request;
        }
        tokio::time::sleep(EVERY).await;
    };
    if context.printer.is_json() {
        context.printer.document(&result_document(&request)?)?;
    } else {
        context.printer.hint(&format!("`habeas request show {}` shows it item by item", request.code));
    }
    Ok(match request.status {
        Status::Partial => Exit::Partial,
        Status::Failed => Exit::Failure,
        _ => Exit::Done,
    })
}

async fn records_dealt_with(tx: &mut crate::db::Tx, request: &Request) -> Result<u64, CliError> {
    Ok(execution::of_request(tx, &request.id).await?.iter().map(|pass| pass.position).sum())
}

fn line(request: &Request, records: u64) -> String {
    match records {
        0 => format!("{}  {}", request.code, request.status),
        _ => format!("{}  {}  {} dealt with", request.code, request.status, counted(records, "record", "records")),
    }
}
