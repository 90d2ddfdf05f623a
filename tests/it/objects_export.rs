//! Objects in the archive: their bytes, their names and what was stored with them; and what could not be read, told one by one.

use serde_json::{Value, json};

use crate::objects_erase::{fill, objects_map, people, tag};
use crate::support::archive::Archive;
use crate::support::laws::{ada, item, run};
use crate::support::s3::bucket::Versioning;
use crate::support::s3::fault::Misbehaviour;
use crate::support::store::{BUCKET, Store};

fn access() -> Value {
    json!({"kind": "access", "subject": ada()})
}

#[test]
fn x_1_every_object_is_handed_over_with_its_name_and_its_bytes() {
    for (workspace, store) in Store::each(&people(), &objects_map()) {
        fill(&store);
        let done = run(&workspace, &access()).code(0).json();
        assert_eq!(item(&done, "avatars")["exported"], 2, "{done}");
        assert_eq!(item(&done, "shots.file")["exported"], 3, "{done}");
        let archive = Archive::only_in(&workspace.path("archives"));
        let mut rows = archive.rows("uploads/avatars");
        rows.extend(archive.rows("uploads/shots.file"));
        let mut keys: Vec<&str> = rows.iter().map(|row| row["key"].as_str().expect("a key")).collect();
        keys.sort_unstable();
        let hers = ["avatars/1/me.jpg", "avatars/1/old/notes.txt", "shots/one.png", "shots/three.png", "shots/two ü+%2F.png"];
        assert_eq!(keys, hers);
        for row in &rows {
            let bytes = archive.bytes(row["file"].as_str().expect("a file"));
            assert_eq!(Some(bytes.len() as u64), row["bytes"].as_u64(), "{row}");
        }
        let index = archive.text("data/files/index.csv");
        assert!(index.contains("avatars/1/me.jpg,image/jpeg,6,"), "{index}");
        workspace.habeas(&format!("archive verify {}", archive.path().display())).run().code(0);
    }
}

#[test]
fn metadata_and_tags_and_older_versions_are_handed_over_too() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    store.put("avatars/1/me.jpg", b"before");
    store.server().place_with(BUCKET, "avatars/1/me.jpg", b"after".to_vec(), |about| {
        about.tags = vec![tag("mood", "sad")];
        about.metadata = Some([("camera".to_owned(), "Leica".to_owned())].into());
    });
    run(&workspace, &access()).code(3);
    let archive = Archive::only_in(&workspace.path("archives"));
    let rows = archive.rows("uploads/avatars");
    assert_eq!(rows.len(), 2, "{rows:?}");
    let current = rows.iter().find(|row| row["current"] == true).expect("a current version");
    assert_eq!((&current["tags"]["mood"], &current["metadata"]["camera"]), (&json!("sad"), &json!("Leica")), "{current}");
    let older = rows.iter().find(|row| row["current"] == false).expect("an older version");
    assert_eq!(archive.bytes(older["file"].as_str().expect("a file")), b"before");
}

#[test]
fn x_1_an_object_that_is_missing_or_breaks_off_is_a_failure_of_that_one_alone() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    fill(&store);
    workspace.database.script("INSERT INTO shots VALUES (9, 1, 'nowhere.png');");
    // More often than anybody tries again.
    store.server().script().at("GetObject").key("avatars/1/old/notes.txt").times(50).do_this(Misbehaviour::TruncateBody(2));
    let done = run(&workspace, &access()).code(3).json();
    assert_eq!(done["status"], "partial", "{done}");
    let named = item(&done, "shots.file");
    assert_eq!((&named["found"], &named["exported"], &named["error"]), (&json!(4), &json!(3), &json!("object_not_read")), "{done}");
    assert_eq!(item(&done, "avatars")["exported"], 1, "{done}");
    let archive = Archive::only_in(&workspace.path("archives"));
    assert_eq!(archive.rows("uploads/avatars").len(), 1);
    assert_eq!(archive.json("data/completeness.json")["totals"]["failed"], 2);
}

#[test]
fn a_body_that_breaks_off_once_is_read_again_and_arrives_whole() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    fill(&store);
    store.server().script().at("GetObject").key("avatars/1/old/notes.txt").do_this(Misbehaviour::TruncateBody(2));
    let done = run(&workspace, &access()).code(0).json();
    assert_eq!(item(&done, "avatars")["exported"], 2, "{done}");
    assert!(store.server().script().is_done());
}

#[test]
fn an_object_in_an_archive_class_is_asked_for_and_told_as_pending() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    store.server().place_with(BUCKET, "avatars/1/me.jpg", b"cold".to_vec(), |about| about.storage_class = "GLACIER".into());
    workspace.database.script("DELETE FROM shots;");
    let done = run(&workspace, &access()).code(3).json();
    assert_eq!((&done["pending"][0]["code"], &done["pending"][0]["count"]), (&json!("being_restored"), &json!(1)), "{done}");
    assert_eq!(store.server().journal().of("RestoreObject").len(), 1);
    store.server().finish_restores();
    let done = run(&workspace, &access()).code(0).json();
    assert_eq!(item(&done, "avatars")["exported"], 1, "{done}");
}

#[test]
fn v_2_a_bucket_that_may_not_be_listed_is_a_gap_and_never_nothing() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    fill(&store);
    store.server().deny("s3:ListBucketVersions", BUCKET, "");
    let done = run(&workspace, &access()).code(3).json();
    assert_eq!(done["gaps"][0]["code"], "objects_not_read", "{done}");
    let archive = Archive::only_in(&workspace.path("archives"));
    assert_eq!(archive.json("data/completeness.json")["complete"], false);
}
