//! From database records to keys and cells. What cannot be decoded is an error that names its place, never a blank (X-1).

use std::borrow::Cow;

use serde_json::value::RawValue;
use thiserror::Error;

use super::{Column, Location};
use crate::db::{DbError, Record, Stored};
use crate::value::{Cell, ColumnType, Key, KeyPart};

/// A value that cannot be carried over.
#[derive(Debug, Error)]
pub enum DecodeError {
    /// The database or its driver.
    #[error(transparent)]
    Database(#[from] DbError),
    /// One value of one row; the row is named by its position in key order, because its key may be personal data.
    #[error("`{table}`.`{column}`, row {row}: {problem}")]
    Value {
        /// Table.
        table: String,
        /// Column.
        column: String,
        /// Position of the row in key order, from 1.
        row: u64,
        /// What is wrong.
        problem: String,
    },
}

/// The key parts `k1…` of a record, which stand first in it.
pub fn key(record: &Record, width: usize) -> Result<Key, DbError> {
    (0..width).map(|at| record.key_part_at(at)).collect()
}

/// A key part as the text by which a hold names it.
pub fn key_text(part: &KeyPart) -> String {
    match part {
        KeyPart::Null => String::new(),
        KeyPart::Int(value) => value.to_string(),
        KeyPart::Real(bits) => f64::from_bits(*bits).to_string(),
        KeyPart::Text(text) => text.clone(),
        KeyPart::Blob(bytes) => crate::crypto::hex(bytes),
    }
}

/// The cells of one row for the archive, in the order of `columns`. `row` counts from 1.
pub fn cells<'r>(record: &'r Record, location: &Location, columns: &[Column], row: u64) -> Result<Vec<Cell<'r>>, DecodeError> {
    let refuse = |column: &str, problem: String| DecodeError::Value {
        table: location.table.name.name.clone(),
        column: column.to_owned(),
        row,
        problem,
    };
    match record {
        Record::Sqlite(_) => columns
            .iter()
            .enumerate()
            .map(|(at, column)| {
                record
                    .stored_at(at)
                    .map(|stored| sqlite_cell(stored, column))
                    .map_err(|error| refuse(&column.name, error.to_string()))
            })
            .collect(),
        Record::MySql(_) => columns
            .iter()
            .enumerate()
            .map(|(at, column)| mysql_cell(record, at, column).map_err(|problem| refuse(&column.name, problem)))
            .collect(),
        Record::Postgres(_) => {
            let text = record.text_at(0).map_err(|error| refuse("(row)", error.to_string()))?.unwrap_or("{}");
            let fields = split_object(text).ok_or_else(|| refuse("(row)", "the row's JSON text cannot be read".into()))?;
            if fields.len() != columns.len() {
                return Err(refuse("(row)", format!("{} values for {} columns", fields.len(), columns.len())));
            }
            fields
                .into_iter()
                .zip(columns)
                .map(|(raw, column)| postgres_cell(raw, column).map_err(|problem| refuse(&column.name, problem)))
                .collect()
        }
    }
}

fn sqlite_cell<'r>(stored: Stored<'r>, column: &Column) -> Cell<'r> {
    match stored {
        Stored::Null => Cell::Null,
        Stored::Int(value) if column.column_type == ColumnType::Boolean && (value == 0 || value == 1) => Cell::Bool(value == 1),
        Stored::Int(value) => Cell::Number(Cow::Owned(value.to_string())),
        Stored::Real(value) => Cell::Number(Cow::Owned(real_text(value))),
        Stored::Text(text) if column.column_type == ColumnType::Json => json_or_text(text),
        Stored::Text(text) => Cell::Text(Cow::Borrowed(text)),
        Stored::Blob(bytes) => Cell::Bytes(Cow::Borrowed(bytes)),
    }
}

/// MySQL sends every value as text, bytes as they are. A float of 32 bits comes as the double that it is, and is told by the shortest number
/// that reads back as the same float.
fn mysql_cell<'r>(record: &'r Record, at: usize, column: &Column) -> Result<Cell<'r>, String> {
    let failed = |error: DbError| error.to_string();
    if column.column_type == ColumnType::Bytes {
        return Ok(record.raw_at(at).map_err(failed)?.map_or(Cell::Null, |bytes| Cell::Bytes(Cow::Borrowed(bytes))));
    }
    let Some(text) = record.text_at(at).map_err(failed)? else { return Ok(Cell::Null) };
    Ok(match column.column_type {
        ColumnType::Boolean if text == "0" || text == "1" => Cell::Bool(text == "1"),
        ColumnType::Float if column.declared_type.starts_with("float") => {
            let double: f64 = text.parse().map_err(|_| "a float that is no number".to_owned())?;
            Cell::Number(Cow::Owned((double as f32).to_string()))
        }
        ColumnType::Boolean | ColumnType::Integer | ColumnType::Decimal | ColumnType::Float => Cell::Number(Cow::Borrowed(text)),
        ColumnType::Json => json_or_text(text),
        // The session's time zone is UTC; a date of zeros is no instant anywhere.
        ColumnType::TimestampUtc if !text.starts_with("0000") => Cell::Text(Cow::Owned(format!("{text}+00:00"))),
        _ => Cell::Text(Cow::Borrowed(text)),
    })
}

