//! Triggers and rules: what swallows a deletion, reaches further than the plan, rewrites or copies a row is said before anything is touched,
//! or undone with the batch, or found by the search (E-1, O-1, H-1, V-1).

use serde_json::json;

use super::support::catalogue::*;
use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script(more: &str) -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER, note TEXT);
         CREATE TABLE history (id INTEGER PRIMARY KEY, order_id INTEGER, note TEXT);
         CREATE TABLE stock (id INTEGER PRIMARY KEY, amount INTEGER);
         INSERT INTO orders VALUES (10, 1, 5, 'for ada@example.com'), (11, 1, 50, NULL), (13, 2, 5, NULL);
         INSERT INTO stock VALUES (1, 7);
         {more}"
    )
}

fn orders(habeas: &str) -> String {
    collection("orders", habeas, &[KEY, &to_user("user_id", ""), "name: total", "name: note"])
}

fn masked_orders() -> String {
    let mask = "fides_meta: {masking_strategy_override: {strategy: null_rewrite}}";
    collection("orders", "on_erasure: mask", &[KEY, &to_user("user_id", ""), "name: total", &format!("name: note, {mask}")])
}

/// A trigger on `orders`; `when` and the statements are SQLite's, the body PostgreSQL's.
fn trigger(workspace: &Workspace, name: &str, timing: &str, when: &str, sqlite: &str, body: &str) {
    workspace.database.script(&match &workspace.database {
        Database::Sqlite(_) => format!("CREATE TRIGGER {name} {timing} ON orders {when} BEGIN {sqlite} END;"),
        Database::Postgres(_) => format!(
            "CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {body} END $$;
             CREATE TRIGGER {name} {timing} ON orders FOR EACH ROW {when} EXECUTE FUNCTION {name}();"
        ),
        Database::MariaDb { .. } => unreachable!("its triggers are written otherwise"),
    });
}

#[test]
fn e_1_a_trigger_that_swallows_every_deletion_refuses_the_plan() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        trigger(&workspace, "swallow", "BEFORE DELETE", "", "SELECT RAISE(IGNORE);", "RETURN NULL;");
        let problem = refused(&workspace, "swallowed_by_trigger");
        assert!(problem["hint"].as_str().unwrap().contains("TRIGGER swallow"), "what to run: {problem}");
        let said = workspace.habeas("map check").run().code(2);
        assert!(said.stdout.contains("swallowed_by_trigger"), "{}", said.stdout);
    }
}

#[test]
fn e_1_a_soft_delete_refuses_the_plan() {
    let Some(workspace) =
        Workspace::postgres(&script("ALTER TABLE orders ADD gone boolean"), &map(&[orders("on_erasure: delete"), users()]))
    else {
        return;
    };
    let soft = "UPDATE orders SET gone = true WHERE id = OLD.id; RETURN NULL;";
    trigger(&workspace, "soft_delete", "BEFORE DELETE", "", "", soft);
    refused(&workspace, "swallowed_by_trigger");
    // A function that returns NEW, which is no row while one is deleted, swallows as well: a usual slip.
    workspace
        .database
        .script("CREATE OR REPLACE FUNCTION soft_delete() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
    refused(&workspace, "swallowed_by_trigger");
    workspace.database.script("ALTER TABLE orders DISABLE TRIGGER soft_delete");
    erased_whole(&workspace);
}

#[test]
fn e_1_a_trigger_that_swallows_some_rows_is_a_warning_and_then_rolls_back() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        trigger(&workspace, "swallow", "BEFORE DELETE", "WHEN (OLD.id = 11)", "SELECT RAISE(IGNORE);", "RETURN NULL;");
        let told = warnings(&plan_of_ada(&workspace));
        assert!(told.contains("swallow") && told.contains("may swallow the statement"), "{told}");
        let before = workspace.database.dump();
        erase_ada(&workspace).code(1);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
        assert_eq!(complete_certificates(&workspace), 0);
    }
}

