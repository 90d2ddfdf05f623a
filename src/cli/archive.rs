//! `habeas archive`: checks portability archives.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::input;
use super::output::Printer;
use crate::archive::{self, ArchiveError, VerifyReport};
use crate::counted::counted;

/// The verbs of `habeas archive`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check an archive, and all parts of a divided one, against its own manifests; needs no configuration.
    Verify(Verify),
}

/// Archives to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// The archive. Of several parts: part 1, which is checked with all the others, beside it or named as well; or any other part alone.
    #[arg(value_name = "FILE.zip", required = true)]
    pub files: Vec<PathBuf>,
}

/// Checks archives.
pub async fn run(verb: Verb, context: &Context) -> Result<Exit, CliError> {
    let Verb::Verify(args) = verb;
    let mut reports: Vec<VerifyReport> = Vec::new();
    // Whoever names all parts gets them checked once, with their first.
    for is_first in [true, false] {
        for file in &args.files {
            let is_checked = reports.iter().flat_map(|report| &report.others).any(|other| is_same(other, file));
            if is_first == begins_an_archive(file) && !is_checked {
                reports.push(check(file, &args.files).await?);
            }
        }
    }
    let is_sound = reports.iter().all(VerifyReport::is_sound);
    if context.printer.is_json() {
        let mut documents = reports.iter().map(document).collect::<Result<Vec<Value>, CliError>>()?;
        let document = match documents.len() {
            1 => documents.remove(0),
            _ => json!({"sound": is_sound, "archives": documents}),
        };
        context.printer.document(&document)?;
    } else {
        for report in &reports {
            print(report, context.printer)?;
        }
    }
    Ok(if is_sound { Exit::Done } else { Exit::VerificationFailed })
}

/// By its name; what a renamed file is, its content will tell.
fn begins_an_archive(file: &Path) -> bool {
    let name = file.file_stem().and_then(|name| name.to_str()).unwrap_or_default();
    !name.rsplit_once("-part").is_some_and(|(_, part)| part.contains("of") && !part.starts_with("01of"))
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| std::fs::canonicalize(path).ok();
    one == other || real(one).is_some_and(|one| real(other) == Some(one))
}

async fn check(file: &Path, given: &[PathBuf]) -> Result<VerifyReport, CliError> {
    let name = file.display().to_string();
    if let Err(error) = std::fs::File::open(file) {
        return Err(CliError::Unreadable { name, reason: input::why(&error) });
    }
    let (file, given) = (file.to_owned(), given.to_owned());
    // Reading a large archive would keep Ctrl-C from being heard.
    let checked = tokio::task::spawn_blocking(move || archive::verify_among(&file, &given));
    match checked.await.map_err(|error| CliError::Other(error.into()))? {
        Ok(report) => Ok(report),
        Err(error @ ArchiveError::File { .. }) => Err(CliError::Unreadable { name, reason: error.to_string() }),
        Err(error) => Err(CliError::Outcome { exit: Exit::VerificationFailed, message: error.to_string(), hint: None }),
    }
}

fn document(report: &VerifyReport) -> Result<Value, CliError> {
    let mut document = serde_json::to_value(report).map_err(|error| CliError::Other(error.into()))?;
    document["sound"] = json!(report.is_sound());
    Ok(document)
}

fn print(report: &VerifyReport, printer: Printer) -> Result<(), CliError> {
    for problem in &report.problems {
        printer.data(&format!("{}: {}", problem.place, problem.text))?;
    }
    let problems = report.problems.len() as u64 + report.further_problems;
    let verdict =
        if problems == 0 { "sound".to_owned() } else { format!("NOT SOUND: {}", counted(problems, "problem", "problems")) };
    let mut holds = match (report.part, report.parts) {
        (1, 1) => Vec::new(),
        (1, parts) => vec![counted(parts, "part", "parts")],
        (part, parts) => vec![format!("part {part} of {parts}")],
    };
    holds.push(counted(report.files, "file", "files"));
    if report.part == 1 {
        holds.extend([counted(report.tables, "table", "tables"), counted(report.rows, "row", "rows")]);
    }
    holds.push(counted(report.payload_bytes, "byte of data", "bytes of data"));
    printer.data(&format!("{}  {verdict}  ({})", report.archive, holds.join(", ")))
}
