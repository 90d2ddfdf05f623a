//! `habeas map discover` as people use it: the proposed map is accepted, blocks erasure until somebody decides (P-1), finds a person's rows,
//! says no value of any row (S-1), and stays the same as long as the schema does.

use serde_json::{Value, json};

use super::support::database::Database;
use super::support::schema_file::SchemaFile;
use super::support::workspace::Workspace;

const FORUM: &str = include_str!("../fixtures/discover/forum.schema");
const REVIEW: &str = include_str!("../fixtures/discover/review.schema");
const SHOP: &str = include_str!("../fixtures/discover/shop.schema");
const BLOG: &str = include_str!("../fixtures/discover/blog.schema");

/// Order lines with a key of two columns, notes on whatever a word names, and people.
const ORDERS: &str = "
    CREATE TABLE customers (id INTEGER PRIMARY KEY, email VARCHAR(80) NOT NULL UNIQUE, full_name VARCHAR(80), password_hash VARCHAR(80));
    CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL, approved_by INTEGER);
    CREATE TABLE order_lines (order_id INTEGER, line_no INTEGER, title VARCHAR(80), PRIMARY KEY (order_id, line_no));
    CREATE TABLE parcels (id INTEGER PRIMARY KEY, order_id INTEGER, line_no INTEGER, tracking VARCHAR(40));
    CREATE TABLE notes (id INTEGER PRIMARY KEY, owner_type VARCHAR(20), owner_id INTEGER, body VARCHAR(200));
    CREATE TABLE \"odd: name\" (\"no\" INTEGER PRIMARY KEY, \"customer id\" INTEGER, \"a: b\" VARCHAR(20));
    CREATE TABLE settings (name VARCHAR(40) PRIMARY KEY, value VARCHAR(40));
";

fn orders() -> String {
    let mut script = ORDERS.to_owned();
    for id in 1..=60 {
        let (customer, half) = (1 + id * 7 % 60, 1 + id % 30);
        script.push_str(&format!(
            "INSERT INTO customers VALUES ({id}, 'canary{id}@example.org', 'Canary Person {id}', 'canaryhash{id}');
             INSERT INTO orders VALUES ({id}, {customer}, {half});
             INSERT INTO order_lines VALUES ({id}, 1, 'canary thing'); INSERT INTO order_lines VALUES ({id}, 2, 'canary other');
             INSERT INTO parcels VALUES ({id}, {id}, {}, 'canary{id}');
             INSERT INTO notes VALUES ({id}, '{}', {customer}, 'canary note');
             INSERT INTO \"odd: name\" VALUES ({id}, {customer}, 'canary{id}');
             INSERT INTO settings VALUES ('canary{id}', 'canary');\n",
            1 + id % 2,
            ["customer", "order", "canarykind"][id % 3],
        ));
    }
    script
}

fn proposed(workspace: &Workspace) -> String {
    workspace.habeas("map discover --source app").run().code(0).stdout
}

fn edge<'d>(document: &'d Value, table: &str, column: &str, target: &str) -> &'d Value {
    let edges = document["edges"].as_array().expect("edges");
    let is_it = |edge: &&Value| {
        edge["table"] == table && edge["target"] == target && edge["columns"].as_array().is_some_and(|c| c.contains(&json!(column)))
    };
    edges.iter().find(is_it).unwrap_or_else(|| panic!("no edge from {table}.{column} to {target}: {document:#}"))
}

/// Puts the proposal in the place of the map.
fn adopt(workspace: &Workspace) {
    std::fs::remove_file(workspace.path("datamap/app.yml")).expect("the map of before");
    workspace.habeas("map discover --source app --output datamap/app.yml").run().code(0);
}

/// Does what the comments suggest.
fn decide(workspace: &Workspace) {
    let path = workspace.path("datamap/app.yml");
    let mut decided = String::new();
    for line in std::fs::read_to_string(&path).expect("the map").lines() {
        let suggested = line.split_once("# suggested: ").map(|(_, rest)| rest.split(' ').next().expect("a word"));
        match suggested {
            Some(word) => decided.push_str(&line.replace("on_erasure: undecided", &format!("on_erasure: {word}"))),
            None => decided.push_str(line),
        }
        decided.push('\n');
    }
    std::fs::write(path, decided).expect("the map");
}

