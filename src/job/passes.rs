//! Carrying out an erasure in passes. Pass 0 is the approved plan. Rows that appear while it runs get passes of their own, and when a hold or
//! new references come in between, what is left is planned anew, inside what was approved. People's own rows wait for the end.

use std::sync::Mutex;

use super::case::{Case, JobError};
use super::planning::{decide, gather, mask_secret};
use crate::connector::sql::Reader;
use crate::crypto::{destroy_spool, random_code};
use crate::decide::{Frozen, WhichRows, schema_digest};
use crate::erase::Executor;
use crate::erase::manifest::{ManifestWriter, path_of};
use crate::failpoint;
use crate::ledger::execution::{self, Execution, Stage};
use crate::ledger::plan as plans;
use crate::plan::{Plan, Step};
use crate::verify::{Later, changed_rows, control};

/// Looks for new rows at most so often; a person who is still writing after that is a matter for people.
const MOST_PASSES: usize = 20;

/// Deals with every record of the passes, adding passes as they are needed, and marks them as executed.
pub(super) async fn carry_out(case: &Case<'_>, passes: &mut Vec<Execution>, aliases: Vec<String>) -> Result<(), JobError> {
    let executor = Executor {
        deployment: case.deployment,
        lease: case.lease,
        sources: &case.sources,
        stores: &case.stores,
        aliases,
        tidied: Mutex::default(),
    };
    plan_anew_for_another_schema(case, passes).await?;
    let mut tries = 0;
    while let Err(error) = carry_out_but_people(case, passes, &executor).await {
        // The source has changed under the plan: rows that refer to ours have appeared. What is left is planned anew, inside the approval.
        tries += 1;
        if tries > MOST_REPLANS || !error.source_refused() {
            return Err(error);
        }
        plan_the_rest_anew(case, passes).await?;
    }
    let since_last_plan = passes.iter().skip(main_pass(passes));
    let held: u64 = since_last_plan.flat_map(|pass| &pass.tallies).map(|tally| tally.held).sum();
    if held > 0 {
        // A hold came while we erased. Whether the people's own rows may go is decided with it in view.
        plan_the_rest_anew(case, passes).await?;
        carry_out_but_people(case, passes, &executor).await?;
    }
    carry_out_people(case, passes, &executor).await?;
    overwrite_what_has_changed(case, passes, &executor).await?;
    let mut tx = case.deployment.ledger.begin().await?;
    for pass in passes.iter_mut() {
        execution::set_stage(&mut tx, case.lease, pass, Stage::Executed).await?;
        pass.stage = Stage::Executed;
    }
    tx.commit().await?;
    case.deployment.progress.end();
    Ok(())
}

/// P-1: what an earlier attempt began on another schema is planned anew, because there the same statements may do something else.
async fn plan_anew_for_another_schema(case: &Case<'_>, passes: &mut Vec<Execution>) -> Result<(), JobError> {
    let approved = approved_plan(case, &passes[0].plan_digest).await?;
    let now = schema_digest(&case.deployment.graph, &case.sources);
    if approved.schema_digest == now {
        return Ok(());
    }
    plan_the_rest_anew(case, passes).await
}

