//! H-2: a session is found by the permit that it works under, and ending it undoes what it has not committed. E-1: a batch that does not change
//! exactly the rows that it names is undone before anything else is looked at.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::{Applied, EraseSession, RowState, SqlBatch};
use crate::args;
use crate::connector::sql::text::batch::{self, BatchRows, Guard};
use crate::connector::sql::{Location, SqlAddress, SqlSource};
use crate::datamap::NodeId;
use crate::db::testing::{self, TestDatabase};
use crate::erase::SessionKiller;
use crate::plan::Action;
use crate::value::KeyPart;

const SCHEMA: &str = "CREATE TABLE t (id INT PRIMARY KEY); INSERT INTO t VALUES (1), (2)";
const TTL: Duration = Duration::from_secs(20);

async fn source(database: &TestDatabase) -> BTreeMap<String, SqlSource> {
    let url = SecretString::from(database.url.clone());
    let source = SqlSource::open(&SqlAddress { name: "app".into(), url, verify_url: None }).await.unwrap();
    BTreeMap::from([("app".to_owned(), source)])
}

async fn databases() -> Vec<TestDatabase> {
    [testing::postgres(SCHEMA).await, testing::mariadb(SCHEMA).await].into_iter().flatten().collect()
}

async fn rows(database: &TestDatabase) -> i64 {
    let mut session = database.db.session().await.unwrap();
    session.on().fetch_one("SELECT COUNT(*) AS n FROM t", args![]).await.unwrap().int("n").unwrap()
}

#[tokio::test]
async fn h_2_after_a_session_was_ended_by_its_permit_nothing_of_it_can_commit() {
    for database in databases().await {
        let sources = source(&database).await;
        let mut session = EraseSession::begin(&sources["app"], None, "permit-1", TTL).await.unwrap();
        assert_eq!(session.conn.on().execute("DELETE FROM t WHERE id = 1", args![]).await.unwrap(), 1);
        sources.end_session("app", "permit-1", std::time::Duration::ZERO).await.unwrap();
        // The answer comes when the transaction is undone, not before: whoever wants the row need not wait for it.
        let mut other = database.db.session().await.unwrap();
        assert_eq!(other.on().execute("UPDATE t SET id = 1 WHERE id = 1", args![]).await.unwrap(), 1);
        assert!(session.commit().await.is_err(), "nobody may believe that it committed");
        assert_eq!(rows(&database).await, 2);
    }
}

#[tokio::test]
async fn h_2_ending_the_session_of_a_settled_permit_leaves_the_next_one_alone() {
    for database in databases().await {
        let sources = source(&database).await;
        let mut first = EraseSession::begin(&sources["app"], None, "permit-1", TTL).await.unwrap();
        first.conn.on().execute("DELETE FROM t WHERE id = 1", args![]).await.unwrap();
        let idle = first.commit().await.unwrap();
        let mut second = EraseSession::begin(&sources["app"], Some(idle), "permit-2", TTL).await.unwrap();
        second.conn.on().execute("DELETE FROM t WHERE id = 2", args![]).await.unwrap();
        sources.end_session("app", "permit-1", std::time::Duration::ZERO).await.unwrap();
        second.commit().await.unwrap();
        assert_eq!(rows(&database).await, 0);
    }
}

/// Some servers close a session that stands idle between two permits.
#[tokio::test]
async fn a_session_that_the_server_closed_between_permits_is_replaced() {
    let Some(database) = testing::mariadb(SCHEMA).await else { return };
    let sources = source(&database).await;
    let idle = EraseSession::begin(&sources["app"], None, "permit-1", TTL).await.unwrap().commit().await.unwrap();
    sources.end_session("app", "permit-1", std::time::Duration::ZERO).await.unwrap();
    let mut second = EraseSession::begin(&sources["app"], Some(idle), "permit-2", TTL).await.unwrap();
    second.conn.on().execute("DELETE FROM t WHERE id = 2", args![]).await.unwrap();
    second.commit().await.unwrap();
    assert_eq!(rows(&database).await, 1);
}

const OWNED: &str =
    "CREATE TABLE t (id INT PRIMARY KEY, owner INT, note VARCHAR(20)); INSERT INTO t VALUES (1, 7, 'a'), (2, 7, 'b'), (3, 7, 'c')";

