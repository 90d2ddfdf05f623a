//! Random worlds: a schema, a data map over it, rows and holds. The engine erases a person in them, a small model in memory says what must
//! have happened, and every row is compared (O-1, H-1). The model is written from the words of the design and calls nothing of the engine.

pub mod generate;
pub mod model;
pub mod play;
pub mod predict;
pub mod render;
pub mod shrink;

use std::collections::BTreeMap;

/// What stands in a column.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Value {
    Null,
    Int(i64),
    Text(String),
}

/// A row: its columns by name.
pub type Row = BTreeMap<String, Value>;

/// Table and position of a row in it.
pub type RowId = (usize, usize);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    Delete,
    Mask,
    Unlink,
    Keep,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    None,
    Accesses,
    Owns,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    NoAction,
    Restrict,
    Cascade,
    SetNull,
    SetDefault,
}

#[derive(Debug, Clone)]
pub struct Column {
    pub name: String,
    pub is_text: bool,
    pub not_null: bool,
    /// Holds an address.
    pub identity: bool,
}

#[derive(Debug, Clone)]
pub struct Table {
    pub name: String,
    pub key: Vec<String>,
    /// The other columns.
    pub columns: Vec<Column>,
    /// Whether the data map has it.
    pub mapped: bool,
    pub rule: Rule,
    /// A law keeps rows of this kind, and those whose kind nobody knows.
    pub law_keeps: Option<&'static str>,
    pub rows: Vec<Row>,
}

/// Columns that refer to columns of another table, or of the same.
#[derive(Debug, Clone)]
pub struct Reference {
    pub on: usize,
    pub columns: Vec<String>,
    pub other: usize,
    pub other_columns: Vec<String>,
    /// What the map says about it, if anything.
    pub words: Option<Words>,
    /// What the schema says about it, if anything.
    pub declared: Option<OnDelete>,
}

#[derive(Debug, Clone)]
pub struct Words {
    /// Data flows from the row referred to to the one that refers; otherwise the other way.
    pub to_referrer: bool,
    pub right: Right,
    pub unlink: bool,
    pub hide: bool,
    /// Only reached rows of this kind.
    pub kind: Option<&'static str>,
    /// Written on the field that is referred to.
    pub on_other_side: bool,
}

#[derive(Debug, Clone)]
pub enum Hold {
    Record(RowId),
    Collection(usize),
    Kind(usize, &'static str),
    Person(String),
}

#[derive(Debug, Clone)]
pub struct World {
    pub seed: u64,
    pub tables: Vec<Table>,
    pub references: Vec<Reference>,
    pub holds: Vec<Hold>,
    /// Address of the person who asks.
    pub subject: String,
}

impl Table {
    pub fn has(&self, column: &str) -> bool {
        self.key.iter().any(|name| name == column) || self.columns.iter().any(|known| known.name == column)
    }

    pub fn admits_null(&self, column: &str) -> bool {
        self.columns.iter().any(|known| known.name == column && !known.not_null)
    }

    pub fn identities(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().filter(|column| column.identity).map(|column| column.name.as_str())
    }
}

impl World {
    pub fn row(&self, id: RowId) -> &Row {
        &self.tables[id.0].rows[id.1]
    }

    pub fn value(&self, id: RowId, column: &str) -> &Value {
        self.row(id).get(column).unwrap_or(&Value::Null)
    }

    pub fn all_rows(&self) -> impl Iterator<Item = RowId> + '_ {
        self.tables.iter().enumerate().flat_map(|(table, of)| (0..of.rows.len()).map(move |row| (table, row)))
    }
}