#[test]
fn e_1_a_trigger_that_puts_a_deleted_row_back_is_undone_with_its_batch() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        let back = "INSERT INTO orders (id, user_id) VALUES (OLD.id, OLD.user_id);";
        trigger(&workspace, "undo", "AFTER DELETE", "WHEN (OLD.id = 11)", back, &format!("{back} RETURN NULL;"));
        let before = workspace.database.dump();
        let said = erase_ada(&workspace).code(1);
        assert!(said.stderr.contains("puts them back"), "{}", said.stderr);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn e_1_a_trigger_that_takes_a_mask_back_is_undone_with_its_batch() {
    for workspace in Workspace::on_both(&script(""), &map(&[masked_orders(), users()])) {
        let back = "UPDATE orders SET note = OLD.note WHERE id = OLD.id AND note IS NOT OLD.note;";
        match &workspace.database {
            Database::Sqlite(_) => trigger(&workspace, "undo", "AFTER UPDATE", "", back, ""),
            Database::Postgres(_) => trigger(&workspace, "undo", "BEFORE UPDATE", "", "", "NEW.note := OLD.note; RETURN NEW;"),
            Database::MariaDb { .. } => unreachable!("its triggers are written otherwise"),
        }
        let told = warnings(&plan_of_ada(&workspace));
        assert!(told.contains("undo") && told.contains("changes what is written"), "{told}");
        let before = workspace.database.dump();
        let said = erase_ada(&workspace).code(1);
        assert!(said.stderr.contains("puts them back"), "{}", said.stderr);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
        assert_eq!(complete_certificates(&workspace), 0);
    }
}

#[test]
fn v_1_what_a_trigger_copies_is_told_by_the_plan_and_found_as_residue() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        let copy = "INSERT INTO history (order_id, note) VALUES (OLD.id, OLD.note);";
        let body = "INSERT INTO history VALUES (OLD.id, OLD.id, OLD.note); RETURN NULL;";
        trigger(&workspace, "keep_history", "AFTER DELETE", "", copy, body);
        let told = warnings(&plan_of_ada(&workspace));
        assert!(told.contains("keep_history") && told.contains("writes rows into `history`"), "{told}");
        let done = erase_ada(&workspace).code(3).json();
        let residue = done["residue"].to_string();
        assert!(residue.contains("history.note"), "{done}");
        assert_eq!(done["certificate"]["outcome"], "partial");
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

#[test]
fn o_1_a_trigger_that_reaches_other_rows_runs_only_where_the_map_says_so() {
    for (sqlite, body) in [
        ("UPDATE stock SET amount = amount + 1;", "UPDATE stock SET amount = amount + 1; RETURN OLD;"),
        ("DELETE FROM stock;", "DELETE FROM stock; RETURN OLD;"),
        ("DELETE FROM orders WHERE total = OLD.total;", "DELETE FROM orders WHERE total = OLD.total; RETURN OLD;"),
    ] {
        for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
            trigger(&workspace, "give_back", "AFTER DELETE", "", sqlite, body);
            let problem = refused(&workspace, "trigger_reaches_further");
            assert!(problem["hint"].as_str().unwrap().contains("triggers: [\"give_back\"]"), "the words to write: {problem}");
            if sqlite.contains("UPDATE") {
                workspace.write("datamap/app.yml", &map(&[orders("on_erasure: delete, triggers: [give_back]"), users()]));
                let told = warnings(&plan_of_ada(&workspace));
                assert!(told.contains("which the map accepts"), "{told}");
                erased_whole(&workspace);
                assert_eq!(workspace.database.count("stock WHERE amount = 9"), 1, "it ran for two rows");
            }
        }
    }
}

#[test]
fn o_1_h_1_a_trigger_whose_new_row_takes_the_place_of_another_refuses_the_plan() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        let upsert = "INSERT INTO stock VALUES (1, 0) ON CONFLICT (id) DO UPDATE SET amount = 0; RETURN OLD;";
        trigger(&workspace, "put_back", "AFTER DELETE", "", "INSERT OR REPLACE INTO stock VALUES (1, 0);", upsert);
        refused(&workspace, "trigger_reaches_further");
    }
}

