//! E-1, E-2 and E-3 with the real program: what was to change has changed, all of it and once, or nothing has.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (12, 1, 7), (13, 2, 5);"
    )
}

fn shop() -> String {
    map(&[collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]), users()])
}

/// A trigger that makes a statement on one row do nothing, without an error.
fn swallow(workspace: &Workspace, statement: &str, table: &str, id: i64) {
    workspace.database.script(&match &workspace.database {
        Database::Sqlite(_) => {
            format!("CREATE TRIGGER swallow BEFORE {statement} ON {table} WHEN OLD.id = {id} BEGIN SELECT RAISE(IGNORE); END;")
        }
        Database::Postgres(_) => format!(
            "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
             CREATE TRIGGER swallow BEFORE {statement} ON {table} FOR EACH ROW WHEN (OLD.id = {id}) EXECUTE FUNCTION swallow();"
        ),
        Database::MariaDb { .. } => unreachable!("a trigger there can refuse a statement, and not swallow it"),
    });
}

fn certificates(workspace: &Workspace) -> u64 {
    Database::Sqlite(workspace.path("habeas.db")).count("certificate")
}

#[test]
fn e_1_a_trigger_that_swallows_a_deletion_rolls_the_batch_back_and_certifies_nothing() {
    for workspace in Workspace::on_both(&script(), &shop()) {
        swallow(&workspace, "DELETE", "orders", 11);
        let before = workspace.database.dump();
        let said = erase_ada(&workspace).code(1);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{}", said.stderr);
        assert_eq!(certificates(&workspace), 0);
        let ledger = Database::Sqlite(workspace.path("habeas.db"));
        assert_eq!(ledger.count("permit WHERE outcome = 'committed'"), 0);
        assert!(ledger.count("permit WHERE outcome = 'rolled_back'") > 0);
        // Mended, the same request finishes.
        workspace.database.script(match &workspace.database {
            Database::Sqlite(_) => "DROP TRIGGER swallow",
            _ => "DROP TRIGGER swallow ON orders",
        });
        let code = workspace.habeas("request list --json").run().code(0).json()[0]["code"].as_str().unwrap().to_owned();
        workspace.habeas(&format!("request retry {code} --by grace")).run();
        Database::Sqlite(workspace.path("habeas.db")).script("UPDATE job SET run_at = 0 WHERE state = 'ready'");
        workspace.habeas("worker --once").run().code(0);
        let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!((&done["status"], workspace.database.count("orders")), (&json!("completed"), 1), "{done}");
    }
}

#[test]
fn e_1_a_trigger_that_swallows_a_mask_rolls_the_batch_back() {
    let users = collection(
        "users",
        "on_erasure: mask",
        &[KEY_OF_USERS, "name: email, fides_meta: {identity: email, masking_strategy_override: {strategy: null_rewrite}}"],
    );
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]);
    for workspace in Workspace::on_both(&script(), &map(&[orders.clone(), users.clone()])) {
        swallow(&workspace, "UPDATE", "users", 1);
        let said = erase_ada(&workspace).code(1);
        assert_eq!(workspace.database.count("users WHERE email = 'ada@example.com'"), 1);
        assert_eq!(certificates(&workspace), 0, "{}", said.stderr);
    }
}

#[test]
fn e_1_a_trigger_that_puts_the_row_back_is_seen_by_the_verification() {
    for workspace in Workspace::on_both(&script(), &shop()) {
        workspace.database.script(&match &workspace.database {
            Database::Sqlite(_) => "CREATE TRIGGER undo AFTER DELETE ON orders WHEN OLD.id = 11
                                    BEGIN INSERT INTO orders VALUES (OLD.id, OLD.user_id, OLD.total); END;"
                .to_owned(),
            Database::Postgres(_) => "CREATE FUNCTION undo() RETURNS trigger LANGUAGE plpgsql AS
                                      'BEGIN INSERT INTO orders VALUES (OLD.id, OLD.user_id, OLD.total); RETURN NULL; END';
                                      CREATE TRIGGER undo AFTER DELETE ON orders FOR EACH ROW WHEN (OLD.id = 11) EXECUTE FUNCTION undo();"
                .to_owned(),
            Database::MariaDb { .. } => unreachable!("a trigger there cannot write to its own table"),
        });
        let said = erase_ada(&workspace);
        assert_ne!(said.code, Some(0), "{}", said.stdout);
        let ledger = Database::Sqlite(workspace.path("habeas.db"));
        assert_eq!(ledger.count("certificate WHERE document LIKE '%\"outcome\": \"complete\"%'"), 0, "{}", said.stdout);
        assert_eq!(ledger.count("request WHERE status = 'completed'"), 0);
    }
}

