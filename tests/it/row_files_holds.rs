//! Holds and rows inside objects: what a lock or a hold keeps of a key keeps the key as it is, with the rows of tables that lead to it (H-1).

use serde_json::{Value, json};

use crate::row_files::{JSON, OTHERS, events_map};
use crate::row_files_erase::LEFT;
use crate::support::laws::{PEOPLE, ada, configure, erase_ada, erasure_of, hold, item, numbers};
use crate::support::s3::bucket::Versioning;
use crate::support::s3::version::Retention;
use crate::support::skipped;
use crate::support::store::{BUCKET, Store};

fn fill(store: &Store) {
    for key in ["events/a.jsonl", "events/b.jsonl"] {
        store.put(key, JSON.as_bytes());
    }
}

fn by_hold(done: &Value) -> &Value {
    let kept = item(done, "events")["retained"].as_array().expect("a list");
    kept.iter().find(|kept| kept["ground"] == "hold").unwrap_or_else(|| panic!("nothing is held: {done}"))
}

#[test]
fn h_1_a_hold_on_the_person_the_collection_or_one_object_keeps_its_rows() {
    for (scope, left) in [
        (json!({"subject": ada()}), [JSON, JSON]),
        (json!({"collection": {"dataset": "app", "collection": "events"}}), [JSON, JSON]),
        (json!({"record": {"dataset": "app", "collection": "events", "key": ["events/a.jsonl"]}}), [JSON, LEFT]),
        (json!({"predicate": {"dataset": "app", "collection": "events", "where": {"what": 1}}}), [JSON, JSON]),
    ] {
        for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
            fill(&store);
            let placed = json!({"matter": "M-7", "reason": "litigation", "scope": scope});
            let said = workspace.habeas("hold place - --by grace --json").input(placed.to_string()).run();
            assert_eq!(said.code, Some(0), "{scope}: {said:?}");
            let done = erase_ada(&workspace).json();
            assert_ne!(done["status"], "completed", "{scope}: {done}");
            assert_eq!(
                [store.bytes("events/a.jsonl"), store.bytes("events/b.jsonl")],
                left.map(|text| text.as_bytes().to_vec()),
                "{scope}"
            );
            assert!(numbers(&workspace, "users", "id").contains(&1), "{scope}: what leads to the held rows stays");
        }
    }
}

#[test]
fn h_1_a_lock_of_the_store_on_any_version_with_her_rows_keeps_the_whole_key() {
    let soon = std::time::Duration::from_secs(3_600);
    for how in ["hold", "governance", "compliance"] {
        let (workspace, store) = Store::lockable(PEOPLE, &events_map("format: jsonl"));
        let until = store.server().clock().stamp_in(soon);
        store.server().place_with(BUCKET, "events/a.jsonl", JSON.as_bytes().to_vec(), |about| match how {
            "hold" => about.hold = true,
            mode => about.retention = Some(Retention { compliance: mode == "compliance", until }),
        });
        fill(&store);
        let done = erase_ada(&workspace).json();
        assert_eq!(done["status"], "partial", "{how}: {done}");
        assert_eq!((&by_hold(&done)["ref"], &by_hold(&done)["count"]), (&json!("lock of the store"), &json!(2)), "{how}: {done}");
        assert_eq!(store.versions("events/a.jsonl"), [JSON.as_bytes(), JSON.as_bytes()], "{how}");
        assert_eq!(store.versions("events/b.jsonl"), [LEFT.as_bytes()], "{how}: the rest proceeds");
        assert!(numbers(&workspace, "users", "id").contains(&1), "{how}: what leads to the held rows stays");
        assert!(store.server().journal().all().iter().all(|request| !request.bypasses_governance()), "{how}");
    }
}

#[test]
fn a_lock_on_a_version_without_her_rows_keeps_that_version_and_nothing_else() {
    let (workspace, store) = Store::lockable(PEOPLE, &events_map("format: jsonl"));
    store.server().place_with(BUCKET, "events/a.jsonl", OTHERS.as_bytes().to_vec(), |about| about.hold = true);
    fill(&store);
    let done = erase_ada(&workspace).json();
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(store.versions("events/a.jsonl"), [LEFT.as_bytes(), OTHERS.as_bytes()]);
}

