//! Why an archive could not be written or read. No message quotes a value of a row (S-1). Every one of these is final for the archive that
//! was being written: there is no way to go on after an error, and nothing of it is ever published.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::counted::counted;

/// Why an archive was not made, or cannot be read.
#[derive(Debug, Error)]
pub enum ArchiveError {
    /// The folder or a file in it cannot be used.
    #[error("cannot {doing} `{}`: {error}", path.display())]
    File {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// Writing broke off, most often because the disk is full.
    #[error("cannot write the archive: {0}")]
    Write(#[source] io::Error),
    /// The zip layer refused.
    #[error("cannot write the archive: {0}")]
    Zip(#[source] zip::result::ZipError),
    /// The file is no zip that can be read.
    #[error("`{}` cannot be read as an archive: {error}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// Why.
        #[source]
        error: zip::result::ZipError,
    },
    /// Found, exported, withheld and failed do not add up.
    #[error(
        "the rows of {source_key}.{table} do not add up: {found} found, but {exported} exported, {withheld} withheld and {failed} failed"
    )]
    Unbalanced {
        /// Key of the dataset.
        source_key: String,
        /// The table.
        table: String,
        /// Rows found.
        found: u64,
        /// Rows written.
        exported: u64,
        /// Rows left out.
        withheld: u64,
        /// Rows not read.
        failed: u64,
    },
    /// A source is called fine although its counts or errors say otherwise, or the reverse (V-2).
    #[error("the outcome of source `{source_key}` contradicts itself: {problem}")]
    Contradiction {
        /// Key of the dataset.
        source_key: String,
        /// What does not fit.
        problem: &'static str,
    },
    /// The calls came in an order that makes no archive.
    #[error("the archive was written out of order: {0}")]
    OutOfOrder(&'static str),
    /// A row has more or fewer cells than its table has columns.
    #[error("a row of {source_key}.{table} has {} for {}", counted(*cells, "cell", "cells"), counted(*columns, "column", "columns"))]
    RowWidth {
        /// Key of the dataset.
        source_key: String,
        /// The table.
        table: String,
        /// Cells given.
        cells: usize,
        /// Columns declared.
        columns: usize,
    },
    /// The finished file does not read back as it was written.
    #[error("the archive did not read back as it was written: {0}")]
    NotAsWritten(String),
}

impl From<zip::result::ZipError> for ArchiveError {
    fn from(error: zip::result::ZipError) -> Self {
        match error {
            zip::result::ZipError::Io(error) => ArchiveError::Write(error),
            other => ArchiveError::Zip(other),
        }
    }
}

impl From<io::Error> for ArchiveError {
    fn from(error: io::Error) -> Self {
        ArchiveError::Write(error)
    }
}
