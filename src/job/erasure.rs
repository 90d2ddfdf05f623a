//! Erasure (Art. 17), the recipe. The order is the safety of it: nothing is touched before the plan is frozen and approved (P-1) and the
//! verifier has seen what will go (V-3); the people's own rows go last, because everything else is found through them; and what is said
//! in the end is said by the verifier alone.

use std::collections::BTreeSet;

use super::case::{Case, JobError};
use super::certifying::{Verdict, certify};
use super::names;
use super::passes::{carry_out, new_manifest, new_pass};
use super::planning::{decide, gather, is_approved, mask_secret};
use super::result::{PlaceResult, StoredResult};
use super::verifying::verify;
use super::waiting::{refuse_plan, stored, wait_for_approval};
use crate::connector::sql::Reader;
use crate::crypto::destroy_spool;
use crate::decide::{Frozen, WhichRows};
use crate::erase::manifest::path_of;
use crate::failpoint;
use crate::journal::{self, Count, Digest, EventKind};
use crate::ledger::execution::{self, Execution, Stage};
use crate::ledger::hold;
use crate::ledger::job::Writer;
use crate::ledger::plan as plans;
use crate::ledger::request;
use crate::plan::{Outcome, Plan};
use crate::queue::claim;
use crate::request::Status;

/// How the recipe ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// There is an answer.
    Answered,
    /// Somebody has to do something first; the request says what.
    Waiting,
    /// Another request of the same person is running.
    LaneTaken,
}

/// Carries out an erasure request, from wherever an earlier attempt left it.
pub async fn erase(mut case: Case<'_>) -> Result<Ended, JobError> {
    refuse_if_the_journal_disagrees(&case).await?;
    case.set_status(Status::Running).await?;
    destroy_orphans(&case).await?;
    let (plan, mut passes) = match unfinished(&case).await? {
        Some(found) => found,
        None => match plan_and_freeze(&mut case).await? {
            Planned::Frozen(plan, pass) => (*plan, vec![*pass]),
            Planned::Ended(ended) => return Ok(ended),
        },
    };
    let aliases = known_aliases(&case).await?;
    if passes[0].stage < Stage::Executed {
        carry_out(&case, &mut passes, aliases).await?;
    }
    case.set_status(Status::Verifying).await?;
    let verified = verify(&case, &plan, &passes).await?;
    failpoint::hit("certify-before-record");
    let Verdict { result, status } = certify(&case, &plan, &passes, verified).await?;
    finish(&case, &passes, &result, status).await?;
    case.close().await;
    Ok(Ended::Answered)
}

/// J-1, H-1: a ledger that does not agree with what was signed outside, or lacks a hold that the journal knows, may have lost more.
pub async fn refuse_if_the_journal_disagrees(case: &Case<'_>) -> Result<(), JobError> {
    let head = journal::check_head(&case.deployment.ledger, case.deployment.notary.anchor()).await?;
    if !head.is_consistent() {
        return Err(JobError::JournalHead);
    }
    let recorded = journal::living_holds(&case.deployment.ledger).await?;
    let mut tx = case.deployment.ledger.begin().await?;
    let present: BTreeSet<String> =
        hold::list(&mut tx, false).await.map_err(JobError::from)?.into_iter().map(|hold| hold.id).collect();
    tx.rollback().await?;
    if recorded.is_subset(&present) { Ok(()) } else { Err(JobError::HoldMissing) }
}

/// The plan and passes that an earlier attempt began and did not finish.
async fn unfinished(case: &Case<'_>) -> Result<Option<(Plan, Vec<Execution>)>, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let passes: Vec<Execution> =
        execution::of_request(&mut tx, &case.request.id).await?.into_iter().filter(|pass| pass.stage != Stage::Done).collect();
    let Some(first) = passes.first() else { return Ok(None) };
    let stored = plans::get(&mut tx, &case.request.id, &first.plan_digest).await?;
    tx.rollback().await?;
    let plan = serde_json::from_str(&stored.document).map_err(|error| JobError::Stored(error.to_string()))?;
    Ok(Some((plan, passes)))
}

enum Planned {
    Frozen(Box<Plan>, Box<Execution>),
    Ended(Ended),
}

