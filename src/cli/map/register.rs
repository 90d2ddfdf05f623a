//! `habeas map register`: prints the record of processing activities (Art. 30 GDPR). Ends with the code for "partial" when there are gaps, so
//! that a scheduled job notices.

use clap::ValueEnum;

use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::config::Config;
use crate::counted::counted;
use crate::datamap;
use crate::deployment::name_sources;
use crate::register::build;

/// How to print.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// How to print it; `--json` is one of them.
    #[arg(long, value_name = "FORMAT", default_value = "markdown")]
    pub format: Format,
    /// The same as `--format csv`.
    #[arg(long, conflicts_with = "format")]
    pub csv: bool,
}

/// Forms of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    #[value(alias = "md")]
    Markdown,
    /// For spreadsheets.
    Csv,
    /// For programs.
    Json,
}

/// Prints the record.
pub(super) fn run(args: &Args, config: &Config, context: &Context) -> Result<Exit, CliError> {
    let mut loaded = datamap::load(&config.data_map, context.lenient_map)?;
    name_sources(config, &mut loaded.map);
    let register = build(config, &loaded.map);
    let printer = context.printer;
    match (printer.is_json() || args.format == Format::Json, args.csv || args.format == Format::Csv) {
        (true, _) => printer.document(&register)?,
        (false, true) => printer.bytes(&register.to_csv())?,
        (false, false) => printer.data(register.to_markdown().trim_end())?,
    }
    let gaps = register.gaps.len();
    if gaps == 0 {
        return Ok(Exit::Done);
    }
    let gaps = counted(gaps, "thing that Art. 30 asks for is", "things that Art. 30 asks for are");
    printer.warn(&format!("{gaps} recorded nowhere"));
    printer.hint("each gap in the record names the file and line where to write it");
    Ok(Exit::Partial)
}
