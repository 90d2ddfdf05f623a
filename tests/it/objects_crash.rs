//! A worker that dies while it erases objects: the next one ends as if nothing had happened, and every outcome is known (E-2, E-3).

use serde_json::{Value, json};

use crate::objects_erase::{fill, objects_map, people};
use crate::support::laws::{ada, configure, erasure_of};
use crate::support::skipped;
use crate::support::store::Store;
use crate::support::workspace::Workspace;

const PLACES: [&str; 12] = [
    "freeze-before-ledger",
    "erase-before-permit",
    "erase-after-permit",
    "erase-before-source-commit",
    "erase-after-source-commit",
    "erase-after-close",
    "erase-after-permit:2",
    "erase-before-source-commit:2",
    "erase-after-source-commit:2",
    "verify-before-record",
    "certify-before-record",
    "certify-after-record",
];

fn submit(workspace: &Workspace) -> String {
    // Several batches, and no long wait for the permit of the dead.
    configure(workspace, "limits: {batch_rows: 1, permit_seconds: 1}");
    let submitted = workspace.habeas("submit -").input(erasure_of(&ada()).to_string()).run().code(0);
    submitted.stdout.trim().to_owned()
}

fn answer(workspace: &Workspace, request: &str) -> Value {
    let shown = workspace.habeas(&format!("request show {request} --json")).run().json();
    json!([shown["status"], shown["items"], shown["residue"], shown["certificate"]["outcome"], shown["certificate"]["level"]])
}

#[test]
fn e_3_an_erasure_of_objects_that_dies_anywhere_ends_as_if_it_had_not() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    let expected: Vec<Value> = Store::each(&people(), &objects_map())
        .into_iter()
        .map(|(workspace, store)| {
            fill(&store);
            let request = submit(&workspace);
            workspace.habeas("worker --once").run().code(0);
            answer(&workspace, &request)
        })
        .collect();
    for place in PLACES {
        for ((workspace, store), expected) in Store::each(&people(), &objects_map()).into_iter().zip(&expected) {
            fill(&store);
            let request = submit(&workspace);
            let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", place).run();
            assert_eq!(died.code, None, "{place} is passed: {died:?}");
            workspace.habeas("worker --once").run().code(0);
            assert_eq!(answer(&workspace, &request), *expected, "{place}");
            assert!(!store.keys().iter().any(|key| key.starts_with("avatars/1/")), "{place}: {:?}", store.keys());
            assert_eq!(store.keys().len(), 4, "{place}: {:?}", store.keys());
            let left: Vec<String> = std::fs::read_dir(workspace.path("spool"))
                .expect("the folder")
                .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
                .filter(|name| name.ends_with(".found"))
                .collect();
            assert!(left.is_empty(), "{place}: {left:?}");
        }
    }
}
