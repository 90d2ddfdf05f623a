//! The live catalogue of a source, read before anything is planned: what really is there, whatever the map says.

use std::collections::{BTreeMap, BTreeSet};

use super::trigger::Trigger;
use super::words::tokens;
use crate::db::Dialect;
use crate::value::ColumnType;

/// Schema-qualified name of a table. SQLite tables have the schema `main`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableName {
    /// Schema.
    pub schema: String,
    /// Table.
    pub name: String,
}

impl std::fmt::Display for TableName {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}.{}", self.schema, self.name)
    }
}

/// Everything that planning needs to know of a source.
#[derive(Debug, Clone)]
pub struct Catalogue {
    /// Which SQL it speaks.
    pub dialect: Dialect,
    /// What tells this database from another: PostgreSQL system identifier and database oid, SQLite file identity, MySQL server and schema.
    pub system_identity: String,
    /// Whether the server can take writes (not a standby, not opened read-only).
    pub writable: bool,
    /// The schema of tables for which the map names none: `public`, `main`, or the database of a MySQL address.
    pub default_schema: String,
    /// All tables and views outside the system schemas.
    pub tables: BTreeMap<TableName, Table>,
    /// A word that differs as soon as anything in the schema has changed; cheap to ask for again.
    pub version: String,
}

/// What a relation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TableKind {
    /// An ordinary or partitioned table.
    Table,
    /// A view.
    View,
    /// A materialised view, which keeps copies.
    MaterialisedView,
    /// A foreign or virtual table.
    Foreign,
}

/// A relation of the live schema.
#[derive(Debug, Clone)]
pub struct Table {
    /// Its name.
    pub name: TableName,
    /// What it is.
    pub kind: TableKind,
    /// Columns in their order.
    pub columns: Vec<Column>,
    /// Columns of the primary key in key order; empty when there is none.
    pub primary_key: Vec<String>,
    /// Unique constraints and indexes (without the primary key).
    pub uniques: Vec<Vec<String>>,
    /// Column lists of all usable indexes, primary key and uniques included.
    pub indexes: Vec<Vec<String>>,
    /// Foreign keys of this table.
    pub foreign_keys: Vec<ForeignKey>,
    /// Unique indexes that are partial or on expressions, and exclusion constraints.
    pub narrow_uniques: Vec<NarrowUnique>,
    /// Columns of keys under which a new value takes the place of the row that has it already (SQLite's `ON CONFLICT REPLACE`).
    pub replacing: Vec<Vec<String>>,
    /// CHECK constraints.
    pub checks: Vec<Check>,
    /// Triggers that fire on DELETE or UPDATE, and rewrite rules.
    pub triggers: Vec<Trigger>,
    /// Whether row security can hide rows from our role.
    pub row_security: bool,
    /// Tables that inherit from this one: its statements see and change their rows as well. Partitions are not among them.
    pub inherited_by: BTreeSet<TableName>,
    /// Names of its partitions.
    pub partitions: BTreeSet<TableName>,
    /// Of a view: the tables that it shows rows of.
    pub reads: BTreeSet<TableName>,
    /// Of a materialised view: whether it holds rows at all.
    pub is_populated: bool,
    /// Rows as the server estimates them; `None` when it does not know.
    pub estimated_rows: Option<u64>,
    /// What our role may do.
    pub rights: Rights,
    /// Why nothing in it can be erased for good, where that is so.
    pub obstacle: Option<Obstacle>,
}

/// Why rows of a table cannot be erased for good, whatever our role may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What stands in the way.
    pub problem: String,
    /// What the owner of the database can do about it.
    pub hint: String,
}

/// What our role may do with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rights {
    /// SELECT.
    pub select: bool,
    /// UPDATE.
    pub update: bool,
    /// DELETE.
    pub delete: bool,
}

/// A column of the live schema.
#[derive(Debug, Clone)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// The type as the database writes it, fit for a cast (`character varying(40)`).
    pub declared_type: String,
    /// The same in our words.
    pub column_type: ColumnType,
    /// NOT NULL (primary key columns included).
    pub not_null: bool,
    /// Computed by the database; cannot be written.
    pub generated: bool,
    /// Characters at most.
    pub max_length: Option<usize>,
    /// How MySQL compares it; other databases do not need it.
    pub collation: Option<String>,
    /// Whether our role may read it, and write it where it may write the table at all.
    pub may_select: bool,
    /// Whether our role may overwrite it.
    pub may_update: bool,
    /// Columns from which the database computes it.
    pub computed_from: Vec<String>,
}

/// A constraint that lets equal values be in some rows only: not a key, but a mask can break it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NarrowUnique {
    /// Its name.
    pub name: String,
    /// All columns that it looks at.
    pub columns: BTreeSet<String>,
    /// Whether NULL counts as equal to NULL.
    pub nulls_collide: bool,
}