#[test]
fn e_3_asking_again_changes_nothing() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let mut job = erasure_of(&ada());
        job["idempotency_key"] = "ticket-1".into();
        let first = run(&workspace, &job).code(0).json();
        let after = workspace.database.dump();
        let again = run(&workspace, &job).code(0).json();
        assert_eq!((&again["request_id"], &again["items"]), (&first["request_id"], &first["items"]), "one request, one answer");
        workspace.habeas("worker --once").run().code(0);

        let anew = erase_ada(&workspace).code(0).json();
        assert_ne!(anew["request_id"], first["request_id"]);
        assert!(anew["items"].as_array().unwrap().iter().all(|item| item["affected"] == 0 && item["outcome"] == "already_absent"));
        assert_eq!(difference(&after, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn e_3_small_batches_come_to_the_same_end() {
    let rows = "INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 163) SELECT i, i % 2, 0 FROM n;";
    for workspace in Workspace::on_each(&format!("{} {rows}", script()), &shop()) {
        configure(&workspace, "limits: {batch_rows: 7}");
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(item(&done, "orders")["affected"], 35, "{done}");
        assert_eq!(workspace.database.count("orders WHERE user_id = 1"), 0);
        assert_eq!(workspace.database.count("orders"), 33);
        assert!(Database::Sqlite(workspace.path("habeas.db")).count("permit") >= 5);
    }
}

/// A table with one column per strategy, described by `masks`.
fn masked(columns: &[(&str, &str)]) -> String {
    let mut fields: Vec<String> = vec![KEY_OF_USERS.to_owned(), "name: email, fides_meta: {identity: email}".to_owned()];
    for (column, strategy) in columns {
        fields.push(format!("name: {column}, fides_meta: {{masking_strategy_override: {strategy}}}"));
    }
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    map(&[collection("users", "on_erasure: mask", &fields)])
}

fn row(workspace: &Workspace, id: i64) -> Value {
    workspace.database.dump()["users"].iter().find(|row| row["id"] == id).expect("the row").clone()
}

const STRATEGIES: [(&str, &str); 8] = [
    ("a", "{strategy: null_rewrite}"),
    ("b", "{strategy: string_rewrite, configuration: {rewrite_value: MASKED}}"),
    ("c", "{strategy: string_rewrite, configuration: {rewrite_value: MASKED, format_preservation: {suffix: '@x.invalid'}}}"),
    ("d", "{strategy: random_string_rewrite, configuration: {length: 12}}"),
    ("e", "{strategy: random_string_rewrite, configuration: {length: 5, format_preservation: {suffix: '!'}}}"),
    ("f", "{strategy: hash, configuration: {algorithm: SHA-256}}"),
    ("g", "{strategy: hmac, configuration: {algorithm: SHA-512}}"),
    ("h", "{strategy: preserve}"),
];

fn masked_script() -> String {
    let columns: Vec<String> = STRATEGIES.iter().map(|(column, _)| format!("{column} TEXT")).collect();
    let values = |value: &str| vec![value; STRATEGIES.len()].join(", ");
    format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, {columns});
         INSERT INTO users VALUES (1, 'ada@example.com', {filled}), (2, 'grace@example.com', {filled}), (3, 'linus@example.com', {null});",
        columns = columns.join(", "),
        filled = values("'Ünïcode value'"),
        null = values("NULL"),
    )
}

