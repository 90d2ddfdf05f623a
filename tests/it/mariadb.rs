//! What only MySQL and MariaDB do: foreign keys checked row by row, cascades that no trigger sees, tables without transactions or with a history,
//! values that no other database has.

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::catalogue::complete_certificates;
use super::support::database::difference;
use super::support::laws::*;
use super::support::workspace::Workspace;

const COMMENT_ROWS: &str =
    "INSERT INTO comments VALUES (1, NULL, 1, 'root'), (2, 1, 1, 'child'), (3, 2, 1, 'grandchild'), (4, 1, 1, 'child'),
    (5, 4, 1, 'grandchild'), (6, NULL, 1, 'another root'), (7, NULL, 2, 'not hers'), (8, 7, 2, 'not hers');";

fn comments(action: &str) -> String {
    format!(
        "{PEOPLE} CREATE TABLE comments (id INTEGER PRIMARY KEY, parent INTEGER, user_id INTEGER, body TEXT,
             FOREIGN KEY (parent) REFERENCES comments (id) {action}); {COMMENT_ROWS}"
    )
}

fn comment_map() -> String {
    let parent = refers("parent", "comments.id", "right: none");
    map(&[collection("comments", "on_erasure: delete", &[KEY, &parent, &to_user("user_id", ""), "name: body"]), users()])
}

/// A server that checks each row by itself deletes a tree from its leaves on or not at all.
#[test]
fn e_1_a_tree_goes_in_one_batch_whatever_its_foreign_key_does() {
    for action in ["", "ON DELETE RESTRICT"] {
        let Some(workspace) = Workspace::mariadb(&comments(action), &comment_map()) else { return };
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(item(&done, "comments")["affected"], 6, "{action}: {done}");
        assert_eq!(numbers(&workspace, "comments", "id"), [7, 8], "{action}");
        assert_eq!(done["certificate"]["outcome"], "complete");
    }
}

/// InnoDB deletes no row that refers to itself under RESTRICT: what cannot go is not called gone, and takes the batch back with it.
#[test]
fn e_1_a_row_that_the_server_will_not_delete_undoes_the_batch() {
    let script = format!("{} INSERT INTO comments VALUES (9, 9, 1, 'refers to itself');", comments("ON DELETE RESTRICT"));
    let Some(workspace) = Workspace::mariadb(&script, &comment_map()) else { return };
    let before = workspace.database.dump();
    let said = erase_ada(&workspace);
    assert_ne!(said.code, Some(0), "{}", said.stdout);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{}", said.stdout);
    assert_eq!(complete_certificates(&workspace), 0);
}

#[test]
fn o_1_the_answer_of_somebody_else_is_not_taken_along_by_a_cascade() {
    let script = format!("{} INSERT INTO comments VALUES (9, 3, 2, 'an answer to hers');", comments("ON DELETE CASCADE"));
    let Some(workspace) = Workspace::mariadb(&script, &comment_map()) else { return };
    let before = workspace.database.dump();
    erase_ada(&workspace).code(2);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
}

#[test]
fn o_1_a_cascade_from_another_database_refuses_the_plan() {
    let Some(workspace) = Workspace::mariadb(PEOPLE, &map(&[users()])) else { return };
    workspace.database.script(
        "SET @here = DATABASE(); CREATE DATABASE elsewhere; EXECUTE IMMEDIATE CONCAT('CREATE TABLE elsewhere.votes (id INTEGER PRIMARY KEY,
         user_id INTEGER, FOREIGN KEY (user_id) REFERENCES ', @here, '.users (id) ON DELETE CASCADE)');
         INSERT INTO elsewhere.votes VALUES (1, 1), (2, 2);",
    );
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    assert!(problems(&plan).contains(&"cascade_outside_plan"), "{plan}");
    assert_eq!(workspace.database.count("elsewhere.votes"), 2);
}

#[test]
fn v_1_nothing_is_erased_where_it_could_not_be_undone_or_would_live_on() {
    for (kind, word) in [("ENGINE = MyISAM", "MyISAM"), ("ENGINE = Aria", "Aria"), ("WITH SYSTEM VERSIONING", "history")] {
        let script = format!(
            "{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER) {kind}; INSERT INTO orders VALUES (10, 1, 5);"
        );
        let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]);
        let Some(workspace) = Workspace::mariadb(&script, &map(&[orders, users()])) else { return };
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
        assert!(problems(&plan).contains(&"not_erasable_for_good"), "{plan}");
        let checked = workspace.habeas("map check").run();
        assert!(checked.stdout.contains(word), "{}", checked.stdout);
        erase_ada(&workspace).code(2);
        assert_eq!(workspace.database.count("orders") + workspace.database.count("users"), 4);
    }
}

