//! `habeas demo`: the reference deployment, end to end.

use std::path::PathBuf;

/// What `habeas demo` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folder to create; an existing one is refused unless a demo made it.
    #[arg(long, value_name = "DIR", default_value = "habeas-demo")]
    pub dir: PathBuf,
}