#[test]
fn e_1_every_masking_strategy_writes_what_it_says() {
    for workspace in Workspace::on_each(&masked_script(), &masked(&STRATEGIES)) {
        let untouched = row(&workspace, 2);
        erase_ada(&workspace).run_to_end();
        let written = row(&workspace, 1);
        let text = |column: &str| written[column].as_str().unwrap_or_else(|| panic!("{column} is text: {written}"));
        assert_eq!(written["a"], Value::Null);
        assert_eq!((text("b"), text("c")), ("MASKED", "MASKED@x.invalid"));
        let random = text("d");
        assert!(random.len() == 12 && random.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()), "{written}");
        assert!(text("e").len() == 6 && text("e").ends_with('!'), "{written}");
        assert!(text("f").len() == 64 && text("f").bytes().all(|b| b.is_ascii_hexdigit()), "{written}");
        assert!(text("g").len() == 128 && text("g").bytes().all(|b| b.is_ascii_hexdigit()), "{written}");
        assert_eq!((text("h"), text("email")), ("Ünïcode value", "ada@example.com"), "preserved, and not mentioned");
        assert_eq!(row(&workspace, 2), untouched, "the same values of somebody else");

        // NULL is replaced by a constant or at random, and stays NULL where a hash would need a value.
        run(&workspace, &erasure_of(&json!({"email": "linus@example.com"}))).run_to_end();
        let written = row(&workspace, 3);
        assert_eq!(
            (&written["a"], &written["b"], &written["f"], &written["g"], &written["h"]),
            (&Value::Null, &json!("MASKED"), &Value::Null, &Value::Null, &Value::Null)
        );
        assert!(written["d"].as_str().is_some_and(|text| text.len() == 12), "{written}");
    }
}

#[test]
fn e_1_equal_values_of_two_people_are_not_masked_alike() {
    for workspace in Workspace::on_each(&masked_script(), &masked(&STRATEGIES)) {
        for email in ["ada@example.com", "grace@example.com"] {
            run(&workspace, &erasure_of(&json!({"email": email}))).run_to_end();
        }
        let (one, other) = (row(&workspace, 1), row(&workspace, 2));
        for column in ["d", "e"] {
            assert_ne!(one[column], other[column], "{column}");
        }
    }
}

