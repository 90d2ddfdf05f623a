//! X-1 with the real program: every row that is found is handed over, withheld with a reason, or named as failed.

use std::fs;

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::database::Database;
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         ALTER TABLE users ADD password_hash TEXT; UPDATE users SET password_hash = 'argon2';
         ALTER TABLE users ADD secret_plan TEXT; UPDATE users SET secret_plan = 'unmapped';
         CREATE TABLE reviews (id INTEGER PRIMARY KEY, author INTEGER, reviewer INTEGER, note_to_self TEXT, text TEXT);
         CREATE TABLE scores (id INTEGER PRIMARY KEY, user_id INTEGER, value INTEGER);
         CREATE TABLE devices (id INTEGER PRIMARY KEY, user_id INTEGER, cookie TEXT, cookie_id TEXT);
         INSERT INTO reviews VALUES (1, 1, 2, 'hers', 'x'), (2, 2, 1, 'private', 'y'), (3, 2, 3, 'private', 'z');
         INSERT INTO scores VALUES (1, 1, 7), (2, 2, 8), (3, 1, 9);
         INSERT INTO devices VALUES (1, 1, 'chocolate', 'c-1');"
    )
}

fn world() -> String {
    map(&[
        collection(
            "users",
            "on_erasure: delete",
            &[
                "name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true, identity: user_id}",
                "name: email, data_categories: [user.contact.email], fides_meta: {identity: email}",
                "name: password_hash, habeas: {withhold: credential}",
            ],
        ),
        collection(
            "reviews",
            "on_erasure: delete, provided: by_subject, legal_basis: art6_1_b",
            &[
                KEY,
                &to_user("author", ""),
                &to_user("reviewer", "right: accesses, hide: [note_to_self]"),
                "name: note_to_self",
                "name: text",
            ],
        ),
        collection(
            "scores",
            "on_erasure: delete, provided: inferred, legal_basis: art6_1_f",
            &[KEY, &to_user("user_id", ""), "name: value"],
        ),
        collection(
            "devices",
            "on_erasure: delete, provided: observed, legal_basis: art6_1_a",
            &[
                "name: id, data_categories: [user.device], fides_meta: {primary_key: true}",
                &to_user("user_id", ""),
                "name: cookie, data_categories: [user.device.cookie]",
                "name: cookie_id, data_categories: [user.device.cookie_id]",
            ],
        ),
    ])
}

fn export(workspace: &Workspace, kind: &str, code: i32) -> (Value, Archive) {
    export_job(workspace, &json!({"kind": kind, "subject": ada()}), code)
}

fn export_job(workspace: &Workspace, job: &Value, code: i32) -> (Value, Archive) {
    let done = run(workspace, job).code(code).json();
    let path = workspace.path(done["archive"]["path"].as_str().expect("an archive"));
    workspace.habeas(&format!("archive verify {}", path.display())).run().code(0);
    (done, Archive::open(&path))
}

/// X-1 in the answer and in the archive.
#[track_caller]
fn adds_up(done: &Value, archive: &Archive) {
    let number = |value: &Value| value.as_u64().expect("a number");
    for item in done["items"].as_array().expect("a list") {
        let failed = if item["error"].is_null() {
            0
        } else {
            number(&item["found"]) - number(&item["exported"]) - number(&item["withheld"])
        };
        assert_eq!(number(&item["found"]), number(&item["exported"]) + number(&item["withheld"]) + failed, "{item}");
        assert!(item["error"].is_null() == (failed == 0), "{item}");
    }
    let completeness = archive.json("data/completeness.json");
    for source in completeness["sources"].as_array().expect("a list") {
        for table in source["tables"].as_array().expect("a list") {
            let withheld: u64 = table["withheld"].as_array().expect("a list").iter().map(|part| number(&part["count"])).sum();
            assert_eq!(number(&table["found"]), number(&table["exported"]) + withheld + number(&table["failed"]), "{table}");
            if let Some(path) = table["jsonl"].as_str() {
                let path = if path.starts_with("data/") { path.to_owned() } else { format!("data/{path}") };
                assert_eq!(archive.text(&path).lines().count() as u64, number(&table["exported"]), "{table}");
            }
        }
    }
}

