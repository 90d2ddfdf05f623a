//! What the ledger promises, on both databases: every statement of every noun runs here or in the queue's tests.

mod fencing;
mod jobs;
mod opening;
mod requests;
mod store_locks;

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::execution::{Execution, Stage};
use super::job::{JobLease, NewJob};
use super::request::{NewRequest, Received};
use super::testing::{TestLedger, ledgers};
use super::{Ledger, LedgerError, job, plan, request};
use crate::db::Tx;
use crate::queue::claim::{self, Claimant};
use crate::request::{Deadline, Kind, Status};
use crate::subject::{Identifier, Subject};

pub(crate) fn now() -> Timestamp {
    "2026-11-24T09:00:00Z".parse().unwrap()
}

pub(crate) fn person(identifiers: &[(&str, &str)]) -> Subject {
    Subject::new(identifiers.iter().map(|(kind, value)| Identifier::new(*kind, *value))).unwrap()
}

pub(crate) async fn take_in(tx: &mut Tx, test: &TestLedger, subject: &Subject, key: Option<&str>) -> Result<Received, LedgerError> {
    let document = json!({"kind": "erasure"});
    let new = NewRequest {
        kind: Kind::Erasure,
        subject: Some(subject),
        document: &document,
        private: None,
        idempotency_key: key,
        received_at: now(),
        deadline: Some(Deadline { due_at: now().checked_add(720.hours()).unwrap(), rule: "test".into() }),
        status: Status::Queued,
        is_test: false,
        requested_by: None,
    };
    request::insert(tx, &test.keys, &new, now()).await
}

pub(crate) const WORKER: Claimant<'static> = Claimant { worker: "somebody", lease: Duration::from_secs(60) };

async fn claimed(test: &TestLedger, subject: &Subject) -> JobLease {
    let mut tx = test.ledger.begin().await.unwrap();
    let request = take_in(&mut tx, test, subject, None).await.unwrap().request().clone();
    job::enqueue(&mut tx, &NewJob::for_request("erase", &request, now()), now()).await.unwrap();
    let lease = claim::next(&mut tx, WORKER, now()).await.unwrap().unwrap();
    tx.commit().await.unwrap();
    lease
}

fn stored_plan(request_id: &str, digest: &str) -> plan::StoredPlan {
    plan::StoredPlan {
        request_id: request_id.into(),
        digest: digest.into(),
        shape_digest: "sha256:shape".into(),
        document: "{}".into(),
        created_at: now(),
        frozen_at: None,
    }
}

/// The first pass of a plan, at its beginning.
pub(crate) fn first_pass(request_id: &str, plan_digest: &str) -> Execution {
    Execution {
        names_sealed: None,
        is_whole: true,
        truncated_at: None,
        request_id: request_id.into(),
        plan_digest: plan_digest.into(),
        pass: 0,
        manifest_file: Some("a.keys".into()),
        steps: Vec::new(),
        holds_digest: "sha256:holds".into(),
        position: 0,
        tallies: Vec::new(),
        stage: Stage::Frozen,
        seen: None,
        seen_at: None,
    }
}
