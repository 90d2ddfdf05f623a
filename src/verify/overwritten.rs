//! Rows that were to be overwritten and had changed by their turn: they have been left alone, and are planned anew. Which pass answers for
//! them then is told by [`super::later`].

use std::collections::{BTreeMap, HashSet};

use super::control::LookError;
use super::later::{Later, overwrites};
use crate::connector::sql::{Reader, SqlSource};
use crate::db::DbError;
use crate::deployment::Deployment;
use crate::erase::batch_of;
use crate::erase::manifest::groups_of;
use crate::ledger::execution::Execution;
use crate::plan::RowId;

/// Rows that were to be overwritten, had changed by their turn, and are not overwritten yet.
pub async fn changed_rows(
    deployment: &Deployment,
    sources: &BTreeMap<String, SqlSource>,
    passes: &[Execution],
) -> Result<HashSet<RowId>, LookError> {
    let mut rows = HashSet::new();
    for (at, pass) in passes.iter().enumerate() {
        // Rows that others own too have been planned anew as a whole by then.
        let is_overwritten = |at: usize| overwrites(&pass.steps[at]) && !pass.steps[at].of_others_too;
        let met_changed_rows = |at: usize| is_overwritten(at) && pass.tallies.get(at).is_some_and(|tally| tally.changed > 0);
        if !(0..pass.steps.len()).any(met_changed_rows) {
            continue;
        }
        let later = Later::than(at, passes, deployment)?;
        for group in groups_of(deployment, pass)? {
            let group = group?;
            if !met_changed_rows(group.step) {
                continue;
            }
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
    Ok(rows)
}
