//! Which references between tables hold inside the archive. Only one person's rows are in it, so a reference may lead to a row that is not;
//! declared as a foreign key, it would make validators call the archive broken. So the keys of both ends are watched while rows pass by, as
//! digests and up to a limit, and only what was seen to hold is declared.

use std::collections::HashSet;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use super::normal::Value;
use super::table::TableSpec;

/// Keys of one table that are watched; beyond, nothing is claimed. Bounds memory to a few megabytes for each reference.
const MOST_KEYS: usize = 100_000;

/// The values that some columns of a table took together.
#[derive(Debug)]
pub(super) struct KeyWatch {
    /// Names of the columns in the source.
    pub(super) columns: Vec<String>,
    indexes: Vec<usize>,
    /// Digests of the values; `None` when nothing can be said any more.
    seen: Option<HashSet<u64>>,
}

/// All watches of a table: its primary key and its ends of references.
#[derive(Debug, Default)]
pub(super) struct KeyWatches {
    watches: Vec<KeyWatch>,
    of_row: Vec<Option<u64>>,
    is_watched: Vec<bool>,
}

impl KeyWatches {
    /// Watches what the table declares, as far as the columns are there.
    pub(super) fn new(spec: &TableSpec) -> KeyWatches {
        let position = |name: &String| spec.columns.iter().position(|column| column.name == *name);
        let mut watches: Vec<KeyWatch> = Vec::new();
        for columns in std::iter::once(&spec.primary_key).chain(spec.foreign_keys.iter().map(|key| &key.columns)) {
            let indexes: Option<Vec<usize>> = columns.iter().map(position).collect();
            let known = watches.iter().any(|watch| watch.columns == *columns);
            if let Some(indexes) = indexes.filter(|indexes| !indexes.is_empty() && !known) {
                watches.push(KeyWatch { columns: columns.clone(), indexes, seen: Some(HashSet::new()) });
            }
        }
        let is_watched = (0..spec.columns.len()).map(|index| watches.iter().any(|watch| watch.indexes.contains(&index))).collect();
        KeyWatches { watches, of_row: vec![None; spec.columns.len()], is_watched }
    }

    /// Takes note of a cell.
    pub(super) fn cell(&mut self, index: usize, value: Value<'_>) {
        if !self.is_watched[index] {
            return;
        }
        let text = match value {
            Value::Null | Value::Text("") => {
                self.of_row[index] = None;
                return;
            }
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Number { text, .. } | Value::Text(text) | Value::Coded(text) | Value::Json(text) => text,
        };
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.of_row[index] = Some(hasher.finish());
    }

    /// Ends a row.
    pub(super) fn end_row(&mut self) {
        for watch in &mut self.watches {
            watch.end_row(&self.of_row);
        }
    }

    /// The watch of these columns.
    pub(super) fn of(&self, columns: &[String]) -> Option<&KeyWatch> {
        self.watches.iter().find(|watch| watch.columns == columns)
    }
}

impl KeyWatch {
    fn end_row(&mut self, of_row: &[Option<u64>]) {
        let Some(seen) = &mut self.seen else { return };
        let parts: Vec<Option<u64>> = self.indexes.iter().map(|index| of_row[*index]).collect();
        match parts.iter().filter(|part| part.is_none()).count() {
            0 => {
                let mut hasher = DefaultHasher::new();
                parts.hash(&mut hasher);
                seen.insert(hasher.finish());
            }
            // No reference at all.
            missing if missing == parts.len() => {}
            // Databases and validators differ on half a reference.
            _ => self.seen = None,
        }
        if self.seen.as_ref().is_some_and(|seen| seen.len() > MOST_KEYS) {
            self.seen = None;
        }
    }

    /// Whether every value of these columns is among those of the other watch.
    pub(super) fn is_within(&self, other: &KeyWatch) -> bool {
        match (&self.seen, &other.seen) {
            (Some(these), Some(those)) => these.is_subset(those),
            _ => false,
        }
    }
}
