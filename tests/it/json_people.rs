//! People named inside JSON columns: found byte for byte (I-1), alone or among others, and among others only their own elements are cleared
//! (O-1).

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::laws::*;
use super::support::workspace::Workspace;

const SCRIPT: &str = r#"
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    INSERT INTO users VALUES (1, 'ada@example.com'), (2, 'grace@example.com'), (11, 'linus@example.com');
    CREATE TABLE events (id INTEGER PRIMARY KEY, payload JSONTYPE);
    INSERT INTO events VALUES (1, '{"user":{"a.b":1},"n":1.0}'), (2, '{"user":{"a.b":"1"}}'), (3, '{"user":{"a.b":11}}'),
      (4, '{"user":{"a.b":null}}'), (5, '{"user":{"a":{"b":1}}}'), (6, '[[{"user":[{"a.b":2},{"a.b":[1]}]}]]'), (7, NULL), (8, '1'),
      (9, '{"user":{"a.b":1.0}}'), (10, '{"user":{"a.b":"1 "}}');
    CREATE TABLE teams (id INTEGER PRIMARY KEY, doc JSONTYPE NOT NULL);
    INSERT INTO teams VALUES (1, '{"title":"both","members":[{"id":1,"name":"Ada","role":"r","since":1.50},{"id":2,"name":"Grace","role":"r"}]}'),
      (2, '{"title":"hers","members":[{"id":1,"name":"Ada"},{"id":1,"name":"Ada again"}]}'), (3, '{"title":"not hers","members":[{"id":2}]}');
    CREATE TABLE guests (id INTEGER PRIMARY KEY, info JSONTYPE);
    INSERT INTO guests VALUES (1, '{"mail":"Ada@Example.COM","room":7}'), (2, '{"mail":"ada@example.com "}'), (3, '{"mail":"canada@example.com"}'),
      (4, '{"mail":["ada@example.com","grace@example.com"],"room":8}'), (5, '{"mail":"ada\u0040example.com"}'), (6, '{"mail":"adа@example.com"}');"#;

fn script(json_type: &str) -> String {
    SCRIPT.replace("JSONTYPE", json_type)
}

fn inside(habeas: &str) -> String {
    format!("fides_meta: {{references: [{{dataset: app, field: users.id, direction: from}}]}}, habeas: {{{habeas}}}")
}

fn world() -> String {
    map(&[
        users(),
        collection(
            "events",
            "on_erasure: delete",
            &[KEY, &format!("name: payload, fields: [{{name: user, fields: [{{name: a.b, {}}}]}}]", inside(""))],
        ),
        collection(
            "teams",
            "on_erasure: delete",
            &[
                KEY,
                &format!(
                    "name: doc, fields: [{{name: title}}, {{name: members, fields: [{{name: id, {}}}, {{name: name}}, {{name: role, fides_meta: {{read_only: true}}}}]}}]",
                    inside("")
                ),
            ],
        ),
        collection(
            "guests",
            "on_erasure: delete",
            &[
                KEY,
                "name: info, fields: [{name: mail, fides_meta: {identity: email}, habeas: {normal_form: ascii_lower}}, {name: room}]",
            ],
        ),
    ])
}

fn worlds() -> Vec<Workspace> {
    let jsonb = Workspace::postgres(&script("jsonb"), &world());
    Workspace::on_both(&script("json"), &world()).into_iter().chain(jsonb).collect()
}

