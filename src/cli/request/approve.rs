//! `habeas request approve`: one person agrees to one plan, named by its digest or seen on the screen (P-1).

use serde_json::json;

use super::show::{obstacles, planned};
use super::{Approve, find};
use crate::cli::confirm::{Asker, Destructive, confirm_at};
use crate::cli::context::Context;
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::counted::counted;
use crate::deployment::Deployment;
use crate::job::{self, DecisionError, plan_of};
use crate::request::{Approval, Status};

/// Approves.
pub async fn run(args: &Approve, deployment: &Deployment, context: &Context) -> Result<Exit, CliError> {
    let person = args.operator.name()?;
    let mut tx = deployment.ledger.begin().await?;
    let request = find(&mut tx, &args.request).await?;
    let plan = plan_of(&mut tx, &request).await?;
    // Nothing is held while somebody reads.
    tx.rollback().await?;
    if request.status != Status::WaitingApproval {
        return Err(DecisionError::NotWaiting { status: request.status }.into());
    }
    let (Some(plan), Some(plan_digest)) = (plan, request.plan_digest.as_deref()) else { return Err(DecisionError::NoPlan.into()) };
    let digest = match &args.digest {
        Some(digest) => with_prefix(digest),
        None if context.terminal().is_there() && !context.printer.is_json() => {
            planned(context.printer, &plan)?;
            obstacles(context.printer, &plan)?;
            let summary = format!("this approves erasing or changing {}", counted(plan.effects(), "record", "records"));
            let about = Destructive { summary: &summary, request_code: &request.code, plan_digest, approval: Approval::One };
            confirm_at(context.terminal(), about, None).await?;
            plan_digest.to_owned()
        }
        None => {
            return Err(CliError::Outcome {
                exit: Exit::NotApproved,
                message: "which plan is approved is not said, and nobody can be asked".into(),
                hint: Some(format!("look at it with `habeas request show {}`, then add `--digest {plan_digest}`", request.code)),
            });
        }
    };
    let mut tx = deployment.ledger.begin().await?;
    let approved = job::approve(&mut tx, deployment, &request.id, &digest, &person).await?;
    tx.commit().await?;
    if context.printer.is_json() {
        context.printer.document(&json!({
            "request_id": request.id, "code": request.code, "plan_digest": digest, "status": approved.status,
            "approvals": approved.people, "needed": approved.needed,
        }))?;
        return Ok(Exit::Done);
    }
    let (people, needed) = (approved.people, approved.needed);
    context.printer.data(&format!("{}  approved by {person}; {people} of {needed} people who must agree have", request.code))?;
    match approved.status {
        Status::Queued => context.printer.talk("queued: the next worker carries it out"),
        _ => context.printer.hint("it takes another person: the same command with `--by NAME`"),
    }
    Ok(Exit::Done)
}

/// Digests are copied with and without the name of their algorithm.
fn with_prefix(digest: &str) -> String {
    format!("sha256:{}", digest.trim().trim_start_matches("sha256:").to_ascii_lowercase())
}
