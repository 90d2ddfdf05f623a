//! The Fides sample as its users have it: their map, byte for byte, on their PostgreSQL. Access gives what Fides gives. Of the twelve
//! erasure policies each does what Fides recorded, or is refused before anything is touched, or differs in a way that the README's table
//! names; and what a refusal tells people to write makes the policy pass.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::binary::Said;
use super::support::database::difference;
use super::support::fides;
use super::support::workspace::Workspace;

/// What Fides records of a place, whatever the order of its rows.
type Places = BTreeMap<String, Vec<String>>;

fn access(workspace: &Workspace, categories: &Value) -> Archive {
    let mut job = json!({"kind": "access", "subject": {"email": fides::EMAIL}});
    if !categories.is_null() {
        job["categories"] = categories.clone();
    }
    workspace.job("access", &job);
    let _ = std::fs::remove_dir_all(workspace.path("archives"));
    workspace.habeas("run --no-input jobs/access.json").run().code(0);
    Archive::only_in(&workspace.path("archives"))
}

fn in_archive(archive: &Archive) -> Places {
    let with_rows = |(table, rows): (String, Vec<Value>)| {
        let rows: Vec<Value> = rows.into_iter().map(as_fides_writes).collect();
        (table.replace('/', ":"), sorted(&rows))
    };
    archive.tables().into_iter().map(with_rows).collect()
}

/// We write six digits of a second's fraction, Fides those that are not zero.
fn as_fides_writes(mut row: Value) -> Value {
    for value in row.as_object_mut().expect("an object").values_mut() {
        if let Some(short) = value.as_str().and_then(|text| text.strip_suffix(".000000")) {
            *value = short.into();
        }
    }
    row
}

fn recorded(result: &Value) -> Places {
    let places = result.as_object().expect("an object").iter();
    // Fides lists what it found nothing in; our archive has no table there.
    places
        .map(|(place, rows)| (place.clone(), sorted(rows.as_array().expect("a list"))))
        .filter(|(_, rows)| !rows.is_empty())
        .collect()
}

fn sorted(rows: &[Value]) -> Vec<String> {
    // `serde_json::Value` keeps its keys sorted, so that equal rows have equal text.
    let mut rows: Vec<String> = rows.iter().map(|row| in_key_order(row).to_string()).collect();
    rows.sort();
    rows
}

fn in_key_order(row: &Value) -> Value {
    let fields: BTreeMap<String, Value> = row.as_object().expect("an object").clone().into_iter().collect();
    json!(fields)
}

#[test]
fn the_unchanged_map_gives_in_each_category_set_what_fides_gives() {
    let Some(workspace) = fides::workspace(fides::DATASET_YAML) else { return };
    let before = workspace.database.dump();
    for expected in fides::expected_access() {
        let archive = access(&workspace, &expected["targets"]);
        assert_eq!(in_archive(&archive), recorded(&expected["result"]), "{}", expected["targets"]);
        let file = archive.path.to_str().expect("text");
        workspace.habeas(&format!("archive verify {file}")).run().code(0);
    }
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "access changes nothing");
}

#[test]
fn x_1_without_categories_every_mapped_column_of_every_reached_row_is_handed_over() {
    let Some(workspace) = fides::workspace(fides::DATASET_YAML) else { return };
    let archive = access(&workspace, &Value::Null);
    assert_eq!(in_archive(&archive), recorded(&fides::expected_access_raw()));
    let told = archive.json("data/completeness.json");
    let missing: Vec<String> = told["sources"][0]["not_covered"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|place| format!("{}.{}", place["table"].as_str().expect("text"), place["column"].as_str().expect("text")))
        .collect();
    assert_eq!(missing, ["order_item.item_no", "orders.payment_card_id", "product.description", "product.url"]);
}

