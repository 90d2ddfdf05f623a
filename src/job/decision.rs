//! What people decide about a request: approve its plan, refuse it, cancel it, take it up again, extend its deadline. Each decision, the
//! work that follows from it and its entry in the journal commit together; the caller commits.

use jiff::Timestamp;
use thiserror::Error;

use super::{ANSWER, approval_asked, people_needed, person_key};
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::journal::{self, Actor, Code, Digest, Event, EventKind, Id, NotACode};
use crate::ledger::job::{JobState, NewJob, Writer};
use crate::ledger::request::{self, Request};
use crate::ledger::{LedgerError, approval, job, plan};
use crate::plan::Plan;
use crate::queue;
use crate::queue::cancel::Cancelled;
use crate::request::{Deadline, DeadlineError, Status};

/// Why a decision is not taken.
#[derive(Debug, Error)]
pub enum DecisionError {
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A word that the journal does not take.
    #[error("the journal does not take this: {0}")]
    Reason(#[from] NotACode),
    /// The request does not wait for an approval.
    #[error("the request is {status} and does not wait for an approval")]
    NotWaiting {
        /// Where it stands.
        status: Status,
    },
    /// There is no plan to approve.
    #[error("the request has no plan yet")]
    NoPlan,
    /// The named digest is not that of the plan.
    #[error("the approval names another plan than the one that waits: the data, the map or a hold has changed since")]
    OtherPlan {
        /// The plan as it is now.
        plan_digest: String,
    },
    /// The same person again.
    #[error("{person} has approved this plan before: it takes another person")]
    AlreadyApproved {
        /// Name of the member of staff.
        person: String,
    },
    /// A worker is at it.
    #[error("a worker is at it or has begun: it cannot be refused in the middle")]
    AtWork,
    /// It has been answered.
    #[error("a request that is {status} cannot be cancelled: it has been answered")]
    NotCancelled {
        /// Where it stands.
        status: Status,
    },
    /// Nothing is there to be taken up again.
    #[error("a request that is {status} is not taken up again")]
    NotRetried {
        /// Where it stands.
        status: Status,
    },
    /// One extension is all that there is.
    #[error("the deadline has been extended before, to {until}")]
    ExtendedBefore {
        /// The extended deadline.
        until: Timestamp,
    },
    /// Too late, or outside the calendar.
    #[error(transparent)]
    Deadline(#[from] DeadlineError),
    /// The request has no deadline.
    #[error("the request is about nobody and has no deadline")]
    NoDeadline,
}

impl DecisionError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            DecisionError::OtherPlan { plan_digest } => {
                Some(format!("look at it with `habeas request show`, then approve with `--digest {plan_digest}`"))
            }
            DecisionError::NoPlan => Some("a worker makes it: `habeas worker --once`".into()),
            DecisionError::AtWork => Some("`habeas request cancel` asks it to stop at its next safe point".into()),
            DecisionError::NotRetried { status: Status::Queued | Status::Running | Status::Verifying } => {
                Some("it is on its way: `habeas request watch` shows how far it is".into())
            }
            DecisionError::NotRetried { status: Status::WaitingApproval } => Some("it waits for `habeas request approve`".into()),
            DecisionError::AlreadyApproved { .. } => Some("somebody else has to give this command; `--by NAME` says who".into()),
            _ => None,
        }
    }
}

/// What an approval came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// How many different people have agreed.
    pub people: usize,
    /// How many must.
    pub needed: usize,
    /// Where the request stands now.
    pub status: Status,
}

/// One person agrees to the plan with this digest. With enough people the request is queued.
pub async fn approve(
    tx: &mut Tx,
    deployment: &Deployment,
    request_id: &str,
    digest: &str,
    person: &str,
) -> Result<Approved, DecisionError> {
    request::lock(tx, request_id).await?;
    let request = request::get(tx, request_id).await?;
    if request.status != Status::WaitingApproval {
        return Err(DecisionError::NotWaiting { status: request.status });
    }
    let plan_digest = request.plan_digest.clone().ok_or(DecisionError::NoPlan)?;
    if plan_digest != digest {
        return Err(DecisionError::OtherPlan { plan_digest });
    }
    let before = approval::of_plan(tx, request_id, digest).await?;
    if before.iter().any(|given| person_key(&given.actor) == person_key(person)) {
        return Err(DecisionError::AlreadyApproved { person: person.to_owned() });
    }
    let now = deployment.now();
    let people = approval::give(tx, request_id, digest, person, now).await?;
    let plan = plan_of(tx, &request).await?.ok_or(DecisionError::NoPlan)?;
    let needed = people_needed(approval_asked(&request)?, &plan);
    let status = if people >= needed { Status::Queued } else { Status::WaitingApproval };
    if status == Status::Queued {
        requeue(tx, &request, now).await?;
    }
    let event = event(EventKind::PlanApproved, deployment, &request, person)?.plan_digest(Digest::parse(digest)?);
    journal::append(tx, &event).await?;
    Ok(Approved { people, needed, status })
}

/// Plans a request anew that waits for an approval: what somebody is about to agree to must be what would run. Approvals of this very plan
/// keep counting.
pub async fn plan_again(tx: &mut Tx, deployment: &Deployment, request_id: &str, person: &str) -> Result<Request, DecisionError> {
    request::lock(tx, request_id).await?;
    let request = request::get(tx, request_id).await?;
    if request.status != Status::WaitingApproval {
        return Err(DecisionError::NotWaiting { status: request.status });
    }
    requeue(tx, &request, deployment.now()).await?;
    journal::append(tx, &status_event(deployment, &request, Status::Queued, person)?).await?;
    Ok(request::get(tx, request_id).await?)
}

