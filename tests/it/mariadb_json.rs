//! JSON columns on MariaDB, which keeps them as text with a check: parts are handed over and overwritten exactly as elsewhere; a person or a
//! reference inside JSON cannot be looked up there, and the map is refused (X-1, V-1, I-1).

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::database::difference;
use super::support::laws::*;
use super::support::workspace::Workspace;

/// Numbers that no float holds, a key twice, escapes as they came.
const PROFILE: &str = r#"{"zeta": 1e40, "email":"ada@example.com","nick":"Ada \u0040 \"home\"","big":12345678901234567890.10, "secrets":{"pin":"0000","hint":"cat"},
  "homes":[{"city":"Wien","code":1.0},null,"loose",{"code":-0,"city":null}],"🙂":"\ud83d\ude00","twice":1,"twice":2}"#;

fn script(profile: &str) -> String {
    let his = profile.replace("ada@", "grace@");
    format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, owner VARCHAR(80), profile JSON);
         INSERT INTO users VALUES (1, 'ada@example.com', '{profile}'), (2, 'grace@example.com', '{his}'), (3, 'ada@example.com', NULL);"
    )
}

fn fields(profile: &str, habeas: &str) -> String {
    let owner = "name: owner, fides_meta: {identity: email, masking_strategy_override: {strategy: random_string_rewrite}}";
    map(&[collection("users", habeas, &[KEY, owner, &format!("name: profile, fields: [{profile}]")])])
}

fn stored(workspace: &Workspace, id: i64) -> String {
    workspace.database.text(&format!("SELECT profile AS value FROM users WHERE id = {id}"))
}

#[test]
fn x_1_parts_are_handed_over_as_stored_and_what_is_withheld_is_cut_out() {
    let parts = "{name: nick}, {name: big}, {name: zeta}, {name: homes, fields: [{name: city}, {name: code}]}, \
                 {name: secrets, fields: [{name: pin, habeas: {withhold: credential}}, {name: hint}]}";
    let Some(workspace) = Workspace::mariadb(&script(PROFILE), &fields(parts, "on_erasure: keep")) else { return };
    let done = run(&workspace, &json!({"kind": "access", "subject": ada()})).run_to_end();
    let archive = Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")));
    let text = archive.text("data/tables/app/users.jsonl");
    let expected = r#""profile":{"zeta":1e40,"nick":"Ada \u0040 \"home\"","big":12345678901234567890.10,"secrets":{"hint":"cat"},"homes":[{"city":"Wien","code":1.0},null,null,{"code":-0,"city":null}]}"#;
    assert!(text.contains(expected), "{text}");
    assert!(text.contains(r#""profile":null"#), "{text}");
    assert!(!text.contains("0000"), "what is withheld: {text}");
}

#[test]
fn v_1_only_the_masked_parts_change_and_everything_else_stays_byte_for_byte() {
    let null = "fides_meta: {masking_strategy_override: {strategy: null_rewrite}}";
    let parts = format!(
        "{{name: email, {null}}}, {{name: 🙂, {null}}}, {{name: homes, fields: [{{name: city, {null}}}]}}, {{name: twice, {null}}}"
    );
    let Some(workspace) = Workspace::mariadb(&script(PROFILE), &fields(&parts, "on_erasure: mask")) else { return };
    let done = erase_ada(&workspace).json();
    let masked = PROFILE
        .replace("\"ada@example.com\"", "null")
        .replace("\"Wien\"", "null")
        .replace(r#""\ud83d\ude00""#, "null")
        .replace(r#""twice":1,"twice":2"#, r#""twice":null,"twice":null"#);
    assert_eq!(stored(&workspace, 1), masked, "{done}");
    assert_eq!(stored(&workspace, 2), PROFILE.replace("ada@", "grace@"), "another person's");
    let users = item(&done, "users");
    assert_eq!((&users["outcome"], &users["affected"]), (&json!("erased"), &json!(2)), "{done}");
    assert_eq!(done["residue"], json!([]), "{done}");
}

#[test]
fn i_1_people_and_references_inside_json_are_refused_with_words() {
    let inside = "fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}";
    for part in [format!("name: user_id, {inside}"), "name: mail, fides_meta: {identity: email}".to_owned()] {
        let events = collection("events", "on_erasure: delete", &[KEY, &format!("name: payload, fields: [{{{part}}}]")]);
        let script = format!(
            "{PEOPLE} CREATE TABLE events (id INTEGER PRIMARY KEY, payload JSON);
             INSERT INTO events VALUES (1, '{{\"user_id\":1,\"mail\":\"ada@example.com\"}}'), (2, '{{\"user_id\":2}}');"
        );
        let Some(workspace) = Workspace::mariadb(&script, &map(&[users(), events])) else { return };
        let before = workspace.database.dump();
        let checked = workspace.habeas("map check --json").run().code(2).json();
        assert!(checked.to_string().contains("inside_not_followed"), "{checked}");
        // A person who asks what is stored is not told that this is all, and nothing is erased.
        for kind in ["access", "erasure"] {
            let said = run(&workspace, &json!({"kind": kind, "subject": ada()})).code(2);
            assert!(said.stdout.contains("generated column"), "{kind}: {}", said.stdout);
            let document: Value = said.json();
            assert_eq!((&document["archive"], &document["certificate"]), (&Value::Null, &Value::Null), "{kind}: {document}");
        }
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

/// What the refusal says to do.
#[test]
fn a_generated_column_over_the_json_leads_to_the_person() {
    let events = collection("events", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: payload"]);
    let script = format!(
        "{PEOPLE} CREATE TABLE events (id INTEGER PRIMARY KEY, payload JSON, user_id INTEGER AS (JSON_VALUE(payload, '$.user_id')) PERSISTENT);
         INSERT INTO events (id, payload) VALUES (1, '{{\"user_id\":1}}'), (2, '{{\"user_id\":2}}'), (3, '{{\"user_id\":11}}');"
    );
    let Some(workspace) = Workspace::mariadb(&script, &map(&[users(), events])) else { return };
    let done = erase_ada(&workspace).code(0).json();
    assert_eq!(numbers(&workspace, "events", "id"), [2, 3], "{done}");
}
