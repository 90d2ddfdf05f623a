//! Values on their way from a source to an archive, without passing through floats: a number is its decimal text, a timestamp is its
//! ISO text. Also the types that a column may have, in words that every database shares.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

/// What a column holds, as the live catalogue tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnType {
    /// Whole numbers of any width.
    Integer,
    /// Exact decimals.
    Decimal,
    /// Binary floating point.
    Float,
    /// True or false.
    Boolean,
    /// Text of any kind (char, varchar, text, citext, enum).
    Text,
    /// An instant (timestamp with time zone).
    TimestampUtc,
    /// A timestamp without zone.
    TimestampLocal,
    /// A calendar date.
    Date,
    /// A time of day.
    Time,
    /// A length of time, ISO 8601.
    Interval,
    /// A UUID, lower case.
    Uuid,
    /// JSON.
    Json,
    /// Bytes.
    Bytes,
    /// Arrays: carried as JSON.
    Array,
    /// Anything else: carried as the text that the database prints (ranges, inet, money, bit, xml, …).
    Other,
}

impl ColumnType {
    /// Whether a mask that writes text fits, and whether the residue scan reads the column as text.
    pub fn is_text_like(self) -> bool {
        matches!(self, ColumnType::Text)
    }

    /// Whether a column of this type can hold JSON: applications keep it in text columns as well.
    pub fn may_hold_json(self) -> bool {
        matches!(self, ColumnType::Json | ColumnType::Text)
    }
}

/// One value of one row.
#[derive(Clone, PartialEq)]
pub enum Cell<'a> {
    /// SQL NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number as the database writes it: `-12`, `0.10`, `1e-7`, or `NaN`, `Infinity`, `-Infinity`.
    Number(Cow<'a, str>),
    /// Text, and everything that is carried as text (dates, UUIDs, ranges).
    Text(Cow<'a, str>),
    /// JSON exactly as stored.
    Json(Cow<'a, str>),
    /// Bytes, also text that is not valid UTF-8.
    Bytes(Cow<'a, [u8]>),
}

impl std::fmt::Debug for Cell<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Cell::Null => "Null",
            Cell::Bool(_) => "Bool(..)",
            Cell::Number(_) => "Number(..)",
            Cell::Text(_) => "Text(..)",
            Cell::Json(_) => "Json(..)",
            Cell::Bytes(_) => "Bytes(..)",
        })
    }
}

/// Part of a primary key as it lies in the manifest. PostgreSQL keys are all text (its own output form, which reads back exactly);
/// SQLite keys keep the storage class of the value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KeyPart {
    /// NULL: possible only in SQLite keys of legacy tables.
    Null,
    /// SQLite INTEGER.
    Int(i64),
    /// SQLite REAL by its bits, so that it compares exactly.
    Real(u64),
    /// Text.
    Text(String),
    /// SQLite BLOB.
    Blob(Vec<u8>),
}

impl std::fmt::Debug for KeyPart {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("KeyPart(..)")
    }
}

/// A whole primary key, in the order of its columns.
pub type Key = Vec<KeyPart>;
