//! Which way data flows, and what an edge carries.

use std::fmt::Write;

use super::{SHOP, USERS, app, graph};
use crate::datamap::{Edge, Graph, NodeId, Right};

fn line(graph: &Graph, edge: &Edge) -> String {
    let name = |node: NodeId| graph.nodes[node.0].collection.clone();
    format!("{}({}) -> {}({})", name(edge.from), edge.from_columns.join(","), name(edge.to), edge.to_columns.join(","))
}

fn lines(graph: &Graph) -> Vec<String> {
    graph.edges.iter().map(|edge| line(graph, edge)).collect()
}

/// A collection with one field `x` that references `field`.
fn referring(name: &str, field: &str, direction: &str, habeas: &str) -> String {
    let direction = if direction.is_empty() { String::new() } else { format!(", direction: {direction}") };
    format!(
        "{{name: {name}, fields: [{{name: id}}, {{name: x, fides_meta: {{references: [{{dataset: app, field: {field}{direction}}}]}}, habeas: {{{habeas}}}}}]}}"
    )
}

#[test]
fn direction_decides_which_way_data_flows() {
    let from = graph(&app(&[USERS, &referring("t", "users.id", "from", "")]));
    assert_eq!(lines(&from), ["users(id) -> t(x)"]);
    assert!(from.edges[0].declared_on_to);
    let to = graph(&app(&[USERS, &referring("t", "users.id", "to", "")]));
    assert_eq!(lines(&to), ["t(x) -> users(id)"]);
    assert!(!to.edges[0].declared_on_to);
}

#[test]
fn an_undirected_reference_flows_from_where_the_identity_is() {
    let child = graph(&app(&[USERS, &referring("t", "users.id", "", "")]));
    assert_eq!(lines(&child), ["users(id) -> t(x)"]);
    let parent = "{name: t, fields: [{name: id}, {name: mail, fides_meta: {identity: email, references: [{dataset: app, field: plain.id}]}}]}";
    let parent = graph(&app(&[parent, "{name: plain, fields: [{name: id}]}"]));
    assert_eq!(lines(&parent), ["t(mail) -> plain(id)"]);
}

#[test]
fn an_undirected_reference_is_one_edge_even_in_a_cycle() {
    let graph = graph(&app(&[
        USERS,
        &referring("a", "users.id", "", ""),
        &referring("b", "a.id", "", ""),
        &referring("c", "b.id", "", ""),
    ]));
    assert_eq!(lines(&graph), ["users(id) -> a(x)", "a(id) -> b(x)", "b(id) -> c(x)"]);
    assert!(graph.reachable(None).iter().all(|reached| *reached));
}

#[test]
fn a_collection_may_reference_itself() {
    let staff = "{name: staff, fields: [{name: id, fides_meta: {identity: staff_id}}, {name: boss, fides_meta: {references: [{dataset: app, field: staff.id, direction: from}]}}]}";
    let graph = graph(&app(&[staff]));
    assert_eq!(lines(&graph), ["staff(id) -> staff(boss)"]);
    assert_eq!(graph.reachable(None), [true]);
}

#[test]
fn cycles_are_ordinary() {
    let ring = |name: &str, before: &str| referring(name, before, "from", "");
    let graph = graph(&app(&[USERS, &ring("a", "c.id"), &ring("b", "a.id"), &ring("c", "b.id"), &ring("d", "users.id")]));
    let by_name = |name: &str| graph.reachable(None)[graph.node("app", name).unwrap().0];
    assert!(!by_name("a") && !by_name("b") && !by_name("c"), "a ring that nothing leads into is not reached");
    assert!(by_name("d"));
}

#[test]
fn fields_with_one_edge_name_form_a_composite_key() {
    let part = |name: &str, habeas: &str| {
        format!(
            "{{name: {name}, fides_meta: {{references: [{{dataset: app, field: members.{name}, direction: from}}]}}, habeas: {{edge: member{habeas}}}}}"
        )
    };
    let members = "{name: members, fields: [{name: user}, {name: tenant}, {name: mail, fides_meta: {identity: email}}]}";
    let posts = format!(
        "{{name: posts, fields: [{}, {}, {{name: note}}]}}",
        part("user", ", right: accesses"),
        part("tenant", ", hide: [note]")
    );
    let graph = graph(&app(&[members, &posts]));
    assert_eq!(lines(&graph), ["members(tenant,user) -> posts(tenant,user)"]);
    assert_eq!((graph.edges[0].right, graph.edges[0].hide.as_slice()), (Right::Accesses, ["note".to_owned()].as_slice()));
}

