//! Sets of objects that hold rows of many people: `habeas: {objects: {source: lake, prefix: "events/", format: jsonl}}`. Where they lie is fixed,
//! and whose a row is stands in its fields. Reading such an object is not done here.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::objects::Locate;
use super::reader::{Object, Reader};

/// How rows stand in an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RowFormat {
    /// One JSON value on each line, also in gzip or zstd.
    JsonLines,
    /// CSV with a header, also in gzip or zstd.
    Csv {
        /// What stands between cells.
        delimiter: u8,
    },
    /// Parquet.
    Parquet,
}

const FORMATS: [(&str, RowFormat); 3] =
    [("jsonl", RowFormat::JsonLines), ("csv", RowFormat::Csv { delimiter: b',' }), ("parquet", RowFormat::Parquet)];

impl fmt::Display for RowFormat {
    /// In words, for people.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            RowFormat::JsonLines => "JSON Lines",
            RowFormat::Csv { .. } => "CSV",
            RowFormat::Parquet => "Parquet",
        })
    }
}

impl Reader {
    /// `format` of a set of objects; none where it has none, or another one than we know.
    pub(super) fn row_format(&mut self, object: Object<'_>, called: &str) -> Option<RowFormat> {
        let format = match object.get("format") {
            None => None,
            Some(_) => self.word(object, "format", &FORMATS),
        };
        if object.get("delimiter").is_none() {
            return format;
        }
        let Some(RowFormat::Csv { .. }) = format else {
            self.error(object.line_of("delimiter"), format!("`delimiter` of {called} belongs to `format: csv`"), None);
            return format;
        };
        let text = self.text(object, "delimiter")?;
        match text.as_bytes() {
            [delimiter] if !matches!(delimiter, b'"' | b'\r' | b'\n') => Some(RowFormat::Csv { delimiter: *delimiter }),
            _ => {
                let hint = "write the one character that stands between cells, such as \";\" or \"\\t\"";
                self.error(object.line_of("delimiter"), format!("`delimiter` of {called} is not one character"), Some(hint.into()));
                None
            }
        }
    }

    /// Where objects with rows lie: a prefix or a key without values, because the rows say whose they are and not the name.
    pub(super) fn fixed_place(&mut self, object: Object<'_>, called: &str) -> Option<Locate> {
        let given: Vec<&str> = ["prefix", "key", "tag", "metadata"].into_iter().filter(|key| object.get(key).is_some()).collect();
        let (key @ ("prefix" | "key"), true) = (given.first().copied().unwrap_or_default(), given.len() == 1) else {
            let message =
                format!("{called} has a `format`, so that it names the place of its objects by `prefix` or by `key` alone");
            self.error(object.line, message, Some("write `prefix: \"events/\"`, or `key:` for a single object".into()));
            return None;
        };
        let template = self.template(object, key)?;
        if !template.columns().is_empty() {
            let message = format!("`{key}` of {called} has values, and `format` says that its objects hold rows of many people");
            let hint = "write where all of them lie, such as `prefix: \"events/\"`; fields say whose a row is";
            self.error(object.line_of(key), message, Some(hint.into()));
            return None;
        }
        Some(if key == "key" { Locate::Key(template) } else { Locate::Prefix(template) })
    }
}
