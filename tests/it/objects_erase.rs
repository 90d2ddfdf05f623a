//! Erasing objects that rows name, in a folder and in a bucket: everything of this person goes, in every version, and nothing of anybody else.

use serde_json::json;

use crate::support::laws::{
    KEY, PEOPLE, ada, collection, erase_ada, erasure_of, item, map, numbers, problems, run, to_user, users,
};
use crate::support::s3::bucket::Versioning;
use crate::support::store::{BUCKET, Store};
use crate::support::wait_for;

/// People and their shots; shot 4 of Ada names the file that Grace's names too.
pub fn people() -> String {
    format!(
        "{PEOPLE} CREATE TABLE shots (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, file TEXT);
         CREATE INDEX shots_of ON shots (user_id);
         INSERT INTO shots VALUES (1, 1, 'one.png'), (2, 1, 'two ü+%2F.png'), (3, 2, 'three.png'), (4, 1, 'three.png'), (5, 1, NULL);"
    )
}

/// Avatars by prefix, shots by the column that names them.
pub fn objects_map() -> String {
    map(&[users(), avatars("prefix: 'avatars/{users.id}/'", "delete"), shots("delete")])
}

fn avatars(locate: &str, on_erasure: &str) -> String {
    collection("avatars", &format!("on_erasure: {on_erasure}, objects: {{source: uploads, {locate}}}"), &[])
}

fn shots(on_erasure: &str) -> String {
    let file = "name: file, habeas: {object: {source: uploads, key: 'shots/{file}'}}";
    collection("shots", &format!("on_erasure: {on_erasure}"), &[KEY, &to_user("user_id", ""), file])
}

/// What lies in the store before.
pub fn fill(store: &Store) {
    for (key, bytes) in [
        ("avatars/1/me.jpg", b"\xff\xd8\xff me".as_slice()),
        ("avatars/1/old/notes.txt", b"notes"),
        ("avatars/10/x.jpg", b"ten"),
        ("avatars/2/grace.jpg", b"grace"),
        ("shots/one.png", b"one"),
        ("shots/two ü+%2F.png", b"two"),
        ("shots/three.png", b"three"),
        ("shots/one.png.bak", b"not named by any row"),
    ] {
        store.put(key, bytes);
    }
}

/// A tag as the server keeps it.
pub fn tag(name: &str, value: &str) -> s3s::dto::Tag {
    s3s::dto::Tag { key: Some(name.to_owned()), value: Some(value.to_owned()) }
}

const OTHERS: [&str; 4] = ["avatars/10/x.jpg", "avatars/2/grace.jpg", "shots/one.png.bak", "shots/three.png"];

#[test]
fn o_1_what_this_person_s_rows_name_goes_and_what_others_name_too_stays() {
    for (workspace, store) in Store::each(&people(), &objects_map()) {
        fill(&store);
        // Once more: in a bucket that is a second version of it.
        store.put("avatars/1/me.jpg", b"me, later");
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(store.keys(), OTHERS, "{done}");
        assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
        let kept = item(&done, "shots.file");
        assert_eq!((&kept["affected"], &kept["retained"][0]["ground"]), (&json!(2), &json!("shared")), "{done}");
        assert_eq!(item(&done, "avatars")["outcome"], "erased", "{done}");
        assert_eq!(numbers(&workspace, "shots", "id"), [3]);
    }
}

#[test]
fn e_3_every_version_every_marker_and_every_unfinished_upload_goes() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    fill(&store);
    let server = store.server();
    wait_for(async {
        let client = server.client();
        // Deleted by the application: the versions are still there, under a marker.
        client.delete_object().bucket(BUCKET).key("avatars/1/me.jpg").send().await.expect("a marker");
        client.create_multipart_upload().bucket(BUCKET).key("avatars/1/film.mp4").send().await.expect("an upload");
        client.create_multipart_upload().bucket(BUCKET).key("avatars/2/film.mp4").send().await.expect("an upload of Grace");
    });
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
    assert_eq!(item(&plan, "avatars")["found"], 4, "two objects, a marker, an upload: {plan}");
    let done = erase_ada(&workspace).code(0).json();
    assert_eq!(item(&done, "avatars")["affected"], 4, "{done}");
    assert!(store.keys().iter().all(|key| !key.starts_with("avatars/1/")), "{:?}", store.keys());
    assert!(store.keys().contains(&"avatars/2/film.mp4".to_owned()));
    assert!(server.journal().all().iter().all(|request| !request.bypasses_governance()));
}

#[test]
fn the_null_version_of_a_bucket_whose_versioning_is_suspended_goes_like_any_other() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Never);
    store.put("avatars/1/me.jpg", b"from before");
    let server = store.server();
    server.shape(BUCKET, |bucket| bucket.versioning = Versioning::Enabled);
    store.put("avatars/1/me.jpg", b"a version");
    server.shape(BUCKET, |bucket| bucket.versioning = Versioning::Suspended);
    assert_eq!(server.left(BUCKET, "avatars/1/me.jpg").len(), 2);
    let done = erase_ada(&workspace).code(0).json();
    assert_eq!(item(&done, "avatars")["affected"], 2, "{done}");
    assert!(store.keys().is_empty(), "{:?}", store.keys());
}