/// Text in a JSON column may be anything in SQLite: what is not JSON stays text.
fn json_or_text(text: &str) -> Cell<'_> {
    if serde_json::from_str::<&RawValue>(text).is_ok() { Cell::Json(Cow::Borrowed(text)) } else { Cell::Text(Cow::Borrowed(text)) }
}

fn real_text(value: f64) -> String {
    match value {
        v if v.is_nan() => "NaN".into(),
        v if v == f64::INFINITY => "Infinity".into(),
        v if v == f64::NEG_INFINITY => "-Infinity".into(),
        // The shortest text that reads back as the same number; whole reals keep their point.
        v if v.fract() == 0.0 && v.abs() < 1e15 => format!("{v:.1}"),
        v => format!("{v}"),
    }
}

/// The values of a flat JSON object in their order, raw. PostgreSQL writes the columns in the order of the query and never twice.
fn split_object(text: &str) -> Option<Vec<&RawValue>> {
    struct Values<'a>(Vec<&'a RawValue>);
    impl<'de: 'a, 'a> serde::Deserialize<'de> for Values<'a> {
        fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            struct Visitor<'a>(std::marker::PhantomData<&'a ()>);
            impl<'de: 'a, 'a> serde::de::Visitor<'de> for Visitor<'a> {
                type Value = Values<'a>;
                fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                    formatter.write_str("an object")
                }
                fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<Values<'a>, A::Error> {
                    let mut values = Vec::with_capacity(16);
                    while map.next_key::<serde::de::IgnoredAny>()?.is_some() {
                        values.push(map.next_value::<&'de RawValue>()?);
                    }
                    Ok(Values(values))
                }
            }
            deserializer.deserialize_map(Visitor(std::marker::PhantomData))
        }
    }
    serde_json::from_str::<Values<'_>>(text).ok().map(|values| values.0)
}

fn postgres_cell<'r>(raw: &'r RawValue, column: &Column) -> Result<Cell<'r>, String> {
    let text = raw.get();
    if text == "null" && column.column_type != ColumnType::Json {
        return Ok(Cell::Null);
    }
    match column.column_type {
        ColumnType::Json | ColumnType::Array if text == "null" => Ok(Cell::Null),
        ColumnType::Json | ColumnType::Array => Ok(Cell::Json(Cow::Borrowed(text))),
        ColumnType::Boolean => match text {
            "true" => Ok(Cell::Bool(true)),
            "false" => Ok(Cell::Bool(false)),
            _ => unquoted(raw).map(Cell::Text),
        },
        ColumnType::Integer | ColumnType::Decimal | ColumnType::Float => {
            // NaN and the infinities arrive as strings.
            if text.starts_with('"') { unquoted(raw).map(Cell::Number) } else { Ok(Cell::Number(Cow::Borrowed(text))) }
        }
        ColumnType::Bytes => {
            let hex = unquoted(raw)?;
            let digits = hex.strip_prefix("\\x").ok_or("bytes that do not start with \\x")?;
            crate::crypto::unhex(digits)
                .map(|bytes| Cell::Bytes(Cow::Owned(bytes)))
                .ok_or_else(|| "bytes that are not hex".to_owned())
        }
        _ if text.starts_with('"') => unquoted(raw).map(Cell::Text),
        // Composite and other structured values print as JSON.
        _ => Ok(Cell::Json(Cow::Borrowed(text))),
    }
}

/// The string inside a JSON string: borrowed when nothing in it is escaped.
fn unquoted(raw: &RawValue) -> Result<Cow<'_, str>, String> {
    let text = raw.get();
    if let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'))
        && !inner.contains('\\')
    {
        return Ok(Cow::Borrowed(inner));
    }
    serde_json::from_str::<String>(text).map(Cow::Owned).map_err(|_| "a string that cannot be read".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(column_type: ColumnType) -> Column {
        Column::new("c", "x", column_type)
    }

    #[test]
    fn numbers_pass_without_a_float() {
        let fields = split_object(r#"{"a":12345678901234567890.1234567890,"a":"NaN"}"#).unwrap();
        let decimal = column(ColumnType::Decimal);
        assert!(matches!(postgres_cell(fields[0], &decimal), Ok(Cell::Number(text)) if text == "12345678901234567890.1234567890"));
        assert!(matches!(postgres_cell(fields[1], &decimal), Ok(Cell::Number(text)) if text == "NaN"));
    }

    #[test]
    fn x_1_bytes_that_cannot_be_decoded_are_an_error_and_not_a_blank() {
        let fields = split_object(r#"{"a":"\\xzz"}"#).unwrap();
        assert!(postgres_cell(fields[0], &column(ColumnType::Bytes)).is_err());
    }

    #[test]
    fn json_keeps_duplicate_keys_and_order() {
        let fields = split_object(r#"{"j":{"b": 1,"a":2,"b":3},"t":"x\ny"}"#).unwrap();
        assert!(
            matches!(postgres_cell(fields[0], &column(ColumnType::Json)), Ok(Cell::Json(text)) if text == r#"{"b": 1,"a":2,"b":3}"#)
        );
        assert!(matches!(postgres_cell(fields[1], &column(ColumnType::Text)), Ok(Cell::Text(text)) if text == "x\ny"));
    }
}