#[test]
fn x_1_everything_found_is_exported_or_withheld_and_counted() {
    for workspace in Workspace::on_each(&script(), &world()) {
        let before = workspace.database.dump();
        let (done, archive) = export(&workspace, "access", 0);
        adds_up(&done, &archive);
        let tables = archive.tables();
        let counts: Vec<(&str, usize)> = tables.iter().map(|(name, rows)| (name.as_str(), rows.len())).collect();
        assert_eq!(counts, [("app/devices", 1), ("app/reviews", 2), ("app/scores", 2), ("app/users", 1)], "{done}");
        assert_eq!(tables["app/users"], [json!({"id": 1, "email": "ada@example.com"})]);
        let completeness = archive.json("data/completeness.json");
        assert_eq!(completeness["complete"], true);
        let said = completeness.to_string();
        assert!(said.contains("password_hash") && said.contains("credential"), "withheld, and said so: {said}");
        assert!(said.contains("secret_plan"), "a live column that the map does not mention is named: {said}");
        for name in archive.names().iter().filter(|name| !name.ends_with(".parquet")) {
            let text = archive.text(name);
            assert!(!text.contains("argon2") && !text.contains("grace@") && !text.contains("unmapped"), "{name}");
        }
        assert_eq!(before, workspace.database.dump(), "an export changes nothing");
    }
}

#[test]
fn x_1_what_is_only_accessed_is_exported_without_what_is_hidden() {
    for workspace in Workspace::on_each(&script(), &world()) {
        let (_, archive) = export(&workspace, "access", 0);
        let reviews = archive.rows("app/reviews");
        let of = |id: i64| reviews.iter().find(|row| row["id"] == id).expect("the review");
        assert_eq!((&of(1)["note_to_self"], &of(1)["text"]), (&json!("hers"), &json!("x")), "her own, whole");
        assert_eq!((of(2).get("note_to_self").unwrap_or(&Value::Null), &of(2)["text"]), (&Value::Null, &json!("y")));
        for name in archive.names() {
            assert!(!archive.text(name).contains("private"), "{name}");
        }
        let said = archive.json("data/completeness.json").to_string();
        assert!(said.contains("note_to_self"), "what is hidden is counted: {said}");
    }
}

#[test]
fn x_1_portability_leaves_out_what_article_20_does_not_cover_and_counts_it() {
    for workspace in Workspace::on_each(&script(), &world()) {
        let (done, archive) = export(&workspace, "portability", 0);
        adds_up(&done, &archive);
        let tables = archive.tables();
        assert!(
            !tables.contains_key("app/scores") && tables.contains_key("app/devices") && tables.contains_key("app/reviews"),
            "{tables:?}"
        );
        assert_eq!((&item(&done, "scores")["found"], &item(&done, "scores")["withheld"]), (&json!(2), &json!(2)), "{done}");
        let (_, access) = export(&workspace, "access", 0);
        assert_eq!(access.rows("app/scores").len(), 2, "Art. 15 covers what was inferred");
    }
}

#[test]
fn x_1_a_category_ends_at_a_dot() {
    for workspace in Workspace::on_each(&script(), &world()) {
        let job = json!({"kind": "access", "subject": ada(), "categories": ["user.device.cookie"]});
        let (done, archive) = export_job(&workspace, &job, 0);
        adds_up(&done, &archive);
        let device = &archive.rows("app/devices")[0];
        assert_eq!(device["cookie"], "chocolate");
        assert_eq!(device.get("cookie_id"), None, "another category with the same beginning: {device}");
        for name in archive.names() {
            assert!(!archive.text(name).contains("c-1"), "{name}");
        }
        let job = json!({"kind": "access", "subject": ada(), "categories": ["user.device"]});
        let (_, archive) = export_job(&workspace, &job, 0);
        assert_eq!(archive.rows("app/devices")[0]["cookie_id"], "c-1", "what lies below is meant");
    }
}

#[test]
fn x_1_text_that_is_no_text_is_carried_as_bytes_and_never_blank() {
    let script =
        format!("{} INSERT INTO devices VALUES (2, 1, CAST(X'FF41FF' AS TEXT), 'after'), (3, 1, 'fine', 'c-3');", script());
    let workspace = Workspace::sqlite(&script, &world());
    let (done, archive) = export(&workspace, "access", 0);
    adds_up(&done, &archive);
    let rows = archive.rows("app/devices");
    let broken = rows.iter().find(|row| row["id"] == 2).expect("the row");
    assert_eq!((&broken["cookie_b64"], &broken["cookie_id"]), (&json!("/0H/"), &json!("after")), "{rows:?}");
    assert_eq!(rows.iter().find(|row| row["id"] == 3).expect("the row")["cookie"], "fine");
    assert!(archive.text("data/tables/app/devices.csv").contains("/0H/"));
}

