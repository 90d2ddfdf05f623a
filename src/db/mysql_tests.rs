//! What a MySQL session of ours means, whatever the server's own defaults are.

use super::testing;
use crate::args;
use crate::value::KeyPart;

const TABLE: &str =
    "CREATE TABLE t (id VARCHAR(40) CHARACTER SET latin1 PRIMARY KEY, exact VARCHAR(40) COLLATE utf8mb4_bin, raw VARBINARY(40),
    zero DATE, big BIGINT UNSIGNED)";

#[tokio::test]
async fn text_goes_into_columns_of_other_character_sets_and_comes_back_as_text() {
    let Some(database) = testing::mariadb(TABLE).await else { return };
    let mut session = database.db.session().await.unwrap();
    let insert = "INSERT INTO t VALUES ($1, $1, $2, '0000-00-00', 18446744073709551615)";
    session.on().execute(insert, args!["jos\u{e9}", "jos\u{e9}".as_bytes()]).await.unwrap();
    let select = "SELECT CAST(id AS CHAR), exact, raw, CAST(zero AS CHAR), CAST(big AS CHAR), HEX(id) FROM t WHERE id = $1";
    let text = |part: &str| KeyPart::Text(part.to_owned());
    // With arguments and without, that is prepared and plain: the driver reads the two in different ways.
    for (sql, args) in [(select, args!["jos\u{e9}"]), ("SELECT id, exact, raw, zero, big, HEX(id) FROM t", args![])] {
        let row = session.on().fetch_one(sql, args).await.unwrap();
        let parts: Vec<KeyPart> = (0..6).map(|at| row.key_part_at(at).unwrap()).collect();
        let bytes = KeyPart::Blob("jos\u{e9}".as_bytes().to_vec());
        let number = text("18446744073709551615");
        assert!(parts == [text("jos\u{e9}"), text("jos\u{e9}"), bytes, text("0000-00-00"), number, text("6A6F73E9")]);
    }
}

#[tokio::test]
async fn a_session_is_strict_reads_names_in_quotes_and_knows_no_backslash() {
    let Some(database) = testing::mariadb("CREATE TABLE t (n TINYINT, at TIMESTAMP)").await else { return };
    let mut session = database.db.session().await.unwrap();
    assert!(
        session.on().execute("INSERT INTO t (n) VALUES ($1)", args![300]).await.is_err(),
        "the server's own mode would store 127"
    );
    let row =
        session.on().fetch_one(r#"SELECT 'a\' || "n" AS joined, $1 + 0 AS n FROM (SELECT 'b' AS "n") x"#, args![2]).await.unwrap();
    assert_eq!((row.text("joined").unwrap().as_str(), row.int("n").unwrap()), (r"a\b", 2));
    session.on().execute_script("INSERT INTO t (at) VALUES ('2024-03-31 01:30:00')").await.unwrap();
    let row = session.on().fetch_one("SELECT UNIX_TIMESTAMP(at) AS at FROM t", args![]).await.unwrap();
    assert_eq!(row.text("at").unwrap(), "1711848600", "UTC, in the hour that Vienna has not");
    let row = session
        .on()
        .fetch_one("SELECT 'a' = 'a ' COLLATE utf8mb4_bin AS padded, COUNT(*) AS n, SUM(1) AS sum FROM t", args![])
        .await
        .unwrap();
    assert_eq!((row.int("n").unwrap(), row.int("sum").unwrap()), (1, 1));
    assert_eq!(session.on().execute("UPDATE t SET n = NULL", args![]).await.unwrap(), 1, "found, though nothing changed");
}
