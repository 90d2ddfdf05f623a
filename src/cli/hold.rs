//! `habeas hold`: places legal holds, shows them, releases them. Scopes come in files, because they may name a person.

use std::path::PathBuf;

use clap::Subcommand;

use super::operator::Operator;

/// The verbs of `habeas hold`.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Place a hold; returns when nothing in flight can still erase what it covers.
    Place(Place),
    /// Ask for the release of a hold, or countersign it: it takes two people and a time of grace.
    Release(Release),
    /// List holds.
    List(List),
    /// Show one hold.
    Show(One),
    /// Count what a hold would keep, without placing it.
    Preview(Preview),
}

/// A hold to place.
#[derive(Debug, clap::Args)]
pub struct Place {
    /// File with the hold: `{"matter": …, "scope": …}`; `-` for standard input.
    #[arg(value_name = "HOLD")]
    pub hold: PathBuf,
    /// Who places it.
    #[command(flatten)]
    pub operator: Operator,
}

/// A hold to release.
#[derive(Debug, clap::Args)]
pub struct Release {
    /// Hold id.
    #[arg(value_name = "HOLD_ID")]
    pub id: String,
    /// Who releases it.
    #[command(flatten)]
    pub operator: Operator,
}

/// Which holds to list.
#[derive(Debug, clap::Args)]
pub struct List {
    /// Released holds as well.
    #[arg(long)]
    pub all: bool,
}

/// One hold.
#[derive(Debug, clap::Args)]
pub struct One {
    /// Hold id.
    #[arg(value_name = "HOLD_ID")]
    pub id: String,
}

/// A hold to try.
#[derive(Debug, clap::Args)]
pub struct Preview {
    /// File with the hold, as for `place`; `-` for standard input.
    #[arg(value_name = "HOLD")]
    pub hold: PathBuf,
}
