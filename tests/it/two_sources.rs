//! Edges from one database to another: people in one, what they own in a second of another kind. No join can follow them.

use std::fs;

use serde_json::json;

use crate::support::database::Database;
use crate::support::laws::{
    KEY, KEY_OF_USERS, PEOPLE, ada, collection, erase_ada, erasure_of, hold, item, items, map, refers, to_user, users,
};
use crate::support::postgres::postgres;
use crate::support::workspace::Workspace;

/// A company with people in the source `app` and `more` in the source `billing`.
struct Company {
    workspace: Workspace,
    billing: Database,
}

/// People here and the rest there, then the other way round: SQLite and PostgreSQL take both parts.
fn companies(people: &str, people_map: &str, billing: &str, billing_map: &str) -> Vec<Company> {
    let Some(server) = postgres() else { return Vec::new() };
    let on_sqlite = Workspace::sqlite(people, people_map);
    let on_postgres = Workspace::on(server.create_database(), people_map);
    on_postgres.database.script(people);
    let file = Database::Sqlite(on_postgres.path("billing.db"));
    let pairs = [(on_sqlite, server.create_database()), (on_postgres, file)];
    pairs.map(|(workspace, database)| Company::new(workspace, database, billing, billing_map)).into()
}

impl Company {
    fn new(workspace: Workspace, billing: Database, script: &str, billing_map: &str) -> Company {
        billing.script(script);
        let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it is there");
        let source = format!("sources:\n  billing: {}\n", billing.source());
        workspace.write("habeas.yaml", &config.replace("sources:\n", &source));
        workspace.write("datamap/billing.yml", &billing_map.replace("fides_key: app", "fides_key: billing"));
        Company { workspace, billing }
    }
}

const INVOICES: &str = "CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, owner_type TEXT, note TEXT);";

/// So many invoices of Ada from 1 on, and as many of Grace from 100,001 on.
fn invoices(of_each: u32) -> String {
    let mut script = INVOICES.to_owned();
    for (user, first) in [(1, 1), (2, 100_001)] {
        for from in (0..of_each).step_by(400) {
            let rows = (from..(from + 400).min(of_each)).map(|n| format!("({}, {user}, 'user', 'n')", first + n));
            script.push_str(&format!("INSERT INTO invoices VALUES {};", rows.collect::<Vec<_>>().join(", ")));
        }
    }
    script
}

fn invoice_map(habeas: &str) -> String {
    map(&[collection(
        "invoices",
        "on_erasure: delete",
        &[KEY, &refers("user_id", "users.id", habeas), "name: owner_type", "name: note"],
    )])
}

#[test]
fn rows_in_another_source_are_found_and_erased_however_many_they_are() {
    for company in companies(PEOPLE, &map(&[users()]), &invoices(1300), &invoice_map("")) {
        let job = json!({"kind": "access", "subject": ada()});
        let access = company.workspace.habeas("run - --json --no-input").input(job.to_string()).run().code(0).json();
        assert_eq!(item(&access, "invoices")["exported"], 1300, "{access}");
        let done = erase_ada(&company.workspace).code(0).json();
        assert_eq!(item(&done, "invoices")["affected"], 1300, "{done}");
        assert_eq!(company.billing.count("invoices WHERE user_id = 1"), 0);
        assert_eq!(company.billing.count("invoices"), 1300, "Grace's stay");
    }
}

