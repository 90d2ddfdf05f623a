//! Verification of an erasure: read back by key, search for the person again, search for the identifiers as values; then conclude. The
//! sessions are the verifier's own, and the manifests are all that they share with the eraser.

use std::collections::{BTreeMap, BTreeSet};

use super::case::{Case, JobError};
use super::names;
use super::planning::{decide, gather};
use super::result::ItemResult;
use crate::args;
use crate::certify::ResiduePlace;
use crate::connector::sql::text::fate::table_count;
use crate::connector::sql::{Reader, Seen};
use crate::failpoint;
use crate::gather::{GatherError, Gathering};
use crate::journal::{self, Count, EventKind};
use crate::ledger::execution::Execution;
use crate::plan::{Disposition, Outcome, Plan};
use crate::subject::{Identifier, Subject};
use crate::verify::{
    Conclusion, ItemOutcome, Later, Looks, RetainedObjects, RetainedRows, Searched, conclude, control, ownerless, rows_of_others,
    search, search_stores,
};

/// What the verifier has found out.
pub struct Verified {
    /// Per item.
    pub conclusions: Vec<Conclusion>,
    /// The value search, with what the identity search found again.
    pub searched: Searched,
    /// Rows that were kept for others and that nobody owns any more.
    pub ownerless: Vec<ResiduePlace>,
}

/// Verifies all passes of a plan.
pub async fn verify(case: &Case<'_>, plan: &Plan, passes: &[Execution]) -> Result<Verified, JobError> {
    let progress = &case.deployment.progress;
    progress.begin("read back", Some(passes.iter().flat_map(|pass| &pass.steps).map(|step| step.records).sum()));
    let mut looked: Vec<(Execution, Vec<Seen>)> = Vec::with_capacity(passes.len());
    for (at, pass) in passes.iter().enumerate() {
        let later = Later::than(at, passes, case.deployment)?;
        let seen = match pass.steps.is_empty() {
            true => Vec::new(),
            false => control::look(case.deployment, case.systems(), pass, &later).await?,
        };
        looked.push((pass.clone(), seen));
    }
    progress.begin("search", None);
    let again = search_person_again(case, plan, passes).await?;
    let retained = RetainedRows::of(case.deployment, &case.sources, passes)?;
    let now = case.deployment.now();
    let mut searched = search(&case.sources, &again.names, &retained, now).await?;
    let kept = RetainedObjects::of(case.deployment, &case.stores, passes).await?;
    let limits = case.deployment.config.limits.scan;
    search_stores(&case.stores, &again.names, &kept, limits, now, &mut searched).await?;
    searched.residue.extend(again.residue);
    let others = others_seen(case, plan).await?;
    let identifiers = again.names.len() as u64;
    let looks = Looks { passes: &looked, searched: &searched, others: &others, now: case.deployment.now() };
    let conclusions = conclude(plan, &looks, identifiers);
    failpoint::hit("verify-before-record");
    let residue: u64 = searched.residue.iter().map(|place| place.occurrences).sum();
    let verified: u64 = conclusions.iter().map(verified_records).sum();
    let mut tx = case.deployment.ledger.begin().await?;
    let event = case.event(EventKind::VerificationDone).count(Count::VerifiedAbsent, verified).count(Count::StillPresent, residue);
    journal::append(&mut tx, &event).await?;
    tx.commit().await?;
    progress.end();
    let ownerless = ownerless(case.deployment, &case.sources, passes).await?;
    Ok(Verified { conclusions, searched, ownerless })
}

fn verified_records(conclusion: &Conclusion) -> u64 {
    match &conclusion.outcome {
        ItemOutcome::Verified(absence) => absence.records(),
        _ => 0,
    }
}

struct Again {
    names: Vec<Identifier>,
    residue: Vec<ResiduePlace>,
}

/// The identity search again, by the verifier: it must find nothing more to erase. Overwritten rows stay with their owner; more of them than
/// were overwritten have appeared meanwhile.
async fn search_person_again(case: &Case<'_>, plan: &Plan, passes: &[Execution]) -> Result<Again, JobError> {
    let mut names = names::of_passes(&case.deployment.keys, passes)?;
    names.extend(case.subject.identifiers().iter().cloned());
    names.sort();
    names.dedup();
    let mut gathering = gather_by(case, &names).await?;
    let decided = decide(case, &mut gathering).await?;
    let overwritten = kinds_overwritten(case, plan);
    // What stands in an overwritten column is what we have written there, and nobody's name.
    names.extend(gathering.person.iter().filter(|name| !overwritten.contains(name.kind.as_str())).cloned());
    gathering.close().await?;
    names.sort();
    names.dedup();
    let mut residue = Vec::new();
    for item in decided.plan.items.iter().filter(|item| item.expected > 0) {
        let overwritten = plan.items.iter().find(|known| {
            item.disposition == Disposition::Mask
                && known.disposition == Disposition::Mask
                && known.dataset == item.dataset
                && known.collection == item.collection
        });
        let occurrences = item.expected.saturating_sub(overwritten.map_or(0, |known| known.expected));
        let held: u64 = held_in(passes, &item.dataset, &item.collection);
        let occurrences = occurrences.saturating_sub(held);
        if occurrences > 0 {
            let place = format!("{}.{}", item.dataset, item.collection);
            residue.push(ResiduePlace { source: item.source.clone(), place, occurrences });
        }
    }
    Ok(Again { names, residue })
}

