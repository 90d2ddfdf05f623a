//! I-1 on every kind of database: identifiers that some collation takes for equal are different people, whatever the columns are made of. And
//! identifiers that no honest person has name nobody, instead of the wrong one.

use serde_json::{Value, json};

use super::support::laws::*;
use super::support::workspace::Workspace;

/// Spellings that a collation, a conversion between character sets or a tidy mind could take for one; by family, the plain one first.
const FAMILIES: [(&str, &[&str]); 8] = [
    ("case", &["ada@example.com", "Ada@example.com", "ADA@EXAMPLE.COM", "ada@Example.com"]),
    ("accents", &["jose@example.com", "jos\u{e9}@example.com", "jose\u{301}@example.com", "jos\u{e8}@example.com"]),
    ("trailing space", &["eve@example.com", "eve@example.com ", "eve@example.com  ", " eve@example.com"]),
    ("dotless i", &["igor@example.com", "\u{131}gor@example.com", "\u{130}gor@example.com", "IGOR@example.com"]),
    ("full width", &["max@example.com", "\u{ff4d}ax@example.com", "max\u{ff20}example.com", "max@example\u{ff0e}com"]),
    (
        "zero width",
        &[
            "zoe@example.com",
            "zoe\u{200b}@example.com",
            "zoe@example.com\u{feff}",
            "z\u{ad}oe@example.com",
            "zoe\u{200d}@example.com",
        ],
    ),
    ("sharp s and ligatures", &["strasse@example.com", "stra\u{df}e@example.com", "\u{fb01}n@example.com", "fin@example.com"]),
    (
        "look-alikes and beyond",
        &[
            "karl@example.com",
            "\u{212a}arl@example.com",
            "k\u{430}rl@example.com",
            "karl\u{1f600}@example.com",
            "karl\u{1f601}@example.com",
        ],
    ),
];

fn spellings() -> Vec<&'static str> {
    FAMILIES.iter().flat_map(|(_, spellings)| spellings.iter().copied()).collect()
}

fn table(column: &str, spellings: &[&str]) -> String {
    let rows: Vec<String> = spellings.iter().enumerate().map(|(at, address)| format!("({}, '{address}')", at + 1)).collect();
    format!("CREATE TABLE users (id INTEGER PRIMARY KEY, email {column}); INSERT INTO users VALUES {};", rows.join(", "))
}

/// Rows that a plan finds; none when it finds nobody.
fn found(workspace: &Workspace, email: &str) -> u64 {
    let job = json!({"kind": "erasure", "subject": {"email": email}, "approval": "none"});
    let said = workspace.habeas("plan - --json").input(job.to_string()).run();
    let plan: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|_| panic!("{}\n{}", said.stdout, said.stderr));
    plan["found"].as_u64().unwrap_or_default()
}

#[test]
fn i_1_no_spelling_of_a_family_names_another_ones_person() {
    let spellings = spellings();
    let on_mariadb = [
        "TEXT",
        "VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, INDEX by_email (email)",
        "VARCHAR(190) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_520_nopad_ci, INDEX by_email (email)",
        "VARBINARY(190)",
    ];
    let mut workspaces = Workspace::on_both(&table("TEXT", &spellings), &map(&[users()]));
    workspaces.push(Workspace::sqlite(&table("TEXT COLLATE NOCASE", &spellings), &map(&[users()])));
    workspaces.extend(on_mariadb.iter().filter_map(|column| Workspace::mariadb(&table(column, &spellings), &map(&[users()]))));
    for workspace in workspaces {
        for (at, email) in spellings.iter().enumerate() {
            assert_eq!(found(&workspace, email), 1, "spelling {at} on {:?}", workspace.database);
        }
        let erased = run(&workspace, &erasure_of(&json!({"email": "ada@example.com"}))).run_to_end();
        let left: Vec<i64> = (2..=spellings.len() as i64).collect();
        assert_eq!(numbers(&workspace, "users", "id"), left, "{erased}");
    }
}

