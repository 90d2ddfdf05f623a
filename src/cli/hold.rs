//! `habeas hold`: places legal holds, shows them, releases them. Scopes come in files, because they may name a person.

mod print;

use std::path::{Path, PathBuf};

use clap::Subcommand;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::operator::Operator;
use crate::deployment::Deployment;
use crate::hold::{HoldFile, Scope, State};
use crate::job;
use crate::ledger::{hold, store_lock};

/// The verbs of `habeas hold`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Place a hold; returns when nothing in flight can still erase what it covers.
    Place(Place),
    /// Ask for the release of a hold, or countersign it: it takes two people and a time of grace.
    Release(Release),
    /// Call off a release, as long as the hold still covers; one person is enough.
    Keep(Release),
    /// List holds.
    List(List),
    /// Show one hold.
    Show(One),
    /// Count what a hold would keep, without placing it.
    Preview(Preview),
}

/// A hold to place.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// File with the hold: `{"matter": …, "scope": …}`; `-` for standard input.
    #[arg(value_name = "HOLD")]
    pub hold: PathBuf,
    /// Who places it.
    #[command(flatten)]
    pub operator: Operator,
}

/// A hold to release, or to keep.
#[derive(Debug, clap::Args)]
pub struct Release {
    /// Hold id.
    #[arg(value_name = "HOLD_ID")]
    pub id: String,
    /// Who decides.
    #[command(flatten)]
    pub operator: Operator,
}

/// Which holds to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Released holds as well.
    #[arg(long)]
    pub all: bool,
}

/// One hold.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Hold id.
    #[arg(value_name = "HOLD_ID")]
    pub id: String,
}

/// A hold to try.
#[derive(Debug, clap::Args)]
pub struct Preview {
    /// File with the hold, as for `place`; `-` for standard input.
    #[arg(value_name = "HOLD")]
    pub hold: PathBuf,
}

/// Places, releases or shows holds.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let deployment = context.open().await?;
    match verb {
        Verb::Place(args) => place(&args, &deployment, context).await,
        Verb::Release(args) => release(&args, &deployment, context).await,
        Verb::Keep(args) => keep(&args, &deployment, context).await,
        Verb::List(args) => list(&args, &deployment, context).await,
        Verb::Show(args) => show(&args, &deployment, context).await,
        Verb::Preview(args) => preview(&args, &deployment, context).await,
    }
}

fn read(path: &Path) -> Result<HoldFile, CliError> {
    let (text, name) = input::read_text(path)?;
    HoldFile::parse(&text).map_err(|error| CliError::HoldFile { name, error })
}

fn warn_of_doubts(file: &HoldFile, deployment: &Deployment, context: &Context) {
    if let Scope::Subject(subject) = &file.scope {
        input::warn_of_doubts(Some(subject), deployment, context.printer);
    }
}

/// A hold that covers but is not active yet is no success: something in flight may still erase (H-2).
async fn place(args: &Place, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let file = read(&args.hold)?;
    warn_of_doubts(&file, deployment, context);
    let placement = job::place(deployment, file, &args.operator.name()?).await?;
    print::placement(context.printer, &placement)?;
    Ok(if placement.state == State::Active { Exit::Done } else { Exit::Partial })
}

async fn preview(args: &Preview, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let file = read(&args.hold)?;
    warn_of_doubts(&file, deployment, context);
    let preview = job::preview(deployment, &file).await?;
    print::preview(context.printer, &preview)?;
    Ok(if preview.warnings.is_empty() { Exit::Done } else { Exit::Partial })
}

async fn release(args: &Release, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let letting = job::release(deployment, &code(&args.id), &args.operator.name()?).await?;
    print::released(context.printer, &letting.hold, &deployment.config.controller.time_zone)?;
    print::warn(context.printer, &letting.warnings);
    Ok(Exit::Done)
}

async fn keep(args: &Release, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let hold = job::keep(deployment, &code(&args.id), &args.operator.name()?).await?;
    print::released(context.printer, &hold, &deployment.config.controller.time_zone)?;
    Ok(Exit::Done)
}

async fn list(args: &List, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let holds = hold::list(&mut tx, args.all).await?;
    let locks = store_lock::tallies(&mut tx).await?;
    print::list(context.printer, &holds, &locks, &deployment.config.controller.time_zone)?;
    Ok(Exit::Done)
}

async fn show(args: &One, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let found = hold::get(&mut tx, &code(&args.id)).await?;
    // A scope that does not open covers everything; that is for `doctor` to say, and no reason to show nothing.
    let scope = hold::scope(&mut tx, &deployment.keys, &found.id).await.ok();
    let locks = store_lock::tallies(&mut tx).await?.remove(&found.id).unwrap_or_default();
    print::one(context.printer, (&found, locks), scope.as_ref(), &deployment.config.controller.time_zone)?;
    Ok(Exit::Done)
}

/// Codes are read out and typed in any case.
fn code(typed: &str) -> String {
    typed.trim().to_ascii_uppercase()
}
