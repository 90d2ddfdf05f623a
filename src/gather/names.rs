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
    // `map check` refuses such a map, and one of accounts with two columns of a kind. What it leaves open is never taken for one person's all
    // the same.
    if !node.left_open().is_empty() {
        return Names::Several;
    }
    let is_referred_to = |to_others: bool| {
        graph.edges.iter().any(|edge| edge.from.0 == at && (edge.to.0 != at) == to_others && edge.from_columns == table.primary_key)
    };
    let is_the_key = |identity: &IdentityField| identity.path.is_empty() && table.primary_key == [identity.column.clone()];
    let is_record = !node.identities.is_empty() && (node.identities.iter().any(is_the_key) || is_referred_to(true));
    if is_record && !belongs_to_people(graph, at) && are_of_different_kinds(&node.identities) {
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

/// Two columns for one kind of identifier may be a second address of the same person, an emergency contact, or sender and recipient.
fn are_of_different_kinds(identities: &[IdentityField]) -> bool {
    let has_twin = |field: &IdentityField| identities.iter().any(|other| other.kind == field.kind && other != field);
    !identities.iter().any(has_twin)
}

/// Whether a field tells whose record a row is: a column that is never the same in two rows.
pub(super) fn holds_the_record(field: &IdentityField, table: &Table) -> bool {
    field.path.is_empty() && table.names_one_row(std::slice::from_ref(&field.column))
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::connector::sql::{TableKind, TableName};
    use crate::datamap;

    fn concluded(habeas: &str, fields: &str) -> Names {
        let text = format!(
            "dataset:\n  - fides_key: app\n    collections:\n      - name: accounts\n        habeas: {{on_erasure: delete{habeas}}}\n        \
             fields: [{{name: id, fides_meta: {{primary_key: true}}}}, {fields}]\n      - name: orders\n        habeas: {{on_erasure: delete}}\n        \
             fields: [{{name: account_id, fides_meta: {{references: [{{dataset: app, field: accounts.id, direction: from}}]}}}}]\n"
        );
        let loaded = datamap::parse(&[(PathBuf::from("app.yml"), text)], false).unwrap_or_else(|errors| panic!("{errors}"));
        let mut table = Table::new(TableName { schema: "main".into(), name: "accounts".into() }, TableKind::Table);
        table.primary_key = vec!["id".into()];
        table.uniques = vec![vec!["email".into()]];
        let graph = Graph::build(&loaded.map);
        names_of(&graph, graph.node("app", "accounts").unwrap().0, &table)
    }

    #[test]
    fn o_1_a_name_inside_json_beside_another_is_never_concluded_to_be_the_same_persons() {
        let column = "{name: email, fides_meta: {identity: email}}";
        let inside = |kind: &str| format!("{{name: settings, fields: [{{name: contact, fides_meta: {{identity: {kind}}}}}]}}");
        assert_eq!(concluded("", column), Names::Account);
        assert_eq!(concluded("", &inside("email")), Names::Account, "the only one there is");
        let second = "{name: second, fides_meta: {identity: email}}";
        assert_eq!(concluded("", &format!("{column}, {second}")), Names::Several, "an address of somebody else, perhaps");
        assert_eq!(concluded(", names: account", &format!("{column}, {second}")), Names::Account);
        for kind in ["email", "phone_number"] {
            assert_eq!(concluded("", &format!("{column}, {}", inside(kind))), Names::Several, "{kind}");
            assert_eq!(
                concluded(", names: account", &format!("{column}, {}", inside(kind))),
                Names::Account,
                "{kind}, as the map says"
            );
        }
    }
}
