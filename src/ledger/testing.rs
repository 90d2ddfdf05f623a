//! Ledgers for tests: a SQLite file, and a database of the private PostgreSQL server that all tests of the process share.

use std::sync::Arc;

use tempfile::TempDir;

use super::Ledger;
use crate::crypto::Keys;
use crate::db::testing::Server;

/// A ledger of a test's own. What it lives in goes with it.
pub(crate) struct TestLedger {
    /// Where it is: further pools, as other processes have them, can be opened on it.
    pub url: String,
    /// The ledger.
    pub ledger: Ledger,
    /// Keys of a test's own.
    pub keys: Keys,
    _folder: TempDir,
    _server: Option<Arc<Server>>,
}

/// An empty ledger on each database that there is here; SQLite comes first. Says so where PostgreSQL is missing.
pub(crate) async fn ledgers() -> Vec<TestLedger> {
    let mut all = vec![on_sqlite().await];
    all.extend(on_postgres().await);
    all
}

/// An empty ledger on SQLite.
pub(crate) async fn on_sqlite() -> TestLedger {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("ledger.db").display());
    open(url, folder, None).await
}

/// An empty ledger on PostgreSQL, where that is installed.
pub(crate) async fn on_postgres() -> Option<TestLedger> {
    let (server, url) = Server::new_database().await?;
    Some(open(url, tempfile::tempdir().unwrap(), Some(server)).await)
}

async fn open(url: String, folder: TempDir, server: Option<Arc<Server>>) -> TestLedger {
    Keys::create_missing(&folder.path().join("keys")).unwrap();
    let keys = Keys::load(&folder.path().join("keys")).unwrap();
    let ledger = Ledger::open(&url).await.unwrap();
    TestLedger { url, ledger, keys, _folder: folder, _server: server }
}