#[test]
fn more_than_a_thousand_objects_go_in_batches() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    for n in 0..2_300 {
        store.put(&format!("avatars/1/{n}"), b"x");
        store.put(&format!("avatars/11/{n}"), b"x");
    }
    let done = erase_ada(&workspace).code(0).json();
    assert_eq!(item(&done, "avatars")["affected"], 2_300, "{done}");
    assert_eq!(store.keys().len(), 2_300);
}

#[test]
fn o_1_a_prefix_that_may_lie_inside_another_s_is_refused() {
    let script = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, login TEXT);
                  INSERT INTO users VALUES (1, 'ada@example.com', 'a'), (2, 'grace@example.com', 'a/b');";
    let people = collection(
        "users",
        "on_erasure: delete",
        &[
            "name: id, fides_meta: {primary_key: true, identity: user_id}",
            "name: email, fides_meta: {identity: email}",
            "name: login",
        ],
    );
    for (workspace, store) in Store::each(script, &map(&[people.clone(), avatars("prefix: 'avatars/{users.login}/'", "delete")])) {
        store.put("avatars/a/x", b"Ada's");
        store.put("avatars/a/b/x", b"Grace's");
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert_eq!(problems(&plan), ["object_prefix_overlaps"], "{plan}");
        erase_ada(&workspace);
        assert_eq!(store.keys().len(), 2);
    }
}

#[test]
fn p_1_objects_of_which_nobody_has_decided_block_the_plan() {
    let undecided = collection("avatars", "objects: {source: uploads, prefix: 'avatars/{users.id}/'}", &[]);
    let (workspace, store) = Store::folder(&people(), &map(&[users(), undecided]));
    fill(&store);
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().json();
    assert_eq!(item(&plan, "avatars")["disposition"], "undecided", "{plan}");
    assert_ne!(erase_ada(&workspace).json()["status"], "completed");
    assert_eq!(store.keys().len(), 8);
}

#[test]
fn objects_found_by_tag_and_by_metadata_are_this_person_s_alone() {
    for (locate, by_tag) in [
        ("prefix: 'docs/', tag: {name: owner, value: 'u-{users.id}'}", true),
        ("metadata: {name: Owner, value: 'u-{users.id}'}", false),
    ] {
        let (workspace, store) = Store::bucket(PEOPLE, &map(&[users(), avatars(locate, "delete")]), Versioning::Enabled);
        for (key, owner) in [("docs/a", "u-1"), ("docs/b", "u-2"), ("docs/c", "u-10"), ("docs/d", "u-1")] {
            store.server().place_with(BUCKET, key, b"x".to_vec(), |about| match by_tag {
                true => about.tags = vec![tag("owner", owner)],
                false => about.metadata = Some([("owner".to_owned(), owner.to_owned())].into()),
            });
        }
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(item(&done, "avatars")["affected"], 2, "{done}");
        assert_eq!(store.keys(), ["docs/b", "docs/c"]);
    }
}

#[test]
fn keys_of_any_shape_are_erased_exactly() {
    let long = "k".repeat(1_024 - "shots/".len());
    let odd = [
        "a b",
        "a+b",
        "a%2Fb",
        "A",
        "a",
        "é",
        "e\u{301}",
        "\u{1F600}",
        "line\nbreak",
        "tab\t",
        "ctl\u{1}",
        "a/../b",
        "a//b",
        ".",
        &long,
    ];
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    workspace.database.script("DELETE FROM shots;");
    for (at, key) in odd.iter().enumerate() {
        let written = key.replace('\'', "''");
        workspace.database.script(&format!("INSERT INTO shots VALUES ({}, 1, '{written}');", at + 100));
        store.put(&format!("shots/{key}"), b"hers");
    }
    store.put("shots/aB", b"somebody's");
    store.put("shots/a b/", b"somebody's");
    let done = erase_ada(&workspace).code(0).json();
    assert_eq!(item(&done, "shots.file")["affected"], odd.len(), "{done}");
    assert_eq!(store.keys(), ["shots/a b/", "shots/aB"]);
}

#[test]
fn a_folder_gives_up_no_file_outside_it_and_no_bytes_that_stay_elsewhere() {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    fill(&store);
    let Store::Folder(folder) = &store else { panic!("a folder") };
    workspace.write("secret.txt", "of the company");
    std::os::unix::fs::symlink(workspace.path("secret.txt"), folder.join("avatars/1/link")).expect("a link");
    std::fs::hard_link(folder.join("avatars/2/grace.jpg"), folder.join("avatars/1/hard")).expect("a second name");
    store.put("internal/salaries.csv", b"everybody's");
    workspace.database.script("INSERT INTO shots VALUES (6, 1, '../../secret.txt'), (7, 1, '../internal/salaries.csv');");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert_eq!(problems(&plan), ["object_not_erasable", "object_not_erasable"], "a link and a second name: {plan}");
    erase_ada(&workspace);
    assert!(folder.join("avatars/1/me.jpg").exists(), "nothing is half done");
    std::fs::remove_file(folder.join("avatars/1/link")).expect("removed");
    std::fs::remove_file(folder.join("avatars/1/hard")).expect("removed");
    erase_ada(&workspace).code(0);
    assert!(workspace.path("secret.txt").exists());
    assert!(folder.join("avatars/2/grace.jpg").exists());
    assert!(folder.join("internal/salaries.csv").exists(), "what she typed in leads out of the place of her pictures");
    assert!(!folder.join("avatars/1/me.jpg").exists());
}