/// A CHECK constraint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Its name; made up where it has none.
    pub name: String,
    /// The condition, as the database writes it.
    pub condition: String,
}

/// What happens to a referencing row when the referenced one is deleted, or its key changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDelete {
    /// NO ACTION.
    NoAction,
    /// RESTRICT.
    Restrict,
    /// CASCADE.
    Cascade,
    /// SET NULL.
    SetNull,
    /// SET DEFAULT.
    SetDefault,
}

/// A foreign key.
#[derive(Debug, Clone)]
pub struct ForeignKey {
    /// Its name; made up for SQLite (`fk_0`).
    pub name: String,
    /// Columns of this table.
    pub columns: Vec<String>,
    /// The table it points to.
    pub referenced: TableName,
    /// The columns it points to, resolved to the primary key where the declaration leaves them out.
    pub referenced_columns: Vec<String>,
    /// ON DELETE.
    pub on_delete: OnDelete,
    /// ON UPDATE.
    pub on_update: OnDelete,
    /// DEFERRABLE.
    pub deferrable: bool,
}

impl Check {
    /// Whether the condition names a column.
    pub fn names(&self, column: &str) -> bool {
        tokens(&self.condition).iter().any(|token| token.as_name().is_some_and(|name| name.eq_ignore_ascii_case(column)))
    }
}

impl OnDelete {
    /// Whether the database changes the referencing row by itself.
    pub fn acts(self) -> bool {
        matches!(self, OnDelete::Cascade | OnDelete::SetNull | OnDelete::SetDefault)
    }
}

impl Table {
    /// A table of which nothing but its name is known, and that our role may do anything with.
    pub fn new(name: TableName, kind: TableKind) -> Table {
        Table {
            name,
            kind,
            columns: Vec::new(),
            primary_key: Vec::new(),
            uniques: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            narrow_uniques: Vec::new(),
            replacing: Vec::new(),
            checks: Vec::new(),
            triggers: Vec::new(),
            row_security: false,
            inherited_by: BTreeSet::new(),
            partitions: BTreeSet::new(),
            reads: BTreeSet::new(),
            is_populated: true,
            estimated_rows: None,
            rights: Rights { select: true, update: true, delete: true },
            obstacle: None,
        }
    }

    /// A column by name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// Whether these columns, equal to given values, are so in one row at most: a primary key or a unique constraint or index lies among them.
    pub fn names_one_row(&self, columns: &[String]) -> bool {
        let keys = std::iter::once(&self.primary_key).chain(&self.uniques).filter(|key| !key.is_empty());
        keys.into_iter().any(|key| key.iter().all(|name| columns.contains(name)))
    }

    /// Whether an index starts with these columns, in any order among them.
    pub fn has_index_on(&self, columns: &[String]) -> bool {
        self.indexes.iter().any(|index| index.len() >= columns.len() && index[..columns.len()].iter().all(|c| columns.contains(c)))
    }
}

impl Column {
    /// A column of which nothing but its name and type is known.
    pub fn new(name: impl Into<String>, declared_type: impl Into<String>, column_type: ColumnType) -> Column {
        Column {
            name: name.into(),
            declared_type: declared_type.into(),
            column_type,
            not_null: false,
            generated: false,
            max_length: None,
            collation: None,
            may_select: true,
            may_update: true,
            computed_from: Vec::new(),
        }
    }
}

impl Catalogue {
    /// SQLite's virtual tables, without the shadow tables in which they keep their content (`notes_content` of `notes`).
    pub fn virtual_tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values().filter(|table| table.kind == TableKind::Foreign && !self.is_shadow(table))
    }

    /// Whether the table only stores the content of a virtual table.
    pub fn is_shadow(&self, table: &Table) -> bool {
        let is_part_of = |other: &Table| table.name.name.strip_prefix(&other.name.name).is_some_and(|rest| rest.starts_with('_'));
        table.kind == TableKind::Foreign && self.tables.values().any(|other| other.kind == TableKind::Foreign && is_part_of(other))
    }

    /// A table by the dataset's schema (when the map gives one) and name: otherwise the default schema, then the only schema that has it.
    pub fn find(&self, schema: Option<&str>, name: &str) -> Option<&Table> {
        if let Some(schema) = schema {
            return self.tables.get(&TableName { schema: schema.into(), name: name.into() });
        }
        if let Some(table) = self.tables.get(&TableName { schema: self.default_schema.clone(), name: name.into() }) {
            return Some(table);
        }
        let mut candidates = self.tables.values().filter(|table| table.name.name == name);
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Some(only),
            _ => None,
        }
    }
}
