//! What planning sees in a MariaDB schema: cascades, which no trigger there notices, references that are cleared, triggers, engines that cannot
//! roll back, views, and a schema that changes after the approval. Refused or kept, and then unchanged; or erased whole (O-1, H-1, E-1, P-1).

use serde_json::json;

use super::support::archive::Archive;
use super::support::catalogue::*;
use super::support::database::difference;
use super::support::laws::*;
use super::support::workspace::Workspace;

/// A person's orders, their lines, and a list that triggers write to.
fn shop(action: &str) -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, note VARCHAR(40), FOREIGN KEY (user_id) REFERENCES users (id) {action});
         CREATE TABLE `lines` (id INTEGER PRIMARY KEY, order_id INTEGER, FOREIGN KEY (order_id) REFERENCES orders (id) {action});
         CREATE TABLE history (id INTEGER PRIMARY KEY AUTO_INCREMENT, line INTEGER);
         INSERT INTO orders VALUES (10, 1, 'a'), (11, 1, 'b'), (12, 2, 'c');
         INSERT INTO `lines` VALUES (100, 10), (101, 10), (102, 11), (103, 12);"
    )
}

fn orders(habeas: &str) -> String {
    collection("orders", habeas, &[KEY, &to_user("user_id", ""), "name: note"])
}

fn lines() -> String {
    collection("lines", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", "")])
}

fn whole_shop() -> String {
    map(&[orders("on_erasure: delete"), lines(), users()])
}

const ACTIONS: [&str; 4] = ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE RESTRICT", ""];

#[test]
fn a_chain_of_any_action_is_erased_from_its_end_and_counted() {
    for action in ACTIONS {
        let Some(workspace) = Workspace::mariadb(&shop(action), &whole_shop()) else { return };
        let done = erased_whole(&workspace);
        assert_eq!((&item(&done, "orders")["affected"], &item(&done, "lines")["affected"]), (&json!(2), &json!(3)), "{action}");
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "lines", "id")), (vec![12], vec![103]), "{action}");
    }
}

#[test]
fn o_1_what_a_cascade_would_take_or_clear_and_the_map_does_not_mention_refuses_the_plan() {
    for (action, code) in
        ACTIONS.into_iter().zip(["cascade_outside_plan", "cascade_outside_plan", "delete_blocked", "delete_blocked"])
    {
        let Some(workspace) = Workspace::mariadb(&shop(action), &map(&[orders("on_erasure: delete"), users()])) else { return };
        let problem = refused(&workspace, code);
        assert!(problem["subject"].to_string().contains("lines"), "{action}: {problem}");
    }
}

#[test]
fn o_1_a_cascade_into_rows_that_the_map_keeps_refuses_the_plan() {
    for action in ["ON DELETE CASCADE", "ON DELETE SET NULL"] {
        let Some(workspace) = Workspace::mariadb(&shop(action), &map(&[orders("on_erasure: keep"), lines(), users()])) else {
            return;
        };
        refused(&workspace, "cascade_outside_plan");
    }
}

#[test]
fn o_1_a_cascade_into_rows_of_another_person_refuses_the_plan_until_the_map_unlinks_them() {
    for action in ["ON DELETE CASCADE", "ON DELETE SET NULL"] {
        let script = format!(
            "{PEOPLE} CREATE TABLE tasks (id INTEGER PRIMARY KEY, user_id INTEGER, helper_id INTEGER REFERENCES users (id) {action});
             INSERT INTO tasks VALUES (1, 1, 2), (2, 2, 1), (3, 2, 3);"
        );
        let tasks = |helper: &str| {
            map(&[
                collection("tasks", "on_erasure: delete", &[KEY, &to_user("user_id", ""), &to_user("helper_id", helper)]),
                users(),
            ])
        };
        let Some(workspace) = Workspace::mariadb(&script, &tasks("right: accesses")) else { return };
        let problem = refused(&workspace, "cascade_outside_plan");
        assert!(problem["hint"].to_string().contains("unlink"), "the words to write: {problem}");
        workspace.write("datamap/app.yml", &tasks("right: accesses, on_erasure: unlink"));
        erased_whole(&workspace);
        assert_eq!(numbers(&workspace, "tasks", "id"), [2, 3], "{action}");
        assert_eq!(workspace.database.count("tasks WHERE id = 2 AND user_id = 2 AND helper_id IS NULL"), 1, "{action}");
    }
}

