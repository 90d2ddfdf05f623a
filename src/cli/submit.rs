//! `habeas submit`: puts jobs into the queue and answers with their request ids, one per line.

use std::path::PathBuf;

/// What `habeas submit` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job files, `-` for standard input; each holds one job or JSON Lines.
    #[arg(value_name = "JOB", required = true)]
    pub jobs: Vec<PathBuf>,
}
