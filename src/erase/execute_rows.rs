//! A batch of one version with rows of the person: prepare, permit, look, write the new object, delete the version that had the rows, look again.
//! A store has no transactions: a process that dies between writing and deleting leaves both, and the next attempt deletes the older one.

use std::sync::PoisonError;
use std::time::Instant;

use super::execute::{ExecuteError, Executor};
use super::manifest::Group;
use super::new_object::{Planned, Prepared, give_up, is_answer, publish};
use super::{Authorisation, Permit, authorise};
use crate::connector::objects::{Entry, EntryKind, Fate, ObjectBatch, ObjectSource, StoreError};
use crate::datamap::RowPlace;
use crate::failpoint;
use crate::ledger::LedgerError;
use crate::ledger::execution::{Execution, StepTally};
use crate::ledger::permit::{Closing, PermitOutcome};
use crate::plan::DamagedRecord;
use crate::row_objects::RowOrder;

/// What came of one version.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Done {
    Taken,
    AlreadyGone,
    Held,
    Refused,
}

impl Executor<'_> {
    /// Deals with the version at the present position. Where somebody else has written meanwhile, what is left has to be planned anew before
    /// anything that leads to these rows goes.
    pub(super) async fn row_batch(&self, pass: &mut Execution, group: &Group, store: &ObjectSource) -> Result<(), ExecuteError> {
        let planned = planned_of(group).map_err(|damaged| ExecuteError::Manifest(damaged.into()))?;
        let step = &pass.steps[group.step];
        let place = self.deployment.graph.row_place(&step.dataset, &step.collection);
        let place = place.ok_or_else(|| ExecuteError::Drifted(format!("{}.{}", step.dataset, step.collection)))?;
        self.remove_leftovers(place, store).await?;
        let batch = ObjectBatch {
            source: step.source.clone(),
            dataset: step.dataset.clone(),
            collection: step.collection.clone(),
            entries: vec![planned.entry.clone()],
            has_others: planned.order.with_others,
        };
        let tried_before = self.was_committed(pass, &store.name).await?;
        failpoint::hit("rows-before-prepare");
        let prepared = planned.prepare(store.work.as_ref(), &self.deployment.config.spool).await;
        let prepared = prepared.map_err(|failure| failed(store, failure.into_store_error()))?;
        failpoint::hit("erase-before-permit");
        // Counted from before the permit, so that ours ends first.
        let started = Instant::now();
        let mut permit = match self.open_permit(pass, &store.name, 1).await {
            Ok(permit) => permit,
            Err(why) => {
                give_up(prepared).await;
                return Err(why);
            }
        };
        let end = started + permit.ttl();
        failpoint::hit("erase-after-permit");
        let is_new = matches!(prepared, Prepared::New(_));
        let looked = self.look_before_rows(&planned, batch, &mut permit, store, is_new).await;
        let state = match looked {
            Ok(state) => state,
            Err(why) => {
                give_up(prepared).await;
                return Err(self.undone(None, permit, pass, why).await);
            }
        };
        failpoint::hit("erase-before-source-commit");
        let done = match state {
            Before::Held => {
                give_up(prepared).await;
                Done::Held
            }
            Before::Gone => {
                give_up(prepared).await;
                Done::AlreadyGone
            }
            Before::There(found) => match take_rows(&planned, found, prepared, store, end).await {
                Ok(done) => done,
                Err((problem, true)) => return Err(self.undone(None, permit, pass, failed(store, problem)).await),
                Err((problem, false)) => {
                    // Nobody knows what took effect: the next attempt reads the store (E-2).
                    let mut tx = self.deployment.ledger.begin().await?;
                    permit.close(&mut tx, Closing::unknown()).await?;
                    tx.commit().await.map_err(LedgerError::from)?;
                    return Err(failed(store, problem));
                }
            },
        };
        failpoint::hit("erase-after-source-commit");
        self.record_rows(pass, group.step, permit, done, tried_before, store).await
    }

    /// Removes what writers that have died were making beside the objects of a place; once in an attempt, because a folder has to be listed for it.
    async fn remove_leftovers(&self, place: &RowPlace, store: &ObjectSource) -> Result<(), ExecuteError> {
        let beside = place.at.rfind('/').map_or("", |slash| &place.at[..=slash]);
        let place = (store.name.clone(), beside.to_owned());
        if !self.tidied.lock().unwrap_or_else(PoisonError::into_inner).insert(place) {
            return Ok(());
        }
        let left = store.work.remove_leftovers(beside.as_bytes()).await.map_err(|problem| failed(store, problem))?;
        if left > 0 {
            tracing::info!("{left} unfinished files of an earlier attempt were removed");
        }
        Ok(())
    }

    async fn record_rows(
        &self,
        pass: &mut Execution,
        step: usize,
        permit: Permit,
        done: Done,
        tried_before: bool,
        store: &ObjectSource,
    ) -> Result<(), ExecuteError> {
        let is = |what: Done| u64::from(done == what);
        let closing = Closing {
            outcome: PermitOutcome::Committed,
            affected: is(Done::Taken),
            already_absent: is(Done::AlreadyGone),
            held: is(Done::Held),
        };
        if done == Done::Refused {
            // The pass does not go on: what names these rows is the only way to them.
            let mut tx = self.deployment.ledger.begin().await?;
            permit.close(&mut tx, closing).await?;
            tx.commit().await.map_err(LedgerError::from)?;
            return Err(ExecuteError::ObjectsRefused { source_name: store.name.clone(), count: 1 });
        }
        let mut tally = StepTally {
            affected: closing.affected,
            already_done: closing.already_absent,
            held: closing.held,
            ..StepTally::default()
        };
        if tried_before {
            tally.affected += std::mem::take(&mut tally.already_done);
        }
        let mut tallies = pass.tallies.clone();
        tallies[step].add(tally);
        self.record(permit, pass, 1, tallies, closing, &store.name).await
    }

    /// Holds of ours, then what is there now, then the store's locks; and whether the permit still stands, last of all.
    async fn look_before_rows(
        &self,
        planned: &Planned,
        batch: ObjectBatch,
        permit: &mut Permit,
        store: &ObjectSource,
        is_new: bool,
    ) -> Result<Before, ExecuteError> {
        let Authorisation { authorised, .. } = authorise(batch, permit)?;
        // What a condition of a hold would need to know, nobody has asked of these rows: unknown means held (H-1).
        if !authorised.is_some_and(|authorised| authorised.must_not_match().is_empty()) {
            return Ok(Before::Held);
        }
        let listed = planned.listed(store.work.as_ref()).await.map_err(|problem| failed(store, problem))?;
        let Some((found, listed)) = listed else {
            self.refuse_rows_written_again(planned, store).await?;
            return Ok(Before::Gone);
        };
        if found.is_latest && !is_new {
            // What had been written over it is gone: now it has to be written anew itself.
            return Err(failed(store, StoreError::Changed));
        }
        let with_rows: Vec<Entry> = listed
            .into_iter()
            .filter(|entry| entry.kind == EntryKind::Version && planned.order.versions.contains(&entry.id))
            .collect();
        let locks = store.work.locks(&with_rows).await.map_err(|problem| failed(store, problem))?;
        let now = self.deployment.now();
        if locks.len() != with_rows.len() || locks.iter().any(|lock| lock.holds(now)) {
            return Ok(Before::Held);
        }
        if !found.is_latest {
            self.refuse_rows_written_again(planned, store).await?;
        }
        let mut tx = self.deployment.ledger.begin().await?;
        permit.still_valid(&mut tx).await?;
        Ok(Before::There(Box::new(found)))
    }

    /// What was planned for a version does not fit where its rows stand in another one by now.
    async fn refuse_rows_written_again(&self, planned: &Planned, store: &ObjectSource) -> Result<(), ExecuteError> {
        match self.is_written_again(planned, store).await? {
            true => Err(failed(store, StoreError::Changed)),
            false => Ok(()),
        }
    }

    async fn is_written_again(&self, planned: &Planned, store: &ObjectSource) -> Result<bool, ExecuteError> {
        let again = planned.is_written_again(store.work.as_ref(), &self.deployment.config.spool).await;
        again.map_err(|failure| failed(store, failure.into_store_error()))
    }

    /// How many versions of a group are not there any more, and their rows neither.
    pub(super) async fn rows_gone(&self, group: &Group, store: &ObjectSource) -> Result<u64, ExecuteError> {
        let mut gone = 0;
        for planned in each_planned(group).map_err(|damaged| ExecuteError::Manifest(damaged.into()))? {
            let listed = planned.listed(store.work.as_ref()).await.map_err(|problem| failed(store, problem))?;
            gone += u64::from(listed.is_none() && !self.is_written_again(&planned, store).await?);
        }
        Ok(gone)
    }
}

