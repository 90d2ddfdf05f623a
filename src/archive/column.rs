//! What a column turned out to hold. The live catalogue says what it should hold; a data package may only declare what every value kept, so
//! each column is watched while its rows pass by.

use super::normal::{Normal, Value};
use super::table::ColumnSpec;
use crate::value::ColumnType;

/// A column under watch.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// What was said of it.
    pub(super) spec: ColumnSpec,
    /// Its name in both files.
    pub(super) name: String,
    /// Whether some value did not fit the declared type.
    unfit: bool,
    /// Whether something other than text was seen: JSON Lines then has no single type.
    not_only_text: bool,
    /// Whether a value was missing, or would be read as missing.
    pub(super) has_blanks: bool,
    /// NULs that CSV shows as a symbol.
    pub(super) nuls_replaced: u64,
    objects: bool,
    arrays: bool,
    other_json: bool,
    json_texts: bool,
}

/// How a data package declares a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Declared {
    pub(super) type_name: &'static str,
    pub(super) format: Option<&'static str>,
}

const fn declared(type_name: &'static str) -> Declared {
    Declared { type_name, format: None }
}

const fn formatted(type_name: &'static str, format: &'static str) -> Declared {
    Declared { type_name, format: Some(format) }
}

/// The only form in which an instant is declared as one.
pub(super) const INSTANT_FORMAT: &str = "%Y-%m-%dT%H:%M:%S.%fZ";
/// The only form in which a timestamp without zone is declared as one.
pub(super) const LOCAL_FORMAT: &str = "%Y-%m-%dT%H:%M:%S.%f";

impl Column {
    /// A column that has seen nothing.
    pub(super) fn new(spec: ColumnSpec, name: String) -> Column {
        Column {
            spec,
            name,
            unfit: false,
            not_only_text: false,
            has_blanks: false,
            nuls_replaced: 0,
            objects: false,
            arrays: false,
            other_json: false,
            json_texts: false,
        }
    }

    /// Takes note of a value.
    pub(super) fn watch(&mut self, normal: &Normal<'_>) {
        self.unfit |= !normal.fits;
        match normal.value {
            Value::Null => self.has_blanks = true,
            Value::Text(text) | Value::Coded(text) => self.has_blanks |= text.is_empty(),
            Value::Bool(_) | Value::Number { .. } => self.not_only_text = true,
            Value::Json(json) => {
                self.not_only_text = true;
                match json.as_bytes().first() {
                    Some(b'{') => self.objects = true,
                    Some(b'[') => self.arrays = true,
                    Some(b'"') => self.json_texts = true,
                    _ => self.other_json = true,
                }
            }
        }
    }

    /// Marks the column as holding something that its type does not allow.
    pub(super) fn mark_unfit(&mut self) {
        self.unfit = true;
    }

    /// Whether CSV cells of this column may be JSON texts, which compare raw with their twin.
    pub(super) fn holds_json(&self) -> bool {
        self.objects || self.arrays || self.other_json || self.json_texts
    }

    /// How the CSV declares it.
    pub(super) fn in_csv(&self) -> Declared {
        if self.unfit {
            return declared("string");
        }
        match self.spec.column_type {
            ColumnType::Integer => declared("integer"),
            ColumnType::Decimal | ColumnType::Float => declared("number"),
            ColumnType::Boolean => declared("boolean"),
            _ => self.textual(),
        }
    }

    /// How JSON Lines declares it: numbers and booleans are of any type there, because the wide ones are strings.
    pub(super) fn in_jsonl(&self) -> Declared {
        if self.unfit {
            return declared(if self.not_only_text { "any" } else { "string" });
        }
        match self.spec.column_type {
            ColumnType::Integer | ColumnType::Decimal | ColumnType::Float | ColumnType::Boolean => declared("any"),
            _ => self.textual(),
        }
    }

    fn textual(&self) -> Declared {
        match self.spec.column_type {
            ColumnType::TimestampUtc => formatted("datetime", INSTANT_FORMAT),
            ColumnType::TimestampLocal => formatted("datetime", LOCAL_FORMAT),
            ColumnType::Date => declared("date"),
            ColumnType::Time => declared("time"),
            ColumnType::Interval => declared("duration"),
            ColumnType::Uuid => formatted("string", "uuid"),
            ColumnType::Bytes => formatted("string", "binary"),
            ColumnType::Json | ColumnType::Array => match (self.objects, self.arrays, self.other_json || self.json_texts) {
                (true, false, false) => declared("object"),
                (false, true, false) => declared("array"),
                _ => declared("any"),
            },
            _ => declared("string"),
        }
    }
}

/// The type of a column in words, for the dictionary.
pub(super) fn type_in_words(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Integer => "whole number",
        ColumnType::Decimal => "decimal number",
        ColumnType::Float => "floating-point number",
        ColumnType::Boolean => "yes or no",
        ColumnType::Text => "text",
        ColumnType::TimestampUtc => "date and time",
        ColumnType::TimestampLocal => "date and time without zone",
        ColumnType::Date => "date",
        ColumnType::Time => "time of day",
        ColumnType::Interval => "length of time",
        ColumnType::Uuid => "identifier (UUID)",
        ColumnType::Json => "JSON",
        ColumnType::Bytes => "binary data (base64)",
        ColumnType::Array => "list (JSON)",
        ColumnType::Other => "text as the database prints it",
    }
}
