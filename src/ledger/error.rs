//! What can go wrong with the ledger. No variant holds a value that names a person.

use thiserror::Error;

use crate::crypto::CryptoError;
use crate::db::DbError;
use crate::request::Status;

/// What can go wrong with the ledger.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DbError),
    /// Sealing or opening what names a person failed.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A newer program has migrated this ledger.
    #[error("the ledger is of version {found}, this program knows versions up to {known}")]
    Newer {
        /// Version in the ledger.
        found: i64,
        /// Newest version that we know.
        known: i64,
    },
    /// The server would acknowledge commits that a crash can undo.
    #[error("the ledger's server runs with synchronous_commit = off: a crash could lose requests that were acknowledged")]
    NotDurable,
    /// A document in the ledger cannot be read.
    #[error("the ledger holds a {noun} that cannot be read: {problem}")]
    Unreadable {
        /// Which noun.
        noun: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A write by an attempt that no longer holds the job.
    #[error("this attempt no longer holds the job: another worker has taken over")]
    Stale,
    /// What was asked for is not in the ledger.
    #[error("there is no such {noun}")]
    NotFound {
        /// Which noun.
        noun: &'static str,
    },
    /// An idempotency key came a second time with another job file.
    #[error("the idempotency key was used before, for another job file (request {existing_code})")]
    IdempotencyConflict {
        /// Code of the request that has the key.
        existing_code: String,
    },
    /// A request cannot take this step from where it stands.
    #[error("a request that is {from} cannot become {to}")]
    Transition {
        /// Where it stands.
        from: Status,
        /// Where it was to go.
        to: Status,
    },
    /// An approval names a plan that is not the request's plan (any more).
    #[error("the approval names another plan than the one to be approved")]
    OtherPlan,
}

impl LedgerError {
    /// Whether the same step in a new transaction may succeed.
    pub fn is_transient(&self) -> bool {
        matches!(self, LedgerError::Database(error) if error.is_transient())
    }

    /// Whether the request stands in the way of something else that was asked for (exit code 8).
    pub fn is_conflict(&self) -> bool {
        matches!(self, LedgerError::IdempotencyConflict { .. } | LedgerError::Transition { .. } | LedgerError::OtherPlan)
    }
}