#[test]
fn v_2_an_archive_says_which_source_was_not_reached() {
    for workspace in Workspace::on_each(&script(), &world()) {
        let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
        workspace.write("habeas.yaml", &config.replace("sources:\n", "sources:\n  crm: {sqlite: away.db}\n"));
        let contacts = collection("contacts", "on_erasure: delete", &[KEY, "name: email, fides_meta: {identity: email}"]);
        workspace.write("datamap/crm.yml", &map(&[contacts]).replace("fides_key: app", "fides_key: crm"));
        let (done, archive) = export(&workspace, "access", 3);
        assert_eq!((&done["status"], &done["gaps"][0]["source"]), (&json!("partial"), &json!("crm")));
        let completeness = archive.json("data/completeness.json");
        assert_eq!(completeness["complete"], false);
        let crm = completeness["sources"].as_array().unwrap().iter().find(|source| source["name"] == "crm").unwrap();
        assert_eq!(crm["status"], "failed", "{crm}");
        assert!(!crm["errors"].as_array().unwrap().is_empty(), "{crm}");
        assert_eq!(archive.rows("app/users").len(), 1, "what is reached is handed over");
        assert!(!workspace.path("away.db").exists(), "reading a source does not make it");
    }
}

#[test]
fn nothing_held_is_an_answer_to_both_questions() {
    let nobody = json!({"email": "nobody@example.com"});
    for workspace in Workspace::on_each(&script(), &world()) {
        let before = workspace.database.dump();
        let (done, archive) = export_job(&workspace, &json!({"kind": "access", "subject": nobody}), 0);
        assert_eq!(done["status"], "completed");
        assert!(done["items"].as_array().unwrap().iter().all(|item| item["found"] == 0), "{done}");
        let completeness = archive.json("data/completeness.json");
        assert_eq!((&completeness["complete"], &completeness["totals"]["found"]), (&json!(true), &json!(0)));
        assert!(archive.tables().is_empty());
        let text = run_for_people(&workspace, &json!({"kind": "access", "subject": nobody}));
        assert!(text.to_lowercase().contains("nothing"), "{text}");

        let done = run(&workspace, &erasure_of(&nobody)).code(0).json();
        assert_eq!(done["status"], "completed", "{done}");
        let text = run_for_people(&workspace, &erasure_of(&nobody));
        assert!(text.to_lowercase().contains("nothing"), "{text}");
        assert_eq!(before, workspace.database.dump());
    }
}

fn run_for_people(workspace: &Workspace, job: &Value) -> String {
    let said = workspace.habeas("run - --no-input").input(job.to_string()).run().code(0);
    format!("{}{}", said.stdout, said.stderr)
}

#[test]
fn x_1_keys_that_look_like_nothing_and_values_that_look_like_null_are_exported() {
    let script = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
                  CREATE TABLE things (id VARCHAR(40) PRIMARY KEY, user_id INTEGER, a TEXT, n INTEGER, f DOUBLE PRECISION);
                  INSERT INTO users VALUES (0, 'ada@example.com');
                  INSERT INTO things VALUES ('', 0, '', 0, 0.1), ('NULL', 0, 'NULL', -1, 1e300), ('n', 0, NULL, NULL, NULL);";
    let things = collection("things", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: a", "name: n", "name: f"]);
    for workspace in Workspace::on_each(script, &map(&[things.clone(), users()])) {
        let (done, archive) = export(&workspace, "access", 0);
        adds_up(&done, &archive);
        let rows = archive.rows("app/things");
        assert_eq!(rows.len(), 3);
        let of = |id: &str| rows.iter().find(|row| row["id"] == id).expect("the row");
        assert_eq!((&of("")["a"], &of("")["n"]), (&json!(""), &json!(0)));
        assert_eq!(of("NULL")["a"], "NULL");
        assert_eq!((&of("n")["a"], &of("n")["n"]), (&Value::Null, &Value::Null));
        assert_eq!(Database::Sqlite(workspace.path("habeas.db")).count("request"), 1);
    }
}
