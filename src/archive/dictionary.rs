//! `dictionary.csv`: what every column of every table means, where its values came from and on which legal basis they are held.

use super::column::type_in_words;
use super::csv::{self, BYTE_ORDER_MARK};
use super::normal::Value;
use super::words::origin_code;
use super::written::Written;
use crate::value::ColumnType;

/// Path of the document.
pub(super) const PATH: &str = "data/dictionary.csv";

/// Names of its columns.
pub(super) const COLUMNS: [&str; 11] =
    ["source", "table", "column", "label", "description", "type", "unit", "zone", "origin", "legal_basis", "codes"];

/// Builds the document.
pub(super) fn build(tables: &[Written]) -> Vec<u8> {
    let mut out = BYTE_ORDER_MARK.to_vec();
    csv::push_record(&mut out, COLUMNS.map(Value::Text));
    for table in tables {
        for column in &table.columns {
            let spec = &column.spec;
            let origin = spec.origin.or(table.spec.origin).map(origin_code);
            let legal_basis = spec.legal_basis.as_deref().or(table.spec.legal_basis.as_deref());
            let zone = match spec.column_type {
                ColumnType::TimestampUtc => Some("UTC"),
                ColumnType::TimestampLocal => Some(spec.zone.as_deref().unwrap_or("not recorded")),
                _ => None,
            };
            csv::push_record(
                &mut out,
                [
                    Value::Text(&table.spec.source),
                    Value::Text(&table.spec.table),
                    Value::Text(&column.name),
                    text(spec.label.as_deref()),
                    text(spec.description.as_deref()),
                    Value::Text(type_in_words(spec.column_type)),
                    Value::Null,
                    text(zone),
                    text(origin),
                    text(legal_basis),
                    Value::Null,
                ],
            );
        }
    }
    out
}

fn text(text: Option<&str>) -> Value<'_> {
    text.map_or(Value::Null, Value::Text)
}
