//! `habeas worker`: processes the queue. Several may run at once, on one machine or many.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::work;
use crate::deployment::Deployment;
use crate::job;
use crate::queue::Tally;

/// What `habeas worker` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stop when the queue is empty.
    #[arg(long)]
    pub once: bool,
    /// Jobs at the same time.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,
}

/// How often a worker looks for holds and archives whose time is over.
const DUTIES_EVERY: Duration = Duration::from_secs(60);

/// Works until the queue is empty, or until it is interrupted.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let deployment = Arc::new(context.open().await?);
    job::release_due_holds(&deployment).await?;
    let worker = work::worker(&deployment, usize::from(args.concurrency))?;
    let (_stop, shutdown) = watch::channel(false);
    let tally = if args.once {
        worker.run_until_empty(shutdown).await?
    } else {
        let duties = tokio::spawn(do_what_is_due(Arc::clone(&deployment)));
        let tally = worker.run_forever(shutdown).await?;
        duties.abort();
        tally
    };
    tell(context, tally)?;
    Ok(if tally.dead > 0 { Exit::Failure } else { Exit::Done })
}

async fn do_what_is_due(deployment: Arc<Deployment>) {
    loop {
        tokio::time::sleep(DUTIES_EVERY).await;
        match job::release_due_holds(&deployment).await {
            Ok(released) => {
                for warning in released.unlocked.warnings {
                    tracing::warn!("{warning}");
                }
            }
            Err(error) => tracing::warn!("holds whose grace is over could not be released: {error}"),
        }
        match job::expire_archives(&deployment).await {
            Ok(swept) => {
                for (_, why) in swept.kept {
                    tracing::warn!("an archive whose time is over is still there: {why}");
                }
            }
            Err(error) => tracing::warn!("archives whose time is over could not be removed: {error}"),
        }
    }
}

fn tell(context: &Context, tally: Tally) -> Result<(), CliError> {
    if context.printer.is_json() {
        let document = serde_json::json!({
            "done": tally.done, "again": tally.again, "dead": tally.dead, "cancelled": tally.cancelled, "lost": tally.lost,
        });
        return context.printer.document(&document);
    }
    context.printer.talk(&format!("{} done, {} to be tried again, {} failed for good", tally.done, tally.again, tally.dead));
    Ok(())
}
