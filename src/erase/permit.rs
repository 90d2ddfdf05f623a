//! The permit protocol (H-1, H-2, Q-1, E-2). A check of the holds just before a delete loses the race against a hold that is being
//! placed; a permit does not. The eraser keeps to this order:
//!
//! 1. [`open`] and [`Opening::commit`]: all holds are read and the permit is stored under the epoch's lock.
//! 2. Name the source session after the permit, begin, erase the [`Authorised`](super::Authorised) batches by primary key.
//! 3. [`Permit::still_valid`] immediately before the source's COMMIT; on an error roll back.
//! 4. [`Permit::close`] with what the source said; if it said nothing, with `Unknown`.

use std::time::Duration;

use thiserror::Error;

use crate::crypto::{CryptoError, Keys, hex, random_bytes};
use crate::datamap::DataMap;
use crate::db::{DbError, Tx};
use crate::hold::HoldSet;
use crate::ledger::hold_set::load_active;
use crate::ledger::permit::{self, Attempt, Closing, PermitRow};
use crate::ledger::{LedgerError, database_now};

/// Why a permit is not given, or does not hold any more.
#[derive(Debug, Error)]
pub enum PermitError {
    /// The ledger failed, or the attempt is stale.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// No random bytes.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// A permit for the same batch is open or of unknown outcome: fence it and read the source first (E-2).
    #[error("the outcome of an earlier try of this batch is not known yet")]
    Unsettled,
    /// Taken away for a hold or by a later attempt: roll back.
    #[error("the permit was revoked")]
    Revoked,
    /// The time is over: roll back.
    #[error("the permit's time is over")]
    Expired,
    /// Its outcome has been recorded, or there is no such permit.
    #[error("the permit is closed")]
    Closed,
    /// The batch is of another source than the permit.
    #[error("the permit is for source `{permit}`, the batch is for `{batch}`")]
    OtherSource {
        /// The permit's source.
        permit: String,
        /// The batch's source.
        batch: String,
    },
    /// More records than the permit was opened for.
    #[error("the permit is for {permitted} records and {asked} are to be erased under it")]
    TooMany {
        /// Records of the permit.
        permitted: u64,
        /// Records asked for so far.
        asked: u64,
    },
}

impl From<DbError> for PermitError {
    fn from(error: DbError) -> Self {
        PermitError::Ledger(error.into())
    }
}

impl PermitError {
    /// Whether opening another permit later may succeed. A revoked or expired one is to be planned anew under the holds of then.
    pub fn is_transient(&self) -> bool {
        match self {
            PermitError::Ledger(LedgerError::Database(error)) => error.is_transient(),
            PermitError::Revoked | PermitError::Expired => true,
            _ => false,
        }
    }
}

/// What a permit is asked for.
#[derive(Debug, Clone)]
pub struct PermitRequest {
    /// The request whose erasure it is.
    pub request_id: String,
    /// Who erases.
    pub attempt: Attempt,
    /// The configured source.
    pub source: String,
    /// Number of the batch within request and source.
    pub batch_no: i64,
    /// Digest of the batch as frozen in the manifest.
    pub digest: String,
    /// Records in the batch.
    pub record_count: u64,
    /// Keyed names of all aliases of the subject, given and resolved, as given and in normal form. Empty means that nobody knows whose
    /// records they are; then every subject's hold covers them.
    pub aliases: Vec<String>,
    /// How long the erasure may take. It bounds how long placing a hold can take.
    pub ttl: Duration,
}

/// Leave to erase one batch in one source, stored and given in the sight of all holds. It cannot be copied, and closing consumes it.
/// One that is dropped stays open in the ledger until it is fenced.
#[derive(Debug)]
#[must_use = "a permit that is not closed leaves its batch unsettled"]
pub struct Permit {
    row: PermitRow,
    aliases: Vec<String>,
    holds: HoldSet,
    authorised_records: u64,
}

/// A permit whose transaction has not been committed: it gives no leave yet. Dropped, it never was.
#[must_use = "commit it to get the permit"]
pub struct Opening {
    tx: Tx,
    permit: Permit,
}

