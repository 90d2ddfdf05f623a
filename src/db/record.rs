//! One row of a result, read by column name.

use sqlx::mysql::MySqlRow;
use sqlx::{ColumnIndex, Row, TypeInfo, ValueRef};

use super::DbError;
use crate::value::KeyPart;

/// A row from any of the databases. Getters fail when the column is absent or of another type; `opt_*` maps NULL to `None`.
pub enum Record {
    /// From SQLite.
    Sqlite(sqlx::sqlite::SqliteRow),
    /// From PostgreSQL.
    Postgres(sqlx::postgres::PgRow),
    /// From MySQL or MariaDB.
    MySql(MySqlRow),
}

/// Text of a MySQL column: what the server sends is UTF-8, also where it calls it bytes (a text that was cast to be compared bytewise).
fn mysql_text<I>(row: &MySqlRow, column: I) -> Result<Option<&str>, sqlx::Error>
where
    I: ColumnIndex<MySqlRow>,
{
    row.try_get_unchecked::<Option<&str>, _>(column)
}

/// A whole number of a MySQL column: sums are decimals there, and many counters are unsigned.
fn mysql_int<I>(row: &MySqlRow, column: I) -> Result<Option<i64>, sqlx::Error>
where
    I: ColumnIndex<MySqlRow> + Copy + std::fmt::Display,
{
    let raw = row.try_get_raw(column)?;
    if raw.is_null() {
        return Ok(None);
    }
    let kind = raw.type_info().name().to_owned();
    let refuse = |source| sqlx::Error::ColumnDecode { index: column.to_string(), source };
    if kind.ends_with("INT UNSIGNED") || kind == "BIT" || kind == "YEAR" {
        let number = row.try_get_unchecked::<u64, _>(column)?;
        return i64::try_from(number).map(Some).map_err(|error| refuse(error.into()));
    }
    if kind.ends_with("INT") || kind == "BOOLEAN" {
        return row.try_get_unchecked::<i64, _>(column).map(Some);
    }
    let text = row.try_get_unchecked::<&str, _>(column)?;
    text.parse().map(Some).map_err(|error: std::num::ParseIntError| refuse(error.into()))
}

fn present<T>(column: &str, value: Option<T>) -> Result<T, DbError> {
    value.ok_or_else(|| DbError::Column { column: column.to_owned(), problem: "is NULL".into() })
}

macro_rules! getter {
    ($(#[$doc:meta])* $name:ident, $opt:ident, $type:ty, $mysql:expr) => {
        $(#[$doc])*
        pub fn $name(&self, column: &str) -> Result<$type, DbError> {
            match self {
                Record::Sqlite(row) => row.try_get::<$type, _>(column).map_err(DbError::from),
                Record::Postgres(row) => row.try_get::<$type, _>(column).map_err(DbError::from),
                Record::MySql(row) => present(column, $mysql(row, column)?),
            }
        }

        /// The same, with NULL as `None`.
        pub fn $opt(&self, column: &str) -> Result<Option<$type>, DbError> {
            match self {
                Record::Sqlite(row) => row.try_get::<Option<$type>, _>(column).map_err(DbError::from),
                Record::Postgres(row) => row.try_get::<Option<$type>, _>(column).map_err(DbError::from),
                Record::MySql(row) => Ok($mysql(row, column)?),
            }
        }
    };
}

impl Record {
    getter!(
        /// A 64-bit integer (BIGINT; SQLite INTEGER).
        int, opt_int, i64, mysql_int
    );
    getter!(
        /// Text.
        text, opt_text, String, |row, column| mysql_text(row, column).map(|text| text.map(str::to_owned))
    );
    getter!(
        /// Bytes.
        bytes, opt_bytes, Vec<u8>, |row: &MySqlRow, column| row.try_get_unchecked::<Option<Vec<u8>>, _>(column)
    );

    /// A flag stored as 0 or 1, or a PostgreSQL boolean.
    pub fn flag(&self, column: &str) -> Result<bool, DbError> {
        match self {
            Record::Sqlite(row) => Ok(row.try_get::<i64, _>(column)? != 0),
            Record::Postgres(row) => match row.try_get::<bool, _>(column) {
                Ok(value) => Ok(value),
                Err(_) => Ok(row.try_get::<i64, _>(column)? != 0),
            },
            Record::MySql(row) => Ok(present(column, mysql_int(row, column)?)? != 0),
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
            Record::MySql(row) => Ok(mysql_text(row, index)?),
        }
    }

    /// The bytes of a text or binary column by position, NULL as `None`. Text that is not valid UTF-8 is not refused, and a number
    /// in a SQLite column gives its decimal digits: what searches must be able to look at every value.
    pub fn raw_at(&self, index: usize) -> Result<Option<&[u8]>, DbError> {
        match self {
            Record::Sqlite(row) => Ok(row.try_get_unchecked::<Option<&[u8]>, _>(index)?),
            Record::Postgres(row) => Ok(row.try_get_unchecked::<Option<&[u8]>, _>(index)?),
            Record::MySql(row) => Ok(row.try_get_unchecked::<Option<&[u8]>, _>(index)?),
        }
    }

    /// Part of a key by position. PostgreSQL and MySQL keys are selected as text, bytes of MySQL as they are; a SQLite key keeps the storage
    /// class of its value.
    pub fn key_part_at(&self, index: usize) -> Result<KeyPart, DbError> {
        match self {
            Record::Postgres(row) => Ok(row.try_get::<Option<String>, _>(index)?.map_or(KeyPart::Null, KeyPart::Text)),
            Record::MySql(row) => {
                let Some(bytes) = row.try_get_unchecked::<Option<&[u8]>, _>(index)? else { return Ok(KeyPart::Null) };
                let raw = row.try_get_raw(index)?;
                let kind = raw.type_info();
                // The driver's name of the type will not do: it calls every text bytes whose collation compares bytes.
                let is_text = <str as sqlx::Type<sqlx::MySql>>::compatible(&kind);
                if <[u8] as sqlx::Type<sqlx::MySql>>::compatible(&kind) && !is_text {
                    return Ok(KeyPart::Blob(bytes.to_vec()));
                }
                mysql_text(row, index)
                    .map(|text| text.map_or(KeyPart::Null, |text| KeyPart::Text(text.to_owned())))
                    .map_err(DbError::from)
            }
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
    /// The value at a position by its storage class. Columns of PostgreSQL and MySQL are read as text.
    pub fn stored_at(&self, index: usize) -> Result<Stored<'_>, DbError> {
        let row = match self {
            Record::Postgres(_) | Record::MySql(_) => return Ok(self.text_at(index)?.map_or(Stored::Null, Stored::Text)),
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