#[test]
fn o_1_h_1_a_trigger_that_sets_off_another_refuses_the_plan() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        let copy = "INSERT INTO history (order_id) VALUES (OLD.id);";
        trigger(&workspace, "remember", "AFTER DELETE", "", copy, &format!("{copy} RETURN OLD;"));
        assert!(warnings(&plan_of_ada(&workspace)).contains("history"));
        workspace.database.script(match &workspace.database {
            Database::Postgres(_) => {
                "CREATE FUNCTION take() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM stock; RETURN NULL; END';
                 CREATE TRIGGER take AFTER INSERT ON history FOR EACH ROW EXECUTE FUNCTION take();"
            }
            _ => "CREATE TRIGGER take AFTER INSERT ON history BEGIN DELETE FROM stock; END;",
        });
        let problem = refused(&workspace, "trigger_reaches_further");
        assert!(problem["problem"].as_str().unwrap().contains("triggers of its own"), "{problem}");
        assert_eq!(workspace.database.count("stock"), 1);
    }
}

#[test]
fn a_trigger_whose_text_does_not_tell_what_it_does_runs_only_where_the_map_says_so() {
    let Some(workspace) = Workspace::postgres(&script(""), &map(&[orders("on_erasure: delete"), users()])) else { return };
    trigger(&workspace, "hidden", "AFTER DELETE", "", "", "EXECUTE 'DELETE FROM ' || 'stock'; RETURN NULL;");
    refused(&workspace, "trigger_reaches_further");
    workspace.database.script(
        "CREATE FUNCTION clean() RETURNS void LANGUAGE sql AS 'DELETE FROM stock';
         CREATE OR REPLACE FUNCTION hidden() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM clean(); RETURN NULL; END'",
    );
    refused(&workspace, "trigger_reaches_further");
    workspace.database.script(
        "CREATE OR REPLACE FUNCTION hidden() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_notify(''a'', ''b''); RETURN NULL; END'",
    );
    erased_whole(&workspace);
}

#[test]
fn a_trigger_on_insert_or_on_another_table_is_nobodys_business() {
    for workspace in Workspace::on_both(&script(""), &map(&[orders("on_erasure: delete"), users()])) {
        trigger(
            &workspace,
            "count_up",
            "AFTER INSERT",
            "",
            "UPDATE stock SET amount = 0;",
            "UPDATE stock SET amount = 0; RETURN NULL;",
        );
        assert_eq!(warnings(&plan_of_ada(&workspace)), "");
        erased_whole(&workspace);
    }
}

#[test]
fn rules_of_postgres_are_read_like_triggers() {
    let all = map(&[orders("on_erasure: delete"), users()]);
    let rule = |text: &str| Workspace::postgres(&script(&format!("CREATE RULE r AS ON DELETE TO orders {text};")), &all);
    let Some(nothing) = rule("DO INSTEAD NOTHING") else { return };
    let problem = refused(&nothing, "swallowed_by_trigger");
    assert!(problem["hint"].as_str().unwrap().contains("DISABLE RULE r"), "{problem}");
    let Some(soft) = rule("DO INSTEAD UPDATE orders SET note = 'gone' WHERE id = old.id") else { return };
    refused(&soft, "swallowed_by_trigger");
    let Some(some) = rule("WHERE old.id = 11 DO INSTEAD NOTHING") else { return };
    assert!(warnings(&plan_of_ada(&some)).contains("may swallow"), "{}", warnings(&plan_of_ada(&some)));
    let before = some.database.dump();
    erase_ada(&some).code(1);
    assert_eq!(difference(&before, &some.database.dump()), json!({}));
    let Some(further) = rule("DO ALSO DELETE FROM stock") else { return };
    refused(&further, "trigger_reaches_further");
    let Some(copies) = rule("DO ALSO INSERT INTO history VALUES (old.id, old.id, old.note)") else { return };
    assert!(warnings(&plan_of_ada(&copies)).contains("writes rows into `history`"));
    let done = erase_ada(&copies).code(3).json();
    assert!(done["residue"].to_string().contains("history.note"), "{done}");
}
