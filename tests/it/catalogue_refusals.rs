//! Tables and triggers with rules of their own: a key under which a new row takes the place of another's is refused before anything is touched
//! (O-1, H-1), and a trigger that says no is named, once, to those who can change it (E-1).

use serde_json::{Value, json};

use super::support::catalogue::*;
use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::workspace::Workspace;

/// Seats in which a new row takes the place of whoever sits there.
const SEATS: &str = "CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, code TEXT UNIQUE ON CONFLICT REPLACE);
    CREATE TABLE seats (id INTEGER PRIMARY KEY, seat INTEGER, user_id INTEGER, UNIQUE (seat) ON CONFLICT REPLACE);
    INSERT INTO orders VALUES (10, 1, 'hers'), (11, 2, 'his');
    INSERT INTO seats VALUES (1, 3, 2), (2, 4, 3);";

fn orders(habeas: &str, code: &str) -> String {
    collection("orders", habeas, &[KEY, &to_user("user_id", ""), &format!("name: code{code}")])
}

fn seats() -> String {
    collection("seats", "on_erasure: keep", &[KEY, "name: seat", &to_user("user_id", "right: none")])
}

#[test]
fn o_1_h_1_a_trigger_that_writes_where_new_rows_replace_others_runs_only_where_the_map_says_so() {
    for writes in ["INSERT INTO seats (seat, user_id) VALUES (3, NULL);", "UPDATE seats SET seat = 3 WHERE id = 2;"] {
        let script = format!("{PEOPLE} {SEATS} CREATE TRIGGER free AFTER DELETE ON orders BEGIN {writes} END;");
        let workspace = Workspace::sqlite(&script, &map(&[orders("on_erasure: delete", ""), seats(), users()]));
        let problem = refused(&workspace, "trigger_reaches_further");
        assert!(problem["hint"].as_str().unwrap().contains("triggers: [\"free\"]"), "{problem}");
        if writes.starts_with("INSERT") {
            assert!(problem["problem"].as_str().unwrap().contains("ON CONFLICT REPLACE"), "{problem}");
        }
    }
}

#[test]
fn o_1_h_1_no_value_is_written_where_it_would_replace_the_row_of_somebody_else() {
    let mask = |strategy: &str| format!(", fides_meta: {{masking_strategy_override: {{strategy: {strategy}}}}}");
    let script = format!("{PEOPLE} {SEATS}");
    for strategy in ["random_string_rewrite", "string_rewrite, configuration: {rewrite_value: his}"] {
        let workspace = Workspace::sqlite(&script, &map(&[orders("on_erasure: mask", &mask(strategy)), seats(), users()]));
        let problem = refused(&workspace, "mask_unique_column");
        assert!(problem.to_string().contains("null_rewrite"), "{problem}");
    }
    // NULL takes nobody's place.
    let workspace = Workspace::sqlite(&script, &map(&[orders("on_erasure: mask", &mask("null_rewrite")), seats(), users()]));
    erased_whole(&workspace);
    assert_eq!((workspace.database.count("orders"), workspace.database.count("orders WHERE code = 'his'")), (2, 1));
}

/// The application's own rule says no; the words may quote the row.
fn refusing(workspace: &Workspace) {
    workspace.database.script(match &workspace.database {
        Database::Sqlite(_) => {
            "CREATE TRIGGER keep_paid BEFORE DELETE ON orders WHEN OLD.id = 11 BEGIN SELECT RAISE(ABORT, 'ada@example.com has paid'); END;"
        }
        Database::Postgres(_) => {
            "CREATE FUNCTION keep_paid() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
               RAISE EXCEPTION 'ada@example.com has paid' USING ERRCODE = 'check_violation'; END $$;
             CREATE TRIGGER keep_paid BEFORE DELETE ON orders FOR EACH ROW WHEN (OLD.id = 11) EXECUTE FUNCTION keep_paid();"
        }
        Database::MariaDb { .. } => {
            "DELIMITER //\nCREATE TRIGGER keep_paid BEFORE DELETE ON orders FOR EACH ROW BEGIN IF OLD.id = 11 THEN
               SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'ada@example.com has paid'; END IF; END//"
        }
    });
}

#[test]
fn e_1_s_1_a_trigger_that_refuses_is_named_and_nobody_tries_again() {
    let script = format!(
        "{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER);
         INSERT INTO orders VALUES (10, 1), (11, 1), (12, 2);"
    );
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", "")]);
    for workspace in Workspace::on_each(&script, &map(&[orders, users()])) {
        refusing(&workspace);
        let before = workspace.database.dump();
        let said = erase_ada(&workspace).code(2);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{}", said.stderr);
        let done = said.json();
        assert_eq!((&done["status"], &done["certificate"]), (&json!("waiting_controller"), &Value::Null), "{done}");
        let why = done["reason"]["message"].as_str().expect("a reason");
        for word in ["source `app`", "`orders`", "`keep_paid`", "deleted"] {
            assert!(why.contains(word), "{word}: {why}");
        }
        assert!(done["reason"]["hint"].as_str().is_some_and(|hint| hint.contains("trigger")), "{done}");
        assert!(!format!("{done}{}", said.stderr).contains("has paid"), "the trigger's words may quote the row: {}", said.stderr);
        let ledger = Database::Sqlite(workspace.path("habeas.db"));
        assert_eq!((ledger.count("attempt"), ledger.count("job WHERE state = 'ready'")), (1, 0), "trying again cannot help");
        assert_eq!((complete_certificates(&workspace), ledger.count("permit WHERE outcome = 'committed'")), (0, 0));
        // Mended, the same request finishes.
        workspace.database.script(match &workspace.database {
            Database::Postgres(_) => "DROP TRIGGER keep_paid ON orders",
            _ => "DROP TRIGGER keep_paid",
        });
        let code = done["code"].as_str().expect("a code").to_owned();
        workspace.habeas(&format!("request retry {code} --by grace")).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
        assert_eq!((&done["status"], numbers(&workspace, "orders", "id")), (&json!("completed"), vec![12]), "{done}");
    }
}