/// What a policy does with the map as it is.
enum Unchanged {
    /// The recorded rows change, in the recorded way.
    AsRecorded,
    /// Nothing changes: the rows are kept as shared.
    Kept,
    /// Refused; each problem by its code and field.
    Refused(&'static [(&'static str, &'static str)]),
}

const VISIT_KEY: (&str, &str) = ("mask_breaks_key", "visit.email");
const CUSTOMER_KEY: (&str, &str) = ("mask_breaks_key", "customer.id");

/// The README's table of differences, in code.
const TWELVE: [(&str, Unchanged); 12] = [
    ("null_user_name", Unchanged::AsRecorded),
    ("null_user_financial", Unchanged::AsRecorded),
    ("string_rewrite_name", Unchanged::AsRecorded),
    ("string_rewrite_long_name", Unchanged::AsRecorded),
    ("null_address_city", Unchanged::Kept),
    ("null_user_contact", Unchanged::Refused(&[VISIT_KEY])),
    ("null_user_contact_email", Unchanged::Refused(&[VISIT_KEY])),
    ("name_null_email_rewrite", Unchanged::Refused(&[VISIT_KEY])),
    ("hash_sha256_contact", Unchanged::Refused(&[VISIT_KEY])),
    ("null_user", Unchanged::Refused(&[CUSTOMER_KEY, VISIT_KEY])),
    ("default_categories_null", Unchanged::Refused(&[CUSTOMER_KEY, VISIT_KEY])),
    (
        "default_hmac",
        Unchanged::Refused(&[
            CUSTOMER_KEY,
            ("mask_does_not_fit_type", "login.customer_id"),
            ("mask_does_not_fit_type", "login.time"),
            ("mask_does_not_fit_type", "orders.customer_id"),
            ("mask_does_not_fit_type", "payment_card.customer_id"),
            VISIT_KEY,
        ]),
    ),
];

fn erase(workspace: &Workspace, policy: &str) -> (Said, Value) {
    workspace.job("erase", &json!({"kind": "erasure", "subject": {"email": fides::EMAIL}, "policy": policy, "approval": "none"}));
    let before = workspace.database.dump();
    let said = workspace.habeas("run --no-input --json jobs/erase.json").run();
    (said, difference(&before, &workspace.database.dump()))
}

fn recorded_erasure(policy: &str) -> Value {
    let recorded = fides::expected_erasure();
    let found = recorded.iter().find(|one| one["policy"] == policy).expect("a recorded policy");
    fides::in_our_order(&found["db_diff"])
}

#[test]
fn each_of_the_twelve_policies_does_with_the_unchanged_map_what_the_table_of_differences_says() {
    for (policy, expected) in TWELVE {
        let Some(workspace) = fides::workspace(fides::DATASET_YAML) else { return };
        let (said, changed) = erase(&workspace, policy);
        match expected {
            Unchanged::AsRecorded => {
                assert_eq!(changed, recorded_erasure(policy), "{policy}");
                // The address outside the policy still stands in a row that was to be cleared of the name.
                said.code(if policy == "null_user_financial" { 0 } else { 3 });
            }
            Unchanged::Kept => {
                assert_eq!(changed, json!({}), "{policy}");
                let said = said.code(0).json();
                let address = item(&said, "address");
                assert_eq!(address["retained"], json!([{"count": 2, "ground": "shared"}]), "{policy}");
            }
            Unchanged::Refused(problems) => {
                assert_eq!(changed, json!({}), "{policy}: refused before anything is touched");
                assert_refusal(&workspace, said, policy, problems);
            }
        }
    }
}

fn item<'d>(document: &'d Value, collection: &str) -> &'d Value {
    let items = document["items"].as_array().expect("a list");
    items.iter().find(|item| item["collection"] == collection).unwrap_or_else(|| panic!("no item of {collection}: {document:#}"))
}

