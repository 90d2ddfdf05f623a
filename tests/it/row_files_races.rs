//! Rows inside objects that others write at the same time, workers that die, and stores that lie: nothing of anybody is lost, and nothing is
//! certified that did not happen (O-1, E-2, E-3, V-1).

use std::sync::Arc;

use serde_json::json;

use crate::row_files::{JSON, OTHERS, events_map};
use crate::row_files_erase::LEFT;
use crate::support::deaths::{an_erasure_ends_as_if_nobody_had_died, submit};
use crate::support::laws::{KEY, PEOPLE, ada, approve, collection, erase_ada, erasure_of, item, map, numbers, to_user, users};
use crate::support::s3::bucket::Versioning;
use crate::support::s3::fault::Misbehaviour;
use crate::support::skipped;
use crate::support::store::{BUCKET, Store};

const PLACES: [&str; 14] = [
    "freeze-before-ledger",
    "rows-before-prepare",
    "erase-before-permit",
    "erase-after-permit",
    "erase-before-source-commit",
    "rows-after-write",
    "erase-after-source-commit",
    "erase-after-close",
    "erase-after-permit:2",
    "rows-after-write:2",
    "erase-after-source-commit:2",
    "verify-before-record",
    "certify-before-record",
    "certify-after-record",
];

/// No long wait for the permit of the dead.
const LIMITS: &str = "limits: {permit_seconds: 1}";

fn fill(store: &Store) {
    store.put("events/a.jsonl", JSON.as_bytes());
    store.put("events/b.jsonl", JSON.as_bytes());
    store.put("events/c.jsonl", OTHERS.as_bytes());
}

#[test]
fn e_3_an_erasure_of_rows_that_dies_anywhere_ends_as_if_it_had_not() {
    let open = || {
        let worlds = Store::each(PEOPLE, &events_map("format: jsonl"));
        worlds.iter().for_each(|(_, store)| fill(store));
        worlds
    };
    an_erasure_ends_as_if_nobody_had_died(&PLACES, LIMITS, open, |place, _, store| {
        assert_eq!(store.keys(), ["events/a.jsonl", "events/b.jsonl", "events/c.jsonl"], "{place}: nothing unfinished is left");
        for key in ["events/a.jsonl", "events/b.jsonl"] {
            assert_eq!(store.versions(key), [LEFT.as_bytes()], "{place}");
        }
    });
}

#[test]
fn o_1_what_the_application_writes_between_reading_and_writing_is_not_lost() {
    for versioning in [Versioning::Enabled, Versioning::Never] {
        let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), versioning);
        store.put("events/a.jsonl", JSON.as_bytes());
        let newer = format!("{JSON}{OTHERS}");
        let bytes = newer.clone().into_bytes();
        let write = move |world: &mut crate::support::s3::world::World| {
            crate::support::s3::prepare::put_into(world, BUCKET, "events/a.jsonl", bytes.clone());
        };
        store.server().script().at("PutObject").do_this(Misbehaviour::Before(Arc::new(write)));
        let done = erase_ada(&workspace).json();
        assert!(store.server().script().is_done());
        assert_eq!(store.bytes("events/a.jsonl"), format!("{LEFT}{OTHERS}").into_bytes(), "{done}");
        assert_eq!(store.versions("events/a.jsonl").len(), 1, "{done}");
        assert_eq!(done["status"], "completed", "{done}");
    }
}

#[test]
fn what_the_application_writes_between_plan_and_erasure_is_looked_at_anew() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/a.jsonl", JSON.as_bytes());
        let job = json!({"kind": "erasure", "subject": ada(), "approval": "one"});
        let waiting = workspace.habeas("run - --json --no-input").input(job.to_string()).run().code(6).json();
        let code = waiting["code"].as_str().expect("a code").to_owned();
        store.put("events/a.jsonl", format!("{OTHERS}{JSON}").as_bytes());
        approve(&workspace, &code);
        workspace.habeas("worker --once").run();
        let mut shown = workspace.habeas(&format!("request show {code} --json")).run().json();
        if shown["status"] == "waiting_approval" {
            approve(&workspace, &code);
            workspace.habeas("worker --once").run();
            shown = workspace.habeas(&format!("request show {code} --json")).run().json();
        }
        assert_eq!(shown["status"], "completed", "{shown}");
        assert_eq!(store.versions("events/a.jsonl"), [format!("{OTHERS}{LEFT}").into_bytes()], "{shown}");
    }
}

#[test]
fn v_1_what_names_rows_goes_after_them_also_when_somebody_else_has_written_the_object() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    let script = format!(
        "{PEOPLE} CREATE TABLE devices (id INTEGER PRIMARY KEY, user_id INTEGER, serial TEXT UNIQUE);
         INSERT INTO devices VALUES (1, 1, 'S-1'), (2, 2, 'S-2');"
    );
    let devices = collection("devices", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: serial"]);
    let events = collection(
        "events",
        "on_erasure: delete, objects: {source: uploads, prefix: 'events/', format: jsonl}",
        &["name: serial, fides_meta: {references: [{dataset: app, field: devices.serial, direction: from}]}", "name: n"],
    );
    let (hers, his) = ("{\"serial\":\"S-1\",\"n\":1}\n", "{\"serial\":\"S-2\",\"n\":2}\n");
    for (workspace, store) in Store::each(&script, &map(&[users(), devices, events])) {
        store.put("events/a.jsonl", format!("{hers}{his}").as_bytes());
        let request = submit(&workspace, LIMITS);
        let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", "rows-before-prepare").run();
        assert_eq!(died.code, None, "{died:?}");
        store.put("events/a.jsonl", format!("{hers}{his}{his}{hers}").as_bytes());
        workspace.habeas("worker --once").run().code(0);
        let shown = workspace.habeas(&format!("request show {request} --json")).run().json();
        assert_eq!(store.bytes("events/a.jsonl"), format!("{his}{his}").into_bytes(), "{shown}");
        assert_eq!(store.versions("events/a.jsonl").len(), 1, "{shown}");
        assert_eq!(workspace.database.count("devices"), 1, "{shown}");
        assert_eq!(shown["status"], "completed", "{shown}");
    }
}

