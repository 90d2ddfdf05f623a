//! `habeas plan`: a dry run. It shows what would happen to which records and changes nothing, neither in a source nor in the ledger.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::context::Context;
use super::error::CliError;
use super::exit::Exit;
use super::{input, plan_export};
use crate::counted::counted;
use crate::deployment::Deployment;
use crate::export::Selection;
use crate::job::planning;
use crate::job::{self, Case, JobError};
use crate::ledger::job::JobLease;
use crate::plan::Plan;
use crate::request::{JobFile, Kind};

/// What `habeas plan` takes.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Job file, or `-` for standard input.
    #[arg(value_name = "JOB")]
    pub job: PathBuf,
}

/// Plans and prints.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let job = input::read_job(&args.job)?;
    input::refuse_what_is_not_carried_out(&job)?;
    let deployment = context.open().await?;
    job::refuse_what_cannot_work(&deployment, &job)?;
    input::warn_of_doubts(job.subject.as_ref(), &deployment, context.printer);
    if job.kind == Kind::Reverify {
        return Err(CliError::Usage {
            message: "a job of kind `reverify` changes nothing that could be planned".into(),
            hint: None,
        });
    }
    context.progress.begin("plan", None);
    let lease = JobLease::outside();
    let case = Case::rehearse(&deployment, &lease, job.clone()).await?;
    let planned = planning::dry_run(&case).await;
    let selection = Selection::of(&deployment, &case.request, &job);
    context.progress.end();
    let plan = planned.map_err(CliError::from)?;
    case.close().await;
    match exports(job.kind) {
        true => plan_export::show(context, &deployment, &job, &plan, &selection),
        false => show(context, &deployment, &job, &plan),
    }
}

/// Of versions of objects that hold rows of many people, the rows are what people want to know.
pub(super) fn with_rows(count: String, rows: Option<u64>) -> String {
    match rows {
        Some(rows) => format!("{count} ({})", counted(rows, "row", "rows")),
        None => count,
    }
}

fn show(context: &Context, deployment: &Deployment, job: &JobFile, plan: &Plan) -> Result<Exit, CliError> {
    let exit = exit_of(plan, job.kind);
    let document = document(deployment, job, plan);
    if context.printer.is_json() {
        context.printer.document(&document)?;
        return Ok(exit);
    }
    let rows = plan.items.iter().filter(|item| item.found > 0).map(|item| {
        let kept: Vec<String> = item.retained.iter().map(|kept| format!("{} {}", kept.count, kept.ground.as_str())).collect();
        let columns: Vec<String> = item.columns.iter().map(|change| format!("{}: {}", change.column, change.strategy)).collect();
        vec![
            format!("{}.{}", item.dataset, item.collection),
            word(&item.disposition),
            item.found.to_string(),
            with_rows(item.expected.to_string(), item.rows),
            kept.join(", "),
            columns.join(", "),
        ]
    });
    context.printer.table(&["place", "disposition", "found", "would change", "would keep", "columns"], rows)?;
    let empty = plan.items.iter().filter(|item| item.found == 0).count();
    let found = counted(plan.found(), "record", "records");
    context.printer.data(&format!("{found} found; nothing in {}", counted(empty, "further place", "further places")))?;
    for gap in &plan.gaps {
        context.printer.warn(&format!("source `{}` was not reached: {}", gap.source, gap.reason));
    }
    for text in plan.warnings.iter().chain(&plan.fuses) {
        context.printer.warn(text);
    }
    for problem in &plan.problems {
        context.printer.warn(&format!("{}: {} [{}]", problem.subject, problem.problem, problem.code));
        context.printer.hint(&problem.hint);
    }
    context.printer.data(&format!("plan digest  {}", plan.digest()))?;
    if exit == Exit::Usage {
        context.printer.warn("this plan cannot be approved: nothing would be touched");
    }
    Ok(exit)
}

fn word(disposition: &crate::plan::Disposition) -> String {
    match serde_json::to_value(disposition) {
        Ok(Value::String(word)) => word,
        _ => String::new(),
    }
}

/// Whether such a job hands over and changes nothing.
pub(super) fn exports(kind: Kind) -> bool {
    kind != Kind::Erasure
}

/// A plan that cannot be approved is wrong input; one with gaps is partial.
pub(super) fn exit_of(plan: &Plan, kind: Kind) -> Exit {
    let erases = kind == Kind::Erasure;
    if erases && !plan.can_be_approved() {
        return Exit::Usage;
    }
    if plan.gaps.is_empty() { Exit::Done } else { Exit::Partial }
}

pub(super) fn document(deployment: &Deployment, job: &JobFile, plan: &Plan) -> Value {
    json!({
        "kind": plan.kind,
        "plan_digest": plan.digest(),
        "subject_ref": plan.subject_ref,
        "data_map_digest": deployment.map.digest,
        "holds_digest": plan.holds_digest,
        "policy": plan.policy,
        "categories": plan.categories,
        "can_be_approved": exports(job.kind) || plan.can_be_approved(),
        "items": plan.items,
        "gaps": plan.gaps,
        "problems": plan.problems,
        "warnings": plan.warnings,
        "fuses": plan.fuses,
        "found": plan.found(),
        "held": plan.held(),
    })
}

impl From<JobError> for CliError {
    fn from(error: JobError) -> Self {
        use crate::gather::GatherError;
        let (exit, hint) = match &error {
            JobError::Gather(GatherError::Ambiguous { .. } | GatherError::Contradiction { .. }) => {
                (Exit::NotApproved, Some("give further identifiers of the person; nothing was touched".to_owned()))
            }
            JobError::Gather(GatherError::Map(_)) | JobError::Map(_) => {
                (Exit::Usage, Some("`habeas map check` explains what does not fit".to_owned()))
            }
            JobError::JournalHead => (Exit::Failure, Some("`habeas journal verify` says what does not agree".to_owned())),
            _ => (Exit::Failure, None),
        };
        CliError::Outcome { exit, message: error.to_string(), hint }
    }
}
