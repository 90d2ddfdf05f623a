//! One value for people: days with the name of their month, yes and no, a dash for nothing, and files as links. What is too long is cut with
//! a note; the CSV beside the page has all of it.

use std::fmt::Write as _;

use super::escape::push_text;
use crate::archive::files::FILE_PREFIX;
use crate::archive::normal::Value;
use crate::archive::timestamp;
use crate::counted::counted;
use crate::value::ColumnType;

/// Characters of one value that a page shows.
const MOST_CHARACTERS: usize = 500;

/// Appends the markup of a value.
pub(super) fn push(out: &mut String, value: Value<'_>, column_type: ColumnType) {
    match value {
        Value::Null => out.push_str("<span class=\"nothing\" title=\"no value\">–</span>"),
        Value::Bool(true) => out.push_str("yes"),
        Value::Bool(false) => out.push_str("no"),
        Value::Number { text, .. } => push_cut(out, text),
        Value::Text("") => out.push_str("<span class=\"nothing\">(empty)</span>"),
        Value::Text(text) => match column_type {
            ColumnType::TimestampUtc | ColumnType::TimestampLocal | ColumnType::Date => {
                let mut shown = String::new();
                timestamp::cell_for_people(text, &mut shown);
                push_cut(out, &shown);
            }
            _ => push_cut(out, text),
        },
        Value::Coded(text) => push_coded(out, text),
        Value::Json(text) => {
            out.push_str("<code>");
            push_cut(out, text);
            out.push_str("</code>");
        }
    }
}

/// Appends a link to a file of the archive; the way to it is one of ours and needs no escapes.
pub(super) fn push_file(out: &mut String, way: &str) {
    let name = way.rsplit('/').next().unwrap_or(way);
    let _ = write!(out, "<a href=\"../{way}\">{name}</a>");
}

fn push_coded(out: &mut String, text: &str) {
    match text.strip_prefix(FILE_PREFIX) {
        Some(way) => push_file(out, way),
        None => {
            let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
            let bytes = counted(text.len() / 4 * 3 - padding, "byte", "bytes");
            let _ = write!(out, "<span class=\"nothing\">binary data, {bytes}</span>");
        }
    }
}

fn push_cut(out: &mut String, text: &str) {
    match text.char_indices().nth(MOST_CHARACTERS) {
        None => push_text(out, text),
        Some((end, _)) => {
            push_text(out, &text[..end]);
            let left = counted(text[end..].chars().count(), "more character", "more characters");
            let _ = write!(out, "… <span class=\"nothing\">({left} in the CSV file)</span>");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(value: Value<'_>, column_type: ColumnType) -> String {
        let mut out = String::new();
        push(&mut out, value, column_type);
        out
    }

    #[test]
    fn nothing_and_empty_look_different() {
        assert_ne!(shown(Value::Null, ColumnType::Text), shown(Value::Text(""), ColumnType::Text));
    }

    #[test]
    fn long_text_is_cut_with_a_note() {
        let text = "é".repeat(MOST_CHARACTERS + 7);
        let shown = shown(Value::Text(&text), ColumnType::Text);
        assert_eq!(shown.matches('é').count(), MOST_CHARACTERS);
        assert!(shown.contains("7 more characters"));
    }

    #[test]
    fn values_cannot_break_out_of_their_cell() {
        assert!(!shown(Value::Json("{\"a\":\"</td><script>\"}"), ColumnType::Json).contains("<script"));
        assert!(!shown(Value::Text("\u{1f}\u{1e}"), ColumnType::Text).contains(['\u{1f}', '\u{1e}']));
    }

    #[test]
    fn bytes_are_named_by_their_size() {
        assert!(shown(Value::Coded("YWJj"), ColumnType::Bytes).contains("3 bytes"));
        assert!(shown(Value::Coded("YQ=="), ColumnType::Bytes).contains("binary data, 1 byte<"));
    }
}
