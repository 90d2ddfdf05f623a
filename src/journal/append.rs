//! Adding to the journal. The entry commits with the change that it records, in the caller's transaction.

use super::event::Event;
use super::merkle::leaf_hash;
use crate::db::Tx;
use crate::ledger::{LedgerError, journal};

/// Adds an event and tells its position. Call it last in a transaction: other appends wait until the transaction ends.
pub async fn append(tx: &mut Tx, event: &Event) -> Result<u64, LedgerError> {
    let entry = event.canonical();
    journal::append_entry(tx, event.at(), &entry, &leaf_hash(entry.as_bytes())).await
}