#[test]
fn the_folder_of_a_person_is_removed_with_its_last_file() {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    fill(&store);
    erase_ada(&workspace).code(0);
    let Store::Folder(folder) = &store else { panic!("a folder") };
    assert!(!folder.join("avatars/1").exists(), "its name is her number");
    assert!(folder.join("avatars").exists());
}

#[test]
fn i_1_two_keys_that_differ_in_case_only_are_two() {
    let (workspace, store) = Store::bucket(&people(), &objects_map(), Versioning::Enabled);
    store.put("shots/ONE.png", b"somebody's");
    store.put("shots/one.png", b"Ada's");
    let done = run(&workspace, &erasure_of(&ada())).code(0).json();
    assert_eq!(item(&done, "shots.file")["affected"], 1, "{done}");
    assert_eq!(store.keys(), ["shots/ONE.png"]);
}

#[test]
fn o_1_a_job_limited_to_categories_or_by_a_policy_leaves_the_objects_that_it_does_not_name() {
    let policy = "policy:\n  - fides_key: names\n    rules:\n      - {name: r, action_type: erasure, targets: [user.name], \
                  masking_strategy: {strategy: null_rewrite}}\n";
    for limit in [json!({"categories": ["user.content"]}), json!({"policy": "names"})] {
        for (workspace, store) in Store::each(&people(), &format!("{}{policy}", objects_map())) {
            fill(&store);
            let mut job = erasure_of(&ada());
            job.as_object_mut().expect("an object").extend(limit.as_object().expect("an object").clone());
            let done = run(&workspace, &job).json();
            assert_eq!(store.keys().len(), 8, "{limit}: {done}");
        }
    }
}

#[test]
fn o_1_what_another_collection_or_another_spelling_of_somebody_else_names_stays() {
    let script = format!(
        "{} CREATE TABLE papers (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, path TEXT);
         INSERT INTO papers VALUES (1, 2, 'shots/one.png'), (2, 2, 'avatars/1/me.jpg'), (3, 1, 'papers/hers.pdf');",
        people()
    );
    let papers = collection(
        "papers",
        "on_erasure: delete",
        &[KEY, &to_user("user_id", ""), "name: path, habeas: {object: {source: uploads, key: '{path}'}}"],
    );
    for (workspace, store) in Store::each(&script, &format!("{}{papers}", objects_map())) {
        fill(&store);
        store.put("papers/hers.pdf", b"pdf");
        erase_ada(&workspace).code(0);
        let left = store.keys();
        for key in ["shots/one.png", "avatars/1/me.jpg"] {
            assert!(left.contains(&key.to_owned()), "Grace's paper names {key}: {left:?}");
        }
        assert!(!left.contains(&"papers/hers.pdf".to_owned()) && !left.contains(&"avatars/1/old/notes.txt".to_owned()));
    }
    // In a folder a path has many spellings.
    let (workspace, store) = Store::folder(&people(), &objects_map());
    fill(&store);
    workspace.database.script(
        "UPDATE shots SET file = '../shots/./one.png' WHERE id = 3; UPDATE shots SET file = './/two ü+%2F.png' WHERE id = 2;",
    );
    erase_ada(&workspace).code(0);
    assert!(store.keys().contains(&"shots/one.png".to_owned()), "Grace names it in another spelling");
    assert!(!store.keys().contains(&"shots/two ü+%2F.png".to_owned()), "Ada's own other spelling is the same file");
}

#[test]
fn v_2_a_store_that_is_empty_although_rows_name_objects_in_it_stops_the_erasure() {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert!(problems(&plan).contains(&"objects_not_read"), "a disk that is not mounted looks like this: {plan}");
    assert!(store.keys().is_empty());
}

#[test]
fn v_2_what_lies_behind_a_link_is_not_taken_for_absent() {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    fill(&store);
    let Store::Folder(folder) = &store else { panic!("a folder") };
    std::fs::rename(folder.join("avatars/1"), workspace.path("elsewhere")).expect("moved");
    std::os::unix::fs::symlink(workspace.path("elsewhere"), folder.join("avatars/1")).expect("a link");
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert!(problems(&plan).contains(&"objects_not_read"), "{plan}");
    erase_ada(&workspace);
    assert_eq!(numbers(&workspace, "users", "id"), [1, 2, 3]);
}
