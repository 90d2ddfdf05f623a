//! Copies that the database keeps by itself of rows that will be erased: materialised views, and virtual tables that index text. The plan
//! names them with what to run, because erasing a row does not erase them; the value search looks through them afterwards.

use std::collections::BTreeSet;

use super::Desk;
use crate::connector::sql::{Catalogue, TableKind, TableName};
use crate::db::Dialect;
use crate::plan::{Disposition, PlanItem};

impl Desk<'_, '_> {
    pub(super) fn warn_of_copies(&mut self, items: &[PlanItem]) {
        for (name, source) in self.brief.sources {
            let changed = changed_tables(self.brief.graph, name, &source.catalogue, items);
            for view in copies_of(&source.catalogue, &changed) {
                self.warnings.push(format!(
                    "{name}.{view}: this materialised view keeps copies of rows that are erased until it is refreshed; run `REFRESH MATERIALIZED VIEW {view}` after the erasure, or what is left there is reported"
                ));
            }
            if source.catalogue.dialect != Dialect::Sqlite || changed.is_empty() {
                continue;
            }
            let is_mapped =
                |table: &TableName| self.brief.graph.nodes.iter().any(|node| node.source == *name && node.collection == table.name);
            let virtuals: Vec<TableName> =
                source.catalogue.virtual_tables().map(|table| table.name.clone()).filter(|table| !is_mapped(table)).collect();
            for table in virtuals {
                self.warnings.push(format!(
                    "{name}.{table}: this virtual table keeps content of its own; if it indexes text that is erased, let a trigger delete from it, and run `INSERT INTO {0}({0}) VALUES ('rebuild')` or `('optimize')` for FTS, or what is left there is reported",
                    table.name
                ));
            }
        }
    }
}

/// Tables of a source in which the plan changes rows.
pub fn changed_tables(
    graph: &crate::datamap::Graph,
    source: &str,
    catalogue: &Catalogue,
    items: &[PlanItem],
) -> BTreeSet<TableName> {
    let changing =
        items.iter().filter(|item| item.source == source && item.disposition != Disposition::Retain && item.expected > 0);
    let nodes = changing.filter_map(|item| graph.node(&item.dataset, &item.collection)).map(|node| &graph.nodes[node.0]);
    nodes.filter_map(|node| catalogue.find(node.schema.as_deref(), &node.collection)).map(|table| table.name.clone()).collect()
}

/// Materialised views that show rows of these tables.
pub fn copies_of(catalogue: &Catalogue, changed: &BTreeSet<TableName>) -> Vec<TableName> {
    let views = catalogue.tables.values().filter(|table| table.kind == TableKind::MaterialisedView && table.is_populated);
    views.filter(|view| !view.reads.is_disjoint(changed)).map(|view| view.name.clone()).collect()
}
