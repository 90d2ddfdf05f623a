//! `habeas archive`: checks portability archives.

use std::path::PathBuf;

use clap::Subcommand;

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
