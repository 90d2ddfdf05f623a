//! The normal form of a cell: what it is, apart from how CSV, JSON Lines or a page spell it. Every encoder writes from the same [`Value`],
//! which is why the twins cannot drift apart. A value that does not fit the type of its column is never bent: it is carried as the source
//! prints it, and the column is declared as text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::number::{self, NumberKind};
use super::timestamp;
use crate::value::{Cell, ColumnType};

/// A cell, ready to be spelled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    /// SQL NULL.
    Null,
    /// A boolean.
    Bool(bool),
    /// A number in plain digits.
    Number {
        /// Its digits.
        text: &'a str,
        /// Whether JSON has to carry it as a string.
        quoted_in_json: bool,
    },
    /// Text of any kind. Spreadsheets must not take it for a formula.
    Text(&'a str),
    /// Text that needs no guard against formulas: base64, or the path of a file of this archive.
    Coded(&'a str),
    /// Valid JSON without whitespace between its tokens.
    Json(&'a str),
}

/// A normal form, and whether it fits the declared type of the column.
pub(super) struct Normal<'a> {
    pub(super) value: Value<'a>,
    pub(super) fits: bool,
}

/// Normalises a cell for a column of the given type. Bytes outside a column of bytes are the caller's business; here they become base64.
pub(super) fn normalise<'a>(cell: &'a Cell<'_>, column_type: ColumnType, scratch: &'a mut String) -> Normal<'a> {
    if column_type == ColumnType::Bytes {
        return as_base64(cell, scratch);
    }
    match cell {
        Cell::Null => fitting(Value::Null),
        Cell::Bool(value) => Normal { value: Value::Bool(*value), fits: column_type == ColumnType::Boolean },
        Cell::Number(text) => number(text, column_type, scratch),
        Cell::Json(text) => match compact(text, scratch) {
            Some(json) => Normal { value: Value::Json(json), fits: matches!(column_type, ColumnType::Json | ColumnType::Array) },
            None => Normal { value: Value::Text(text), fits: false },
        },
        Cell::Text(text) => self::text(text, column_type, scratch),
        Cell::Bytes(bytes) => {
            scratch.clear();
            STANDARD.encode_string(bytes, scratch);
            Normal { value: Value::Coded(scratch), fits: false }
        }
    }
}

fn fitting(value: Value<'_>) -> Normal<'_> {
    Normal { value, fits: true }
}

fn as_base64<'a>(cell: &'a Cell<'_>, scratch: &'a mut String) -> Normal<'a> {
    let bytes: &[u8] = match cell {
        Cell::Null => return fitting(Value::Null),
        Cell::Bytes(bytes) => bytes,
        Cell::Text(text) | Cell::Number(text) | Cell::Json(text) => text.as_bytes(),
        Cell::Bool(true) => b"true",
        Cell::Bool(false) => b"false",
    };
    scratch.clear();
    STANDARD.encode_string(bytes, scratch);
    fitting(Value::Coded(scratch))
}

fn number<'a>(text: &'a str, column_type: ColumnType, scratch: &'a mut String) -> Normal<'a> {
    // SQLite has no booleans of its own: a column declared so holds 0 and 1.
    if column_type == ColumnType::Boolean && matches!(text, "0" | "1") {
        return fitting(Value::Bool(text == "1"));
    }
    let Some((text, kind)) = number::plain(text, scratch) else {
        return Normal { value: Value::Text(text), fits: false };
    };
    let whole = matches!(kind, NumberKind::SafeWhole | NumberKind::WideWhole);
    let quoted_in_json = match kind {
        NumberKind::SafeWhole => column_type == ColumnType::Decimal,
        NumberKind::Fraction => column_type != ColumnType::Float,
        NumberKind::WideWhole | NumberKind::NotFinite => true,
    };
    let fits = match column_type {
        ColumnType::Integer => whole,
        ColumnType::Decimal | ColumnType::Float => true,
        _ => false,
    };
    Normal { value: Value::Number { text, quoted_in_json }, fits }
}

