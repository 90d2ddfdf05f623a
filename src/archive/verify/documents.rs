//! The documents of an archive: that the counts of `completeness.json` add up in every place, and that no time stands without its zone.

use serde_json::Value;

use super::opened::Opened;
use super::{Check, VerifyReport};
use crate::archive::completeness::{Completeness, PATH, SourceReport, TableReport, adds_up, withheld_rows};
use crate::archive::{datapackage, request_json, timestamp};

/// Checks every sum. Returns the document when it could be read.
pub(super) fn check_sums(opened: &mut Opened, report: &mut VerifyReport) -> Option<Completeness> {
    let document: Completeness = opened.json(PATH, report)?;
    for source in &document.sources {
        for table in &source.tables {
            check_table(source, table, report);
        }
        check_source(source, report);
    }
    let sum = |of: fn(&SourceReport) -> u64| document.sources.iter().map(of).fold(0, u64::saturating_add);
    let totals = &document.totals;
    let expected = [
        (totals.found, sum(|source| source.found)),
        (totals.exported, sum(|source| source.exported)),
        (totals.withheld, sum(|source| withheld_rows(&source.withheld))),
        (totals.failed, sum(|source| source.failed)),
        (totals.redacted_cells, sum(|source| source.redacted_cells)),
        (totals.held, sum(|source| source.held.iter().map(|held| held.count).fold(0, u64::saturating_add))),
    ];
    if expected.iter().any(|(said, counted)| said != counted) {
        report.add(Check::Counts, PATH, "has totals that are not the sums of its sources");
    }
    if document.complete != document.sources.iter().all(SourceReport::was_read) {
        report.add(Check::Counts, PATH, "says otherwise than its sources whether the archive is complete");
    }
    Some(document)
}

fn check_table(source: &SourceReport, table: &TableReport, report: &mut VerifyReport) {
    let place = || format!("{PATH}: {}.{}", source.name, table.name);
    if !adds_up(table.found, table.exported, withheld_rows(&table.withheld), table.failed) {
        report.add(Check::Counts, place(), "found is not exported + withheld + failed");
    }
    if (table.exported > 0) != (table.csv.is_some() && table.jsonl.is_some()) {
        report.add(Check::Counts, place(), "has rows without files, or files without rows");
    }
}

fn check_source(source: &SourceReport, report: &mut VerifyReport) {
    let place = || format!("{PATH}: {}", source.name);
    let sum = |of: fn(&TableReport) -> u64| source.tables.iter().map(of).fold(0, u64::saturating_add);
    let expected = [
        (source.found, sum(|table| table.found)),
        (source.exported, sum(|table| table.exported)),
        (withheld_rows(&source.withheld), sum(|table| withheld_rows(&table.withheld))),
        (source.failed, sum(|table| table.failed)),
        (source.redacted_cells, sum(|table| table.redacted_cells)),
    ];
    if expected.iter().any(|(said, counted)| said != counted) {
        report.add(Check::Counts, place(), "has counts that are not the sums of its tables");
    }
    if let Some(problem) = source.contradiction() {
        report.add(Check::Counts, place(), problem);
    }
}

/// Checks that every time in the documents is an instant in UTC. Parts after the first have fewer documents.
pub(super) fn check_times(opened: &mut Opened, is_first: bool, report: &mut VerifyReport) {
    let documents = [datapackage::PATH, PATH, request_json::PATH];
    for path in &documents[..if is_first { 3 } else { 1 }] {
        if let Some(document) = opened.json::<Value>(path, report) {
            look_for_times(&document, path, report);
        }
    }
}

fn look_for_times(value: &Value, path: &str, report: &mut VerifyReport) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| look_for_times(value, path, report)),
        Value::Object(pairs) => {
            for (key, value) in pairs {
                let is_time = key.ends_with("_at") || matches!(key.as_str(), "as_of" | "created" | "deadline" | "extended_until");
                match value {
                    Value::String(text) if is_time && !timestamp::is_canonical_instant(text) => {
                        report.add(Check::Zone, path, format!("has a time without its zone under {key}"));
                    }
                    _ => look_for_times(value, path, report),
                }
            }
        }
        _ => {}
    }
}
