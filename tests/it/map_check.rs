//! `habeas map check` with the real program: what it says, to whom it is said, what can be accepted, and that errors block plans while
//! warnings do not.

use std::fs;

use serde_json::{Value, json};

use super::support::laws::{KEY, PEOPLE, ada, collection, erasure_of, map, problems, refers, to_user, users};
use super::support::workspace::Workspace;

fn codes(said: &Value, list: &str) -> Vec<String> {
    let words = said[list].as_array().expect("a list").iter().map(|finding| finding["code"].as_str().expect("text").to_owned());
    words.collect()
}

fn check(workspace: &Workspace, arguments: &str, exit: i32) -> Value {
    workspace.habeas(&format!("map check --json {arguments}")).run().code(exit).json()
}

fn schema() -> String {
    format!(
        "{PEOPLE}
         CREATE UNIQUE INDEX users_email ON users (email);
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), agent_id INTEGER, total INTEGER);
         CREATE INDEX orders_user ON orders (user_id);
         CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id));
         CREATE TABLE leads (id INTEGER PRIMARY KEY, geburtsdatum TEXT, description TEXT);
         INSERT INTO orders VALUES (10, 1, 2, 5);"
    )
}

/// A map with warnings alone.
fn warned(habeas: &str) -> String {
    let left_out = "      - {name: lines, fides_meta: {skip_processing: true}, fields: []}\n".to_owned();
    map(&[
        collection("orders", habeas, &[KEY, &to_user("user_id", ""), &to_user("agent_id", "right: accesses"), "name: total"]),
        users(),
        left_out,
    ])
}

#[test]
fn every_finding_says_where_why_and_what_to_do() {
    for workspace in
        Workspace::on_both(&schema(), &map(&[collection("orders", "on_erasure: mask", &[KEY, &to_user("user_id", "")]), users()]))
    {
        let said = check(&workspace, "", 2);
        let found = codes(&said, "findings");
        for code in [
            "mask_without_fields",
            "unlabelled_foreign_key",
            "unmapped_table",
            "unmapped_column",
            "personal_looking_name",
            "owner_may_be_null",
        ] {
            assert!(found.contains(&code.to_owned()), "{code}: {said}");
        }
        for finding in said["findings"].as_array().unwrap() {
            for key in ["severity", "code", "subject", "problem", "why", "hint"] {
                assert!(!finding[key].as_str().unwrap_or_default().is_empty(), "{key}: {finding}");
            }
            let is_outside = finding["subject"].as_str().unwrap().matches('.').count() > 1 && finding["place"].is_null();
            assert!(is_outside || finding["place"]["line"].as_u64().unwrap() > 0, "{finding}");
        }
        let leads = said["findings"].as_array().unwrap().iter().find(|finding| finding["code"] == "personal_looking_name").unwrap();
        assert!(leads["problem"].as_str().unwrap().starts_with("`geburtsdatum` looks personal"), "{leads}");
        let text = workspace.habeas("map check").run().code(2).stdout;
        assert!(text.contains("datamap/app.yml\n") && text.contains("error[mask_without_fields]"), "{text}");
        assert!(!text.contains('\u{1b}'), "no colour where nobody looks");
    }
}

#[test]
fn p_1_errors_block_the_plan_and_warnings_do_not() {
    for workspace in Workspace::on_both(&schema(), &warned("on_erasure: delete")) {
        let said = check(&workspace, "", 0);
        assert!(said["warnings"].as_u64().unwrap() >= 3 && said["errors"] == 0, "{said}");
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
        assert_eq!(plan["problems"], json!([]), "{plan}");

        // The same error, once accepted: it is no less of an error.
        for habeas in ["", "accept: [{finding: undecided_collection, reason: later}]"] {
            workspace.write("datamap/app.yml", &warned(habeas));
            let said = check(&workspace, "", 2);
            assert!(codes(&said, "findings").contains(&"undecided_collection".to_owned()), "{said}");
            let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
            assert!(problems(&plan).contains(&"undecided_collection"), "{plan}");
        }
    }
}

#[test]
fn a_small_table_without_an_index_is_not_worth_a_word() {
    for workspace in Workspace::on_both(&schema(), &warned("on_erasure: delete")) {
        let said = check(&workspace, "", 0);
        assert!(!codes(&said, "findings").contains(&"missing_index".to_owned()), "{said}");
    }
}

