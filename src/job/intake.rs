//! Taking a job file in: the request, its place in the queue and its entry in the journal commit together, so that an acknowledged request is
//! never lost. Nothing is gathered here.

use thiserror::Error;

use super::identifiers;
use crate::crypto::CryptoError;
use crate::datamap::{Rule, RuleAction};
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::journal::{Actor, Event, EventKind, Id, NotACode};
use crate::ledger::LedgerError;
use crate::ledger::job::NewJob;
use crate::ledger::request::{self, NewRequest, Received, Request};
use crate::request::{Deadline, DeadlineError, JobFile, Kind, Status};
use crate::{journal, queue};

/// Why a job was not taken in.
#[derive(Debug, Error)]
pub enum IntakeError {
    /// A category that neither the taxonomy nor the map knows.
    #[error("unknown category `{category}`")]
    Category {
        /// The category.
        category: String,
        /// The nearest one.
        suggestion: Option<String>,
    },
    /// A policy that the map does not have.
    #[error("the data map has no policy `{policy}`")]
    Policy {
        /// The policy.
        policy: String,
        /// Those that it has.
        known: Vec<String>,
    },
    /// A policy that says nothing about what the job asks for: an erasure by it would keep everything, an export would give everything.
    #[error("policy `{policy}` has no rule with `action_type: {action}`")]
    PolicyWithoutRule {
        /// The policy.
        policy: String,
        /// The rule that a job of this kind needs.
        action: &'static str,
    },
    /// No collection of the map is found by any of these identifiers, or by one that looks misspelt.
    #[error("no collection of the data map is found by `{kinds}`")]
    NoIdentity {
        /// Kinds of identifiers that were given.
        kinds: String,
        /// The kind that was probably meant.
        meant: Option<String>,
        /// Kinds that the map knows.
        known: Vec<String>,
    },
    /// The job asks for something that this version does not do.
    #[error("{0} is not carried out by this version yet")]
    NotCarriedOut(String),
    /// A request that has not arrived yet.
    #[error("`received_at` lies in the future")]
    NotReceivedYet,
    /// The deadline cannot be computed.
    #[error(transparent)]
    Deadline(#[from] DeadlineError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// Sealing.
    #[error(transparent)]
    Keys(#[from] CryptoError),
    /// A word that the journal does not take.
    #[error("journal: {0}")]
    Journal(#[from] NotACode),
}

impl IntakeError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            IntakeError::Category { suggestion, .. } => suggestion.as_ref().map(|name| format!("did you mean `{name}`?")),
            IntakeError::PolicyWithoutRule { action, .. } => {
                Some(format!("add a rule with `action_type: {action}` and `targets`, or leave `policy` out of the job"))
            }
            IntakeError::Policy { known, .. } if known.is_empty() => Some("the map has no policies at all".into()),
            IntakeError::Policy { known, .. } => Some(format!("it has: {}", known.join(", "))),
            IntakeError::NoIdentity { meant, known, .. } => {
                let meant = meant.as_ref().map(|kind| format!("did you mean `{kind}`? ")).unwrap_or_default();
                Some(format!("{meant}the data map declares: {}", known.join(", ")))
            }
            _ => None,
        }
    }
}

/// How far the sender's clock may be ahead of ours.
const CLOCKS_DIFFER: jiff::SignedDuration = jiff::SignedDuration::from_hours(24);

/// Takes a job in and queues it. The caller commits.
pub async fn receive(
    tx: &mut Tx,
    deployment: &Deployment,
    job: &JobFile,
    requested_by: Option<&str>,
) -> Result<Received, IntakeError> {
    refuse_what_cannot_work(deployment, job)?;
    let now = deployment.now();
    let received_at = job.received_at.unwrap_or(now);
    if received_at > now.checked_add(CLOCKS_DIFFER).unwrap_or(now) {
        return Err(IntakeError::NotReceivedYet);
    }
    let document = clear_document(job);
    let deadline = match job.subject {
        Some(_) => Some(Deadline::first(received_at, &deployment.config.controller.time_zone)?),
        None => None,
    };
    let new = NewRequest {
        kind: job.kind,
        subject: job.subject.as_ref(),
        document: &document,
        private: None,
        idempotency_key: job.idempotency_key.as_deref(),
        received_at,
        deadline,
        status: Status::Queued,
        is_test: job.test,
        requested_by,
    };
    let received = request::insert(tx, &deployment.keys, &new, now).await?;
    if let Received::New(request) = &received {
        queue::enqueue(tx, &NewJob::for_request(super::ANSWER, request, now), now).await?;
        let event = Event::new(EventKind::RequestReceived, now, Actor::system()).request_id(Id::parse(&request.id)?);
        journal::append(tx, &event).await?;
    }
    Ok(received)
}

/// The request that waits for an approval and came from the same job, if there is one. A job with an idempotency key is told by that alone.
pub async fn waiting_for_approval(tx: &mut Tx, deployment: &Deployment, job: &JobFile) -> Result<Option<Request>, LedgerError> {
    if job.idempotency_key.is_some() {
        return Ok(None);
    }
    request::waiting_for_approval(tx, &deployment.keys, job.kind, job.subject.as_ref(), &clear_document(job)).await
}

/// The job without what names the person: this part is kept in the clear.
fn clear_document(job: &JobFile) -> serde_json::Value {
    let mut document = serde_json::to_value(job).unwrap_or_default();
    if let Some(fields) = document.as_object_mut() {
        for private in ["subject", "changes", "idempotency_key"] {
            fields.remove(private);
        }
    }
    document
}

/// Whether a job could be taken in, before anything is stored.
pub fn refuse_what_cannot_work(deployment: &Deployment, job: &JobFile) -> Result<(), IntakeError> {
    if let Some(part) = job.not_carried_out() {
        return Err(IntakeError::NotCarriedOut(part));
    }
    check_against_map(deployment, job)
}

fn refuse_a_policy_without_rules(deployment: &Deployment, job: &JobFile) -> Result<(), IntakeError> {
    let Some(policy) = job.policy.as_deref().and_then(|policy| deployment.map.policy(policy)) else { return Ok(()) };
    let action = match job.kind {
        Kind::Erasure => "erasure",
        Kind::Access | Kind::Portability => "access",
        _ => return Ok(()),
    };
    let erases = |rule: &Rule| matches!(rule.action, RuleAction::Erasure(_));
    if policy.rules.iter().any(|rule| erases(rule) == (action == "erasure")) {
        return Ok(());
    }
    Err(IntakeError::PolicyWithoutRule { policy: policy.fides_key.clone(), action })
}

/// Whether the job's words mean something in this map.
pub fn check_against_map(deployment: &Deployment, job: &JobFile) -> Result<(), IntakeError> {
    let map = &deployment.map;
    for category in &job.categories {
        if !map.taxonomy.is_known(category) {
            let suggestion = map.taxonomy.suggest(category).map(str::to_owned);
            return Err(IntakeError::Category { category: category.clone(), suggestion });
        }
    }
    if let Some(policy) = &job.policy
        && map.policy(policy).is_none()
    {
        let known = map.policies.iter().map(|policy| policy.fides_key.clone()).collect();
        return Err(IntakeError::Policy { policy: policy.clone(), known });
    }
    refuse_a_policy_without_rules(deployment, job)?;
    match job.subject.as_ref().filter(|_| job.kind != Kind::Reverify) {
        Some(subject) => identifiers::refuse_what_finds_nobody(&deployment.graph, subject),
        None => Ok(()),
    }
}