/// What a look under the permit found.
enum Before {
    Held,
    Gone,
    There(Box<Entry>),
}

/// Writes and deletes. An error says whether it is certain that nothing was done.
async fn take_rows(
    planned: &Planned,
    found: Box<Entry>,
    prepared: Prepared,
    store: &ObjectSource,
    end: Instant,
) -> Result<Done, (StoreError, bool)> {
    let unknown = |problem: StoreError| (problem, false);
    let work = store.work.as_ref();
    match prepared {
        Prepared::New(writing) if found.is_latest => {
            let written = publish(writing, end).await.map_err(|problem| {
                let is_certain = is_answer(&problem);
                (problem, is_certain)
            })?;
            failpoint::hit("rows-after-write");
            if written.id == found.id {
                // The store keeps no older version: the new object stands in its place, and must not be deleted.
                let left = planned.listed(work).await.map_err(unknown)?;
                return Ok(if left.is_none() { Done::Taken } else { Done::Refused });
            }
        }
        other => give_up(other).await,
    }
    // By its id, and only if it still is that very version: under the id `null` another one may have come.
    let Some((found, _)) = planned.listed(work).await.map_err(unknown)? else { return Ok(Done::Taken) };
    if found.is_latest {
        // Whoever deletes what readers get takes the rows of all others along.
        return Err((StoreError::Contradiction("the store does not show what was written"), false));
    }
    let fates = work.delete(std::slice::from_ref(&found), end.saturating_duration_since(Instant::now())).await.map_err(unknown)?;
    match (planned.listed(work).await.map_err(unknown)?, fates.first()) {
        (None, _) => Ok(Done::Taken),
        // It has not said no: the next attempt asks again.
        (Some(_), Some(Fate::Unknown)) => Err((StoreError::Lost, false)),
        (Some(_), _) => Ok(Done::Refused),
    }
}

fn planned_of(group: &Group) -> Result<Planned, DamagedRecord> {
    let mut all = each_planned(group)?;
    match (all.pop(), all.is_empty()) {
        (Some(planned), true) => Ok(planned),
        _ => Err(DamagedRecord),
    }
}

fn each_planned(group: &Group) -> Result<Vec<Planned>, DamagedRecord> {
    let rows = &group.rows;
    let records = rows.keys.iter().zip(&rows.fingerprints).zip(&rows.values);
    records
        .map(|((key, fingerprint), values)| {
            Ok(Planned {
                entry: Entry::from_manifest_key(key).ok_or(DamagedRecord)?,
                fingerprint: fingerprint.clone(),
                order: RowOrder::from_values(values)?,
            })
        })
        .collect()
}

/// What a store said. That somebody else has written means that the plan no longer fits.
fn failed(store: &ObjectSource, problem: StoreError) -> ExecuteError {
    let source_name = store.name.clone();
    match problem {
        StoreError::Changed => ExecuteError::RowsChanged { source_name },
        problem => ExecuteError::Store { source_name, problem },
    }
}
