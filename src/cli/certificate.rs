//! `habeas certificate`: checks certificates of erasure.

use std::path::PathBuf;

use clap::Subcommand;

/// The verbs of `habeas certificate`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Check signature, inclusion proof and wording; needs no ledger and no network.
    Verify(Verify),
}

/// A certificate to check.
#[derive(Debug, clap::Args)]
pub struct Verify {
    /// Folder of a certificate, or its `certificate.json`.
    #[arg(value_name = "DIR|FILE")]
    pub path: PathBuf,
}
