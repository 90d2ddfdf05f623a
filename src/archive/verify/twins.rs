//! The two files of every table side by side: the CSV, decoded, must say cell by cell what its JSON Lines twin says, except that a spreadsheet
//! cannot hold NUL. On the way the rows are counted and the times looked at. Memory holds one row of each.

use std::collections::BTreeMap;
use std::io::BufReader;

use super::opened::Opened;
use super::package::{Declared, Field};
use super::{Check, VerifyReport};
use crate::archive::column::{INSTANT_FORMAT, LOCAL_FORMAT};
use crate::archive::completeness::{Completeness, TableReport};
use crate::archive::csv::{CsvReader, SYMBOL_FOR_NUL, needs_guard, unguarded};
use crate::archive::jsonl::{Line, read_line};
use crate::archive::{number, timestamp};
use crate::counted::counted;

/// Divergences of one table that are told apart.
const MOST_PER_TABLE: usize = 5;

/// Compares the files of every table.
pub(super) fn check(
    opened: &mut Opened,
    completeness: &Completeness,
    declared: &BTreeMap<String, Declared>,
    report: &mut VerifyReport,
) {
    let mut known = Vec::new();
    for table in completeness.sources.iter().flat_map(|source| &source.tables) {
        let (Some(csv), Some(jsonl)) = (&table.csv, &table.jsonl) else { continue };
        known.extend([csv.clone(), jsonl.clone()]);
        let (Some(in_csv), Some(in_jsonl)) = (declared.get(csv), declared.get(jsonl)) else {
            report.add(Check::Document, csv, "or its twin is not declared in the data package");
            continue;
        };
        for (path, said) in [(csv, in_csv), (jsonl, in_jsonl)] {
            if said.rows != Some(table.exported) {
                report.add(Check::Counts, path, "has another number of rows in the data package than in completeness.json");
            }
        }
        match compare(opened, table, csv, jsonl, &in_csv.fields, report) {
            Ok(rows) => {
                report.tables += 1;
                report.rows += rows;
            }
            Err(problem) => report.add(Check::Twins, csv, format!("cannot be compared with its twin: {problem}")),
        }
    }
    let unknown = opened.files.keys().filter(|path| path.starts_with("data/tables/") && !known.contains(path));
    for path in unknown.cloned().collect::<Vec<String>>() {
        report.add(Check::Counts, path, "is a table that completeness.json does not know");
    }
}

fn compare(
    opened: &mut Opened,
    table: &TableReport,
    csv_path: &str,
    jsonl_path: &str,
    fields: &[Field],
    report: &mut VerifyReport,
) -> Result<u64, String> {
    let (Some(csv_index), Some(jsonl_index)) = (opened.files.get(csv_path).copied(), opened.files.get(jsonl_path).copied()) else {
        return Err("one of them is not there".to_owned());
    };
    let mut second = opened.second_handle().map_err(|error| error.to_string())?;
    let csv = opened.zip().by_index(csv_index).map_err(|_| "the CSV is damaged".to_owned())?;
    let jsonl = second.by_index(jsonl_index).map_err(|_| "the JSON Lines file is damaged".to_owned())?;
    let mut csv = CsvReader::new(BufReader::with_capacity(64 * 1024, csv)).map_err(|error| format!("CSV: {error}"))?;
    let mut jsonl = BufReader::with_capacity(64 * 1024, jsonl);

    let header = csv.next_record().map_err(|error| format!("CSV: {error}"))?.unwrap_or_default();
    if !header.iter().map(Option::as_deref).eq(fields.iter().map(|field| Some(field.name.as_str()))) {
        return Err("its first line is not the list of declared columns".to_owned());
    }
    let mut divergences = 0;
    let (mut csv_rows, mut jsonl_rows) = (0_u64, 0_u64);
    let mut line = Vec::new();
    loop {
        let record = csv.next_record().map_err(|error| format!("CSV record {}: {error}", csv_rows + 1))?;
        let has_line = read_line(&mut jsonl, &mut line).map_err(|error| format!("JSON line {}: {error}", jsonl_rows + 1))?;
        csv_rows += u64::from(record.is_some());
        jsonl_rows += u64::from(has_line);
        let Some(record) = record.filter(|_| has_line) else {
            if record.is_none() && !has_line {
                break;
            }
            csv_rows += count_rest(|| csv.next_record().map(|record| record.is_some()))?;
            jsonl_rows += count_rest(|| read_line(&mut jsonl, &mut line))?;
            break;
        };
        for (check, column, text) in differences(record, &line, fields) {
            divergences += 1;
            if divergences <= MOST_PER_TABLE {
                report.add(check, format!("{csv_path}, record {csv_rows}, {column}"), text);
            }
        }
    }
    if divergences > MOST_PER_TABLE {
        report.add(
            Check::Twins,
            csv_path,
            format!("has {} of that kind", counted(divergences - MOST_PER_TABLE, "further cell", "further cells")),
        );
    }
    for (path, rows) in [(csv_path, csv_rows), (jsonl_path, jsonl_rows)] {
        if rows != table.exported {
            report.add(
                Check::Counts,
                path,
                format!("has {} where completeness.json says {}", counted(rows, "row", "rows"), table.exported),
            );
        }
    }
    Ok(csv_rows)
}

