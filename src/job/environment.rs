//! Which system a source's name stands for. It is pinned at the first look, and ever after a source that turns out to be another database
//! (a restored copy, a test server under the production name) is an error before anything is erased in it.

use jiff::Timestamp;

use crate::connector::sql::SqlSource;
use crate::db::Tx;
use crate::ledger::LedgerError;
use crate::ledger::setting::{self, Pinned};

/// Pins the source's system identity, or compares it with the pinned one.
pub async fn pin_source(tx: &mut Tx, source: &SqlSource, now: Timestamp) -> Result<Pinned, LedgerError> {
    let key = format!("source.{}.system_identity", source.name);
    setting::pin(tx, &key, &source.catalogue.system_identity, now).await
}
