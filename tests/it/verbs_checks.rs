//! `map`, `doctor`, `journal`, `archive` and `certificate`: what checks, and what it says when something is wrong.

use std::fs;

use serde_json::{Value, json};

use super::support::database::Database;
use super::support::sqlite;
use super::support::workspace::Workspace;

const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
                      CREATE UNIQUE INDEX users_email ON users (email);
                      INSERT INTO users VALUES (1, 'ada@example.com');";
const MAP: &str = "dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true, identity: user_id}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
";

fn codes(document: &Value, severity: &str) -> Vec<String> {
    let findings = document["findings"].as_array().expect("a list").iter().filter(|finding| finding["severity"] == severity);
    findings.map(|finding| finding["code"].as_str().expect("text").to_owned()).collect()
}

fn workspace() -> Workspace {
    Workspace::sqlite(SCHEMA, MAP)
}

#[test]
fn a_map_that_fits_has_no_errors() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        let said = workspace.habeas("map check --json").run().code(0).json();
        assert_eq!(codes(&said, "error"), [] as [String; 0], "{said}");
    }
    Workspace::demo().habeas("map check").run().code(0);
}

#[test]
fn a_missing_table_and_a_missing_column_are_named_with_their_line() {
    for (right, wrong) in [("name: users", "name: user"), ("name: email,", "name: e_mail,")] {
        for workspace in Workspace::on_each(SCHEMA, &MAP.replace(right, wrong)) {
            let said = workspace.habeas("map check --json").run().code(2).json();
            let finding = &said["findings"][0];
            assert_eq!(finding["severity"], "error", "{said}");
            assert!(finding["place"]["file"].as_str().unwrap().ends_with("datamap/app.yml"), "{said}");
            assert!(finding["place"]["line"].as_u64().unwrap() > 1);
            let text = workspace.habeas("map check").run().code(2).stdout;
            assert!(text.contains("why:") && text.contains("hint:"), "{text}");
        }
    }
}

#[test]
fn a_map_that_cannot_be_read_is_a_finding_with_its_line() {
    let workspace = Workspace::sqlite(SCHEMA, &MAP.replace("collections:", "colections:"));
    let said = workspace.habeas("map check --json").run().code(2).json();
    assert!(codes(&said, "error").contains(&"map_invalid".to_owned()), "{said}");
    workspace.habeas("map graph").run().code(2);
    let doctor = workspace.habeas("doctor --json").run().code(1).json();
    assert!(codes(&doctor, "error").contains(&"map_invalid".to_owned()), "{doctor}");
}

#[test]
fn a_dataset_that_no_source_serves_is_wrong_input() {
    let workspace = Workspace::sqlite(SCHEMA, &MAP.replace("fides_key: app", "fides_key: shop"));
    let said = workspace.habeas("map check").run().code(2);
    assert!(said.stderr.contains("dataset `shop` is served by no source"), "{}", said.stderr);
}

#[test]
fn a_dataset_served_under_another_name_is_checked_too() {
    let workspace =
        Workspace::sqlite(SCHEMA, &MAP.replace("fides_key: app", "fides_key: shop").replace("name: email,", "name: e_mail,"));
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace("app.db\"}", "app.db\", datasets: [shop]}"));
    let said = workspace.habeas("map check --json").run().code(2).json();
    assert!(said["findings"].to_string().contains("e_mail"), "{said}");
}

#[test]
fn v_2_a_source_that_is_not_reached_is_an_error() {
    let workspace = workspace();
    fs::remove_file(workspace.path("app.db")).unwrap();
    for (verb, exit) in [("map check", 2), ("doctor", 1)] {
        let said = workspace.habeas(&format!("{verb} --json")).run().code(exit).json();
        assert_eq!(codes(&said, "error"), ["source_unreachable"], "{said}");
    }
}

#[test]
fn the_graph_is_drawn_for_people_and_for_tools() {
    let demo = Workspace::demo();
    assert!(demo.habeas("map graph").run().code(0).stdout.contains("by identity email: email"));
    assert!(demo.habeas("map graph --dot").run().code(0).stdout.starts_with("digraph data_map {"));
    let graph = demo.habeas("map graph --json").run().code(0).json();
    assert!(graph["edges"].as_array().unwrap().iter().any(|edge| edge["right"] == "owns" && edge["followed"] == true));
    assert!(graph["nodes"].as_array().unwrap().iter().all(|node| node["source"] == "app"));
}

#[test]
fn a_sound_installation_has_nothing_to_fear_from_the_doctor() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        for _ in 0..2 {
            let said = workspace.habeas("doctor --json").run().code(0).json();
            assert_eq!(said["errors"], 0, "{said}");
        }
    }
    let said = Workspace::demo().habeas("doctor").run().code(0);
    assert!(said.stdout.contains("0 errors"), "{}", said.stdout);
}

#[test]
fn the_doctor_notices_a_source_that_has_become_another_one() {
    let workspace = workspace();
    workspace.habeas("doctor").run().code(0);
    fs::copy(workspace.path("app.db"), workspace.path("copy.db")).unwrap();
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace("app.db", "copy.db"));
    let said = workspace.habeas("doctor --json").run().code(1).json();
    assert_eq!(codes(&said, "error"), ["source_changed"], "{said}");
}

