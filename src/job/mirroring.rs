//! Mirrors holds of ours into stores that can lock versions: a second fence, behind the first, which is never to be without the first. What is
//! noted before a bit is set, and what is done with bits of others, stands in `ledger::store_lock`. A version that somebody else has locked is
//! left alone; what cannot be locked is said, and changes nothing about the hold.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};

use super::HoldingError;
use super::covered_objects::{OpenStores, Visitor, names_of, said, visit};
use super::locked_version::{entry_ref, seal};
use crate::connector::objects::{Entry, Lock, ObjectSource, StoreError};
use crate::connector::sql::SqlSource;
use crate::counted::counted;
use crate::deployment::Deployment;
use crate::failpoint;
use crate::gather::Unreached;
use crate::hold::{Scope, State};
use crate::journal::{self, Actor, Count, Event, EventKind, HoldCode};
use crate::ledger::LedgerError;
use crate::ledger::hold::{self, Hold};
use crate::ledger::store_lock::{self, LockState, StoreLock};

/// Versions whose rows are written together, and that are locked at the same time.
const AT_ONCE: usize = 16;
/// How long an attempt may be at a version before it is taken for dead.
pub(super) const UNDER_WAY: SignedDuration = SignedDuration::from_mins(10);

/// What was done in the stores for holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrored {
    /// Versions that were locked now.
    pub locked: u64,
    /// Of these, locked before by us and found open: somebody had taken the lock off.
    pub restored: u64,
    /// Versions that somebody else has locked: left as they are.
    pub foreign: u64,
    /// Versions whose lock may be ours or somebody else's: an attempt died beside them.
    pub unsure: u64,
    /// Versions that could not be locked.
    pub failed: u64,
    /// What an operator should know.
    pub warnings: Vec<String>,
}

impl Mirrored {
    fn add(&mut self, other: Mirrored) {
        self.locked += other.locked;
        self.restored += other.restored;
        self.foreign += other.foreign;
        self.unsure += other.unsure;
        self.failed += other.failed;
        self.warnings.extend(other.warnings);
        self.warnings.sort();
        self.warnings.dedup();
    }
}

/// Mirrors every hold that covers, also onto versions that were written since. Where no store can lock anything, nothing is asked.
pub async fn mirror_holds(
    deployment: &Deployment,
    sources: &BTreeMap<String, SqlSource>,
    unreached: &[Unreached],
) -> Result<Mirrored, HoldingError> {
    let mut all = Mirrored::default();
    if deployment.graph.objects.is_empty() || !deployment.config.holds.mirror {
        return Ok(all);
    }
    let open = OpenStores::of(deployment).await;
    let mut tx = deployment.ledger.begin().await?;
    let is_active = |hold: &Hold| matches!(hold.life.state, State::Active | State::Releasing);
    let holds: Vec<Hold> = hold::list(&mut tx, false).await?.into_iter().filter(is_active).collect();
    tx.rollback().await?;
    for hold in holds {
        let is_over = hold.life.state == State::Releasing && hold.life.release_at.is_some_and(|at| at <= deployment.now());
        if is_over {
            continue;
        }
        let mut tx = deployment.ledger.begin().await?;
        let scope = hold::scope(&mut tx, &deployment.keys, &hold.id).await;
        tx.rollback().await?;
        match scope {
            // Their objects are not looked for, as it was said when they were placed.
            Ok(Scope::Everything {} | Scope::Predicate { .. }) => {}
            Ok(scope) => all.add(mirror(deployment, &hold.id, &scope, sources, unreached.to_vec(), &open).await?),
            Err(_) => {
                all.warnings.push(format!("hold {}: its scope does not open, so that no store locks anything for it", hold.id))
            }
        }
    }
    Ok(all)
}

