//! `hold`: placing is immediate, letting go takes two people and time, and a release queues again what the hold had kept open.

use std::time::Duration;

use serde_json::{Value, json};

use super::support::database::Database;
use super::support::laws::{KEY, PEOPLE, collection, erase_ada, map, numbers, refers, to_user, users};
use super::support::sqlite;
use super::support::workspace::Workspace;

const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL);
                      CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users (id), total INTEGER);
                      INSERT INTO users VALUES (1, 'ada@example.com'), (2, 'grace@example.com');
                      INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (12, 2, NULL);";
const MAP: &str = "dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true, identity: user_id}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}, habeas: {normal_form: ascii_lower}}
      - name: orders
        habeas: {on_erasure: delete}
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - {name: user_id, data_categories: [user.unique_id], fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}
          - {name: total, data_categories: [user.financial]}
";

fn hold(scope: &Value) -> String {
    json!({"matter": "M-2026-7", "reason": "litigation", "scope": scope, "review_on": "2027-01-01"}).to_string()
}

fn place(workspace: &Workspace, scope: &Value) -> Value {
    workspace.habeas("hold place - --by grace --json").input(hold(scope)).run().code(0).json()
}

fn grace_days(workspace: &Workspace, days: u8) {
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).expect("it can be read");
    workspace.write("habeas.yaml", &format!("{config}holds: {{grace_days: {days}}}\n"));
}

fn counts(document: &Value) -> Vec<(String, u64)> {
    let covers = document["covers"].as_array().expect("a list").iter();
    covers
        .map(|place| (place["collection"].as_str().expect("text").to_owned(), place["count"].as_u64().expect("a number")))
        .collect()
}

#[test]
fn h_2_a_hold_on_a_person_is_active_and_says_what_it_keeps() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        let placed = place(&workspace, &json!({"subject": {"email": "Ada@Example.com"}}));
        assert_eq!((&placed["state"], &placed["matter"], &placed["kept"]), (&json!("active"), &json!("M-2026-7"), &json!(3)));
        assert_eq!(counts(&placed), [("orders".to_owned(), 2), ("users".to_owned(), 1)]);
        assert_eq!((&placed["already_erased"], &placed["warnings"]), (&json!(0), &json!([])));

        let shown = workspace.habeas(&format!("hold show {}", placed["hold_id"].as_str().unwrap())).run().code(0);
        assert!(shown.stdout.contains("M-2026-7") && !shown.stdout.to_lowercase().contains("ada@"), "S-1: {}", shown.stdout);
        let list = workspace.habeas("hold list --json").run().code(0).json();
        assert_eq!((list.as_array().unwrap().len(), &list[0]["placed"]["by"]), (1, &json!("grace")));
        let journal = workspace.habeas("journal show --json").run().code(0).json();
        let kinds: Vec<&str> = journal.as_array().unwrap().iter().map(|entry| entry["event"]["kind"].as_str().unwrap()).collect();
        assert_eq!(kinds, ["hold_placed", "hold_active"]);
        assert_eq!(journal[0]["event"]["hold_id"], placed["hold_id"]);
    }
}

#[test]
fn h_2_placing_waits_for_what_had_begun_and_says_what_is_gone() {
    let workspace = Workspace::sqlite(SCHEMA, MAP);
    workspace.habeas("hold list").run().code(0);
    let ledger = workspace.path("habeas.db");
    sqlite::script(
        &ledger,
        "INSERT INTO permit (id, request_id, job_id, attempt, hold_epoch, hold_digest, source, batch_no, record_count, digest, opened_at, deadline)
             VALUES ('p', 'r', 'j', 1, 0, 'sha256:00', 'app', 0, 5, 'sha256:00', 0, 9000000000000000)",
    );
    let mut placing = workspace.habeas("hold place - --by grace --json").input(hold(&json!({"everything": {}}))).start();
    let database = Database::Sqlite(ledger.clone());
    assert!(placing.until(Duration::from_secs(30), || database.count("hold WHERE state = 'placing'") == 1));
    assert!(!placing.until(Duration::from_millis(300), || database.count("hold WHERE state = 'active'") == 1), "it waits");
    let now = "CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER)";
    let close = format!("UPDATE permit SET closed_at = {now}, outcome = 'committed', affected = 3, already_absent = 1, held = 1");
    sqlite::script(&ledger, &close);
    let placed = placing.finish().code(0).json();
    assert_eq!((&placed["state"], &placed["already_erased"]), (&json!("active"), &json!(3)));
    assert_eq!((&placed["in_flight"][0]["records"], &placed["in_flight"][0]["erased"]), (&json!(5), &json!(3)));
}

