//! What `habeas doctor`, `map check`, `map graph` and `map register` say of stores of objects, before anything in them is touched.

use std::fs;

use serde_json::Value;

use crate::objects_erase::{fill, objects_map, people};
use crate::support::laws::{KEY, ada, collection, erase_ada, erasure_of, map, numbers, problems, users};
use crate::support::s3::bucket::Versioning;
use crate::support::store::{BUCKET, Store};

/// Codes of findings about a subject.
fn codes<'d>(document: &'d Value, subject: &str) -> Vec<&'d str> {
    let findings = document["findings"].as_array().expect("a list").iter();
    findings.filter(|finding| finding["subject"] == subject).map(|finding| finding["code"].as_str().expect("a code")).collect()
}

fn finding<'d>(document: &'d Value, code: &str) -> &'d Value {
    let mut findings = document["findings"].as_array().expect("a list").iter();
    findings.find(|finding| finding["code"] == code).unwrap_or_else(|| panic!("no {code}: {document}"))
}

#[test]
fn the_doctor_finds_nothing_wrong_with_a_sound_store_and_says_what_it_is() {
    for (workspace, store) in Store::each(&people(), &objects_map()) {
        fill(&store);
        for _ in 0..2 {
            let said = workspace.habeas("doctor --json").run().json();
            assert_eq!(codes(&said, "uploads"), Vec::<&str>::new(), "{said}");
            let note = said["notes"][0].as_str().expect("a note");
            assert!(note.starts_with("uploads: ") && note.contains("only deleting tells"), "{note}");
        }
        assert_eq!(store.keys().len(), 8, "nothing is tried out by deleting");
    }
}

#[test]
fn v_2_the_doctor_and_the_check_of_the_map_name_each_right_that_is_missing() {
    for (action, words) in [
        ("s3:ListBucketVersions", "list the versions"),
        ("s3:ListBucketMultipartUploads", "unfinished uploads"),
        ("s3:GetBucketVersioning", "versioning of the bucket"),
        ("s3:GetObjectLegalHold", "which versions are locked"),
    ] {
        let (workspace, store) = Store::lockable(&people(), &objects_map());
        fill(&store);
        store.server().deny(action, BUCKET, "");
        for verb in ["doctor --json", "map check --json"] {
            let said = workspace.habeas(verb).run().json();
            assert_eq!(codes(&said, "uploads"), ["missing_rights"], "{action} {verb}: {said}");
            let problem = finding(&said, "missing_rights")["problem"].as_str().expect("text").to_owned();
            assert!(problem.contains(words), "{action} {verb}: {problem}");
        }
    }
}

#[test]
fn the_doctor_opens_a_store_that_the_map_does_not_use() {
    let (workspace, store) = Store::bucket(&people(), &map(&[users()]), Versioning::Enabled);
    let said = workspace.habeas("doctor --json").run().json();
    assert_eq!(codes(&said, "uploads"), ["source_not_mapped"], "{said}");
    store.server().world().buckets.clear();
    let said = workspace.habeas("doctor --json").run().code(1).json();
    assert!(codes(&said, "uploads").contains(&"source_unreachable"), "{said}");
    let gone = finding(&said, "source_unreachable");
    assert!(gone["problem"].as_str().expect("text").contains("no such bucket"), "{gone}");
    assert!(gone["hint"].as_str().expect("text").contains("name of the bucket"), "{gone}");
}

#[test]
fn the_doctor_tells_a_clock_that_is_wrong_and_a_second_factor() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    store.server().shape(BUCKET, |bucket| bucket.mfa_delete = true);
    let said = workspace.habeas("doctor --json").run().code(0).json();
    assert_eq!(codes(&said, "uploads"), ["mfa_delete"], "{said}");
    store.server().script().at("GetBucketVersioning").times(10).clock_skew();
    let said = workspace.habeas("map check --json").run().code(2).json();
    assert!(finding(&said, "source_unreachable")["hint"].as_str().expect("text").contains("clock"), "{said}");
}

#[test]
fn e_3_a_folder_that_was_replaced_is_another_source_and_stops_every_erasure() {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    fill(&store);
    workspace.habeas("doctor").run();
    // What stands there when a disk is not mounted, or another machine's copy is.
    fs::rename(workspace.path("uploads"), workspace.path("moved")).expect("it can be moved");
    fs::create_dir(workspace.path("uploads")).expect("a folder");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    assert!(problems(&plan).contains(&"source_identity_changed"), "{plan}");
    erase_ada(&workspace);
    assert!(numbers(&workspace, "users", "id").contains(&1), "the rows are the only way to what lies elsewhere");
    for verb in ["doctor --json", "map check --json"] {
        let said = workspace.habeas(verb).run().json();
        assert_eq!(codes(&said, "uploads"), ["source_changed"], "{verb}: {said}");
    }
    // The same folder again is the same source.
    fs::remove_dir(workspace.path("uploads")).expect("it is empty");
    fs::rename(workspace.path("moved"), workspace.path("uploads")).expect("it can be moved");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
    assert_eq!(problems(&plan), Vec::<&str>::new(), "{plan}");
}

