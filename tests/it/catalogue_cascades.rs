//! Foreign keys and what they do by themselves: whatever a database would delete, clear or refuse together with a person's rows is planned
//! for, or refuses the plan (O-1, H-1, P-1).

use std::time::Duration;

use habeas_data::args;
use habeas_data::db::{Db, PoolOptions};
use serde_json::json;

use super::support::catalogue::*;
use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::wait_for;
use super::support::workspace::Workspace;

const ACTIONS: [&str; 5] = ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT", "ON DELETE RESTRICT", ""];

/// Three levels below a person, each reference with the same action.
fn chain(action: &str) -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) {action});
         CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id) {action});
         CREATE TABLE remarks (id INTEGER PRIMARY KEY, line_id INTEGER REFERENCES lines (id) {action});
         INSERT INTO orders VALUES (10, 1), (11, 1), (12, 2);
         INSERT INTO lines VALUES (100, 10), (101, 10), (102, 11), (103, 12);
         INSERT INTO remarks VALUES (1000, 100), (1001, 102), (1002, 103);"
    )
}

fn orders(habeas: &str) -> String {
    collection("orders", habeas, &[KEY, &to_user("user_id", "")])
}

fn lines() -> String {
    collection("lines", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", "")])
}

fn remarks() -> String {
    collection("remarks", "on_erasure: delete", &[KEY, &refers("line_id", "lines.id", "")])
}

#[test]
fn a_chain_of_any_action_is_erased_from_its_end_and_counted() {
    for action in ACTIONS {
        for workspace in Workspace::on_both(&chain(action), &map(&[orders("on_erasure: delete"), lines(), remarks(), users()])) {
            let done = erased_whole(&workspace);
            for (table, affected, left) in [("orders", 2, vec![12]), ("lines", 3, vec![103]), ("remarks", 2, vec![1002])] {
                assert_eq!(item(&done, table)["affected"], affected, "{action}: {done}");
                assert_eq!(numbers(&workspace, table, "id"), left, "{action}");
            }
        }
    }
}

#[test]
fn o_1_a_cascade_into_a_table_that_the_map_does_not_mention_refuses_the_plan_at_any_depth() {
    for action in ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT"] {
        for workspace in Workspace::on_both(&chain(action), &map(&[orders("on_erasure: delete"), lines(), users()])) {
            let problem = refused(&workspace, "cascade_outside_plan");
            assert!(problem["subject"].as_str().unwrap().contains("remarks"), "{action}: {problem}");
            assert_eq!(workspace.database.count("remarks WHERE line_id IS NOT NULL"), 3);
        }
    }
    for action in ["ON DELETE RESTRICT", ""] {
        for workspace in Workspace::on_both(&chain(action), &map(&[orders("on_erasure: delete"), lines(), users()])) {
            refused(&workspace, "delete_blocked");
        }
    }
}

#[test]
fn o_1_a_cascade_into_rows_that_the_map_keeps_refuses_the_plan() {
    for workspace in
        Workspace::on_both(&chain("ON DELETE CASCADE"), &map(&[orders("on_erasure: keep"), lines(), remarks(), users()]))
    {
        refused(&workspace, "cascade_outside_plan");
        assert_eq!(numbers(&workspace, "orders", "id"), [10, 11, 12]);
    }
}

#[test]
fn o_1_a_cascade_into_rows_of_others_refuses_the_plan_until_the_map_unlinks_them() {
    let script = format!(
        "{PEOPLE} CREATE TABLE tasks (id INTEGER PRIMARY KEY, user_id INTEGER, helper_id INTEGER REFERENCES users (id) ON DELETE CASCADE);
         INSERT INTO tasks VALUES (1, 1, 2), (2, 2, 1), (3, 2, 3);"
    );
    let tasks =
        |helper: &str| collection("tasks", "on_erasure: delete", &[KEY, &to_user("user_id", ""), &to_user("helper_id", helper)]);
    for workspace in Workspace::on_both(&script, &map(&[tasks("right: accesses"), users()])) {
        let problem = refused(&workspace, "cascade_outside_plan");
        assert!(problem["hint"].as_str().unwrap().contains("unlink"), "the words to write: {problem}");
        workspace.write("datamap/app.yml", &map(&[tasks("right: accesses, on_erasure: unlink"), users()]));
        erased_whole(&workspace);
        assert_eq!(numbers(&workspace, "tasks", "id"), [2, 3]);
        assert_eq!(workspace.database.count("tasks WHERE id = 2 AND user_id = 2 AND helper_id IS NULL"), 1);
    }
}

