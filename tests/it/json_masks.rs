//! Parts of JSON columns overwritten in place: those values and nothing else, verified by reading them back (V-1, E-3).

use serde_json::{Value, json};

use super::support::laws::*;
use super::support::skipped;
use super::support::workspace::Workspace;

const PROFILE: &str = r#"{"zeta": 1e400, "email":"ada@example.com","nick":"Ada","big":12345678901234567890.10, "phones":["1",["2"],null],
  "":"void","a.b":"dotted","q\"\\":"quoted","🙂":"\ud83d\ude00","homes":[{"street":"Ring 1","code":1.0},null,"loose",{"code":-0,"street":null}],"twice":1,"twice":2}"#;

fn strategy(name: &str) -> String {
    format!("fides_meta: {{masking_strategy_override: {{strategy: {name}}}}}")
}

fn fields() -> Vec<String> {
    let null = strategy("null_rewrite");
    let text = strategy("string_rewrite, configuration: {rewrite_value: \"x \\\"\\n\\x01é\"}");
    vec![
        "name: id, fides_meta: {primary_key: true}".into(),
        "name: owner, fides_meta: {identity: email}".into(),
        format!(
            "name: profile, fields: [{{name: email, {null}}}, {{name: nick, {text}}}, {{name: phones, {null}}}, {{name: '', {null}}}, \
             {{name: a.b, {null}}}, {{name: 'q\"\\', {null}}}, {{name: 🙂, {null}}}, {{name: missing, {null}}}, \
             {{name: homes, fields: [{{name: street, {text}}}, {{name: code}}]}}, {{name: twice, {null}}}]"
        ),
    ]
}

fn world(fields: &[String]) -> String {
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    map(&[collection("users", "on_erasure: mask", &fields)])
}

fn script(column_type: &str, profile: &str) -> String {
    let hers = profile.replace("ada@", "grace@");
    format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, owner TEXT, profile {column_type});
         INSERT INTO users VALUES (1, 'ada@example.com', '{profile}'), (2, 'grace@example.com', '{hers}'), (3, 'ada@example.com', NULL);"
    )
}

/// The text of `profile`, as stored.
fn stored(workspace: &Workspace, id: i64) -> String {
    workspace.database.text(&format!("SELECT CAST(profile AS TEXT) AS value FROM users WHERE id = {id}"))
}

const MASKED: &str = r#"{"zeta": 1e400, "email":null,"nick":"x \"\n\u0001é","big":12345678901234567890.10, "phones":[null,[null],null],
  "":null,"a.b":null,"q\"\\":null,"🙂":null,"homes":[{"street":"x \"\n\u0001é","code":1.0},null,"loose",{"code":-0,"street":"x \"\n\u0001é"}],"twice":null,"twice":null}"#;

#[test]
fn only_the_masked_values_change_and_everything_else_stays_byte_for_byte() {
    let text = Workspace::on_both(&script("json", PROFILE), &world(&fields()));
    for workspace in text.into_iter().chain(Workspace::on_both(&script("text", PROFILE), &world(&fields()))) {
        let done = erase_ada(&workspace);
        let done = done.code(3).json();
        assert_eq!(stored(&workspace, 1), MASKED);
        assert_eq!(stored(&workspace, 2), PROFILE.replace("ada@", "grace@"), "another person's");
        let users = item(&done, "users");
        assert_eq!((&users["outcome"], &users["affected"], &users["level"]), (&json!("erased"), &json!(2), &json!(2)), "{users}");
        let plan: Vec<&str> =
            done["residue"].as_array().expect("a list").iter().map(|r| r["place"].as_str().expect("text")).collect();
        assert!(plan.iter().all(|place| place.ends_with(".owner")), "only the address that the map leaves: {plan:?}");
    }
}

#[test]
fn jsonb_keeps_every_other_value_as_it_was() {
    let Some(workspace) = Workspace::postgres(&script("jsonb", &PROFILE.replace("1e400", "1e40")), &world(&fields())) else {
        return;
    };
    let before: Value = serde_json::from_str(&stored(&workspace, 2)).expect("JSON");
    let done = erase_ada(&workspace).code(3).json();
    let after: Value = serde_json::from_str(&stored(&workspace, 1)).expect("JSON");
    let mut expected = before;
    for key in ["email", "", "a.b", "q\"\\", "🙂", "twice"] {
        expected[key] = Value::Null;
    }
    expected["phones"] = json!([null, [null], null]);
    expected["nick"] = json!("x \"\n\u{1}é");
    expected["homes"] = json!([{"street": "x \"\n\u{1}é", "code": 1.0}, null, "loose", {"code": 0, "street": "x \"\n\u{1}é"}]);
    assert_eq!(after, expected);
    assert_eq!(item(&done, "users")["outcome"], "erased", "what was written reads back as it was written");
}

