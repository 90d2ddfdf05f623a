//! JSON columns in archives: what was asked for and is not withheld, in its place, exactly as stored (X-1).

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::laws::*;
use super::support::workspace::Workspace;

/// Numbers that no float holds, keys out of order and twice, escapes as they came.
const PROFILE: &str = r#"{"zeta": 1e400,"nick":"Ada \u0040 \"home\"","big":12345678901234567890.10, "nick":"again","secrets":{"pin":"0000","hint":"cat"},
  "homes":[{"city":"Wien","code":1.0},null,{"code":2},"loose",{"city":"Linz","inner":[[{"pin":"pin 1111 of hers"}]]}],"unknown":"elsewhere"}"#;

const FIELDS: [&str; 3] = [
    KEY_OF_USERS,
    "name: email, data_categories: [user.contact.email], fides_meta: {identity: email}",
    "name: profile, fields: [{name: nick, data_categories: [user.name]}, {name: big}, {name: zeta}, \
     {name: secrets, fields: [{name: pin, habeas: {withhold: credential}}, {name: hint}]}, \
     {name: homes, fides_meta: {data_type: 'object[]'}, fields: [{name: city, data_categories: [user.contact.address.city]}, {name: code}, \
     {name: inner, fields: [{name: pin, habeas: {withhold: credential}}]}]}]",
];

fn script(profile: &str) -> String {
    format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, profile json);
         INSERT INTO users VALUES (1, 'ada@example.com', '{profile}'), (2, 'grace@example.com', '{{\"nick\":\"G\"}}');"
    )
}

fn world() -> String {
    map(&[collection("users", "on_erasure: delete", &FIELDS)])
}

fn export(workspace: &Workspace, categories: &[&str]) -> (Value, Archive) {
    let mut job = json!({"kind": "access", "subject": ada()});
    if !categories.is_empty() {
        job["categories"] = json!(categories);
    }
    let said = run(workspace, &job);
    let done: Value = serde_json::from_str(&said.stdout).expect("JSON");
    let path = workspace.path(done["archive"]["path"].as_str().expect("an archive"));
    workspace.habeas(&format!("archive verify {}", path.display())).run().code(0);
    (done, Archive::open(&path))
}

/// The one row's `profile` in the JSON Lines, as text.
fn profile(archive: &Archive) -> String {
    let line = archive.text("data/tables/app/users.jsonl").trim_end();
    let (_, rest) = line.split_once("\"profile\":").expect("the column");
    rest.strip_suffix('}').expect("the last column").to_owned()
}

fn table(archive: &Archive) -> Value {
    archive.json("data/completeness.json")["sources"][0]["tables"][0].clone()
}

#[test]
fn x_1_withheld_parts_are_cut_out_and_counted_and_everything_else_is_exactly_as_stored() {
    for workspace in Workspace::on_both(&script(PROFILE), &world()) {
        let (done, archive) = export(&workspace, &[]);
        assert_eq!(
            profile(&archive),
            r#"{"zeta":1e400,"nick":"Ada \u0040 \"home\"","big":12345678901234567890.10,"nick":"again","secrets":{"hint":"cat"},"homes":[{"city":"Wien","code":1.0},null,{"code":2},null,{"city":"Linz","inner":[[{}]]}]}"#
        );
        let table = table(&archive);
        assert_eq!(table["redacted_cells"], 2, "{table}");
        let redacted: Vec<&str> =
            table["redacted_columns"].as_array().expect("a list").iter().map(|one| one["column"].as_str().expect("text")).collect();
        assert_eq!(redacted, ["profile.homes.inner.pin", "profile.secrets.pin"]);
        assert!(!archive.names().iter().any(|name| archive.text(name).contains("pin 1111")), "nowhere in the archive");
        let not_covered = archive.json("data/completeness.json")["sources"][0]["not_covered"].to_string();
        assert!(not_covered.contains("profile.*") && not_covered.contains("profile.homes.*"), "{not_covered}");
        assert!(!not_covered.contains("unknown"), "a key may itself be somebody's name");
        assert_eq!((&done["items"][0]["found"], &done["items"][0]["exported"]), (&json!(1), &json!(1)));
    }
}

