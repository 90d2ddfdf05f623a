//! `habeas map`: checks the data map against the live databases and draws it.

use clap::Subcommand;

/// The verbs of `habeas map`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Lint the map and compare it with the live schemas.
    Check,
    /// Show how collections are reached from a subject.
    Graph(Graph),
}

/// How to draw.
#[derive(Debug, clap::Args)]
pub struct Graph {
    /// As a Graphviz document.
    #[arg(long)]
    pub dot: bool,
}
