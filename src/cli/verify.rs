//! `habeas verify`: looks again, now, whether what a request erased is still gone.

use std::sync::Arc;

use tokio::sync::watch;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::{request, work};
use crate::job;
use crate::ledger::execution;
use crate::ledger::job::NewJob;
use crate::queue;
use crate::request::Kind;

/// What `habeas verify` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Request id or code.
    #[arg(value_name = "REQUEST")]
    pub request: String,
}

/// Queues a look, runs it in the foreground and prints what it saw.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let deployment = Arc::new(context.open().await?);
    let mut tx = deployment.ledger.begin().await?;
    let found = request::find(&mut tx, &args.request).await?;
    if found.kind != Kind::Erasure {
        return Err(CliError::Usage {
            message: format!("request {} has erased nothing that could be verified", found.code),
            hint: None,
        });
    }
    let now = deployment.now();
    let mut look = NewJob::for_request(job::REVERIFY, &found, now);
    look.unique_key = Some(format!("verify:{}", found.id));
    look.max_attempts = 1;
    let queued = queue::enqueue(&mut tx, &look, now).await?;
    tx.commit().await?;
    let (_stop, shutdown) = watch::channel(false);
    let tally = work::worker(&deployment, 1)?.run_one(queued.job_id(), shutdown).await?;
    let mut tx = deployment.ledger.begin().await?;
    let after = crate::ledger::request::get(&mut tx, &found.id).await?;
    let passes = execution::of_request(&mut tx, &found.id).await?;
    tx.rollback().await?;
    // Without its keys a record cannot be read back: that is not the same answer (V-2).
    let keys_destroyed = passes.iter().any(|pass| pass.manifest_file.is_none() && !pass.steps.is_empty());
    let looked = tally.is_some_and(|tally| tally.done == 1);
    if !looked {
        return Err(CliError::Outcome {
            exit: Exit::Failure,
            message: format!("request {} could not be looked at again", found.code),
            hint: Some("see the log above; `habeas doctor` checks every source".into()),
        });
    }
    let document = job::result_document(&after)?;
    let before = job::result_document(&found)?;
    let residue = document["residue"].as_array().map_or(0, Vec::len);
    let new = residue > before["residue"].as_array().map_or(0, Vec::len);
    // What is known to be there already is no news, and no absence either (V-1).
    let exit = match (new, residue) {
        (true, _) => Exit::VerificationFailed,
        (false, 0) => Exit::Done,
        (false, _) => Exit::Partial,
    };
    if context.printer.is_json() {
        context.printer.document(&document)?;
    } else if residue > 0 {
        let news =
            if new { "erased records are there again" } else { "nothing new came back; its answer still names what was left over" };
        context.printer.data(&format!("request {}: {news}", found.code))?;
        super::show::result(context.printer, &document, &deployment.config.controller.time_zone)?;
    } else if keys_destroyed {
        let searched = "a search finds nothing of this person; the keys of what was erased were destroyed after the last look";
        context.printer.data(&format!("request {}: {searched}", found.code))?;
    } else {
        context.printer.data(&format!("request {}: what was erased is still gone", found.code))?;
    }
    Ok(exit)
}