#[test]
fn a_proposed_map_is_accepted_and_leaves_every_decision_open() {
    for (name, schema) in [("forum", FORUM), ("review", REVIEW), ("shop", SHOP), ("blog", BLOG)] {
        let workspace = Workspace::sqlite(&SchemaFile::parse(schema).script(), "dataset: []\n");
        adopt(&workspace);
        let said = workspace.habeas("--json map check").run();
        let document = said.json();
        assert_eq!(document["errors"], 0, "{name}: {document:#}");
        let undecided =
            document["findings"].as_array().expect("findings").iter().filter(|f| f["code"] == "undecided_collection").count();
        assert!(undecided > 5, "{name}: {undecided}");
        assert!(!proposed(&workspace).contains("on_erasure: delete}"), "{name}: nothing is proposed to be deleted in silence");
    }
}

#[test]
fn p_1_a_proposed_map_blocks_erasure_until_somebody_decides() {
    for workspace in Workspace::on_both(&orders(), "dataset: []\n") {
        adopt(&workspace);
        let job =
            json!({"kind": "erasure", "subject": {"email": "canary8@example.org"}, "ground": "art17_1_a", "approval": "none"});
        workspace.job("erasure", &job);
        let said = workspace.habeas("--json run --no-input jobs/erasure.json").run();
        assert_ne!(said.code, Some(0), "{}", said.stdout);
        assert_eq!(workspace.database.count("customers"), 60, "nothing is gone");
        decide(&workspace);
        workspace.habeas("map check").run().code(0);
        workspace.habeas("--json run --no-input jobs/erasure.json").run().run_to_end();
        assert_eq!(workspace.database.count("customers WHERE id = 8"), 0, "once it is decided, it is done");
        assert_eq!(workspace.database.count("customers"), 59);
    }
}

#[test]
fn with_the_suggestions_followed_an_access_request_finds_the_rows_of_the_person() {
    let workspace = Workspace::sqlite(&SchemaFile::parse(FORUM).script(), "dataset: []\n");
    adopt(&workspace);
    decide(&workspace);
    workspace.habeas("map check").run().code(0);
    let Database::Sqlite(path) = &workspace.database else { panic!("it is SQLite") };
    let people = super::support::sqlite::rows(
        path,
        "SELECT user_id, user_email FROM phpbb_users u WHERE (SELECT count(*) FROM phpbb_posts p WHERE p.poster_id = u.user_id) > 3 LIMIT 1",
    );
    let (id, email) = (people[0].int("user_id").expect("a number"), people[0].text("user_email").expect("text"));
    workspace.job("access", &json!({"kind": "access", "subject": {"email": email}}));
    let document = workspace.habeas("--json run --no-input jobs/access.json").run().run_to_end();
    let found = |collection: &str| {
        let items = document["items"].as_array().expect("items");
        items.iter().filter(|item| item["collection"] == collection).filter_map(|item| item["found"].as_u64()).sum::<u64>()
    };
    for (table, columns) in [
        ("phpbb_posts", vec!["poster_id", "post_edit_user", "post_delete_user"]),
        ("phpbb_topics", vec!["topic_poster", "topic_last_poster_id", "topic_bumper", "topic_delete_user"]),
        ("phpbb_bookmarks", vec!["user_id"]),
        ("phpbb_sessions_keys", vec!["user_id"]),
        ("phpbb_attachments", vec!["poster_id"]),
        ("phpbb_profile_fields_data", vec!["user_id"]),
    ] {
        let by_hand: Vec<String> = columns.iter().map(|column| format!("{column} = {id}")).collect();
        assert_eq!(found(table), workspace.database.count(&format!("{table} WHERE {}", by_hand.join(" OR "))), "{table}");
    }
    assert_eq!(found("phpbb_users"), 1);
}

