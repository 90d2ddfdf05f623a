//! Takes the locks of holds that are over off versions in stores: only what we set, only where no other hold of ours keeps it, and only once it is
//! noted. A row goes when its bit was seen off. What cannot be cleared stays noted and is tried again; what nobody knows to be ours is never
//! cleared and is told until somebody has taken it off.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, stream};

use super::HoldingError;
use super::covered_objects::OpenStores;
use super::locked_version::{entry_ref, open};
use super::mirroring::UNDER_WAY;
use super::resume::requeue_kept;
use crate::connector::objects::{Entry, Lock, ObjectSource, StoreError};
use crate::counted::counted;
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::failpoint;
use crate::journal::{self, Actor, Count, Event, EventKind, HoldCode};
use crate::ledger::LedgerError;
use crate::ledger::request::Request;
use crate::ledger::store_lock::{self, LockState, StoreLock};

/// Versions that are dealt with together.
const PAGE: i64 = 64;
const AT_ONCE: usize = 16;

/// What was let go in the stores.
#[derive(Debug, Clone, Default)]
pub struct Unlocked {
    /// Versions that no lock of ours is on any more.
    pub cleared: u64,
    /// Versions that still carry a lock for a hold that is over.
    pub left: u64,
    /// Why, for an operator.
    pub warnings: Vec<String>,
    /// Requests that were queued again because of it.
    pub requeued: Vec<Request>,
}

/// A version with a lock for holds that are over, and for no other.
struct Free {
    entry_ref: String,
    source: String,
    sealed: Vec<u8>,
    /// Whether it is known that we set it.
    is_ours: bool,
    holds: Vec<String>,
    is_released: bool,
}

/// Clears what is left of holds that are over.
pub(super) async fn unlock(deployment: &Deployment) -> Result<Unlocked, HoldingError> {
    let mut work = Unlocking {
        deployment,
        done: Unlocked::default(),
        refused: BTreeMap::new(),
        denied: BTreeSet::new(),
        per_hold: BTreeMap::new(),
        unsure: 0,
    };
    let mut stores = None;
    let mut after = String::new();
    loop {
        let mut tx = deployment.ledger.begin().await?;
        let page = store_lock::over(&mut tx, deployment.now(), &after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(last);
        let mut free = Vec::new();
        for entry_ref in page {
            free.extend(work.sort_out(&mut tx, entry_ref).await?);
        }
        tx.commit().await?;
        if free.is_empty() {
            continue;
        }
        let stores = match &stores {
            Some(stores) => stores,
            None => &*stores.insert(OpenStores::of(deployment).await),
        };
        let mut by_source: BTreeMap<String, Vec<Free>> = BTreeMap::new();
        for version in free {
            by_source.entry(version.source.clone()).or_default().push(version);
        }
        for (source, versions) in by_source {
            match stores.stores.get(&source) {
                _ if work.denied.contains(&source) => work.leave(&source, versions.len(), "the store does not allow it"),
                Some(store) => work.let_go(store, versions).await?,
                None => work.leave(&source, versions.len(), "it was not reached"),
            }
        }
    }
    work.finish().await
}

struct Unlocking<'d> {
    deployment: &'d Deployment,
    done: Unlocked,
    /// How many are left of each store, and why.
    refused: BTreeMap<String, (u64, String)>,
    /// Stores that do not allow it: they are asked once in a pass.
    denied: BTreeSet<String>,
    per_hold: BTreeMap<String, u64>,
    unsure: u64,
}

