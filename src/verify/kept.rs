//! What may name the person afterwards: records that are kept on a ground, and those that a hold kept from being erased. Read from the manifests.

use super::control::LookError;
use crate::deployment::Deployment;
use crate::erase::manifest::groups_of;
use crate::ledger::execution::Execution;
use crate::plan::{Action, Step};
use crate::value::Key;

/// Hands every such record of steps that are `wanted` to `take`.
pub(super) fn each_kept(
    deployment: &Deployment,
    passes: &[Execution],
    wanted: impl Fn(&Step) -> bool,
    mut take: impl FnMut(&Step, &Key),
) -> Result<(), LookError> {
    for pass in passes.iter().filter(|pass| pass.manifest_file.is_some()) {
        let keeps = |at: usize| {
            let step = &pass.steps[at];
            wanted(step) && (step.action == Action::Keep || pass.tallies.get(at).is_some_and(|tally| tally.held > 0))
        };
        if !(0..pass.steps.len()).any(keeps) {
            continue;
        }
        for group in groups_of(deployment, pass)? {
            let group = group?;
            if !keeps(group.step) {
                continue;
            }
            group.rows.keys.iter().for_each(|key| take(&pass.steps[group.step], key));
        }
    }
    Ok(())
}
