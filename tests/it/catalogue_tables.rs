//! Tables of every kind: views, copies, foreign and virtual tables, inheritance, partitions, computed and unique columns, conditions. Each is
//! erased as what it is, or refused with the words to write (P-1, E-1, O-1, V-1).

use serde_json::{Value, json};

use super::support::catalogue::*;
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script(more: &str) -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, note TEXT);
         INSERT INTO orders VALUES (10, 1, 'for ada@example.com'), (11, 1, NULL), (13, 2, 'for grace@example.com');
         {more}"
    )
}

fn orders() -> String {
    collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: note"])
}

fn shop_and(more: &[String]) -> String {
    map(&[&[orders(), users()], more].concat())
}

const NULL: &str = "fides_meta: {masking_strategy_override: {strategy: null_rewrite}}";
const CONSTANT: &str =
    "fides_meta: {masking_strategy_override: {strategy: string_rewrite, configuration: {rewrite_value: MASKED}}}";
const RANDOM: &str = "fides_meta: {masking_strategy_override: {strategy: random_string_rewrite}}";

/// A table `cards` of two people with a column `code`, and a map that masks it so.
fn cards(table: &str, mask: &str) -> (String, String) {
    let collection = collection("cards", "on_erasure: mask", &[KEY, &to_user("user_id", ""), &format!("name: code, {mask}")]);
    (script(table), shop_and(&[collection]))
}

#[test]
fn a_view_is_exported_and_never_erased() {
    let view = "CREATE VIEW notes AS SELECT id, user_id, note FROM orders WHERE note IS NOT NULL;";
    let notes = |effect: &str| collection("notes", effect, &[KEY, &to_user("user_id", ""), "name: note"]);
    for workspace in Workspace::on_both(&script(view), &shop_and(&[notes("on_erasure: delete")])) {
        let problem = refused(&workspace, "view_erased");
        assert!(problem["hint"].as_str().unwrap().contains("keep"), "{problem}");
        workspace.write("datamap/app.yml", &shop_and(&[notes("on_erasure: keep")]));
        let exported = run(&workspace, &json!({"kind": "access", "subject": ada()})).code(0).json();
        assert_eq!(item(&exported, "notes")["exported"], 1, "{exported}");
        erase_ada(&workspace).run_to_end();
        assert_eq!(numbers(&workspace, "orders", "id"), [13]);
    }
}

#[test]
fn v_1_a_materialised_view_that_keeps_a_copy_is_told_and_found_until_it_is_refreshed() {
    let view = "CREATE MATERIALIZED VIEW digest AS SELECT id, note FROM orders;
                CREATE VIEW between AS SELECT * FROM orders; CREATE MATERIALIZED VIEW twice AS SELECT count(*) AS n FROM between;
                CREATE MATERIALIZED VIEW never AS SELECT note FROM orders WITH NO DATA;";
    let Some(workspace) = Workspace::postgres(&script(view), &shop_and(&[])) else { return };
    let told = warnings(&plan_of_ada(&workspace));
    assert!(told.contains("REFRESH MATERIALIZED VIEW public.digest"), "{told}");
    assert!(
        told.contains("public.twice") && !told.contains("public.never"),
        "over another view, and one that holds nothing: {told}"
    );
    let done = erase_ada(&workspace).code(3).json();
    assert!(done["residue"].to_string().contains("digest.note"), "{done}");
    assert_eq!(done["certificate"]["outcome"], "partial");
}

#[test]
fn v_2_a_copy_that_nobody_may_look_through_keeps_the_certificate_from_being_complete() {
    let view = "CREATE MATERIALIZED VIEW digest AS SELECT id, note FROM orders;";
    let Some(workspace) = Workspace::postgres(&script(view), &shop_and(&[])) else { return };
    as_role(&workspace, "worker", "GRANT SELECT, UPDATE, DELETE ON users, orders TO {role}");
    let done = erase_ada(&workspace).code(3).json();
    assert_eq!(done["certificate"]["outcome"], "partial", "{done}");
    assert_eq!(numbers(&workspace, "orders", "id"), [13]);
}

