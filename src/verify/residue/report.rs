//! What a residue scan found, where it looked and where it could not. Places and counts only; the keys of rows that were hit stay in
//! memory beside the report and are never printed or serialised (S-1).

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};

use super::matcher::WeakIdentifier;
use super::patterns::Form;
use crate::connector::sql::TableName;
use crate::value::Key;

/// The outcome of one scan of one source.
#[derive(Debug, Clone, Default, Serialize)]
pub struct ResidueReport {
    /// What was found, by person, place and form.
    pub hits: Vec<Hit>,
    /// What was read to its end.
    pub searched: Vec<SearchedTable>,
    /// What was not, or not wholly, read (V-2).
    pub gaps: Vec<Gap>,
    /// Tables left out because the caller said so.
    #[serde(serialize_with = "as_names")]
    pub excluded: Vec<TableName>,
    /// Identifiers that were compared with whole values only.
    pub weak: Vec<WeakIdentifier>,
    /// The positive control (V-3).
    pub control: Control,
    /// Keys of the first 1,000 rows hit and not retained, per person and table; a table without a primary key has none.
    #[serde(skip)]
    pub located: BTreeMap<(usize, TableName), Vec<Key>>,
}

/// How often one identifier was found in one column in one form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// Index of the person, in the order given to the matcher.
    pub person: usize,
    /// Table.
    #[serde(serialize_with = "as_name")]
    pub table: TableName,
    /// Column.
    pub column: String,
    /// Kind of the identifier.
    pub kind: String,
    /// How it was written.
    pub form: Form,
    /// False for a weak identifier and for a match inside a longer word: somebody has to look.
    pub certain: bool,
    /// Rows, all in all.
    pub count: u64,
    /// How many of them are rows that are known to be retained for this person.
    pub retained: u64,
}

/// A table that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SearchedTable {
    /// Table.
    #[serde(serialize_with = "as_name")]
    pub table: TableName,
    /// Columns that were searched.
    pub columns: Vec<String>,
    /// Rows that were read.
    pub rows: u64,
}

/// Something that was not looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// Table, or what else it is.
    pub place: String,
    /// Why.
    pub reason: String,
}

/// Whether values planted for the purpose were found by the same code in the same session.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Control {
    /// Values planted.
    pub planted: u64,
    /// Values found.
    pub found: u64,
    /// Why nothing could be planted, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
}

impl Control {
    /// Whether all were found, and there were any.
    pub fn holds(&self) -> bool {
        self.planted > 0 && self.found == self.planted
    }
}

impl ResidueReport {
    /// Rows certainly holding this person's identifier that no known retention explains. A row counts once per column and form.
    pub fn unexplained(&self, person: usize) -> u64 {
        let mine = self.hits.iter().filter(|hit| hit.person == person && hit.certain);
        mine.map(|hit| hit.count - hit.retained).sum()
    }
}

fn as_name<S: Serializer>(table: &TableName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(table)
}

fn as_names<S: Serializer>(tables: &[TableName], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(tables.iter().map(ToString::to_string))
}