#[test]
fn several_references_without_an_edge_name_are_several_edges() {
    let posts = "{name: posts, fields: [{name: author, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}, {name: editor, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}]}";
    assert_eq!(lines(&graph(&app(&[USERS, posts]))), ["users(id) -> posts(author)", "users(id) -> posts(editor)"]);
}

#[test]
fn a_right_of_none_is_known_but_not_followed() {
    let graph = graph(&app(&[USERS, &referring("t", "users.id", "from", "right: none")]));
    assert!(graph.edges.is_empty());
    assert_eq!(line(&graph, &graph.ignored[0]), "users(id) -> t(x)");
    assert!(!graph.reachable(None)[graph.node("app", "t").unwrap().0]);
}

#[test]
fn o_1_a_join_declared_on_both_sides_is_one_edge_and_the_careful_side_counts() {
    let users = "{name: users, fields: [{name: email, fides_meta: {identity: email}}, {name: id, fides_meta: {references: [{dataset: app, field: t.x, direction: to}]}}]}";
    let careful =
        graph(&app(&[users, &referring("t", "users.id", "from", "right: accesses, on_erasure: unlink, where: {id: {gt: 0}}")]));
    assert_eq!(lines(&careful), ["users(id) -> t(x)"]);
    let edge = &careful.edges[0];
    assert_eq!((edge.right, edge.unlink, edge.declared_on_to, edge.filter.is_some()), (Right::Accesses, true, true, true));
    let none = graph(&app(&[users, &referring("t", "users.id", "from", "right: none")]));
    assert_eq!((none.edges.len(), none.ignored.len()), (0, 1));
}

#[test]
fn what_is_left_out_of_the_map_is_no_node() {
    let skipped = "{name: a, fides_meta: {skip_processing: true}, fields: [{name: m, fides_meta: {identity: email}}]}";
    let elsewhere = "{name: b, habeas: {held_by: the own device}, fields: []}";
    let graph = graph(&app(&[skipped, elsewhere, USERS]));
    assert_eq!(graph.nodes.len(), 1);
    assert_eq!(graph.node("app", "a"), None);
}

#[test]
fn a_node_knows_its_source_and_identities() {
    let text = app(&[USERS]).replace("fides_key: app\n", "fides_key: app\n    habeas: {source: main}\n");
    let graph = graph(&text);
    assert_eq!((graph.nodes[0].dataset.as_str(), graph.nodes[0].source.as_str()), ("app", "main"));
    assert_eq!((graph.nodes[0].identities[0].column.as_str(), graph.nodes[0].identities[0].kind.as_str()), ("email", "email"));
}

#[test]
fn edges_are_found_by_either_end() {
    let graph = graph(SHOP);
    let node = |name| graph.node("postgres_example_test_dataset", name).unwrap();
    let into = graph.edges_into(node("address")).count();
    assert_eq!(into, 4, "customer, employee, orders, payment_card");
    assert_eq!(graph.edges_from(node("customer")).count(), 4, "address, login, orders, payment_card");
}

#[test]
fn the_picture_and_the_listing_show_every_edge() {
    let collections = [
        USERS,
        &referring("t", "users.id", "from", "right: accesses, hide: [id]"),
        &referring("no", "users.id", "from", "right: none"),
    ];
    let graph = graph(&app(&collections));
    let mut text = String::new();
    writeln!(text, "app.no\n  not from app.users: id -> x, none\n  no identity reaches it").unwrap();
    writeln!(text, "app.t\n  from app.users: id -> x, accesses, hides id\n  nobody's: rows are only accessed").unwrap();
    writeln!(text, "app.users\n  by identity email: email").unwrap();
    assert_eq!(graph.to_text(), text);
    let dot = graph.to_dot();
    assert!(dot.starts_with("digraph data_map {"), "{dot}");
    assert!(dot.contains(r#"n2 -> n1 [label="id → x\naccesses\nhides id", style=solid];"#), "{dot}");
    assert!(dot.contains(r#"n2 -> n0 [label="id → x\nnone", style=dotted];"#), "{dot}");
    assert!(dot.contains(r#"n0 [label="app.no\nno identity reaches it", style=dashed];"#), "{dot}");
    assert!(dot.contains(r#"n1 [label="app.t\nnobody's: only accessed", style=filled, fillcolor=lightgrey];"#), "{dot}");
    assert!(dot.contains(r#"i0 -> n2 [label="email"];"#), "{dot}");
    let mermaid = graph.to_mermaid();
    assert!(mermaid.contains(r#"n2 -->|"id → x<br/>accesses<br/>hides id"| n1"#), "{mermaid}");
    assert!(mermaid.contains(r#"n2 -.->|"id → x<br/>none"| n0"#), "{mermaid}");
    assert!(mermaid.contains("class n1 unowned") && mermaid.contains("class n0 unreached"), "{mermaid}");
}
