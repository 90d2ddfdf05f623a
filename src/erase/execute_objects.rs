//! A batch of the manifest that is in a store of objects: permit, look, delete by id, look again, close. The store has no transaction that could
//! be rolled back, so that the permit is looked at immediately before the only call that deletes, and no call outlives it.

use std::time::Instant;

use super::execute::{ExecuteError, Executor};
use super::manifest::Group;
use super::{Authorisation, authorise};
use crate::connector::objects::{Entry, ObjectBatch, ObjectSource, Ready, look_before};
use crate::failpoint;
use crate::ledger::LedgerError;
use crate::ledger::execution::{Execution, StepTally};
use crate::ledger::permit::{Closing, PermitOutcome};
use crate::plan::DamagedRecord;

/// One step's part of a batch, looked at and not yet deleted.
struct Part {
    step: usize,
    held: u64,
    ready: Option<Ready>,
}

impl Executor<'_> {
    /// Deals with a batch whose source is a store.
    pub(super) async fn object_batch(
        &self,
        pass: &mut Execution,
        groups: Vec<Group>,
        store: &ObjectSource,
    ) -> Result<(), ExecuteError> {
        let count: u64 = groups.iter().map(|group| group.rows.keys.len() as u64).sum();
        let tried_before = self.was_committed(pass, &store.name).await?;
        failpoint::hit("erase-before-permit");
        // Counted from before the permit, so that ours ends first.
        let started = Instant::now();
        let mut permit = self.open_permit(pass, &store.name, count).await?;
        let end = started + permit.ttl();
        failpoint::hit("erase-after-permit");
        let mut parts = Vec::with_capacity(groups.len());
        for group in groups {
            let step = group.step;
            let batch = match self.object_batch_of(pass, &group) {
                Ok(batch) => batch,
                Err(why) => return Err(self.undone(None, permit, pass, why).await),
            };
            let Authorisation { authorised, held } = match authorise(batch, &mut permit) {
                Ok(authorisation) => authorisation,
                Err(refusal) => return Err(self.undone(None, permit, pass, refusal.into()).await),
            };
            let held: u64 = held.iter().map(|hold| hold.positions.len() as u64).sum();
            let ready = match authorised {
                None => None,
                Some(authorised) => match look_before(store.work.as_ref(), &authorised, self.deployment.now()).await {
                    Ok(ready) => Some(ready),
                    Err(problem) => return Err(self.undone(None, permit, pass, failed(store, problem)).await),
                },
            };
            parts.push(Part { step, held, ready });
        }
        let mut tx = self.deployment.ledger.begin().await?;
        let valid = permit.still_valid(&mut tx).await;
        drop(tx);
        if let Err(refusal) = valid {
            return Err(self.undone(None, permit, pass, refusal.into()).await);
        }
        failpoint::hit("erase-before-source-commit");
        let mut tallies = pass.tallies.clone();
        let mut refused = 0;
        let mut closing = Closing { outcome: PermitOutcome::Committed, affected: 0, already_absent: 0, held: 0 };
        for part in parts {
            let mut tally = StepTally { held: part.held, ..StepTally::default() };
            if let Some(ready) = part.ready {
                let erased = match ready.delete(store.work.as_ref(), end).await {
                    Ok(erased) => erased,
                    Err(problem) => {
                        // Nobody knows what took effect: the next attempt reads the store (E-2).
                        let mut tx = self.deployment.ledger.begin().await?;
                        permit.close(&mut tx, Closing::unknown()).await?;
                        tx.commit().await.map_err(LedgerError::from)?;
                        return Err(failed(store, problem));
                    }
                };
                tally.affected = erased.affected;
                tally.already_done = erased.already_absent;
                tally.held += erased.held;
                refused += erased.refused;
            }
            closing.affected += tally.affected;
            closing.already_absent += tally.already_done;
            closing.held += tally.held;
            if tried_before {
                tally.affected += std::mem::take(&mut tally.already_done);
            }
            tallies[part.step].add(tally);
        }
        failpoint::hit("erase-after-source-commit");
        if refused > 0 {
            // The pass does not go on: the rows that name what is left are the only way to it.
            let mut tx = self.deployment.ledger.begin().await?;
            permit.close(&mut tx, closing).await?;
            tx.commit().await.map_err(LedgerError::from)?;
            return Err(ExecuteError::ObjectsRefused { source_name: store.name.clone(), count: refused });
        }
        self.record(permit, pass, count, tallies, closing, &store.name).await
    }

    /// The entries of a group, under the name by which holds know them.
    fn object_batch_of(&self, pass: &Execution, group: &Group) -> Result<ObjectBatch, ExecuteError> {
        let step = &pass.steps[group.step];
        let place = self.deployment.graph.object_place(&step.dataset, &step.collection);
        let place = place.ok_or_else(|| ExecuteError::Drifted(format!("{}.{}", step.dataset, step.collection)))?;
        Ok(ObjectBatch {
            source: step.source.clone(),
            dataset: step.dataset.clone(),
            collection: place.described_in.clone(),
            entries: entries_of(group).map_err(|damaged| ExecuteError::Manifest(damaged.into()))?,
            has_others: false,
        })
    }

    /// How many entries of the batch at the present position are gone.
    pub(super) async fn objects_gone(&self, group: &Group, store: &ObjectSource) -> Result<u64, ExecuteError> {
        let entries = entries_of(group).map_err(|damaged| ExecuteError::Manifest(damaged.into()))?;
        let there = crate::connector::objects::present(store.work.as_ref(), &entries).await;
        let there = there.map_err(|problem| failed(store, problem))?;
        Ok(there.into_iter().filter(|there| !there).count() as u64)
    }
}

/// The entries of a group.
pub fn entries_of(group: &Group) -> Result<Vec<Entry>, DamagedRecord> {
    group.rows.keys.iter().map(|key| Entry::from_manifest_key(key).ok_or(DamagedRecord)).collect()
}

fn failed(store: &ObjectSource, problem: crate::connector::objects::StoreError) -> ExecuteError {
    ExecuteError::Store { source_name: store.name.clone(), problem }
}
