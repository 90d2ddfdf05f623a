//! JSON Lines for programs: the exact twin of the CSV, one object per row with the same names. Decimals and whole numbers from 2^53 on are
//! strings, because most JSON readers would round them; JSON columns stay JSON.

use std::fmt;
use std::io::{self, BufRead};

use serde::Deserialize;
use serde::de::{MapAccess, Visitor};
use serde_json::value::RawValue;

use super::normal::Value;

/// `"name":`, ready to be put before every value of a column.
pub(super) fn key(name: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(name.len() + 3);
    push_string(&mut out, name);
    out.push(b':');
    out
}

/// Appends a value.
pub(super) fn push_value(out: &mut Vec<u8>, value: Value<'_>) {
    match value {
        Value::Null => out.extend_from_slice(b"null"),
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number { text, quoted_in_json: false } | Value::Json(text) => out.extend_from_slice(text.as_bytes()),
        Value::Number { text, quoted_in_json: true } | Value::Text(text) | Value::Coded(text) => push_string(out, text),
    }
}

fn push_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut clean_from = 0;
    for (place, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[clean_from..place]);
        clean_from = place + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.push(HEX[usize::from(control >> 4)]);
                out.push(HEX[usize::from(control & 15)]);
            }
        }
    }
    out.extend_from_slice(&bytes[clean_from..]);
    out.push(b'"');
}

/// One line as its keys and raw values, in their order.
pub(super) struct Line<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de: 'a, 'a> Deserialize<'de> for Line<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Pairs;
        impl<'de> Visitor<'de> for Pairs {
            type Value = Line<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Line<'de>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Line(pairs))
            }
        }
        deserializer.deserialize_map(Pairs)
    }
}

/// Reads the next line into `buffer`, without its end; false at the end of the file. Every line must end.
pub(super) fn read_line(input: &mut impl BufRead, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.clear();
    if input.read_until(b'\n', buffer)? == 0 {
        return Ok(false);
    }
    match buffer.pop() {
        Some(b'\n') => Ok(true),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "the last line does not end")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(value: Value<'_>) -> String {
        let mut out = Vec::new();
        push_value(&mut out, value);
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn numbers_that_readers_would_round_are_strings() {
        assert_eq!(value(Value::Number { text: "1", quoted_in_json: false }), "1");
        assert_eq!(value(Value::Number { text: "9007199254740993", quoted_in_json: true }), "\"9007199254740993\"");
    }

    #[test]
    fn strings_escape_what_json_forbids_and_nothing_else() {
        assert_eq!(value(Value::Text("a\0\"\\\n\u{1f}é😀")), "\"a\\u0000\\\"\\\\\\n\\u001fé😀\"");
        let text = "\0\u{1}\t\r\n\"\\/\u{7f}\u{2028}\u{202e}😀";
        assert_eq!(serde_json::from_str::<String>(&value(Value::Text(text))).expect("JSON"), text);
    }

    #[test]
    fn text_is_never_guarded_here() {
        assert_eq!(value(Value::Text("=1+1")), "\"=1+1\"");
    }

    #[test]
    fn a_line_reads_back_raw_and_in_order() {
        let line: Line<'_> = serde_json::from_str(r#"{"b":1.50,"a":{"x":[1]},"c":null}"#).expect("JSON");
        let pairs: Vec<(&str, &str)> = line.0.iter().map(|(key, raw)| (key.as_str(), raw.get())).collect();
        assert_eq!(pairs, [("b", "1.50"), ("a", r#"{"x":[1]}"#), ("c", "null")]);
    }
}
