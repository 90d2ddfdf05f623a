//! Errors of the Parquet library as ours. Its messages may quote values, so none is passed on: only what was being done, and where.

use std::io;

use parquet::errors::ParquetError;

use super::super::RowsError;

/// Makes an error out of what the library says.
pub(super) fn unreadable(doing: impl Into<String>) -> impl FnOnce(ParquetError) -> RowsError {
    move |error| {
        let problem = match error {
            ParquetError::NYI(_) => "it uses a feature that is not supported",
            ParquetError::EOF(_) | ParquetError::NeedMoreData(_) | ParquetError::NeedMoreDataRange(_) => "it ends too early",
            ParquetError::External(error) => match error.downcast::<io::Error>() {
                Ok(error) => return RowsError::Read { codec: "Parquet", error: *error },
                Err(_) => "it is damaged",
            },
            _ => "it is damaged",
        };
        RowsError::Parquet { doing: doing.into(), problem }
    }
}

/// The same for writing, where an error is the output's.
pub(super) fn unwritable(error: ParquetError) -> RowsError {
    match error {
        ParquetError::External(error) => match error.downcast::<io::Error>() {
            Ok(error) => RowsError::Write(*error),
            Err(_) => RowsError::Stopped("writer"),
        },
        _ => RowsError::Parquet { doing: "written".to_owned(), problem: "its parts do not fit together" },
    }
}

/// Something in the file contradicts itself.
pub(super) fn damaged(doing: impl Into<String>) -> RowsError {
    RowsError::Parquet { doing: doing.into(), problem: "it is damaged" }
}
