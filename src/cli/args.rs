//! The command line as a whole: global flags and the list of verbs. What a verb takes is in the verb's own file.

use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};

use super::exit::Exit;
use super::progress::ProgressMode;
use super::{archive, certificate, completion, demo, hold, init, journal, map, plan, request, run, submit, verify, worker};

/// Answers data subject requests under the GDPR: gathers, hands over, erases, verifies and certifies.
///
/// Identifiers and secrets are never arguments: they come in job files or on standard input (`-`).
#[derive(Debug, Parser)]
#[command(name = "habeas", version, arg_required_else_help = true, after_help = exit_codes(), max_term_width = 100)]
pub struct Cli {
    /// Flags that every verb takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

fn exit_codes() -> String {
    let lines = Exit::ALL.map(|exit| format!("{:>5}  {}", exit.code(), exit.meaning()));
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// Flags that every verb takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Configuration file [default: ./habeas.yaml].
    #[arg(long, global = true, value_name = "FILE", env = "HABEAS_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Print one JSON document on stdout.
    #[arg(long, global = true)]
    pub json: bool,
    /// How to show progress on stderr.
    #[arg(long, global = true, value_name = "HOW", default_value = "auto")]
    pub progress: ProgressMode,
    /// Never ask: what needs a confirmation then takes it from the arguments, or fails.
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Take unknown keys of the data map as warnings: for maps that come from elsewhere.
    #[arg(long, global = true)]
    pub lenient_map: bool,
    /// Say more on stderr; repeat for still more.
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub verbose: u8,
    /// Say less on stderr.
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub quiet: u8,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write what is missing of habeas.yaml, the key folder and the data map; never overwrite.
    Init(init::Args),
    /// The reference deployment, end to end, on embedded databases: see how everything works.
    Demo(demo::Args),
    /// Check configuration, keys, ledger, every source's reach and rights, and the data map; one hint per finding.
    Doctor,
    /// Execute a job now, in the foreground.
    Run(run::Args),
    /// Queue jobs; print one request id per line.
    Submit(submit::Args),
    /// Process the queue.
    Worker(worker::Args),
    /// Look at requests and decide about them.
    #[command(subcommand)]
    Request(request::Verb),
    /// Dry run: what would be exported, erased, masked or retained, with counts and the plan's digest. Changes nothing.
    Plan(plan::Args),
    /// Legal holds.
    #[command(subcommand)]
    Hold(hold::Verb),
    /// The data map: where personal data lives.
    #[command(subcommand)]
    Map(map::Verb),
    /// Portability archives.
    #[command(subcommand)]
    Archive(archive::Verb),
    /// Certificates of erasure.
    #[command(subcommand)]
    Certificate(certificate::Verb),
    /// The journal of everything that was done.
    #[command(subcommand)]
    Journal(journal::Verb),
    /// Look again, now, whether what a request erased is still gone.
    Verify(verify::Args),
    /// Run every duty that is due: re-verification, released holds, deadlines, expiry.
    Sweep,
    /// Print a completion script for a shell.
    Completion(completion::Args),
}
