//! Erasure (Art. 17), the recipe. The order is the safety of it: nothing is touched before the plan is frozen and approved (P-1) and the
//! verifier has seen what will go (V-3); the people's own rows go last, because everything else is found through them; and what is said
//! in the end is said by the verifier alone.

use super::case::{Case, JobError};
use super::certifying::{Verdict, certify};
use super::planning::{approvals_needed, decide, gather, is_approved, mask_secret};
use super::result::{PlaceResult, Reason, StoredResult};
use super::verifying::verify;
use crate::connector::sql::Reader;
use crate::crypto::{destroy_spool, random_code};
use crate::decide::Frozen;
use crate::erase::Executor;
use crate::erase::manifest::{ManifestWriter, path_of};
use crate::failpoint;
use crate::journal::{self, Count, Digest, EventKind};
use crate::ledger::execution::{self, Execution, Stage};
use crate::ledger::job::Writer;
use crate::ledger::plan::{self as plans, StoredPlan};
use crate::ledger::request;
use crate::plan::{Outcome, Plan, Step};
use crate::queue::claim;
use crate::request::Status;
use crate::verify::control;

/// Looks for new rows at most so often; a person who is still writing after that is a matter for people.
const MOST_PASSES: usize = 20;

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

/// J-1: a ledger that does not agree with what was signed outside may have lost holds and tombstones.
pub async fn refuse_if_the_journal_disagrees(case: &Case<'_>) -> Result<(), JobError> {
    let head = journal::check_head(&case.deployment.ledger, case.deployment.notary.anchor()).await?;
    if head.is_consistent() { Ok(()) } else { Err(JobError::JournalHead) }
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
    if !claim::widen(&mut tx, &case.deployment.keys, case.lease, &names).await? {
        tx.rollback().await?;
        return Ok(Planned::Ended(Ended::LaneTaken));
    }
    tx.commit().await?;
    let decided = decide(case, &mut gathering).await?;
    if !decided.plan.can_be_approved() {
        let plan = decided.plan;
        gathering.close().await?;
        return refuse_plan(case, &plan).await;
    }
    let (file, mut writer) = new_manifest(case)?;
    let frozen = decided.freeze(&mut gathering, &mask_secret(case), &mut writer, false).await;
    gathering.close().await?;
    let Frozen { plan, steps } = frozen?;
    writer.finish()?;
    if !is_approved(case, &plan).await? {
        destroy_spool(&path_of(&case.deployment.config.spool, &file))?;
        return wait_for_approval(case, &plan).await;
    }
    failpoint::hit("freeze-before-ledger");
    let pass = new_pass(case, &[], file, steps, &plan, true);
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

fn stored(case: &Case<'_>, plan: &Plan) -> StoredPlan {
    StoredPlan {
        request_id: case.request.id.clone(),
        digest: plan.digest(),
        shape_digest: plan.shape_digest(),
        document: serde_json::to_string(plan).unwrap_or_default(),
        manifest_file: None,
        created_at: case.deployment.now(),
        frozen_at: None,
    }
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

/// P-1: a plan that cannot work, or that nobody has decided, goes back to the controller untouched.
async fn refuse_plan(case: &mut Case<'_>, plan: &Plan) -> Result<Planned, JobError> {
    let mut lines: Vec<String> =
        plan.problems.iter().map(|problem| format!("{}: {} (hint: {})", problem.subject, problem.problem, problem.hint)).collect();
    for item in plan.undecided() {
        lines.push(format!(
            "{}.{}: nobody has decided what erasure does here (hint: write `habeas: {{on_erasure: …}}`, or name a policy)",
            item.dataset, item.collection
        ));
    }
    let reason = Reason {
        code: "plan_refused".into(),
        message: format!("the plan cannot work, and nothing was touched: {}", lines.join("; ")),
        hint: Some("correct the data map (`habeas map check` explains each point), then `habeas request retry`".into()),
    };
    wait(case, Status::WaitingController, Some(plan), reason).await
}

async fn wait_for_approval(case: &mut Case<'_>, plan: &Plan) -> Result<Planned, JobError> {
    let needed = approvals_needed(case, plan);
    let people = if needed == 1 { "one person has".to_owned() } else { format!("{needed} different people have") };
    let reason = Reason {
        code: "waiting_approval".into(),
        message: format!("{people} to approve plan {}", plan.digest()),
        hint: Some(format!("`habeas request show {0}` shows it, `habeas request approve {0}` approves it", case.request.code)),
    };
    wait(case, Status::WaitingApproval, Some(plan), reason).await
}

async fn wait(case: &mut Case<'_>, status: Status, plan: Option<&Plan>, reason: Reason) -> Result<Planned, JobError> {
    let result = StoredResult {
        items: plan.map(super::verifying::planned_items).unwrap_or_default(),
        reason: Some(reason),
        ..StoredResult::default()
    };
    store_waiting(case, status, plan, &result).await?;
    Ok(Planned::Ended(Ended::Waiting))
}

/// Writes why a request waits, with its plan if there is one.
pub async fn store_waiting(
    case: &mut Case<'_>,
    status: Status,
    plan: Option<&Plan>,
    result: &StoredResult,
) -> Result<(), JobError> {
    let now = case.deployment.now();
    let document = serde_json::to_value(result).unwrap_or_default();
    let mut tx = case.deployment.ledger.begin().await?;
    if let Some(plan) = plan {
        plans::insert(&mut tx, case.lease, &stored(case, plan)).await?;
        request::set_plan_digest(&mut tx, Writer::Attempt(case.lease), &case.request.id, &plan.digest(), now).await?;
    }
    request::set_result(&mut tx, Writer::Attempt(case.lease), &case.request.id, &document, now).await?;
    case.write_status(&mut tx, status).await?;
    tx.commit().await?;
    case.request.status = status;
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

async fn carry_out(case: &Case<'_>, passes: &mut Vec<Execution>, aliases: Vec<String>) -> Result<(), JobError> {
    let executor = Executor { deployment: case.deployment, lease: case.lease, sources: &case.sources, aliases };
    let mut tries = 0;
    while let Err(error) = carry_out_but_people(case, passes, &executor).await {
        // The source has changed under the plan: rows that refer to ours have appeared. What is left is planned anew, inside the approval.
        tries += 1;
        if tries > MOST_REPLANS || !error.source_refused() {
            return Err(error);
        }
        plan_the_rest_anew(case, passes).await?;
    }
    let held: u64 = passes.iter().flat_map(|pass| &pass.tallies).map(|tally| tally.held).sum();
    if held > 0 && passes.len() == 1 + passes.iter().filter(|pass| !pass.is_whole).count() {
        // A hold came while we erased. Whether the people's own rows may go is decided with it in view.
        plan_the_rest_anew(case, passes).await?;
        carry_out_but_people(case, passes, &executor).await?;
    }
    let main = main_pass(passes);
    let all = passes[main].acting_records();
    executor.run(&mut passes[main], all).await?;
    let mut tx = case.deployment.ledger.begin().await?;
    for pass in passes.iter_mut() {
        execution::set_stage(&mut tx, case.lease, pass, Stage::Executed).await?;
        pass.stage = Stage::Executed;
    }
    tx.commit().await?;
    case.deployment.progress.end();
    Ok(())
}

/// How often what is left is planned anew before somebody has to look.
const MOST_REPLANS: u32 = 3;

/// The whole pass to go on with: the last one.
fn main_pass(passes: &[Execution]) -> usize {
    passes.iter().rposition(|pass| pass.is_whole).unwrap_or(0)
}

/// Everything but the people themselves, and then whatever has appeared meanwhile, until nothing new is found.
async fn carry_out_but_people(case: &Case<'_>, passes: &mut Vec<Execution>, executor: &Executor<'_>) -> Result<(), JobError> {
    executor.settle_unknown(passes).await?;
    for pass in passes.iter_mut() {
        see_before(case, pass).await?;
    }
    let records: u64 = passes.iter().filter(|pass| pass.truncated_at.is_none()).map(Execution::acting_records).sum();
    case.deployment.progress.begin("erase", Some(records));
    for pass in passes.iter_mut().filter(|pass| pass.truncated_at.is_none()) {
        let end = if pass.is_whole { pass.records_before_people() } else { pass.acting_records() };
        executor.run(pass, end).await?;
    }
    while let Some(mut pass) = rows_that_appeared(case, passes).await? {
        see_before(case, &mut pass).await?;
        let end = pass.acting_records();
        executor.run(&mut pass, end).await?;
        let changed: u64 = pass.tallies.iter().map(|tally| tally.affected).sum();
        passes.push(pass);
        if changed == 0 {
            // What is found again and cannot be changed is held: the verification says so.
            break;
        }
    }
    Ok(())
}

/// A new whole pass for what is left. It may do less than the approved plan, never more: other places or other ways need another approval.
async fn plan_the_rest_anew(case: &Case<'_>, passes: &mut Vec<Execution>) -> Result<(), JobError> {
    let mut gathering = gather(case, Reader::Work).await?;
    let decided = decide(case, &mut gathering).await?;
    let (file, mut writer) = new_manifest(case)?;
    let frozen = decided.freeze(&mut gathering, &mask_secret(case), &mut writer, false).await;
    gathering.close().await?;
    let Frozen { plan, steps } = frozen?;
    writer.finish()?;
    let approved = approved_plan(case, &passes[0].plan_digest).await?;
    if !plan.can_be_approved() || !plan.is_within(&approved) {
        destroy_spool(&path_of(&case.deployment.config.spool, &file))?;
        let problems = plan.problems.iter().map(|problem| format!("{}: {}", problem.subject, problem.problem)).collect();
        return Err(JobError::Map(problems));
    }
    failpoint::hit("pass-before-ledger");
    let pass = new_pass(case, passes, file, steps, &plan, true);
    let mut tx = case.deployment.ledger.begin().await?;
    for old in passes.iter_mut().filter(|old| old.is_whole && old.truncated_at.is_none()) {
        execution::truncate(&mut tx, case.lease, old).await?;
        old.truncated_at = Some(old.position);
    }
    execution::insert(&mut tx, case.lease, &pass, case.deployment.now()).await?;
    tx.commit().await?;
    passes.push(pass);
    Ok(())
}

async fn approved_plan(case: &Case<'_>, digest: &str) -> Result<Plan, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let stored = plans::get(&mut tx, &case.request.id, digest).await?;
    tx.rollback().await?;
    serde_json::from_str(&stored.document).map_err(|error| JobError::Stored(error.to_string()))
}

fn new_manifest(case: &Case<'_>) -> Result<(String, ManifestWriter), JobError> {
    let file = format!("{}-{}.manifest", case.request.id, random_code(8)?.to_lowercase());
    let path = path_of(&case.deployment.config.spool, &file);
    let writer = ManifestWriter::create(&case.deployment.keys, &path, &case.request.id)?;
    Ok((file, writer))
}

fn new_pass(case: &Case<'_>, passes: &[Execution], file: String, steps: Vec<Step>, plan: &Plan, is_whole: bool) -> Execution {
    Execution {
        request_id: case.request.id.clone(),
        plan_digest: passes.first().map_or_else(|| plan.digest(), |first| first.plan_digest.clone()),
        pass: i64::try_from(passes.len()).unwrap_or(i64::MAX),
        manifest_file: Some(file),
        tallies: vec![Default::default(); steps.len()],
        steps,
        holds_digest: plan.holds_digest.clone(),
        is_whole,
        truncated_at: None,
        position: 0,
        stage: Stage::Frozen,
        seen: None,
        seen_at: None,
    }
}

/// V-3: the verifier's own session looks at every record before anything is touched. If it sees none where the plan has some, it is blind,
/// and an erasure that nobody could verify does not begin.
async fn see_before(case: &Case<'_>, pass: &mut Execution) -> Result<(), JobError> {
    if pass.stage != Stage::Frozen {
        return Ok(());
    }
    case.deployment.progress.begin("look before", Some(pass.steps.iter().map(|step| step.records).sum()));
    let seen = control::look(case.deployment, &case.sources, pass).await?;
    let seen: Vec<u64> = seen.iter().map(|seen| seen.present).collect();
    for (step, seen) in pass.steps.iter().zip(&seen) {
        if step.records > 0 && *seen == 0 {
            let text = format!(
                "the verifying session of source `{}` sees none of {} records in {}",
                step.source, step.records, step.collection
            );
            return Err(JobError::Map(vec![text]));
        }
    }
    let now = case.deployment.now();
    let mut tx = case.deployment.ledger.begin().await?;
    execution::set_seen(&mut tx, case.lease, pass, &seen, now).await?;
    tx.commit().await?;
    pass.seen = Some(seen);
    pass.seen_at = Some(now);
    pass.stage = Stage::Seen;
    case.deployment.progress.end();
    Ok(())
}

/// Rows that came to be while we erased: a new pass for them, or nothing.
async fn rows_that_appeared(case: &Case<'_>, passes: &[Execution]) -> Result<Option<Execution>, JobError> {
    if passes.len() > MOST_PASSES {
        return Err(JobError::Map(vec!["records keep appearing while they are erased: restrict the account first".into()]));
    }
    let mut gathering = gather(case, Reader::Work).await?;
    let decided = decide(case, &mut gathering).await?;
    let (file, mut writer) = new_manifest(case)?;
    let frozen = decided.freeze(&mut gathering, &mask_secret(case), &mut writer, true).await;
    gathering.close().await?;
    let Frozen { plan, steps } = frozen?;
    let records = writer.finish()?;
    let path = path_of(&case.deployment.config.spool, &file);
    if records == 0 {
        destroy_spool(&path)?;
        return Ok(None);
    }
    if !plan.can_be_approved() {
        destroy_spool(&path)?;
        let problems = plan.problems.iter().map(|problem| format!("{}: {}", problem.subject, problem.problem)).collect();
        return Err(JobError::Map(problems));
    }
    failpoint::hit("pass-before-ledger");
    let pass = new_pass(case, passes, file, steps, &plan, false);
    let mut tx = case.deployment.ledger.begin().await?;
    execution::insert(&mut tx, case.lease, &pass, case.deployment.now()).await?;
    tx.commit().await?;
    Ok(Some(pass))
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
