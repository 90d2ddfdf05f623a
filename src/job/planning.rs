//! From a request to a plan: what the map and the live schema do not allow, who is meant, what would happen, whether it was approved.

use std::collections::BTreeSet;

use super::approvals::{people_needed, person_key};
use super::case::{Case, JobError};
use super::environment::pin_source;
use crate::connector::sql::{Reader, check_live, check_sight};
use crate::datamap::{Code, Finding, Severity, lint};
use crate::db::DbError;
use crate::decide::{self, AsidePlace, Decided, Frozen, MaskSecret, WhichRows};
use crate::erase::manifest::ManifestWriter;
use crate::gather::{GatherError, Gathering, ObjectError};
use crate::ledger::setting::Pinned;
use crate::ledger::{approval, plan};
use crate::plan::{Plan, Problem};

/// Findings that speak of deciding, which a policy does in their stead.
const DECIDED_BY_POLICY: [Code; 4] =
    [Code::UndecidedCollection, Code::MaskWithoutFields, Code::CascadeOutsidePlan, Code::DeleteOrderImpossible];

/// Findings with which nothing can be read either.
const BLOCK_READING: [Code; 7] = [
    Code::MissingTable,
    Code::MissingColumn,
    Code::ConditionType,
    Code::EdgeTypes,
    Code::InsideNotFollowed,
    // Rows of other people would be handed over.
    Code::CompositeKeyHalfDeclared,
    Code::NamesUndecided,
];

/// Warnings of `map check` without which nobody should approve a plan.
const TOLD_IN_PLANS: [Code; 2] = [Code::EdgeTypes, Code::MaskUniqueColumn];

/// Everything that `map check` says.
fn findings(case: &Case<'_>) -> Vec<Finding> {
    let deployment = case.deployment;
    let mut findings: Vec<Finding> = lint(&deployment.map, &deployment.graph);
    for (name, source) in &case.sources {
        findings.extend(check_live(&deployment.map, &deployment.graph, name, &source.catalogue));
        findings.extend(check_sight(&deployment.map, &deployment.graph, source));
    }
    findings
}

/// What the map and the live schemas say against any plan (errors of `map check`).
pub fn map_problems(case: &Case<'_>, reading_only: bool) -> Vec<Problem> {
    let by_policy = case.job.policy.is_some();
    let blocks = |finding: &&Finding| {
        finding.severity == Severity::Error
            && !(by_policy && DECIDED_BY_POLICY.contains(&finding.code))
            && (!reading_only || BLOCK_READING.contains(&finding.code))
    };
    findings(case).iter().filter(blocks).map(problem_of).collect()
}

/// Whether a problem of a plan stops an archive as well as an erasure.
pub fn blocks_reading(problem: &Problem) -> bool {
    Code::from_word(&problem.code).is_some_and(|code| BLOCK_READING.contains(&code))
}

fn problem_of(finding: &Finding) -> Problem {
    let place = finding.place.as_ref().map(|place| format!(" ({place})")).unwrap_or_default();
    // What is to be pasted stands in the hint, where it can be said in one line; YAML of several lines is for `map check`.
    let is_sql = |text: &str| text.lines().all(|line| line.trim().ends_with(';') || line.trim_start().starts_with("--"));
    let hint = match finding.write.as_deref().map(str::trim).filter(|text| is_sql(text) || !text.contains('\n')) {
        Some(text) => format!("{}: `{}`", finding.hint, text.lines().map(str::trim).collect::<Vec<_>>().join(" ")),
        None => finding.hint.clone(),
    };
    Problem {
        code: finding.code.to_string(),
        subject: format!("{}{place}", finding.subject),
        problem: finding.problem.clone(),
        hint,
    }
}

/// Gathers the person in snapshots of all reached sources.
pub async fn gather<'c>(case: &'c Case<'_>, reader: Reader) -> Result<Gathering<'c>, JobError> {
    let graph = &case.deployment.graph;
    let gathered = Gathering::run(graph, &case.sources, case.unreached.clone(), &case.subject, reader).await;
    gathered.map_err(|error| said_by_the_map(case, error))
}

/// A statement that a source refuses is told by what the map and the catalogue show to be wrong there, if they show anything.
fn said_by_the_map(case: &Case<'_>, error: GatherError) -> JobError {
    if let GatherError::Source { problem: DbError::Denied(_) | DbError::Refused { .. }, .. } = &error {
        let problems = map_problems(case, false);
        if !problems.is_empty() {
            let told = |problem: Problem| format!("{}: {} (hint: {})", problem.subject, problem.problem, problem.hint);
            return JobError::Map(problems.into_iter().map(told).collect());
        }
    }
    error.into()
}

