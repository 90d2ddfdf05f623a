//! Fideslang policies per job: which rules count, what each does to labelled fields and parts of JSON, and what a policy may not leave unsaid.

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::laws::*;
use super::support::workspace::Workspace;

const SCRIPT: &str = r#"
    CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT, email TEXT, cookie_id TEXT, profile json);
    INSERT INTO users VALUES (1, 'Ada', 'ada@example.com', 'c-1',
        '{"nick":"A","mails":["a@x.org",{"to":"b@x.org"}],"job":{"title":"Countess","phone":"1"},"logins":3,"seen":1.0}'),
      (2, 'Grace', 'grace@example.com', 'c-2', '{"nick":"G"}');
    CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, body TEXT);
    INSERT INTO notes VALUES (1, 1, 'hers'), (2, 2, 'other');"#;

const POLICIES: &str = "policy:
  - fides_key: names
    rules:
      - {action_type: access, targets: [user.name, user.job_title]}
      - {name: first, action_type: erasure, targets: [user.name], masking_strategy: {strategy: string_rewrite, configuration: {rewrite_value: gone, format_preservation: {suffix: '!'}}}}
      - {name: second, action_type: erasure, targets: [user.contact.phone_number, user.job_title], masking_strategy: {strategy: null_rewrite}}
      - {action_type: erasure, targets: [user.contact.email], masking_strategy: {strategy: random_string_rewrite, configuration: {length: 5, format_preservation: {suffix: '@x.invalid'}}}}
  - fides_key: cookies
    rules: [{action_type: erasure, targets: [user.device.cookie], masking_strategy: {strategy: null_rewrite}}]
  - fides_key: only_access
    rules: [{action_type: access, targets: [user.name]}]
";

fn world() -> String {
    let profile = "name: profile, fields: [{name: nick, data_categories: [user.name]}, {name: mails, data_categories: [user.contact.email]}, \
        {name: job, fields: [{name: title, data_categories: [user.job_title], fides_meta: {read_only: true}}, \
        {name: phone, data_categories: [user.contact.phone_number]}]}, {name: logins, data_categories: [user.behavior]}]";
    let users = collection(
        "users",
        "",
        &[
            KEY_OF_USERS,
            "name: name, data_categories: [user.name]",
            "name: email, data_categories: [user.contact.email], fides_meta: {identity: email}",
            "name: cookie_id, data_categories: [user.device.cookie_id]",
            profile,
        ],
    );
    let notes = collection("notes", "", &[KEY, &to_user("user_id", ""), "name: body, data_categories: [user.content]"]);
    map(&[users, notes]) + POLICIES
}

fn erasure_by(policy: &str) -> Value {
    json!({"kind": "erasure", "subject": {"user_id": "1"}, "policy": policy, "approval": "none"})
}

fn profile(workspace: &Workspace, id: i64) -> String {
    workspace.database.text(&format!("SELECT CAST(profile AS TEXT) AS value FROM users WHERE id = {id}"))
}

