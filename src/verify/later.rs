//! Rows for which a later pass answers. A row that had changed by its turn is left alone and planned anew, and a row that was kept because
//! others own it too goes when it turns out to be this subject's alone: from then on the earlier pass must neither be blamed for it nor hide
//! behind it (V-1).

use std::collections::HashSet;

use super::control::LookError;
use crate::connector::sql::SqlBatch;
use crate::deployment::Deployment;
use crate::erase::Batch;
use crate::erase::manifest::groups_of;
use crate::ledger::execution::Execution;
use crate::plan::{Action, RowId, Step};

/// Rows that later passes deal with, as far as that matters for an earlier one.
#[derive(Debug, Default)]
pub struct Later {
    /// Overwritten there.
    overwritten: HashSet<RowId>,
    /// Deleted there, having been found after the rest was planned.
    deleted: HashSet<RowId>,
    /// Changed there in whichever way; here they were rows that others own too, and everything was planned anew because those had changed.
    planned_anew: HashSet<RowId>,
}

impl Later {
    /// Those of the passes behind one, given by its position.
    pub fn than(at: usize, passes: &[Execution], deployment: &Deployment) -> Result<Later, LookError> {
        let mut later = Later::default();
        let is_asked_for = |step: &Step| step.of_others_too && step.action != Action::Look && passes[at].met_changed_owners();
        let of_others_too = rows_of(&passes[at], deployment, is_asked_for, |_| true)?;
        for pass in passes.iter().skip(at + 1) {
            if !of_others_too.is_empty() {
                let acts = |step: &Step| !matches!(step.action, Action::Look | Action::Keep);
                later.planned_anew.extend(rows_of(pass, deployment, acts, |row| of_others_too.contains(row))?);
            }
            later.overwritten.extend(rows_of(pass, deployment, overwrites, |_| true)?);
            if !pass.is_whole {
                later.deleted.extend(rows_of(pass, deployment, |step| step.action == Action::Delete, |_| true)?);
            }
        }
        Ok(later)
    }

    /// Takes the rows that a later pass answers for out of a batch; how many they were.
    pub(super) fn take_out(&self, step: &Step, batch: &mut SqlBatch) -> u64 {
        let elsewhere = match step.action {
            Action::Clear { .. } | Action::Overwrite { .. } if step.of_others_too => &self.planned_anew,
            Action::Overwrite { .. } => &self.overwritten,
            Action::Keep => &self.deleted,
            Action::Delete | Action::Rewrite | Action::Clear { .. } | Action::Look => return 0,
        };
        if elsewhere.is_empty() {
            return 0;
        }
        let keep: Vec<bool> = batch.rows.keys.iter().map(|key| !elsewhere.contains(&RowId::of(step, key))).collect();
        batch.keep(&keep);
        keep.iter().filter(|keep| !**keep).count() as u64
    }
}

pub(super) fn overwrites(step: &Step) -> bool {
    matches!(step.action, Action::Overwrite { .. })
}

/// Rows that are asked for, of the steps of a pass that are wanted.
fn rows_of(
    pass: &Execution,
    deployment: &Deployment,
    is_wanted: impl Fn(&Step) -> bool,
    is_asked_for: impl Fn(&RowId) -> bool,
) -> Result<HashSet<RowId>, LookError> {
    let wanted: Vec<bool> = pass.steps.iter().map(|step| step.records > 0 && is_wanted(step)).collect();
    let mut rows = HashSet::new();
    if pass.manifest_file.is_none() || !wanted.contains(&true) {
        return Ok(rows);
    }
    for group in groups_of(deployment, pass)? {
        let group = group?;
        if !wanted[group.step] {
            continue;
        }
        let ids = group.rows.keys.iter().map(|key| RowId::of(&pass.steps[group.step], key));
        rows.extend(ids.filter(&is_asked_for));
    }
    Ok(rows)
}