pub fn stored(workspace: &Workspace, table: &str, column: &str, id: i64) -> Value {
    let text = workspace.database.text(&format!("SELECT CAST({column} AS TEXT) AS value FROM {table} WHERE id = {id}"));
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn i_1_rows_are_found_by_what_their_json_says_and_by_nothing_that_is_only_like_it() {
    for workspace in worlds() {
        let done = run(&workspace, &json!({"kind": "access", "subject": ada()})).code(0).json();
        let archive = Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")));
        let ids =
            |table: &str| -> Vec<i64> { archive.rows(table).iter().map(|row| row["id"].as_i64().expect("a number")).collect() };
        assert_eq!(ids("app/events"), [1, 2, 6], "1 and \"1\", also deep in arrays; not 11, 1.0, \"1 \" or another path");
        assert_eq!(ids("app/teams"), [1, 2]);
        assert_eq!(ids("app/guests"), [1, 4, 5], "the normal form of the map, escapes undone, and no look-alikes");
    }
}

#[test]
fn o_1_among_others_only_the_elements_of_the_subject_are_cleared_and_the_row_stays() {
    for workspace in worlds() {
        let before = workspace.database.dump();
        let done = erase_ada(&workspace).json();
        assert_eq!(numbers(&workspace, "events", "id"), [3, 4, 5, 6, 7, 8, 9, 10]);
        assert_eq!(stored(&workspace, "events", "payload", 6), json!([[{"user": [{"a.b": 2}, {"a.b": [null]}]}]]));
        assert_eq!(numbers(&workspace, "teams", "id"), [1, 3], "a team of hers alone goes");
        let expected = json!({"title": "both", "members": [
            {"id": null, "name": null, "role": "r", "since": 1.50}, {"id": 2, "name": "Grace", "role": "r"}]});
        assert_eq!(stored(&workspace, "teams", "doc", 1), expected);
        assert_eq!(numbers(&workspace, "guests", "id"), [2, 3, 4, 6]);
        assert_eq!(stored(&workspace, "guests", "info", 4), json!({"mail": [null, "grace@example.com"], "room": 8}));
        let after = workspace.database.dump();
        for (table, id) in [("teams", 3), ("guests", 2), ("guests", 3), ("guests", 6), ("events", 3)] {
            let row = |dump: &super::support::database::Dump| dump[table].iter().find(|row| row["id"] == id).cloned();
            assert_eq!(row(&before), row(&after), "{table} {id}");
        }
        let teams = items(&done, "teams");
        assert_eq!((&teams[0]["outcome"], &teams[0]["affected"]), (&json!("erased"), &json!(1)), "{done}");
        assert_eq!(teams[0]["retained"], json!([{"count": 1, "ground": "shared"}]));
        assert_eq!((&teams[1]["disposition"], &teams[1]["outcome"]), (&json!("unlink"), &json!("erased")), "{done}");
        let residue: Vec<&str> =
            done["residue"].as_array().expect("a list").iter().map(|r| r["place"].as_str().expect("text")).collect();
        assert!(
            residue.iter().all(|place| place.ends_with(".guests.info")),
            "the look-alike with a space behind it alone: {residue:?}"
        );
    }
}

#[test]
fn o_1_a_job_that_is_limited_to_categories_clears_nothing_else_in_the_elements_of_the_subject() {
    let member = |id: &str, more: &str| {
        let id = format!("name: id, data_categories: [user.unique_id], {id}");
        format!(
            "name: doc, fields: [{{name: title}}, {{name: members{more}, fields: [{{{id}}}, {{name: name, data_categories: [user.name]}}, {{name: role}}]}}]"
        )
    };
    for (more, categories, expected) in [
        ("", json!(["user.unique_id"]), json!({"id": null, "name": "Ada", "role": "r", "since": 1.50})),
        ("", json!(["user.unique_id", "user.name"]), json!({"id": null, "name": null, "role": "r", "since": 1.50})),
        (
            ", data_categories: [user.content]",
            json!(["user.content"]),
            json!({"id": null, "name": null, "role": null, "since": 1.50}),
        ),
        ("", json!(["user.name"]), json!({"id": 1, "name": "Ada", "role": "r", "since": 1.50})),
    ] {
        let teams = collection("teams", "on_erasure: delete", &[KEY, &member(&inside(""), more)]);
        for workspace in Workspace::on_both(&script("json"), &map(&[users(), teams])) {
            let job = json!({"kind": "erasure", "subject": ada(), "approval": "none", "categories": categories});
            let done = run(&workspace, &job).json();
            let grace = json!({"id": 2, "name": "Grace", "role": "r"});
            assert_eq!(stored(&workspace, "teams", "doc", 1), json!({"title": "both", "members": [expected, grace]}), "{done}");
        }
    }
}

#[test]
fn e_1_elements_in_two_columns_of_one_row_are_counted_for_each_column() {
    let script = format!(
        r#"{PEOPLE}
         CREATE TABLE boards (id INTEGER PRIMARY KEY, members json, readers json);
         INSERT INTO boards VALUES (1, '{{"ids": [1, 2]}}', '{{"ids": [2, 1]}}'), (2, '{{"ids": [1, 2]}}', '{{"ids": [2]}}');"#
    );
    let column = |name: &str| format!("name: {name}, fields: [{{name: ids, {}}}]", inside(""));
    let boards = collection("boards", "on_erasure: delete", &[KEY, &column("members"), &column("readers")]);
    for workspace in Workspace::on_both(&script, &map(&[users(), boards])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(stored(&workspace, "boards", "members", 1), json!({"ids": [null, 2]}), "{done}");
        assert_eq!(stored(&workspace, "boards", "readers", 1), json!({"ids": [2, null]}), "{done}");
        assert_eq!(stored(&workspace, "boards", "members", 2), json!({"ids": [null, 2]}), "{done}");
    }
}

#[test]
fn o_1_names_of_others_in_the_same_json_are_not_taken_for_the_subjects() {
    let script = r#"CREATE TABLE accounts (id INTEGER PRIMARY KEY, info JSON);
        INSERT INTO accounts VALUES (1, '{"mails":["ada@example.com","grace@example.com"]}'), (2, '{"mails":["grace@example.com"]}');
        CREATE TABLE notes (id INTEGER PRIMARY KEY, account INTEGER, mail TEXT);
        INSERT INTO notes VALUES (1, 1, NULL), (2, 2, NULL), (3, NULL, 'grace@example.com');"#;
    let world = map(&[
        collection(
            "accounts",
            "on_erasure: delete, names: several",
            &[KEY_OF_USERS, "name: info, fields: [{name: mails, fides_meta: {identity: email}}]"],
        ),
        collection(
            "notes",
            "on_erasure: delete",
            &[KEY, &refers("account", "accounts.id", ""), "name: mail, fides_meta: {identity: email}"],
        ),
    ]);
    for workspace in Workspace::on_both(script, &world) {
        let _ = run(&workspace, &erasure_of(&json!({"user_id": "1"})));
        assert_eq!(numbers(&workspace, "accounts", "id"), [1, 2], "it names two people: nobody's alone");
        assert_eq!(numbers(&workspace, "notes", "id"), [1, 2, 3]);
        assert_eq!(workspace.database.count("notes WHERE mail = 'grace@example.com'"), 1);
        assert!(stored(&workspace, "accounts", "info", 1).to_string().contains("grace@example.com"));
    }
}

#[test]
fn h_1_a_hold_on_another_person_in_the_same_json_keeps_it_as_it_is() {
    for workspace in worlds() {
        let before = stored(&workspace, "teams", "doc", 1);
        hold(&workspace, "M-1", &json!({"subject": {"email": "grace@example.com"}}));
        let _ = erase_ada(&workspace);
        assert_eq!(stored(&workspace, "teams", "doc", 1), before);
        assert_eq!(stored(&workspace, "guests", "info", 4), json!({"mail": ["ada@example.com", "grace@example.com"], "room": 8}));
        assert_eq!(numbers(&workspace, "teams", "id"), [1, 3], "what is hers alone goes all the same");
    }
}

#[test]
fn what_cannot_be_followed_inside_json_is_refused_with_words() {
    let at = |references: &str| {
        map(&[
            users(),
            collection(
                "events",
                "on_erasure: delete",
                &[KEY, &format!("name: payload, fields: [{{name: user_id, {references}}}]")],
            ),
        ])
    };
    let to = "fides_meta: {references: [{dataset: app, field: users.id, direction: to}]}";
    let undirected = "fides_meta: {references: [{dataset: app, field: users.id}]}";
    for references in [to, undirected] {
        let said = Workspace::sqlite(&script("json"), &at(references)).habeas("map check").run().code(2);
        let text = format!("{}{}", said.stdout, said.stderr);
        assert!(text.contains("from which no way leads on") && text.contains("`direction: from`"), "{text}");
    }
    let Some(workspace) = Workspace::postgres(&script("text"), &at(&inside(""))) else { return };
    let findings = workspace.habeas("map check --json").run().json();
    assert!(findings.to_string().contains("inside_not_followed"), "{findings}");
    for kind in ["access", "erasure"] {
        let said = run(&workspace, &json!({"kind": kind, "subject": ada()})).code(2);
        assert!(said.stdout.contains("generated column"), "{kind}: {}", said.stdout);
    }
}
