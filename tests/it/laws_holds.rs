//! H-1 and H-2 with the real program: what is held stays exactly as it is, the rest goes, and a release finishes what was left open.

use serde_json::{Value, json};

use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::skipped;
use super::support::sqlite;
use super::support::workspace::Workspace;

/// Ada has three orders, one of them without a total; Grace has one.
fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         CREATE TABLE visits (id INTEGER PRIMARY KEY, user_id INTEGER);
         INSERT INTO visits VALUES (1, 1), (2, 2);
         INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (12, 1, NULL), (13, 2, 5);"
    )
}

fn shop() -> String {
    map(&[orders(), users(), visits()])
}

fn visits() -> String {
    collection("visits", "on_erasure: delete", &[KEY, &to_user("user_id", "")])
}

fn orders() -> String {
    collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"])
}

fn record(id: &str) -> Value {
    json!({"record": {"dataset": "app", "collection": "orders", "key": [id]}})
}

fn predicate(condition: &Value) -> Value {
    json!({"predicate": {"dataset": "app", "collection": "orders", "where": condition}})
}

/// Both people that a release takes.
fn release(workspace: &Workspace, id: &str) -> Value {
    workspace.habeas(&format!("hold release {id} --by grace")).run().code(0);
    workspace.habeas(&format!("hold release {id} --by linus --json")).run().code(0).json()
}

fn held(document: &Value, collection: &str) -> u64 {
    let retained = items(document, collection).into_iter().flat_map(|item| item["retained"].as_array().expect("a list"));
    retained.filter(|kept| kept["ground"] == "hold").map(|kept| kept["count"].as_u64().expect("a number")).sum()
}

#[test]
fn h_1_held_records_stay_and_the_rest_goes() {
    for (scope, stay) in [
        (record("11"), &[11, 13][..]),
        (predicate(&json!({"total": {"gt": 10}})), &[11, 12, 13]),
        (predicate(&json!({"total": {"is_null": true}})), &[12, 13]),
        (predicate(&json!({"not": {"total": {"gt": 10}}})), &[10, 12, 13]),
        (json!({"collection": {"dataset": "app", "collection": "orders"}}), &[10, 11, 12, 13]),
    ] {
        for workspace in Workspace::on_each(&script(), &shop()) {
            hold(&workspace, "M-1", &scope);
            let done = erase_ada(&workspace).code(3).json();
            assert_eq!(numbers(&workspace, "orders", "id"), stay, "{scope}");
            assert_eq!(
                workspace.database.count("orders WHERE user_id = 1"),
                stay.len() as u64 - 1,
                "held rows are not even unlinked"
            );
            assert_eq!(numbers(&workspace, "visits", "id"), [2], "what no hold covers goes");
            assert_eq!(
                numbers(&workspace, "users", "id"),
                [1, 2, 3],
                "through her row the held ones are found when they are released"
            );
            assert_eq!(done["status"], "partial");
            assert_eq!(held(&done, "orders"), stay.len() as u64 - 1, "{done}");
            assert_eq!(item(&done, "orders")["retained"][0]["ref"], "M-1", "{done}");
            assert_eq!(done["certificate"]["outcome"], "partial");
        }
    }
}

#[test]
fn h_1_everything_of_a_held_person_stays() {
    for scope in [json!({"subject": ada()}), json!({"everything": {}}), json!({"subject": {"user_id": 1}})] {
        for workspace in Workspace::on_each(&script(), &shop()) {
            hold(&workspace, "M-1", &scope);
            let before = workspace.database.dump();
            let done = erase_ada(&workspace).code(5).json();
            assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{scope}");
            assert_eq!(done["certificate"]["outcome"], "refused", "{done}");
            assert_eq!((held(&done, "orders"), held(&done, "users")), (3, 1), "{done}");
        }
    }
}

#[test]
fn h_1_a_hold_on_somebody_else_keeps_nothing_of_hers() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        hold(&workspace, "M-1", &json!({"subject": {"email": "grace@example.com"}}));
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

#[test]
fn h_1_a_hold_on_the_other_owner_keeps_their_row_as_it_is() {
    let script = script().replace(
        "INSERT INTO orders",
        "CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER);
         INSERT INTO notes VALUES (1, 1, 2), (2, 1, 3), (3, 1, NULL);
         INSERT INTO orders",
    );
    let notes = collection("notes", "on_erasure: delete", &[KEY, &to_user("author", ""), &to_user("partner", "")]);
    for workspace in Workspace::on_each(&script, &map(&[notes.clone(), orders(), users(), visits()])) {
        hold(&workspace, "M-1", &json!({"subject": {"email": "grace@example.com"}}));
        let done = erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "notes", "id"), [1, 2], "{done}");
        assert_eq!(workspace.database.count("notes WHERE id = 1 AND author = 1"), 1, "a hold keeps the record as it is: {done}");
        assert_eq!(workspace.database.count("notes WHERE id = 2 AND author IS NULL"), 1, "nobody holds this one");
    }
}