#[test]
fn h_1_a_hold_is_placed_under_the_names_that_the_sources_know() {
    let workspace = Workspace::sqlite(SCHEMA, MAP);
    place(&workspace, &json!({"subject": {"email": "ada@example.com"}}));
    let aliases = Database::Sqlite(workspace.path("habeas.db")).count("hold_alias");
    assert_eq!(aliases, 2, "the address, and the id found beside it");
}

#[test]
fn a_preview_counts_every_kind_of_scope_and_places_nothing() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        for (scope, expected) in [
            (json!({"subject": {"user_id": "1"}}), 3),
            (json!({"record": {"dataset": "app", "collection": "orders", "key": ["11"]}}), 1),
            (json!({"record": {"dataset": "app", "collection": "orders", "key": ["99"]}}), 0),
            (json!({"collection": {"dataset": "app", "collection": "orders"}}), 3),
            (json!({"predicate": {"dataset": "app", "collection": "orders", "where": {"total": {"gt": 10}}}}), 2),
            (json!({"everything": {}}), 5),
        ] {
            let said = workspace.habeas("hold preview - --json").input(hold(&scope)).run().code(0).json();
            assert_eq!(said["would_keep"], expected, "{scope}");
        }
        let empty = workspace.habeas("hold list --json").run().code(0).json();
        assert_eq!(empty, json!([]));
    }
}

#[test]
fn a_hold_that_would_keep_nothing_is_refused() {
    let workspace = Workspace::sqlite(SCHEMA, MAP);
    for scope in [
        json!({"collection": {"dataset": "app", "collection": "order"}}),
        json!({"collection": {"dataset": "shop", "collection": "orders"}}),
        json!({"predicate": {"dataset": "app", "collection": "orders", "where": {"totl": {"gt": 10}}}}),
        json!({"subject": {"phone": "+43 1"}}),
        json!({"record": {"dataset": "app", "collection": "orders", "key": ["1", "2"]}}),
    ] {
        for verb in ["place", "preview"] {
            let by = if verb == "place" { "--by grace" } else { "" };
            let said = workspace.habeas(&format!("hold {verb} - {by}")).input(hold(&scope)).run().code(2);
            assert!(said.stderr.contains("hint:"), "{}", said.stderr);
        }
    }
    let said = workspace.habeas("hold place - --by grace").input("{\"matter\": \"M-1\",\n \"reson\": \"audit\"}").run().code(2);
    assert!(said.stderr.contains("standard input: line 2") && said.stderr.contains("unknown field `reson`"), "{}", said.stderr);
    workspace.habeas("hold place none.json --by grace").run().code(2);
    for verb in ["show", "release --by a", "keep --by a"] {
        workspace.habeas(&format!("hold {verb} 0000000000")).run().code(7);
    }
    assert_eq!(workspace.habeas("hold list --all --json").run().code(0).json(), json!([]));
}

#[test]
fn h_1_a_source_that_is_not_reached_delays_no_hold() {
    let workspace = Workspace::sqlite(SCHEMA, MAP);
    std::fs::rename(workspace.path("app.db"), workspace.path("away.db")).unwrap();
    let placed = place(&workspace, &json!({"subject": {"email": "ada@example.com"}}));
    assert_eq!(placed["state"], "active");
    assert!(placed["warnings"][0].as_str().unwrap().contains("source `app` was not reached"), "{placed}");
    assert_eq!(placed["covers"][0]["count"], Value::Null, "not counted is not zero (V-2)");
    workspace.habeas("hold preview -").input(hold(&json!({"everything": {}}))).run().code(3);
}