#[test]
fn a_foreign_table_is_refused_as_what_it_is() {
    let table = "CREATE EXTENSION file_fdw; CREATE SERVER files FOREIGN DATA WRAPPER file_fdw;
                 CREATE FOREIGN TABLE visits (id int, user_id int) SERVER files OPTIONS (filename '/dev/null', format 'csv');";
    let visits = |effect: &str| collection("visits", effect, &[KEY, &to_user("user_id", "")]);
    let Some(workspace) = Workspace::postgres(&script(table), &shop_and(&[visits("on_erasure: delete")])) else { return };
    refused(&workspace, "no_primary_key");
    workspace.write("datamap/app.yml", &shop_and(&[visits("on_erasure: keep")]));
    let done = erase_ada(&workspace).run_to_end();
    assert_eq!(numbers(&workspace, "orders", "id"), [13], "{done}");
}

#[test]
fn o_1_rows_of_inheriting_tables_are_not_taken_for_those_of_their_parent() {
    let tables = "CREATE TABLE events (id int PRIMARY KEY, user_id int, text text);
                  CREATE TABLE old_events (PRIMARY KEY (id)) INHERITS (events);
                  INSERT INTO events VALUES (1, 1, 'hers'), (2, 2, 'his');
                  INSERT INTO old_events VALUES (1, 2, 'his, under the same key'), (3, 1, 'hers');";
    let events = |name: &str| collection(name, "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: text"]);
    let Some(workspace) = Workspace::postgres(&script(tables), &shop_and(&[events("events")])) else { return };
    let problem = refused(&workspace, "inherited_rows");
    assert!(problem["hint"].as_str().unwrap().contains("skip_processing"), "{problem}");
    workspace.database.script("ALTER TABLE old_events NO INHERIT events");
    workspace.write("datamap/app.yml", &shop_and(&[events("events"), events("old_events")]));
    erased_whole(&workspace);
    assert_eq!(numbers(&workspace, "events", "id"), [2]);
    assert_eq!(numbers(&workspace, "old_events", "id"), [1]);
}

const PARTITIONS: &str = "CREATE TABLE visits (id int, at date, user_id int, page text, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
    CREATE TABLE visits_2024 PARTITION OF visits FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
    CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
    CREATE TABLE visits_rest PARTITION OF visits DEFAULT;
    INSERT INTO visits VALUES (1, '2024-05-01', 1, 'a'), (2, '2025-05-01', 1, 'b'), (3, '2030-05-01', 1, 'c'), (4, '2024-05-01', 2, 'd');";

fn visits(effect: &str, page: &str) -> String {
    let fields = [KEY, "name: at, fides_meta: {primary_key: true}", &to_user("user_id", ""), &format!("name: page{page}")];
    collection("visits", effect, &fields)
}

#[test]
fn partitions_are_part_of_their_table() {
    let Some(workspace) = Workspace::postgres(&script(PARTITIONS), &shop_and(&[visits("on_erasure: delete", "")])) else { return };
    let done = erased_whole(&workspace);
    assert_eq!(item(&done, "visits")["affected"], 3, "one in each partition: {done}");
    assert_eq!(workspace.database.psql("SELECT id FROM visits").trim(), "4");
    // A partition by its own name is no collection; its table is.
    workspace.write("datamap/app.yml", &shop_and(&[visits("on_erasure: delete", "").replace("name: visits", "name: visits_2024")]));
    refused(&workspace, "missing_table");
}

#[test]
fn a_mask_that_would_move_a_row_to_another_partition_is_refused_with_its_key() {
    let moving = visits("on_erasure: mask", "").replace(
        "name: at, fides_meta: {primary_key: true}",
        "name: at, fides_meta: {primary_key: true, masking_strategy_override: {strategy: null_rewrite}}",
    );
    let Some(workspace) = Workspace::postgres(&script(PARTITIONS), &shop_and(&[moving])) else { return };
    refused(&workspace, "mask_key_column");
    workspace.write("datamap/app.yml", &shop_and(&[visits("on_erasure: mask", &format!(", {NULL}"))]));
    erased_whole(&workspace);
    assert_eq!(workspace.database.count("visits WHERE page IS NULL"), 3);
}