/// Asks for a permit in a transaction that has done nothing else yet, except for locking what is always locked before the epoch.
pub async fn open(mut tx: Tx, keys: &Keys, map: &DataMap, request: PermitRequest) -> Result<Opening, PermitError> {
    let holds = load_active(&mut tx, keys, map).await?;
    if !permit::is_current(&mut tx, &request.attempt).await? {
        return Err(LedgerError::Stale.into());
    }
    let opened_at_us = database_now(&mut tx).await?;
    let row = PermitRow {
        id: hex(&random_bytes::<16>()?),
        request_id: request.request_id,
        attempt: request.attempt,
        hold_epoch: holds.epoch(),
        hold_digest: holds.digest(),
        source: request.source,
        batch_no: request.batch_no,
        record_count: request.record_count,
        digest: request.digest,
        opened_at_us,
        deadline_us: permit::deadline(opened_at_us, request.ttl),
        revoked_at_us: None,
        fenced_at_us: None,
        closed_at_us: None,
        closing: None,
    };
    permit::insert(&mut tx, &row).await.map_err(|error| match error {
        LedgerError::Database(refusal) if refusal.is_unique() => PermitError::Unsettled,
        other => other.into(),
    })?;
    Ok(Opening { tx, permit: Permit { row, aliases: request.aliases, holds, authorised_records: 0 } })
}

impl Opening {
    /// The transaction, for what must commit together with the permit (the journal's note of the intent).
    pub fn tx(&mut self) -> &mut Tx {
        &mut self.tx
    }

    /// The holds that the permit has seen.
    pub fn holds(&self) -> &HoldSet {
        &self.permit.holds
    }

    /// The id that the permit will have, for the note of the intent.
    pub fn permit_id(&self) -> &str {
        &self.permit.row.id
    }

    /// Makes the permit durable, and only then hands it out.
    pub async fn commit(self) -> Result<Permit, PermitError> {
        self.tx.commit().await?;
        Ok(self.permit)
    }
}

impl Permit {
    /// Its id, in hex: the name of the source session that works under it.
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// The source that it is for.
    pub fn source(&self) -> &str {
        &self.row.source
    }

    /// The holds that it has seen.
    pub fn holds(&self) -> &HoldSet {
        &self.holds
    }

    /// Keyed names of the subject; empty when nobody knows whose records they are.
    pub fn aliases(&self) -> &[String] {
        &self.aliases
    }

    /// When it ends by itself, in microseconds of the ledger's time.
    pub fn deadline_us(&self) -> i64 {
        self.row.deadline_us
    }

    /// How long it was given for: the limit for the source's own timeouts.
    pub fn ttl(&self) -> Duration {
        Duration::from_micros(u64::try_from(self.row.deadline_us.saturating_sub(self.row.opened_at_us)).unwrap_or(0))
    }

    /// Counts records against what the permit was opened for.
    pub(super) fn spend(&mut self, records: u64) -> Result<(), PermitError> {
        let asked = self.authorised_records.saturating_add(records);
        if asked > self.row.record_count {
            return Err(PermitError::TooMany { permitted: self.row.record_count, asked });
        }
        self.authorised_records = asked;
        Ok(())
    }

    /// Whether the source may commit now. To be asked after the session carries the permit's name and immediately before COMMIT:
    /// whoever takes the permit away revokes it first and ends the session of that name after, so that one of the two is noticed.
    pub async fn still_valid(&self, tx: &mut Tx) -> Result<(), PermitError> {
        let stored = permit::get(tx, &self.row.id).await?.ok_or(PermitError::Closed)?;
        if stored.revoked_at_us.is_some() {
            return Err(PermitError::Revoked);
        }
        if stored.closed_at_us.is_some() {
            return Err(PermitError::Closed);
        }
        if !permit::is_current(tx, &self.row.attempt).await? {
            return Err(LedgerError::Stale.into());
        }
        match database_now(tx).await? < stored.deadline_us {
            true => Ok(()),
            false => Err(PermitError::Expired),
        }
    }

    /// Records the outcome. A permit that was revoked meanwhile is closed all the same, because its holder knows what the source said.
    pub async fn close(self, tx: &mut Tx, closing: Closing) -> Result<(), PermitError> {
        if permit::close(tx, &self.row.id, &self.row.attempt, &closing).await? {
            return Ok(());
        }
        match permit::is_current(tx, &self.row.attempt).await? {
            true => Err(PermitError::Closed),
            false => Err(LedgerError::Stale.into()),
        }
    }
}
