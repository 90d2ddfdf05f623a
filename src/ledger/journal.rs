//! The journal's rows: entries and checkpoints. Entries only ever arrive, one after the other: an append holds a lock until its
//! transaction ends, so that positions have no gaps and a reader never sees entry n+1 before entry n. What an entry means, and whether
//! the rows are still what was written, is the business of `crate::journal`.

use futures_util::stream::BoxStream;
use jiff::Timestamp;

use super::{Ledger, LedgerError};
use crate::args;
use crate::db::{Conn, DbError, Dialect, Record, Tx};

/// One entry as it lies in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalRow {
    /// Position, from 0.
    pub seq: u64,
    /// The time column.
    pub at: Timestamp,
    /// The canonical text.
    pub entry: String,
    /// The leaf hash column.
    pub leaf_hash: Vec<u8>,
}

/// One signed checkpoint as it lies in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointRow {
    /// How many entries it covers.
    pub size: u64,
    /// The root column.
    pub root: Vec<u8>,
    /// The signed note.
    pub note: String,
    /// When it was signed.
    pub at: Timestamp,
}

/// Adds an entry and tells its position. Other appends wait until the transaction ends, so it belongs at the transaction's end.
pub(crate) async fn append_entry(tx: &mut Tx, at: Timestamp, entry: &str, leaf_hash: &[u8; 32]) -> Result<u64, LedgerError> {
    // SQLite's transactions hold the only write lock from their beginning.
    if tx.dialect() == Dialect::Postgres {
        tx.on().execute("SELECT pg_advisory_xact_lock(7091977)", args![]).await?;
    }
    let row = tx.on().fetch_one("SELECT COALESCE(MAX(seq) + 1, 0) AS next FROM journal_entry", args![]).await?;
    let seq = row.int("next")?;
    tx.on()
        .execute(
            "INSERT INTO journal_entry (seq, at, entry, leaf_hash) VALUES ($1, $2, $3, $4)",
            args![seq, at, entry, leaf_hash.as_slice()],
        )
        .await?;
    Ok(seq as u64)
}

/// Entries from a position on, at most `limit` of them, in order: for showing.
pub async fn entries(ledger: &Ledger, from: u64, limit: u32) -> Result<Vec<JournalRow>, LedgerError> {
    let mut session = ledger.db().session().await?;
    let rows = session
        .on()
        .fetch_all(
            "SELECT seq, at, entry, leaf_hash FROM journal_entry WHERE seq >= $1 ORDER BY seq LIMIT $2",
            args![from as i64, i64::from(limit)],
        )
        .await?;
    rows.iter().map(journal_row).collect()
}

/// How many entries there are.
pub async fn size(ledger: &Ledger) -> Result<u64, LedgerError> {
    let mut session = ledger.db().session().await?;
    Ok(session.on().fetch_one("SELECT COUNT(*) AS entries FROM journal_entry", args![]).await?.int("entries")? as u64)
}

/// All entries in order, read in one statement and so from one snapshot. Rows go through [`journal_row`].
pub(crate) fn stream_entries(session: &mut Conn) -> Result<BoxStream<'_, Result<Record, DbError>>, LedgerError> {
    Ok(session.on().stream("SELECT seq, at, entry, leaf_hash FROM journal_entry ORDER BY seq", args![])?)
}

/// Leaf hashes of the entries `start <= seq < end`, in order.
pub(crate) fn stream_leaf_hashes(
    session: &mut Conn,
    start: u64,
    end: u64,
) -> Result<BoxStream<'_, Result<Record, DbError>>, LedgerError> {
    Ok(session
        .on()
        .stream("SELECT leaf_hash FROM journal_entry WHERE seq >= $1 AND seq < $2 ORDER BY seq", args![start as i64, end as i64])?)
}

/// Reads a row of [`stream_entries`].
pub(crate) fn journal_row(row: &Record) -> Result<JournalRow, LedgerError> {
    Ok(JournalRow {
        seq: row.int("seq")? as u64,
        at: row.instant("at")?,
        entry: row.text("entry")?,
        leaf_hash: row.bytes("leaf_hash")?,
    })
}

/// Keeps a checkpoint; one of the same size that is there already stays.
pub(crate) async fn keep_checkpoint(tx: &mut Tx, size: u64, root: &[u8; 32], note: &str, at: Timestamp) -> Result<(), LedgerError> {
    tx.on()
        .execute(
            "INSERT INTO checkpoint (size, root, note, at) VALUES ($1, $2, $3, $4) ON CONFLICT (size) DO NOTHING",
            args![size as i64, root.as_slice(), note, at],
        )
        .await?;
    Ok(())
}

/// All checkpoints, smallest first.
pub async fn checkpoints(ledger: &Ledger) -> Result<Vec<CheckpointRow>, LedgerError> {
    let mut session = ledger.db().session().await?;
    let rows = session.on().fetch_all("SELECT size, root, note, at FROM checkpoint ORDER BY size", args![]).await?;
    rows.iter()
        .map(|row| {
            Ok(CheckpointRow {
                size: row.int("size")? as u64,
                root: row.bytes("root")?,
                note: row.text("note")?,
                at: row.instant("at")?,
            })
        })
        .collect()
}
