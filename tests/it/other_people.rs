//! Other people's records. Whoever is merely named in one may be shown it, and never what its person has (X-1, O-1); and a reference can be
//! cut on erasure without anybody being shown anything.

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::database::difference;
use super::support::laws::*;
use super::support::workspace::Workspace;

const INVITED: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, invited_by INTEGER);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
    CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER, what TEXT);
    INSERT INTO users VALUES (1, 'ada@example.com', NULL), (2, 'grace@example.com', 1), (3, 'linus@example.com', 2);
    INSERT INTO orders VALUES (10, 1, 5), (20, 2, 7), (30, 3, 9);
    INSERT INTO parts VALUES (100, 10, 'hers'), (200, 20, 'of Grace'), (300, 30, 'of Linus');";

fn invited(habeas: &str) -> String {
    let users = collection(
        "users",
        "on_erasure: delete",
        &[KEY_OF_USERS, "name: email, fides_meta: {identity: email}", &to_user("invited_by", habeas)],
    );
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]);
    let parts = collection("parts", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", ""), "name: what"]);
    map(&[users, orders, parts])
}

fn handed_over(workspace: &Workspace, subject: &Value) -> Archive {
    let done = run(workspace, &json!({"kind": "access", "subject": subject})).code(0).json();
    Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")))
}

fn ids(archive: &Archive, table: &str) -> Vec<i64> {
    let mut ids: Vec<i64> = archive.rows(&format!("app/{table}")).iter().filter_map(|row| row["id"].as_i64()).collect();
    ids.sort_unstable();
    ids
}

#[test]
fn x_1_o_1_whoever_is_seen_is_seen_without_what_they_have() {
    for workspace in Workspace::on_each(INVITED, &invited("right: accesses, on_erasure: unlink")) {
        let archive = handed_over(&workspace, &ada());
        assert_eq!(ids(&archive, "users"), [1, 2], "she sees whom she invited, and not whom they invited");
        assert_eq!((ids(&archive, "orders"), ids(&archive, "parts")), (vec![10], vec![100]), "and nothing that is theirs");
        let before = workspace.database.dump();
        let done = erase_ada(&workspace).code(0).json();
        let gone = json!({"users": {"missing": 1, "new": 0, "changed": 1}, "orders": 1, "parts": 1});
        assert_eq!(done["certificate"]["outcome"], "complete", "{done} {gone} {}", difference(&before, &workspace.database.dump()));
        assert_eq!(workspace.database.count("users WHERE id = 2 AND email = 'grace@example.com' AND invited_by IS NULL"), 1);
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "parts", "id")), (vec![20, 30], vec![200, 300]));
        assert_eq!(item(&done, "orders")["found"], 1, "Grace's orders were not even looked at: {done}");
    }
}

/// The address stands in a table of its own and points at the account, as in many schemas with several ways to sign in.
#[test]
fn x_1_an_account_without_identifiers_of_its_own_is_a_person_too() {
    let script = "
        CREATE TABLE accounts (id INTEGER PRIMARY KEY, nick TEXT, invited_by INTEGER);
        CREATE TABLE logins (id INTEGER PRIMARY KEY, email TEXT, account_id INTEGER);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, account_id INTEGER);
        INSERT INTO accounts VALUES (1, 'ada', NULL), (2, 'grace', 1);
        INSERT INTO logins VALUES (1, 'ada@example.com', 1), (2, 'grace@example.com', 2);
        INSERT INTO orders VALUES (10, 1), (20, 2);";
    let to_account = |column: &str, habeas: &str| refers(column, "accounts.id", habeas);
    let up =
        "name: account_id, fides_meta: {references: [{dataset: app, field: accounts.id, direction: to}]}, habeas: {right: owns}";
    let seen = to_account("invited_by", "right: accesses, on_erasure: unlink");
    let world = map(&[
        collection("accounts", "on_erasure: delete", &[KEY, "name: nick", &seen]),
        collection("logins", "on_erasure: delete", &[KEY, "name: email, fides_meta: {identity: email}", up]),
        collection("orders", "on_erasure: delete", &[KEY, &to_account("account_id", "")]),
    ]);
    for workspace in Workspace::on_each(script, &world) {
        let archive = handed_over(&workspace, &ada());
        assert_eq!((ids(&archive, "accounts"), ids(&archive, "orders")), (vec![1, 2], vec![10]));
        erase_ada(&workspace).code(0);
        assert_eq!(workspace.database.count("accounts WHERE id = 2 AND invited_by IS NULL"), 1);
        assert_eq!(numbers(&workspace, "orders", "id"), [20]);
    }
}

