//! `habeas map register`: everything that Art. 30 asks for is there or named as missing, in a form that people, spreadsheets and programs can read.

use std::fs;

use serde_json::Value;

use super::support::binary::program;
use super::support::workspace::Workspace;

const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT)";

/// A map that says next to nothing.
const BARE: &str = "dataset:
  - fides_key: app
    name: The app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields: [{name: id, fides_meta: {primary_key: true}}, {name: email, fides_meta: {identity: email}}]
";

fn register(workspace: &Workspace, exit: i32) -> Value {
    workspace.habeas("map register --json").run().code(exit).json()
}

fn missing(register: &Value) -> Vec<&str> {
    register["gaps"].as_array().expect("a list").iter().map(|gap| gap["missing"].as_str().expect("text")).collect()
}

#[test]
fn the_register_of_the_demo_is_complete() {
    let demo = Workspace::demo();
    let said = register(&demo, 0);
    assert_eq!(said["gaps"], serde_json::json!([]), "{said}");
    let billing = said["activities"].as_array().unwrap().iter().find(|activity| activity["name"] == "billing").expect("billing");
    assert_eq!(billing["legal_bases"][0]["words"], "contract (Art. 6(1)(b))");
    assert_eq!(billing["data_subjects"][0]["words"], "Customer");
    assert_eq!(billing["statutory_duties"][0]["law"], "BAO § 132");
    assert_eq!(billing["statutory_duties"][0]["until"], "7 years after issued_on");
    assert_eq!(billing["transfers"], serde_json::json!([]));
    let newsletter =
        said["activities"].as_array().unwrap().iter().find(|one| one["name"] == "sending the newsletter").expect("newsletter");
    assert_eq!(newsletter["transfers"][0]["to"], "US");
    assert_eq!(newsletter["transfers"][0]["safeguard"], "standard contractual clauses (Art. 46(2)(c))");
    assert_eq!(said["held_elsewhere"][0]["held_by"], "the person's own device");
    let page = demo.habeas("map register").run().code(0).stdout;
    for words in ["## Controller", "### billing", "Sandglass Time Tracking GmbH", "Gaps (0)", said["digest"].as_str().unwrap()] {
        assert!(page.contains(words), "{words}: {page}");
    }
    assert!(page.contains(said["data_map_digest"].as_str().unwrap()));
}

#[test]
fn v_2_what_nobody_has_written_is_a_gap_with_its_line_and_never_filled_in() {
    for workspace in Workspace::on_both(SCHEMA, BARE) {
        let said = register(&workspace, 3);
        let missing = missing(&said);
        for what in [
            "the data protection officer, or that none has to be appointed",
            "the purpose",
            "the legal basis",
            "the categories of data subjects",
            "the categories of data",
            "the recipients, or that there are none",
            "the time limit for erasure",
            "a description of the security measures",
        ] {
            assert!(missing.contains(&what), "{what}: {said}");
        }
        for gap in said["gaps"].as_array().unwrap() {
            let file = gap["place"]["file"].as_str().unwrap();
            assert!(file.ends_with("habeas.yaml") || file.ends_with("datamap/app.yml"), "{gap}");
            assert!(gap["place"]["line"].as_u64().unwrap() > 0 && !gap["write"].as_str().unwrap().is_empty(), "{gap}");
            assert!(gap["article"].as_str().unwrap().starts_with("Art. "), "{gap}");
        }
        let activity = &said["activities"][0];
        assert_eq!(activity["transfers"], Value::Null, "nobody has said that there are none: {activity}");
        assert_eq!(activity["purposes"], serde_json::json!([]));
        let told = workspace.habeas("map register").run().code(3);
        assert!(
            told.stdout.contains("The app (purpose not recorded)") && told.stdout.contains("*not recorded*"),
            "{}",
            told.stdout
        );
        assert!(told.stderr.contains("Art. 30 asks for"), "{}", told.stderr);
        assert!(workspace.habeas("map register --csv").run().code(3).stdout.contains("\r\ngap,"));
    }
}

#[test]
fn special_categories_need_a_ground_and_processors_a_controller() {
    let map = BARE
        .replace("{name: id,", "{name: diet, data_categories: [user.health_and_medical]}, {name: id,")
        .replace("    collections:", "    habeas: {role: processor, transfers: [{to: CH}]}\n    collections:");
    let workspace = Workspace::sqlite(SCHEMA, &map);
    let said = register(&workspace, 3);
    let missing = missing(&said);
    assert!(missing.contains(&"the ground of Art. 9(2) for special categories (health and medical)"), "{said}");
    assert!(missing.contains(&"the controllers on whose behalf this is done"), "{said}");
    assert!(missing.contains(&"the safeguard of the transfer to CH"), "{said}");
    assert_eq!(said["activities"], serde_json::json!([]));
    assert_eq!(said["processing_for_others"][0]["data_categories"][0]["special"], "art9");
    assert!(workspace.habeas("map register").run().code(3).stdout.contains("special category, Art. 9"));
    let mended = map
        .replace(
            "role: processor, transfers: [{to: CH}]",
            "role: processor, on_behalf_of: [Acme Ltd], transfers: [{to: CH, safeguard: adequacy decision}]",
        )
        .replace("on_erasure: delete", "on_erasure: delete, legal_basis: \"art6_1_a, art9_2_a\"");
    workspace.write("datamap/app.yml", &mended);
    let said = register(&workspace, 3);
    assert!(!said["gaps"].to_string().contains("Art. 9(2)") && !said["gaps"].to_string().contains("CH"), "{said}");
    assert_eq!(said["processing_for_others"][0]["on_behalf_of"][0], "Acme Ltd");
}