#[test]
fn categories_select_parts_and_array_elements_keep_their_place() {
    for workspace in Workspace::on_both(&script(PROFILE), &world()) {
        let (_, archive) = export(&workspace, &["user.contact.address"]);
        assert_eq!(profile(&archive), r#"{"homes":[{"city":"Wien"},null,{},null,{"city":"Linz"}]}"#);
        assert_eq!(table(&archive)["redacted_cells"], 0, "what was not asked for is not withheld");
        let (_, archive) = export(&workspace, &["user.name"]);
        assert_eq!(profile(&archive), r#"{"nick":"Ada \u0040 \"home\"","nick":"again"}"#);
        let (_, archive) = export(&workspace, &["user.contact.email"]);
        assert_eq!(archive.rows("app/users"), [json!({"email": "ada@example.com"})]);
    }
}

#[test]
fn jsonb_and_text_columns_are_taken_apart_as_well() {
    let sql = script(PROFILE).replace("profile json", "profile jsonb").replace("1e400", "1e3");
    let jsonb = Workspace::postgres(&sql, &world());
    let text = Workspace::on_both(&script(PROFILE).replace("profile json", "profile TEXT"), &world());
    for workspace in jsonb.into_iter().chain(text) {
        let (_, archive) = export(&workspace, &["user.contact.address"]);
        let value: Value = serde_json::from_str(&profile(&archive)).expect("JSON and not text");
        assert_eq!(value, json!({"homes": [{"city": "Wien"}, null, {}, null, {"city": "Linz"}]}));
    }
}

#[test]
fn x_1_text_that_is_no_json_is_an_error_with_its_place_where_something_has_to_be_kept_back() {
    for workspace in Workspace::on_both(&script("{broken").replace("profile json", "profile TEXT"), &world()) {
        let (done, archive) = export(&workspace, &[]);
        let table = table(&archive);
        assert_eq!((&table["found"], &table["exported"], &table["failed"]), (&json!(1), &json!(0), &json!(1)));
        let errors = archive.json("data/completeness.json")["sources"][0]["errors"].to_string();
        assert!(errors.contains("`users`.`profile`, row 1") && errors.contains("not JSON"), "{errors}");
        assert!(!errors.contains("broken"), "no value in an error");
        assert_eq!(done["status"], "partial");
    }
}

#[test]
fn text_that_is_no_json_is_handed_over_as_text_where_nothing_is_kept_back() {
    let world =
        map(&[collection("users", "on_erasure: delete", &[KEY_OF_USERS, FIELDS[1], "name: profile, fields: [{name: nick}]"])]);
    for workspace in Workspace::on_both(&script("{broken").replace("profile json", "profile TEXT"), &world) {
        let (_, archive) = export(&workspace, &[]);
        assert_eq!(archive.rows("app/users")[0]["profile"], "{broken");
    }
}

#[test]
fn a_label_on_an_object_covers_what_the_map_does_not_mention() {
    let profile_field =
        "name: profile, data_categories: [user.content], fields: [{name: nick}, {name: secrets, habeas: {withhold: credential}}]";
    let world = map(&[collection("users", "on_erasure: delete", &[KEY_OF_USERS, FIELDS[1], profile_field])]);
    for workspace in Workspace::on_both(&script(r#"{"nick":"A","secrets":1,"more":[1.50]}"#), &world) {
        for categories in [&[][..], &["user.content"]] {
            let (_, archive) = export(&workspace, categories);
            assert_eq!(profile(&archive), r#"{"nick":"A","more":[1.50]}"#);
            assert_eq!(table(&archive)["redacted_cells"], 1);
        }
    }
}