#[test]
fn keys_of_several_columns_and_words_that_name_a_table_are_proposed() {
    for workspace in Workspace::on_both(&orders(), "dataset: []\n") {
        let document = workspace.habeas("--json map discover --source app").run().code(0).json();
        let line = edge(&document, "parcels", "line_no", "order_lines");
        assert_eq!((&line["columns"], &line["active"]), (&json!(["order_id", "line_no"]), &json!(true)), "{line:#}");
        assert_eq!(edge(&document, "orders", "customer_id", "customers")["right"], "owns");
        assert_eq!(edge(&document, "orders", "approved_by", "customers")["right"], "accesses");
        assert_eq!(edge(&document, "order_lines", "order_id", "orders")["right"], "owns");
        let note = edge(&document, "notes", "owner_id", "customers");
        assert_eq!((&note["where"], &note["active"]), (&json!({"owner_type": "customer"}), &json!(true)));
        assert_eq!(edge(&document, "notes", "owner_id", "orders")["active"], false, "a field takes one condition");
        assert_eq!(edge(&document, "odd: name", "customer id", "customers")["active"], true);
        let customers = document["tables"].as_array().unwrap().iter().find(|table| table["name"] == "customers").unwrap();
        assert_eq!(customers["subject"], true);
        let column = |name: &str| customers["columns"].as_array().unwrap().iter().find(|column| column["name"] == name).unwrap();
        assert_eq!(column("email")["identity"], json!({"kind": "email", "normal_form": "ascii_lower"}));
        assert_eq!(column("id")["identity"]["kind"], "customer_id");
        assert_eq!((&column("password_hash")["credential"], &column("full_name")["category"]), (&json!(true), &json!("user.name")));
    }
}

/// Keys of two columns, declared, and called otherwise on the side that refers; one column is a part of two of them.
const TENANTS: &str = "
    CREATE TABLE people (region INTEGER NOT NULL, no INTEGER NOT NULL, email VARCHAR(80) NOT NULL, password_hash VARCHAR(80), PRIMARY KEY (region, no));
    CREATE TABLE posts (id INTEGER PRIMARY KEY, area INTEGER, author INTEGER, reviewer INTEGER, body VARCHAR(200),
        FOREIGN KEY (area, author) REFERENCES people (region, no), FOREIGN KEY (area, reviewer) REFERENCES people (region, no));
    CREATE TABLE visits (id INTEGER PRIMARY KEY, shop_region INTEGER, shop_person INTEGER, FOREIGN KEY (shop_region, shop_person) REFERENCES people (region, no));
    CREATE TABLE pictures (id INTEGER PRIMARY KEY, post INTEGER, FOREIGN KEY (post) REFERENCES posts (id));
    INSERT INTO people VALUES (1, 1, 'canary1@example.org', 'x'), (1, 2, 'canary2@example.org', 'x'), (2, 1, 'canary3@example.org', 'x');
    INSERT INTO posts VALUES (1, 1, 1, 2, 'canary'), (2, 2, 1, NULL, 'canary');
";

#[test]
fn o_1_declared_keys_of_several_columns_are_found_whatever_they_are_called() {
    for workspace in Workspace::on_each(TENANTS, "dataset: []\n") {
        let found = workspace.habeas("map discover --source app --json").run().code(0).json();
        for (table, columns) in
            [("posts", ["area", "author"]), ("posts", ["area", "reviewer"]), ("visits", ["shop_region", "shop_person"])]
        {
            let edges = found["edges"].as_array().expect("edges");
            let whole = edges.iter().find(|edge| edge["table"] == table && edge["columns"] == json!(columns));
            let whole = whole.unwrap_or_else(|| panic!("{table}.{columns:?}: {found:#}"));
            assert_eq!((&whole["target"], &whole["target_columns"]), (&json!("people"), &json!(["region", "no"])), "{whole}");
        }
        let text = proposed(&workspace);
        assert!(!text.contains("also possible") && !text.contains("unsure"), "the database says where each leads:\n{text}");
        adopt(&workspace);
        let checked = workspace.habeas("map check").run();
        for code in ["unlabelled_foreign_key", "composite_key_half_declared"] {
            assert!(!checked.stdout.contains(code), "{}\n{text}", checked.stdout);
        }
        decide(&workspace);
        let job = json!({"kind": "access", "subject": {"email": "canary1@example.org"}});
        let done = workspace.habeas("run - --json --no-input").input(job.to_string()).run().code(0).json();
        let posts = done["items"].as_array().expect("items").iter().find(|item| item["collection"] == "posts");
        assert_eq!(posts.map(|item| &item["found"]), Some(&json!(1)), "{done}\n{text}");
    }
}

