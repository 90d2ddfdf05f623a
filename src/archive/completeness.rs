//! `completeness.json`: what every source answered, and that for every location the rows found are the rows exported, withheld and failed
//! . It is built here and nowhere else, and building it fails when the sums do not match or an outcome contradicts its counts (V-2).

use serde::{Deserialize, Serialize};

use super::outcome::{Closing, Held, NotCovered, NotHeldHere, Snapshot, SourceError, SourceKind, SourceOutcome, SourceStatus};
use super::table::Withheld;
use super::timestamp;
use super::written::Written;
use super::{ArchiveError, ArchiveHeader};
use crate::counted::counted;

/// Path of the document.
pub(super) const PATH: &str = "data/completeness.json";

/// The document.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Completeness {
    pub(super) schema_version: u32,
    /// The whole document in a sentence or two.
    pub(super) statement: String,
    /// Whether every source was read to its end.
    pub(super) complete: bool,
    pub(super) as_of: String,
    pub(super) totals: Totals,
    pub(super) sources: Vec<SourceReport>,
    pub(super) not_held_here: Vec<NotHeldHere>,
}

/// Sums over all sources.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Totals {
    pub(super) found: u64,
    pub(super) exported: u64,
    pub(super) withheld: u64,
    pub(super) failed: u64,
    pub(super) redacted_cells: u64,
    pub(super) held: u64,
    pub(super) files: u64,
}

/// One source.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct SourceReport {
    pub(super) name: String,
    pub(super) kind: SourceKind,
    pub(super) status: SourceStatus,
    pub(super) started_at: String,
    pub(super) finished_at: String,
    pub(super) found: u64,
    pub(super) exported: u64,
    pub(super) withheld: Vec<Withheld>,
    pub(super) failed: u64,
    pub(super) redacted_cells: u64,
    pub(super) held: Vec<Held>,
    pub(super) errors: Vec<SourceError>,
    pub(super) not_covered: Vec<NotCovered>,
    pub(super) snapshot: Option<Snapshot>,
    pub(super) query_digest: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(super) waived_by: Option<String>,
    pub(super) tables: Vec<TableReport>,
}

/// One location.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct TableReport {
    pub(super) name: String,
    pub(super) found: u64,
    pub(super) exported: u64,
    pub(super) withheld: Vec<Withheld>,
    pub(super) failed: u64,
    pub(super) redacted_cells: u64,
    pub(super) redacted_columns: Vec<RedactedColumn>,
    /// Where its rows are; absent when there are none.
    pub(super) csv: Option<String>,
    pub(super) jsonl: Option<String>,
    /// NUL characters that the CSV shows as U+2400.
    pub(super) nuls_replaced: u64,
}

/// A column left out of exported rows.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct RedactedColumn {
    pub(super) column: String,
    pub(super) reason_code: String,
    /// Whether other rows have it.
    #[serde(default)]
    pub(super) in_some_rows: bool,
}

/// Rows left out, for whatever reason.
pub(super) fn withheld_rows(withheld: &[Withheld]) -> u64 {
    withheld.iter().map(|part| part.count).fold(0, u64::saturating_add)
}

/// X-1 for one location. The sum must not overflow either.
pub(super) fn adds_up(found: u64, exported: u64, withheld: u64, failed: u64) -> bool {
    exported.checked_add(withheld).and_then(|sum| sum.checked_add(failed)) == Some(found)
}

impl Completeness {
    /// Builds the document. Tables must be sorted by source and name.
    pub(super) fn build(header: &ArchiveHeader, closing: &Closing, tables: &[Written], files: u64) -> Result<Self, ArchiveError> {
        for table in tables {
            if !closing.sources.iter().any(|source| source.name == table.spec.source) {
                return Err(contradiction(&table.spec.source, "it has tables but no outcome"));
            }
        }
        let mut sources = Vec::with_capacity(closing.sources.len());
        for outcome in &closing.sources {
            let of_source = tables.iter().filter(|table| table.spec.source == outcome.name);
            sources.push(SourceReport::build(outcome, of_source.map(TableReport::from).collect())?);
        }
        sources.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = sources.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(contradiction(&twice[0].name, "it has two outcomes"));
        }
        let totals = Totals {
            found: sources.iter().map(|source| source.found).sum(),
            exported: sources.iter().map(|source| source.exported).sum(),
            withheld: sources.iter().map(|source| withheld_rows(&source.withheld)).sum(),
            failed: sources.iter().map(|source| source.failed).sum(),
            redacted_cells: sources.iter().map(|source| source.redacted_cells).sum(),
            held: sources.iter().flat_map(|source| &source.held).map(|held| held.count).sum(),
            files,
        };
        let unread: Vec<&str> = sources.iter().filter(|source| !source.was_read()).map(|source| source.name.as_str()).collect();
        Ok(Completeness {
            schema_version: 1,
            statement: statement(&totals, sources.iter().filter(|source| source.exported > 0).count() as u64, &unread),
            complete: unread.is_empty(),
            as_of: timestamp::of(header.request.as_of),
            totals,
            not_held_here: closing.not_held_here.clone(),
            sources,
        })
    }
}

