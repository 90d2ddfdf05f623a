//! Stores that are slow, break off, or lie: nothing is certified that did not happen, and nothing is lost (V-1, V-2, E-2).

use serde_json::json;

use crate::objects_erase::{fill, objects_map, people};
use crate::support::laws::{ada, erase_ada, erasure_of, item, numbers, problems};
use crate::support::s3::bucket::Versioning;
use crate::support::s3::fault::Misbehaviour;
use crate::support::store::{BUCKET, Store};

fn bucket() -> (crate::support::workspace::Workspace, Store) {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    fill(&store);
    (workspace, store)
}

/// What the run says if it ends, and then what is there once it has been tried again.
fn is_gone(store: &Store) -> bool {
    !store.keys().iter().any(|key| key.starts_with("avatars/1/") || key == "shots/one.png")
}

#[test]
fn a_store_that_is_busy_is_asked_again() {
    let (workspace, store) = bucket();
    for action in ["ListObjectVersions", "DeleteObjects", "GetBucketVersioning"] {
        store.server().script().at(action).times(2).slow_down();
    }
    let done = erase_ada(&workspace).code(0).json();
    assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
    assert!(store.server().script().is_done() && is_gone(&store));
}

#[test]
fn e_2_a_connection_that_breaks_off_leaves_nothing_in_doubt() {
    for action in ["DeleteObjects", "ListObjectVersions", "GetObjectLockConfiguration"] {
        for what in [Misbehaviour::CutBefore, Misbehaviour::CutAfter] {
            for call in 0..4 {
                let (workspace, store) = bucket();
                store.server().script().at(action).after(call).do_this(what.clone());
                let mut said = erase_ada(&workspace);
                if said.code != Some(0) {
                    // What broke off is tried again by whoever works next; twice is enough for one fault.
                    workspace.habeas("worker --once").run();
                    said = erase_ada(&workspace);
                }
                let done = said.json();
                assert!(is_gone(&store), "{action} {call}: {done}");
                assert!(store.keys().contains(&"avatars/2/grace.jpg".to_owned()));
            }
        }
    }
}

#[test]
fn v_1_a_delete_that_only_marks_is_not_certified() {
    let (workspace, store) = bucket();
    store.server().world().lies.deleting_only_marks = true;
    let done = erase_ada(&workspace).json();
    assert_eq!((&done["status"], &done["certificate"]), (&json!("waiting_controller"), &json!(null)), "{done}");
    assert!(numbers(&workspace, "users", "id").contains(&1), "the way to what is left stays");
}

#[test]
fn v_1_refusals_inside_a_success_are_not_success_and_are_not_forgotten() {
    let (workspace, store) = bucket();
    store.server().deny("s3:DeleteObjectVersion", BUCKET, "avatars/1/me.jpg");
    let done = erase_ada(&workspace).json();
    assert_eq!((&done["status"], &done["certificate"]), (&json!("waiting_controller"), &json!(null)), "{done}");
    assert!(store.keys().contains(&"avatars/1/me.jpg".to_owned()));
    assert!(numbers(&workspace, "users", "id").contains(&1), "the way to what is left stays");
    // Allowed at last: the same request goes on to its end.
    store.server().world().denied.clear();
    let code = done["code"].as_str().expect("a code");
    workspace.habeas(&format!("request retry {code} --by grace")).run().code(0);
    workspace.habeas("worker --once").run().code(0);
    let done = workspace.habeas(&format!("request show {code} --json")).run().json();
    assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
    assert!(is_gone(&store), "{:?}", store.keys());
    assert_eq!(item(&done, "avatars")["outcome"], "erased", "{done}");
}

#[test]
fn a_list_that_goes_in_circles_is_caught() {
    let (workspace, store) = bucket();
    for n in 0..2_500 {
        store.put(&format!("avatars/1/{n:04}"), b"x");
    }
    store.server().script().at("ListObjectVersions").times(1_000).do_this(Misbehaviour::RepeatToken(Default::default()));
    let said = erase_ada(&workspace);
    assert_ne!(said.code, Some(0));
    assert!(numbers(&workspace, "users", "id").contains(&1), "the way to the objects stays");
}

#[test]
fn v_2_without_the_right_to_list_versions_nothing_of_the_request_is_erased() {
    let (workspace, store) = bucket();
    store.server().deny("s3:ListBucketVersions", BUCKET, "");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert!(problems(&plan).contains(&"objects_not_read"), "{plan}");
    erase_ada(&workspace);
    assert_eq!(store.keys().len(), 8);
    assert!(numbers(&workspace, "users", "id").contains(&1));
}

#[test]
fn a_bucket_that_is_not_there_is_told_by_name_and_nothing_is_erased() {
    let (workspace, store) = bucket();
    store.server().world().buckets.clear();
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    assert!(plan.to_string().contains("there is no such bucket"), "{plan}");
    assert!(numbers(&workspace, "users", "id").contains(&1));
    let doctor = workspace.habeas("doctor").run();
    assert!(doctor.stdout.contains("uploads"), "{}", doctor.stdout);
}

#[test]
fn s_1_keys_do_not_appear_in_what_is_said_and_logged() {
    let (workspace, store) = bucket();
    store.put("avatars/1/ada@example.com.txt", b"x");
    store.server().deny("s3:DeleteObjectVersion", BUCKET, "avatars/1/");
    let said = workspace.habeas("run - --no-input -vv").input(erasure_of(&ada()).to_string()).run();
    for text in [&said.stdout, &said.stderr] {
        assert!(!text.contains("avatars/1/"), "{text}");
    }
}