#[test]
fn x_1_o_1_a_reference_can_be_cut_without_anybody_being_shown_anything() {
    for workspace in Workspace::on_each(INVITED, &invited("right: none, on_erasure: unlink")) {
        let archive = handed_over(&workspace, &ada());
        assert_eq!((ids(&archive, "users"), ids(&archive, "orders")), (vec![1], vec![10]), "shown to nobody");
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(0).json();
        let access = json!({"kind": "access", "subject": ada()});
        let shown = workspace.habeas("plan - --json").input(access.to_string()).run().code(0).json();
        assert_eq!(item(&shown, "users")["found"], 1, "{shown}");
        let cut = items(&plan, "users").into_iter().find(|item| item["disposition"] == "unlink").expect("a clearing");
        assert_eq!((&cut["expected"], &cut["columns"][0]["column"]), (&json!(1), &json!("invited_by")), "{plan}");

        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
        assert_eq!(workspace.database.count("users WHERE id = 2 AND email = 'grace@example.com' AND invited_by IS NULL"), 1);
        assert_eq!(workspace.database.count("users WHERE id = 3 AND invited_by = 2"), 1, "Linus was invited by somebody else");
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "parts", "id")), (vec![20, 30], vec![200, 300]));
        // Twice is once (E-3).
        let before = workspace.database.dump();
        erase_ada(&workspace);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn h_1_a_held_row_keeps_even_the_reference_that_shows_nothing() {
    for workspace in Workspace::on_each(INVITED, &invited("right: none, on_erasure: unlink")) {
        let held = hold(&workspace, "M-1", &json!({"record": {"dataset": "app", "collection": "users", "key": ["2"]}}));
        erase_ada(&workspace);
        assert_eq!(workspace.database.count("users WHERE id = 2 AND invited_by = 1"), 1, "the held record is as it was");
        assert_eq!(workspace.database.count("users WHERE id = 1"), 1, "what leads to it stays, so that it can be cut later");
        assert_eq!(numbers(&workspace, "orders", "id"), [20, 30]);
        assert!(!held.is_empty());
    }
}

/// A table whose rows are nobody's, with a foreign key that the database would act on, and one whose column admits no NULL.
#[test]
fn o_1_a_cut_reference_takes_the_row_out_of_a_cascade_and_not_null_refuses_the_plan() {
    for (nullable, action) in [("", "ON DELETE CASCADE"), ("", ""), ("NOT NULL", "ON DELETE CASCADE")] {
        let script = format!(
            "{PEOPLE} CREATE TABLE reports (id INTEGER PRIMARY KEY, made_by INTEGER {nullable} REFERENCES users (id) {action}, title TEXT);
             INSERT INTO reports VALUES (1, 1, 'yearly'), (2, 2, 'monthly');"
        )
        .replace("id INTEGER PRIMARY KEY, email TEXT", "id INTEGER PRIMARY KEY, email TEXT UNIQUE");
        let reports = collection(
            "reports",
            "on_erasure: keep",
            &[KEY, &to_user("made_by", "right: none, on_erasure: unlink"), "name: title"],
        );
        for workspace in Workspace::on_each(&script, &map(&[users(), reports.clone()])) {
            let check = workspace.habeas("map check --json").run().json();
            let codes: Vec<&str> =
                check["findings"].as_array().unwrap().iter().map(|finding| finding["code"].as_str().unwrap()).collect();
            if nullable.is_empty() {
                assert!(!codes.contains(&"cascade_outside_plan") && !codes.contains(&"delete_blocked"), "{check}");
                let done = erase_ada(&workspace).code(0).json();
                assert_eq!(workspace.database.count("reports"), 2, "{done}");
                assert_eq!(workspace.database.count("reports WHERE id = 1 AND made_by IS NULL"), 1);
                assert_eq!(workspace.database.count("reports WHERE id = 2 AND made_by = 2"), 1);
            } else {
                assert!(codes.contains(&"unlink_not_null"), "{check}");
                let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
                assert!(problems(&plan).contains(&"unlink_not_null"), "{plan}");
            }
        }
    }
}

#[test]
fn what_map_check_says_to_write_shows_nobody_another_person() {
    let linked = INVITED.replace("invited_by INTEGER", "invited_by INTEGER REFERENCES users (id) ON DELETE SET NULL");
    let finding = |said: &Value, code: &str| {
        let all = said["findings"].as_array().expect("a list");
        all.iter().find(|finding| finding["code"] == code).cloned().unwrap_or_else(|| panic!("{code}: {said}"))
    };
    for workspace in Workspace::on_each(&linked, &invited("right: accesses")) {
        let said = workspace.habeas("map check --json").run().code(2).json();
        for code in ["cascade_outside_plan", "reference_left_behind", "another_person_shown"] {
            assert_eq!(finding(&said, code)["write"], "habeas: {right: none, on_erasure: unlink}", "{code}");
        }
    }
    for workspace in Workspace::on_each(&linked, &invited("right: none")) {
        let said = workspace.habeas("map check --json").run().code(2).json();
        assert_eq!(finding(&said, "cascade_outside_plan")["write"], "habeas: {right: none, on_erasure: unlink}");
    }
    for workspace in Workspace::on_each(&linked, &invited("right: none, on_erasure: unlink")) {
        let said = workspace.habeas("map check --json").run().code(0).json();
        assert_eq!(said["errors"], 0, "{said}");
        assert!(!said.to_string().contains("another_person_shown"), "{said}");
    }
}