/// Rows that were to be overwritten and had changed by their turn (somebody saved the profile in between) have been left alone, because what
/// was planned for them no longer fits. They are planned anew; rows that change faster than we plan are for the verification to tell.
async fn overwrite_what_has_changed(case: &Case<'_>, passes: &mut Vec<Execution>, executor: &Executor<'_>) -> Result<(), JobError> {
    for _ in 0..MOST_REPLANS {
        let rows = changed_rows(case.deployment, &case.sources, passes).await?;
        if rows.is_empty() {
            break;
        }
        let Some(mut pass) = new_rows_pass(case, passes, WhichRows::These(&rows)).await? else { break };
        see_before(case, &mut pass).await?;
        let end = pass.acting_records();
        executor.run(&mut pass, end).await?;
        passes.push(pass);
    }
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
    clear_what_others_own_too(case, passes, executor).await?;
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

/// What is cleared in rows that others own too comes before everything else. Where such a row is not as it was planned (another of its owners
/// is being erased too), what is left is planned anew while all that the person owns is still there: who is the last then takes the row along.
async fn clear_what_others_own_too(case: &Case<'_>, passes: &mut Vec<Execution>, executor: &Executor<'_>) -> Result<(), JobError> {
    for _ in 0..=MOST_REPLANS {
        let main = main_pass(passes);
        let main = &mut passes[main];
        let end = main.records_of_others_too();
        if main.position > end {
            return Ok(());
        }
        see_before(case, main).await?;
        executor.run(main, end).await?;
        if !main.met_changed_owners() {
            return Ok(());
        }
        plan_the_rest_anew(case, passes).await?;
    }
    Err(JobError::Map(vec!["whose some shared records are keeps changing while they are planned: try again later".into()]))
}

/// The people's own rows. One that others own too is looked at just like other such rows, when its turn has come.
async fn carry_out_people(case: &Case<'_>, passes: &mut Vec<Execution>, executor: &Executor<'_>) -> Result<(), JobError> {
    for _ in 0..=MOST_REPLANS {
        let main = main_pass(passes);
        let main = &mut passes[main];
        let all = main.acting_records();
        executor.run(main, all).await?;
        if !main.met_changed_owners() {
            return Ok(());
        }
        plan_the_rest_anew(case, passes).await?;
        carry_out_but_people(case, passes, executor).await?;
    }
    Err(JobError::Map(vec!["whose a person's record is keeps changing while it is planned: try again later".into()]))
}

/// A new whole pass for what is left. It may do less than the approved plan, never more: other places or other ways need another approval.
async fn plan_the_rest_anew(case: &Case<'_>, passes: &mut Vec<Execution>) -> Result<(), JobError> {
    let mut gathering = gather(case, Reader::Work).await?;
    let decided = decide(case, &mut gathering).await?;
    let (file, mut writer) = new_manifest(case)?;
    let frozen = decided.freeze(&mut gathering, &mask_secret(case), &mut writer, WhichRows::All).await;
    gathering.close().await?;
    let Frozen { plan, steps } = frozen?;
    writer.finish()?;
    let approved = approved_plan(case, &passes[0].plan_digest).await?;
    if !plan.can_be_approved() || !plan.is_within(&approved) {
        destroy_spool(&path_of(&case.deployment.config.spool, &file))?;
        return Err(JobError::Map(what_stands_in_the_way(&plan)));
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

fn what_stands_in_the_way(plan: &Plan) -> Vec<String> {
    let mut lines: Vec<String> =
        plan.problems.iter().map(|problem| format!("{}: {} (hint: {})", problem.subject, problem.problem, problem.hint)).collect();
    if lines.is_empty() {
        lines.push("what is left would change more than was approved: the schema or the rows have changed since".to_owned());
    }
    lines
}

async fn approved_plan(case: &Case<'_>, digest: &str) -> Result<Plan, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let stored = plans::get(&mut tx, &case.request.id, digest).await?;
    tx.rollback().await?;
    serde_json::from_str(&stored.document).map_err(|error| JobError::Stored(error.to_string()))
}

/// A manifest file for this request that no other has the name of.
pub(super) fn new_manifest(case: &Case<'_>) -> Result<(String, ManifestWriter), JobError> {
    let file = format!("{}-{}.manifest", case.request.id, random_code(8)?.to_lowercase());
    let path = path_of(&case.deployment.config.spool, &file);
    let writer = ManifestWriter::create(&case.deployment.keys, &path, &case.request.id)?;
    Ok((file, writer))
}

/// A pass at its beginning.
pub(super) fn new_pass(
    case: &Case<'_>,
    passes: &[Execution],
    file: String,
    steps: Vec<Step>,
    plan: &Plan,
    is_whole: bool,
) -> Execution {
    Execution {
        request_id: case.request.id.clone(),
        plan_digest: passes.first().map_or_else(|| plan.digest(), |first| first.plan_digest.clone()),
        pass: i64::try_from(passes.len()).unwrap_or(i64::MAX),
        manifest_file: Some(file),
        tallies: vec![Default::default(); steps.len()],
        steps,
        holds_digest: plan.holds_digest.clone(),
        names_sealed: None,
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
    let seen = control::look(case.deployment, case.systems(), pass, &Later::default()).await?;
    let seen: Vec<u64> = seen.iter().map(|seen| seen.present).collect();
    refuse_a_blind_verifier(case, pass, &seen).await?;
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

/// Rows that are gone by now are nobody's blindness: only where the eraser still sees them is the verifier blind.
async fn refuse_a_blind_verifier(case: &Case<'_>, pass: &Execution, seen: &[u64]) -> Result<(), JobError> {
    let is_unseen = |at: usize| seen[at] < pass.steps[at].records;
    if !(0..pass.steps.len()).any(is_unseen) {
        return Ok(());
    }
    let there = control::look_by(case.deployment, case.systems(), pass, &Later::default(), Reader::Work).await?;
    if let Some(at) = (0..pass.steps.len()).find(|at| is_unseen(*at) && there[*at].present > seen[*at]) {
        let step = &pass.steps[at];
        return Err(JobError::Blind(format!(
            "the verifying session of source `{}` sees {} of {} records in {}: an erasure that nobody could verify does not begin",
            step.source, seen[at], there[at].present, step.collection
        )));
    }
    Ok(())
}

/// Rows that came to be while we erased: a new pass for them, or nothing.
async fn rows_that_appeared(case: &Case<'_>, passes: &[Execution]) -> Result<Option<Execution>, JobError> {
    if passes.len() > MOST_PASSES {
        return Err(JobError::Map(vec!["records keep appearing while they are erased: restrict the account first".into()]));
    }
    new_rows_pass(case, passes, WhichRows::New).await
}

/// A pass for some rows of the same plan, or nothing when there are none.
async fn new_rows_pass(case: &Case<'_>, passes: &[Execution], scope: WhichRows<'_>) -> Result<Option<Execution>, JobError> {
    let mut gathering = gather(case, Reader::Work).await?;
    let decided = decide(case, &mut gathering).await?;
    let (file, mut writer) = new_manifest(case)?;
    let frozen = decided.freeze(&mut gathering, &mask_secret(case), &mut writer, scope).await;
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
        return Err(JobError::Map(what_stands_in_the_way(&plan)));
    }
    failpoint::hit("pass-before-ledger");
    let pass = new_pass(case, passes, file, steps, &plan, false);
    let mut tx = case.deployment.ledger.begin().await?;
    execution::insert(&mut tx, case.lease, &pass, case.deployment.now()).await?;
    tx.commit().await?;
    Ok(Some(pass))
}