#[test]
fn v_1_what_a_hold_kept_is_found_and_erased_when_it_is_released_however_it_was_reached() {
    // No foreign keys: only the map says what leads where, over an order that is not held to a line that is.
    let script = format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER);
         CREATE TABLE order_lines (id INTEGER PRIMARY KEY, order_id INTEGER, text TEXT);
         INSERT INTO orders VALUES (10, 1), (11, 1);
         INSERT INTO order_lines VALUES (100, 10, 'disputed'), (101, 10, 'plain'), (102, 11, 'plain');"
    );
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", "")]);
    let order_lines = collection("order_lines", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", ""), "name: text"]);
    for workspace in Workspace::on_each(&script, &map(&[order_lines.clone(), orders.clone(), users()])) {
        configure(&workspace, "holds: {grace_days: 0}");
        let id = hold(&workspace, "M-1", &json!({"record": {"dataset": "app", "collection": "order_lines", "key": ["100"]}}));
        let held = erase_ada(&workspace).code(3).json();
        assert_eq!(numbers(&workspace, "order_lines", "id"), [100]);
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "users", "id")), (vec![10], vec![1, 2, 3]), "{held}");
        release(&workspace, &id);
        workspace.habeas("worker --once").run().code(0);
        let code = held["code"].as_str().expect("text");
        let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!((&done["status"], &done["certificate"]["outcome"]), (&json!("completed"), &json!("complete")));
        for (table, left) in [("order_lines", 0), ("orders", 0), ("users", 2)] {
            assert_eq!(workspace.database.count(table), left, "{table}: {done}");
        }
    }
}

#[test]
fn h_1_a_hold_placed_in_the_middle_of_an_erasure_keeps_its_record_and_the_way_to_it() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    for workspace in Workspace::on_each(&script(), &shop()) {
        configure(&workspace, "limits: {batch_rows: 1}\nholds: {grace_days: 0}");
        let id = workspace.habeas("submit -").input(erasure_of(&ada()).to_string()).run().code(0).stdout.trim().to_owned();
        let died = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", "erase-before-permit:2").run();
        assert_eq!(died.code, None, "{}", died.stderr);
        assert_eq!(numbers(&workspace, "orders", "id"), [11, 12, 13], "one batch is done");
        let hold = hold(&workspace, "M-1", &record("12"));
        workspace.habeas("worker --once").run().code(0);
        let show = || workspace.habeas(&format!("request show {id} --json")).run().code(0).json();
        assert_eq!(numbers(&workspace, "orders", "id"), [12, 13]);
        assert_eq!(workspace.database.count("users WHERE id = 1"), 1, "through her row it is found again");
        assert_eq!(show()["status"], "partial", "{}", show());
        release(&workspace, &hold);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!((&show()["status"], numbers(&workspace, "orders", "id")), (&json!("completed"), vec![13]));
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
    }
}

#[test]
fn h_1_a_kept_record_keeps_what_it_refers_to() {
    let script = script().replace("user_id INTEGER", "user_id INTEGER NOT NULL REFERENCES users (id)");
    for workspace in Workspace::on_each(&script, &shop()) {
        hold(&workspace, "M-1", &record("11"));
        let done = erase_ada(&workspace).code(3).json();
        assert_eq!(numbers(&workspace, "orders", "id"), [11, 13]);
        assert_eq!(numbers(&workspace, "users", "id"), [1, 2, 3], "the held order would point nowhere");
        assert_eq!((held(&done, "orders"), held(&done, "users")), (1, 1), "{done}");
    }
}

#[test]
fn h_1_a_hold_that_comes_after_the_plan_wins() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let job = json!({"kind": "erasure", "subject": ada(), "approval": "one"});
        let id = workspace.habeas("submit -").input(job.to_string()).run().code(0).stdout.trim().to_owned();
        let show = || workspace.habeas(&format!("request show {id} --json")).run().code(0).json();
        let approve = || {
            let digest = show()["plan_digest"].as_str().expect("a plan").to_owned();
            workspace.habeas(&format!("request approve {id} --by grace --digest {digest}")).run().code(0);
            workspace.habeas("worker --once").run().code(0);
        };
        workspace.habeas("worker --once").run().code(0);
        let planned = show()["plan_digest"].clone();
        hold(&workspace, "M-1", &record("11"));
        approve();
        assert_eq!(workspace.database.count("orders WHERE id = 11 AND user_id = 1"), 1);
        let waiting = show();
        assert_eq!(waiting["status"], "waiting_approval", "another plan than the approved one: {waiting}");
        assert_ne!(waiting["plan_digest"], planned);
        assert_eq!(workspace.database.count("orders"), 4, "P-1: nothing is touched before it is approved as well");
        approve();
        assert_eq!((&show()["status"], numbers(&workspace, "orders", "id")), (&json!("partial"), vec![11, 13]));
    }
}