#[test]
fn an_accepted_warning_is_counted_and_listed_on_request() {
    let accept = "on_erasure: delete, accept: [{finding: reference_left_behind, column: agent_id, reason: agents are public}, \
                  {finding: missing_index, reason: agents are seldom asked for}, {finding: triggers, reason: none left}]";
    let large = "INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) SELECT i, 3, 3, 5 FROM n;";
    for workspace in Workspace::on_both(&format!("{} {large}", schema()), &warned(accept)) {
        let said = check(&workspace, "", 0);
        assert_eq!(said["accepted"], 2, "{said}");
        assert_eq!(codes(&said, "accepted_findings").iter().filter(|code| *code == "reference_left_behind").count(), 1);
        let accepted = said["accepted_findings"].as_array().unwrap();
        let agents = accepted.iter().find(|finding| finding["code"] == "reference_left_behind").unwrap();
        assert_eq!(agents["reason"], "agents are public");
        assert!(agents["accepted_at"]["line"].as_u64().unwrap() > 0);
        assert!(!codes(&said, "findings").contains(&"missing_index".to_owned()), "{said}");
        assert!(codes(&said, "findings").contains(&"accept_unused".to_owned()), "the entry about triggers: {said}");
        let text = workspace.habeas("map check").run().code(0).stdout;
        assert!(text.trim_end().ends_with("(2 more accepted)") && !text.contains("agents are public"), "{text}");
        assert!(workspace.habeas("map check --accepted").run().code(0).stdout.contains("accepted: agents are public"));
    }
}

#[test]
fn the_map_alone_and_one_source_alone_can_be_checked() {
    let second = "dataset:\n  - fides_key: shop\n    habeas: {source: shop}\n    collections:\n      - {name: carts, fields: [{name: mail, fides_meta: {identity: email}}]}\n";
    let workspace = Workspace::sqlite(&schema(), &warned("on_erasure: delete"));
    workspace.write("datamap/shop.yml", second);
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &format!("{config}  shop: {{sqlite: shop.db}}\n"));
    let all = check(&workspace, "", 2);
    assert!(codes(&all, "findings").contains(&"source_unreachable".to_owned()), "{all}");
    let offline = check(&workspace, "--offline", 2);
    assert_eq!(codes(&offline, "findings"), ["undecided_collection", "reference_left_behind"], "{offline}");
    let app = check(&workspace, "--source app", 0);
    assert!(codes(&app, "findings").contains(&"unmapped_table".to_owned()), "{app}");
    assert!(
        app["findings"].as_array().unwrap().iter().all(|finding| finding["subject"].as_str().unwrap().starts_with("app.")),
        "{app}"
    );
    let unknown = workspace.habeas("map check --source ap").run().code(2);
    assert!(unknown.stderr.contains("no source `ap`") && unknown.stderr.contains("did you mean `app`"), "{}", unknown.stderr);
    workspace.habeas("map check --source app --offline").run().code(2);
}

#[test]
fn a_source_that_has_become_another_database_is_reported_and_not_pinned_anew() {
    let workspace = Workspace::sqlite(&schema(), &warned("on_erasure: delete"));
    check(&workspace, "", 0);
    assert!(!workspace.path("habeas.db").exists(), "asking creates no ledger");
    workspace.habeas("doctor").run();
    fs::copy(workspace.path("app.db"), workspace.path("copy.db")).unwrap();
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace("app.db", "copy.db"));
    for _ in 0..2 {
        assert!(codes(&check(&workspace, "", 2), "findings").contains(&"source_changed".to_owned()));
    }
}

#[test]
fn the_demo_has_nothing_but_the_table_that_no_map_mentions() {
    let said = check(&Workspace::demo(), "", 0);
    assert_eq!(codes(&said, "findings"), ["unmapped_table"], "{said}");
    assert_eq!(said["accepted"], 3, "{said}");
}

/// 300 tables in a chain and a fan of references, half of them mapped.
#[test]
fn three_hundred_tables_are_checked_in_seconds() {
    let mut script = format!("{PEOPLE} CREATE UNIQUE INDEX users_email ON users (email);");
    let mut collections = vec![users()];
    for at in 0..300 {
        let parent = if at == 0 { "users".to_owned() } else { format!("t{}", at / 2) };
        script.push_str(&format!(
            "CREATE TABLE t{at} (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users (id), parent_id INTEGER REFERENCES {parent} (id), note TEXT);"
        ));
        if at % 2 == 0 {
            let fields = [KEY, &to_user("user_id", ""), &refers("parent_id", "users.id", "right: none"), "name: note"];
            collections.push(collection(&format!("t{at}"), "on_erasure: delete", &fields));
        }
    }
    for workspace in Workspace::on_both(&script, &map(&collections)) {
        let start = std::time::Instant::now();
        let said = check(&workspace, "", 2);
        let took = start.elapsed();
        assert!(said["findings"].as_array().unwrap().len() > 300, "{}", said["findings"].as_array().unwrap().len());
        assert!(took.as_secs() < 20, "{took:?}");
        eprintln!("300 tables: {took:?}");
    }
}
