//! A collection of the map tied to its table in the live catalogue: what the statements about it need to know.

use super::{Catalogue, Column, OnDelete, Table, TableKind, TableName};
use crate::datamap::{Graph, NodeId, Right};
use crate::db::Dialect;

/// A mapped collection in a live source.
#[derive(Debug, Clone)]
pub struct Location {
    /// Its node in the graph.
    pub node: NodeId,
    /// Dataset key.
    pub dataset: String,
    /// Collection name.
    pub collection: String,
    /// The live table.
    pub table: Table,
    /// How its rows are told apart.
    pub key: RowKey,
}

/// What identifies a row.
#[derive(Debug, Clone)]
pub enum RowKey {
    /// The primary key.
    Primary(Vec<Column>),
    /// The row's physical address (`ctid`, `rowid`): good within one snapshot, so it can be exported but never erased by (E-1).
    Physical,
}

impl Location {
    /// Ties a collection to its table. A SQLite key that admits NULL tells rows apart no better than none.
    pub fn new(node: NodeId, dataset: &str, collection: &str, table: &Table) -> Location {
        let columns: Vec<Column> = table.primary_key.iter().filter_map(|name| table.column(name)).cloned().collect();
        let sound = !columns.is_empty() && columns.iter().all(|column| column.not_null);
        let key = if sound { RowKey::Primary(columns) } else { RowKey::Physical };
        Location { node, dataset: dataset.to_owned(), collection: collection.to_owned(), table: table.clone(), key }
    }

    /// Whether rows have neither a key nor an address, as those of a view: all their columns together have to do.
    pub fn is_known_by_content(&self) -> bool {
        matches!(self.key, RowKey::Physical) && matches!(self.table.kind, TableKind::View | TableKind::Foreign)
    }

    /// How many parts the key has.
    pub fn key_width(&self) -> usize {
        match &self.key {
            RowKey::Primary(columns) => columns.len(),
            RowKey::Physical => 1,
        }
    }

    /// Names of the primary key's columns; none for a table without one.
    pub fn key_columns(&self) -> Vec<&str> {
        match &self.key {
            RowKey::Primary(columns) => columns.iter().map(|column| column.name.as_str()).collect(),
            RowKey::Physical => Vec::new(),
        }
    }

    /// The type for a cast of one key part from text.
    pub fn key_type(&self, part: usize, dialect: Dialect) -> &str {
        match &self.key {
            RowKey::Primary(columns) => &columns[part].declared_type,
            RowKey::Physical if self.is_known_by_content() => "text",
            RowKey::Physical if dialect == Dialect::Postgres => "tid",
            RowKey::Physical => "INTEGER",
        }
    }

    /// Name of the temporary table that holds the keys reached in a snapshot.
    pub fn reach(&self) -> String {
        format!("habeas_reach_{}", self.node.0)
    }
}

/// A foreign key from any live table, mapped or not, onto a mapped one.
#[derive(Debug, Clone)]
pub struct Inbound {
    /// The referencing table.
    pub child: TableName,
    /// Its mapped location, if it has one.
    pub child_node: Option<NodeId>,
    /// Referencing columns.
    pub child_columns: Vec<String>,
    /// The referenced mapped location.
    pub parent: NodeId,
    /// Referenced columns.
    pub parent_columns: Vec<String>,
    /// What the database does to the child.
    pub on_delete: OnDelete,
    /// Whether the check can wait for the commit.
    pub deferrable: bool,
}

/// References that only the map knows: an owning edge that stands on the owner's side (`customers.address_id`). For order, for kept rows and
/// for what would be left behind they count like foreign keys. Columns of different types are left to the edge alone.
pub fn mapped_references(graph: &Graph, locations: &[Location], known: &[Inbound]) -> Vec<Inbound> {
    let location_of = |node: NodeId| locations.iter().find(|location| location.node == node);
    let mut found = Vec::new();
    for edge in graph.edges.iter().filter(|edge| edge.right == Right::Owns && !edge.declared_on_to) {
        let (Some(child), Some(parent)) = (location_of(edge.from), location_of(edge.to)) else { continue };
        let column_type = |location: &Location, name: &String| location.table.column(name).map(|column| column.column_type);
        let fits =
            edge.from_columns.iter().zip(&edge.to_columns).all(|(from, to)| column_type(child, from) == column_type(parent, to));
        let declared = known.iter().any(|key| {
            key.child_node == Some(edge.from)
                && key.parent == edge.to
                && key.child_columns == edge.from_columns
                && key.parent_columns == edge.to_columns
        });
        if fits && !declared {
            found.push(Inbound {
                child: child.table.name.clone(),
                child_node: Some(edge.from),
                child_columns: edge.from_columns.clone(),
                parent: edge.to,
                parent_columns: edge.to_columns.clone(),
                on_delete: OnDelete::NoAction,
                deferrable: false,
            });
        }
    }
    found
}

/// All foreign keys of a catalogue that point to one of these locations.
pub fn inbound_keys(catalogue: &Catalogue, locations: &[Location]) -> Vec<Inbound> {
    let node_of = |name: &TableName| locations.iter().find(|location| &location.table.name == name).map(|location| location.node);
    let mut found = Vec::new();
    for table in catalogue.tables.values() {
        for key in &table.foreign_keys {
            // Two datasets may see the same table.
            for parent in locations.iter().filter(|location| location.table.name == key.referenced) {
                found.push(Inbound {
                    child: table.name.clone(),
                    child_node: node_of(&table.name),
                    child_columns: key.columns.clone(),
                    parent: parent.node,
                    parent_columns: key.referenced_columns.clone(),
                    on_delete: key.on_delete,
                    deferrable: key.deferrable,
                });
            }
        }
    }
    found
}
