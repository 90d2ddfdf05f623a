//! Rows in Parquet files. Row groups in which nothing can match are not decoded; those without a row to erase are copied as bytes; in the
//! others every column is written anew in the way it was written. Schema, key-value metadata, codec, encodings, row groups, statistics, page
//! index and bloom filters stay. The input is a file, because the footer comes last and columns are read side by side.

mod assemble;
mod column;
mod damage;
mod file;
mod find;
mod footer;
mod kind;
mod leaf;
mod owners;
mod prune;
mod ranged;
mod rewrite;
mod runs;
mod settings;
mod value;

use std::thread;

pub use find::find_parquet;
pub use rewrite::erase_parquet;

use super::RowsError;

/// How much of a file is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// Row groups that cannot match by their statistics and bloom filters are passed over. Their rows count as neither named nor unnamed.
    Pruned,
    /// Every row group, whatever the file says about it: for verifying (V-3).
    Everything,
}

/// Where something stands, for people.
fn place_of(group: usize) -> String {
    format!("row group {}", group + 1)
}

/// Runs on a thread of its own: the library gives up with a panic on some damaged files, which must end the object and not the program.
fn in_thread<T: Send>(work: impl FnOnce() -> Result<T, RowsError> + Send) -> Result<T, RowsError> {
    thread::scope(|scope| scope.spawn(work).join()).unwrap_or_else(|_| Err(damage::damaged("read")))
}
