//! What a scan must find, must not find, and must admit not to have read, on both databases.

use std::collections::BTreeSet;

use super::{Form, Hit, Matcher, ResidueReport, Search, scan};
use crate::connector::sql::{TableName, load_catalogue};
use crate::db::testing::{self, TestDatabase};
use crate::db::{Db, PoolOptions};
use crate::subject::Identifier;
use crate::value::{Key, KeyPart};

fn ada() -> Vec<Identifier> {
    vec![Identifier::new("email", "ada@example.com"), Identifier::new("user_id", "42"), Identifier::new("phone", "+43123456")]
}

async fn scan_for_ada(
    db: &Db,
    exclude: &[TableName],
    is_retained: &(dyn Fn(usize, &TableName, &Key) -> bool + Send + Sync),
) -> ResidueReport {
    let mut conn = db.session().await.unwrap();
    let catalogue = load_catalogue(conn.on()).await.unwrap();
    let bob = vec![Identifier::new("email", "bob@example.com")];
    let matcher = Matcher::build(&[&ada(), &bob]).unwrap();
    let exclude: BTreeSet<TableName> = exclude.iter().cloned().collect();
    scan(&mut conn, &Search { catalogue: &catalogue, matcher: &matcher, exclude: &exclude, is_retained }).await.unwrap()
}

async fn plain_scan(database: &TestDatabase) -> ResidueReport {
    scan_for_ada(&database.db, &[], &|_, _, _| false).await
}

fn places(report: &ResidueReport) -> Vec<(usize, String, Form, bool, u64)> {
    let place = |hit: &Hit| (hit.person, format!("{}.{}", hit.table.name, hit.column), hit.form, hit.certain, hit.count);
    report.hits.iter().map(place).collect()
}

const SQLITE: &str = "
    CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
    CREATE TABLE log (at TEXT, line TEXT);
    CREATE TABLE blobs (id INTEGER PRIMARY KEY, payload BLOB, size INTEGER, user_id INTEGER);
    CREATE TABLE counters (id INTEGER PRIMARY KEY, quantity INTEGER);
    CREATE VIEW people AS SELECT * FROM users;
    INSERT INTO users VALUES (1, 'ADA@example.com'), (2, 'canada@example.com'), (3, 'bob@example.com');
    INSERT INTO log VALUES ('x', 'GET /?q=ada%40example.com'), ('y', '{\"n\":\"a\\nada@example.com\"}'), ('z', NULL);
    INSERT INTO blobs VALUES (7, CAST('..ada@example.com..' AS BLOB), 'ada@example.com', 42), (8, x'ff00', 1, 43);
    INSERT INTO counters VALUES (1, 42);";

#[tokio::test]
async fn unmapped_tables_are_searched_in_every_column_of_sqlite() {
    let report = plain_scan(&testing::sqlite(SQLITE).await).await;
    assert_eq!(
        places(&report),
        [
            (0, "blobs.payload".into(), Form::Exact, true, 1),
            (0, "blobs.size".into(), Form::Exact, true, 1),
            (0, "blobs.user_id".into(), Form::WholeValue, false, 1),
            (0, "log.line".into(), Form::Exact, true, 1),
            (0, "log.line".into(), Form::Percent, true, 1),
            (0, "users.email".into(), Form::Exact, false, 1),
            (0, "users.email".into(), Form::OtherCase, true, 1),
            (1, "users.email".into(), Form::Exact, true, 1),
        ]
    );
    assert_eq!(report.gaps, []);
    assert_eq!(report.searched.iter().map(|searched| searched.rows).sum::<u64>(), 3 + 3 + 2 + 1, "a view is not read");
    assert_eq!(report.weak.len(), 1);
}

#[tokio::test]
async fn v_3_every_planted_value_is_found_and_nothing_stays_behind() {
    let table = "CREATE TABLE t (id INTEGER PRIMARY KEY, line TEXT)";
    for database in [Some(testing::sqlite(table).await), testing::postgres(table).await].into_iter().flatten() {
        let report = plain_scan(&database).await;
        assert!(report.control.holds(), "{:?}", report.control);
        assert!(report.control.planted > 50, "every form in text and in bytes");
        assert_eq!(report.hits, [], "the control is no hit");
        let again = plain_scan(&database).await;
        assert_eq!(again.searched.len(), 1, "no table of ours is left");
    }
}

#[tokio::test]
async fn v_3_a_session_that_cannot_plant_says_so() {
    let database = testing::sqlite("CREATE TABLE t (id INTEGER PRIMARY KEY)").await;
    let mut conn = database.db.session().await.unwrap();
    conn.on().execute_script("CREATE TEMPORARY TABLE habeas_control (n)").await.unwrap();
    let catalogue = load_catalogue(conn.on()).await.unwrap();
    let matcher = Matcher::build(&[&ada()]).unwrap();
    let search = Search { catalogue: &catalogue, matcher: &matcher, exclude: &BTreeSet::new(), is_retained: &|_, _, _| false };
    let report = scan(&mut conn, &search).await.unwrap();
    assert!(!report.control.holds() && report.control.problem.is_some() && report.control.planted > 0);
}

