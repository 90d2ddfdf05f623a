//! Which collections an identity reaches, compared with what Fides' own traversal says of the same maps.

use std::collections::BTreeSet;

use serde::Deserialize;

use super::{SHOP, graph};

const MAPS: &str = include_str!("../../../tests/fixtures/fides/reachability.yml");
const EXPECTED: &str = include_str!("../../../tests/fixtures/fides/reachability.json");

#[derive(Deserialize)]
struct Case {
    dataset: String,
    /// Kinds of identifier that a request carries.
    identities: Vec<String>,
    /// Collections that Fides visits; absent where it refuses the whole request.
    reached: Option<BTreeSet<String>>,
    /// Collections that only an identity would reach that was not given.
    #[serde(default)]
    by_another_identity: BTreeSet<String>,
    /// Collections that no identity reaches.
    by_none: BTreeSet<String>,
}

#[test]
fn the_same_collections_are_reached_as_by_fides() {
    let graph = graph(MAPS);
    let cases: Vec<Case> = serde_json::from_str(EXPECTED).unwrap();
    assert_eq!(cases.len(), 24);
    for case in cases {
        let kinds: Vec<&str> = case.identities.iter().map(String::as_str).collect();
        let names = |flags: &[bool], wanted: bool| -> BTreeSet<String> {
            let nodes = graph.nodes.iter().zip(flags).filter(|(node, flag)| node.dataset == case.dataset && **flag == wanted);
            nodes.map(|(node, _)| node.collection.clone()).collect()
        };
        let (given, any) = (graph.reachable(Some(&kinds)), graph.reachable(None));
        let by_another: Vec<bool> = given.iter().zip(&any).map(|(given, any)| !given && *any).collect();
        let told = format!("{} by {}", case.dataset, kinds.join(", "));
        assert_eq!(names(&any, false), case.by_none, "{told}: by none");
        if let Some(reached) = &case.reached {
            assert_eq!(&names(&given, true), reached, "{told}: reached");
            assert_eq!(names(&by_another, true), case.by_another_identity, "{told}: by another identity");
        }
    }
}

#[test]
fn an_email_reaches_every_table_of_the_shop() {
    let graph = graph(SHOP);
    assert!(graph.reachable(Some(&["email"])).iter().all(|reached| *reached));
    assert!(!graph.reachable(Some(&["phone_number"])).iter().any(|reached| *reached));
    assert!(!graph.reachable(Some(&[])).iter().any(|reached| *reached));
}

/// Whoever calls is shown whom they look after, and not what those have: the telephone alone leads no further than to them.
#[test]
fn x_1_an_identity_that_only_shows_people_does_not_reach_what_they_have() {
    let graph = graph(
        "
dataset:
  - fides_key: app
    collections:
      - name: carers
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: phone, fides_meta: {identity: phone_number}}
      - name: users
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, fides_meta: {identity: email}}
          - {name: carer, fides_meta: {references: [{dataset: app, field: carers.id, direction: from}]}, habeas: {right: accesses}}
      - name: orders
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: user_id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}
",
    );
    for (kinds, expected) in [
        (["phone_number"].as_slice(), [true, false, true]),
        (["email"].as_slice(), [false, true, true]),
        (["email", "phone_number"].as_slice(), [true, true, true]),
    ] {
        assert_eq!(graph.reachable(Some(kinds)), expected, "carers, orders, users by {kinds:?}");
    }
}
