//! The columns of one collection in an archive: those that the map names, that exist, that were asked for and that are not withheld.

use super::Selection;
use super::inside::Inside;
use crate::archive::{ColumnSpec, ForeignKeySpec, TableSpec, period_in_words};
use crate::connector::sql::{Column, Location};
use crate::datamap::{Collection, Dataset, Edge, Field, Graph, Withhold};
use crate::value::ColumnType;

/// A collection's columns, sorted out.
pub struct Columns {
    /// Exported, in the table's own order.
    pub exported: Vec<Column>,
    /// What of each exported column goes out, where the map names its parts.
    pub(super) inside: Vec<Option<Inside>>,
    /// Left out, with the reason.
    pub withheld: Vec<(String, Withhold)>,
    /// Hidden in rows that the subject only accesses.
    pub hidden: Vec<String>,
    /// Live columns that the map does not mention.
    pub not_covered: Vec<String>,
}

impl Columns {
    /// Sorts the columns of a location.
    pub fn of(location: &Location, collection: &Collection, graph: &Graph, selection: &Selection) -> Columns {
        let mut columns =
            Columns { exported: Vec::new(), inside: Vec::new(), withheld: Vec::new(), hidden: Vec::new(), not_covered: Vec::new() };
        for column in &location.table.columns {
            let Some(field) = collection.field(&column.name) else {
                columns.not_covered.push(column.name.clone());
                continue;
            };
            if !selection.takes(collection, field) {
                continue;
            }
            match field.withhold {
                Some(reason) => columns.withheld.push((column.name.clone(), reason)),
                None => {
                    columns.exported.push(column.clone());
                    columns.inside.push(Inside::of(collection, field, selection));
                }
            }
        }
        let into = graph.edges.iter().filter(|edge: &&Edge| edge.to == location.node);
        for name in into.flat_map(|edge| &edge.hide) {
            let is_exported = columns.exported.iter().any(|column| &column.name == name);
            if is_exported && !columns.hidden.contains(name) {
                columns.hidden.push(name.clone());
            }
        }
        columns
    }

    /// What the archive says of the table.
    pub fn table_spec(&self, location: &Location, dataset: &Dataset, collection: &Collection) -> TableSpec {
        let specs = self.exported.iter().map(|column| column_spec(column, collection)).collect();
        let mut spec = TableSpec::new(&dataset.fides_key, &collection.name, specs);
        spec.description = collection.description.clone();
        let exported = |name: &&String| self.exported.iter().any(|column| &&column.name == name);
        if location.table.primary_key.iter().all(|name| exported(&name)) && self.hidden.is_empty() {
            spec.primary_key = location.table.primary_key.clone();
        }
        spec.foreign_keys = foreign_keys(location, dataset, &self.exported);
        spec.purpose = collection.purpose.clone();
        spec.legal_basis = collection.legal_basis.clone();
        spec.categories = categories(collection);
        spec.recipients = collection.recipients.clone();
        spec.retention = collection.retention.as_ref().map(retention_words);
        spec.origin = collection.provided;
        spec.role = dataset.role;
        spec
    }
}

fn column_spec(column: &Column, collection: &Collection) -> ColumnSpec {
    let mut spec = ColumnSpec::new(&column.name, column.column_type);
    if let Some(field) = collection.field(&column.name) {
        spec.description = field.description.clone();
        spec.categories = labels_of(field);
        if !field.fields.is_empty() && column.column_type == ColumnType::Text {
            // SQLite keeps JSON in columns that are declared as text.
            spec.column_type = ColumnType::Json;
        }
    }
    spec
}

/// Labels of a field and of its parts.
fn labels_of(field: &Field) -> Vec<String> {
    let mut labels = field.data_categories.clone();
    labels.extend(field.fields.iter().flat_map(labels_of));
    labels
}

fn foreign_keys(location: &Location, dataset: &Dataset, exported: &[Column]) -> Vec<ForeignKeySpec> {
    let is_exported = |name: &String| exported.iter().any(|column| &column.name == name);
    let keys = location.table.foreign_keys.iter().filter(|key| key.columns.iter().all(is_exported));
    keys.filter(|key| dataset.collections.iter().any(|collection| collection.name == key.referenced.name))
        .map(|key| ForeignKeySpec {
            columns: key.columns.clone(),
            source: dataset.fides_key.clone(),
            table: key.referenced.name.clone(),
            referenced: key.referenced_columns.clone(),
        })
        .collect()
}

fn categories(collection: &Collection) -> Vec<String> {
    let mut labels: Vec<String> = collection.data_categories.clone();
    labels.extend(collection.fields.iter().flat_map(labels_of));
    labels.sort();
    labels.dedup();
    labels
}

fn retention_words(retention: &crate::datamap::Retention) -> String {
    match (&retention.delete_after, &retention.counted_from) {
        (Some(period), Some(from)) => format!("{}, counted from {from}", period_in_words(period)),
        (Some(period), None) => period_in_words(period),
        (None, Some(from)) => format!("counted from {from}"),
        (None, None) => retention.class.clone().unwrap_or_default(),
    }
}
