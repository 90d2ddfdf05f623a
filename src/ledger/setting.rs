//! What the installation remembers about itself. A pinned value is written once and compared ever after: it is how a source that has
//! become another system (a restored copy, a test server) is noticed.

use jiff::Timestamp;

use super::LedgerError;
use crate::args;
use crate::db::Tx;

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