impl Unlocking<'_> {
    fn leave(&mut self, source: &str, count: usize, why: &str) {
        self.done.left += count as u64;
        self.refused.entry(source.to_owned()).or_insert_with(|| (0, why.to_owned())).0 += count as u64;
    }

    /// What another hold keeps is struck off at once; what somebody else is at is left to them.
    async fn sort_out(&mut self, tx: &mut Tx, entry_ref: String) -> Result<Option<Free>, LedgerError> {
        let now = self.deployment.now();
        let rows = store_lock::of_version(tx, &entry_ref, now).await?;
        if rows.iter().any(|row| !row.is_over) {
            store_lock::strike_off(tx, &entry_ref, now).await?;
            return Ok(None);
        }
        let is_ours = rows.iter().any(|row| row.state == LockState::Set);
        let is_under_way = |row: &StoreLock| {
            matches!(row.state, LockState::Setting | LockState::Clearing) && now.duration_since(row.noted_at) < UNDER_WAY
        };
        if !is_ours && rows.iter().any(is_under_way) {
            self.done.left += 1;
            return Ok(None);
        }
        let Some(first) = rows.first() else { return Ok(None) };
        Ok(Some(Free {
            source: first.source.clone(),
            sealed: first.entry.clone(),
            is_ours,
            is_released: rows.iter().any(|row| row.is_released),
            holds: rows.iter().map(|row| row.hold_id.clone()).collect(),
            entry_ref,
        }))
    }

    /// Looks, notes, clears, looks again.
    async fn let_go(&mut self, store: &ObjectSource, versions: Vec<Free>) -> Result<(), HoldingError> {
        let mut known: Vec<(Free, Entry)> = Vec::new();
        for version in versions {
            match open(&self.deployment.keys, &version.sealed) {
                Some(entry) if entry_ref(&self.deployment.keys, store, &entry) == version.entry_ref => known.push((version, entry)),
                Some(_) => self.leave(&store.name, 1, "the source stands for another store now"),
                None => self.leave(&store.name, 1, "its key does not open: it was sealed with another key, or altered"),
            }
        }
        let entries: Vec<Entry> = known.iter().map(|(_, entry)| entry.clone()).collect();
        let locks = match store.work.locks(&entries).await {
            Ok(locks) => locks,
            Err(problem) => {
                self.leave(&store.name, entries.len(), &problem.to_string());
                return Ok(());
            }
        };
        let now = self.deployment.now();
        let mut off = Vec::new();
        let mut to_clear = Vec::new();
        let mut tx = self.deployment.ledger.begin().await?;
        for ((version, entry), lock) in known.into_iter().zip(locks) {
            match lock {
                Lock::Free | Lock::Until(_) => off.push(version),
                Lock::Unknown => self.leave(&store.name, 1, "it could not be found out what is locked"),
                Lock::LegalHold if !version.is_ours => {
                    store_lock::doubt(&mut tx, &version.entry_ref, now).await?;
                    self.unsure += 1;
                    self.done.left += 1;
                }
                Lock::LegalHold => {
                    // Once more, in the transaction that notes it: a hold may have come meanwhile.
                    let is_kept = store_lock::of_version(&mut tx, &version.entry_ref, now).await?.iter().any(|row| !row.is_over);
                    if is_kept {
                        store_lock::strike_off(&mut tx, &version.entry_ref, now).await?;
                    } else if store_lock::begin_clearing(&mut tx, &version.entry_ref, now).await? {
                        to_clear.push((version, entry));
                    }
                }
            }
        }
        tx.commit().await?;
        if !to_clear.is_empty() {
            failpoint::hit("hold-lock-clearing");
        }
        let clearing: Vec<_> = to_clear.iter().map(|(_, entry)| clear_one(store, entry)).collect();
        let came: Vec<Cleared> = stream::iter(clearing).buffered(AT_ONCE).collect().await;
        if !to_clear.is_empty() {
            failpoint::hit("hold-lock-cleared");
        }
        self.settle(store, off, to_clear, came).await
    }

    async fn settle(
        &mut self,
        store: &ObjectSource,
        mut off: Vec<Free>,
        cleared: Vec<(Free, Entry)>,
        came: Vec<Cleared>,
    ) -> Result<(), HoldingError> {
        let now = self.deployment.now();
        let mut tx = self.deployment.ledger.begin().await?;
        for ((version, _), came) in cleared.into_iter().zip(came) {
            match came {
                Cleared::Off => off.push(version),
                Cleared::On(problem) => {
                    if matches!(problem, StoreError::Denied { .. }) {
                        self.denied.insert(store.name.clone());
                    }
                    store_lock::not_cleared(&mut tx, &version.entry_ref, now).await?;
                    self.leave(&store.name, 1, &problem.to_string());
                }
                Cleared::Unknown(problem) => self.leave(&store.name, 1, &problem.to_string()),
            }
        }
        for version in &off {
            store_lock::strike_off(&mut tx, &version.entry_ref, now).await?;
            self.done.cleared += 1;
            for hold in &version.holds {
                *self.per_hold.entry(hold.clone()).or_default() += 1;
            }
        }
        // What was kept because of a lock and not of a hold can go now. While a hold is still about to be released, its release does this.
        if off.iter().any(|version| version.is_released) {
            self.done.requeued.extend(requeue_kept(&mut tx, now).await?);
        }
        tx.commit().await?;
        Ok(())
    }

    async fn finish(mut self) -> Result<Unlocked, HoldingError> {
        let versions = |count: u64| counted(count, "version", "versions");
        for (source, (count, why)) in &self.refused {
            self.done.warnings.push(format!(
                "source `{source}`: {} still locked for a hold that is over ({why}): it is tried again",
                versions(*count)
            ));
        }
        if self.unsure > 0 {
            self.done.warnings.push(format!(
                "{} of a hold that is over: locked by the store, and nobody knows whether by us, so that it is left; take the lock off in the \
                 store if nobody else needs it",
                versions(self.unsure)
            ));
        }
        if !self.per_hold.is_empty() {
            let mut tx = self.deployment.ledger.begin().await?;
            for (hold, count) in &self.per_hold {
                let event = Event::new(EventKind::HoldUnmirrored, self.deployment.now(), Actor::system())
                    .hold_id(HoldCode::parse(hold)?)
                    .count(Count::Affected, *count);
                journal::append(&mut tx, &event).await?;
            }
            tx.commit().await?;
        }
        Ok(self.done)
    }
}

enum Cleared {
    /// Seen off.
    Off,
    /// It is as it was.
    On(StoreError),
    /// Nobody knows.
    Unknown(StoreError),
}

async fn clear_one(store: &ObjectSource, entry: &Entry) -> Cleared {
    let problem = match store.work.set_legal_hold(entry, false).await {
        Ok(()) | Err(StoreError::Gone) => return Cleared::Off,
        Err(problem) => problem,
    };
    match store.work.locks(std::slice::from_ref(entry)).await.as_deref() {
        Ok([Lock::LegalHold]) => Cleared::On(problem),
        Ok([Lock::Free | Lock::Until(_)]) => Cleared::Off,
        _ => Cleared::Unknown(problem),
    }
}
