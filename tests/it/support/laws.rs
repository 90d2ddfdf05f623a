//! Words for tests of the laws: data maps put together from single collections, requests that run at once, and looks at what is left.

use serde_json::{Value, json};

use super::binary::Said;
use super::workspace::Workspace;

/// People: a key that others refer to and an address.
pub const PEOPLE: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
                          INSERT INTO users VALUES (1, 'ada@example.com'), (2, 'grace@example.com'), (3, 'linus@example.com');";

/// A data map of these collections in a dataset `app`.
pub fn map(collections: &[String]) -> String {
    format!("dataset:\n  - fides_key: app\n    collections:\n{}", collections.concat())
}

/// One collection; `habeas` and `fields` are the insides of YAML flow maps.
pub fn collection(name: &str, habeas: &str, fields: &[&str]) -> String {
    let fields: String = fields.iter().map(|field| format!("          - {{{field}}}\n")).collect();
    format!("      - name: {name}\n        habeas: {{{habeas}}}\n        fields:\n{fields}")
}

/// The collection of [`PEOPLE`], deleted on erasure.
pub fn users() -> String {
    collection("users", "on_erasure: delete", &[KEY_OF_USERS, "name: email, fides_meta: {identity: email}"])
}

/// Field: the key of people.
pub const KEY_OF_USERS: &str = "name: id, fides_meta: {primary_key: true, identity: user_id}";
/// Field: a plain key.
pub const KEY: &str = "name: id, fides_meta: {primary_key: true}";

/// Field: a column that refers to `users.id`; `habeas` is the inside of a flow map.
pub fn to_user(column: &str, habeas: &str) -> String {
    refers(column, "users.id", habeas)
}

/// Field: a column that refers to another one, given as `collection.field`.
pub fn refers(column: &str, field: &str, habeas: &str) -> String {
    format!("name: {column}, fides_meta: {{references: [{{dataset: app, field: {field}, direction: from}}]}}, habeas: {{{habeas}}}")
}

/// Ada, by her address.
pub fn ada() -> Value {
    json!({"email": "ada@example.com"})
}

/// An erasure that waits for nobody.
pub fn erasure_of(subject: &Value) -> Value {
    json!({"kind": "erasure", "subject": subject, "approval": "none"})
}

/// Runs a job in the foreground.
pub fn run(workspace: &Workspace, job: &Value) -> Said {
    workspace.habeas("run - --json --no-input").input(job.to_string()).run()
}

/// Erases Ada.
pub fn erase_ada(workspace: &Workspace) -> Said {
    run(workspace, &erasure_of(&ada()))
}

/// The items of one collection in an answer or a plan.
#[track_caller]
pub fn items<'d>(document: &'d Value, collection: &str) -> Vec<&'d Value> {
    document["items"].as_array().expect("a list").iter().filter(|item| item["collection"] == collection).collect()
}

/// The first item of one collection.
#[track_caller]
pub fn item<'d>(document: &'d Value, collection: &str) -> &'d Value {
    items(document, collection).first().copied().unwrap_or_else(|| panic!("no item of {collection}: {document}"))
}

/// Codes of a plan's problems.
pub fn problems(plan: &Value) -> Vec<&str> {
    plan["problems"].as_array().expect("a list").iter().map(|problem| problem["code"].as_str().expect("text")).collect()
}

/// The whole numbers in a column of a table, sorted.
pub fn numbers(workspace: &Workspace, table: &str, column: &str) -> Vec<i64> {
    let dump = workspace.database.dump();
    let mut numbers: Vec<i64> = dump[table].iter().filter_map(|row| row[column].as_i64()).collect();
    numbers.sort_unstable();
    numbers
}

/// Approves the plan that a request waits with.
pub fn approve(workspace: &Workspace, code: &str) {
    let waiting = workspace.habeas(&format!("request show {code} --json")).run().json();
    let digest = waiting["plan_digest"].as_str().expect("a plan").to_owned();
    workspace.habeas(&format!("request approve {code} --by grace --digest {digest}")).run().code(0);
}

/// Places a hold and gives its id.
pub fn hold(workspace: &Workspace, matter: &str, scope: &Value) -> String {
    let hold = json!({"matter": matter, "reason": "litigation", "scope": scope});
    let placed = workspace.habeas("hold place - --by grace --json").input(hold.to_string()).run().code(0).json();
    assert_eq!(placed["state"], "active", "{placed}");
    placed["hold_id"].as_str().expect("text").to_owned()
}

/// Adds lines to the configuration.
pub fn configure(workspace: &Workspace, lines: &str) {
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
    workspace.write("habeas.yaml", &format!("{config}{lines}\n"));
}