#[test]
fn a_map_that_comes_from_fides_is_read_with_its_systems() {
    let map = format!(
        "{BARE}system:
  - fides_key: web
    name: Web shop
    system_type: Service
    dataset_references: [app]
    data_security_practices: disks are encrypted
    does_international_transfers: true
    legal_basis_for_transfers: [SCCs]
    third_country_transfers: [USA]
    privacy_declarations:
      - name: selling things
        data_use: essential.service
        data_categories: [user.contact.email]
        data_subjects: [customer, club_member]
        legal_basis_for_processing: Contract
        retention_period: 3 years
        data_shared_with_third_parties: true
        third_parties: parcel services
data_subject:
  - {{fides_key: club_member, name: Member of the club}}
"
    );
    let workspace = Workspace::sqlite(SCHEMA, &map);
    let said = register(&workspace, 3);
    let activity = &said["activities"][0];
    assert_eq!(said["activities"].as_array().unwrap().len(), 1, "the dataset and the declaration are one activity: {said}");
    assert_eq!((&activity["name"], &activity["collections"][0]), (&Value::from("selling things"), &Value::from("app.users")));
    assert_eq!(activity["legal_bases"][0]["key"], "art6_1_b");
    assert_eq!(activity["data_uses"][0]["words"], "Essential for Service");
    assert_eq!(activity["data_subjects"][0]["words"], "Member of the club");
    assert_eq!(activity["transfers"][0], serde_json::json!({"to": "USA", "recipient": null, "safeguard": "SCCs"}));
    assert_eq!(activity["retention"][0]["words"], "3 years");
    assert_eq!(activity["recipients"][0]["name"], "parcel services");
    assert_eq!(missing(&said), ["the data protection officer, or that none has to be appointed"], "{said}");
    for (right, wrong, hint) in [
        ("club_member]", "club_membr]", "did you mean `club_member`?"),
        ("data_use: essential.service", "data_use: essential.servce", "did you mean `essential.service`?"),
        ("retention_period", "retention_perod", "did you mean `retention_period`?"),
    ] {
        workspace.write("datamap/app.yml", &map.replace(right, wrong));
        let said = workspace.habeas("map register").run().code(2);
        assert!(said.stderr.contains(hint), "{}", said.stderr);
    }
}

#[test]
fn a_spreadsheet_takes_nothing_for_a_formula_and_every_reader_sees_the_same_columns() {
    let map = BARE
        .replace(
            "on_erasure: delete",
            "on_erasure: delete, purpose: \"=HYPERLINK(\\\"x\\\"), \\\"y\\\"\\nz\", recipients: [\"@SUM(1)\", \"+1\"]",
        )
        .replace("name: The app", "name: \"-2+3\"");
    let workspace = Workspace::sqlite(SCHEMA, &map);
    let csv = workspace.habeas("map register --format csv").run().code(3).stdout;
    workspace.write("register.csv", &csv);
    let script = "import csv, json; print(json.dumps(list(csv.reader(open('register.csv', newline='', encoding='utf-8-sig'), strict=True))))";
    let rows: Value =
        serde_json::from_str(&program("python3").args(["-c", script]).folder(workspace.root()).run().code(0).stdout).unwrap();
    let rows = rows.as_array().unwrap();
    assert!(rows.len() > 3 && rows.iter().all(|row| row.as_array().unwrap().len() == 22), "{rows:?}");
    for cell in rows.iter().skip(1).flat_map(|row| row.as_array().unwrap()) {
        let cell = cell.as_str().unwrap();
        assert!(!cell.starts_with(['=', '+', '-', '@', '\t', '\r']), "{cell}");
    }
    assert_eq!(rows[1][5], "'=HYPERLINK(\"x\"), \"y\"\nz");
    assert!(csv.lines().count() > 1 && csv.ends_with("\r\n"));
}

#[test]
fn the_digest_changes_with_what_is_processed_and_not_with_where_it_stands() {
    let workspace = Workspace::sqlite(SCHEMA, BARE);
    let digest = |workspace: &Workspace| register(workspace, 3)["digest"].as_str().unwrap().to_owned();
    let first = digest(&workspace);
    workspace.write("datamap/app.yml", &format!("# a comment\n{BARE}"));
    assert_eq!(digest(&workspace), first);
    workspace.write("datamap/app.yml", &BARE.replace("on_erasure: delete", "on_erasure: delete, purpose: billing"));
    let second = digest(&workspace);
    assert_ne!(second, first);
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace("country: AT", "country: AT, security_measures: [locks], dpo: none"));
    assert_ne!(digest(&workspace), second);
}

#[test]
fn the_configuration_takes_what_the_register_asks_for_and_names_mistakes() {
    let workspace = Workspace::sqlite(SCHEMA, &BARE.replace("on_erasure: delete", "on_erasure: delete, recipients: [printer]"));
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    let with = |more: &str| workspace.write("habeas.yaml", &config.replace("country: AT", &format!("country: {more}")));
    with("CH");
    assert!(missing(&register(&workspace, 3)).contains(&"the representative in the Union of a controller outside it"));
    with("AT, recipients: {printer: {who: Print AG, country: CH}}");
    assert!(missing(&register(&workspace, 3)).contains(&"the safeguard of the transfer to CH"));
    with("AT, recipients: {printer: {who: Print AG, country: CH, safeguard: adequacy decision}}");
    let said = register(&workspace, 3);
    assert_eq!(said["activities"][0]["transfers"][0]["recipient"], "printer", "{said}");
    with("AT, recipients: {printer: {contry: CH}}");
    let said = workspace.habeas("map register").run().code(2);
    assert!(said.stderr.contains("did you mean `country`?"), "{}", said.stderr);
}
