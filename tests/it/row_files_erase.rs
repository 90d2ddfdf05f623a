//! Erasing rows inside objects, in a folder and in a bucket: this person's own rows go, in every version, and everything else stays byte for byte.

use serde_json::json;

use crate::row_files::{JSON, OTHERS, events_map, gzip};
use crate::support::laws::{PEOPLE, ada, collection, configure, erase_ada, erasure_of, item, map, numbers, problems, users};
use crate::support::s3::bucket::Versioning;
use crate::support::store::{BUCKET, Store};

/// What is left of [`JSON`] without Ada's own rows, byte for byte.
pub const LEFT: &str = concat!(
    "{\"email\":\"grace@example.com\",\"user\":2,\"what\":1}\n",
    "{\"email\":\"ada@example.com\",\"user\":2,\"what\":\"both\"}\n",
    "{\"what\":\"nobody\"}\n",
);

#[test]
fn o_1_rows_of_this_person_alone_go_and_every_other_row_stays_byte_for_byte() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/a.jsonl", JSON.as_bytes());
        store.put("events/b.jsonl", OTHERS.as_bytes());
        store.put("events/c.jsonl", b"{\"user\":1}\n");
        store.put("events/d.jsonl.gz", &gzip(JSON.as_bytes()));
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
        let planned = item(&plan, "events");
        assert_eq!((&planned["expected"], &planned["rows"]), (&json!(3), &json!(5)), "{plan}");
        let done = erase_ada(&workspace).json();
        let events = item(&done, "events");
        assert_eq!((&events["outcome"], &events["affected"], &events["rows"]), (&json!("erased"), &json!(3), &json!(5)), "{done}");
        assert_eq!((&events["retained"][0]["ground"], &events["retained"][0]["count"]), (&json!("shared"), &json!(2)), "{done}");
        assert_eq!(store.bytes("events/a.jsonl"), LEFT.as_bytes());
        assert_eq!(store.bytes("events/b.jsonl"), OTHERS.as_bytes());
        assert_eq!(store.bytes("events/c.jsonl"), b"", "an object without rows stays, and is empty");
        assert_eq!(store.keys(), ["events/a.jsonl", "events/b.jsonl", "events/c.jsonl", "events/d.jsonl.gz"]);
        assert_eq!((&done["status"], &done["residue"]), (&json!("completed"), &json!([])), "{done}");
        assert_eq!((&done["certificate"]["outcome"], &done["certificate"]["level"]), (&json!("complete"), &json!(3)), "{done}");
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
        if let Store::S3(server) = &store {
            assert_eq!(server.left(BUCKET, "events/a.jsonl").len(), 1, "no version with her rows is left");
        }
    }
}

#[test]
fn e_3_older_versions_that_hold_rows_of_the_person_go_and_others_stay() {
    let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
    store.put("events/a.jsonl", OTHERS.as_bytes());
    store.put("events/a.jsonl", JSON.as_bytes());
    store.put("events/a.jsonl", LEFT.as_bytes());
    store.put("events/b.jsonl", b"{\"user\":1}\n");
    store.put("events/b.jsonl", JSON.as_bytes());
    let done = erase_ada(&workspace).json();
    assert_eq!((&item(&done, "events")["affected"], &done["status"]), (&json!(3), &json!("completed")), "{done}");
    assert_eq!(store.versions("events/a.jsonl"), [LEFT.as_bytes(), OTHERS.as_bytes()]);
    assert_eq!(store.versions("events/b.jsonl"), [LEFT.as_bytes()]);
}

#[test]
fn o_1_where_no_version_is_kept_the_new_object_stands_in_the_place_of_the_old_one_and_stays() {
    for versioning in [Versioning::Never, Versioning::Suspended] {
        let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), versioning);
        store.put("events/a.jsonl", JSON.as_bytes());
        let done = erase_ada(&workspace).json();
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(store.versions("events/a.jsonl"), [LEFT.as_bytes()]);
    }
}

#[test]
fn what_was_stored_with_an_object_is_stored_with_the_new_one() {
    let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
    store.server().place_with(BUCKET, "events/a.jsonl", JSON.as_bytes().to_vec(), |about| {
        about.tags = vec![crate::objects_erase::tag("team", "growth")];
        about.metadata = Some([("schema".to_owned(), "7".to_owned())].into());
        about.storage_class = "STANDARD_IA".into();
    });
    erase_ada(&workspace);
    let world = store.server().world();
    let versions = &world.bucket(BUCKET).expect("the bucket").keys["events/a.jsonl"];
    let about = &versions[0].object.as_ref().expect("an object").about;
    assert_eq!(about.tags, [crate::objects_erase::tag("team", "growth")]);
    assert_eq!(about.metadata.as_ref().and_then(|all| all.get("schema")).map(String::as_str), Some("7"));
    assert_eq!(about.storage_class, "STANDARD_IA");
}

