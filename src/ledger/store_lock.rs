//! Which versions of objects carry a store's legal hold because of holds of ours. A row is committed before a bit is set and deleted after it was
//! seen to be off, so that no bit of ours is ever without a row. A row of a hold that covers counts; a bit is cleared only where none is left and
//! a row says that it was us who set it. What nobody knows for certain is never cleared.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::LedgerError;
use crate::args;
use crate::db::{Record, Tx};

/// How far a lock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LockState {
    /// It was seen off and is about to be set.
    Setting,
    /// Set by us.
    Set,
    /// About to be cleared.
    Clearing,
    /// It is on, and nobody knows whether it was us: an attempt died beside it.
    Unsure,
}

impl LockState {
    fn as_str(self) -> &'static str {
        match self {
            LockState::Setting => "setting",
            LockState::Set => "set",
            LockState::Clearing => "clearing",
            LockState::Unsure => "unsure",
        }
    }

    /// A word of a newer program counts as unsure: nothing is cleared because of it.
    fn parse(text: &str) -> LockState {
        let known = [LockState::Setting, LockState::Set, LockState::Clearing];
        known.into_iter().find(|state| state.as_str() == text).unwrap_or(LockState::Unsure)
    }
}

/// One hold's row for one version.
#[derive(Debug, Clone)]
pub struct StoreLock {
    /// The hold.
    pub hold_id: String,
    /// Whether the hold has ceased to cover for good, or does so at the next look at what is due.
    pub is_over: bool,
    /// Whether its release is complete.
    pub is_released: bool,
    /// The configured store.
    pub source: String,
    /// The version, sealed.
    pub entry: Vec<u8>,
    /// How far the lock is.
    pub state: LockState,
    /// Since when.
    pub noted_at: Timestamp,
}

/// Locks of one hold, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LockTally {
    /// Versions that carry the store's legal hold because of it, set by us.
    pub ours: u64,
    /// Versions of which it is not settled yet, or cannot be known.
    pub unsettled: u64,
}

/// A hold that covers nothing any more, or from now on. Every other state counts as covering, also one of a newer program (H-1).
macro_rules! over {
    ($now:literal) => {
        concat!("(h.state = 'released' OR (h.state = 'releasing' AND h.release_at <= ", $now, "))")
    };
}