#[test]
fn h_1_an_older_version_with_rows_of_others_stays_while_anybody_is_held() {
    let grace = json!({"subject": {"email": "grace@example.com"}});
    // Grace's row stands in the older version alone.
    for (older, left) in [(JSON, [OTHERS, JSON].as_slice()), ("{\"user\":1}\n", [OTHERS].as_slice())] {
        let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
        store.put("events/a.jsonl", older.as_bytes());
        store.put("events/a.jsonl", OTHERS.as_bytes());
        store.put("events/b.jsonl", JSON.as_bytes());
        hold(&workspace, "M-9", &grace);
        let done = erase_ada(&workspace).json();
        let kept: Vec<&[u8]> = left.iter().map(|text| text.as_bytes()).collect();
        assert_eq!(store.versions("events/a.jsonl"), kept, "{done}");
        assert_eq!(store.versions("events/b.jsonl"), [LEFT.as_bytes()], "what is written anew loses nothing of hers: {done}");
        assert_eq!(done["status"], if left.len() > 1 { "partial" } else { "completed" }, "{done}");
    }
}

#[test]
fn h_1_what_cannot_be_found_out_about_locks_counts_as_held() {
    let (workspace, store) = Store::lockable(PEOPLE, &events_map("format: jsonl"));
    fill(&store);
    store.server().deny("s3:GetObjectLegalHold", BUCKET, "");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    assert!(plan["warnings"].to_string().contains("could not be found out whether they are locked"), "{plan}");
    let done = erase_ada(&workspace).json();
    assert_ne!(done["status"], "completed", "{done}");
    assert_eq!(store.versions("events/a.jsonl"), [JSON.as_bytes()]);
}

#[test]
fn h_1_a_lock_or_a_hold_that_comes_after_the_plan_was_frozen_is_seen_before_anything_is_written() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    for how in [
        json!({"subject": ada()}),
        json!({"collection": {"dataset": "app", "collection": "events"}}),
        json!({"record": {"dataset": "app", "collection": "events", "key": ["events/a.jsonl"]}}),
        json!("everything is held"),
        json!("lock of the present version"),
        json!("lock of the older version"),
    ] {
        let (workspace, store) = Store::lockable(PEOPLE, &events_map("format: jsonl"));
        configure(&workspace, "limits: {permit_seconds: 1}");
        store.put("events/a.jsonl", JSON.as_bytes());
        store.put("events/a.jsonl", JSON.as_bytes());
        let submitted = workspace.habeas("submit -").input(erasure_of(&ada()).to_string()).run().code(0);
        let request = submitted.stdout.trim().to_owned();
        // It dies with its plan frozen, before it has done anything.
        let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", "rows-before-prepare").run();
        assert_eq!(died.code, None, "{died:?}");
        let lock = |position: usize| {
            store.server().shape(BUCKET, |bucket| {
                let versions = bucket.keys.get_mut("events/a.jsonl").expect("versions");
                versions[position].object.as_mut().expect("an object").about.hold = true;
            });
        };
        match how.as_str() {
            Some("everything is held") => drop(hold(&workspace, "M-8", &json!({"everything": {}}))),
            Some("lock of the present version") => lock(0),
            Some(_) => lock(1),
            None => drop(hold(&workspace, "M-8", &how)),
        }
        workspace.habeas("worker --once").run();
        let shown = workspace.habeas(&format!("request show {request} --json")).run().json();
        assert_ne!(shown["status"], "completed", "{how}: {shown}");
        assert_eq!(store.versions("events/a.jsonl"), [JSON.as_bytes(), JSON.as_bytes()], "{how}: {shown}");
        assert!(numbers(&workspace, "users", "id").contains(&1), "{how}: what leads to the held rows stays");
    }
}