#[test]
fn e_2_a_connection_that_breaks_off_leaves_nothing_in_doubt() {
    for action in ["PutObject", "GetObject", "HeadObject", "DeleteObjects", "ListObjectVersions"] {
        for what in [Misbehaviour::CutBefore, Misbehaviour::CutAfter] {
            for call in 0..3 {
                let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
                fill(&store);
                store.server().script().at(action).after(call).do_this(what.clone());
                let mut said = erase_ada(&workspace);
                if said.code != Some(0) {
                    // What broke off is tried again by whoever works next; twice is enough for one fault.
                    workspace.habeas("worker --once").run();
                    said = erase_ada(&workspace);
                }
                let done = said.json();
                for key in ["events/a.jsonl", "events/b.jsonl"] {
                    assert_eq!(store.versions(key), [LEFT.as_bytes()], "{action} {call}: {done}");
                }
                assert_eq!(store.versions("events/c.jsonl"), [OTHERS.as_bytes()], "{action} {call}");
            }
        }
    }
}

#[test]
fn v_1_a_delete_that_only_marks_or_does_nothing_is_not_certified() {
    for marks in [true, false] {
        let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
        fill(&store);
        store.server().world().lies.deleting_only_marks = marks;
        store.server().world().lies.deleting_does_nothing = !marks;
        let done = erase_ada(&workspace).json();
        assert_ne!(done["status"], "completed", "{done}");
        assert_ne!(done["certificate"]["outcome"], "complete", "{done}");
        assert!(numbers(&workspace, "users", "id").contains(&1), "the way to what is left stays");
    }
}

#[test]
fn v_1_a_store_that_says_written_and_did_not_write_is_not_believed() {
    for versioning in [Versioning::Enabled, Versioning::Never] {
        let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), versioning);
        store.put("events/a.jsonl", JSON.as_bytes());
        // Whatever is written, readers get the old bytes again.
        let undo = move |world: &mut crate::support::s3::world::World| {
            crate::support::s3::prepare::put_into(world, BUCKET, "events/a.jsonl", JSON.as_bytes().to_vec());
        };
        store.server().script().at("PutObject").times(100).do_this(Misbehaviour::After(Arc::new(undo)));
        let done = erase_ada(&workspace).json();
        assert_ne!(done["certificate"]["outcome"], "complete", "{done}");
        assert_ne!(done["status"], "completed", "{done}");
        assert_eq!(store.bytes("events/a.jsonl"), JSON.as_bytes(), "nobody else's rows are lost");
    }
}

#[test]
fn v_2_without_the_right_to_list_versions_nothing_of_the_request_is_erased() {
    let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
    fill(&store);
    store.server().deny("s3:ListBucketVersions", BUCKET, "");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert!(crate::support::laws::problems(&plan).contains(&"objects_not_read"), "{plan}");
    erase_ada(&workspace);
    assert_eq!(store.versions("events/a.jsonl"), [JSON.as_bytes()]);
    assert!(numbers(&workspace, "users", "id").contains(&1));
}

#[test]
fn v_2_an_object_in_an_archive_class_is_a_gap_of_the_certificate() {
    let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
    fill(&store);
    store
        .server()
        .place_with(BUCKET, "events/cold.jsonl", JSON.as_bytes().to_vec(), |about| about.storage_class = "GLACIER".into());
    let done = erase_ada(&workspace).json();
    assert_eq!((&done["status"], &done["certificate"]["outcome"]), (&json!("partial"), &json!("partial")), "{done}");
    assert_eq!(item(&done, "events")["outcome"], "erased", "{done}");
    assert_eq!(store.versions("events/a.jsonl"), [LEFT.as_bytes()]);
}

#[test]
fn a_file_that_a_dead_writer_left_is_no_object_and_goes() {
    let (workspace, store) = Store::folder(PEOPLE, &events_map("format: jsonl"));
    fill(&store);
    store.put("events/.habeas-dead.partial", b"{\"user\":1}\nhalf a li");
    let done = erase_ada(&workspace).json();
    assert_eq!(done["status"], "completed", "{done}");
    assert_eq!(store.keys(), ["events/a.jsonl", "events/b.jsonl", "events/c.jsonl"]);
}

#[test]
fn s_1_neither_keys_nor_values_appear_in_what_is_said_and_logged() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/of ada@example.com.jsonl", JSON.as_bytes());
        let said = workspace.habeas("run - --no-input -vv").input(erasure_of(&ada()).to_string()).run();
        for text in [&said.stdout, &said.stderr] {
            assert!(!text.contains("ada@example.com") && !text.contains("events/of"), "{text}");
        }
    }
}
