//! Holds and objects: locks of the store and holds of ours keep every version that they cover, and the rows that name it (H-1).

use serde_json::json;

use crate::objects_erase::{fill, objects_map, people};
use crate::support::laws::{ada, approve, erase_ada, erasure_of, hold, item, numbers};
use crate::support::s3::version::Retention;
use crate::support::store::{BUCKET, Store};

#[test]
fn h_1_a_version_under_the_store_s_legal_hold_stays_with_the_row_that_names_it() {
    let (workspace, store) = Store::lockable(&people(), &objects_map());
    fill(&store);
    store.server().place_with(BUCKET, "shots/one.png", b"held".to_vec(), |about| about.hold = true);
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
    let shots = item(&plan, "shots.file");
    let by_hold = shots["retained"].as_array().expect("a list").iter().find(|kept| kept["ground"] == "hold").expect("a hold");
    assert_eq!((&by_hold["ref"], &by_hold["count"]), (&json!("lock of the store"), &json!(2)), "both versions of it: {plan}");
    let done = erase_ada(&workspace).json();
    assert_eq!(done["status"], "partial", "{done}");
    let left: Vec<(String, bool)> = store.server().left(BUCKET, "shots/one.png");
    assert_eq!(left.len(), 2, "the row stays, and with it everything that it names");
    assert!(numbers(&workspace, "shots", "id").contains(&1), "without the row nobody finds the object when the hold is gone");
    assert!(numbers(&workspace, "users", "id").contains(&1), "nor the row without the person");
    assert!(!store.keys().iter().any(|key| key.starts_with("avatars/1/")), "the rest proceeds: {:?}", store.keys());
    assert!(store.server().journal().all().iter().all(|request| !request.bypasses_governance()));
}

#[test]
fn h_1_retention_in_either_mode_keeps_a_version_until_its_day_and_no_longer() {
    for mode in ["GOVERNANCE", "COMPLIANCE"] {
        let (workspace, store) = Store::lockable(&people(), &objects_map());
        fill(&store);
        let soon = store.server().clock().stamp_in(std::time::Duration::from_secs(3_600));
        store.server().place_with(BUCKET, "avatars/1/me.jpg", b"kept".to_vec(), |about| {
            about.retention = Some(Retention { compliance: mode == "COMPLIANCE", until: soon });
        });
        let done = erase_ada(&workspace).json();
        assert_eq!(done["status"], "partial", "{mode}: {done}");
        assert!(store.keys().contains(&"avatars/1/me.jpg".to_owned()), "{mode}");
        assert!(numbers(&workspace, "users", "id").contains(&1), "{mode}: the way to it stays");
        assert!(store.server().journal().all().iter().all(|request| !request.bypasses_governance()), "{mode}");
    }
}

#[test]
fn h_1_what_cannot_be_found_out_about_locks_counts_as_held() {
    let (workspace, store) = Store::lockable(&people(), &objects_map());
    fill(&store);
    store.server().deny("s3:GetObjectLegalHold", BUCKET, "");
    let done = erase_ada(&workspace).json();
    assert_ne!(done["status"], "completed", "{done}");
    assert_eq!(store.keys().len(), 8, "nothing is deleted");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    let warnings = plan["warnings"].to_string();
    assert!(warnings.contains("could not be found out whether they are locked"), "{plan}");
}

#[test]
fn h_1_a_hold_of_ours_on_the_collection_or_on_one_object_keeps_its_versions() {
    for scope in [
        json!({"collection": {"dataset": "app", "collection": "avatars"}}),
        json!({"record": {"dataset": "app", "collection": "avatars", "key": ["avatars/1/me.jpg"]}}),
    ] {
        for (workspace, store) in Store::each(&people(), &objects_map()) {
            fill(&store);
            hold(&workspace, "M-2026-4", &scope);
            let done = erase_ada(&workspace).json();
            assert_eq!(done["status"], "partial", "{scope}: {done}");
            assert!(store.keys().contains(&"avatars/1/me.jpg".to_owned()), "{scope}: {:?}", store.keys());
            assert!(numbers(&workspace, "users", "id").contains(&1), "{scope}: the row that names it stays");
            assert!(!store.keys().contains(&"shots/one.png".to_owned()), "{scope}: the rest proceeds");
        }
    }
}

#[test]
fn h_1_a_hold_on_the_person_keeps_all_of_their_objects() {
    for (workspace, store) in Store::each(&people(), &objects_map()) {
        fill(&store);
        hold(&workspace, "M-2026-5", &json!({"subject": ada()}));
        erase_ada(&workspace).code(5);
        assert_eq!(store.keys().len(), 8);
    }
}

#[test]
fn h_1_a_lock_that_came_after_the_plan_is_seen_before_anything_is_deleted() {
    let (workspace, store) = Store::lockable(&people(), &objects_map());
    fill(&store);
    let job = json!({"kind": "erasure", "subject": ada(), "approval": "one"});
    let waiting = workspace.habeas("run - --json --no-input").input(job.to_string()).run().code(6).json();
    let code = waiting["code"].as_str().expect("a code").to_owned();
    store.server().shape(BUCKET, |bucket| {
        let versions = bucket.keys.get_mut("avatars/1/me.jpg").expect("a version");
        versions[0].object.as_mut().expect("an object").about.hold = true;
    });
    approve(&workspace, &code);
    workspace.habeas("worker --once").run();
    assert!(store.keys().contains(&"avatars/1/me.jpg".to_owned()), "{:?}", store.keys());
}

#[test]
fn h_1_a_set_whose_name_has_a_dot_in_it_is_held_under_its_whole_name() {
    let map = objects_map().replace("name: avatars", "name: user.avatars");
    for (workspace, store) in Store::each(&people(), &map) {
        fill(&store);
        hold(&workspace, "M-2026-6", &json!({"collection": {"dataset": "app", "collection": "user.avatars"}}));
        let done = erase_ada(&workspace).json();
        assert_eq!(item(&done, "user.avatars")["retained"][0]["ref"], "M-2026-6", "{done}");
        assert!(store.keys().contains(&"avatars/1/me.jpg".to_owned()), "{:?}", store.keys());
    }
}
