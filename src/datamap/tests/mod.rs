//! Facts about reading a data map as a whole: what a good one says, which mistakes are told, which way data flows, what is unwise.

mod acceptances;
mod accepted;
mod edges;
mod findings;
mod mistakes;
mod reachability;
mod reader;
mod row_sets;

use std::path::PathBuf;

use super::{DataMap, Graph, Loaded, MapErrors, parse};

const SHOP: &str = include_str!("../../../tests/fixtures/fides/shop.yml");

fn read(text: &str) -> Result<Loaded, MapErrors> {
    parse(&[(PathBuf::from("map.yml"), text.to_owned())], false)
}

fn map(text: &str) -> DataMap {
    match read(text) {
        Ok(loaded) => loaded.map,
        Err(errors) => panic!("{errors}"),
    }
}

fn graph(text: &str) -> Graph {
    Graph::build(&map(text))
}

/// All mistakes of a map as people read them.
fn mistakes(text: &str) -> Vec<String> {
    match read(text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.0.iter().map(ToString::to_string).collect(),
    }
}

/// A map of one dataset `app` with these collections, each a line of flow YAML. The first stands on line 4.
fn app(collections: &[&str]) -> String {
    let lines: String = collections.iter().map(|collection| format!("      - {collection}\n")).collect();
    format!("dataset:\n  - fides_key: app\n    collections:\n{lines}")
}

/// The collection that most cases start from: people, found by e-mail.
const USERS: &str =
    "{name: users, habeas: {on_erasure: delete}, fields: [{name: id}, {name: email, fides_meta: {identity: email}}]}";
