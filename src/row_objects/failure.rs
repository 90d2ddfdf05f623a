//! Why nothing can be said of the rows of an object: the store would not give it, or what it gave is not what the map says.

use thiserror::Error;

use crate::connector::objects::StoreError;
use crate::rows::{MatcherError, RowsError};

/// Why the rows of an object were not looked at, or not taken out.
#[derive(Debug, Error)]
pub enum RowsFailure {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The content.
    #[error(transparent)]
    Rows(#[from] RowsError),
    /// What is looked for.
    #[error(transparent)]
    Names(#[from] MatcherError),
    /// The thread that read it ended without an answer.
    #[error("the reading ended without an answer")]
    Stopped,
    /// This program was built without it.
    #[cfg(not(feature = "parquet"))]
    #[error("this program was built without Parquet (feature `parquet`)")]
    NotBuilt,
}

impl RowsFailure {
    /// Whether another try may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            RowsFailure::Store(problem) => problem.is_transient(),
            RowsFailure::Stopped => true,
            _ => false,
        }
    }

    /// The same as what a store says, for callers that know only stores. Final unless the store itself is asked again later.
    pub fn into_store_error(self) -> StoreError {
        match self {
            RowsFailure::Store(problem) => problem,
            RowsFailure::Stopped => StoreError::Lost,
            RowsFailure::Rows(RowsError::Write(error)) => StoreError::file("write the new object", &error),
            _ => StoreError::Contradiction("an object with rows is not what it was when the plan was made"),
        }
    }
}
