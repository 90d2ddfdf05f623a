//! What the writer is told of one table: what its columns mean before the rows, and how its rows were counted after them.

use serde::{Deserialize, Serialize};

use crate::datamap::{Provided, Role};
use crate::value::ColumnType;

/// A table about to be written.
#[derive(Debug, Clone)]
pub struct TableSpec {
    /// Key of the dataset.
    pub source: String,
    /// Name of the collection.
    pub table: String,
    /// Name for people.
    pub label: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Columns in the order in which cells will come. May be empty when every column is withheld: then no row can be exported.
    pub columns: Vec<ColumnSpec>,
    /// Names of the primary key's columns.
    pub primary_key: Vec<String>,
    /// References to other tables.
    pub foreign_keys: Vec<ForeignKeySpec>,
    /// What the data is used for (Art. 15(1)(a)).
    pub purpose: Option<String>,
    /// Legal basis of the table, such as `art6_1_b`.
    pub legal_basis: Option<String>,
    /// Labels of the table (Art. 15(1)(b)).
    pub categories: Vec<String>,
    /// Who receives it (Art. 15(1)(c)).
    pub recipients: Vec<String>,
    /// How long it is kept, in words (Art. 15(1)(d)).
    pub retention: Option<String>,
    /// Where it came from (Art. 15(1)(g)).
    pub origin: Option<Provided>,
    /// Whether the company is controller or processor of it.
    pub role: Role,
}

/// A column of such a table.
#[derive(Debug, Clone)]
pub struct ColumnSpec {
    /// Its name.
    pub name: String,
    /// What it holds.
    pub column_type: ColumnType,
    /// Name for people.
    pub label: Option<String>,
    /// What it is.
    pub description: Option<String>,
    /// Its labels.
    pub categories: Vec<String>,
    /// Where its values came from; the table's origin when absent.
    pub origin: Option<Provided>,
    /// Its legal basis; the table's when absent.
    pub legal_basis: Option<String>,
    /// For timestamps without zone: which zone is meant. "Not recorded" when absent.
    pub zone: Option<String>,
    /// Whether its texts are ways to files of the archive, as [`super::ArchiveWriter::keep_file`] gave them: pages link to them.
    pub leads_to_files: bool,
}

impl ColumnSpec {
    /// A column of which only name and type are known.
    pub fn new(name: impl Into<String>, column_type: ColumnType) -> ColumnSpec {
        ColumnSpec {
            name: name.into(),
            column_type,
            label: None,
            description: None,
            categories: Vec::new(),
            origin: None,
            legal_basis: None,
            zone: None,
            leads_to_files: false,
        }
    }
}

impl TableSpec {
    /// A table of which only the place and the columns are known.
    pub fn new(source: impl Into<String>, table: impl Into<String>, columns: Vec<ColumnSpec>) -> TableSpec {
        TableSpec {
            source: source.into(),
            table: table.into(),
            label: None,
            description: None,
            columns,
            primary_key: Vec::new(),
            foreign_keys: Vec::new(),
            purpose: None,
            legal_basis: None,
            categories: Vec::new(),
            recipients: Vec::new(),
            retention: None,
            origin: None,
            role: Role::Controller,
        }
    }
}

/// A reference to another table, as the source or its map declares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignKeySpec {
    /// Columns of this table.
    pub columns: Vec<String>,
    /// Dataset key of the other table.
    pub source: String,
    /// The other table.
    pub table: String,
    /// Its columns.
    pub referenced: Vec<String>,
}

/// How the rows of a table were counted by whoever read them. The writer adds what it wrote and holds both to X-1.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableTally {
    /// Rows of the subject in the source.
    pub found: u64,
    /// Rows left out on purpose.
    pub withheld: Vec<Withheld>,
    /// Rows that could not be read.
    pub failed: u64,
    /// Cells left out of exported rows.
    pub redacted_cells: u64,
    /// The columns those cells are in, with the reason each is left out.
    pub redacted_columns: Vec<(String, String)>,
}

/// Rows left out, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withheld {
    /// How many.
    pub count: u64,
    /// Such as `third_party`.
    pub reason_code: String,
    /// Such as `Art. 15(4) GDPR`.
    pub legal_ref: Option<String>,
    /// The reason in words for the subject.
    pub text: String,
}
