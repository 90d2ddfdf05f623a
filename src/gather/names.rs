//! Whom the identity columns of a collection name: the person whose record a row is, one person who has many rows, or several people. The
//! map may say it; otherwise it is concluded from how collections refer to each other, and what stays unclear counts as several.

use crate::connector::sql::Table;
use crate::datamap::{Graph, IdentityField, Names, Right};

/// Whom the identity columns of a node name.
pub fn names_of(graph: &Graph, at: usize, table: &Table) -> Names {
    let node = &graph.nodes[at];
    if let Some(said) = node.names {
        return said;
    }
    let is_referred_to = |to_others: bool| {
        graph.edges.iter().any(|edge| edge.from.0 == at && (edge.to.0 != at) == to_others && edge.from_columns == table.primary_key)
    };
    let is_the_key = |identity: &IdentityField| identity.path.is_empty() && table.primary_key == [identity.column.clone()];
    let is_record = !node.identities.is_empty() && (node.identities.iter().any(is_the_key) || is_referred_to(true));
    if is_record && !belongs_to_people(graph, at) && tells_people_apart(&node.identities, table) {
        return Names::Account;
    }
    Names::Several
}

/// Whether rows of other people own these: an order with a guest's address is no record of a person, though its lines refer to it.
fn belongs_to_people(graph: &Graph, at: usize) -> bool {
    let owns =
        |from: usize, to: usize| graph.edges.iter().any(|edge| edge.right == Right::Owns && edge.from.0 == from && edge.to.0 == to);
    let has_names = |other: usize| !graph.nodes[other].identities.is_empty();
    (0..graph.nodes.len()).any(|other| other != at && has_names(other) && owns(other, at) && !owns(at, other))
}

/// Two columns for one kind of identifier may be a second address of the same person, or sender and recipient. A person's record can be told
/// by one of them being unique.
fn tells_people_apart(identities: &[IdentityField], table: &Table) -> bool {
    let has_twin = |field: &IdentityField| {
        identities.iter().any(|other| other.kind == field.kind && (&other.column, &other.path) != (&field.column, &field.path))
    };
    let is_unique = |field: &IdentityField| {
        let alone = std::slice::from_ref(&field.column);
        field.path.is_empty() && (table.uniques.iter().any(|unique| unique == alone) || table.primary_key == alone)
    };
    !identities.iter().any(has_twin) || identities.iter().any(is_unique)
}
