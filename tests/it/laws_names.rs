//! Who a request is about, by every name (I-1, V-1), who a plan was approved for (P-1), and holds that somebody took away (H-1).

use serde_json::json;

use super::support::laws::*;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER);
         INSERT INTO orders VALUES (10, 1), (11, 1), (13, 2);
         CREATE TABLE signups (id INTEGER PRIMARY KEY, email TEXT);
         INSERT INTO signups VALUES (1, 'ada@example.com'), (2, 'grace@example.com');
         CREATE TABLE import_log (id INTEGER PRIMARY KEY, payload TEXT);
         INSERT INTO import_log VALUES (1, 'nothing about anybody');"
    )
}

fn shop() -> String {
    map(&[
        collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", "")]),
        collection("signups", "on_erasure: delete", &[KEY, "name: email, fides_meta: {identity: email}"]),
        users(),
    ])
}

#[test]
fn i_1_a_person_named_by_id_is_found_by_the_address_in_their_own_row() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let done = run(&workspace, &erasure_of(&json!({"user_id": "1"}))).code(0).json();
        assert_eq!(numbers(&workspace, "signups", "id"), [2], "{done}");
        assert_eq!(done["certificate"]["outcome"], "complete");
    }
}

#[test]
fn v_1_the_search_knows_names_that_only_the_erased_row_knew() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        workspace.database.script("UPDATE import_log SET payload = 'mail ada@example.com about it'");
        let done = run(&workspace, &erasure_of(&json!({"user_id": "1"}))).code(3).json();
        assert_ne!(done["certificate"]["outcome"], "complete");
        assert!(done["residue"][0]["place"].as_str().unwrap().contains("import_log.payload"), "{done}");
    }
}

#[test]
fn p_1_an_approval_never_passes_to_another_person() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let job = json!({"kind": "erasure", "subject": ada(), "approval": "one"});
        let waiting = run(&workspace, &job).code(6).json();
        let code = waiting["code"].as_str().unwrap();
        let digest = waiting["plan_digest"].as_str().unwrap();
        workspace.habeas(&format!("request approve {code} --digest {digest} --by somebody --no-input")).run().code(0);
        // The address passes to somebody else, with as many records of the same kinds.
        workspace.database.script(
            "UPDATE users SET email = 'old@example.com' WHERE id = 1;
             INSERT INTO users VALUES (70, 'ada@example.com'); INSERT INTO orders VALUES (71, 70), (72, 70);",
        );
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(workspace.database.count("users"), 4, "nobody approved the erasure of the other person");
        let after = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!(after["status"], "waiting_approval", "{after}");
    }
}

#[test]
fn h_1_a_hold_that_was_taken_out_of_the_ledger_is_missed() {
    let workspace = Workspace::sqlite(&script(), &shop());
    hold(&workspace, "M-1", &json!({"subject": ada()}));
    let ledger = super::support::database::Database::Sqlite(workspace.path("habeas.db"));
    ledger.script("DELETE FROM hold_alias; DELETE FROM hold;");
    let refused = erase_ada(&workspace);
    assert_ne!(refused.code, Some(0), "{}", refused.stdout);
    assert_eq!(workspace.database.count("users"), 3, "nothing was touched");
}

#[test]
fn an_answered_request_cannot_be_called_off() {
    let workspace = Workspace::sqlite(&script(), &shop());
    let done = erase_ada(&workspace).code(0).json();
    let code = done["code"].as_str().unwrap();
    workspace.habeas(&format!("request cancel {code} --by somebody --no-input")).run().code(8);
    let after = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
    assert_eq!(after["status"], "completed");
}