/// Mirrors one active hold.
pub(super) async fn mirror(
    deployment: &Deployment,
    hold_id: &str,
    scope: &Scope,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
    open: &OpenStores,
) -> Result<Mirrored, HoldingError> {
    let mut work = Mirroring { deployment, hold_id, done: Mirrored::default() };
    if !deployment.config.holds.mirror || open.stores.values().all(|store| work.wants(store) == Ok(false)) {
        return Ok(work.done);
    }
    let names = match names_of(deployment, scope, sources, unreached).await {
        Ok(names) => names,
        Err(error) => {
            work.done.warnings.push(format!("hold {hold_id}: no store locks anything more for it: {error}"));
            return Ok(work.done);
        }
    };
    let visited = visit(deployment, scope, open, &names, &mut work).await?;
    let Mirroring { mut done, .. } = work;
    for looked in visited {
        if let Some(problem) = looked.problem {
            done.warnings
                .push(format!("hold {hold_id}: not every object of `{}` is locked in its store: {problem}", looked.place.name()));
        }
    }
    done.tell(hold_id);
    if done.locked + done.failed > 0 {
        let event = Event::new(EventKind::HoldMirrored, deployment.now(), Actor::system())
            .hold_id(HoldCode::parse(hold_id)?)
            .count(Count::Affected, done.locked)
            .count(Count::Failed, done.failed);
        let mut tx = deployment.ledger.begin().await?;
        journal::append(&mut tx, &event).await?;
        tx.commit().await?;
    }
    Ok(done)
}

impl Mirrored {
    fn tell(&mut self, hold_id: &str) {
        let versions = |count: u64| counted(count, "version", "versions");
        let mut warn = |count: u64, words: &str| {
            if count > 0 {
                self.warnings.push(format!("hold {hold_id}: {} {words}", versions(count)));
            }
        };
        warn(self.restored, "had lost the lock of the store: somebody took it off, and it is on again");
        warn(self.unsure, "locked by the store, and nobody knows whether by us: that lock is never taken off");
        warn(self.failed, "not locked in the store, or nobody could find out whether; the hold covers all the same");
    }
}

struct Mirroring<'a> {
    deployment: &'a Deployment,
    hold_id: &'a str,
    done: Mirrored,
}

/// A version that is to be locked.
struct Intent<'e> {
    entry: &'e Entry,
    entry_ref: String,
}

/// What came of an attempt.
enum Came {
    /// Set by us, and seen on.
    On,
    /// It is as it was, or gone.
    Not(Option<StoreError>),
    /// Not settled: the next look finds out.
    Unknown,
}

impl Visitor for Mirroring<'_> {
    fn wants(&self, store: &ObjectSource) -> Result<bool, String> {
        let unknown = || format!("source `{}`: whether it can lock versions could not be found out", store.name);
        store.facts.lockable.ok_or_else(unknown)
    }

    async fn versions(&mut self, store: &ObjectSource, versions: &[Entry]) -> Result<Option<String>, LedgerError> {
        for some in versions.chunks(AT_ONCE) {
            let locks = match store.work.locks(some).await {
                Ok(locks) => locks,
                Err(problem) => return Ok(Some(said(store, &problem))),
            };
            let intents = self.note(store, some, &locks).await?;
            if intents.is_empty() {
                continue;
            }
            failpoint::hit("hold-lock-noted");
            let came = set(store, &intents).await;
            failpoint::hit("hold-lock-set");
            if let Some(refusal) = self.settle(&intents, came).await? {
                return Ok(Some(said(store, &refusal)));
            }
        }
        Ok(None)
    }
}