/// The run waits for the controller, and the plan names each problem with words on what to write.
#[track_caller]
fn assert_refusal(workspace: &Workspace, said: Said, policy: &str, expected: &[(&str, &str)]) {
    let said = said.code(2).json();
    assert_eq!((&said["status"], &said["reason"]["code"]), (&json!("waiting_controller"), &json!("plan_refused")), "{policy}");
    assert_eq!(said["certificate"], Value::Null, "{policy}");
    let plan = workspace.habeas("plan --json jobs/erase.json").run().code(2).json();
    let problems = plan["problems"].as_array().expect("a list").iter();
    let mut named: Vec<(String, String)> = problems
        .map(|problem| {
            let text = |key: &str| problem[key].as_str().expect("text").to_owned();
            assert!(text("hint").contains("fides_meta: {"), "the hint says what to write: {problem}");
            (text("code"), text("subject").split_once('.').expect("a dataset").1.to_owned())
        })
        .collect();
    named.sort_by(|left, right| left.1.cmp(&right.1));
    let named: Vec<(&str, &str)> = named.iter().map(|(code, field)| (code.as_str(), field.as_str())).collect();
    assert_eq!(named, expected, "{policy}");
}

/// The map after somebody has done what the refusals say: the keys that a policy may not overwrite are read-only, visits are deleted; and, for
/// the tickets, that the employee who handles one does not own it, and that both addresses in one are the same person's.
fn map_with_the_hints_followed() -> String {
    let mut map = fides::DATASET_YAML.to_owned();
    let delete = "        fides_meta: {masking_strategy_override: {strategy: delete}}\n";
    write_behind(&mut map, &["      - name: visit\n"], delete);
    let null = "              masking_strategy_override: {strategy: null_rewrite}\n";
    for collection in ["login", "orders", "payment_card"] {
        let collection = format!("      - name: {collection}\n");
        write_behind(&mut map, &[&collection, "          - name: customer_id\n", "            fides_meta:\n"], null);
    }
    let time = ["      - name: login\n", "          - name: time\n", "            data_categories: [user.sensor]\n"];
    write_behind(&mut map, &time, &format!("            fides_meta:\n{null}"));
    let id = ["      - name: customer\n", "          - name: id\n", "              primary_key: True\n"];
    write_behind(&mut map, &id, "              read_only: true\n");
    let handled_by = ["      - name: service_request\n", "          - name: employee_id\n", "            fides_meta:\n"];
    write_behind(&mut map, &handled_by, null);
    write_behind(&mut map, &handled_by[..2], "            habeas: {right: accesses}\n");
    write_behind(&mut map, &handled_by[..1], "        habeas: {names: one_person}\n");
    map
}

/// Inserts text behind the last of several lines, each looked for behind the one before.
fn write_behind(map: &mut String, lines: &[&str], text: &str) {
    let mut end = 0;
    for line in lines {
        end += map[end..].find(line).unwrap_or_else(|| panic!("the map has {line:?}")) + line.len();
    }
    map.insert_str(end, text);
}

#[test]
fn a_map_that_says_what_the_refusals_ask_for_lets_every_policy_pass() {
    let map = map_with_the_hints_followed();
    for (policy, unchanged) in TWELVE {
        let Unchanged::Refused(_) = unchanged else { continue };
        let Some(workspace) = fides::workspace(&map) else { return };
        let before = workspace.database.dump();
        let (said, changed) = erase(&workspace, policy);
        let mut expected = recorded_erasure(policy);
        // Both addresses are customer 2's as well.
        expected.as_object_mut().expect("an object").remove("address");
        // The visit goes as a whole, because its key is the address.
        expected["visit"] = json!({"rows_before": rows_with(&before["visit"], "email"), "rows_after": []});
        match policy {
            // Fides lost its one UPDATE of the customer to the NOT NULL of the key.
            "null_user" | "default_categories_null" => {
                let customer = rows_with(&before["customer"], "email");
                expected["customer"] =
                    json!({"rows_after": with(&customer, &["email", "name"], &Value::Null), "rows_before": customer});
            }
            // Fides left these out with a warning, because a hash does not fit into a number or a time.
            "default_hmac" => {
                let mine = |table: &str| json!(before[table].iter().filter(|row| row["customer_id"] == 1).collect::<Vec<_>>());
                for (table, cleared) in
                    [("login", &["customer_id", "time"][..]), ("orders", &["customer_id"]), ("payment_card", &["customer_id"])]
                {
                    let rows = mine(table);
                    expected[table] = json!({"rows_after": with(&rows, cleared, &Value::Null), "rows_before": rows});
                }
                let ticket = with(&expected["service_request"]["rows_after"], &["employee_id"], &Value::Null);
                expected["service_request"]["rows_after"] = ticket;
            }
            _ => {}
        }
        assert_eq!(without_digests(&changed), fides::in_our_order(&without_digests(&expected)), "{policy}");
        // What the policy leaves in a row of this person is told, and not called complete: the ticket's first address has another label.
        let said = said.code(3).json();
        let residue: Vec<&str> =
            said["residue"].as_array().expect("a list").iter().map(|r| r["place"].as_str().expect("text")).collect();
        assert_eq!(residue, ["public.service_request.email"], "{policy}");
    }
}