#[test]
fn the_plan_names_each_part_and_pseudonyms_are_called_so() {
    let fields = [
        "name: id, fides_meta: {primary_key: true}".to_owned(),
        "name: owner, fides_meta: {identity: email}".to_owned(),
        format!(
            "name: profile, fields: [{{name: email, {}}}, {{name: phones, {}}}]",
            strategy("hash"),
            strategy("random_string_rewrite")
        ),
    ];
    for workspace in Workspace::on_both(&script("json", PROFILE), &world(&fields)) {
        workspace.job("erase", &erasure_of(&ada()));
        let plan = workspace.habeas("plan --json jobs/erase.json").run().code(0).json();
        let columns = &item(&plan, "users")["columns"];
        assert_eq!(columns[0], json!({"column": "profile.email", "strategy": "hash", "pseudonymisation": true}));
        assert_eq!(columns[1]["column"], "profile.phones");
        let done = erase_ada(&workspace).code(3).json();
        assert_eq!(item(&done, "users")["outcome"], "erased");
        let text = stored(&workspace, 1);
        assert!(!text.contains("ada@example.com") && text.contains("12345678901234567890.10"), "{text}");
    }
}

#[test]
fn p_1_rows_whose_text_is_no_json_are_a_problem_of_the_plan_and_nothing_is_touched() {
    for workspace in Workspace::on_both(&script("text", "{broken ada"), &world(&fields())) {
        let before = workspace.database.dump();
        let done = erase_ada(&workspace).code(2).json();
        let message = done["reason"]["message"].as_str().expect("text");
        assert!(message.contains("app.users.profile") && message.contains("no JSON"), "{message}");
        assert!(!message.contains("broken"), "no value in it");
        assert_eq!(workspace.database.dump(), before);
    }
}

fn accounts() -> String {
    let random = strategy("random_string_rewrite");
    map(&[collection(
        "accounts",
        "on_erasure: mask",
        &[
            KEY_OF_USERS,
            &format!("name: profile, fields: [{{name: mail, {random}}}, {{name: phone, {}}}]", strategy("null_rewrite")),
        ],
    )])
}

const ACCOUNTS: &str = r#"CREATE TABLE accounts (id INTEGER PRIMARY KEY, profile json);
    INSERT INTO accounts VALUES (1, '{"mail":"ada@old.example","phone":"1","plan":"free"}'), (2, '{"mail":"grace@x.example","phone":"2"}');"#;

fn by_number() -> Value {
    erasure_of(&json!({"user_id": "1"}))
}

fn account(workspace: &Workspace) -> Value {
    let text = workspace.database.text("SELECT CAST(profile AS TEXT) AS value FROM accounts WHERE id = 1");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn e_1_json_that_changed_between_plan_and_run_is_planned_anew_and_not_overwritten() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    for workspace in Workspace::on_both(ACCOUNTS, &accounts()) {
        let id = workspace.habeas("submit -").input(by_number().to_string()).run().code(0).stdout.trim().to_owned();
        let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", "erase-before-permit").run();
        assert_eq!(died.code, None, "{}", died.stderr);
        workspace.database.script(
            r#"UPDATE accounts SET profile = '{"mail":"ada@new.example","plan":"paid","phone":"9","since":1e400}' WHERE id = 1"#,
        );
        workspace.habeas("worker --once").run().code(0);
        let shown = workspace.habeas(&format!("request show {id} --json")).run().code(0).json();
        assert_eq!(shown["status"], "completed", "{shown}");
        let text = workspace.database.text("SELECT CAST(profile AS TEXT) AS value FROM accounts WHERE id = 1");
        assert!(text.contains(r#""plan":"paid","phone":null,"since":1e400"#), "what was saved meanwhile is still there: {text}");
        assert!(!text.contains("@new.example") && !text.contains("@old.example"), "{text}");
        assert_eq!(item(&shown, "accounts")["affected"], 1, "{shown}");
    }
}

#[test]
fn v_1_a_later_change_elsewhere_in_the_json_is_no_resurrection_and_a_value_that_comes_back_is() {
    for workspace in Workspace::on_both(ACCOUNTS, &accounts()) {
        let done = run(&workspace, &by_number()).code(0).json();
        let code = done["request"]["code"].as_str().or(done["code"].as_str()).expect("a code").to_owned();
        let masked = account(&workspace);
        assert_eq!(masked["phone"], Value::Null);
        let save = |mail: &Value| {
            let text = json!({"plan": "none", "mail": mail, "phone": null}).to_string();
            workspace.database.script(&format!("UPDATE accounts SET profile = '{text}' WHERE id = 1"));
        };
        save(&masked["mail"]);
        workspace.habeas(&format!("verify {code} --json")).run().code(0);
        save(&json!("ada@old.example"));
        let again = workspace.habeas(&format!("verify {code} --json")).run().code(4);
        assert!(again.stdout.contains("resurrected"), "{}", again.stdout);
    }
}
