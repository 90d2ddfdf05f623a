//! The one durable truth: requests, jobs, plans, holds, permits, evidence, journal. The same SQL text runs on SQLite and PostgreSQL;
//! one file per noun, each a set of functions on a [`Tx`], so that a state change and what follows from it commit together.
//! Ids are text, times are whole microseconds since the epoch, flags are 0 or 1, documents are JSON text, and what names a person is sealed.

pub mod approval;
pub mod archive;
pub mod certificate;
mod dialect;
mod error;
pub mod execution;
pub mod hold;
mod hold_row;
pub mod hold_set;
mod id;
pub mod job;
pub mod journal;
mod migrate;
pub mod permit;
pub mod plan;
pub mod request;
pub mod setting;
pub mod store_lock;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
pub(crate) mod tests;

use std::time::Duration;

pub(crate) use dialect::locking;
pub use error::LedgerError;
pub use id::new_id;

use crate::args;
use crate::db::{Db, DbError, Dialect, PoolOptions, Tx};

/// How long a caller waits for a ledger that others are writing to.
const PATIENCE: Duration = Duration::from_secs(10);

/// An open, migrated ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    db: Db,
}

impl Ledger {
    /// Opens `sqlite:PATH` (created when missing, WAL) or `postgres://…` and migrates it.
    pub async fn open(url: &str) -> Result<Ledger, LedgerError> {
        Self::open_with_patience(url, PATIENCE).await
    }

    /// The same for a caller who will wait shorter or longer than usual for a lock.
    pub async fn open_with_patience(url: &str, patience: Duration) -> Result<Ledger, LedgerError> {
        let options = PoolOptions {
            connections: 8,
            patience,
            create: true,
            wal: true,
            application_name: "habeas-ledger".into(),
            ..PoolOptions::default()
        };
        if url.starts_with("mysql:") || url.starts_with("mariadb:") {
            let problem = "the ledger lies in SQLite or PostgreSQL; MySQL and MariaDB can only be sources";
            return Err(DbError::Unreachable(problem.into()).into());
        }
        let db = Db::open(url, options).await?;
        refuse_lossy_commits(&db).await?;
        migrate::migrate(&db).await?;
        Ok(Ledger { db })
    }

    /// Begins a read-write transaction.
    pub async fn begin(&self) -> Result<Tx, LedgerError> {
        Ok(self.db.begin().await?)
    }

    /// The database, for reads outside a transaction and for LISTEN.
    pub fn db(&self) -> &Db {
        &self.db
    }

    /// Which SQL it speaks.
    pub fn dialect(&self) -> Dialect {
        self.db.dialect()
    }
}

/// An acknowledged request is never lost: a commit that PostgreSQL has not written down is no ground for acknowledging anything.
async fn refuse_lossy_commits(db: &Db) -> Result<(), LedgerError> {
    if db.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let mut tx = db.begin().await?;
    let row = tx.on().fetch_one("SELECT current_setting('synchronous_commit') AS setting", args![]).await?;
    if row.text("setting")? == "off" {
        return Err(LedgerError::NotDurable);
    }
    Ok(tx.rollback().await?)
}

/// Database time in microseconds: leases and permit deadlines live on it, because workers' clocks differ.
pub async fn database_now(tx: &mut Tx) -> Result<i64, LedgerError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER) AS now_us",
        Dialect::Postgres | Dialect::MySql => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now_us",
    };
    Ok(tx.on().fetch_one(sql, Vec::new()).await?.int("now_us")?)
}