/// A step on all rows of `t`, as they are now.
async fn frozen(source: &SqlSource, database: &TestDatabase, action: Action) -> SqlBatch {
    let table = source.catalogue.find(None, "t").unwrap();
    let location = Location::new(NodeId(0), "app", "t", table);
    let guard = vec!["owner".to_owned()];
    let is_overwritten = matches!(action, Action::Overwrite { .. });
    let mut rows = BatchRows {
        keys: (1..=3).map(|id| vec![KeyPart::Int(id)]).collect(),
        fingerprints: vec![String::new(); 3],
        values: if is_overwritten { vec![vec![Some("gone".to_owned())]; 3] } else { Vec::new() },
    };
    let mut session = database.db.session().await.unwrap();
    super::load_batch(&mut session, &location, &rows).await.unwrap();
    let guarded = Guard { columns: &guard, held: &[], unreferenced: &[], counted: &[] };
    let statement = batch::inspect(&location, &rows, &[], guarded, source.dialect()).unwrap();
    let now = session.on().fetch_all(statement.sql, statement.args).await.unwrap();
    rows.keys = now.iter().map(|record| super::decode::key(record, 1).unwrap()).collect();
    rows.fingerprints = now.iter().map(|record| RowState::read(record, 1, 0).unwrap().fingerprint).collect();
    assert_eq!(rows.keys.len(), 3);
    let (unreferenced, counted) = (Vec::new(), Vec::new());
    let source = "app".into();
    SqlBatch { source, location, action, guard, unreferenced, counted, rows, co_owned: false, stays_with_others: false }
}

/// One of three rows has come to be somebody else's between plan and erasure: the statement that changes fewer rows than it names is undone as a
/// whole, and then the two others are changed, counted, and no more.
#[tokio::test]
async fn e_1_a_batch_of_which_one_row_has_changed_is_undone_and_then_sorted() {
    let overwrite = Action::Overwrite { columns: vec!["note".into()], paths: vec![Vec::new()] };
    for action in [Action::Delete, overwrite] {
        let all = [Some(testing::sqlite(OWNED).await), testing::postgres(OWNED).await, testing::mariadb(OWNED).await];
        for database in all.into_iter().flatten() {
            let sources = source(&database).await;
            let stale = frozen(&sources["app"], &database, action.clone()).await;
            let mut other = database.db.session().await.unwrap();
            assert_eq!(other.on().execute("UPDATE t SET owner = 8 WHERE id = 2", args![]).await.unwrap(), 1);
            drop(other);
            let mut session = EraseSession::begin(&sources["app"], None, "permit-1", TTL).await.unwrap();
            assert_eq!(session.apply_whole(&stale, &[]).await.unwrap(), None, "two rows are not three");
            let untouched = "SELECT COUNT(*) AS n FROM t WHERE note <> 'gone'";
            let left = session.conn.on().fetch_one(untouched, args![]).await.unwrap().int("n").unwrap();
            assert_eq!(left, 3, "what the statement had changed is undone: {action:?}");
            let applied = session.apply_rows(&stale, &[]).await.unwrap();
            assert_eq!(applied, Applied { affected: 2, already_done: 0, held: 0, changed: 1 }, "{action:?}");
            session.commit().await.unwrap();
            let mut other = database.db.session().await.unwrap();
            let his = "SELECT COUNT(*) AS n FROM t WHERE id = 2 AND owner = 8 AND note = 'b'";
            assert_eq!(other.on().fetch_one(his, args![]).await.unwrap().int("n").unwrap(), 1, "{action:?}");
            assert_eq!(other.on().fetch_one(untouched, args![]).await.unwrap().int("n").unwrap(), 1, "{action:?}");
        }
    }
}

#[test]
fn e_1_in_json_that_stays_with_others_their_parts_may_go_and_the_subjects_may_not_come_back() {
    let path = [vec!["ids".to_owned()]];
    let is_done =
        |present: &str, with_others: bool| super::is_as_written(Some(present), Some(r#"{"ids":[null,2,3]}"#), &path, with_others);
    assert!(is_done(r#"{"ids":[null,2,3]}"#, true) && is_done(r#"{"ids":[null,2,3],"n":1}"#, false));
    assert!(is_done(r#"{"ids":[null,null,3]}"#, true), "the second has been cleared too");
    assert!(!is_done(r#"{"ids":[null,null,3]}"#, false));
    assert!(!is_done(r#"{"ids":[1,2,3]}"#, true), "the subject's stands there again");
    assert!(!is_done("no json", true));
}