async fn plan_and_freeze(case: &mut Case<'_>) -> Result<Planned, JobError> {
    case.deployment.progress.begin("plan", None);
    let mut gathering = gather(case, Reader::Work).await?;
    let mut tx = case.deployment.ledger.begin().await?;
    let names = gathering.aliases.clone();
    let person = gathering.person.clone();
    if !claim::widen(&mut tx, &case.deployment.keys, case.lease, &names).await? {
        tx.rollback().await?;
        return Ok(Planned::Ended(Ended::LaneTaken));
    }
    tx.commit().await?;
    let decided = decide(case, &mut gathering).await?;
    if !decided.plan.can_be_approved() {
        let plan = decided.plan;
        gathering.close().await?;
        return Ok(Planned::Ended(refuse_plan(case, &plan).await?));
    }
    let (file, writer) = new_manifest(case)?;
    let mut writer = writer.after_rounds(rounds_before(case).await?);
    let frozen = decided.freeze(&mut gathering, &mask_secret(case), &mut writer, WhichRows::All).await;
    gathering.close().await?;
    let Frozen { plan, steps } = frozen?;
    writer.finish()?;
    if !plan.can_be_approved() {
        // Only the rows themselves have shown that it cannot work.
        destroy_spool(&path_of(&case.deployment.config.spool, &file))?;
        return Ok(Planned::Ended(refuse_plan(case, &plan).await?));
    }
    if !is_approved(case, &plan).await? {
        destroy_spool(&path_of(&case.deployment.config.spool, &file))?;
        return Ok(Planned::Ended(wait_for_approval(case, &plan).await?));
    }
    failpoint::hit("freeze-before-ledger");
    let mut pass = new_pass(case, &[], file, steps, &plan, true);
    pass.names_sealed = Some(names::seal(&case.deployment.keys, &person)?);
    let now = case.deployment.now();
    let mut tx = case.deployment.ledger.begin().await?;
    plans::insert(&mut tx, case.lease, &stored(case, &plan)).await?;
    plans::freeze(&mut tx, case.lease, &case.request.id, &pass.plan_digest, now).await?;
    execution::insert(&mut tx, case.lease, &pass, now).await?;
    let mut event = case.event(EventKind::PlanFrozen).count(Count::Found, plan.found()).count(Count::Expected, plan.effects());
    if let Ok(digest) = Digest::parse(&pass.plan_digest) {
        event = event.plan_digest(digest);
    }
    journal::append(&mut tx, &event).await?;
    tx.commit().await?;
    case.deployment.progress.end();
    Ok(Planned::Frozen(Box::new(plan), Box::new(pass)))
}

/// How many plans of the request have been carried out to their end.
async fn rounds_before(case: &Case<'_>) -> Result<u64, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let passes = execution::of_request(&mut tx, &case.request.id).await?;
    tx.rollback().await?;
    let ended = passes.into_iter().filter(|pass| pass.stage == Stage::Done);
    Ok(ended.map(|pass| pass.plan_digest).collect::<BTreeSet<String>>().len() as u64)
}

/// A manifest that no pass of the ledger names was left by an attempt that died before its commit.
async fn destroy_orphans(case: &Case<'_>) -> Result<(), JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let named: Vec<String> =
        execution::of_request(&mut tx, &case.request.id).await?.into_iter().filter_map(|pass| pass.manifest_file).collect();
    tx.rollback().await?;
    let Ok(entries) = std::fs::read_dir(&case.deployment.config.spool) else { return Ok(()) };
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&case.request.id) && !named.contains(&name) {
            destroy_spool(&entry.path())?;
        }
    }
    Ok(())
}

/// All keyed names of the person that the ledger knows: given ones, and those that planning found.
async fn known_aliases(case: &Case<'_>) -> Result<Vec<String>, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let mut aliases = request::aliases(&mut tx, &case.request.id).await?;
    tx.rollback().await?;
    aliases.extend(case.alias_refs(case.subject.identifiers()));
    aliases.sort();
    aliases.dedup();
    Ok(aliases)
}

async fn finish(case: &Case<'_>, passes: &[Execution], result: &StoredResult, status: Status) -> Result<(), JobError> {
    let now = case.deployment.now();
    let document = serde_json::to_value(result).unwrap_or_default();
    let mut tx = case.deployment.ledger.begin().await?;
    request::set_result(&mut tx, Writer::Attempt(case.lease), &case.request.id, &document, now).await?;
    for pass in passes {
        execution::set_stage(&mut tx, case.lease, pass, Stage::Done).await?;
    }
    super::reverify::schedule(&mut tx, case, now).await?;
    case.write_status(&mut tx, status).await?;
    tx.commit().await?;
    Ok(())
}

/// Gaps of a plan as they stand in results.
pub fn gap_places(plan: &Plan) -> Vec<PlaceResult> {
    plan.gaps
        .iter()
        .map(|gap| PlaceResult { source: gap.source.clone(), place: None, code: "source_unreachable".into(), count: None })
        .collect()
}

/// Whether an outcome leaves something open.
pub fn is_open(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::Pending | Outcome::Unknown | Outcome::Gap | Outcome::Failed)
}
