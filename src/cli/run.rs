//! `habeas run`: an operator executes a job now, in the foreground.

use std::path::PathBuf;

/// What `habeas run` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job file, or `-` for standard input.
    #[arg(value_name = "JOB")]
    pub job: PathBuf,
    /// Confirm the plan of this digest, as `habeas plan` shows it.
    #[arg(long, value_name = "PLAN_DIGEST")]
    pub confirm: Option<String>,
}