#[test]
fn a_table_that_names_people_is_told_although_it_is_not_called_so() {
    let script =
        "CREATE TABLE zettel (id INTEGER PRIMARY KEY, email VARCHAR(80)); INSERT INTO zettel VALUES (1, 'canary@example.org');";
    let workspace = Workspace::sqlite(script, "dataset: []\n");
    let said = workspace.habeas("map discover --source app --output found.yml").run().code(0);
    let told = format!("{}{}", said.stdout, said.stderr);
    assert!(told.contains("zettel names them") && !told.contains("no table of people was found"), "{told}");
}

#[test]
fn s_1_no_value_of_a_row_is_said_anywhere() {
    for workspace in Workspace::on_both(&orders(), "dataset: []\n") {
        workspace.write(
            "q.log",
            "SELECT 'canary' FROM orders o JOIN customers c ON c.id = o.customer_id WHERE c.email = 'canary7@example.org';",
        );
        for arguments in
            ["map discover --source app", "--json map discover --source app", "-vvv map discover --source app --query-log q.log"]
        {
            let said = workspace.habeas(arguments).run().code(0);
            assert!(!said.stdout.to_lowercase().contains("canary"), "{arguments}: {}", said.stdout);
            assert!(!said.stderr.to_lowercase().contains("canary"), "{arguments}: {}", said.stderr);
        }
    }
}

#[test]
fn the_same_schema_gives_the_same_bytes_and_no_file_is_overwritten() {
    for workspace in Workspace::on_both(&orders(), "dataset: []\n") {
        assert_eq!(proposed(&workspace), proposed(&workspace));
        workspace.write("there.yml", "mine");
        let said = workspace.habeas("map discover --source app --output there.yml").run().code(2);
        assert!(said.stderr.contains("is not overwritten"), "{}", said.stderr);
        assert_eq!(std::fs::read_to_string(workspace.path("there.yml")).unwrap(), "mine");
        workspace.habeas("map discover --source app --output new.yml").run().code(0);
        assert_eq!(std::fs::read_to_string(workspace.path("new.yml")).unwrap(), proposed(&workspace));
        let said = workspace.habeas("map discover --source ap").run().code(2);
        assert!(said.stderr.contains("did you mean `app`?"), "{}", said.stderr);
    }
}

#[test]
fn discovering_changes_nothing_and_needs_no_right_to_write() {
    for workspace in Workspace::on_both(&orders(), "dataset: []\n") {
        let before = workspace.database.dump();
        proposed(&workspace);
        assert_eq!(super::support::database::difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn v_2_a_table_that_may_not_be_read_is_named_and_the_answer_is_partial() {
    let Some(workspace) = Workspace::postgres(&orders(), "dataset: []\n") else { return };
    let role = format!("reader_{}", std::process::id());
    workspace.database.script(&format!(
        "CREATE ROLE {role} LOGIN; GRANT SELECT ON customers, orders, order_lines, parcels, settings TO {role}; GRANT SELECT (id, owner_type) ON notes TO {role}"
    ));
    let Database::Postgres(url) = &workspace.database else { panic!("it is PostgreSQL") };
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace(url, &url.replace("habeas_test", &role)));
    let said = workspace.habeas("map discover --source app").run();
    workspace.database.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
    let said = said.code(3);
    assert!(said.stderr.contains("not looked at: public.odd: name"), "{}", said.stderr);
    assert!(said.stdout.contains("# Not looked at: public.odd: name"), "{}", said.stdout);
}