#[test]
fn letting_go_takes_two_people_and_the_grace() {
    let workspace = Workspace::sqlite(SCHEMA, MAP);
    let id = place(&workspace, &json!({"everything": {}}))["hold_id"].as_str().unwrap().to_owned();
    let release = |by: &str| workspace.habeas(&format!("hold release {id} --by {by} --json")).run();
    let asked = release("grace").code(0).json();
    assert_eq!((&asked["state"], &asked["release_requested"]["by"]), (&json!("active"), &json!("grace")));
    let said = release("GRACE").code(6);
    assert!(said.stderr.contains("two people"), "{}", said.stderr);
    let agreed = release("linus").code(0).json();
    assert_eq!(agreed["state"], "releasing");
    assert!(agreed["release_at"].is_string());
    let said = release("hedy").code(9);
    assert!(said.stderr.contains("lasts until"), "{}", said.stderr);
    let kept = workspace.habeas(&format!("hold keep {id} --by hedy --json")).run().code(0).json();
    assert_eq!((&kept["state"], &kept["release_requested"]), (&json!("active"), &Value::Null));
    workspace.habeas(&format!("hold keep {id} --by hedy")).run().code(6);
}

#[test]
fn a_release_queues_what_the_hold_had_kept_open_and_nothing_else() {
    let workspace = Workspace::sqlite(SCHEMA, MAP);
    grace_days(&workspace, 0);
    let ledger = workspace.path("habeas.db");
    let id = place(&workspace, &json!({"subject": {"email": "ada@example.com"}}))["hold_id"].as_str().unwrap().to_owned();
    workspace.write(
        "jobs/two.jsonl",
        "{\"kind\": \"erasure\", \"subject\": {\"email\": \"ada@example.com\"}}\n{\"kind\": \"erasure\", \"subject\": {\"user_id\": 2}}\n",
    );
    let ids = workspace.habeas("submit jobs/two.jsonl").run().code(0).stdout;
    for (request, ground) in ids.lines().zip(["hold", "art17_3_b"]) {
        let result = json!({"items": [{"retained": [{"count": 1, "ground": ground, "ref": "M-2026-7"}]}]});
        let sql = format!(
            "UPDATE request SET status = 'partial', result = '{result}' WHERE id = '{request}';
             UPDATE job SET state = 'done', finished_at = 0 WHERE request_id = '{request}'"
        );
        sqlite::script(&ledger, &sql);
    }
    workspace.habeas(&format!("hold release {id} --by grace")).run().code(0);
    assert_eq!(Database::Sqlite(ledger.clone()).count("job WHERE state = 'ready'"), 0, "one person lets nothing go");
    let released = workspace.habeas(&format!("hold release {id} --by linus --json")).run().code(0).json();
    assert_eq!(released["state"], "released");
    let statuses: Vec<Value> = ids
        .lines()
        .map(|request| workspace.habeas(&format!("request show {request} --json")).run().code(0).json()["status"].clone())
        .collect();
    assert_eq!(statuses, ["queued", "partial"]);
    assert_eq!(Database::Sqlite(ledger).count("job WHERE state = 'ready'"), 1);
    let journal = workspace.habeas("journal show --json").run().code(0).json();
    let kinds: Vec<&str> = journal.as_array().unwrap().iter().map(|entry| entry["event"]["kind"].as_str().unwrap()).collect();
    let tail = ["hold_release_requested", "hold_release_approved", "hold_released", "request_status_changed"];
    assert_eq!(kinds[kinds.len() - 4..], tail);
}

#[test]
fn the_hold_of_the_reference_deployment_can_be_placed() {
    let demo = Workspace::demo();
    let before = demo.database.dump();
    let placed = demo.habeas("hold place holds/dispute.json --by grace --json").run().code(0).json();
    assert!(placed["kept"].as_u64().unwrap() > 390, "{placed}");
    assert_eq!(before, demo.database.dump(), "placing reads, and writes nothing into a source");
}