#[test]
fn v_3_the_doctor_looks_at_the_reach_and_rights_of_the_role_that_verifies() {
    let Some(workspace) = Workspace::postgres(SCHEMA, MAP) else { return };
    let Some(elsewhere) = Workspace::postgres(SCHEMA, MAP) else { return };
    let (Database::Postgres(url), Database::Postgres(other)) = (&workspace.database, &elsewhere.database) else { unreachable!() };
    workspace
        .database
        .psql("DO 'BEGIN CREATE ROLE verifier LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END'");
    let (address, _) = url.rsplit_once("&user=").expect("the support names its user last");
    let verifier = format!("{address}&user=verifier");
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    let doctor = |verify: &str| {
        let wanted = config.replace(&format!("\"{url}\""), &format!("\"{url}\", verify: \"{verify}\""));
        workspace.write("habeas.yaml", &wanted);
        let mut errors = codes(&workspace.habeas("doctor --json").run().json(), "error");
        errors.dedup();
        errors
    };
    assert_eq!(doctor(&verifier), ["verifier_blind"]);
    workspace.database.psql("GRANT SELECT ON users TO verifier; ALTER TABLE users ENABLE ROW LEVEL SECURITY");
    assert_eq!(doctor(&verifier), ["verifier_blind"]);
    workspace.database.psql("ALTER TABLE users DISABLE ROW LEVEL SECURITY");
    assert_eq!(doctor(&verifier), [] as [String; 0]);
    assert_eq!(doctor(other), ["verifier_blind"]);
}

#[test]
fn the_doctor_goes_on_after_each_finding() {
    let workspace = workspace();
    fs::remove_file(workspace.path("keys/master.key")).unwrap();
    let map = MAP.replace("name: email,", "name: e_mail,");
    workspace.write("datamap/app.yml", &map);
    let said = workspace.habeas("doctor --json").run().code(1).json();
    let errors = codes(&said, "error");
    assert!(errors.contains(&"keys".to_owned()) && errors.len() >= 2, "{said}");
    for finding in said["findings"].as_array().unwrap() {
        assert!(!finding["hint"].as_str().unwrap().is_empty(), "{finding}");
    }
}

#[test]
fn the_doctor_reads_a_configuration_with_mistakes_and_a_newer_ledger() {
    let workspace = workspace();
    workspace.habeas("doctor").run().code(0);
    sqlite::script(&workspace.path("habeas.db"), "INSERT INTO schema_version (version) VALUES (4711)");
    let said = workspace.habeas("doctor --json").run().code(1).json();
    assert_eq!(codes(&said, "error"), ["ledger"], "{said}");
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace("ledger:", "legder:"));
    let said = workspace.habeas("doctor --json").run().code(1).json();
    assert_eq!(codes(&said, "error"), ["configuration"], "{said}");
    assert!(said["findings"][0]["hint"].as_str().unwrap().contains("ledger"));
}

#[test]
fn h_1_the_doctor_names_a_hold_that_covers_everything_because_nobody_understands_it() {
    let workspace = workspace();
    let hold = json!({"matter": "M-1", "reason": "audit", "scope": {"subject": {"email": "ada@example.com"}}});
    workspace.habeas("hold place - --by grace").input(hold.to_string()).run().code(0);
    workspace.habeas("doctor").run().code(0);
    sqlite::script(&workspace.path("habeas.db"), "UPDATE hold SET scope = X'00'");
    let said = workspace.habeas("doctor --json").run().code(1).json();
    assert_eq!(codes(&said, "error"), ["hold_unclear"], "{said}");
}

#[test]
fn j_1_a_row_that_was_changed_is_noticed() {
    let workspace = workspace();
    workspace.habeas("submit -").input("{\"kind\": \"access\", \"subject\": {\"email\": \"ada@example.com\"}}").run().code(0);
    let said = workspace.habeas("journal verify --json").run().code(0).json();
    assert_eq!((&said["state"], &said["entries"]), (&json!("consistent"), &json!(1)));
    let entries = workspace.habeas("journal show").run().code(0).stdout;
    assert!(entries.contains("request_received") && !entries.contains("ada@"), "{entries}");
    sqlite::script(
        &workspace.path("habeas.db"),
        "UPDATE journal_entry SET entry = replace(entry, 'request_received', 'hold_released')",
    );
    let said = workspace.habeas("journal verify --json").run().code(4).json();
    assert_eq!(said["state"], "tampered", "{said}");
    let said = workspace.habeas("doctor --json").run().code(1).json();
    assert_eq!(codes(&said, "error"), ["journal"], "{said}");
}

#[test]
fn what_is_no_archive_and_no_certificate_does_not_verify() {
    let workspace = workspace();
    workspace.write("junk.zip", "this is no zip");
    workspace.write("certificates/c/certificate.json", "{}");
    workspace.habeas("archive verify junk.zip").run().code(4);
    workspace.habeas("archive verify none.zip").run().code(2);
    workspace.habeas("certificate verify junk.zip").run().code(4);
    let said = workspace.habeas("certificate verify certificates/c/certificate.json --json").run().code(4).json();
    assert_eq!(said["valid"], false);
    workspace.habeas("certificate verify certificates/none").run().code(2);
    workspace.habeas("certificate verify certificates/c --key junk.zip").run().code(2);
    let said = workspace.habeas("certificate verify certificates/c").run().code(4);
    assert!(said.stdout.contains("is missing") && said.stdout.ends_with("NOT VALID\n"), "{}", said.stdout);
}
