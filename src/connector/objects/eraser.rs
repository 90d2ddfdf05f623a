//! Carries out one authorised batch in a store: looks what is there and whether a lock has come since the plan, deletes by id, and looks again.
//! A store has no transactions: what was deleted stays deleted, and only the look afterwards says what was (E-2).

use std::time::Instant;

use super::presence::present;
use super::{Entry, Fate, ObjectBatch, ObjectStore, StoreError};
use crate::erase::Authorised;

/// What came of a batch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// Were there, and are not any more.
    pub affected: u64,
    /// Were not there.
    pub already_absent: u64,
    /// Kept by a lock of the store.
    pub held: u64,
    /// Are still there, because the store would not delete them. The verification tells.
    pub refused: u64,
}

/// What a batch has found before anything is deleted.
pub struct Ready {
    free: Vec<Entry>,
    erased: Erased,
}

/// Looks before: what is gone already, and what is locked by now. Nothing is touched.
pub async fn look_before(
    store: &dyn ObjectStore,
    batch: &Authorised<ObjectBatch>,
    now: jiff::Timestamp,
) -> Result<Ready, StoreError> {
    let entries = &batch.batch().entries;
    let mut erased = Erased::default();
    // What a condition of a hold would need to know, an object cannot say: unknown means held (H-1).
    if !batch.must_not_match().is_empty() {
        erased.held = entries.len() as u64;
        return Ok(Ready { free: Vec::new(), erased });
    }
    let there: Vec<Entry> =
        entries.iter().zip(present(store, entries).await?).filter(|(_, there)| *there).map(|(entry, _)| entry.clone()).collect();
    erased.already_absent = (entries.len() - there.len()) as u64;
    let locks = store.locks(&there).await?;
    let free: Vec<Entry> = there.iter().zip(&locks).filter(|(_, lock)| !lock.holds(now)).map(|(entry, _)| entry.clone()).collect();
    erased.held = (there.len() - free.len()) as u64;
    Ok(Ready { free, erased })
}

impl Ready {
    /// Whether there is anything to delete.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty()
    }

    /// Deletes, and looks again. No call goes on after `end`. An error means that the outcome is not known.
    pub async fn delete(self, store: &dyn ObjectStore, end: Instant) -> Result<Erased, StoreError> {
        let Ready { free, mut erased } = self;
        if free.is_empty() {
            return Ok(erased);
        }
        let fates = store.delete(&free, end.saturating_duration_since(Instant::now())).await?;
        // That the store says of one that it is gone counts for nothing; what counts is what is there afterwards.
        for (fate, there) in fates.iter().zip(present(store, &free).await?) {
            match (there, fate) {
                (false, _) => erased.affected += 1,
                // It has not said no: the next attempt asks again.
                (true, Fate::Unknown) => return Err(StoreError::Lost),
                (true, Fate::Refused(_) | Fate::Acknowledged) => erased.refused += 1,
            }
        }
        Ok(erased)
    }
}
