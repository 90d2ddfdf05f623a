//! One row of a result, read by column name.

use sqlx::{Row, TypeInfo, ValueRef};

use super::DbError;
use crate::value::KeyPart;

/// A row from either database. Getters fail when the column is absent or of another type; `opt_*` maps NULL to `None`.
pub enum Record {
    /// From SQLite.
    Sqlite(sqlx::sqlite::SqliteRow),
    /// From PostgreSQL.
    Postgres(sqlx::postgres::PgRow),
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $opt:ident, $type:ty) => {
        $(#[$doc])*
        pub fn $name(&self, column: &str) -> Result<$type, DbError> {
            match self {
                Record::Sqlite(row) => row.try_get::<$type, _>(column).map_err(DbError::from),
                Record::Postgres(row) => row.try_get::<$type, _>(column).map_err(DbError::from),
            }
        }

        /// The same, with NULL as `None`.
        pub fn $opt(&self, column: &str) -> Result<Option<$type>, DbError> {
            match self {
                Record::Sqlite(row) => row.try_get::<Option<$type>, _>(column).map_err(DbError::from),
                Record::Postgres(row) => row.try_get::<Option<$type>, _>(column).map_err(DbError::from),
            }
        }
    };
}

impl Record {
    getter!(
        /// A 64-bit integer (BIGINT; SQLite INTEGER).
        int, opt_int, i64
    );
    getter!(
        /// Text.
        text, opt_text, String
    );
    getter!(
        /// Bytes.
        bytes, opt_bytes, Vec<u8>
    );

    /// A flag stored as 0 or 1, or a PostgreSQL boolean.
    pub fn flag(&self, column: &str) -> Result<bool, DbError> {
        match self {
            Record::Sqlite(row) => Ok(row.try_get::<i64, _>(column)? != 0),
            Record::Postgres(row) => match row.try_get::<bool, _>(column) {
                Ok(value) => Ok(value),
                Err(_) => Ok(row.try_get::<i64, _>(column)? != 0),
            },
        }
    }

    /// An instant stored as microseconds since the epoch.
    pub fn instant(&self, column: &str) -> Result<jiff::Timestamp, DbError> {
        to_instant(column, self.int(column)?)
    }

    /// An instant or NULL.
    pub fn opt_instant(&self, column: &str) -> Result<Option<jiff::Timestamp>, DbError> {
        self.opt_int(column)?.map(|micros| to_instant(column, micros)).transpose()
    }

    /// Borrowed text of a column by position, NULL as `None`: for wide streams where a copy per value would count.
    pub fn text_at(&self, index: usize) -> Result<Option<&str>, DbError> {
        match self {
            Record::Sqlite(row) => Ok(row.try_get::<Option<&str>, _>(index)?),
            Record::Postgres(row) => Ok(row.try_get::<Option<&str>, _>(index)?),
        }
    }

    /// The bytes of a text or binary column by position, NULL as `None`. Text that is not valid UTF-8 is not refused, and a number
    /// in a SQLite column gives its decimal digits: what searches must be able to look at every value.
    pub fn raw_at(&self, index: usize) -> Result<Option<&[u8]>, DbError> {
        match self {
            Record::Sqlite(row) => Ok(row.try_get_unchecked::<Option<&[u8]>, _>(index)?),
            Record::Postgres(row) => Ok(row.try_get_unchecked::<Option<&[u8]>, _>(index)?),
        }
    }

    /// Part of a key by position. PostgreSQL keys are selected as text; a SQLite key keeps the storage class of its value.
    pub fn key_part_at(&self, index: usize) -> Result<KeyPart, DbError> {
        match self {
            Record::Postgres(row) => Ok(row.try_get::<Option<String>, _>(index)?.map_or(KeyPart::Null, KeyPart::Text)),
            Record::Sqlite(row) => {
                let class = row.try_get_raw(index)?.type_info().name().to_owned();
                Ok(match class.as_str() {
                    "INTEGER" => KeyPart::Int(row.try_get_unchecked(index)?),
                    "REAL" => KeyPart::Real(row.try_get_unchecked::<f64, _>(index)?.to_bits()),
                    "TEXT" => KeyPart::Text(row.try_get_unchecked(index)?),
                    "BLOB" => KeyPart::Blob(row.try_get_unchecked(index)?),
                    _ => KeyPart::Null,
                })
            }
        }
    }
}

/// A value of SQLite as it is stored: each row may hold another class.
#[derive(Clone, Copy)]
pub enum Stored<'r> {
    /// NULL.
    Null,
    /// INTEGER.
    Int(i64),
    /// REAL.
    Real(f64),
    /// TEXT that is valid UTF-8.
    Text(&'r str),
    /// BLOB, or TEXT that is not valid UTF-8.
    Blob(&'r [u8]),
}

impl Record {
    /// The value at a position by its storage class. A PostgreSQL column is read as text.
    pub fn stored_at(&self, index: usize) -> Result<Stored<'_>, DbError> {
        let row = match self {
            Record::Postgres(_) => return Ok(self.text_at(index)?.map_or(Stored::Null, Stored::Text)),
            Record::Sqlite(row) => row,
        };
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Stored::Null);
        }
        let class = raw.type_info().to_string();
        match class.as_str() {
            "INTEGER" | "BOOLEAN" => Ok(Stored::Int(row.try_get_unchecked(index)?)),
            "REAL" => Ok(Stored::Real(row.try_get_unchecked(index)?)),
            "BLOB" => Ok(Stored::Blob(row.try_get_unchecked(index)?)),
            _ => match row.try_get_unchecked::<&str, _>(index) {
                Ok(text) => Ok(Stored::Text(text)),
                Err(_) => Ok(Stored::Blob(row.try_get_unchecked(index)?)),
            },
        }
    }
}

fn to_instant(column: &str, micros: i64) -> Result<jiff::Timestamp, DbError> {
    jiff::Timestamp::from_microsecond(micros)
        .map_err(|_| DbError::Column { column: column.to_owned(), problem: "is not an instant".into() })
}