#[test]
fn v_1_a_held_erasure_is_partial_until_its_hold_is_released_and_then_complete() {
    for workspace in Workspace::on_each(SCHEMA, MAP) {
        grace_days(&workspace, 0);
        let scope = json!({"record": {"dataset": "app", "collection": "orders", "key": ["10"]}});
        let id = place(&workspace, &scope)["hold_id"].as_str().unwrap().to_owned();
        let job = json!({"kind": "erasure", "subject": {"email": "ada@example.com"}, "approval": "none"});
        let request = workspace.habeas("submit -").input(job.to_string()).run().code(0).stdout.trim().to_owned();
        let show = || workspace.habeas(&format!("request show {request} --json")).run().code(0).json();
        workspace.habeas("worker --once").run().code(0);
        let held = show();
        assert_eq!(held["status"], "partial", "{held}");
        assert!(held.to_string().contains("M-2026-7"), "the matter is named: {held}");
        assert_eq!(workspace.database.count("orders WHERE id = 10"), 1, "H-1");
        assert_eq!(workspace.database.count("orders WHERE id = 11"), 0);
        workspace.habeas(&format!("request watch {request}")).run().code(3);

        workspace.habeas(&format!("hold release {id} --by grace")).run().code(0);
        workspace.habeas(&format!("hold release {id} --by linus")).run().code(0);
        workspace.habeas("worker --once").run().code(0);
        let done = show();
        assert_eq!(done["status"], "completed", "{done}");
        assert_eq!(workspace.database.count("orders WHERE user_id = 1"), 0);
        assert_eq!(workspace.database.count("users"), 1, "O-1: the other person is still there");
        workspace.habeas("journal verify").run().code(0);
        workspace.habeas("doctor").run().code(0);

        let folder = done["certificate"]["path"].as_str().unwrap();
        let said = workspace.habeas(&format!("certificate verify {folder} --key keys/signing.pub --json")).run().code(0).json();
        assert_eq!((&said["valid"], &said["key_was_pinned"]), (&json!(true), &json!(true)));
        let document = workspace.path(folder).join("certificate.json");
        let text = std::fs::read_to_string(&document).unwrap();
        std::fs::write(&document, text.replacen("complete", "c0mplete", 1)).unwrap();
        let said = workspace.habeas(&format!("certificate verify {}", document.display())).run().code(4);
        assert!(said.stdout.contains("signature"), "{}", said.stdout);
    }
}

/// The lines of a held invoice are not held with it: preview and placing say so, with the scope that keeps them.
#[test]
fn h_1_what_lies_below_a_held_record_and_is_not_covered_is_counted_and_the_scope_that_covers_it_works() {
    let script = format!(
        "{PEOPLE} CREATE TABLE invoices (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         CREATE TABLE entries (id INTEGER PRIMARY KEY, invoice_id INTEGER, what TEXT);
         CREATE TABLE remarks (id INTEGER PRIMARY KEY, entry_id INTEGER);
         INSERT INTO invoices VALUES (10, 1, 5), (11, 1, 6), (20, 2, 7);
         INSERT INTO entries VALUES (100, 10, 'a'), (101, 10, 'b'), (110, 11, 'c'), (200, 20, 'd');
         INSERT INTO remarks VALUES (1000, 100), (1100, 110);"
    );
    let world = map(&[
        users(),
        collection("invoices", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]),
        collection("entries", "on_erasure: delete", &[KEY, &refers("invoice_id", "invoices.id", ""), "name: what"]),
        collection("remarks", "on_erasure: delete", &[KEY, &refers("entry_id", "entries.id", "")]),
    ]);
    let not_covered = |said: &Value| -> Vec<(String, Option<u64>)> {
        let places = said["not_covered"].as_array().expect("a list").iter();
        places.map(|place| (place["collection"].as_str().expect("text").to_owned(), place["count"].as_u64())).collect()
    };
    let record = json!({"record": {"dataset": "app", "collection": "invoices", "key": ["10"]}});
    for workspace in Workspace::on_each(&script, &world) {
        let said = workspace.habeas("hold preview - --json").input(hold(&record)).run().code(0).json();
        assert_eq!(said["would_keep"], 1);
        assert_eq!(not_covered(&said), [("entries".to_owned(), Some(2)), ("remarks".to_owned(), Some(1))]);
        let words = workspace.habeas("hold preview -").input(hold(&record)).run().code(0);
        assert!(words.stderr.contains("2 rows of app.entries below the covered ones: not covered"), "{}", words.stderr);
        let whole = json!({"collection": {"dataset": "app", "collection": "invoices"}});
        let said = workspace.habeas("hold preview - --json").input(hold(&whole)).run().code(0).json();
        assert_eq!(not_covered(&said), [("entries".to_owned(), None), ("remarks".to_owned(), None)]);

        let placed = place(&workspace, &record);
        let scope = placed["not_covered"][0]["scope"].as_str().expect("a scope").replace("\"…\"", "10");
        let second: Value = serde_json::from_str(&scope).expect("a scope as in a hold file");
        place(&workspace, &second);
        erase_ada(&workspace);
        assert_eq!(numbers(&workspace, "invoices", "id"), [10, 20]);
        assert_eq!(numbers(&workspace, "entries", "id"), [100, 101, 200], "kept by the second hold");
        assert_eq!(numbers(&workspace, "remarks", "id"), [] as [i64; 0], "covered by neither, as it was said");
    }
}