#[tokio::test]
async fn retained_rows_are_told_from_unexplained_ones_by_their_key() {
    let database = testing::sqlite(
        "CREATE TABLE invoices (id INTEGER PRIMARY KEY, buyer TEXT);
         INSERT INTO invoices VALUES (1, 'ada@example.com'), (2, 'ada@example.com');",
    )
    .await;
    let held = vec![KeyPart::Int(1)];
    let report = scan_for_ada(&database.db, &[], &|person, _, key| person == 0 && *key == held).await;
    assert_eq!((report.hits[0].count, report.hits[0].retained), (2, 1));
    assert_eq!((report.unexplained(0), report.unexplained(1)), (1, 0));
    let located: Vec<&Vec<Key>> = report.located.values().collect();
    assert_eq!(located, [&vec![vec![KeyPart::Int(2)]]]);
}

#[tokio::test]
async fn s_1_the_report_holds_places_and_counts_only() {
    let report = plain_scan(&testing::sqlite(SQLITE).await).await;
    let shown = format!("{report:?} {}", serde_json::to_string(&report).unwrap());
    assert!(!shown.contains("ada@") && !shown.contains("canada") && !shown.contains("Int(7"));
    assert!(shown.contains("\"main.blobs\""));
}

#[tokio::test]
async fn a_table_left_out_is_named() {
    let database = testing::sqlite(SQLITE).await;
    let users = TableName { schema: "main".into(), name: "users".into() };
    let report = scan_for_ada(&database.db, std::slice::from_ref(&users), &|_, _, _| false).await;
    assert!(report.hits.iter().all(|hit| hit.table != users));
    assert_eq!(report.excluded, [users]);
}

const POSTGRES: &str = "
    CREATE TABLE notes (id uuid PRIMARY KEY, doc jsonb, raw json, tags text[], body bytea, fixed char(20), sent inet, quantity int, ref_user_id int);
    INSERT INTO notes VALUES ('00000000-0000-0000-0000-000000000001', '{\"mail\": [\"ada@example.com\"]}', '{\"mail\": \"ADA\\u0040example.com ada@example.com\"}',
        ARRAY['x', 'ada@example.com'], 'ada@example.com', 'ada@example.com', '10.0.0.1', 42, 42);
    CREATE MATERIALIZED VIEW copies AS SELECT tags FROM notes;
    CREATE MATERIALIZED VIEW empty_copies AS SELECT tags FROM notes WITH NO DATA;
    CREATE TABLE secret (line text);
    INSERT INTO secret VALUES ('ada@example.com');
    CREATE TABLE walled (id int PRIMARY KEY, line text);
    INSERT INTO walled VALUES (1, 'ada@example.com');
    ALTER TABLE walled ENABLE ROW LEVEL SECURITY;
    DO 'BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END';
    GRANT SELECT ON notes, copies, empty_copies, walled TO reader;";

#[tokio::test]
async fn postgres_json_arrays_bytes_and_materialised_views_are_searched() {
    let Some(database) = testing::postgres(POSTGRES).await else { return };
    let report = plain_scan(&database).await;
    let expected = [
        ("copies.tags", Form::Exact),
        ("notes.body", Form::Exact),
        ("notes.doc", Form::Exact),
        ("notes.fixed", Form::Exact),
        ("notes.raw", Form::Exact),
        ("notes.ref_user_id", Form::WholeValue),
        ("notes.tags", Form::Exact),
        ("secret.line", Form::Exact),
        ("walled.line", Form::Exact),
    ];
    let found: Vec<(String, Form)> = places(&report).into_iter().map(|(_, place, form, ..)| (place, form)).collect();
    assert_eq!(found, expected.map(|(place, form)| (place.to_owned(), form)));
    // PostgreSQL itself says (`relispopulated`) that nothing is stored in `empty_copies`: what is known to be empty is no gap.
    assert_eq!(report.gaps, [], "a materialised view without data holds nothing");
    assert!(
        report.searched.iter().all(|searched| searched.table.name != "empty_copies"),
        "and is not claimed to have been searched"
    );
    let key = vec![KeyPart::Text("00000000-0000-0000-0000-000000000001".into())];
    assert!(report.located.values().any(|keys| keys == &vec![key.clone()]));
}

#[tokio::test]
async fn v_2_a_materialised_view_that_was_filled_since_the_catalogue_was_read_is_searched() {
    let Some(database) = testing::postgres(POSTGRES).await else { return };
    let mut conn = database.db.session().await.unwrap();
    let catalogue = load_catalogue(conn.on()).await.unwrap();
    conn.on().execute_script("REFRESH MATERIALIZED VIEW empty_copies").await.unwrap();
    let matcher = Matcher::build(&[&ada()]).unwrap();
    let search = Search { catalogue: &catalogue, matcher: &matcher, exclude: &BTreeSet::new(), is_retained: &|_, _, _| false };
    let found = scan(&mut conn, &search).await.unwrap();
    assert!(places(&found).iter().any(|(_, place, ..)| place == "empty_copies.tags"), "{:?}", places(&found));
}

#[tokio::test]
async fn v_2_what_the_role_cannot_see_is_a_gap() {
    let Some(database) = testing::postgres(POSTGRES).await else { return };
    let reader = database.as_role("reader", PoolOptions { read_only: true, ..PoolOptions::default() }).await;
    let report = scan_for_ada(&reader, &[], &|_, _, _| false).await;
    assert!(report.control.holds(), "a read-only session can still plant: {:?}", report.control);
    let gaps: Vec<&str> = report.gaps.iter().map(|gap| gap.place.as_str()).collect();
    // A view without data is no gap: the catalogue, which the role may always read, says that it holds nothing.
    assert_eq!(gaps, ["public.secret", "public.walled"]);
}
