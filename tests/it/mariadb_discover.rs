//! The verbs that look at a schema, on MariaDB without declared keys: `map discover`, `map check`, `map register`, `doctor`. What they propose
//! finds a person's rows, and nothing is changed by looking.

use serde_json::{Value, json};

use super::support::database::difference;
use super::support::laws::{KEY, PEOPLE, collection, map, numbers, to_user, users};
use super::support::workspace::Workspace;

/// A forum shop that declares nothing: numbers that refer, names that refer (in another collation than what they name), what a word names.
fn schema(large: bool) -> String {
    let mut script = "
        CREATE TABLE users (id INT UNSIGNED PRIMARY KEY AUTO_INCREMENT, handle VARCHAR(40) NOT NULL UNIQUE, email VARCHAR(80) NOT NULL UNIQUE, full_name VARCHAR(80)) COLLATE utf8mb4_unicode_ci;
        CREATE TABLE orders (id BIGINT PRIMARY KEY AUTO_INCREMENT, user_id INT UNSIGNED NOT NULL, approved_by INT UNSIGNED, total DECIMAL(10,2), note TEXT) COLLATE utf8mb4_bin;
        CREATE TABLE comments (id INT PRIMARY KEY AUTO_INCREMENT, order_id BIGINT, user_handle VARCHAR(40) CHARACTER SET latin1, body TEXT, parent_id INT, seen BIT(1), extra JSON);
        CREATE TABLE keyless (user_id INT, word VARCHAR(20));
        CREATE TABLE settings (name VARCHAR(40) PRIMARY KEY, value VARBINARY(40));"
        .to_owned();
    let many = if large { 9_000 } else { 60 };
    let mut rows = [const { Vec::new() }; 4];
    for id in 1..=many {
        let user = 1 + id * 7 % many;
        rows[0].push(format!("({id}, 'nick{id}', 'canary{id}@example.org', 'Canary Person {id}')"));
        rows[1].push(format!("({id}, {user}, {}, {id}.50, 'canary note')", 1 + id % 30));
        let parent = if id % 3 == 0 { (id / 3).to_string() } else { "NULL".into() };
        rows[2]
            .push(format!("({id}, {}, 'nick{user}', 'canary said', {parent}, b'1', '{{\"a\":\"canary\"}}')", 1 + id * 11 % many));
        rows[3].push(format!("({user}, 'canary')"));
    }
    for (table, rows) in ["users", "orders", "comments", "keyless"].into_iter().zip(rows) {
        for some in rows.chunks(1000) {
            script.push_str(&format!("INSERT INTO {table} VALUES {};\n", some.join(", ")));
        }
    }
    script
}

fn edge<'d>(document: &'d Value, table: &str, column: &str, target: &str) -> &'d Value {
    let is_it = |edge: &&Value| edge["table"] == table && edge["target"] == target && edge["columns"] == json!([column]);
    let found = document["edges"].as_array().expect("edges").iter().find(is_it);
    found.unwrap_or_else(|| panic!("no edge from {table}.{column} to {target}: {document:#}"))
}

#[test]
fn edges_that_nothing_declares_are_found_in_small_tables_and_in_samples_of_large_ones() {
    for large in [false, true] {
        let Some(workspace) = Workspace::mariadb(&schema(large), "dataset: []\n") else { return };
        let before = workspace.database.dump();
        let said = workspace.habeas("-vvv --json map discover --source app").run().code(0);
        assert!(!format!("{}{}", said.stdout, said.stderr).to_lowercase().contains("canary"), "S-1: {}", said.stderr);
        let document = said.json();
        for (table, column, target) in [
            ("orders", "user_id", "users"),
            ("comments", "order_id", "orders"),
            ("comments", "parent_id", "comments"),
            ("comments", "user_handle", "users"),
            ("keyless", "user_id", "users"),
        ] {
            assert_eq!(edge(&document, table, column, target)["active"], true, "{large}: {document:#}");
        }
        // Text of two character sets is not compared by the server of itself: it has to be asked in the one of the key.
        let by_handle = edge(&document, "comments", "user_handle", "users");
        assert_eq!(by_handle["evidence"]["inclusion"]["share"], 1.0, "{by_handle:#}");
        assert_eq!(edge(&document, "orders", "user_id", "users")["right"], "owns");
        let tables = document["tables"].as_array().expect("tables");
        let users = tables.iter().find(|table| table["name"] == "users").expect("users");
        assert_eq!(users["subject"], true, "{users:#}");
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "looking changes nothing");
    }
}

#[test]
fn p_1_a_proposed_map_is_accepted_blocks_erasure_and_erases_once_it_is_decided() {
    let Some(workspace) = Workspace::mariadb(&schema(false), "dataset: []\n") else { return };
    std::fs::remove_file(workspace.path("datamap/app.yml")).expect("the map of before");
    workspace.habeas("map discover --source app --output datamap/app.yml").run().code(0);
    let said = workspace.habeas("--json map check").run().json();
    assert_eq!(said["errors"], 0, "{said:#}");
    let job = json!({"kind": "erasure", "subject": {"email": "canary8@example.org"}, "ground": "art17_1_a", "approval": "none"});
    workspace.job("erasure", &job);
    assert_ne!(workspace.habeas("--json run --no-input jobs/erasure.json").run().code, Some(0));
    assert_eq!(workspace.database.count("users"), 60, "nothing is gone");
    let map = std::fs::read_to_string(workspace.path("datamap/app.yml")).expect("the map");
    let decided: Vec<String> = map
        .lines()
        .map(|line| match line.split_once("# suggested: ") {
            Some((_, word)) => {
                let word = word.split(' ').next().expect("a word");
                line.replace("on_erasure: undecided", &format!("on_erasure: {word}"))
            }
            None => line.to_owned(),
        })
        .collect();
    workspace.write("datamap/app.yml", &decided.join("\n"));
    let done = workspace.habeas("--json run --no-input jobs/erasure.json").run();
    assert_eq!(workspace.database.count("users WHERE id = 8"), 0, "{}", done.stdout);
    assert_eq!(workspace.database.count("orders WHERE user_id = 8"), 0, "{}", done.stdout);
    assert_eq!(workspace.database.count("users"), 59);
}

#[test]
fn the_check_the_register_and_the_doctor_know_a_mariadb_source() {
    let script = format!("{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, note TEXT); CREATE TABLE leads (id INTEGER PRIMARY KEY, email VARCHAR(80));
        INSERT INTO orders VALUES (10, 1, 'a');");
    let orders = collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", "")]);
    let Some(workspace) = Workspace::mariadb(&script, &map(&[orders, users()])) else { return };
    let checked = workspace.habeas("--json map check").run().json();
    let codes: Vec<&str> = checked["findings"].as_array().expect("a list").iter().filter_map(|one| one["code"].as_str()).collect();
    for code in ["unmapped_table", "unmapped_column", "owner_may_be_null"] {
        assert!(codes.contains(&code), "{code}: {checked:#}");
    }
    let register = workspace.habeas("map register --json").run().code(3).json();
    assert!(register.to_string().contains("app"), "{register:#}");
    let doctor = workspace.habeas("doctor --json").run().code(0).json();
    assert_eq!(doctor["errors"], 0, "{doctor:#}");
    assert_eq!(numbers(&workspace, "users", "id"), [1, 2, 3]);
}