#[test]
fn what_a_computed_column_is_computed_from_is_masked_and_the_column_is_not() {
    for generated in ["STORED", "VIRTUAL"] {
        let table = format!(
            "CREATE TABLE cards (id INTEGER PRIMARY KEY, user_id INTEGER, code TEXT, first TEXT GENERATED ALWAYS AS (substr(code, 1, 2)) {generated});
             INSERT INTO cards (id, user_id, code) VALUES (1, 1, 'abcd'), (2, 2, 'efgh');"
        );
        let fields = |code: &str, first: &str| {
            let card = collection(
                "cards",
                "on_erasure: mask",
                &[KEY, &to_user("user_id", ""), &format!("name: code{code}"), &format!("name: first{first}")],
            );
            shop_and(&[card])
        };
        let mut both = vec![Some(Workspace::sqlite(&script(&table), &fields("", &format!(", {NULL}"))))];
        if generated == "STORED" {
            both.push(Workspace::postgres(&script(&table), &fields("", &format!(", {NULL}"))));
        }
        for workspace in both.into_iter().flatten() {
            refused(&workspace, "mask_generated_column");
            workspace.write("datamap/app.yml", &fields(&format!(", {CONSTANT}"), ""));
            erased_whole(&workspace);
            assert_eq!(workspace.database.count("cards WHERE code = 'MASKED' AND first = 'MA'"), 1, "{generated}");
            assert_eq!(workspace.database.count("cards WHERE code = 'efgh' AND first = 'ef'"), 1);
        }
    }
}

#[test]
fn a_constant_does_not_go_where_any_index_keeps_values_apart() {
    let table = "CREATE TABLE cards (id INTEGER PRIMARY KEY, user_id INTEGER, code TEXT, gone BOOLEAN);
                 INSERT INTO cards VALUES (1, 1, 'A', NULL), (2, 2, 'B', NULL);";
    for index in [
        "CREATE UNIQUE INDEX narrow ON cards (lower(code));",
        "CREATE UNIQUE INDEX narrow ON cards (code) WHERE gone IS NULL;",
        "CREATE UNIQUE INDEX narrow ON cards (code);",
    ] {
        let (script, map) = cards(&format!("{table} {index}"), CONSTANT);
        for workspace in Workspace::on_both(&script, &map) {
            let code = if index.contains("lower") || index.contains("WHERE") { "mask_unique_column" } else { "mask_breaks_unique" };
            refused(&workspace, code);
            workspace.write("datamap/app.yml", &map.replace(CONSTANT, RANDOM));
            erased_whole(&workspace);
            run(&workspace, &erasure_of(&json!({"email": "grace@example.com"}))).code(0);
        }
    }
}

#[test]
fn indexes_that_only_postgres_has_keep_values_apart_as_well() {
    let table =
        "CREATE TABLE cards (id int PRIMARY KEY, user_id int, code text); INSERT INTO cards VALUES (1, 1, 'A'), (2, 2, 'B');";
    let computed =
        "CREATE TABLE cards (id int PRIMARY KEY, user_id int, code text, low text GENERATED ALWAYS AS (lower(code)) STORED UNIQUE);
                    INSERT INTO cards VALUES (1, 1, 'A'), (2, 2, 'B');";
    for (more, mask) in [
        (format!("{table} ALTER TABLE cards ADD EXCLUDE USING btree (code WITH =);"), CONSTANT),
        (computed.to_owned(), CONSTANT),
        (format!("{table} CREATE UNIQUE INDEX one ON cards (code) NULLS NOT DISTINCT;"), NULL),
    ] {
        let (script, map) = cards(&more, mask);
        let Some(workspace) = Workspace::postgres(&script, &map) else { return };
        refused(&workspace, "mask_unique_column");
    }
}

#[test]
fn e_1_a_mask_that_breaks_a_condition_is_refused_before_anything_is_touched() {
    let with = |condition: &str| {
        format!(
            "CREATE TABLE cards (id INTEGER PRIMARY KEY, user_id INTEGER, code TEXT, state TEXT, CONSTRAINT shape CHECK ({condition}));
             INSERT INTO cards VALUES (1, 1, 'a@b', 'on'), (2, 2, 'c@d', 'off');"
        )
    };
    for (condition, mask, breaks) in [
        ("code LIKE '%@%'", CONSTANT, true),
        ("code LIKE '%@%'", NULL, false),
        ("length(code) < 20", RANDOM, true),
        ("length(code) < 20", CONSTANT, false),
        ("state = 'off' OR code IS NOT NULL", NULL, true),
        ("state <> 'x'", CONSTANT, false),
    ] {
        let (script, map) = cards(&with(condition), mask);
        for workspace in Workspace::on_both(&script, &map) {
            if breaks {
                let problem = refused(&workspace, "mask_breaks_check");
                assert!(problem["problem"].as_str().unwrap().contains("`shape` in 1 row:"), "{condition}: {problem}");
            } else {
                erased_whole(&workspace);
                assert_eq!(workspace.database.count("cards WHERE id = 2 AND code = 'c@d'"), 1, "{condition}");
            }
        }
    }
}