#[test]
fn h_1_a_held_row_that_a_cascade_would_take_keeps_what_it_hangs_on() {
    for action in ACTIONS {
        let Some(workspace) = Workspace::mariadb(&shop(action), &whole_shop()) else { return };
        hold(&workspace, "M-1", &json!({"record": {"dataset": "app", "collection": "lines", "key": ["102"]}}));
        let done = erase_ada(&workspace).code(3).json();
        assert_eq!(workspace.database.count("`lines` WHERE id = 102 AND order_id = 11"), 1, "{action}: exactly as it was: {done}");
        assert_eq!(numbers(&workspace, "lines", "id"), [102, 103], "{action}");
        assert_eq!(numbers(&workspace, "orders", "id"), [11, 12], "{action}: the order above it");
        assert_eq!(numbers(&workspace, "users", "id"), [1, 2, 3], "{action}: and the person above that");
        assert_eq!(complete_certificates(&workspace), 0);
    }
}

/// A trigger on `lines`.
fn trigger(workspace: &Workspace, when: &str, body: &str) {
    workspace.database.script(&format!("CREATE TRIGGER watch {when} ON `lines` FOR EACH ROW {body};"));
}

/// The server's own cascade would run no trigger: rows below go by a statement of ours, which does.
#[test]
fn triggers_of_rows_below_run_although_the_foreign_key_would_cascade() {
    let Some(workspace) = Workspace::mariadb(&shop("ON DELETE CASCADE"), &whole_shop()) else { return };
    trigger(&workspace, "BEFORE DELETE", "INSERT INTO history (line) VALUES (OLD.id)");
    assert!(warnings(&plan_of_ada(&workspace)).contains("history"), "what it writes to is said");
    erase_ada(&workspace).run_to_end();
    assert_eq!(numbers(&workspace, "history", "line"), [100, 101, 102]);
    assert_eq!(numbers(&workspace, "lines", "id"), [103]);
}

#[test]
fn o_1_a_trigger_below_a_cascade_that_changes_other_tables_refuses_the_plan() {
    for body in ["DELETE FROM users WHERE id > OLD.id", "BEGIN IF OLD.id > 5 THEN UPDATE history SET line = 0; END IF; END"] {
        let Some(workspace) = Workspace::mariadb(&shop("ON DELETE CASCADE"), &whole_shop()) else { return };
        workspace.database.script(&format!("DELIMITER //\nCREATE TRIGGER watch BEFORE DELETE ON `lines` FOR EACH ROW {body} //"));
        let problem = refused(&workspace, "trigger_reaches_further");
        assert!(problem["hint"].to_string().contains("watch"), "{problem}");
    }
}

/// A trigger there can swallow no row, only refuse one.
#[test]
fn e_1_a_trigger_that_refuses_one_row_undoes_the_whole_batch() {
    let Some(workspace) = Workspace::mariadb(&shop("ON DELETE CASCADE"), &whole_shop()) else { return };
    let refuse = "BEGIN IF OLD.id = 102 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'not this one'; END IF; END";
    workspace.database.script(&format!("DELIMITER //\nCREATE TRIGGER watch BEFORE DELETE ON `lines` FOR EACH ROW {refuse} //"));
    let before = workspace.database.dump();
    let said = erase_ada(&workspace);
    assert_ne!(said.code, Some(0), "{}", said.stdout);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{}", said.stderr);
    assert_eq!(complete_certificates(&workspace), 0);
}