#[test]
fn each_rule_masks_what_its_labels_match_also_inside_json_and_nothing_else() {
    for workspace in Workspace::on_both(SCRIPT, &world()) {
        let before = workspace.database.dump();
        let done = run(&workspace, &erasure_by("names")).code(0).json();
        let after = workspace.database.dump();
        let users = &after["users"];
        let ada = users.iter().find(|row| row["id"] == 1).expect("her row stays");
        assert_eq!((&ada["name"], &ada["cookie_id"]), (&json!("gone!"), &json!("c-1")));
        let email = ada["email"].as_str().expect("text");
        assert!(email.len() == 15 && email.ends_with("@x.invalid"), "{email}");
        let text = profile(&workspace, 1);
        let value: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(value["nick"], "gone!");
        assert!(value["mails"].as_array().expect("a list").iter().all(|mail| mail.as_str().expect("text").ends_with("@x.invalid")));
        assert_eq!(value["job"], json!({"title": "Countess", "phone": null}), "what is read-only is not written");
        assert!(text.ends_with(r#""logins":3,"seen":1.0}"#), "{text}");
        assert_eq!(profile(&workspace, 2), r#"{"nick":"G"}"#);
        assert_eq!(after["notes"], before["notes"]);
        assert_eq!(item(&done, "notes")["retained"], json!([{"count": 1, "ground": "policy"}]));
    }
}

#[test]
fn access_rules_select_what_is_handed_over() {
    for workspace in Workspace::on_both(SCRIPT, &world()) {
        for kind in ["access", "portability"] {
            let _ = std::fs::remove_dir_all(workspace.path("archives"));
            run(&workspace, &json!({"kind": kind, "subject": {"user_id": "1"}, "policy": "names"})).code(0);
            let archive = Archive::only_in(&workspace.path("archives"));
            let expected = json!({"name": "Ada", "profile": {"nick": "A", "job": {"title": "Countess"}}});
            assert_eq!(archive.rows("app/users"), [expected]);
            assert!(!archive.tables().contains_key("app/notes"));
        }
    }
}

#[test]
fn a_policy_that_says_nothing_about_the_kind_of_job_is_refused() {
    let workspace = Workspace::sqlite(SCRIPT, &world());
    let before = workspace.database.dump();
    let said = run(&workspace, &erasure_by("only_access")).code(2);
    assert!(said.stdout.contains("no rule with `action_type: erasure`"), "{}", said.stdout);
    let said = run(&workspace, &json!({"kind": "access", "subject": {"user_id": "1"}, "policy": "cookies"})).code(2);
    assert!(said.stdout.contains("no rule with `action_type: access`"), "everything would be handed over: {}", said.stdout);
    let said = run(&workspace, &erasure_by("nmaes")).code(2);
    assert!(said.stdout.contains("names"), "{}", said.stdout);
    assert_eq!(workspace.database.dump(), before);
}

#[test]
fn a_category_that_no_field_has_is_a_warning_of_the_plan_and_a_finding() {
    let workspace = Workspace::sqlite(SCRIPT, &world());
    workspace.job("erase", &erasure_by("cookies"));
    let plan = workspace.habeas("plan --json jobs/erase.json").run().code(0).json();
    assert!(plan["warnings"].to_string().contains("user.device.cookie"), "{plan}");
    assert_eq!(item(&plan, "users")["disposition"], "retain", "cookie_id is another category, and not one below it");
    let findings = workspace.habeas("map check --json").run().json();
    assert!(findings.to_string().contains("policy_target_unused"), "{findings}");
    workspace.job("access", &json!({"kind": "access", "subject": {"user_id": "1"}, "categories": ["user.biometric"]}));
    let plan = workspace.habeas("plan --json jobs/access.json").run().json();
    assert!(plan["warnings"].to_string().contains("user.biometric"), "{plan}");
}

#[test]
fn rules_that_contradict_each_other_and_strategies_that_do_not_exist_are_mistakes_of_the_map() {
    for (policy, expected) in [
        (
            "{action_type: erasure, targets: [user], masking_strategy: {strategy: null_rewrite}}, {action_type: erasure, targets: [user.name], masking_strategy: {strategy: hash}}",
            "overlap",
        ),
        ("{action_type: erasure, targets: [user.nmae], masking_strategy: {strategy: null_rewrite}}", "did you mean `user.name`?"),
        ("{action_type: erasure, targets: [user.name], masking_strategy: {strategy: nul_rewrite}}", "did you mean `null_rewrite`?"),
        ("{action_type: access, targets: [user.name, user.name]}", "given twice"),
    ] {
        let map = world().split("policy:").next().expect("datasets").to_owned()
            + &format!("policy:\n  - {{fides_key: p, rules: [{policy}]}}\n");
        let workspace = Workspace::sqlite(SCRIPT, &map);
        let said = workspace.habeas("map check").run().code(2);
        assert!(said.stderr.contains(expected) || said.stdout.contains(expected), "{expected}: {}{}", said.stdout, said.stderr);
    }
}

#[test]
fn o_1_an_erasure_of_some_categories_changes_no_column_outside_them() {
    let script = format!(
        "{PEOPLE}
         CREATE TABLE messages (id INTEGER PRIMARY KEY, sender INTEGER, recipient INTEGER, body TEXT);
         INSERT INTO messages VALUES (1, 2, 1, 'to her'), (2, 1, 2, 'from her');
         CREATE TABLE therapies (id INTEGER PRIMARY KEY, first_id INTEGER, second_id INTEGER, topic TEXT);
         INSERT INTO therapies VALUES (1, 1, 2, 'both'), (2, 1, NULL, 'hers');
         CREATE TABLE posts (id INTEGER PRIMARY KEY, user_id INTEGER, title TEXT, phone TEXT);
         INSERT INTO posts VALUES (1, 1, 'hers', '1'), (2, 2, 'his', '2');"
    );
    let messages = collection(
        "messages",
        "on_erasure: delete",
        &[KEY, &to_user("sender", ""), &to_user("recipient", "right: none, on_erasure: unlink"), "name: body"],
    );
    let therapies =
        collection("therapies", "on_erasure: delete", &[KEY, &to_user("first_id", ""), &to_user("second_id", ""), "name: topic"]);
    let posts = collection(
        "posts",
        "on_erasure: delete",
        &[KEY, &to_user("user_id", ""), "name: title", "name: phone, data_categories: [user.contact.phone_number]"],
    );
    let map = map(&[users(), messages, therapies, posts]);
    let of = |category: &str| json!({"kind": "erasure", "subject": {"user_id": "1"}, "categories": [category], "approval": "none"});
    for workspace in Workspace::on_both(&script, &map) {
        let before = workspace.database.dump();
        run(&workspace, &of("user.content"));
        assert_eq!(workspace.database.dump(), before, "no field is labelled so: nothing changes");
        let done = run(&workspace, &of("user.contact")).code(0).json();
        let after = workspace.database.dump();
        for table in ["users", "messages", "therapies"] {
            assert_eq!(after[table], before[table], "{table}: {done}");
        }
        assert_eq!(
            workspace.database.count("posts WHERE id = 1 AND user_id = 1 AND title = 'hers' AND phone IS NULL"),
            1,
            "{done}"
        );
        assert_eq!(workspace.database.count("posts WHERE id = 2 AND phone = '2'"), 1);
    }
}