#[test]
fn e_1_an_enum_or_a_domain_takes_its_own_words_only() {
    for kind in ["CREATE TYPE tier AS ENUM ('gold', 'MASKEDX');", "CREATE DOMAIN tier AS text CHECK (VALUE <> 'MASKED');"] {
        let table = format!(
            "{kind} CREATE TABLE cards (id int PRIMARY KEY, user_id int, code tier); INSERT INTO cards VALUES (1, 1, 'gold'), (2, 2, 'gold');"
        );
        let (script, map) = cards(&table, CONSTANT);
        let Some(workspace) = Workspace::postgres(&script, &map) else { return };
        refused(&workspace, "mask_does_not_fit_type");
        workspace.write("datamap/app.yml", &map.replace("rewrite_value: MASKED", "rewrite_value: MASKEDX"));
        erased_whole(&workspace);
        assert_eq!(workspace.database.count("cards WHERE code = 'MASKEDX'"), 1);
    }
}

#[test]
fn identity_columns_are_keys_like_others() {
    let table = "CREATE TABLE cards (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id int, code text);
                 INSERT INTO cards (user_id, code) VALUES (1, 'a'), (2, 'b');";
    let (script, map) = cards(table, NULL);
    let Some(workspace) = Workspace::postgres(&script, &map.replace("on_erasure: mask", "on_erasure: delete")) else { return };
    erased_whole(&workspace);
    assert_eq!(numbers(&workspace, "cards", "id"), [2]);
}

#[test]
fn tables_of_sqlite_without_rowid_and_strict_ones_are_erased_by_their_key() {
    for kind in ["WITHOUT ROWID", "STRICT", "STRICT, WITHOUT ROWID"] {
        let table = format!(
            "CREATE TABLE cards (code TEXT, user_id INTEGER, PRIMARY KEY (user_id, code)) {kind};
             INSERT INTO cards VALUES ('a', 1), ('b', 1), ('a', 2);"
        );
        let cards = collection("cards", "on_erasure: delete", &[&to_user("user_id", ""), "name: code"]);
        let workspace = Workspace::sqlite(&script(&table), &shop_and(&[cards]));
        erased_whole(&workspace);
        assert_eq!(workspace.database.count("cards WHERE user_id = 2"), 1, "{kind}");
        assert_eq!(workspace.database.count("cards"), 1, "{kind}");
    }
}

#[test]
fn e_1_a_row_of_sqlite_that_no_key_names_refuses_the_plan() {
    let table =
        "CREATE TABLE cards (code TEXT PRIMARY KEY, user_id INTEGER); INSERT INTO cards VALUES (NULL, 1), ('b', 1), ('c', 2);";
    let cards = collection("cards", "on_erasure: delete", &[&to_user("user_id", ""), "name: code"]);
    let workspace = Workspace::sqlite(&script(table), &shop_and(&[cards]));
    refused(&workspace, "null_in_key");
    workspace.database.script("UPDATE cards SET code = 'a' WHERE code IS NULL");
    erased_whole(&workspace);
}

#[test]
fn v_1_what_a_full_text_index_keeps_is_told_and_found() {
    let fts = "CREATE VIRTUAL TABLE search USING fts5(note); INSERT INTO search (rowid, note) SELECT id, note FROM orders;";
    let workspace = Workspace::sqlite(&script(fts), &shop_and(&[]));
    let told = warnings(&plan_of_ada(&workspace));
    assert!(told.contains("main.search: this virtual table") && !told.contains("search_content"), "{told}");
    let done = erase_ada(&workspace).code(3).json();
    assert!(done["residue"].to_string().contains("search"), "{done}");
    assert_eq!(done["certificate"]["outcome"], "partial");
    // Mapped, it has no key by which its rows could be erased.
    let search = collection("search", "on_erasure: delete", &["name: note, fides_meta: {identity: email}"]);
    workspace.write("datamap/app.yml", &shop_and(&[search]));
    refused(&workspace, "no_primary_key");
}