#[test]
fn e_3_another_bucket_under_the_same_name_stops_every_erasure() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    fill(&store);
    workspace.habeas("doctor").run();
    store.server().make_bucket("staging", Versioning::Enabled);
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it is there");
    workspace.write("habeas.yaml", &config.replace("bucket: uploads", "bucket: staging"));
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    assert!(problems(&plan).contains(&"source_identity_changed"), "{plan}");
    erase_ada(&workspace);
    assert!(numbers(&workspace, "users", "id").contains(&1));
}

#[test]
fn s_1_objects_that_no_template_names_are_counted_and_not_shown() {
    for (workspace, store) in Store::each(&people(), &objects_map()) {
        fill(&store);
        assert!(!workspace.habeas("map check").run().stdout.contains("unnamed_objects"));
        store.put("export/ada@example.com.zip", b"x");
        store.put("export/ada@example.com.zip", b"a second version of it");
        store.put("avatars/loose.png", b"x");
        let said = workspace.habeas("map check --json").run().json();
        let found = finding(&said, "unnamed_objects");
        assert!(found["problem"].as_str().expect("text").starts_with("2 of 10 keys in `uploads`"), "{found}");
        assert_eq!((&found["severity"], &found["subject"]), (&"warning".into(), &"app.avatars".into()), "{found}");
        let page = workspace.habeas("map check").run().stdout;
        assert!(!said.to_string().contains("ada@") && !page.contains("export/"), "{page}");
    }
    let accepting = "on_erasure: delete, accept: [{finding: unnamed_objects, reason: backups of the shop}], \
                     objects: {source: uploads, prefix: 'avatars/{users.id}/'}";
    let (workspace, store) = Store::folder(&people(), &map(&[users(), collection("avatars", accepting, &[])]));
    store.put("backup.tar", b"x");
    let said = workspace.habeas("map check --json").run().json();
    assert_eq!(said["accepted_findings"][0]["code"], "unnamed_objects", "{said}");
}

#[test]
fn a_set_of_objects_must_be_reached_and_decided() {
    let set = |name: &str, words: &str| collection(name, words, &[]);
    let written = map(&[
        users(),
        collection("machines", "on_erasure: keep", &[KEY]),
        set("logs", "on_erasure: delete, objects: {source: uploads, prefix: 'logs/{machines.id}/'}"),
        set("letters", "objects: {source: uploads, prefix: 'letters/{users.id}/'}"),
        set("cards", "on_erasure: mask, objects: {source: uploads, prefix: 'cards/{users.id}/'}"),
    ]);
    let (workspace, _store) = Store::folder(&people(), &written);
    let said = workspace.habeas("map check --offline --json").run().code(2).json();
    assert_eq!(codes(&said, "app.logs"), ["unreachable_collection"], "{said}");
    assert_eq!(codes(&said, "app.letters"), ["undecided_collection"], "{said}");
    assert!(codes(&said, "app.cards").contains(&"undecided_collection"), "{said}");
}

#[test]
fn graph_and_register_show_where_objects_lie() {
    let (workspace, _store) = Store::folder(&people(), &objects_map());
    let graph = workspace.habeas("map graph --json").run().code(0).json();
    let objects = graph["objects"].as_array().expect("a list");
    assert_eq!(objects.len(), 2, "{graph}");
    assert_eq!(objects[0]["locate"], "prefix avatars/{users.id}/", "{graph}");
    assert_eq!((&objects[1]["rows"], &objects[1]["source"]), (&"app.shots".into(), &"uploads".into()), "{graph}");
    for (form, words) in [
        ("", "app.avatars (objects in source uploads)\n  named by app.users: prefix avatars/{users.id}/"),
        (" --dot", "[shape=folder, label=\"app.shots.file\"]"),
        (" --mermaid", "[/\"app.shots.file\"/]"),
    ] {
        let said = workspace.habeas(&format!("map graph{form}")).run().code(0).stdout;
        assert!(said.contains(words), "{said}");
    }
    let register = workspace.habeas("map register --json").run().json();
    assert!(register["activities"].to_string().contains("uploads"), "{register}");
}