fn rows_with(rows: &[Value], column: &str) -> Value {
    json!(rows.iter().filter(|row| row[column] == fides::EMAIL).collect::<Vec<_>>())
}

fn with(rows: &Value, columns: &[&str], value: &Value) -> Value {
    let mut rows = rows.clone();
    for row in rows.as_array_mut().expect("a list") {
        for column in columns {
            row[*column] = value.clone();
        }
    }
    rows
}

/// Digests come from a secret of the request: only that there is one, and how long it is, can be compared.
fn without_digests(changes: &Value) -> Value {
    let mut changes = changes.clone();
    let rows = changes
        .as_object_mut()
        .expect("an object")
        .values_mut()
        .flat_map(|change| change["rows_after"].as_array_mut().expect("a list"));
    for value in rows.flat_map(|row| row.as_object_mut().expect("an object").values_mut()) {
        let is_digest = |text: &&str| text.len() >= 40 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        if let Some(length) = value.as_str().filter(is_digest).map(str::len) {
            *value = format!("{length} hexadecimal digits").into();
        }
    }
    changes
}

#[test]
fn a_pure_fides_map_without_a_policy_is_undecided_and_erases_nothing() {
    let Some(workspace) = fides::workspace(fides::DATASET_YAML) else { return };
    let before = workspace.database.dump();
    workspace.job("erase", &json!({"kind": "erasure", "subject": {"email": fides::EMAIL}, "approval": "none"}));
    let said = workspace.habeas("run --no-input --json jobs/erase.json").run().code(2).json();
    let hint = said["reason"]["message"].as_str().expect("text");
    assert!(hint.contains("on_erasure"), "P-1: {hint}");
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
}

#[test]
fn the_readmes_table_has_the_twelve_policies_and_says_of_each_what_is_tested_here() {
    let readme = include_str!("../../README.md");
    for (policy, unchanged) in TWELVE {
        let rows: Vec<&str> =
            readme.lines().filter(|line| line.starts_with("| `") && line.contains(&format!("`{policy}`"))).collect();
        assert_eq!(rows.len(), 1, "{policy} stands in one row");
        let says = rows[0].split('|').nth(2).expect("a second column").trim();
        match unchanged {
            Unchanged::AsRecorded => assert_eq!(says, "the same rows, changed in the same way", "{policy}"),
            Unchanged::Kept => assert!(says.starts_with("nothing changes") && says.contains("`shared`"), "{policy}"),
            Unchanged::Refused(problems) => {
                assert!(says.starts_with("refused: "), "{policy}");
                let fields = says.matches('`').count() / 2;
                assert_eq!(fields, problems.len(), "{policy}: {says}");
                assert!(problems.iter().all(|(_, field)| says.contains(&format!("`{field}`"))), "{policy}: {says}");
            }
        }
    }
}