#[test]
fn references_of_a_file_whose_application_does_not_check_them_are_planned_for_all_the_same() {
    // Made with the checks switched off: an orphan, and a reference to a column that nothing makes unique.
    let orphan = "PRAGMA foreign_keys = OFF; CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders (id) ON DELETE CASCADE);
                  INSERT INTO lines VALUES (1, 10), (2, 99), (3, 13);";
    let lines = collection("lines", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", "")]);
    let workspace = Workspace::sqlite(&script(orphan), &shop_and(&[lines]));
    erased_whole(&workspace);
    assert_eq!(numbers(&workspace, "lines", "id"), [2, 3]);
    let broken = "PRAGMA foreign_keys = OFF; CREATE TABLE tags (id INTEGER PRIMARY KEY, note TEXT REFERENCES orders (note));";
    let tags = collection("tags", "on_erasure: keep", &[KEY, &refers("note", "orders.note", "right: none")]);
    let workspace = Workspace::sqlite(&script(broken), &shop_and(&[tags]));
    let problem = refused(&workspace, "broken_foreign_key");
    assert!(problem["hint"].as_str().unwrap().contains("CREATE UNIQUE INDEX"), "{problem}");
}

#[test]
fn edges_whose_types_cannot_meet_are_refused_with_their_line_and_those_compared_by_text_say_so() {
    let tokens = |column: &str| script(&format!("CREATE TABLE tokens (id INTEGER PRIMARY KEY, user_id {column});"));
    let collection = collection("tokens", "on_erasure: delete", &[KEY, &to_user("user_id", "")]);
    let Some(workspace) = Workspace::postgres(&tokens("uuid"), &shop_and(std::slice::from_ref(&collection))) else { return };
    let problem = refused(&workspace, "edge_types");
    assert!(problem["subject"].as_str().unwrap().contains("app.yml:"), "{problem}");
    let Some(workspace) = Workspace::postgres(&tokens("text"), &shop_and(std::slice::from_ref(&collection))) else { return };
    workspace.database.script("INSERT INTO tokens VALUES (1, '1'), (2, '01'), (3, '2')");
    let told = warnings(&plan_of_ada(&workspace));
    assert!(told.contains("compared by their text"), "{told}");
    erase_ada(&workspace).run_to_end();
    assert_eq!(numbers(&workspace, "tokens", "id"), [2, 3], "01 is not 1");
}

#[test]
fn conditions_on_columns_that_are_missing_or_of_another_type_are_refused() {
    for (habeas, code) in [
        ("on_erasure: delete, retain_when: [{where: {paid: true}, ground: art17_3_b}]", "missing_column"),
        ("on_erasure: delete, retain_when: [{where: {note: 7}, ground: art17_3_b}]", "condition_type"),
    ] {
        let orders = collection("orders", habeas, &[KEY, &to_user("user_id", ""), "name: note"]);
        for workspace in Workspace::on_both(&script(""), &map(&[orders.clone(), users()])) {
            let before = workspace.database.dump();
            let said = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2);
            let text = format!("{}{}", said.stdout, said.stderr);
            assert!(text.contains(code) || text.contains("paid"), "{code}: {text}");
            erase_ada(&workspace).code(2);
            assert_eq!(
                super::support::database::difference(&before, &workspace.database.dump()),
                Value::Object(serde_json::Map::new())
            );
        }
    }
}

#[test]
fn erase_after_in_a_circle_is_refused() {
    let after = |name: &str, earlier: &str| {
        let more = format!("        fides_meta: {{erase_after: [app.{earlier}]}}\n        fields:");
        collection(name, "on_erasure: delete", &[KEY, &to_user("user_id", "")]).replace("        fields:", &more)
    };
    let more =
        "CREATE TABLE a (id INTEGER PRIMARY KEY, user_id INTEGER); CREATE TABLE b (id INTEGER PRIMARY KEY, user_id INTEGER);";
    for workspace in Workspace::on_both(&script(more), &shop_and(&[after("a", "b"), after("b", "a")])) {
        refused(&workspace, "delete_order_impossible");
        workspace.write("datamap/app.yml", &shop_and(&[after("a", "b"), after("b", "orders")]));
        erased_whole(&workspace);
    }
}
