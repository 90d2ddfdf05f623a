//! One word for the live schema that a plan rests on: the mapped tables with all that the database enforces or does by itself, and the
//! references of other tables onto them. Rows, statistics and rights are left out, so that only a change of the schema changes it.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use crate::connector::sql::{Catalogue, Rights, SqlSource, Table, TableName};
use crate::crypto::hex;
use crate::datamap::Graph;

/// The digest over all sources that are open.
pub fn schema_digest(graph: &Graph, sources: &BTreeMap<String, SqlSource>) -> String {
    let mut digest = Sha256::new();
    for (name, source) in sources {
        digest.update(format!("{name:?}"));
        add(&mut digest, graph, name, &source.catalogue);
    }
    format!("sha256:{}", hex(&digest.finalize()))
}

fn add(digest: &mut Sha256, graph: &Graph, source: &str, catalogue: &Catalogue) {
    let nodes = graph.nodes.iter().filter(|node| node.source == source);
    let mapped: BTreeSet<&TableName> =
        nodes.filter_map(|node| catalogue.find(node.schema.as_deref(), &node.collection)).map(|table| &table.name).collect();
    for table in catalogue.tables.values() {
        if mapped.contains(&table.name) {
            digest.update(format!("{:?}", bare(table)));
        }
        for key in table.foreign_keys.iter().filter(|key| mapped.contains(&key.referenced)) {
            digest.update(format!("{} {key:?}", table.name));
        }
    }
}

/// A table without what changes from day to day.
fn bare(table: &Table) -> Table {
    let rights = Rights { select: true, update: true, delete: true };
    let mut bare = Table { estimated_rows: None, is_populated: true, rights, ..table.clone() };
    for column in &mut bare.columns {
        (column.may_select, column.may_update) = (true, true);
    }
    // Indexes make nothing possible or impossible; those that are unique stand elsewhere.
    bare.indexes.clear();
    bare
}