/// Chains over the border: orders of a person in `app`, their parcels in `billing`, found by 1,300 different keys.
#[test]
fn many_keys_cross_the_border_in_batches() {
    let mut people = format!("{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER);");
    let mut parcels = "CREATE TABLE parcels (id INTEGER PRIMARY KEY, order_id INTEGER);".to_owned();
    for from in (0..2600).step_by(400) {
        let rows = |make: &dyn Fn(u32) -> String| (from..(from + 400).min(2600)).map(make).collect::<Vec<_>>().join(", ");
        people.push_str(&format!("INSERT INTO orders VALUES {};", rows(&|n| format!("({n}, {})", 1 + n % 2))));
        parcels.push_str(&format!("INSERT INTO parcels VALUES {};", rows(&|n| format!("({}, {n})", n + 7))));
    }
    let orders = collection("orders", "on_erasure: delete", &[KEY, &refers("user_id", "users.id", "")]);
    let parcel = collection("parcels", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", "")]);
    for company in companies(&people, &map(&[orders, users()]), &parcels, &map(&[parcel])) {
        let done = erase_ada(&company.workspace).code(0).json();
        assert_eq!(item(&done, "parcels")["affected"], 1300, "{done}");
        assert_eq!(company.billing.count("parcels WHERE order_id % 2 = 0"), 0);
        assert_eq!(company.billing.count("parcels"), 1300);
    }
}

#[test]
fn o_1_what_a_strangers_row_leads_to_as_well_is_shared_in_another_source_too() {
    let people =
        format!("{PEOPLE} ALTER TABLE users ADD COLUMN address_id INTEGER; UPDATE users SET address_id = 7 WHERE id IN (1, 2);");
    let addresses =
        "CREATE TABLE addresses (id INTEGER PRIMARY KEY, street TEXT); INSERT INTO addresses VALUES (7, 'a'), (8, 'b');";
    let leads = "name: address_id, fides_meta: {references: [{dataset: billing, field: addresses.id, direction: to}]}";
    let user = collection(
        "users",
        "on_erasure: delete",
        &["name: id, fides_meta: {primary_key: true, identity: user_id}", "name: email, fides_meta: {identity: email}", leads],
    );
    let address_map = map(&[collection("addresses", "on_erasure: delete", &[KEY, "name: street"])]);
    for company in companies(&people, &map(&[user]), addresses, &address_map) {
        let done = erase_ada(&company.workspace).code(0).json();
        assert_eq!(company.billing.count("addresses WHERE id = 7"), 1, "Grace lives there too: {done}");
        assert_eq!(item(&done, "addresses")["retained"][0]["ground"], "shared", "{done}");
        // The last owner takes it along.
        let grace = erasure_of(&json!({"email": "grace@example.com"}));
        company.workspace.habeas("run - --json --no-input").input(grace.to_string()).run().code(0);
        assert_eq!(company.billing.count("addresses WHERE id = 7"), 0);
        assert_eq!(company.billing.count("addresses"), 1);
    }
}

#[test]
fn i_1_names_that_a_collation_would_take_for_one_stay_two_across_sources() {
    let letters = "CREATE TABLE letters (id INTEGER PRIMARY KEY, address TEXT);
                   INSERT INTO letters VALUES (1, 'ada@example.com'), (2, 'Ada@example.com'), (3, 'ada@example.com '), (4, 'grace@example.com'), (5, NULL);";
    let letter = collection("letters", "on_erasure: delete", &[KEY, &refers("address", "users.email", "")]);
    for company in companies(PEOPLE, &map(&[users()]), letters, &map(&[letter])) {
        let done = erase_ada(&company.workspace).json();
        assert_eq!(item(&done, "letters")["affected"], 1, "{done}");
        assert_eq!(company.billing.count("letters WHERE id > 1"), 4);
    }
}

#[test]
fn a_condition_on_an_edge_holds_across_sources() {
    let script = format!(
        "{INVOICES} INSERT INTO invoices VALUES (1, 1, 'user', 'hers'), (2, 1, 'group', 'of group 1'), (3, 2, 'user', 'x');"
    );
    for company in companies(PEOPLE, &map(&[users()]), &script, &invoice_map("where: {owner_type: user}")) {
        erase_ada(&company.workspace).code(0);
        assert_eq!(company.billing.count("invoices WHERE id = 1"), 0);
        assert_eq!(company.billing.count("invoices"), 2);
    }
}

#[test]
fn h_1_a_held_row_in_another_source_keeps_the_way_to_it() {
    let map_of_invoices = invoice_map("");
    for company in companies(PEOPLE, &map(&[users()]), &invoices(3), &map_of_invoices) {
        let scope = json!({"record": {"dataset": "billing", "collection": "invoices", "key": ["2"]}});
        let id = hold(&company.workspace, "M-1", &scope);
        let done = erase_ada(&company.workspace).code(3).json();
        assert_eq!(company.billing.count("invoices WHERE user_id = 1"), 1, "{done}");
        assert_eq!(item(&done, "users")["retained"][0]["ground"], "hold", "who is found by it has to stay: {done}");
        assert!(!id.is_empty());
    }
}

#[test]
fn o_1_a_reference_from_another_source_is_cut_and_shown_to_nobody() {
    let script =
        format!("{INVOICES} INSERT INTO invoices VALUES (1, 1, 'user', 'n'), (2, 2, 'user', 'n'), (3, NULL, 'user', 'n');");
    for right in ["none", "accesses"] {
        let billing = invoice_map(&format!("right: {right}, on_erasure: unlink"));
        for company in companies(PEOPLE, &map(&[users()]), &script, &billing) {
            let job = json!({"kind": "access", "subject": ada()});
            let access = company.workspace.habeas("run - --json --no-input").input(job.to_string()).run().code(0).json();
            let shown: u64 = items(&access, "invoices").iter().filter_map(|item| item["exported"].as_u64()).sum();
            assert_eq!(shown, u64::from(right == "accesses"), "{access}");
            erase_ada(&company.workspace).code(0);
            assert_eq!(company.billing.count("invoices WHERE id = 1 AND user_id IS NULL"), 1, "{right}");
            assert_eq!(company.billing.count("invoices WHERE id = 2 AND user_id = 2"), 1, "{right}");
        }
    }
}

/// Ada sees whom she invited. What Grace has in the other database is Grace's, as it would be in the same one.
#[test]
fn x_1_o_1_whoever_is_seen_is_seen_without_what_they_have_in_another_source() {
    let people = format!("{PEOPLE} ALTER TABLE users ADD COLUMN invited_by INTEGER; UPDATE users SET invited_by = 1 WHERE id = 2;");
    let invited_by = to_user("invited_by", "right: accesses, on_erasure: unlink");
    let user =
        collection("users", "on_erasure: delete", &[KEY_OF_USERS, "name: email, fides_meta: {identity: email}", &invited_by]);
    for company in companies(&people, &map(&[user]), &invoices(2), &invoice_map("")) {
        let job = json!({"kind": "access", "subject": ada()});
        let access = company.workspace.habeas("run - --json --no-input").input(job.to_string()).run().code(0).json();
        let found = |collection: &str| -> u64 { items(&access, collection).iter().filter_map(|item| item["found"].as_u64()).sum() };
        assert_eq!((found("users"), found("invoices")), (2, 2), "Grace, and nothing that is hers: {access}");
        let done = erase_ada(&company.workspace).code(0).json();
        assert_eq!(item(&done, "invoices")["found"], 2, "Grace's invoices were not even looked at: {done}");
        assert_eq!(company.billing.count("invoices WHERE user_id = 2"), 2);
        assert_eq!(company.billing.count("invoices"), 2);
        assert_eq!(company.workspace.database.count("users WHERE id = 2 AND invited_by IS NULL"), 1);
    }
}