/// Every row for a version, whichever hold it is of.
pub async fn of_version(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<Vec<StoreLock>, LedgerError> {
    let sql = concat!(
        "SELECT l.hold_id, l.source, l.entry, l.state, l.noted_at, CAST(CASE WHEN ",
        over!("$2"),
        " THEN 1 ELSE 0 END AS BIGINT) AS is_over, CAST(CASE WHEN h.state = 'released' THEN 1 ELSE 0 END AS BIGINT) AS is_released \
         FROM store_lock l JOIN hold h ON h.id = l.hold_id WHERE l.entry_ref = $1 ORDER BY l.hold_id"
    );
    tx.on().fetch_all(sql, args![entry_ref, now]).await?.iter().map(read).collect()
}

/// Writes the row of one hold and version, or changes its state.
pub async fn note(
    tx: &mut Tx,
    hold_id: &str,
    source: &str,
    (entry_ref, sealed): (&str, Vec<u8>),
    state: LockState,
    now: Timestamp,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO store_lock (hold_id, source, entry_ref, entry, state, noted_at) VALUES ($1, $2, $3, $4, $5, $6) \
               ON CONFLICT (hold_id, entry_ref) DO UPDATE SET state = excluded.state, noted_at = excluded.noted_at";
    tx.on().execute(sql, args![hold_id, source, entry_ref, sealed, state.as_str(), now]).await?;
    Ok(())
}

/// It is off: what was set by us before counts no more, for whichever hold.
pub async fn seen_off(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE store_lock SET state = 'setting', noted_at = $2 WHERE entry_ref = $1 AND state = 'set'";
    tx.on().execute(sql, args![entry_ref, now]).await?;
    Ok(())
}

/// It was seen off, set by us and seen on: ours, for every hold that waits for it.
pub async fn confirm(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE store_lock SET state = 'set', noted_at = $2 WHERE entry_ref = $1 AND state IN ('setting', 'unsure')";
    tx.on().execute(sql, args![entry_ref, now]).await?;
    Ok(())
}

/// Nothing was set for this hold, and that is known.
pub async fn forget(tx: &mut Tx, hold_id: &str, entry_ref: &str) -> Result<(), LedgerError> {
    let sql = "DELETE FROM store_lock WHERE hold_id = $1 AND entry_ref = $2 AND state = 'setting'";
    tx.on().execute(sql, args![hold_id, entry_ref]).await?;
    Ok(())
}

/// Versions with rows of holds that are over, in the order of their hashes, after the given one.
pub async fn over(tx: &mut Tx, now: Timestamp, after: &str, limit: i64) -> Result<Vec<String>, LedgerError> {
    let sql = concat!(
        "SELECT DISTINCT l.entry_ref FROM store_lock l JOIN hold h ON h.id = l.hold_id WHERE ",
        over!("$1"),
        " AND l.entry_ref > $2 ORDER BY l.entry_ref LIMIT $3"
    );
    let rows = tx.on().fetch_all(sql, args![now, after, limit]).await?;
    rows.iter().map(|row| Ok(row.text("entry_ref")?)).collect()
}

/// About to clear what we set. False if there is nothing that we set, or if somebody else is at it.
pub async fn begin_clearing(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<bool, LedgerError> {
    let sql = "UPDATE store_lock SET state = 'clearing', noted_at = $2 WHERE entry_ref = $1 AND state = 'set'";
    Ok(tx.on().execute(sql, args![entry_ref, now]).await? > 0)
}

/// It was not cleared, and that is known: it is as much ours as it was.
pub async fn not_cleared(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE store_lock SET state = 'set', noted_at = $2 WHERE entry_ref = $1 AND state = 'clearing'";
    tx.on().execute(sql, args![entry_ref, now]).await?;
    Ok(())
}

/// Nobody knows whose it is.
pub async fn doubt(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE store_lock SET state = 'unsure', noted_at = $2 WHERE entry_ref = $1 AND state IN ('setting', 'clearing')";
    tx.on().execute(sql, args![entry_ref, now]).await?;
    Ok(())
}

/// Strikes off the rows of holds that are over: the bit was seen off, or another hold keeps it.
pub async fn strike_off(tx: &mut Tx, entry_ref: &str, now: Timestamp) -> Result<(), LedgerError> {
    let sql =
        concat!("DELETE FROM store_lock WHERE entry_ref = $1 AND hold_id IN (SELECT h.id FROM hold h WHERE ", over!("$2"), ")");
    tx.on().execute(sql, args![entry_ref, now]).await?;
    Ok(())
}

/// How many versions each hold locks; none for a hold that locks nothing.
pub async fn tallies(tx: &mut Tx) -> Result<BTreeMap<String, LockTally>, LedgerError> {
    let sql = "SELECT hold_id, COUNT(CASE WHEN state = 'set' THEN 1 END) AS ours, COUNT(*) AS n FROM store_lock GROUP BY hold_id";
    let mut tallies = BTreeMap::new();
    for row in tx.on().fetch_all(sql, args![]).await? {
        let count = |name: &str| row.int(name).map(|count| u64::try_from(count).unwrap_or_default());
        let (ours, all) = (count("ours")?, count("n")?);
        tallies.insert(row.text("hold_id")?, LockTally { ours, unsettled: all.saturating_sub(ours) });
    }
    Ok(tallies)
}

fn read(row: &Record) -> Result<StoreLock, LedgerError> {
    Ok(StoreLock {
        hold_id: row.text("hold_id")?,
        is_over: row.int("is_over")? == 1,
        is_released: row.int("is_released")? == 1,
        source: row.text("source")?,
        entry: row.bytes("entry")?,
        state: LockState::parse(&row.text("state")?),
        noted_at: row.instant("noted_at")?,
    })
}
