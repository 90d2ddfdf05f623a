//! `habeas archive`: checks portability archives.

use std::path::PathBuf;

use clap::Subcommand;
use serde_json::json;

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use crate::archive::{self, ArchiveError};
use crate::counted::counted;

/// The verbs of `habeas archive`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check an archive against its own manifest; needs no configuration.
    Verify(Verify),
}

/// An archive to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The archive.
    #[arg(value_name = "FILE.zip")]
    pub file: PathBuf,
}

/// Checks an archive.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let Verb::Verify(args) = verb;
    let name = args.file.display().to_string();
    if let Err(error) = std::fs::File::open(&args.file) {
        return Err(CliError::Unreadable { name, reason: input::why(&error) });
    }
    // Reading a large archive would keep Ctrl-C from being heard.
    let checked = tokio::task::spawn_blocking(move || archive::verify(&args.file));
    let report = match checked.await.map_err(|error| CliError::Other(error.into()))? {
        Ok(report) => report,
        Err(error @ ArchiveError::File { .. }) => return Err(CliError::Unreadable { name, reason: error.to_string() }),
        Err(error) => return Err(CliError::Outcome { exit: Exit::VerificationFailed, message: error.to_string(), hint: None }),
    };
    let exit = if report.is_sound() { Exit::Done } else { Exit::VerificationFailed };
    if context.printer.is_json() {
        let mut document = serde_json::to_value(&report).map_err(|error| CliError::Other(error.into()))?;
        document["sound"] = json!(report.is_sound());
        context.printer.document(&document)?;
        return Ok(exit);
    }
    for problem in &report.problems {
        context.printer.data(&format!("{}: {}", problem.place, problem.text))?;
    }
    let problems = report.problems.len() as u64 + report.further_problems;
    let verdict =
        if problems == 0 { "sound".to_owned() } else { format!("NOT SOUND: {}", counted(problems, "problem", "problems")) };
    let holds = [
        counted(report.files, "file", "files"),
        counted(report.tables, "table", "tables"),
        counted(report.rows, "row", "rows"),
        counted(report.payload_bytes, "byte of data", "bytes of data"),
    ];
    context.printer.data(&format!("{}  {verdict}  ({})", report.archive, holds.join(", ")))?;
    Ok(exit)
}