#[test]
fn e_1_a_trigger_that_puts_a_masked_value_back_undoes_the_batch() {
    let masked = "name: note, fides_meta: {masking_strategy_override: {strategy: null_rewrite}}";
    let orders = collection("orders", "on_erasure: mask", &[KEY, &to_user("user_id", "right: owns"), masked]);
    let script = format!(
        "{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, note VARCHAR(40));
         INSERT INTO orders VALUES (10, 1, 'a'), (11, 1, 'b'), (12, 2, 'c');
         CREATE TRIGGER watch BEFORE UPDATE ON orders FOR EACH ROW SET NEW.note = COALESCE(NEW.note, OLD.note);"
    );
    let Some(workspace) = Workspace::mariadb(&script, &map(&[orders, users()])) else { return };
    let before = workspace.database.dump();
    let said = erase_ada(&workspace);
    assert_ne!(said.code, Some(0), "{}", said.stdout);
    assert_eq!(difference(&before, &workspace.database.dump())["orders"], json!(null), "{}", said.stderr);
    assert_eq!(complete_certificates(&workspace), 0);
}

#[test]
fn e_1_a_table_without_transactions_refuses_the_plan_and_keeps_its_rows() {
    let script = format!(
        "{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, note VARCHAR(40)) ENGINE = MyISAM;
         INSERT INTO orders VALUES (10, 1, 'a'), (12, 2, 'c');"
    );
    let Some(workspace) = Workspace::mariadb(&script, &map(&[orders("on_erasure: delete"), users()])) else { return };
    let problem = refused(&workspace, "not_erasable_for_good");
    assert!(problem["problem"].to_string().contains("MyISAM"), "{problem}");
    assert!(problem["hint"].to_string().contains("InnoDB"), "what to do: {problem}");
}

#[test]
fn a_view_is_exported_and_never_erased_through() {
    let script = format!("{} CREATE VIEW bought AS SELECT id, user_id, note FROM orders;", shop(""));
    let view = |action: &str| collection("bought", action, &[KEY, &to_user("user_id", ""), "name: note"]);
    let Some(workspace) = Workspace::mariadb(&script, &map(&[view("on_erasure: delete"), users()])) else { return };
    refused(&workspace, "view_erased");
    workspace.write("datamap/app.yml", &map(&[view("on_erasure: keep"), orders("on_erasure: delete"), lines(), users()]));
    let done = run(&workspace, &json!({"kind": "access", "subject": ada()})).run_to_end();
    let archive = Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")));
    let notes: Vec<_> = archive.rows("app/bought").iter().map(|row| row["note"].clone()).collect();
    assert_eq!(notes, ["a", "b"]);
}

#[test]
fn p_1_a_schema_that_has_changed_since_the_approval_is_planned_and_approved_again() {
    for change in [
        "CREATE TRIGGER copy AFTER DELETE ON `lines` FOR EACH ROW INSERT INTO history (line) VALUES (OLD.id)",
        "ALTER TABLE orders ADD COLUMN colour TEXT",
        "CREATE UNIQUE INDEX once ON orders (note)",
        "ALTER TABLE `lines` DROP FOREIGN KEY lines_ibfk_1",
    ] {
        let Some(workspace) = Workspace::mariadb(&shop(""), &whole_shop()) else { return };
        let request = Waiting::submit(&workspace);
        request.approve(&workspace);
        workspace.database.script(change);
        let before = workspace.database.dump();
        assert_eq!(request.work(&workspace)["status"], "waiting_approval", "{change}");
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{change}: what was approved was another plan");
        request.approve(&workspace);
        let ended = request.work(&workspace);
        assert!(ended["status"] == "completed" || ended["status"] == "partial", "{change}: {ended}");
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "lines", "id")), (vec![12], vec![103]), "{change}");
    }
}

#[test]
fn p_1_a_change_that_makes_the_plan_impossible_is_refused_after_the_approval() {
    for (change, word) in [
        ("ALTER TABLE orders RENAME COLUMN user_id TO owner", "user_id"),
        ("ALTER TABLE orders RENAME TO purchases", "orders"),
        (
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, actor INTEGER REFERENCES users (id) ON DELETE CASCADE); INSERT INTO audit VALUES (1, 1)",
            "audit",
        ),
    ] {
        let Some(workspace) = Workspace::mariadb(&shop(""), &whole_shop()) else { return };
        Waiting::is_refused_after(change, word, &workspace);
    }
}
