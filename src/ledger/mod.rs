//! The one durable truth: requests, jobs, plans, holds, permits, evidence, journal. The same SQL text runs on SQLite and PostgreSQL;
//! one file per noun, each a set of functions on a [`Tx`], so that a state change and what follows from it commit together.
//! Ids are text, times are whole microseconds since the epoch, flags are 0 or 1, documents are JSON text, and what names a person is sealed.

pub mod hold;
mod hold_row;
pub mod hold_set;
mod migrate;
pub mod permit;

use std::time::Duration;

use thiserror::Error;

use crate::db::{Db, DbError, Dialect, PoolOptions, Tx};

/// What can go wrong with the ledger.
#[derive(Debug, Error)]
pub enum LedgerError {
    /// The database refused.
    #[error(transparent)]
    Database(#[from] DbError),
    /// A newer program has migrated this ledger.
    #[error("the ledger is of version {found}, this program knows versions up to {known}")]
    Newer {
        /// Version in the ledger.
        found: i64,
        /// Newest version that we know.
        known: i64,
    },
    /// A document in the ledger cannot be read.
    #[error("the ledger holds a {noun} that cannot be read: {problem}")]
    Unreadable {
        /// Which noun.
        noun: &'static str,
        /// What is wrong.
        problem: String,
    },
    /// A write by an attempt that no longer holds the job.
    #[error("this attempt no longer holds the job: another worker has taken over")]
    Stale,
}

/// An open, migrated ledger.
#[derive(Clone, Debug)]
pub struct Ledger {
    db: Db,
}

impl Ledger {
    /// Opens `sqlite:PATH` (created when missing, WAL) or `postgres://…` and migrates it.
    pub async fn open(url: &str) -> Result<Ledger, LedgerError> {
        let options = PoolOptions {
            connections: 8,
            patience: Duration::from_secs(10),
            create: true,
            wal: true,
            application_name: "habeas-ledger".into(),
            ..PoolOptions::default()
        };
        let db = Db::open(url, options).await?;
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

/// Database time in microseconds: leases and permit deadlines live on it, because workers' clocks differ.
pub async fn database_now(tx: &mut Tx) -> Result<i64, LedgerError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT CAST((julianday('now') - 2440587.5) * 86400000000.0 AS INTEGER) AS now_us",
        Dialect::Postgres => "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) AS now_us",
    };
    Ok(tx.on().fetch_one(sql, Vec::new()).await?.int("now_us")?)
}