/// The plan that the request names, if it has one.
pub async fn plan_of(tx: &mut Tx, request: &Request) -> Result<Option<Plan>, LedgerError> {
    let Some(digest) = &request.plan_digest else { return Ok(None) };
    let stored = plan::get(tx, &request.id, digest).await?;
    let unreadable = |_| LedgerError::Unreadable { noun: "plan", problem: "it is of an unknown format".into() };
    serde_json::from_str(&stored.document).map(Some).map_err(unreadable)
}

/// The controller declines. What waits in the queue is withdrawn; what has begun is not cut short.
pub async fn refuse(
    tx: &mut Tx,
    deployment: &Deployment,
    request_id: &str,
    reason: &str,
    person: &str,
) -> Result<(), DecisionError> {
    request::lock(tx, request_id).await?;
    let request = request::get(tx, request_id).await?;
    let jobs = job::of_request(tx, request_id).await?;
    let has_begun = jobs.iter().any(|job| job.state == JobState::Running || (job.state == JobState::Ready && job.attempt > 0));
    if has_begun {
        return Err(DecisionError::AtWork);
    }
    let now = deployment.now();
    queue::cancel::of_request(tx, request_id, now).await?;
    request::set_status(tx, Writer::Outside, request_id, Status::Refused, now).await?;
    let event = status_event(deployment, &request, Status::Refused, person)?.reason(Code::parse(reason)?);
    journal::append(tx, &event).await?;
    Ok(())
}

/// Nobody wants it answered any more. The status that it has now, and whether a worker was asked to stop first.
pub async fn cancel(
    tx: &mut Tx,
    deployment: &Deployment,
    request_id: &str,
    person: &str,
) -> Result<(Cancelled, Status), DecisionError> {
    let now = deployment.now();
    request::lock(tx, request_id).await?;
    let answered = request::get(tx, request_id).await?.status;
    if matches!(answered, Status::Completed | Status::Partial | Status::Refused | Status::Cancelled) {
        // What has been answered cannot be called off, and its later looks must not be.
        return Err(DecisionError::NotCancelled { status: answered });
    }
    let cancelled = queue::cancel::of_request(tx, request_id, now).await?;
    let request = request::get(tx, request_id).await?;
    if cancelled == Cancelled::Asked {
        return Ok((cancelled, request.status));
    }
    let status = request::withdraw(tx, request_id, now).await?;
    if status != request.status {
        journal::append(tx, &status_event(deployment, &request, status, person)?).await?;
    }
    Ok((cancelled, status))
}

/// Takes up again what failed, stayed partial, or waited for a person to remove an obstacle.
pub async fn retry(tx: &mut Tx, deployment: &Deployment, request_id: &str, person: &str) -> Result<Status, DecisionError> {
    request::lock(tx, request_id).await?;
    let request = request::get(tx, request_id).await?;
    if !matches!(request.status, Status::Failed | Status::Partial | Status::WaitingIdentity | Status::WaitingController) {
        return Err(DecisionError::NotRetried { status: request.status });
    }
    requeue(tx, &request, deployment.now()).await?;
    journal::append(tx, &status_event(deployment, &request, Status::Queued, person)?).await?;
    Ok(Status::Queued)
}

/// Extends the deadline by two months, once, before it has passed (Art. 12(3), D-1). Returns the new one.
pub async fn extend(
    tx: &mut Tx,
    deployment: &Deployment,
    request_id: &str,
    reason: &str,
    person: &str,
) -> Result<Timestamp, DecisionError> {
    request::lock(tx, request_id).await?;
    let request = request::get(tx, request_id).await?;
    if let Some(until) = request.extended_to {
        return Err(DecisionError::ExtendedBefore { until });
    }
    if request.due_at.is_none() {
        return Err(DecisionError::NoDeadline);
    }
    let now = deployment.now();
    let deadline = Deadline::extended(request.received_at, now, &deployment.config.controller.time_zone)?;
    request::extend(tx, request_id, &deadline, now).await?;
    let event = event(EventKind::DeadlineExtended, deployment, &request, person)?.reason(Code::parse(reason)?);
    journal::append(tx, &event).await?;
    Ok(deadline.due_at)
}

/// Queues the request's work again, with its status.
pub(super) async fn requeue(tx: &mut Tx, request: &Request, now: Timestamp) -> Result<(), LedgerError> {
    request::set_status(tx, Writer::Outside, &request.id, Status::Queued, now).await?;
    queue::enqueue(tx, &NewJob::for_request(ANSWER, request, now), now).await?;
    Ok(())
}

fn event(kind: EventKind, deployment: &Deployment, request: &Request, person: &str) -> Result<Event, NotACode> {
    let actor = Actor::person(&deployment.keys, person);
    Ok(Event::new(kind, deployment.now(), actor).request_id(Id::parse(&request.id)?))
}

fn status_event(deployment: &Deployment, request: &Request, status: Status, person: &str) -> Result<Event, NotACode> {
    Ok(event(EventKind::RequestStatusChanged, deployment, request, person)?.outcome(Code::parse(status.as_str())?))
}
