//! Overwritten rows across passes. A row that had changed by its turn is left alone and planned anew: from then on the later pass answers for
//! it, and the earlier one must neither be blamed for it nor hide behind it (V-1).

use std::collections::{BTreeMap, HashSet};

use super::control::LookError;
use crate::connector::sql::{Reader, SqlBatch, SqlSource};
use crate::db::DbError;
use crate::deployment::Deployment;
use crate::erase::manifest::ManifestReader;
use crate::erase::{Batch, batch_of};
use crate::ledger::execution::Execution;
use crate::plan::{Action, RowId, Step};

/// Rows that later passes overwrite.
#[derive(Debug, Default)]
pub struct Later(HashSet<RowId>);

impl Later {
    /// Those of the passes behind one, given by its position.
    pub fn than(at: usize, passes: &[Execution], deployment: &Deployment) -> Result<Later, LookError> {
        let mut rows = HashSet::new();
        for pass in passes.iter().skip(at + 1).filter(|pass| pass.manifest_file.is_some() && overwrites_something(pass)) {
            let mut reader = ManifestReader::open(&deployment.keys, &deployment.config.spool, pass, 0)?;
            loop {
                let groups = reader.next_batch(deployment.config.limits.batch_rows, pass.end())?;
                if groups.is_empty() {
                    break;
                }
                for group in groups.into_iter().filter(|group| overwrites(&pass.steps[group.step])) {
                    rows.extend(group.rows.keys.iter().map(|key| RowId::of(&pass.steps[group.step], key)));
                }
            }
        }
        Ok(Later(rows))
    }

    /// Takes the rows that a later pass answers for out of a batch; how many they were.
    pub(super) fn take_out(&self, step: &Step, batch: &mut SqlBatch) -> u64 {
        if self.0.is_empty() || !overwrites(step) {
            return 0;
        }
        let keep: Vec<bool> = batch.rows.keys.iter().map(|key| !self.0.contains(&RowId::of(step, key))).collect();
        batch.keep(&keep);
        keep.iter().filter(|keep| !**keep).count() as u64
    }
}

fn overwrites(step: &Step) -> bool {
    matches!(step.action, Action::Overwrite { .. })
}

fn overwrites_something(pass: &Execution) -> bool {
    pass.steps.iter().any(overwrites)
}

/// Rows that were to be overwritten, had changed by their turn, and are not overwritten yet.
pub async fn changed_rows(
    deployment: &Deployment,
    sources: &BTreeMap<String, SqlSource>,
    passes: &[Execution],
) -> Result<HashSet<RowId>, LookError> {
    let mut rows = HashSet::new();
    for (at, pass) in passes.iter().enumerate() {
        let met_changed_rows =
            |at: usize| overwrites(&pass.steps[at]) && pass.tallies.get(at).is_some_and(|tally| tally.changed > 0);
        if !(0..pass.steps.len()).any(met_changed_rows) {
            continue;
        }
        let later = Later::than(at, passes, deployment)?;
        let mut reader = ManifestReader::open(&deployment.keys, &deployment.config.spool, pass, 0)?;
        loop {
            let groups = reader.next_batch(deployment.config.limits.batch_rows, pass.end())?;
            if groups.is_empty() {
                break;
            }
            for group in groups.into_iter().filter(|group| met_changed_rows(group.step)) {
                let step = &pass.steps[group.step];
                let source = sources.get(&step.source).ok_or_else(|| LookError::Gone(step.source.clone()))?;
                let failed = |problem: DbError| LookError::Source { source_name: step.source.clone(), problem };
                let mut batch =
                    batch_of(pass, group.step, group.rows, source).ok_or_else(|| LookError::Gone(step.collection.clone()))?;
                later.take_out(step, &mut batch);
                let mut back = crate::connector::sql::ReadBack::open_by(source, Reader::Work).await.map_err(failed)?;
                for position in back.not_done(&batch).await.map_err(failed)? {
                    rows.insert(RowId::of(step, &batch.rows.keys[position]));
                }
            }
        }
    }
    Ok(rows)
}
