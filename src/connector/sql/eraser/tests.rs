//! H-2: a session is found by the permit that it works under, and ending it undoes what it has not committed.

use std::collections::BTreeMap;
use std::time::Duration;

use secrecy::SecretString;

use super::EraseSession;
use crate::args;
use crate::connector::sql::{SqlAddress, SqlSource};
use crate::db::testing::{self, TestDatabase};
use crate::erase::SessionKiller;

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