/// A column of another character set holds the same person in other bytes.
#[test]
fn i_1_a_latin1_column_finds_the_person_and_nobody_whom_it_cannot_even_write() {
    let inside = ["jose@example.com", "jos\u{e9}@example.com", "JOS\u{c9}@example.com", "jose@example.com "];
    let column = "VARCHAR(190) CHARACTER SET latin1 COLLATE latin1_swedish_ci, INDEX by_email (email)";
    let Some(workspace) = Workspace::mariadb(&table(column, &inside), &map(&[users()])) else { return };
    for email in inside {
        assert_eq!(found(&workspace, email), 1);
    }
    for outside in [
        "jos\u{1f600}@example.com",
        "jose\u{301}@example.com",
        "jos?@example.com",
        "\u{ff4a}ose@example.com",
        "j\u{43e}se@example.com",
    ] {
        assert_eq!(found(&workspace, outside), 0);
    }
    run(&workspace, &erasure_of(&json!({"email": "jos\u{e9}@example.com"}))).run_to_end();
    assert_eq!(numbers(&workspace, "users", "id"), [1, 3, 4]);
}

/// The same between two columns: whose a row is, is not for two collations to settle among themselves.
#[test]
fn i_1_an_edge_between_columns_of_different_collations_joins_equal_bytes_only() {
    let script = "CREATE TABLE people (handle VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci PRIMARY KEY, email TEXT);
        CREATE TABLE posts (id INTEGER PRIMARY KEY, author VARCHAR(40) CHARACTER SET latin1);
        CREATE TABLE likes (id INTEGER PRIMARY KEY, author VARCHAR(40) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci, INDEX (author));
        INSERT INTO people VALUES ('jos\u{e9}', 'ada@example.com'), ('grace', 'grace@example.com');
        INSERT INTO posts VALUES (1, 'jos\u{e9}'), (2, 'jose'), (3, 'Jos\u{e9}'), (4, 'jos\u{e9} '), (5, 'grace');
        INSERT INTO likes VALUES (1, 'jos\u{e9}'), (2, 'jose'), (3, 'Jos\u{e9}'), (4, 'jos\u{e9} '), (5, 'grace');";
    let people = collection(
        "people",
        "on_erasure: delete",
        &["name: handle, fides_meta: {primary_key: true}", "name: email, fides_meta: {identity: email}"],
    );
    let by_author = |name: &str| collection(name, "on_erasure: delete", &[KEY, &refers("author", "people.handle", "")]);
    let Some(workspace) = Workspace::mariadb(script, &map(&[people, by_author("posts"), by_author("likes")])) else { return };
    run(&workspace, &erasure_of(&ada())).run_to_end();
    for table in ["posts", "likes"] {
        assert_eq!(numbers(&workspace, table, "id"), [2, 3, 4, 5], "{table}");
    }
}

#[test]
fn i_1_identifiers_that_nobody_has_name_nobody() {
    let long = "a".repeat(10_000) + "@example.com";
    let rows = ["ada@example.com", "ada", ""];
    let jobs = [
        r#"{"kind": "erasure", "subject": {"email": "ada@example.com\u0000"}, "approval": "none"}"#.to_owned(),
        r#"{"kind": "erasure", "subject": {"email": "ada\u0000@example.com"}, "approval": "none"}"#.to_owned(),
        r#"{"kind": "erasure", "subject": {"email": "ada\ud800@example.com"}, "approval": "none"}"#.to_owned(),
        r#"{"kind": "erasure", "subject": {"email": "ada\udc00"}, "approval": "none"}"#.to_owned(),
        format!(r#"{{"kind": "erasure", "subject": {{"email": "{long}"}}, "approval": "none"}}"#),
    ];
    for workspace in Workspace::on_each(&table("VARCHAR(190)", &rows), &map(&[users()])) {
        let before = workspace.database.dump();
        for job in &jobs {
            let said = workspace.habeas("run - --json --no-input").input(job.as_str()).run();
            let shown = format!("{}{}", said.stdout, said.stderr);
            assert!(said.code.is_some_and(|code| code != 101), "{shown}");
            assert!(!shown.contains("panicked") && !shown.contains("aaaaaaaaaa"), "{shown}");
            if let Ok(answer) = serde_json::from_str::<Value>(&said.stdout) {
                let affected =
                    answer["items"].as_array().into_iter().flatten().filter_map(|item| item["affected"].as_u64()).sum::<u64>();
                assert_eq!(affected, 0, "{answer}");
            }
        }
        assert_eq!(super::support::database::difference(&before, &workspace.database.dump()), json!({}));
    }
}