fn text<'a>(text: &'a str, column_type: ColumnType, scratch: &'a mut String) -> Normal<'a> {
    scratch.clear();
    let fits = match column_type {
        ColumnType::Text | ColumnType::Other => true,
        ColumnType::TimestampUtc if timestamp::instant(text, scratch) => return fitting(Value::Text(scratch)),
        ColumnType::TimestampLocal if timestamp::local(text, scratch) => return fitting(Value::Text(scratch)),
        ColumnType::Uuid if is_uuid(text) => {
            scratch.extend(text.chars().map(|c| c.to_ascii_lowercase()));
            return fitting(Value::Text(scratch));
        }
        ColumnType::Date => timestamp::is_date(text),
        ColumnType::Time => timestamp::is_time(text),
        ColumnType::Interval => is_duration(text),
        _ => false,
    };
    Normal { value: Value::Text(text), fits }
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a text is an ISO 8601 duration of whole parts, which is what every reader agrees on.
fn is_duration(text: &str) -> bool {
    let Some(body) = text.strip_prefix('P') else { return false };
    let (days, time) = match body.split_once('T') {
        Some((_, "")) => return false,
        Some((days, time)) => (days, time),
        None => (body, ""),
    };
    !body.is_empty() && has_parts(days, "YMWD") && has_parts(time, "HMS")
}

fn has_parts(mut text: &str, units: &str) -> bool {
    for unit in units.chars() {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 0
            && let Some(rest) = text[digits..].strip_prefix(unit)
        {
            text = rest;
        }
    }
    text.is_empty()
}

/// Valid JSON with the whitespace between its tokens taken out; `None` if the text is no JSON. Digits, key order, duplicate keys and
/// escapes stay as they are.
fn compact<'a>(text: &'a str, scratch: &'a mut String) -> Option<&'a str> {
    serde_json::from_str::<serde::de::IgnoredAny>(text).ok()?;
    let mut in_string = false;
    let mut escaped = false;
    scratch.clear();
    let mut clean_from = 0;
    for (place, byte) in text.bytes().enumerate() {
        if in_string {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => in_string = false,
                _ => {}
            }
        } else if byte == b'"' {
            in_string = true;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            scratch.push_str(&text[clean_from..place]);
            clean_from = place + 1;
        }
    }
    if clean_from == 0 {
        return Some(text);
    }
    scratch.push_str(&text[clean_from..]);
    Some(scratch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(cell: Cell<'_>, column_type: ColumnType, look: impl FnOnce(Value<'_>, bool) -> T) -> T {
        let mut scratch = String::new();
        let normal = normalise(&cell, column_type, &mut scratch);
        look(normal.value, normal.fits)
    }

    #[test]
    fn json_loses_only_the_whitespace_between_tokens() {
        with(Cell::Json("{ \"a b\" : [1.50, \"x \\\" y\"] ,\n\"a b\":null}".into()), ColumnType::Json, |value, fits| {
            assert_eq!(value, Value::Json("{\"a b\":[1.50,\"x \\\" y\"],\"a b\":null}"));
            assert!(fits);
        });
    }

    #[test]
    fn what_claims_to_be_json_and_is_not_becomes_text() {
        with(Cell::Json("{broken".into()), ColumnType::Json, |value, fits| {
            assert_eq!(value, Value::Text("{broken"));
            assert!(!fits);
        });
    }

    #[test]
    fn a_value_that_does_not_fit_its_column_is_not_bent() {
        with(Cell::Text("0000-00-00".into()), ColumnType::Date, |value, fits| {
            assert_eq!(value, Value::Text("0000-00-00"));
            assert!(!fits);
        });
        with(Cell::Number("1.5".into()), ColumnType::Integer, |value, fits| {
            assert_eq!(value, Value::Number { text: "1.5", quoted_in_json: true });
            assert!(!fits);
        });
    }

    #[test]
    fn decimals_are_strings_in_json_and_doubles_are_numbers() {
        let quoted = |text: &'static str, column_type| {
            with(Cell::Number(text.into()), column_type, |value, _| match value {
                Value::Number { quoted_in_json, .. } => quoted_in_json,
                other => panic!("{other:?}"),
            })
        };
        assert!(quoted("5", ColumnType::Decimal));
        assert!(quoted("5.10", ColumnType::Decimal));
        assert!(!quoted("5.1", ColumnType::Float));
        assert!(quoted("NaN", ColumnType::Float));
        assert!(!quoted("9007199254740991", ColumnType::Integer));
        assert!(quoted("9007199254740992", ColumnType::Integer));
    }

    #[test]
    fn zero_and_one_of_a_boolean_column_are_booleans() {
        with(Cell::Number("1".into()), ColumnType::Boolean, |value, fits| assert!(value == Value::Bool(true) && fits));
        with(Cell::Number("2".into()), ColumnType::Boolean, |_, fits| assert!(!fits));
    }

    #[test]
    fn uuids_are_lower_case() {
        with(Cell::Text("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11".into()), ColumnType::Uuid, |value, fits| {
            assert_eq!(value, Value::Text("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"));
            assert!(fits);
        });
    }

    #[test]
    fn durations_of_whole_parts_are_durations() {
        for text in ["P1Y2M3DT4H5M6S", "PT0S", "P3W", "P1D", "PT15M"] {
            assert!(is_duration(text), "{text}");
        }
        for text in ["P", "PT", "P-1D", "1 day", "P1DT", "PT1.5S", "P1S"] {
            assert!(!is_duration(text), "{text}");
        }
    }

    #[test]
    fn text_in_a_column_of_bytes_is_carried_as_its_bytes() {
        with(Cell::Text("abc".into()), ColumnType::Bytes, |value, fits| assert!(value == Value::Coded("YWJj") && fits));
    }
}