impl Mirroring<'_> {
    /// Writes down what is about to be set, in one transaction.
    async fn note<'e>(
        &mut self,
        store: &ObjectSource,
        entries: &'e [Entry],
        locks: &[Lock],
    ) -> Result<Vec<Intent<'e>>, LedgerError> {
        let now = self.deployment.now();
        let mut intents = Vec::new();
        let mut tx = self.deployment.ledger.begin().await?;
        for (entry, lock) in entries.iter().zip(locks) {
            let entry_ref = entry_ref(&self.deployment.keys, store, entry);
            let rows = store_lock::of_version(&mut tx, &entry_ref, now).await?;
            let ours = rows.iter().find(|row| row.hold_id == self.hold_id).map(|row| (row.state, row.noted_at));
            let state = match lock {
                Lock::Unknown => {
                    self.done.failed += 1;
                    continue;
                }
                Lock::Free | Lock::Until(_) => {
                    self.done.restored += u64::from(matches!(ours, Some((LockState::Set, _))));
                    Some(LockState::Setting)
                }
                Lock::LegalHold => self.beside_a_lock(&rows, ours, now),
            };
            let Some(state) = state else { continue };
            if state == LockState::Setting && *lock != Lock::LegalHold {
                store_lock::seen_off(&mut tx, &entry_ref, now).await?;
            }
            let sealed = seal(&self.deployment.keys, entry).map_err(LedgerError::from)?;
            store_lock::note(&mut tx, self.hold_id, &store.name, (&entry_ref, sealed), state, now).await?;
            if *lock != Lock::LegalHold {
                intents.push(Intent { entry, entry_ref });
            }
        }
        tx.commit().await?;
        Ok(intents)
    }

    /// What to note of a version whose lock is on already; nothing where there is nothing new.
    fn beside_a_lock(&mut self, rows: &[StoreLock], ours: Option<(LockState, Timestamp)>, now: Timestamp) -> Option<LockState> {
        let is_under_way = |noted_at: Timestamp| now.duration_since(noted_at) < UNDER_WAY;
        match ours {
            Some((LockState::Set, _)) => None,
            // Another hold of ours has set it.
            _ if rows.iter().any(|row| row.state == LockState::Set) => Some(LockState::Set),
            Some((LockState::Setting | LockState::Clearing, noted_at)) if is_under_way(noted_at) => None,
            // Seen off once, and on now: by whom, nobody can say.
            Some((LockState::Setting | LockState::Clearing, _)) => {
                self.done.unsure += 1;
                Some(LockState::Unsure)
            }
            Some((LockState::Unsure, _)) => {
                self.done.unsure += 1;
                None
            }
            // Somebody of us is at it this very moment: what comes of it is seen at the next look.
            None if rows.iter().any(|row| row.state != LockState::Unsure && is_under_way(row.noted_at)) => Some(LockState::Setting),
            None => {
                self.done.foreign += 1;
                None
            }
        }
    }

    /// Writes down what came of it. A refusal that every further version would meet as well is handed back.
    async fn settle(&mut self, intents: &[Intent<'_>], came: Vec<Came>) -> Result<Option<StoreError>, LedgerError> {
        let now = self.deployment.now();
        let mut refusal = None;
        let mut tx = self.deployment.ledger.begin().await?;
        for (intent, came) in intents.iter().zip(came) {
            match came {
                Came::On => {
                    store_lock::confirm(&mut tx, &intent.entry_ref, now).await?;
                    self.done.locked += 1;
                }
                Came::Not(problem) => {
                    store_lock::forget(&mut tx, self.hold_id, &intent.entry_ref).await?;
                    self.done.failed += u64::from(problem.is_some());
                    refusal = refusal.or(problem);
                }
                Came::Unknown => self.done.failed += 1,
            }
        }
        tx.commit().await?;
        Ok(refusal)
    }
}

/// Sets the bits, after a last look: what somebody else has locked meanwhile is not ours.
async fn set(store: &ObjectSource, intents: &[Intent<'_>]) -> Vec<Came> {
    let entries: Vec<Entry> = intents.iter().map(|intent| intent.entry.clone()).collect();
    let Ok(locks) = store.work.locks(&entries).await else {
        return intents.iter().map(|_| Came::Unknown).collect();
    };
    let set_if_off = |(entry, lock)| async move {
        match lock {
            Lock::LegalHold | Lock::Unknown => Came::Unknown,
            Lock::Free | Lock::Until(_) => set_one(store, entry).await,
        }
    };
    let setting: Vec<_> = entries.iter().zip(locks).map(set_if_off).collect();
    stream::iter(setting).buffered(AT_ONCE).collect().await
}

async fn set_one(store: &ObjectSource, entry: &Entry) -> Came {
    match store.work.set_legal_hold(entry, true).await {
        Ok(()) => Came::On,
        Err(StoreError::Gone) => Came::Not(None),
        Err(problem @ (StoreError::Denied { .. } | StoreError::NotSupported { .. } | StoreError::Refused { .. })) => {
            Came::Not(Some(problem))
        }
        // It may have taken effect all the same.
        Err(_) => match store.work.locks(std::slice::from_ref(entry)).await.as_deref() {
            Ok([Lock::LegalHold]) => Came::On,
            _ => Came::Unknown,
        },
    }
}
