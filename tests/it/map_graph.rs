//! `habeas map graph`: pictures that stock tools take, whatever the collections and columns are called.

use std::fs;

use super::support::binary::program;
use super::support::skipped;
use super::support::workspace::Workspace;

/// Names that would end a label, begin a comment or a style, or be read as an entity.
const NAMES: [&str; 8] =
    ["a\"]; evil [label=x", "b -- c", "{d} |e| <f>", "g&amp;h", "\u{1f600} \u{645}\u{631}", "`i` #35; %% j", "end", "k\\n\\N\\"];

fn hostile() -> Workspace {
    let mut map = "dataset:\n  - fides_key: app\n    collections:\n      - {name: users, habeas: {on_erasure: delete}, fields: [{name: id}, {name: email, fides_meta: {identity: email}}]}\n".to_owned();
    for (at, name) in NAMES.iter().enumerate() {
        let name = serde_json::Value::String((*name).to_owned());
        let right = ["owns", "accesses", "none"][at % 3];
        map.push_str(&format!(
            "      - {{name: {name}, habeas: {{on_erasure: keep}}, fields: [{{name: {name}, fides_meta: {{references: [{{dataset: app, field: users.id, direction: from}}]}}, habeas: {{right: {right}, where: {{{name}: {name}}}}}}}]}}\n"
        ));
    }
    Workspace::sqlite("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)", &map)
}

#[test]
fn graphviz_draws_what_the_graph_says() {
    let has_graphviz = std::process::Command::new("dot").arg("-V").output().is_ok();
    if !has_graphviz {
        return skipped("graphviz (dot)");
    }
    for workspace in [Workspace::demo(), hostile()] {
        let dot = workspace.habeas("map graph --dot").run().code(0).stdout;
        workspace.write("map.dot", &dot);
        program("dot").args(["-Tsvg", "-o", "map.svg", "map.dot"]).folder(workspace.root()).run().code(0);
        let svg = fs::read_to_string(workspace.path("map.svg")).expect("a picture");
        let graph = workspace.habeas("map graph --json").run().code(0).json();
        let (nodes, edges) = (graph["nodes"].as_array().unwrap(), graph["edges"].as_array().unwrap());
        let identities: usize = nodes.iter().map(|node| node["identities"].as_array().unwrap().len()).sum();
        let kinds: std::collections::BTreeSet<&str> = nodes
            .iter()
            .flat_map(|node| node["identities"].as_array().unwrap())
            .map(|identity| identity["kind"].as_str().unwrap())
            .collect();
        // Each place of objects is drawn with one edge from the rows that name them.
        let objects = graph["objects"].as_array().unwrap().len();
        assert_eq!(svg.matches("class=\"node\"").count(), nodes.len() + kinds.len() + objects);
        assert_eq!(svg.matches("class=\"edge\"").count(), edges.len() + identities + objects);
        if nodes.len() > 1 && nodes.iter().any(|node| node["collection"] == "b -- c") {
            assert!(svg.contains(">app.b &#45;&#45; c<") && svg.contains(">app.g&amp;amp;h<"), "{svg}");
        }
    }
}

#[test]
fn mermaid_has_a_line_for_each_edge_and_no_name_outside_a_label() {
    let workspace = hostile();
    let text = workspace.habeas("map graph --mermaid").run().code(0).stdout;
    let graph = workspace.habeas("map graph --json").run().code(0).json();
    assert!(text.starts_with("flowchart LR\n"), "{text}");
    let arrows = text.lines().filter(|line| ["==>|", "-->|", "-.->|"].iter().any(|arrow| line.contains(arrow))).count();
    assert_eq!(arrows, graph["edges"].as_array().unwrap().len() + 1);
    for line in text.lines() {
        assert!(line.matches('"').count() == 0 || line.matches('"').count() == 2, "{line}");
        let outside: String = line.split('"').step_by(2).collect();
        assert!(outside.chars().all(|c| c.is_ascii_alphanumeric() || " ()[]|=->.,:#".contains(c)), "{line}");
    }
    workspace.habeas("map graph --mermaid --dot").run().code(2);
}

#[test]
fn who_owns_nothing_is_told_apart() {
    let graph = hostile().habeas("map graph --json").run().code(0).json();
    let owned: Vec<(&str, bool)> = graph["nodes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|node| (node["collection"].as_str().unwrap(), node["owned"].as_bool().unwrap()))
        .filter(|(name, _)| ["users", "b -- c"].contains(name))
        .collect();
    assert_eq!(owned, [("b -- c", false), ("users", true)]);
}