/// The server says 0 rows were changed when a value is written that is there already; what counts is what was found.
#[test]
fn e_1_a_mask_that_changes_nothing_counts_as_done() {
    let masked =
        "name: agent, fides_meta: {masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: gone}}}";
    let visits = collection("visits", "on_erasure: mask", &[KEY, &to_user("user_id", ""), masked]);
    let script = format!(
        "{PEOPLE} CREATE TABLE visits (id INTEGER PRIMARY KEY, user_id INTEGER, agent VARCHAR(40));
         INSERT INTO visits VALUES (1, 1, 'gone'), (2, 1, 'browser'), (3, 2, 'browser');"
    );
    let Some(workspace) = Workspace::mariadb(&script, &map(&[visits, users()])) else { return };
    let done = erase_ada(&workspace).run_to_end();
    assert_eq!(workspace.database.count("visits WHERE agent = 'gone'"), 2, "{done}");
    assert_eq!(item(&done, "visits")["affected"], 2, "{done}");
}

/// Keys of every kind find their row again: to be erased, and to be verified.
#[test]
fn e_1_rows_are_found_again_by_keys_of_every_type() {
    let keys = [
        ("BIGINT UNSIGNED", "18446744073709551615", "0"),
        ("DECIMAL(30,10)", "12345678901234567890.1234567890", "-0.5"),
        ("BINARY(16)", "x'00ff0001a0eebc999c0b4ef8bb6d6bb9'", "x'00000000000000000000000000000000'"),
        ("VARBINARY(20)", "x'ff00'", "x''"),
        ("VARCHAR(40) CHARACTER SET latin1", "'jos\u{e9}'", "'a'''"),
        ("VARCHAR(40) COLLATE utf8mb4_unicode_ci", "'\u{1f600}'", "''"),
        ("DATETIME(6)", "'2024-02-29 23:59:59.123456'", "'0000-00-00 00:00:00'"),
        ("DATE", "'2024-02-29'", "'0000-00-00'"),
        ("TIME(3)", "'-838:59:59'", "'00:00:00.001'"),
        ("BIT(12)", "b'101010101010'", "b'0'"),
        ("DOUBLE", "0.1", "-1e300"),
        ("UUID", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'", "'00000000-0000-0000-0000-000000000000'"),
        ("ENUM('b','a')", "'a'", "'b'"),
        ("YEAR", "2024", "1901"),
    ];
    for (key_type, one, other) in keys {
        let script = format!(
            "{PEOPLE} CREATE TABLE things (id {key_type}, part INTEGER, user_id INTEGER, name TEXT, PRIMARY KEY (id, part));
             INSERT INTO things VALUES ({one}, 1, 1, 'hers'), ({other}, 1, 1, 'hers'), ({one}, 2, 2, 'his');"
        );
        let keyed = "name: part, fides_meta: {primary_key: true}";
        let things = collection("things", "on_erasure: delete", &[KEY, keyed, &to_user("user_id", ""), "name: name"]);
        let Some(workspace) = Workspace::mariadb(&script, &map(&[things, users()])) else { return };
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!((&item(&done, "things")["affected"], workspace.database.count("things")), (&json!(2), 1), "{key_type}: {done}");
        assert_eq!(done["certificate"]["outcome"], "complete", "{key_type}: {done}");
    }
}

/// The source is read in one snapshot and without locks: who writes in the meantime waits for nobody.
#[test]
fn x_1_gathering_takes_no_lock_that_an_application_would_wait_for() {
    let rows: Vec<String> = (1..=30_000).map(|id| format!("({id}, 1, 'order {id}')")).collect();
    let inserts: String = rows.chunks(1000).map(|chunk| format!("INSERT INTO orders VALUES {};", chunk.join(", "))).collect();
    let script = format!("{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, note TEXT); {inserts}");
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: note"]);
    let Some(workspace) = Workspace::mariadb(&script, &map(&[orders, users()])) else { return };
    let job = json!({"kind": "access", "subject": ada()}).to_string();
    let mut running = workspace.habeas("run - --json --no-input").input(job).start();
    // There is no index on the edge: a locking read would lock the whole table, and these would wait and fail.
    let mut at = 0;
    while !running.has_ended() && at < 1_000 {
        let write = format!("SET innodb_lock_wait_timeout = 1; UPDATE orders SET note = 'later' WHERE id = {}", 30_000 - at);
        workspace.database.script(&write);
        at += 1;
    }
    assert!(at > 3, "there was time to write: {at}");
    let done: Value = running.finish().code(0).json();
    assert_eq!(item(&done, "orders")["exported"], 30_000, "{done}");
}

/// The values that other databases do not have, or print otherwise: none may be rounded, blank or another one.
#[test]
fn x_1_values_come_through_as_the_server_has_them() {
    let script = format!(
        "{PEOPLE} CREATE TABLE things (id INTEGER PRIMARY KEY, user_id INTEGER, big BIGINT UNSIGNED, exact DECIMAL(65,30), zero DATE, half DATE, gone DATETIME,
            made DATETIME(6), seen TIMESTAMP NULL, at_ TIME(6), year_ YEAR, doc JSON, mood ENUM('sad','it''s fine'), tags SET('a','b'), raw BLOB, key_ BINARY(4),
            one BIT(1), bits BIT(10), flag BOOLEAN, odd BOOLEAN, ratio FLOAT, twice DOUBLE, old VARCHAR(40) CHARACTER SET latin1, padded INT(6) ZEROFILL);
         INSERT INTO things VALUES (1, 1, 18446744073709551615, 12345678901234567890123456789012345.123456789012345678901234567891, '0000-00-00', '2024-00-00',
            '0000-00-00 00:00:00', '2024-02-29 23:59:59.123456', '2024-03-31 01:30:00', '-838:59:59.000001', 2024, '{{\"b\": 1,  \"a\":2,\"b\":3, \"n\": 1.10}}',
            'it''s fine', 'a,b', x'00ff10', x'00010203', b'1', b'1000000001', TRUE, 7, 0.1, 0.1, 'jos\u{e9} =1+1', 42),
            (2, 1, 0, -0.000000000000000000000000000001, '1000-01-01', NULL, NULL, '9999-12-31 23:59:59.999999', NULL, '00:00:00', 0, 'null', 'sad', '', '', x'',
            b'0', b'0', FALSE, NULL, -1e38, 1e300, '', 0);
         CREATE TABLE keyless (user_id INTEGER, word TEXT); INSERT INTO keyless VALUES (1, 'once'), (1, 'twice'), (1, 'twice'), (2, 'not hers');"
    );
    let names = "big exact zero half gone made seen at_ year_ doc mood tags raw key_ one bits flag odd ratio twice old padded";
    let mut fields = vec![KEY.to_owned(), to_user("user_id", "")];
    fields.extend(names.split(' ').map(|name| format!("name: {name}")));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let keyless = collection("keyless", "on_erasure: keep", &[&to_user("user_id", ""), "name: word"]);
    let Some(workspace) =
        Workspace::mariadb(&script, &map(&[collection("things", "on_erasure: delete", &fields), keyless, users()]))
    else {
        return;
    };
    let done = run(&workspace, &json!({"kind": "access", "subject": ada()})).run_to_end();
    let archive = Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")));
    workspace.habeas(&format!("archive verify {}", archive.path.display())).run().code(0);
    let text = archive.text("data/tables/app/things.jsonl");
    let rows: Vec<&str> = text.lines().collect();
    for (row, expected) in [
        (0, r#""big":"18446744073709551615""#),
        (0, r#""exact":"12345678901234567890123456789012345.123456789012345678901234567891""#),
        (0, r#""zero":"0000-00-00""#),
        (0, r#""half":"2024-00-00""#),
        (0, r#""gone":"0000-00-00 00:00:00""#),
        (0, r#""made":"2024-02-29T23:59:59.123456""#),
        (0, r#""seen":"2024-03-31T01:30:00.000000Z""#),
        (0, r#""at_":"-838:59:59.000001""#),
        (0, r#""year_":2024"#),
        (0, r#""doc":{"b":1,"a":2,"b":3,"n":1.10}"#),
        (0, r#""mood":"it's fine""#),
        (0, r#""tags":"a,b""#),
        (0, r#""raw_b64":"AP8Q""#),
        (0, r#""key__b64":"AAECAw==""#),
        (0, r#""one":true"#),
        (0, r#""bits":"1000000001""#),
        (0, r#""flag":true"#),
        (0, r#""odd":7"#),
        (0, r#""ratio":0.1"#),
        (0, r#""twice":0.1"#),
        (0, "\"old\":\"jos\u{e9} =1+1\""),
        (1, r#""big":0"#),
        (1, r#""exact":"-0.000000000000000000000000000001""#),
        (1, r#""half":null"#),
        (1, r#""made":"9999-12-31T23:59:59.999999""#),
        (1, r#""tags":"""#),
        (1, r#""one":false"#),
        (1, r#""bits":"0000000000""#),
        (1, r#""odd":null"#),
    ] {
        assert!(rows[row].contains(expected), "{expected}\n{}", rows[row]);
    }
    assert_eq!(archive.rows("app/keyless").len(), 2, "equal rows without a key are one");
}
