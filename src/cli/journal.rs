//! `habeas journal`: recomputes the tree and shows its entries.

use std::path::Path;

use clap::Subcommand;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::request::find;
use super::show::minute;
use crate::config::Config;
use crate::counted::counted;
use crate::crypto::PublicKey;
use crate::journal::{self, Anchor, Origin};
use crate::ledger::Ledger;
use crate::ledger::journal::{JournalRow, entries, size};

/// The verbs of `habeas journal`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Recompute the tree and compare it with the checkpoints, here and in their copies.
    Verify,
    /// Show entries.
    Show(Show),
    /// Copy the ledger's checkpoints to an outside folder that is new or was lost; from then on this ledger counts as the true one.
    Anchor(Confirmed),
}

/// Which entries to show.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Only entries about this request (id or code).
    #[arg(long, value_name = "REQUEST")]
    pub request: Option<String>,
    /// Only the last so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub last: u32,
}

/// A deliberate act.
#[derive(Debug, clap::Args)]
pub struct Confirmed {
    /// Say that the outside folder is new or lost, and that this ledger is the true one.
    #[arg(long)]
    pub this_ledger_is_the_true_one: bool,
}

/// Entries that are read at a time.
const PAGE: u64 = 1_000;

/// Checks the journal or shows its entries. Neither needs the data map or any source.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let config = context.load_config()?;
    let ledger = Ledger::open(config.ledger.expose_secret()).await?;
    match verb {
        Verb::Verify => verify(&ledger, &config, context).await,
        Verb::Show(args) => show(&args, &ledger, &config, context).await,
        Verb::Anchor(args) => anchor_anew(&args, &ledger, &config, context).await,
    }
}

/// What it takes to check this installation's journal.
pub(super) fn anchor(config: &Config) -> Result<Anchor, CliError> {
    let key = PublicKey::load(Path::new(&config.keys))?;
    Ok(Anchor::new(Origin::of_controller(&config.controller.name), key, &config.journal.copies))
}

async fn verify(ledger: &Ledger, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let report = journal::verify(ledger, &anchor(config)?).await?;
    let exit = if report.state.is_consistent() { Exit::Done } else { Exit::VerificationFailed };
    if context.printer.is_json() {
        context.printer.document(&report)?;
        return Ok(exit);
    }
    for (label, value) in [
        ("journal", report.origin.clone()),
        ("key", report.verifier_key.clone()),
        ("root", report.root.clone()),
        ("entries", report.entries.to_string()),
        (
            "checkpoints",
            format!("{} in the ledger, {} outside", report.checkpoints, counted(report.outside_copies, "copy", "copies")),
        ),
    ] {
        context.printer.data(&format!("{label:<12} {value}"))?;
    }
    let verdict = if report.state.is_consistent() { "consistent" } else { "NOT CONSISTENT" };
    context.printer.data(&format!("{verdict:<12} {}", report.state))?;
    if let Some(hint) = report.state.hint() {
        context.printer.hint(hint);
    }
    Ok(exit)
}

/// The outside copies tell a ledger that was restored or rewritten. Where there are none, only a person can say that this one was not.
async fn anchor_anew(args: &Confirmed, ledger: &Ledger, config: &Config, context: &Context) -> Result<Exit, CliError> {
    if !args.this_ledger_is_the_true_one {
        return Err(CliError::Outcome {
            exit: Exit::NotApproved,
            message:
                "nothing was copied: without outside copies nobody but you can tell whether this ledger was restored or rewritten"
                    .into(),
            hint: Some("give `--this-ledger-is-the-true-one` when it was not".into()),
        });
    }
    let copied = journal::anchor_anew(ledger, &anchor(config)?).await?;
    if context.printer.is_json() {
        context.printer.document(&json!({"copied": copied}))?;
    } else {
        let folder = config.journal.copies.display();
        context.printer.data(&format!("{} in {folder}", counted(copied, "checkpoint stands", "checkpoints stand")))?;
    }
    Ok(Exit::Done)
}

async fn show(args: &Show, ledger: &Ledger, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let request_id = match &args.request {
        Some(request) => Some(find(&mut ledger.begin().await?, request).await?.id),
        None => None,
    };
    let shown = last_entries(ledger, request_id.as_deref(), args.last as usize).await?;
    if context.printer.is_json() {
        let document: Vec<Value> = shown.iter().map(|(seq, event)| json!({"seq": seq, "event": event})).collect();
        context.printer.document(&document)?;
        return Ok(Exit::Done);
    }
    if shown.is_empty() {
        context.printer.talk("no entry fits");
        return Ok(Exit::Done);
    }
    let word = |event: &Value, key: &str| event[key].as_str().unwrap_or_default().to_owned();
    let rows = shown.iter().map(|(seq, event)| {
        let at = event["at"].as_str().and_then(|at| at.parse().ok()).map(|at| minute(at, &config.controller.time_zone));
        vec![seq.to_string(), at.unwrap_or_default(), word(event, "kind"), word(event, "actor"), facts(event)]
    });
    context.printer.table(&["seq", "at", "what", "who", "facts"], rows)?;
    Ok(Exit::Done)
}

/// The newest entries that fit, oldest of them first. Reads backwards, page by page.
async fn last_entries(ledger: &Ledger, request_id: Option<&str>, most: usize) -> Result<Vec<(u64, Value)>, CliError> {
    let mut found = Vec::new();
    let mut end = size(ledger).await?;
    while end > 0 && found.len() < most {
        let start = end.saturating_sub(PAGE);
        let page = entries(ledger, start, u32::try_from(end - start).unwrap_or(u32::MAX)).await?;
        let fits = |(_, event): &(u64, Value)| request_id.is_none_or(|id| event["request_id"] == id);
        found.extend(page.iter().rev().map(read).filter(fits));
        end = start;
    }
    found.truncate(most);
    found.reverse();
    Ok(found)
}

/// An entry that was tampered with is shown as it is; `journal verify` says what is wrong with it.
fn read(row: &JournalRow) -> (u64, Value) {
    (row.seq, serde_json::from_str(&row.entry).unwrap_or_else(|_| Value::String(row.entry.clone())))
}

/// Everything but what has a column of its own.
fn facts(event: &Value) -> String {
    let Value::Object(fields) = event else { return "unreadable".into() };
    let mut facts = Vec::new();
    for (key, value) in fields {
        match value {
            Value::Object(counts) => facts.extend(counts.iter().map(|(what, count)| format!("{what} {count}"))),
            Value::String(text) if !["kind", "actor", "at"].contains(&key.as_str()) => facts.push(format!("{key} {text}")),
            _ => {}
        }
    }
    facts.join(", ")
}