#[test]
fn the_rights_of_a_file_stay_what_they_were() {
    use std::os::unix::fs::PermissionsExt;
    let (workspace, store) = Store::folder(PEOPLE, &events_map("format: jsonl"));
    store.put("events/a.jsonl", JSON.as_bytes());
    let path = workspace.path("uploads/events/a.jsonl");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).expect("rights");
    erase_ada(&workspace);
    assert_eq!(store.bytes("events/a.jsonl"), LEFT.as_bytes());
    assert_eq!(std::fs::metadata(&path).expect("the file").permissions().mode() & 0o777, 0o640);
}

#[test]
fn rows_of_csv_go_and_its_header_stays() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: csv")) {
        store.put("events/a.csv", b"email,user,what,token\nada@example.com,1,\"a\nb\",t\n,2,\"x,\",t\nADA@example.com,,c,t\n");
        store.put("events/b.csv", b"email,user,what,token\nada@example.com,1,a,t\n");
        let done = erase_ada(&workspace).json();
        assert_eq!((&item(&done, "events")["rows"], &done["status"]), (&json!(3), &json!("completed")), "{done}");
        assert_eq!(store.bytes("events/a.csv"), b"email,user,what,token\n,2,\"x,\",t\n");
        assert_eq!(store.bytes("events/b.csv"), b"email,user,what,token\n");
    }
}

#[test]
fn o_1_objects_and_rows_inside_objects_of_one_store_are_not_mixed_up() {
    let avatars = collection("avatars", "on_erasure: delete, objects: {source: uploads, prefix: 'avatars/{users.id}/'}", &[]);
    for (workspace, store) in
        Store::each(PEOPLE, &map(&[users(), avatars, crate::row_files::events("format: jsonl", "on_erasure: delete,")]))
    {
        for key in ["avatars/1/a.png", "avatars/1/b.png", "avatars/2/a.png"] {
            store.put(key, b"picture");
        }
        for n in 0..4 {
            store.put(&format!("events/{n}.jsonl"), JSON.as_bytes());
        }
        let done = erase_ada(&workspace).json();
        assert_eq!((&item(&done, "avatars")["affected"], &item(&done, "events")["affected"]), (&json!(2), &json!(4)), "{done}");
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(store.bytes("events/3.jsonl"), LEFT.as_bytes());
        assert_eq!(store.keys().len(), 5, "{:?}", store.keys());
    }
}

#[test]
fn p_1_an_object_that_is_not_what_the_map_says_stops_the_erasure_without_being_named() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/a.jsonl", JSON.as_bytes());
        store.put("events/of ada@example.com", b"{\"user\":1}\nno json\n");
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert_eq!(problems(&plan), ["rows_not_read"], "{plan}");
        let told = plan["problems"].to_string();
        assert!(told.contains("object 2: line 2") && !told.contains("of ada"), "{told}");
        erase_ada(&workspace);
        assert_eq!(store.bytes("events/a.jsonl"), JSON.as_bytes());
        assert!(numbers(&workspace, "users", "id").contains(&1));
    }
}

#[test]
fn p_1_rows_of_which_nobody_has_decided_block_the_plan() {
    let undecided = map(&[users(), crate::row_files::events("format: jsonl", "")]);
    let (workspace, store) = Store::folder(PEOPLE, &undecided);
    store.put("events/a.jsonl", JSON.as_bytes());
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    assert_eq!(item(&plan, "events")["disposition"], "undecided", "{plan}");
    assert_ne!(erase_ada(&workspace).json()["status"], "completed");
    assert_eq!(store.bytes("events/a.jsonl"), JSON.as_bytes());
}

#[test]
fn rows_that_the_map_keeps_stay_on_that_ground() {
    let kept = map(&[users(), crate::row_files::events("format: jsonl", "on_erasure: keep,")]);
    let (workspace, store) = Store::folder(PEOPLE, &kept);
    store.put("events/a.jsonl", JSON.as_bytes());
    let done = erase_ada(&workspace).json();
    let events = item(&done, "events");
    assert_eq!((&events["outcome"], &events["retained"][0]["ground"]), (&json!("retained"), &json!("policy")), "{done}");
    assert_eq!(store.bytes("events/a.jsonl"), JSON.as_bytes());
}

#[test]
fn v_3_nothing_found_is_said_only_where_rows_of_others_were_seen() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/a.jsonl", OTHERS.as_bytes());
        let done = erase_ada(&workspace).json();
        assert_eq!((&item(&done, "events")["outcome"], &done["status"]), (&json!("already_absent"), &json!("completed")), "{done}");
    }
}

#[test]
fn many_batches_of_one_take_one_object_each() {
    let (workspace, store) = Store::folder(PEOPLE, &events_map("format: jsonl"));
    configure(&workspace, "limits: {batch_rows: 5000}");
    for n in 0..25 {
        store.put(&format!("events/{n:02}.jsonl"), JSON.as_bytes());
    }
    let done = erase_ada(&workspace).json();
    assert_eq!((&item(&done, "events")["affected"], &item(&done, "events")["rows"]), (&json!(25), &json!(50)), "{done}");
    assert!((0..25).all(|n| store.bytes(&format!("events/{n:02}.jsonl")) == LEFT.as_bytes()));
}