#[test]
fn h_1_a_held_row_that_a_cascade_would_take_keeps_what_it_hangs_on() {
    let all = map(&[orders("on_erasure: delete"), lines(), remarks(), users()]);
    for action in ACTIONS {
        for workspace in Workspace::on_both(&chain(action), &all) {
            hold(&workspace, "M-1", &json!({"record": {"dataset": "app", "collection": "lines", "key": ["102"]}}));
            let done = erase_ada(&workspace).code(3).json();
            assert_eq!(numbers(&workspace, "lines", "id"), [102, 103], "{action}: {done}");
            assert_eq!(numbers(&workspace, "orders", "id"), [11, 12], "{action}: the order above it");
            assert_eq!(numbers(&workspace, "users", "id"), [1, 2, 3], "{action}: and the person above that");
            assert_eq!(workspace.database.count("lines WHERE id = 102 AND order_id = 11"), 1, "exactly as it was");
            assert_eq!(numbers(&workspace, "remarks", "id"), [1002], "what lies below is not held");
            assert_eq!(complete_certificates(&workspace), 0);
        }
    }
}

#[test]
fn o_1_a_row_that_comes_to_refer_while_she_is_erased_is_not_taken_along() {
    for action in ["ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT"] {
        let script = format!(
            "{PEOPLE}
             CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id) {action});
             CREATE TABLE gifts (id INTEGER PRIMARY KEY, user_id INTEGER, given_by INTEGER REFERENCES users (id) {action});
             INSERT INTO orders VALUES (10, 1), (12, 2);"
        );
        let gifts = collection(
            "gifts",
            "on_erasure: delete",
            &[KEY, &to_user("user_id", ""), &to_user("given_by", "right: accesses, on_erasure: unlink")],
        );
        let Some(workspace) = Workspace::postgres(&script, &map(&[gifts, orders("on_erasure: delete"), users()])) else { return };
        let Database::Postgres(url) = workspace.database.clone() else { unreachable!("it is PostgreSQL") };
        // Grace's gift names her in a transaction that nobody can see yet, and that ends while her row is about to go.
        let waits =
            || workspace.database.count("pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'") > 0;
        let said = wait_for(async {
            let db = Db::open(&url, PoolOptions::default()).await.unwrap();
            let mut session = db.session().await.unwrap();
            session.on().execute("BEGIN", args![]).await.unwrap();
            session.on().execute("INSERT INTO gifts VALUES (5, 2, 1)", args![]).await.unwrap();
            let call = workspace.habeas("run - --json --no-input").input(erasure_of(&ada()).to_string());
            let mut running = call.start();
            assert!(running.until(Duration::from_secs(60), waits), "{action}: it waits for whoever refers to the row");
            session.on().execute("COMMIT", args![]).await.unwrap();
            running.finish()
        });
        assert_ne!(said.code, Some(0), "{action}: {}", said.stdout);
        assert_eq!(workspace.database.count("gifts WHERE id = 5 AND user_id = 2 AND given_by = 1"), 1, "{action}: {}", said.stderr);
        assert_eq!(numbers(&workspace, "users", "id"), [1, 2, 3], "{action}: the row that it hangs on stays");
        assert_eq!(complete_certificates(&workspace), 0);
    }
}

#[test]
fn a_mask_on_a_column_that_others_refer_to_refuses_the_plan() {
    for action in ["ON UPDATE CASCADE", "ON UPDATE SET NULL", ""] {
        let script = format!(
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, handle TEXT UNIQUE);
             CREATE TABLE mentions (id INTEGER PRIMARY KEY, handle TEXT REFERENCES users (handle) {action});
             INSERT INTO users VALUES (1, 'ada@example.com', 'ada'), (2, 'grace@example.com', 'grace');
             INSERT INTO mentions VALUES (1, 'ada'), (2, 'grace');"
        );
        let mask = "masking_strategy_override: {strategy: random_string_rewrite}";
        let users = collection(
            "users",
            "on_erasure: mask",
            &[KEY_OF_USERS, "name: email, fides_meta: {identity: email}", &format!("name: handle, fides_meta: {{{mask}}}")],
        );
        let mentions = collection("mentions", "on_erasure: keep", &[KEY, &refers("handle", "users.handle", "right: accesses")]);
        for workspace in Workspace::on_both(&script, &map(&[mentions.clone(), users.clone()])) {
            let problem = refused(&workspace, "changes_referenced_column");
            assert!(problem["problem"].as_str().unwrap().contains("mentions"), "{action}: {problem}");
        }
    }
}

const COMMENTS: [&str; 3] = ["ON DELETE CASCADE", "ON DELETE RESTRICT", "ON DELETE SET NULL"];

fn comments(action: &str, rows: &str) -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE comments (id INTEGER PRIMARY KEY, user_id INTEGER, parent_id INTEGER REFERENCES comments (id) {action});
         INSERT INTO comments VALUES {rows};"
    )
}

fn comment_map(parent: &str) -> String {
    let parent = if parent.is_empty() { "name: parent_id".to_owned() } else { refers("parent_id", "comments.id", parent) };
    map(&[collection("comments", "on_erasure: delete", &[KEY, &to_user("user_id", ""), &parent]), users()])
}

