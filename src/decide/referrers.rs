//! Who refers to the rows of a collection, as a step of the manifest has to know it: rows that own by referring, and rows that the database
//! would take along.

use crate::connector::sql::{Inbound, Snapshot};
use crate::datamap::{Edge, Graph, Right};
use crate::plan::Referrer;

/// Tables whose rows own rows of this node by referring to them, and those whose rows the database would delete or change together with
/// them (O-1, H-1). What is this subject's there goes first, so that a row that still refers is somebody else's, or kept.
pub(super) fn referrers_of(snapshot: &Snapshot, node: usize) -> Vec<Referrer> {
    let mapped = snapshot
        .mapped_references()
        .iter()
        .filter(|key| key.parent.0 == node && key.child_node.is_none_or(|child| child.0 != node));
    let acting = snapshot.declared_references().iter().filter(|key| key.parent.0 == node && key.on_delete.acts());
    let referrer = |key: &Inbound| Referrer {
        schema: key.child.schema.clone(),
        table: key.child.name.clone(),
        columns: key.child_columns.clone(),
        referred: key.parent_columns.clone(),
        acts: key.on_delete.acts(),
    };
    mapped.chain(acting).map(referrer).collect()
}

/// The same where such rows may stay, with the nodes of their tables, and whether or not the database knows of the reference: it lets a row be
/// changed that others refer to.
pub(super) fn owning_referrers(graph: &Graph, snapshot: &Snapshot, node: usize) -> Vec<(usize, Referrer)> {
    let owning = graph
        .edges
        .iter()
        .filter(|edge| edge.to.0 == node && edge.from != edge.to && edge.right == Right::Owns && !edge.declared_on_to);
    let referrer = |edge: &Edge| {
        let location = snapshot.location(edge.from.0)?;
        Some((
            edge.from.0,
            Referrer {
                schema: location.table.name.schema.clone(),
                table: location.table.name.name.clone(),
                columns: edge.from_columns.clone(),
                referred: edge.to_columns.clone(),
                acts: false,
            },
        ))
    };
    owning.filter_map(referrer).collect()
}
