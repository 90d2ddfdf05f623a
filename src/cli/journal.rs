//! `habeas journal`: recomputes the tree and shows its entries.

use clap::Subcommand;

/// The verbs of `habeas journal`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Recompute the tree and compare it with the checkpoints, here and in their copies.
    Verify,
    /// Show entries.
    Show(Show),
}

/// Which entries to show.
#[derive(Debug, clap::Args)]
pub struct Show {
    /// Only entries about this request (id or code).
    #[arg(long, value_name = "REQUEST")]
    pub request: Option<String>,
    /// Only the last so many.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub last: u32,
}
