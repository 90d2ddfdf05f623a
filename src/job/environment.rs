//! Which system a source's name stands for. It is pinned at the first look, and ever after a source that turns out to be another database
//! (a restored copy, a test server under the production name) is an error before anything is erased in it.

use jiff::Timestamp;

use crate::db::Tx;
use crate::ledger::LedgerError;
use crate::ledger::setting::{self, Pinned};

fn key(source: &str) -> String {
    format!("source.{source}.system_identity")
}

/// Which system a source's name stood for until now, as a ledger remembers it; nothing is pinned and nothing is created by asking.
pub async fn pinned_identity(ledger_url: &str, source: &str) -> Result<Option<String>, LedgerError> {
    setting::peek(ledger_url, &key(source)).await
}

/// Pins which system a source is, or compares it with the pinned one.
pub async fn pin_source(tx: &mut Tx, source: &str, identity: &str, now: Timestamp) -> Result<Pinned, LedgerError> {
    setting::pin(tx, &key(source), identity, now).await
}
