//! What the installation remembers about itself. A pinned value is written once and compared ever after: it is how a source that has
//! become another system (a restored copy, a test server) is noticed.

use jiff::Timestamp;

use super::LedgerError;
use crate::args;
use crate::db::{Db, PoolOptions, Tx};

/// What pinning found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pinned {
    /// Nothing was pinned under this key; now this value is.
    First,
    /// The same value was pinned before.
    Same,
    /// Another value was pinned before, and stays.
    Other(String),
}

async fn get(tx: &mut Tx, key: &str) -> Result<Option<String>, LedgerError> {
    let row = tx.on().fetch_optional("SELECT value FROM setting WHERE key = $1", args![key]).await?;
    Ok(row.map(|row| row.text("value")).transpose()?)
}

/// Reads a setting of a ledger without opening it as one: nothing is created, migrated or written. `None` also where there is no such
/// setting; an error where there is no ledger.
pub async fn peek(ledger_url: &str, key: &str) -> Result<Option<String>, LedgerError> {
    let db = Db::open(ledger_url, PoolOptions { connections: 1, read_only: true, ..PoolOptions::default() }).await?;
    let mut tx = db.begin().await?;
    let value = get(&mut tx, key).await;
    tx.rollback().await?;
    db.close().await;
    value
}

/// Writes a setting if there is none yet, and otherwise compares.
pub async fn pin(tx: &mut Tx, key: &str, value: &str, now: Timestamp) -> Result<Pinned, LedgerError> {
    let sql = "INSERT INTO setting (key, value, updated_at) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING";
    if tx.on().execute(sql, args![key, value, now]).await? == 1 {
        return Ok(Pinned::First);
    }
    match get(tx, key).await? {
        Some(pinned) if pinned == value => Ok(Pinned::Same),
        Some(pinned) => Ok(Pinned::Other(pinned)),
        None => Err(LedgerError::NotFound { noun: "setting" }),
    }
}
