//! Legal holds in the ledger. Every change takes the epoch's lock first, so that holds and permits have one order: a permit opened
//! after a hold was placed has seen it, and one opened before is waited for. Scopes are sealed; aliases are keyed hashes.
//! What may follow what is decided in `hold::lifecycle`; nothing here lets a hold go on its own account.

use jiff::Timestamp;
use thiserror::Error;

use super::hold_row::{self, HoldRow};
use super::{LedgerError, database_now, permit};
use crate::args;
use crate::crypto::{CryptoError, Keys, random_code};
use crate::db::{DbError, Dialect, Tx};
use crate::hold::{Grace, HoldRef, Life, NewHold, Refusal, Scope, State};

pub use super::hold_row::Hold;

/// Purpose under which scopes are sealed.
pub(crate) const SCOPE_SEAL: &str = "hold scope";

/// What can go wrong with a hold.
#[derive(Debug, Error)]
pub enum HoldError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Sealing failed, or no random bytes.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// The step is not allowed.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// No such hold.
    #[error("there is no hold `{id}`")]
    NotFound {
        /// As asked for.
        id: String,
    },
    /// Older permits are open, so that "active" would be a lie (H-2).
    #[error("erasures that began before the hold are still open: {open}")]
    InFlight {
        /// How many permits.
        open: usize,
    },
}

impl From<DbError> for HoldError {
    fn from(error: DbError) -> Self {
        HoldError::Ledger(error.into())
    }
}

/// A hold that has just been placed: it covers for every permit from now on, but is not active before older ones are settled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its id.
    pub id: String,
    /// Permits below this epoch have not seen it.
    pub epoch: i64,
}

/// Stores a proposal, which covers nothing yet. Returns its id.
pub async fn propose(tx: &mut Tx, keys: &Keys, hold: &NewHold, by: &str, now: Timestamp) -> Result<String, HoldError> {
    insert(tx, keys, hold, &Life::propose(by, now)?, None).await
}

/// Places a hold, by one person and at once. Commit, then drain.
pub async fn place(tx: &mut Tx, keys: &Keys, hold: &NewHold, by: &str, now: Timestamp) -> Result<Placed, HoldError> {
    let life = Life::place_at_once(by, now)?;
    let epoch = raise_epoch(tx).await?;
    let id = insert(tx, keys, hold, &life, Some(epoch)).await?;
    Ok(Placed { id, epoch })
}

/// Places what was proposed. Commit, then drain.
pub async fn place_proposed(tx: &mut Tx, id: &str, by: &str, now: Timestamp) -> Result<Placed, HoldError> {
    let epoch = raise_epoch(tx).await?;
    let mut row = existing(tx, id).await?;
    row.hold.life.place(by, now)?;
    let barrier = database_now(tx).await?;
    tx.on().execute("UPDATE hold SET epoch = $2, barrier_at = $3 WHERE id = $1", args![id, epoch, barrier]).await?;
    hold_row::save_life(tx, id, &row.hold.life).await?;
    Ok(Placed { id: id.to_owned(), epoch })
}

/// Makes a placed hold active; refused while any permit that has not seen it may still commit (H-2). Once active, or on its way out,
/// it stays as it is (E-3).
pub async fn activate(tx: &mut Tx, id: &str, now: Timestamp) -> Result<(), HoldError> {
    lock_epoch(tx).await?;
    let mut row = existing(tx, id).await?;
    let open = match row.hold.epoch {
        Some(epoch) => permit::open_permits_before(tx, epoch).await?.len(),
        None => 0,
    };
    if open > 0 {
        return Err(HoldError::InFlight { open });
    }
    if matches!(row.hold.life.state, State::Active | State::Releasing) {
        return Ok(());
    }
    row.hold.life.activate(now)?;
    hold_row::save_life(tx, id, &row.hold.life).await
}

/// The first person asks for the release. `requesters` are all who asked for an erasure that the hold affects.
pub async fn request_release(tx: &mut Tx, id: &str, by: &str, now: Timestamp, requesters: &[String]) -> Result<(), HoldError> {
    lock_epoch(tx).await?;
    let mut row = existing(tx, id).await?;
    row.hold.life.request_release(by, now, requesters)?;
    hold_row::save_life(tx, id, &row.hold.life).await
}

/// The second person agrees, and the grace begins. Returns when it ends.
pub async fn approve_release(
    tx: &mut Tx,
    id: &str,
    by: &str,
    now: Timestamp,
    requesters: &[String],
    grace: Grace,
) -> Result<Timestamp, HoldError> {
    lock_epoch(tx).await?;
    let mut row = existing(tx, id).await?;
    row.hold.life.approve_release(by, now, requesters, grace)?;
    hold_row::save_life(tx, id, &row.hold.life).await?;
    Ok(row.hold.life.release_at.unwrap_or(Timestamp::MAX))
}