#[test]
fn e_3_what_is_masked_already_is_not_masked_again() {
    for workspace in Workspace::on_each(&masked_script(), &masked(&STRATEGIES)) {
        configure(&workspace, "limits: {batch_rows: 1}");
        let mut job = erasure_of(&ada());
        job["idempotency_key"] = "ticket-1".into();
        run(&workspace, &job).run_to_end();
        let once = workspace.database.dump();
        run(&workspace, &job).run_to_end();
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(difference(&once, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn pseudonymisation_is_named_as_such_and_never_called_erasure() {
    for workspace in Workspace::on_each(&masked_script(), &masked(&STRATEGIES)) {
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
        let columns = item(&plan, "users")["columns"].as_array().expect("a list");
        let named: BTreeSet<(&str, bool)> = columns
            .iter()
            .map(|change| (change["strategy"].as_str().expect("text"), change["pseudonymisation"].as_bool().expect("a flag")))
            .collect();
        let expected =
            [("hash", true), ("hmac", true), ("null_rewrite", false), ("random_string_rewrite", false), ("string_rewrite", false)];
        assert_eq!(named, BTreeSet::from(expected), "{plan}");
    }
}

#[test]
fn e_1_a_mask_is_cut_to_the_length_that_the_map_declares() {
    let script = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, pin VARCHAR(4)); INSERT INTO users VALUES (1, 'ada@example.com', '1234');";
    let users = collection(
        "users",
        "on_erasure: mask",
        &[
            KEY_OF_USERS,
            "name: email, fides_meta: {identity: email}",
            "name: pin, fides_meta: {length: 4, masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: MASKED}}}",
        ],
    );
    for workspace in Workspace::on_each(script, &map(std::slice::from_ref(&users))) {
        erase_ada(&workspace).run_to_end();
        assert_eq!(row(&workspace, 1)["pin"], "MASK");
    }
}

#[test]
fn a_policy_masks_the_labelled_fields_and_nothing_else() {
    let script = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, phone TEXT, cookie TEXT, cookie_id TEXT);
                  INSERT INTO users VALUES (1, 'ada@example.com', '+43 1', 'c', 'ci'), (2, 'grace@example.com', '+43 2', 'c', 'ci');";
    let users = collection(
        "users",
        "on_erasure: delete",
        &[
            KEY_OF_USERS,
            "name: email, data_categories: [user.contact.email], fides_meta: {identity: email}",
            "name: phone, data_categories: [user.contact.phone_number]",
            "name: cookie, data_categories: [user.device.cookie]",
            "name: cookie_id, data_categories: [user.device.cookie_id]",
        ],
    );
    let policy = "policy:
  - fides_key: null_some
    rules:
      - action_type: erasure
        targets: [user.contact.phone_number, user.device.cookie]
        masking_strategy: {strategy: null_rewrite}
";
    for workspace in Workspace::on_each(script, &format!("{}{policy}", map(std::slice::from_ref(&users)))) {
        let mut job = erasure_of(&ada());
        job["policy"] = "null_some".into();
        run(&workspace, &job).run_to_end();
        let expected = json!({"id": 1, "email": "ada@example.com", "phone": null, "cookie": null, "cookie_id": "ci"});
        assert_eq!(row(&workspace, 1), expected, "a category matches what is below it at a dot");
        assert_eq!(workspace.database.count("users WHERE id = 2 AND phone = '+43 2' AND cookie = 'c'"), 1);
    }
}

#[test]
fn e_1_an_unlink_collection_keeps_its_rows_and_loses_who_they_were_about() {
    let script = script().replace("INSERT INTO orders", "CREATE TABLE votes (id INTEGER PRIMARY KEY, user_id INTEGER, choice TEXT); INSERT INTO votes VALUES (1, 1, 'yes'), (2, 2, 'no'); INSERT INTO orders");
    let votes = collection("votes", "on_erasure: unlink", &[KEY, &to_user("user_id", ""), "name: choice"]);
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]);
    for workspace in Workspace::on_each(&script, &map(&[orders.clone(), users(), votes.clone()])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(item(&done, "votes")["disposition"], "unlink", "{done}");
        assert_eq!(workspace.database.count("votes WHERE id = 1 AND user_id IS NULL AND choice = 'yes'"), 1);
        assert_eq!(workspace.database.count("votes WHERE id = 2 AND user_id = 2"), 1);
    }
}

#[test]
fn e_1_an_unlink_that_the_column_does_not_take_refuses_the_plan() {
    let script = script().replace("INSERT INTO orders", "CREATE TABLE votes (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL); INSERT INTO votes VALUES (1, 1); INSERT INTO orders");
    let votes = collection("votes", "on_erasure: unlink", &[KEY, &to_user("user_id", "")]);
    for workspace in Workspace::on_each(&script, &map(&[users(), votes.clone()])) {
        let before = workspace.database.dump();
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert!(problems(&plan).contains(&"unlink_not_null"), "{plan}");
        erase_ada(&workspace).code(2);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn statutory_retention_keeps_row_by_row_and_names_the_law() {
    let script = format!(
        "{PEOPLE}
         CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, paid BOOLEAN, issued_on DATE);
         INSERT INTO invoices VALUES (1, 1, TRUE, '2025-01-01'), (2, 1, TRUE, '2001-01-01'), (3, 1, FALSE, '2025-01-01'), (4, 1, NULL, '2025-01-01'), (5, 1, TRUE, NULL), (6, 2, TRUE, '2001-01-01');"
    );
    let invoices = collection(
        "invoices",
        "on_erasure: delete, retain_when: [{where: {paid: true}, ground: art17_3_b, law: 'BAO § 132', until: issued_on + P7Y}]",
        &[KEY, &to_user("user_id", ""), "name: paid", "name: issued_on"],
    );
    for workspace in Workspace::on_each(&script, &map(&[invoices.clone(), users()])) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(numbers(&workspace, "invoices", "id"), [1, 4, 5, 6], "what is not known counts as covered: {done}");
        let kept = &item(&done, "invoices")["retained"][0];
        assert_eq!((&kept["ground"], &kept["ref"]), (&json!("art17_3_b"), &json!("BAO § 132")), "{done}");
        assert_eq!(done["certificate"]["outcome"], "complete", "V-1: verified absent, or kept on a ground");
    }
}