impl SourceReport {
    fn build(outcome: &SourceOutcome, tables: Vec<TableReport>) -> Result<SourceReport, ArchiveError> {
        let mut withheld: Vec<Withheld> = Vec::new();
        for part in tables.iter().flat_map(|table| &table.withheld) {
            match withheld.iter_mut().find(|sum| sum.reason_code == part.reason_code && sum.text == part.text) {
                Some(sum) => sum.count += part.count,
                None => withheld.push(part.clone()),
            }
        }
        let report = SourceReport {
            name: outcome.name.clone(),
            kind: outcome.kind,
            status: outcome.status,
            started_at: timestamp::of(outcome.started_at),
            finished_at: timestamp::of(outcome.finished_at),
            found: tables.iter().map(|table| table.found).sum(),
            exported: tables.iter().map(|table| table.exported).sum(),
            withheld,
            failed: tables.iter().map(|table| table.failed).sum(),
            redacted_cells: tables.iter().map(|table| table.redacted_cells).sum(),
            held: outcome.held.clone(),
            errors: outcome.errors.clone(),
            not_covered: outcome.not_covered.clone(),
            snapshot: outcome.snapshot.clone(),
            query_digest: outcome.query_digest.clone(),
            waived_by: outcome.waived_by.clone(),
            tables,
        };
        match report.contradiction() {
            Some(problem) => Err(contradiction(&report.name, problem)),
            None => Ok(report),
        }
    }

    /// Whether the source was read to its end.
    pub(super) fn was_read(&self) -> bool {
        matches!(self.status, SourceStatus::Ok | SourceStatus::Empty)
    }

    /// What of the status the counts and errors do not bear out.
    pub(super) fn contradiction(&self) -> Option<&'static str> {
        let went_wrong = self.failed > 0 || !self.errors.is_empty();
        match self.status {
            SourceStatus::Ok | SourceStatus::Empty if went_wrong => Some("it is called read to its end, but something failed"),
            SourceStatus::Empty if self.found > 0 => Some("it is called empty, but rows were found"),
            SourceStatus::Partial | SourceStatus::Failed if !went_wrong => Some("it is called unread, but nothing failed"),
            SourceStatus::Failed if self.exported > 0 => Some("it is called unread, but rows of it were exported"),
            SourceStatus::Waived if self.waived_by.is_none() => Some("it is called waived, but by nobody"),
            _ => None,
        }
    }
}

impl From<&Written> for TableReport {
    fn from(table: &Written) -> TableReport {
        let redacted = table.tally.redacted_columns.iter();
        TableReport {
            name: table.spec.table.clone(),
            found: table.tally.found,
            exported: table.rows,
            withheld: table.tally.withheld.clone(),
            failed: table.tally.failed,
            redacted_cells: table.tally.redacted_cells,
            redacted_columns: redacted
                .map(|(column, reason)| RedactedColumn {
                    column: column.clone(),
                    reason_code: reason.clone(),
                    in_some_rows: table.has_column(column),
                })
                .collect(),
            csv: table.data.as_ref().map(|data| data.csv_path.clone()),
            jsonl: table.data.as_ref().map(|data| data.jsonl_path.clone()),
            nuls_replaced: table.columns.iter().map(|column| column.nuls_replaced).sum(),
        }
    }
}

fn contradiction(source: &str, problem: &'static str) -> ArchiveError {
    ArchiveError::Contradiction { source_key: source.to_owned(), problem }
}

fn statement(totals: &Totals, sources: u64, unread: &[&str]) -> String {
    let mut text = match (totals.found, totals.exported, unread.is_empty()) {
        (0, _, true) => "Nothing about you was found.".to_owned(),
        (0, _, false) => "Nothing about you was found in what could be read.".to_owned(),
        (_, 0, _) => "Records about you were found, but none is in this archive.".to_owned(),
        (_, exported, _) => {
            format!("This archive holds {} from {}.", counted(exported, "record", "records"), counted(sources, "source", "sources"))
        }
    };
    let left_out = [
        (totals.withheld, "record was left out, with its reason", "records were left out, each with its reason"),
        (
            totals.redacted_cells,
            "value in these records was left out, with its reason",
            "values in these records were left out, each with its reason",
        ),
        (totals.failed, "record could not be read", "records could not be read"),
    ];
    for (count, one, many) in left_out.into_iter().filter(|(count, ..)| *count > 0) {
        text.push_str(&format!(" {}.", counted(count, one, many)));
    }
    match unread {
        [] => text.push_str(" Every source was read to its end."),
        [one] => text.push_str(&format!(" The source {one} could not be read to its end, so this archive is not complete.")),
        many => text.push_str(&format!(
            " These sources could not be read to their end, so this archive is not complete: {}.",
            many.join(", ")
        )),
    }
    text
}
