//! Workers that die while they work on a store, and the next one's answer compared with that of one whom nobody disturbed (E-2, E-3).

use serde_json::{Value, json};

use super::laws::{ada, configure, erasure_of};
use super::skipped;
use super::store::Store;
use super::workspace::Workspace;

/// Ada's erasure, submitted; `limits` go into the configuration.
pub fn submit(workspace: &Workspace, limits: &str) -> String {
    configure(workspace, limits);
    let submitted = workspace.habeas("submit -").input(erasure_of(&ada()).to_string()).run().code(0);
    submitted.stdout.trim().to_owned()
}

/// What is to be the same, whoever died.
fn answer(workspace: &Workspace, request: &str) -> Value {
    let shown = workspace.habeas(&format!("request show {request} --json")).run().json();
    json!([shown["status"], shown["items"], shown["residue"], shown["certificate"]["outcome"], shown["certificate"]["level"]])
}

/// An erasure in each of the worlds that `open` makes, with a worker that dies at each place. `check` looks at what is left.
pub fn an_erasure_ends_as_if_nobody_had_died(
    places: &[&str],
    limits: &str,
    open: impl Fn() -> Vec<(Workspace, Store)>,
    check: impl Fn(&str, &Workspace, &Store),
) {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    let undisturbed = |(workspace, _): (Workspace, Store)| {
        let request = submit(&workspace, limits);
        workspace.habeas("worker --once").run().code(0);
        answer(&workspace, &request)
    };
    let expected: Vec<Value> = open().into_iter().map(undisturbed).collect();
    assert!(expected.iter().all(|answer| answer[0] == "completed"), "{expected:?}");
    for place in places {
        for ((workspace, store), expected) in open().into_iter().zip(&expected) {
            let request = submit(&workspace, limits);
            let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", place).run();
            assert_eq!(died.code, None, "{place} is passed: {died:?}");
            workspace.habeas("worker --once").run().code(0);
            assert_eq!(answer(&workspace, &request), *expected, "{place}");
            check(place, &workspace, &store);
        }
    }
}
