//! `habeas sweep`: every duty that is due, once: holds whose grace is over, archives whose time is over, looks again, requests past their
//! deadline.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::watch;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::work;
use crate::counted::counted;
use crate::job;
use crate::journal;
use crate::ledger::request::{self, Filter};

/// How long a hold whose placing was interrupted may take to become active.
const PATIENCE: Duration = Duration::from_secs(10);

/// Runs what is due and tells what is overdue.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let deployment = Arc::new(context.open().await?);
    let (sources, unreached) = deployment.open_sources().await;
    let activated = job::activate_placed_holds(&deployment, &sources, PATIENCE).await?;
    let released = job::release_due_holds(&deployment).await?;
    let mirrored = job::mirror_holds(&deployment, &sources, &unreached).await?;
    let (_stop, shutdown) = watch::channel(false);
    let tally = work::worker(&deployment, 2)?.run_until_empty(shutdown).await?;
    let swept = job::expire_archives(&deployment).await?;
    let head =
        journal::check_head(&deployment.ledger, deployment.notary.anchor()).await.map_err(|error| CliError::Other(error.into()))?;
    if head.is_consistent() {
        let published = journal::publish_checkpoint(&deployment.ledger, &deployment.notary, deployment.clock.as_ref()).await;
        published.map_err(|error| CliError::Other(error.into()))?;
    }
    let mut tx = deployment.ledger.begin().await?;
    let filter = Filter { open_only: true, due_by: Some(deployment.now()), limit: 1_000, ..Filter::default() };
    let overdue = request::list(&mut tx, &filter).await?;
    tx.rollback().await?;
    for late in &overdue {
        context.printer.warn(&format!("request {} is overdue ({})", late.request.code, late.request.status));
    }
    for (path, why) in &swept.kept {
        context.printer.warn(&format!("an archive whose time is over is still there: {path} ({why})"));
    }
    for warning in released.unlocked.warnings.iter().chain(&mirrored.warnings) {
        context.printer.warn(warning);
    }
    for gap in &unreached {
        context.printer.warn(&format!("source `{}` was not reached: {}", gap.source, gap.problem));
    }
    let document = json!({
        "holds_activated": activated,
        "holds_released": released.holds.len(),
        "requests_resumed": released.requeued.len(),
        "versions_locked": mirrored.locked,
        "versions_unlocked": released.unlocked.cleared,
        "versions_still_locked": released.unlocked.left,
        "lock_warnings": released.unlocked.warnings.iter().chain(&mirrored.warnings).collect::<Vec<_>>(),
        "jobs_done": tally.done,
        "jobs_dead": tally.dead,
        "archives_removed": swept.removed,
        "archives_kept": swept.kept.iter().map(|(path, why)| json!({"path": path, "why": why})).collect::<Vec<_>>(),
        "overdue": overdue.iter().map(|late| late.request.code.clone()).collect::<Vec<_>>(),
        "journal_consistent": head.is_consistent(),
    });
    if context.printer.is_json() {
        context.printer.document(&document)?;
    } else {
        context.printer.data(&format!(
            "{} released, {} resumed, {} done, {} removed, {} overdue",
            counted(released.holds.len(), "hold", "holds"),
            counted(released.requeued.len(), "request", "requests"),
            counted(tally.done, "job", "jobs"),
            counted(swept.removed, "archive", "archives"),
            overdue.len()
        ))?;
    }
    Ok(if head.is_consistent() && tally.dead == 0 { Exit::Done } else { Exit::Failure })
}
