//! The portability archive: one zip that is a BagIt bag, a Frictionless data package and a set of script-free pages at once, so that a
//! person can read it and a machine can load it. [`ArchiveWriter`] streams rows into it; [`verify()`] checks a finished one.
//!
//! ```text
//! cell ─> normal ─┬─> csv ────┐
//!                 ├─> jsonl ──┼─> writer ─> completeness, datapackage, html, bagit ─> verify ─> published
//!                 └─> html ───┘
//! ```
//!
//! Nothing here reads a database, and nothing is visible under an archive's name before it has been read back and found whole.

mod bag;
mod bagit;
mod column;
mod completeness;
mod csv;
mod datapackage;
mod dictionary;
mod error;
mod files;
mod finished;
mod further_part;
mod header;
mod html;
mod jsonl;
mod keys;
mod late_bytes;
mod names;
mod normal;
mod number;
mod open_table;
mod outcome;
mod parts;
mod processing;
mod readme;
mod request_json;
mod spool;
mod storage;
mod table;
#[cfg(test)]
mod tests;
mod timestamp;
mod verify;
mod words;
mod writer;
mod written;

pub use csv::{CSV_BYTE_ORDER_MARK, csv_record};
pub use error::ArchiveError;
pub use files::ReadFile;
pub use finished::{Finished, FinishedFile, Published};
pub use header::{ArchiveHeader, Controller, RequestInfo, SupervisoryAuthority};
pub use outcome::{Closing, Held, NotCovered, NotHeldHere, Snapshot, SourceError, SourceKind, SourceOutcome, SourceStatus};
pub use table::{ColumnSpec, ForeignKeySpec, TableSpec, TableTally, Withheld};
pub use verify::{Check, Problem, VerifyReport, verify, verify_among};
pub use words::{category_in_words, period_in_words};
pub use writer::ArchiveWriter;
