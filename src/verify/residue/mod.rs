//! The residue scan: a subject's identifiers, as values, in every form in which software tends to copy them, over every table of a
//! source, mapped or not. One pass over a table serves all subjects that wait for it. It reports places and counts, never values (S-1),
//! and what it could not read is a gap (V-2). Planted values must be found by the same code, or the search proves nothing (V-3).

mod boundary;
mod control;
mod escapes;
mod matcher;
mod object_scan;
mod patterns;
mod report;
mod scan;
#[cfg(test)]
mod tests;

pub use matcher::{Found, Matcher, WeakIdentifier};
pub use object_scan::{ObjectHit, ObjectLimits, ObjectReport, ScanStop, scan_store};
pub use patterns::{Form, Weakness};
pub use report::{Control, Gap, Hit, ResidueReport, SearchedTable};
pub use scan::{Search, scan};

use thiserror::Error;

use crate::crypto::CryptoError;
use crate::db::DbError;

/// Why a residue scan could not be done. What concerns one table alone is a [`Gap`] in the report, not an error.
#[derive(Debug, Error)]
pub enum ResidueError {
    /// The session failed as a whole.
    #[error(transparent)]
    Database(#[from] DbError),
    /// No random control value could be drawn.
    #[error(transparent)]
    Random(#[from] CryptoError),
    /// Too many patterns for one pass.
    #[error("the search patterns do not fit one pass: search for fewer people at once")]
    TooMany,
}
