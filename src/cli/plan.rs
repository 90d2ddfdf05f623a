//! `habeas plan`: a dry run that changes nothing.

use std::path::PathBuf;

/// What `habeas plan` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job file, or `-` for standard input.
    #[arg(value_name = "JOB")]
    pub job: PathBuf,
}