#[test]
fn h_1_a_predicate_covers_rows_that_came_after_it() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        hold(&workspace, "M-1", &predicate(&json!({"total": {"ge": 1000}})));
        workspace.database.script("INSERT INTO orders VALUES (14, 1, 1000); UPDATE orders SET total = 2000 WHERE id = 10");
        erase_ada(&workspace).code(3);
        assert_eq!(numbers(&workspace, "orders", "id"), [10, 12, 13, 14], "an unknown total is held too");
    }
}

#[test]
fn h_1_two_holds_are_a_union_and_one_release_frees_only_what_no_other_covers() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        configure(&workspace, "holds: {grace_days: 0}");
        let dispute = hold(&workspace, "M-1", &predicate(&json!({"total": {"gt": 10}})));
        let audit = hold(&workspace, "M-2", &record("11"));
        let done = erase_ada(&workspace).code(3).json();
        assert_eq!(numbers(&workspace, "orders", "id"), [11, 12, 13]);
        let code = done["code"].as_str().expect("text");

        release(&workspace, &dispute);
        workspace.habeas("worker --once").run().code(0);
        let shown = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!(numbers(&workspace, "orders", "id"), [11, 13], "the other hold covers it still: {shown}");
        assert_eq!((&shown["status"], held(&shown, "orders")), (&json!("partial"), 1), "{shown}");

        release(&workspace, &audit);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
        let shown = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!((&shown["status"], &shown["certificate"]["outcome"]), (&json!("completed"), &json!("complete")), "{shown}");
        let folder = shown["certificate"]["path"].as_str().expect("text");
        workspace.habeas(&format!("certificate verify {folder} --key keys/signing.pub")).run().code(0);
    }
}

#[test]
fn h_1_nothing_is_freed_before_the_grace_is_over_and_then_a_sweep_finishes_it() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        configure(&workspace, "holds: {grace_days: 7}");
        let id = hold(&workspace, "M-1", &record("11"));
        let code = erase_ada(&workspace).code(3).json()["code"].as_str().expect("text").to_owned();
        assert_eq!(release(&workspace, &id)["state"], "releasing");
        for _ in 0..2 {
            workspace.habeas("sweep").run();
            workspace.habeas("worker --once").run().code(0);
            assert_eq!(numbers(&workspace, "orders", "id"), [11, 13], "a hold that is being released holds");
        }
        // Seven days later.
        sqlite::script(&workspace.path("habeas.db"), "UPDATE hold SET release_at = 0");
        workspace.habeas("sweep").run().code(0);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
        let shown = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!((&shown["status"], &shown["certificate"]["outcome"]), (&json!("completed"), &json!("complete")), "{shown}");
    }
}

#[test]
fn h_1_letting_go_needs_two_different_people() {
    let workspace = Workspace::sqlite(&script(), &shop());
    configure(&workspace, "holds: {grace_days: 0}");
    let id = hold(&workspace, "M-1", &record("11"));
    erase_ada(&workspace).code(3);
    workspace.habeas(&format!("hold release {id} --by grace")).run().code(0);
    workspace.habeas(&format!("hold release {id} --by Grace")).run().code(6);
    workspace.habeas("sweep").run();
    workspace.habeas("worker --once").run().code(0);
    assert_eq!(numbers(&workspace, "orders", "id"), [11, 13]);
    assert_eq!(Database::Sqlite(workspace.path("habeas.db")).count("hold WHERE state = 'active'"), 1);
}

#[test]
fn h_1_a_hold_under_one_name_keeps_a_person_who_asks_under_another() {
    for (held_by, asks_by) in [(json!({"user_id": "1"}), ada()), (ada(), json!({"user_id": "1"}))] {
        for workspace in Workspace::on_each(&script(), &shop()) {
            hold(&workspace, "M-1", &json!({"subject": held_by}));
            run(&workspace, &erasure_of(&asks_by)).code(5);
            assert_eq!(numbers(&workspace, "orders", "id"), [10, 11, 12, 13]);
        }
    }
}

