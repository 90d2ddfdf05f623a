//! A schema that changes between plan and run, or in the middle of one: the change is caught, what is left is planned anew, a plan of another
//! shape needs another approval, and nothing is half done (P-1).

use std::fs;

use serde_json::{Value, json};

use super::support::catalogue::*;
use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::skipped;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER, note TEXT);
         CREATE TABLE history (id INTEGER PRIMARY KEY, note TEXT);
         INSERT INTO orders VALUES (10, 1, 5, 'a'), (11, 1, 50, 'b'), (12, 1, 50, 'c'), (13, 2, 5, 'd');"
    )
}

fn shop() -> String {
    map(&[collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total", "name: note"]), users()])
}

fn is_sqlite(workspace: &Workspace) -> bool {
    matches!(workspace.database, Database::Sqlite(_))
}

/// A trigger on `orders` that writes to `history`.
fn add_trigger(workspace: &Workspace) {
    workspace.database.script(if is_sqlite(workspace) {
        "CREATE TRIGGER copy AFTER DELETE ON orders BEGIN INSERT INTO history (note) VALUES (OLD.note); END;"
    } else {
        "CREATE FUNCTION copy() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO history VALUES (OLD.id, OLD.note); RETURN NULL; END';
         CREATE TRIGGER copy AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION copy();"
    });
}

#[test]
fn p_1_a_schema_that_has_changed_since_the_approval_needs_another_one() {
    for change in ["trigger", "ALTER TABLE orders ADD COLUMN colour TEXT", "CREATE UNIQUE INDEX once ON orders (note)"] {
        for workspace in Workspace::on_both(&script(), &shop()) {
            let request = Waiting::submit(&workspace);
            request.approve(&workspace);
            if change == "trigger" {
                add_trigger(&workspace)
            } else {
                workspace.database.script(change)
            }
            let before = workspace.database.dump();
            assert_eq!(request.work(&workspace)["status"], "waiting_approval", "{change}");
            assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{change}: what was approved was another plan");
            request.approve(&workspace);
            let ended = request.work(&workspace);
            assert!(ended["status"] == "completed" || ended["status"] == "partial", "{change}: {ended}");
            assert_eq!(numbers(&workspace, "orders", "id"), [13], "{change}");
        }
    }
}

#[test]
fn p_1_a_change_that_makes_the_plan_impossible_is_refused_after_the_approval() {
    for (change, code) in [
        ("ALTER TABLE orders DROP COLUMN total", "total"),
        ("ALTER TABLE orders RENAME TO purchases", "orders"),
        (
            "CREATE TABLE audit (id INTEGER PRIMARY KEY, actor INTEGER REFERENCES users (id) ON DELETE CASCADE); INSERT INTO audit VALUES (1, 1)",
            "audit",
        ),
        ("DROP TABLE history; ALTER TABLE orders RENAME COLUMN user_id TO owner", "user_id"),
    ] {
        for workspace in Workspace::on_both(&script(), &shop()) {
            Waiting::is_refused_after(change, code, &workspace);
        }
    }
}

#[test]
fn p_1_an_unrelated_change_keeps_the_approval() {
    for workspace in Workspace::on_both(&script(), &shop()) {
        let request = Waiting::submit(&workspace);
        request.approve(&workspace);
        workspace.database.script("CREATE TABLE elsewhere (id INTEGER PRIMARY KEY); CREATE INDEX fast ON orders (total)");
        assert_eq!(request.work(&workspace)["status"], "completed");
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

/// Runs an erasure that dies after its first batch of one row, changes the schema, and lets a worker go on.
fn dies_and_goes_on(workspace: &Workspace, change: &dyn Fn(&Workspace)) -> Value {
    configure(workspace, "limits: {batch_rows: 1}");
    let job = workspace.job("erase", &erasure_of(&ada()));
    let call = format!("run {} --no-input --json", job.display());
    let died = workspace.habeas(&call).env("HABEAS_FAILPOINT", "erase-after-close").run();
    assert_eq!(died.code, None, "{died:?}");
    assert_eq!(workspace.database.count("orders WHERE user_id = 1"), 2, "one batch was done");
    change(workspace);
    workspace.habeas("worker --once").run().code(0);
    let code = workspace.habeas("request list --json").run().code(0).json()[0]["code"].as_str().expect("a code").to_owned();
    workspace.habeas(&format!("request show {code} --json")).run().code(0).json()
}

#[test]
fn p_1_an_erasure_that_was_interrupted_is_planned_anew_on_the_schema_of_then() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    for workspace in Workspace::on_both(&script(), &shop()) {
        // A reference that would take rows of others along has appeared: what is left waits for somebody.
        let ended = dies_and_goes_on(&workspace, &|workspace| {
            workspace.database.script(
                "CREATE TABLE audit (id INTEGER PRIMARY KEY, actor INTEGER REFERENCES users (id) ON DELETE CASCADE);
                 INSERT INTO audit VALUES (1, 1), (2, 2)",
            );
        });
        assert_eq!(ended["status"], "waiting_controller", "{ended}");
        assert_eq!(workspace.database.count("audit"), 2);
        assert_eq!(workspace.database.count("orders WHERE user_id = 1"), 2, "nothing more was done");
        assert_eq!(complete_certificates(&workspace), 0);
        // Mended, it finishes.
        workspace.database.script("DROP TABLE audit");
        workspace.habeas(&format!("request retry {} --by grace", ended["code"].as_str().unwrap())).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
        assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
        assert_eq!(complete_certificates(&workspace), 1);
    }
}

#[test]
fn p_1_a_harmless_change_in_the_middle_does_not_stop_what_was_approved() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    for workspace in Workspace::on_both(&script(), &shop()) {
        let ended =
            dies_and_goes_on(&workspace, &|workspace| workspace.database.script("ALTER TABLE orders ADD COLUMN colour TEXT"));
        assert_eq!(ended["status"], "completed", "{ended}");
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
        assert_eq!(complete_certificates(&workspace), 1);
    }
}

#[test]
fn h_1_what_a_hold_keeps_in_an_erasure_that_is_planned_anew_is_told_as_held_and_goes_with_its_release() {
    if !cfg!(feature = "failpoints") {
        skipped("--features failpoints");
        return;
    }
    let one_order = json!({"record": {"dataset": "app", "collection": "orders", "key": ["12"]}});
    let all_of_ada = json!({"subject": ada()});
    for (scope, orders_held, orders_left) in [(one_order, 1, &[12, 13][..]), (all_of_ada, 2, &[11, 12, 13])] {
        for workspace in Workspace::on_both(&script(), &shop()) {
            configure(&workspace, "holds: {grace_days: 0}");
            let placed = std::cell::RefCell::new(String::new());
            let ended = dies_and_goes_on(&workspace, &|workspace| {
                workspace.database.script("ALTER TABLE orders ADD COLUMN colour TEXT");
                placed.replace(hold(workspace, "M-1", &scope));
            });
            assert_eq!(ended["status"], "partial", "{ended}");
            assert_eq!(numbers(&workspace, "orders", "id"), orders_left);
            let kept = &item(&ended, "orders")["retained"][0];
            assert_eq!(
                (&kept["ground"], &kept["count"], &kept["ref"]),
                (&json!("hold"), &json!(orders_held), &json!("M-1")),
                "{ended}"
            );
            assert_eq!(item(&ended, "orders")["affected"], 3 - orders_held, "{ended}");
            assert!(!ended["items"].to_string().contains("not_looked_at"), "{ended}");
            assert_eq!(complete_certificates(&workspace), 0, "V-1");
            for person in ["grace", "linus"] {
                workspace.habeas(&format!("hold release {} --by {person}", placed.borrow())).run().code(0);
            }
            workspace.habeas("worker --once").run().code(0);
            let code = ended["code"].as_str().expect("a code");
            let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
            assert_eq!((&done["status"], &done["certificate"]["outcome"]), (&json!("completed"), &json!("complete")), "{done}");
            assert_eq!(numbers(&workspace, "orders", "id"), [13]);
            assert_eq!(numbers(&workspace, "users", "id"), [2, 3]);
        }
    }
}

#[test]
fn a_source_that_is_another_database_than_before_is_refused() {
    for (workspace, other) in Workspace::on_both(&script(), &shop()).into_iter().zip(Workspace::on_both(&script(), &shop())) {
        erased_whole(&workspace);
        let url = |workspace: &Workspace| workspace.database.source().split('"').nth(1).expect("a URL").to_owned();
        let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
        workspace.write("habeas.yaml", &config.replace(&url(&workspace), &url(&other)));
        let before = other.database.dump();
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert!(problems(&plan).contains(&"source_identity_changed"), "{plan}");
        erase_ada(&workspace).code(2);
        assert_eq!(difference(&before, &other.database.dump()), json!({}));
    }
}