#[test]
fn her_own_nested_comments_are_erased_though_the_table_acts_on_itself() {
    // Parents with smaller and with larger keys than their children: SQLite goes by the key.
    let rows = "(1, 1, NULL), (2, 1, 1), (3, 1, 2), (9, 1, NULL), (8, 1, 9), (7, 1, 8), (5, 1, 5), (6, 2, NULL)";
    for action in COMMENTS {
        for workspace in Workspace::on_both(&comments(action, rows), &comment_map("right: none")) {
            if action != "ON DELETE RESTRICT" {
                // A cascade over an edge that gives nothing is refused as it stands; the map has to say what becomes of replies.
                refused(&workspace, "cascade_outside_plan");
                workspace.write("datamap/app.yml", &comment_map("right: accesses, on_erasure: unlink"));
            }
            let done = erased_whole(&workspace);
            assert_eq!(numbers(&workspace, "comments", "id"), [6], "{action}: {done}");
            assert_eq!(item(&done, "comments")["affected"], 7, "{action}: each counted once");
        }
    }
}

#[test]
fn o_1_replies_of_others_survive_a_cascade_of_the_table_onto_itself() {
    let rows = "(1, 1, NULL), (2, 2, 1), (3, 1, 2), (4, 2, 3)";
    for action in COMMENTS {
        for workspace in Workspace::on_both(&comments(action, rows), &comment_map("right: accesses, on_erasure: unlink")) {
            let done = erased_whole(&workspace);
            assert_eq!(numbers(&workspace, "comments", "id"), [2, 4], "{action}: {done}");
            assert_eq!(workspace.database.count("comments WHERE parent_id IS NULL AND user_id = 2"), 2, "{action}");
        }
    }
}

#[test]
fn rows_that_refer_to_each_other_in_a_circle_are_cut_loose_first() {
    let rows = "(1, 1, NULL), (2, 1, 1), (6, 2, NULL)";
    for action in ["", "ON DELETE RESTRICT"] {
        let script = format!("{} UPDATE comments SET parent_id = 2 WHERE id = 1;", comments(action, rows));
        for workspace in Workspace::on_both(&script, &comment_map("right: none")) {
            erased_whole(&workspace);
            assert_eq!(numbers(&workspace, "comments", "id"), [6], "{action}");
        }
    }
}

/// People and projects that name each other; neither may be NULL.
fn circle(deferrable: &str) -> [String; 2] {
    let users = |reference: &str| {
        format!("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT, project_id INTEGER NOT NULL {reference});")
    };
    let projects =
        format!("CREATE TABLE projects (id INTEGER PRIMARY KEY, owner_id INTEGER NOT NULL REFERENCES users (id) {deferrable});");
    let rows = "INSERT INTO users VALUES (1, 'ada@example.com', 10), (2, 'grace@example.com', 20);
                INSERT INTO projects VALUES (10, 1), (11, 1), (20, 2);";
    let sqlite =
        format!("PRAGMA foreign_keys = OFF; {} {projects} {rows}", users(&format!("REFERENCES projects (id) {deferrable}")));
    let postgres = format!(
        "{} {projects} BEGIN; SET CONSTRAINTS ALL DEFERRED; ALTER TABLE projects DISABLE TRIGGER ALL; {rows}
         ALTER TABLE projects ENABLE TRIGGER ALL; COMMIT; ALTER TABLE users ADD FOREIGN KEY (project_id) REFERENCES projects (id) {deferrable};",
        users("")
    );
    [sqlite, postgres]
}

fn circle_map() -> String {
    let users = collection(
        "users",
        "on_erasure: delete",
        &[KEY_OF_USERS, "name: email, fides_meta: {identity: email}", &refers("project_id", "projects.id", "right: none")],
    );
    map(&[collection("projects", "on_erasure: delete", &[KEY, &to_user("owner_id", "")]), users])
}

#[test]
fn a_circle_of_deferrable_references_is_erased_in_one_transaction() {
    let [sqlite, postgres] = circle("DEFERRABLE");
    let both = [Some(Workspace::sqlite(&sqlite, &circle_map())), Workspace::postgres(&postgres, &circle_map())];
    for workspace in both.into_iter().flatten() {
        // Smaller than the circle, which is never split.
        configure(&workspace, "limits: {batch_rows: 1}");
        erased_whole(&workspace);
        assert_eq!(numbers(&workspace, "users", "id"), [2]);
        assert_eq!(numbers(&workspace, "projects", "id"), [20]);
    }
}