#[test]
fn h_1_a_mask_is_a_change_and_a_hold_forbids_it() {
    let script = format!("{PEOPLE} ALTER TABLE users ADD name TEXT; UPDATE users SET name = 'Ada Lovelace' WHERE id = 1;");
    let users = collection(
        "users",
        "on_erasure: mask",
        &[
            KEY_OF_USERS,
            "name: email, fides_meta: {identity: email, masking_strategy_override: {strategy: null_rewrite}}",
            "name: name, fides_meta: {masking_strategy_override: {strategy: null_rewrite}}",
        ],
    );
    for workspace in Workspace::on_each(&script, &map(std::slice::from_ref(&users))) {
        hold(&workspace, "M-1", &json!({"record": {"dataset": "app", "collection": "users", "key": ["1"]}}));
        let before = workspace.database.dump();
        erase_ada(&workspace).code(5);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn h_1_whoever_asked_for_an_erasure_cannot_release_a_hold_that_its_plan_does_not_know() {
    for workspace in Workspace::on_both(&script(), &shop()) {
        configure(&workspace, "holds: {grace_days: 0}");
        let mut job = erasure_of(&ada());
        job["approval"] = json!("one");
        workspace.habeas("submit - --by ines").input(job.to_string()).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        let request = workspace.habeas("request list --json").run().code(0).json()[0].clone();
        assert_eq!(request["status"], "waiting_approval", "its plan is older than the hold, and names no matter: {request}");
        let id = hold(&workspace, "M-1", &record("11"));
        workspace.habeas(&format!("hold release {id} --by ines")).run().code(6);
        workspace.habeas(&format!("hold release {id} --by grace")).run().code(0);
        let refused = workspace.habeas(&format!("hold release {id} --by INES")).run().code(6);
        assert!(refused.stderr.contains("whoever asked for an erasure that the hold affects"), "{}", refused.stderr);
        assert_eq!(workspace.habeas(&format!("hold show {id} --json")).run().code(0).json()["state"], "active");
    }
}

#[test]
fn h_1_whoever_asked_for_an_erasure_cannot_release_the_second_hold_on_a_record_either() {
    for workspace in Workspace::on_both(&script(), &shop()) {
        let holds = [hold(&workspace, "M-1", &record("11")), hold(&workspace, "M-2", &record("11"))];
        workspace.habeas("run - --json --no-input --by ines").input(erasure_of(&ada()).to_string()).run().code(3);
        for id in holds {
            let refused = workspace.habeas(&format!("hold release {id} --by ines")).run().code(6);
            assert!(refused.stderr.contains("whoever asked for an erasure that the hold affects"), "{}", refused.stderr);
        }
    }
}

#[test]
fn h_1_whoever_asked_for_an_erasure_cannot_release_the_hold_that_keeps_it() {
    for workspace in Workspace::on_both(&script(), &shop()) {
        configure(&workspace, "holds: {grace_days: 0}");
        let id = hold(&workspace, "M-1", &record("11"));
        let unrelated = hold(&workspace, "M-2", &record("13"));
        workspace.habeas("run - --json --no-input --by ines").input(erasure_of(&ada()).to_string()).run().code(3);
        let refused = workspace.habeas(&format!("hold release {id} --by Ines")).run().code(6);
        assert!(refused.stderr.contains("whoever asked for an erasure that the hold affects"), "{}", refused.stderr);
        workspace.habeas(&format!("hold release {id} --by grace")).run().code(0);
        workspace.habeas(&format!("hold release {id} --by ines")).run().code(6);
        assert_eq!(numbers(&workspace, "orders", "id"), [11, 13]);
        workspace.habeas(&format!("hold release {id} --by linus")).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(numbers(&workspace, "orders", "id"), [13], "two others let it go");
        workspace.habeas(&format!("hold release {unrelated} --by ines")).run().code(0);
    }
}

#[test]
fn h_1_a_hold_under_the_second_address_of_a_record_covers_whoever_asks_by_the_first() {
    let script = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email VARCHAR(90) UNIQUE, second VARCHAR(90));
        INSERT INTO accounts VALUES (1, 'ada@example.com', 'countess@example.com'), (2, 'grace@example.com', NULL);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, account_id INTEGER);
        INSERT INTO orders VALUES (10, 1), (20, 2);";
    let identity = |name: &str| format!("name: {name}, fides_meta: {{identity: email}}");
    let world = map(&[
        collection("accounts", "on_erasure: delete, names: account", &[KEY, &identity("email"), &identity("second")]),
        collection("orders", "on_erasure: delete", &[KEY, &refers("account_id", "accounts.id", "")]),
    ]);
    for workspace in Workspace::on_each(script, &world) {
        hold(&workspace, "M-1", &json!({"subject": {"email": "countess@example.com"}}));
        let before = workspace.database.dump();
        let done = erase_ada(&workspace).json();
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{done}");
    }
}
