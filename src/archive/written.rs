//! A table whose rows are in the archive: what every document about it is made from.

use super::bag::Entry;
use super::column::Column;
use super::keys::KeyWatches;
use super::table::{TableSpec, TableTally};
use super::words::name_in_words;

/// A table as it went into the archive.
pub(super) struct Written {
    pub(super) spec: TableSpec,
    pub(super) tally: TableTally,
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    pub(super) keys: KeyWatches,
    /// Its files; `None` when no row was exported.
    pub(super) data: Option<WrittenData>,
}

/// The files of such a table.
pub(super) struct WrittenData {
    pub(super) csv_path: String,
    pub(super) jsonl_path: String,
    /// First page, `html/<source>.<table>.html`.
    pub(super) page_path: String,
    pub(super) csv: Entry,
    pub(super) jsonl: Entry,
}

impl Written {
    /// The name of the table for people.
    pub(super) fn title(&self) -> String {
        self.spec.label.clone().unwrap_or_else(|| name_in_words(&self.spec.table))
    }

    /// Whether a column that is left out of some rows is there in others.
    pub(super) fn has_column(&self, name: &str) -> bool {
        self.columns.iter().any(|column| column.spec.name == name)
    }
}
