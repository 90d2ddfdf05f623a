//! What makes a request wait for a person: a plan that cannot work, a plan that has to be approved. The reason stands in the request's answer,
//! in words, with what to do.

use super::case::{Case, JobError};
use super::erasure::Ended;
use super::planning::approvals_needed;
use super::result::{Reason, StoredResult};
use crate::ledger::job::Writer;
use crate::ledger::plan::{self as plans, StoredPlan};
use crate::ledger::request;
use crate::plan::Plan;
use crate::request::Status;

/// P-1: a plan that cannot work, or that nobody has decided, goes back to the controller untouched.
pub(super) async fn refuse_plan(case: &mut Case<'_>, plan: &Plan) -> Result<Ended, JobError> {
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

/// The plan is made and somebody has to agree to it.
pub(super) async fn wait_for_approval(case: &mut Case<'_>, plan: &Plan) -> Result<Ended, JobError> {
    let needed = approvals_needed(case, plan);
    let people = if needed == 1 { "one person has".to_owned() } else { format!("{needed} different people have") };
    let reason = Reason {
        code: "waiting_approval".into(),
        message: match plan.fuses.as_slice() {
            [] => format!("{people} to approve plan {}", plan.digest()),
            fuses => format!("{people} to approve plan {}, because {}", plan.digest(), fuses.join("; and ")),
        },
        hint: Some(format!("`habeas request show {0}` shows it, `habeas request approve {0}` approves it", case.request.code)),
    };
    wait(case, Status::WaitingApproval, Some(plan), reason).await
}

async fn wait(case: &mut Case<'_>, status: Status, plan: Option<&Plan>, reason: Reason) -> Result<Ended, JobError> {
    let result = StoredResult {
        items: plan.map(super::verifying::planned_items).unwrap_or_default(),
        reason: Some(reason),
        ..StoredResult::default()
    };
    store_waiting(case, status, plan, &result).await?;
    Ok(Ended::Waiting)
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

/// A plan as the ledger keeps it.
pub(super) fn stored(case: &Case<'_>, plan: &Plan) -> StoredPlan {
    StoredPlan {
        request_id: case.request.id.clone(),
        digest: plan.digest(),
        shape_digest: plan.shape_digest(),
        document: serde_json::to_string(plan).unwrap_or_default(),
        created_at: case.deployment.now(),
        frozen_at: None,
    }
}
