//! Rows inside objects, handed over: what the map names of each row as it is stored, and what could not be read is told (X-1, V-2).

use serde_json::{Value, json};

use crate::support::archive::Archive;
use crate::support::laws::{PEOPLE, ada, collection, item, map, run, users};
use crate::support::s3::bucket::Versioning;
use crate::support::store::Store;

/// Events of a lake: found by address and by the number of the account.
pub fn events(format: &str, on_erasure: &str) -> String {
    collection(
        "events",
        &format!("{on_erasure} objects: {{source: uploads, prefix: 'events/', {format}}}"),
        &[
            "name: email, fides_meta: {identity: email}, habeas: {normal_form: ascii_lower}",
            "name: user, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}",
            "name: what",
            "name: token, habeas: {withhold: credential}",
        ],
    )
}

/// The map of people and their events.
pub fn events_map(format: &str) -> String {
    map(&[users(), events(format, "on_erasure: delete,")])
}

/// Events in JSON Lines: Ada's two, Grace's, one of both, one of nobody.
pub const JSON: &str = concat!(
    "{\"email\":\"Ada@Example.com\",\"user\":1,\"what\":{\"n\":1.50,\"s\":\"x\"},\"token\":\"t0\",\"ip\":\"10.0.0.1\"}\n",
    "{\"email\":\"grace@example.com\",\"user\":2,\"what\":1}\n",
    "{ \"user\" : \"1\", \"what\": \"two\" }\r\n",
    "{\"email\":\"ada@example.com\",\"user\":2,\"what\":\"both\"}\n",
    "{\"what\":\"nobody\"}\n",
);

/// Events of others alone.
pub const OTHERS: &str = "{\"email\":\"linus@example.com\",\"user\":3,\"what\":3}\n";

fn access() -> Value {
    json!({"kind": "access", "subject": ada()})
}

#[test]
fn x_1_rows_of_json_lines_are_handed_over_as_they_are_stored() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/2026/a.jsonl", JSON.as_bytes());
        store.put("events/2026/b.jsonl", OTHERS.as_bytes());
        store.put("events/_SUCCESS", b"");
        store.put("elsewhere/a.jsonl", b"not json");
        let done = run(&workspace, &access()).code(0).json();
        let events = item(&done, "events");
        assert_eq!((&events["found"], &events["exported"]), (&json!(3), &json!(3)), "{done}");
        let archive = Archive::only_in(&workspace.path("archives"));
        let rows = archive.rows("uploads/events");
        let numbers: Vec<&Value> = rows.iter().map(|row| &row["row"]).collect();
        assert_eq!(numbers, [&json!(1), &json!(3), &json!(4)], "{rows:?}");
        assert_eq!(rows[0]["object"], "events/2026/a.jsonl");
        assert_eq!((&rows[0]["what"]["s"], &rows[1]["user"]), (&json!("x"), &json!("1")), "{rows:?}");
        assert!(rows[0].get("token").is_none() && rows[0].get("ip").is_none(), "{rows:?}");
        let completeness = archive.json("data/completeness.json").to_string();
        assert!(completeness.contains("\"ip\""), "what the map does not mention is named: {completeness}");
        assert!(!completeness.contains("t0"), "{completeness}");
        workspace.habeas(&format!("archive verify {}", archive.path().display())).run().code(0);
    }
}

#[test]
fn x_1_rows_of_csv_are_handed_over_with_any_delimiter_and_in_gzip() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: csv, delimiter: ';'")) {
        let text = "email;user;what;token\r\nada@example.com;1;\"a; \"\"b\"\"\";t\r\ngrace@example.com;2;c;t\r\n;1;;t\r\n";
        store.put("events/a.csv.gz", &gzip(text.as_bytes()));
        let done = run(&workspace, &access()).code(0).json();
        assert_eq!(item(&done, "events")["exported"], 2, "{done}");
        let rows = Archive::only_in(&workspace.path("archives")).rows("uploads/events");
        assert_eq!((&rows[0]["what"], &rows[1]["email"]), (&json!("a; \"b\""), &json!("")), "{rows:?}");
    }
}

/// In gzip.
pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).expect("it can be compressed");
    encoder.finish().expect("it can be compressed")
}

#[test]
fn v_2_an_object_that_is_not_what_the_map_says_is_a_gap_without_its_name() {
    for (workspace, store) in Store::each(PEOPLE, &events_map("format: jsonl")) {
        store.put("events/a.jsonl", JSON.as_bytes());
        store.put("events/b-of-ada@example.com.jsonl", b"{\"user\": 1}\n{\"user\": 1, \n");
        let said = run(&workspace, &access());
        let done = said.code(3).json();
        assert_eq!(done["gaps"][0]["code"], "objects_not_read", "{done}");
        assert_eq!(item(&done, "events")["exported"], 4, "what could be read is handed over: {done}");
        let archive = Archive::only_in(&workspace.path("archives"));
        let completeness = archive.json("data/completeness.json");
        assert_eq!(completeness["complete"], false);
        let told = completeness.to_string();
        assert!(told.contains("object 2: line 2") && !told.contains("b-of-ada"), "{told}");
    }
}

#[test]
fn only_what_the_objects_hold_now_is_handed_over_and_the_archive_says_so() {
    let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
    store.put("events/a.jsonl", JSON.as_bytes());
    store.put("events/a.jsonl", OTHERS.as_bytes());
    store.put("events/b.jsonl", b"{\"user\": 1}\n");
    let done = run(&workspace, &access()).code(0).json();
    assert_eq!(item(&done, "events")["exported"], 1, "{done}");
    let archive = Archive::only_in(&workspace.path("archives"));
    assert!(archive.text("html/uploads.events.html").contains("older versions were not looked at"));
}

#[test]
fn o_1_a_value_that_somebody_else_s_row_has_too_names_nobody_s_rows() {
    let script = format!(
        "{PEOPLE} CREATE TABLE devices (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, serial TEXT);
         INSERT INTO devices VALUES (1, 1, 'own'), (2, 1, 'lent'), (3, 2, 'lent'), (4, 1, '');"
    );
    let devices = collection(
        "devices",
        "on_erasure: delete",
        &[
            "name: id, fides_meta: {primary_key: true}",
            "name: user_id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}",
            "name: serial",
        ],
    );
    let readings = collection(
        "readings",
        "on_erasure: delete, objects: {source: uploads, prefix: 'readings/', format: jsonl}",
        &[
            "name: device, fields: [{name: serial, fides_meta: {references: [{dataset: app, field: devices.serial, direction: from}]}}]",
            "name: value",
        ],
    );
    let (workspace, store) = Store::folder(&script, &map(&[users(), devices, readings]));
    let text = "{\"device\":{\"serial\":\"own\"},\"value\":1}\n{\"device\":{\"serial\":\"lent\"},\"value\":2}\n{\"device\":{\"serial\":\"\"}}\n";
    store.put("readings/a.jsonl", text.as_bytes());
    let done = run(&workspace, &access()).code(0).json();
    assert_eq!(item(&done, "readings")["exported"], 1, "{done}");
    let rows = Archive::only_in(&workspace.path("archives")).rows("uploads/readings");
    assert_eq!(rows[0]["value"], 1, "{rows:?}");
}