#[test]
fn a_circle_that_neither_null_nor_deferring_opens_refuses_the_plan() {
    let [sqlite, _] = circle("ON DELETE RESTRICT");
    let [_, postgres] = circle("");
    let both = [Some(Workspace::sqlite(&sqlite, &circle_map())), Workspace::postgres(&postgres, &circle_map())];
    for workspace in both.into_iter().flatten() {
        let problem = refused(&workspace, "delete_order_impossible");
        assert!(problem["hint"].as_str().unwrap().contains("null"), "{problem}");
    }
}

#[test]
fn e_1_what_fails_only_at_the_commit_leaves_nothing_done_and_says_so() {
    let script = |late: &str| format!("{} {late}", chain("ON DELETE CASCADE"));
    let all = map(&[orders("on_erasure: delete"), lines(), remarks(), users()]);
    // A row that a trigger writes and that points nowhere: the reference is checked at the end.
    let sqlite = script(
        "CREATE TABLE traces (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES lines (id) DEFERRABLE INITIALLY DEFERRED);
         CREATE TRIGGER trace AFTER DELETE ON orders BEGIN INSERT INTO traces (order_id) VALUES (-1); END;",
    );
    let postgres = script(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''not today''; END';
         CREATE CONSTRAINT TRIGGER late AFTER DELETE ON orders DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();",
    );
    let traces = collection("traces", "on_erasure: keep", &[KEY, &refers("order_id", "lines.id", "right: none")]);
    let with_traces = map(&[orders("on_erasure: delete"), lines(), remarks(), users(), traces]);
    let both = [Some(Workspace::sqlite(&sqlite, &with_traces)), Workspace::postgres(&postgres, &all)];
    for workspace in both.into_iter().flatten() {
        let before = workspace.database.dump();
        // A reference may be right a moment later; what a trigger refuses in its own words is for people.
        let said = erase_ada(&workspace).code(if matches!(workspace.database, Database::Sqlite(_)) { 1 } else { 2 });
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{}", said.stderr);
        let ledger = Database::Sqlite(workspace.path("habeas.db"));
        assert_eq!(ledger.count("permit WHERE outcome = 'committed'"), 0);
        assert_eq!(ledger.count("permit WHERE outcome IS NULL OR outcome = 'unknown'"), 0, "E-2: the source has answered");
        assert_eq!(ledger.count("certificate"), 0, "{}", said.stderr);
    }
}

#[test]
fn o_1_a_cascade_over_several_columns_is_followed_by_all_of_them() {
    let script = "CREATE TABLE accounts (tenant INTEGER, id INTEGER, email TEXT, PRIMARY KEY (tenant, id));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, tenant INTEGER, account_id INTEGER,
                            FOREIGN KEY (tenant, account_id) REFERENCES accounts (tenant, id) ON DELETE CASCADE);
        INSERT INTO accounts VALUES (1, 5, 'ada@example.com'), (2, 5, 'grace@example.com');
        INSERT INTO posts VALUES (1, 1, 5), (2, 2, 5), (3, 1, NULL);";
    let accounts = collection(
        "accounts",
        "on_erasure: delete",
        &["name: tenant, fides_meta: {primary_key: true}", KEY, "name: email, fides_meta: {identity: email}"],
    );
    let posts = |edge: &str| {
        collection(
            "posts",
            "on_erasure: delete",
            &[
                KEY,
                &refers("tenant", "accounts.tenant", &format!("edge: author, {edge}")),
                &refers("account_id", "accounts.id", &format!("edge: author, {edge}")),
            ],
        )
    };
    for workspace in Workspace::on_both(script, &map(&[accounts.clone(), posts("right: none")])) {
        refused(&workspace, "cascade_outside_plan");
        workspace.write("datamap/app.yml", &map(&[accounts.clone(), posts("right: owns")]));
        erased_whole(&workspace);
        assert_eq!(numbers(&workspace, "posts", "id"), [2, 3], "another tenant, and nobody");
    }
}

#[test]
fn o_1_sqlite_follows_a_reference_by_the_collation_of_the_parent() {
    let script = "CREATE TABLE users (handle TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, email TEXT);
        CREATE TABLE badges (id INTEGER PRIMARY KEY, handle TEXT REFERENCES users (handle) ON DELETE CASCADE);
        INSERT INTO users VALUES ('ada', 'ada@example.com'), ('grace', 'grace@example.com');
        INSERT INTO badges VALUES (1, 'ada'), (2, 'ADA'), (3, 'grace');";
    let users = collection(
        "users",
        "on_erasure: delete",
        &["name: handle, fides_meta: {primary_key: true}", "name: email, fides_meta: {identity: email}"],
    );
    let badges = collection("badges", "on_erasure: delete", &[KEY, &refers("handle", "users.handle", "")]);
    // I-1 says that `ADA` is somebody else; the cascade says that it goes with `ada`.
    let workspace = Workspace::sqlite(script, &map(&[badges, users]));
    refused(&workspace, "cascade_outside_plan");
}
