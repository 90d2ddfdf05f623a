//! `habeas verify`: looks again, now, whether what a request erased is still gone.

/// What `habeas verify` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Request id or code.
    #[arg(value_name = "REQUEST")]
    pub request: String,
}
