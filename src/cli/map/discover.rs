//! `habeas map discover`: proposes a data map from a live schema. The map goes to standard output or into a new file, what to look at first to
//! standard error. It needs neither keys nor a ledger nor a data map, writes nothing but that file, and overwrites nothing.

use std::fs::{File, OpenOptions};
use std::io::{BufReader, Write};
use std::path::{Path, PathBuf};

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::connector::sql::{SqlAddress, SqlSource};
use crate::counted::counted;
use crate::discover::{self, Proposal, query_log::Joins};

/// What to look at.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which source of the configuration.
    #[arg(long, value_name = "NAME")]
    pub source: String,
    /// A log of the application's queries, whose joins count as evidence: PostgreSQL's log (stderr or CSV), MySQL's general log, or SQL.
    #[arg(long, value_name = "FILE")]
    pub query_log: Option<PathBuf>,
    /// Write the map into this new file. With --json, the evidence still goes to standard output.
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

/// Looks and proposes.
pub async fn run(args: &Args, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let configured = config.sources.get(&args.source).ok_or_else(|| unknown_source(&args.source, config))?;
    // Before anything is read: minutes of looking must not end in a file that cannot be written.
    let output = args.output.as_deref().map(new_file).transpose()?;
    let address = SqlAddress { name: configured.name.clone(), url: configured.url(), verify_url: None };
    let source = SqlSource::open(&address).await.map_err(|error| failed(&args.source, &error.problem.to_string()))?;
    let joins = read_log(args.query_log.as_deref(), &source)?;
    let proposal = discover::discover(&source, &joins, context.progress.as_ref()).await;
    source.close().await;
    let proposal = proposal.map_err(|problem| failed(&args.source, &problem.to_string()))?;
    tell(args, output, &proposal, &joins, context)?;
    Ok(if proposal.unread.is_empty() { Exit::Done } else { Exit::Partial })
}

fn tell(args: &Args, output: Option<File>, proposal: &Proposal, joins: &Joins, context: &Context) -> Result<(), CliError> {
    let map = discover::data_map(proposal);
    if let (Some(mut file), Some(path)) = (output, &args.output) {
        let written = file.write_all(map.as_bytes()).and_then(|()| file.sync_all());
        written.map_err(|error| CliError::Unwritable { path: Some(path.clone()), reason: error.to_string() })?;
    }
    if context.printer.is_json() {
        context.printer.document(&discover::document(proposal))?;
    } else if args.output.is_none() {
        context.printer.data(map.trim_end())?;
    }
    if args.query_log.is_some() {
        let long = if joins.too_long > 0 { format!(", {} too long", joins.too_long) } else { String::new() };
        context.printer.talk(&format!(
            "query log: {}{long}, {}",
            counted(joins.statements, "statement", "statements"),
            counted(joins.pairs(), "pair of columns", "pairs of columns")
        ));
    }
    for line in discover::summary(proposal) {
        context.printer.talk(&line);
    }
    if let Some(path) = &args.output {
        context.printer.talk(&format!("wrote {}", path.display()));
    }
    Ok(())
}

fn read_log(path: Option<&Path>, source: &SqlSource) -> Result<Joins, CliError> {
    let Some(path) = path else { return Ok(Joins::default()) };
    let unreadable = |error: std::io::Error| CliError::Unreadable { name: path.display().to_string(), reason: error.to_string() };
    let file = File::open(path).map_err(unreadable)?;
    Joins::read(BufReader::new(file), &discover::names_of(source)).map_err(unreadable)
}

fn new_file(path: &Path) -> Result<File, CliError> {
    OpenOptions::new().write(true).create_new(true).open(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Usage {
            message: format!("`{}` is there already, and is not overwritten", path.display()),
            hint: Some("name another file, and compare the two".into()),
        },
        _ => CliError::Unwritable { path: Some(path.to_owned()), reason: error.to_string() },
    })
}

fn unknown_source(name: &str, config: &Config) -> CliError {
    let known: Vec<&str> = config.sources.keys().map(String::as_str).collect();
    CliError::Usage { message: format!("the configuration has no source `{name}`"), hint: Some(crate::suggest::hint(name, &known)) }
}

fn failed(source: &str, problem: &str) -> CliError {
    CliError::Outcome {
        exit: Exit::Failure,
        message: format!("source `{source}`: {problem}"),
        hint: Some("look at its address and credentials in the configuration, and whether the server runs".into()),
    }
}