/// Decides on what was gathered; the map's own errors join the plan's.
pub async fn decide(case: &Case<'_>, gathering: &mut Gathering<'_>) -> Result<Decided, JobError> {
    let holds = case.holds().await?;
    let aliases = case.alias_refs(&gathering.aliases);
    let brief = case.brief(&holds, aliases);
    let folder = &case.deployment.config.spool;
    let mut on_rows = decide::ObjectDecision::default();
    let rows = decide::see_rows(&brief, gathering, &case.stores, folder, &mut on_rows).await?;
    let mut held = match decide::held_names(&brief, gathering, &case.stores, case.deployment.now()).await {
        // Why the store cannot be read is a problem of the plan, which is then not carried out.
        Err(ObjectError::Store { problem, .. }) if !problem.is_transient() => Vec::new(),
        held => held?,
    };
    held.extend(rows.held_names(&brief, gathering, case.deployment.now()));
    let mut decided = decide::decide(&brief, gathering, &held).await?;
    let aside = AsidePlace { folder, request: &case.request.id };
    rows.decide(&brief, aside, case.deployment.now(), &mut on_rows)?;
    decided.add_objects(decide::decide_objects(&brief, gathering, &case.stores, aside, case.deployment.now()).await?);
    decided.add_objects(on_rows);
    let known: BTreeSet<(String, String)> =
        decided.plan.problems.iter().map(|problem| (problem.code.clone(), problem.problem.clone())).collect();
    decided.plan.problems.extend(changed_sources(case).await?);
    for finding in findings(case).iter().filter(|finding| TOLD_IN_PLANS.contains(&finding.code)) {
        // What a policy would do is of interest to jobs that name it; their plan looks at it by itself.
        if finding.severity == Severity::Warning && !finding.problem.starts_with("policy `") {
            decided.plan.warnings.push(format!("{}: {}; {}", finding.subject, finding.problem, finding.hint));
        }
    }
    for problem in map_problems(case, false) {
        if !known.contains(&(problem.code.clone(), problem.problem.clone())) {
            decided.plan.problems.push(problem);
        }
    }
    Ok(decided)
}

/// Sources that are another system than the one first seen under their name: a restored copy, or a test server.
async fn changed_sources(case: &Case<'_>) -> Result<Vec<Problem>, JobError> {
    let databases = case.sources.values().map(|source| (&source.name, &source.catalogue.system_identity, "database"));
    let stores = case.stores.values().map(|store| (&store.name, &store.facts.identity, "bucket or folder"));
    let mut problems = Vec::new();
    let mut tx = case.deployment.ledger.begin().await?;
    for (name, identity, noun) in databases.chain(stores) {
        if matches!(pin_source(&mut tx, name, identity, case.deployment.now()).await?, Pinned::Other(_)) {
            problems.push(Problem {
                code: "source_identity_changed".into(),
                subject: name.clone(),
                problem: format!("this is another {noun} than the one that was first seen under this name"),
                hint: "check the source in the configuration; if it was moved on purpose, give it a new name".into(),
            });
        }
    }
    if case.request.id.is_empty() {
        // A dry run leaves nothing behind, not even the first look.
        tx.rollback().await?;
    } else {
        tx.commit().await?;
    }
    Ok(problems)
}

/// A dry run: the plan with its digest, and nothing written anywhere.
pub async fn dry_run(case: &Case<'_>) -> Result<Plan, JobError> {
    let mut gathering = gather(case, Reader::Work).await?;
    let decided = decide(case, &mut gathering).await?;
    let mut sink = ManifestWriter::digest_only(&case.deployment.keys);
    let Frozen { plan, .. } = decided.freeze(&mut gathering, &mask_secret(case), &mut sink, WhichRows::All).await?;
    gathering.close().await?;
    Ok(plan)
}

/// The secret of a request's masked values.
pub fn mask_secret(case: &Case<'_>) -> MaskSecret {
    MaskSecret::new(case.deployment.keys.mac("mask", case.request.id.as_bytes()))
}

/// How many different people must have approved.
pub fn approvals_needed(case: &Case<'_>, plan: &Plan) -> usize {
    people_needed(case.job.approval(), plan)
}

/// Whether enough people have approved this plan, or one of the same shape: then only rows have been added since.
pub async fn is_approved(case: &Case<'_>, plan: &Plan) -> Result<bool, JobError> {
    let needed = approvals_needed(case, plan);
    if needed == 0 {
        return Ok(true);
    }
    let digest = plan.digest();
    let shape = plan.shape_digest();
    let mut tx = case.deployment.ledger.begin().await?;
    let mut actors = BTreeSet::new();
    for known in plan::of_request(&mut tx, &case.request.id).await? {
        if known.shape_digest == shape && known.digest != digest {
            actors.extend(
                approval::of_plan(&mut tx, &case.request.id, &known.digest)
                    .await?
                    .into_iter()
                    .map(|given| person_key(&given.actor)),
            );
        }
    }
    actors.extend(approval::of_plan(&mut tx, &case.request.id, &digest).await?.into_iter().map(|given| person_key(&given.actor)));
    tx.rollback().await?;
    Ok(actors.len() >= needed)
}