/// Kinds of identifiers whose column the plan overwrites.
fn kinds_overwritten<'c>(case: &'c Case<'_>, plan: &Plan) -> BTreeSet<&'c str> {
    let mut kinds = BTreeSet::new();
    for item in plan.items.iter().filter(|item| item.disposition == Disposition::Mask) {
        let graph = &case.deployment.graph;
        let Some(node) = graph.node(&item.dataset, &item.collection) else { continue };
        let is_written = |column: &str| item.columns.iter().any(|change| change.column == column);
        let written =
            graph.nodes[node.0].identities.iter().filter(|identity| is_written(&identity.column) || is_written(&identity.name()));
        kinds.extend(written.map(|identity| identity.kind.as_str()));
    }
    kinds
}

/// Looks the person up by every name that is known. Names that no longer fit together (somebody has registered the address anew) are not
/// followed; the given ones are.
async fn gather_by<'c>(case: &'c Case<'_>, names: &[Identifier]) -> Result<Gathering<'c>, JobError> {
    if let Ok(person) = Subject::new(names.iter().cloned()) {
        let graph = &case.deployment.graph;
        match Gathering::run(graph, &case.sources, case.unreached.clone(), &person, Reader::Verify).await {
            Err(GatherError::Ambiguous { .. } | GatherError::Contradiction { .. }) => {}
            other => return Ok(other?),
        }
    }
    gather(case, Reader::Verify).await
}

fn held_in(passes: &[Execution], dataset: &str, collection: &str) -> u64 {
    let held = |pass: &Execution| {
        let steps = pass.steps.iter().zip(&pass.tallies);
        steps.filter(|(step, _)| step.dataset == dataset && step.collection == collection).map(|(_, tally)| tally.held).sum::<u64>()
    };
    passes.iter().map(held).sum()
}

/// Where nothing of the subject was found: how many rows of others the verifier sees there, which shows that it can see at all (V-3).
async fn others_seen(case: &Case<'_>, plan: &Plan) -> Result<BTreeMap<String, u64>, JobError> {
    let mut seen = BTreeMap::new();
    for item in plan.items.iter().filter(|item| item.found == 0) {
        if let Some(store) = case.stores.get(&item.source) {
            let name = format!("{}.{}", item.dataset, item.collection);
            if let Some(place) = case.deployment.graph.row_place(&item.dataset, &item.collection) {
                seen.extend(rows_of_others(place, store, &case.deployment.config.spool).await?.map(|rows| (name, rows)));
                continue;
            }
            // A list that was allowed shows what there is: an empty one is no blindness.
            let page = store.verify.list(b"", None).await;
            let page = page.map_err(|problem| JobError::Store { source_name: store.name.clone(), problem })?;
            seen.insert(name, page.entries.len() as u64);
            continue;
        }
        let Some(source) = case.sources.get(&item.source) else { continue };
        let schema = case.deployment.map.dataset(&item.dataset).and_then(|dataset| dataset.schema.as_deref());
        let Some(table) = source.sight().find(schema, &item.collection) else { continue };
        if table.row_security || !table.rights.select {
            // Rows may be hidden from this role: no sight.
            continue;
        }
        let mut session = source.verify_session().await?;
        let record = session.on().fetch_one(table_count(&table.name), args![]).await?;
        seen.insert(format!("{}.{}", item.dataset, item.collection), u64::try_from(record.int("n")?).unwrap_or(0));
    }
    Ok(seen)
}

/// Items of a plan that has not been carried out.
pub fn planned_items(plan: &Plan) -> Vec<ItemResult> {
    plan.items
        .iter()
        .map(|item| ItemResult {
            source: item.source.clone(),
            dataset: item.dataset.clone(),
            collection: item.collection.clone(),
            kind: item.kind.clone(),
            disposition: item.disposition,
            found: item.found,
            exported: 0,
            withheld: 0,
            expected: item.expected,
            affected: 0,
            retained: item.retained.clone(),
            rows: item.rows,
            outcome: None,
            level: None,
            error: None,
        })
        .collect()
}

/// Items of a plan that has been carried out and verified.
pub fn concluded_items(conclusions: &[Conclusion]) -> Vec<ItemResult> {
    conclusions
        .iter()
        .map(|conclusion| {
            let item = &conclusion.item;
            let (outcome, level, error) = words(conclusion);
            ItemResult {
                source: item.source.clone(),
                dataset: item.dataset.clone(),
                collection: item.collection.clone(),
                kind: item.kind.clone(),
                disposition: item.disposition,
                found: if item.disposition == Disposition::Unlink && item.retained.is_empty() {
                    item.found
                } else {
                    conclusion.found.max(item.found)
                },
                exported: 0,
                withheld: 0,
                expected: conclusion.expected,
                affected: conclusion.affected,
                retained: conclusion.retained.clone(),
                rows: item.rows,
                outcome: Some(outcome),
                level,
                error,
            }
        })
        .collect()
}

fn words(conclusion: &Conclusion) -> (Outcome, Option<u8>, Option<String>) {
    match &conclusion.outcome {
        ItemOutcome::Verified(absence) => {
            let outcome =
                if conclusion.affected == 0 && conclusion.already_done > 0 { Outcome::AlreadyAbsent } else { Outcome::Erased };
            (outcome, Some(absence.level().into()), None)
        }
        ItemOutcome::Retained => (Outcome::Retained, None, None),
        ItemOutcome::NothingFound(_) => (Outcome::AlreadyAbsent, None, None),
        ItemOutcome::Pending { code } => (Outcome::Pending, None, Some(code.to_string())),
        ItemOutcome::Unknown { code } => (Outcome::Unknown, None, Some(code.to_string())),
        ItemOutcome::Gap { code } => (Outcome::Gap, None, Some(code.to_string())),
        ItemOutcome::Failed { code } => (Outcome::Failed, None, Some(code.to_string())),
    }
}