/// Calls off a release, by one person, as long as the hold still covers.
pub async fn keep(tx: &mut Tx, id: &str) -> Result<(), HoldError> {
    lock_epoch(tx).await?;
    let mut row = existing(tx, id).await?;
    row.hold.life.keep()?;
    hold_row::save_life(tx, id, &row.hold.life).await
}

/// Ends all holds whose grace is over. The caller queues the requests that they kept open, in the same transaction.
pub async fn finish_due_releases(tx: &mut Tx, now: Timestamp) -> Result<Vec<HoldRef>, HoldError> {
    let sql = "SELECT id FROM hold WHERE state = 'releasing' AND release_at <= $1 ORDER BY id";
    if tx.on().fetch_all(sql, args![now]).await?.is_empty() {
        return Ok(Vec::new());
    }
    // Read again under the lock: somebody may have called a release off meanwhile.
    raise_epoch(tx).await?;
    let mut released = Vec::new();
    for record in tx.on().fetch_all(sql, args![now]).await? {
        let id = record.text("id")?;
        let mut row = existing(tx, &id).await?;
        row.hold.life.finish_release(now)?;
        hold_row::save_life(tx, &id, &row.hold.life).await?;
        released.push(row.hold.reference());
    }
    Ok(released)
}

/// One hold.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Hold, HoldError> {
    Ok(existing(tx, id).await?.hold)
}

/// The scope of one hold, opened. It may name a person: show it to those who may see that, and never log it.
pub async fn scope(tx: &mut Tx, keys: &Keys, id: &str) -> Result<Scope, HoldError> {
    let plain = keys.open(SCOPE_SEAL, &existing(tx, id).await?.sealed_scope)?;
    let unreadable = |_| LedgerError::Unreadable { noun: "hold scope", problem: "it is of an unknown format".into() };
    Ok(serde_json::from_slice(&plain).map_err(unreadable)?)
}

/// All holds, newest first; released ones only when asked for.
pub async fn list(tx: &mut Tx, with_released: bool) -> Result<Vec<Hold>, HoldError> {
    let holds = hold_row::all(tx).await?.into_iter().map(|row| row.hold);
    Ok(holds.filter(|hold| with_released || hold.life.state != State::Released).collect())
}

/// Reads the epoch so that it cannot change before this transaction ends; others may read it at the same time. On SQLite the
/// transaction has the only write lock already.
pub(super) async fn share_epoch(tx: &mut Tx) -> Result<i64, LedgerError> {
    let sql = match tx.dialect() {
        Dialect::Sqlite => "SELECT epoch FROM hold_epoch WHERE id = 1",
        Dialect::Postgres | Dialect::MySql => "SELECT epoch FROM hold_epoch WHERE id = 1 FOR SHARE",
    };
    Ok(tx.on().fetch_one(sql, args![]).await?.int("epoch")?)
}

async fn lock_epoch(tx: &mut Tx) -> Result<(), LedgerError> {
    tx.on().fetch_one("UPDATE hold_epoch SET epoch = epoch WHERE id = 1 RETURNING epoch", args![]).await?;
    Ok(())
}

async fn raise_epoch(tx: &mut Tx) -> Result<i64, LedgerError> {
    let sql = "UPDATE hold_epoch SET epoch = epoch + 1 WHERE id = 1 RETURNING epoch";
    Ok(tx.on().fetch_one(sql, args![]).await?.int("epoch")?)
}

async fn existing(tx: &mut Tx, id: &str) -> Result<HoldRow, HoldError> {
    hold_row::find(tx, id).await?.ok_or_else(|| HoldError::NotFound { id: id.to_owned() })
}

async fn insert(tx: &mut Tx, keys: &Keys, hold: &NewHold, life: &Life, epoch: Option<i64>) -> Result<String, HoldError> {
    let id = random_code(10)?;
    let plain = serde_json::to_vec(hold.scope())
        .map_err(|_| LedgerError::Unreadable { noun: "hold scope", problem: "it cannot be written".into() })?;
    let sealed = keys.seal(SCOPE_SEAL, &plain)?;
    let barrier = match epoch {
        Some(_) => Some(database_now(tx).await?),
        None => None,
    };
    hold_row::insert(tx, &id, hold, life, sealed, epoch, barrier).await?;
    for alias in hold.aliases() {
        let sql = "INSERT INTO hold_alias (hold_id, alias_ref) VALUES ($1, $2)";
        tx.on().execute(sql, args![id.as_str(), keys.alias_ref(alias)]).await?;
    }
    Ok(id)
}
