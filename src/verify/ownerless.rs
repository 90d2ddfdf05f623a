//! Rows that stayed because others own them, and that nobody owns any more: an owner that is a row elsewhere (a membership) may have been
//! erased in the same moment, and no statement sees both. Such a row is not erased here, and nothing is called complete beside it (V-1).

use std::collections::BTreeMap;

use super::control::LookError;
use crate::certify::ResiduePlace;
use crate::connector::sql::{ReadBack, SqlSource};
use crate::datamap::{Graph, Right};
use crate::db::DbError;
use crate::deployment::Deployment;
use crate::erase::batch_of;
use crate::erase::manifest::groups_of;
use crate::ledger::execution::Execution;
use crate::plan::Step;

/// Where there are such rows, and how many.
pub async fn ownerless(
    deployment: &Deployment,
    sources: &BTreeMap<String, SqlSource>,
    passes: &[Execution],
) -> Result<Vec<ResiduePlace>, LookError> {
    let owned_from_elsewhere = |step: &Step| step.of_others_too && !step.counted.is_empty() && step.records > 0;
    let mut places: BTreeMap<(String, String), u64> = BTreeMap::new();
    for pass in passes.iter().filter(|pass| pass.manifest_file.is_some() && pass.steps.iter().any(owned_from_elsewhere)) {
        for group in groups_of(deployment, pass)? {
            let group = group?;
            if !owned_from_elsewhere(&pass.steps[group.step]) {
                continue;
            }
            let step = &pass.steps[group.step];
            let source = sources.get(&step.source).ok_or_else(|| LookError::Gone(step.source.clone()))?;
            let failed = |problem: DbError| LookError::Source { source_name: step.source.clone(), problem };
            let batch = batch_of(pass, group.step, group.rows, source).ok_or_else(|| LookError::Gone(step.collection.clone()))?;
            let owners = owner_columns(&deployment.graph, step);
            let mut back = ReadBack::open(source).await.map_err(failed)?;
            let rows = back.ownerless(&batch, &owners).await.map_err(failed)?;
            let place = (step.source.clone(), format!("{}.{}", step.dataset, step.collection));
            // A row of an earlier pass may stand in a later one again.
            let known = places.entry(place).or_default();
            *known = rows.max(*known);
        }
    }
    let with_rows = places.into_iter().filter(|(_, rows)| *rows > 0);
    Ok(with_rows.map(|((source, place), occurrences)| ResiduePlace { source, place, occurrences }).collect())
}

/// Columns of a row that name an owner.
fn owner_columns(graph: &Graph, step: &Step) -> Vec<String> {
    let Some(node) = graph.node(&step.dataset, &step.collection) else { return Vec::new() };
    let owning = graph.edges.iter().filter(|edge| edge.to == node && edge.declared_on_to && edge.right == Right::Owns);
    let named = graph.nodes[node.0].identities.iter().map(|identity| identity.column.clone());
    owning.flat_map(|edge| edge.to_columns.clone()).chain(named).collect()
}
