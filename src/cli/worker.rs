//! `habeas worker`: processes the queue.

/// What `habeas worker` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Stop when the queue is empty.
    #[arg(long)]
    pub once: bool,
    /// Jobs at the same time.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub concurrency: u16,
}