fn count_rest(mut next: impl FnMut() -> std::io::Result<bool>) -> Result<u64, String> {
    let mut rows = 0;
    while next().map_err(|error| error.to_string())? {
        rows += 1;
    }
    Ok(rows)
}

/// What differs in a row: the check, the column, and in which way.
fn differences<'a>(record: &[Option<String>], line: &[u8], fields: &'a [Field]) -> Vec<(Check, &'a str, &'static str)> {
    let Ok(Line(pairs)) = serde_json::from_slice::<Line<'_>>(line) else {
        return vec![(Check::Twins, "the whole line", "is no JSON object in its twin")];
    };
    if record.len() != fields.len() {
        return vec![(Check::Twins, "the whole record", "has another number of cells than columns")];
    }
    let mut differences = Vec::new();
    let mut pairs = pairs.into_iter().peekable();
    for (field, cell) in fields.iter().zip(record) {
        let twin = pairs.next_if(|(key, _)| *key == field.name).map(|(_, value)| value);
        if !twin.is_some_and(|twin| same(cell.as_deref(), twin.get(), field)) {
            differences.push((Check::Twins, field.name.as_str(), "differs from its twin"));
        }
        if let Some(cell) = cell
            && !has_its_zone(cell, field)
        {
            differences.push((Check::Zone, field.name.as_str(), "is a time in another form than declared"));
        }
    }
    if pairs.next().is_some() {
        differences.push((Check::Twins, "the whole line", "has a key in its twin that is no column, or out of order"));
    }
    differences
}

fn same(cell: Option<&str>, raw: &str, field: &Field) -> bool {
    if raw == "null" {
        return cell.is_none() || (field.holds_json && cell == Some("null"));
    }
    let Some(cell) = cell else { return false };
    if !raw.starts_with('"') {
        return cell == raw;
    }
    if field.holds_json && cell == raw {
        return true;
    }
    let Ok(text) = serde_json::from_str::<String>(raw) else { return false };
    if unguarded(cell) != text.replace('\0', SYMBOL_FOR_NUL) {
        return false;
    }
    // Text that a spreadsheet would run must have its guard; digits and base64 must not.
    cell.starts_with('\'') || !needs_guard(&text) || number::plain(&text, &mut String::new()).is_some() || field.encoding.is_some()
}

fn has_its_zone(cell: &str, field: &Field) -> bool {
    match (field.type_name.as_str(), field.format.as_deref()) {
        ("datetime", Some(INSTANT_FORMAT)) => timestamp::is_canonical_instant(cell),
        ("datetime", Some(LOCAL_FORMAT)) => timestamp::is_canonical_local(cell),
        ("datetime", _) => false,
        _ => true,
    }
}
