//! What the ledger promises, on both databases: every statement of every noun runs here.

use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use serde_json::json;

use super::job::{self, CancelFlag, Enqueued, JobLease, JobState, NewJob, Writer};
use super::request::{self, Filter, NewRequest, Received};
use super::testing::{TestLedger, ledgers, on_postgres, on_sqlite};
use super::{Ledger, LedgerError, approval, item_result, plan, setting};
use crate::args;
use crate::db::{DbError, Tx};
use crate::plan::{Ground, Outcome, Retained};
use crate::queue::claim::{self, Claimant};
use crate::queue::{cancel, settle};
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

#[tokio::test]
async fn a_request_reads_back_as_it_was_taken_in() {
    for test in ledgers().await {
        let subject = person(&[("email", "ada@example.com"), ("user_id", "42")]);
        let document = json!({"kind": "rectification", "reason_code": "typo"});
        let private = json!({"changes": {"user.name.last": "Byron"}});
        let new = NewRequest {
            kind: Kind::Rectification,
            subject: Some(&subject),
            document: &document,
            private: Some(&private),
            idempotency_key: Some("ticket-4711"),
            received_at: now(),
            deadline: Some(Deadline::first(now(), &jiff::tz::TimeZone::UTC).unwrap()),
            status: Status::WaitingIdentity,
            is_test: true,
        };
        let mut tx = test.ledger.begin().await.unwrap();
        let received = request::insert(&mut tx, &test.keys, &new, now()).await.unwrap();
        let written = received.request();
        let read = request::find(&mut tx, &written.code.to_lowercase()).await.unwrap();
        assert_eq!(request::find(&mut tx, &written.id).await.unwrap().code, written.code);
        assert_eq!((read.kind, read.status, read.is_test), (Kind::Rectification, Status::WaitingIdentity, true));
        assert_eq!(read.subject(&test.keys).unwrap(), Some(subject.clone()));
        assert_eq!(read.private(&test.keys).unwrap(), Some(private.clone()));
        assert_eq!(read.subject_ref, Some(test.keys.subject_ref(&subject)));
        assert_eq!(read.due_at.unwrap().to_string(), "2026-12-24T23:59:59Z");
        assert_eq!(read.received_at, now());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&read.document).unwrap(), document);
        assert_eq!(request::aliases(&mut tx, &read.id).await.unwrap().len(), 2);
        assert!(matches!(request::find(&mut tx, "ZZZZZZ").await, Err(LedgerError::NotFound { .. })));
        assert!(!format!("{read:?}").contains("ada@"));
    }
}

#[tokio::test]
async fn s_1_no_plain_column_names_a_person() {
    let test = on_sqlite().await;
    let subject = person(&[("email", "canary-7f3a@example.com")]);
    let private = json!({"changes": {"user.name.last": "Canary-8e2b"}});
    let mut new = NewRequest {
        kind: Kind::Rectification,
        subject: Some(&subject),
        document: &json!({"kind": "rectification"}),
        private: Some(&private),
        idempotency_key: Some("canary-9d1c@example.com"),
        received_at: now(),
        deadline: None,
        status: Status::Queued,
        is_test: false,
    };
    let mut tx = test.ledger.begin().await.unwrap();
    request::insert(&mut tx, &test.keys, &new, now()).await.unwrap();
    let leaking = json!({"kind": "rectification", "changes": {"user.name.last": "Byron"}});
    new.document = &leaking;
    assert!(matches!(request::insert(&mut tx, &test.keys, &new, now()).await, Err(LedgerError::Unreadable { .. })));
    tx.commit().await.unwrap();
    test.ledger.db().close().await;
    let path = test.url.strip_prefix("sqlite:").unwrap();
    let folder = std::path::Path::new(path).parent().unwrap();
    let mut searched = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).to_lowercase();
        assert!(!text.contains("canary-"), "an identifier is in the ledger's file in the clear");
        searched += text.len();
    }
    assert!(searched > 1000);
}

#[tokio::test]
async fn the_same_request_sent_twice_is_one_request() {
    for test in ledgers().await {
        let ada = person(&[("email", "ada@example.com")]);
        let mut tx = test.ledger.begin().await.unwrap();
        let first = take_in(&mut tx, &test, &ada, Some("ticket-1")).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let second = take_in(&mut tx, &test, &ada, Some("ticket-1")).await.unwrap();
        assert!(matches!(&second, Received::Before(before) if before.id == first.request().id));
        let grace = person(&[("email", "grace@example.com")]);
        let refusal = take_in(&mut tx, &test, &grace, Some("ticket-1")).await.unwrap_err();
        assert!(matches!(&refusal, LedgerError::IdempotencyConflict { existing_code } if *existing_code == first.request().code));
        assert!(refusal.is_conflict());
        let other_key = take_in(&mut tx, &test, &ada, Some("ticket-2")).await.unwrap();
        assert!(matches!(other_key, Received::New(_)));
        assert!(matches!(take_in(&mut tx, &test, &ada, None).await.unwrap(), Received::New(_)), "no key, no repetition");
    }
}

#[tokio::test]
async fn the_same_request_sent_twice_at_once_is_one_request() {
    for test in ledgers().await {
        let ada = person(&[("email", "ada@example.com")]);
        let send = || async {
            let mut tx = test.ledger.begin().await.unwrap();
            let received = take_in(&mut tx, &test, &ada, Some("ticket-1")).await.unwrap();
            tx.commit().await.unwrap();
            (received.request().id.clone(), matches!(received, Received::New(_)))
        };
        let all = futures_util::future::join_all((0..6).map(|_| send())).await;
        assert_eq!(all.iter().filter(|(_, is_new)| *is_new).count(), 1);
        assert!(all.iter().all(|(id, _)| *id == all[0].0));
    }
}

#[tokio::test]
async fn a_request_moves_only_as_its_lifecycle_says() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let id = take_in(&mut tx, &test, &person(&[("user_id", "1")]), None).await.unwrap().request().id.clone();
        let go = async |tx: &mut Tx, next| request::set_status(tx, Writer::Outside, &id, next, now()).await;
        go(&mut tx, Status::Running).await.unwrap();
        go(&mut tx, Status::Running).await.unwrap();
        go(&mut tx, Status::Completed).await.unwrap();
        assert_eq!(request::get(&mut tx, &id).await.unwrap().closed_at, Some(now()));
        let refusal = go(&mut tx, Status::Cancelled).await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Transition { from: Status::Completed, to: Status::Cancelled }));
        go(&mut tx, Status::Partial).await.unwrap();
        assert_eq!(request::get(&mut tx, &id).await.unwrap().closed_at, None, "what came back is open again");
    }
}

#[tokio::test]
async fn lists_show_the_most_urgent_first_and_what_died() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let mut ids = Vec::new();
        for number in ["1", "2", "3"] {
            let received = take_in(&mut tx, &test, &person(&[("user_id", number)]), None).await.unwrap();
            ids.push(received.request().id.clone());
        }
        let later = Deadline { due_at: now().checked_add(2000.hours()).unwrap(), rule: "test".into() };
        request::extend(&mut tx, &ids[0], &later, now()).await.unwrap();
        request::set_status(&mut tx, Writer::Outside, &ids[1], Status::Cancelled, now()).await.unwrap();
        let listed = request::list(&mut tx, &Filter::default()).await.unwrap();
        let order: Vec<&str> = listed.iter().map(|listed| listed.request.id.as_str()).collect();
        assert_eq!(order, [&ids[2], &ids[0], &ids[1]]);
        assert_eq!(listed[1].request.deadline(), Some(later.due_at));
        assert!(listed[1].request.due_at.unwrap() < later.due_at, "the first deadline stays on record");

        let mut count = async |filter: Filter| request::list(&mut tx, &filter).await.unwrap().len();
        assert_eq!(count(Filter { open_only: true, ..Filter::default() }).await, 2);
        assert_eq!(count(Filter { status: Some(Status::Cancelled), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { kind: Some(Kind::Access), ..Filter::default() }).await, 0);
        let soon = now().checked_add(800.hours()).unwrap();
        assert_eq!(count(Filter { due_by: Some(soon), ..Filter::default() }).await, 1);
        let about = test.keys.subject_ref(&person(&[("user_id", "3")])).to_string();
        assert_eq!(count(Filter { subject_ref: Some(about), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { limit: 1, offset: 2, ..Filter::default() }).await, 1);
        let refusal = request::extend(&mut tx, &ids[1], &later, now()).await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Transition { .. }), "a closed request has no deadline to extend");
    }
}

#[tokio::test]
async fn p_1_an_approval_is_for_one_plan_and_counts_people() {
    for test in ledgers().await {
        let lease = claimed(&test, &person(&[("user_id", "1")])).await;
        let id = lease.request_id.clone().unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let first = stored_plan(&id, "sha256:a");
        plan::insert(&mut tx, &lease, &first).await.unwrap();
        plan::set_manifest(&mut tx, &lease, &id, "sha256:a", "a.keys").await.unwrap();
        plan::freeze(&mut tx, &lease, &id, "sha256:a", now()).await.unwrap();
        assert_eq!(approval::give(&mut tx, &id, "sha256:a", "Ann", now()).await.unwrap(), 1);
        assert_eq!(approval::give(&mut tx, &id, "sha256:a", "ann ", now()).await.unwrap(), 1, "the same person");
        assert_eq!(approval::give(&mut tx, &id, "sha256:a", "Bob", now()).await.unwrap(), 2);
        assert!(matches!(approval::give(&mut tx, &id, "sha256:b", "Ann", now()).await, Err(LedgerError::OtherPlan)));
        let refusal = plan::set_manifest(&mut tx, &lease, &id, "sha256:a", "b.keys").await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Frozen));
        plan::freeze(&mut tx, &lease, &id, "sha256:a", now().checked_add(1.hour()).unwrap()).await.unwrap();
        let frozen = plan::get(&mut tx, &id, "sha256:a").await.unwrap();
        assert_eq!((frozen.frozen_at, frozen.manifest_file.as_deref()), (Some(now()), Some("a.keys")));
        assert_eq!(request::get(&mut tx, &id).await.unwrap().plan_digest.as_deref(), Some("sha256:a"));

        plan::insert(&mut tx, &lease, &stored_plan(&id, "sha256:b")).await.unwrap();
        plan::freeze(&mut tx, &lease, &id, "sha256:b", now()).await.unwrap();
        assert!(approval::of_plan(&mut tx, &id, "sha256:b").await.unwrap().is_empty(), "approvals do not carry over");
        assert!(matches!(approval::give(&mut tx, &id, "sha256:a", "Ann", now()).await, Err(LedgerError::OtherPlan)));
        plan::forget_manifest(&mut tx, Writer::Outside, &id, "sha256:a").await.unwrap();
        let plans = plan::of_request(&mut tx, &id).await.unwrap();
        assert_eq!(plans.len(), 2);
        assert!(plans.iter().all(|plan| plan.manifest_file.is_none()));
    }
}

fn stored_plan(request_id: &str, digest: &str) -> plan::StoredPlan {
    plan::StoredPlan {
        request_id: request_id.into(),
        digest: digest.into(),
        shape_digest: "sha256:shape".into(),
        document: "{}".into(),
        manifest_file: None,
        created_at: now(),
        frozen_at: None,
    }
}

#[tokio::test]
async fn e_3_progress_of_an_item_never_goes_backwards() {
    for test in ledgers().await {
        let lease = claimed(&test, &person(&[("user_id", "1")])).await;
        let id = lease.request_id.clone().unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let mut item =
            item_result::ItemResult { item_no: 0, position: 500, affected: 498, already_absent: 2, ..Default::default() };
        item_result::put(&mut tx, &lease, &id, "sha256:a", &item, now()).await.unwrap();
        item_result::put(&mut tx, &lease, &id, "sha256:a", &item, now()).await.unwrap();
        item.position = 400;
        assert!(matches!(item_result::put(&mut tx, &lease, &id, "sha256:a", &item, now()).await, Err(LedgerError::Stale)));
        item.position = 1000;
        item.retained = vec![Retained { count: 3, ground: Ground::Hold, reference: Some("M-1".into()), review_on: None }];
        item.outcome = Some(Outcome::AlreadyAbsent);
        item.level = Some(3);
        item_result::put(&mut tx, &lease, &id, "sha256:a", &item, now()).await.unwrap();
        assert_eq!(item_result::of_plan(&mut tx, &id, "sha256:a").await.unwrap(), [item]);
        assert!(item_result::of_plan(&mut tx, &id, "sha256:b").await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn q_1_a_stale_attempt_can_write_nothing() {
    for test in ledgers().await {
        let old = claimed(&test, &person(&[("user_id", "1")])).await;
        let id = old.request_id.clone().unwrap();
        // The attempt fails behind its own back, and another worker claims the job.
        let mut tx = test.ledger.begin().await.unwrap();
        plan::insert(&mut tx, &old, &stored_plan(&id, "sha256:a")).await.unwrap();
        settle::fail(&mut tx, &old, "lost", Some(Duration::ZERO), now()).await.unwrap();
        let new = claim::next(&mut tx, Claimant { worker: "another", ..WORKER }, now()).await.unwrap().unwrap();
        assert_eq!((new.job_id.as_str(), new.attempt), (old.job_id.as_str(), 2));
        tx.commit().await.unwrap();

        let before = everything(&test.ledger).await;
        let item = item_result::ItemResult { position: 1, affected: 1, ..Default::default() };
        let mut refused = Vec::new();
        for step in 0..14 {
            let mut tx = test.ledger.begin().await.unwrap();
            let lease = &old;
            let by = Writer::Attempt(lease);
            let answer = match step {
                0 => job::assert_current(&mut tx, lease).await,
                1 => item_result::put(&mut tx, lease, &id, "sha256:a", &item, now()).await,
                2 => plan::insert(&mut tx, lease, &stored_plan(&id, "sha256:b")).await,
                3 => plan::freeze(&mut tx, lease, &id, "sha256:a", now()).await,
                4 => plan::set_manifest(&mut tx, lease, &id, "sha256:a", "f").await,
                5 => plan::forget_manifest(&mut tx, by, &id, "sha256:a").await,
                6 => request::set_status(&mut tx, by, &id, Status::Running, now()).await,
                7 => request::set_result(&mut tx, by, &id, &json!({}), now()).await,
                8 => settle::finish(&mut tx, lease, now()).await.map(|_| ()),
                9 => settle::park(&mut tx, lease, now()).await.map(|_| ()),
                10 => settle::fail(&mut tx, lease, "code", None, now()).await.map(|_| ()),
                11 => settle::bury(&mut tx, lease, "code", now()).await.map(|_| ()),
                12 => settle::release(&mut tx, lease, now()).await.map(|_| ()),
                _ => claim::widen(&mut tx, &test.keys, lease, &[Identifier::new("user_id", "2")]).await.map(|_| ()),
            };
            refused.push(matches!(answer, Err(LedgerError::Stale)));
            tx.commit().await.unwrap();
        }
        assert_eq!(refused, [true; 14]);
        let mut tx = test.ledger.begin().await.unwrap();
        let beat = crate::queue::lease::heartbeat(&mut tx, &old, Duration::from_secs(60)).await.unwrap();
        assert_eq!(beat, crate::queue::lease::Beat::Lost);
        tx.commit().await.unwrap();
        assert_eq!(everything(&test.ledger).await, before, "a stale attempt changed the ledger");

        let mut tx = test.ledger.begin().await.unwrap();
        item_result::put(&mut tx, &new, &id, "sha256:a", &item, now()).await.unwrap();
        settle::finish(&mut tx, &new, now()).await.unwrap();
    }
}

/// Every value of every table that an attempt may write to, lease times included.
async fn everything(ledger: &Ledger) -> String {
    let mut tx = ledger.begin().await.unwrap();
    let mut text = String::new();
    for sql in [
        "SELECT status || COALESCE(result, '') || COALESCE(plan_digest, '') || updated_at AS t FROM request ORDER BY id",
        "SELECT state || attempt || failures || worker || COALESCE(lease_until, 0) || COALESCE(last_error, '') AS t FROM job ORDER BY id",
        "SELECT job_id || attempt || COALESCE(outcome, '-') AS t FROM attempt ORDER BY job_id, attempt",
        "SELECT digest || COALESCE(manifest_file, '-') || COALESCE(frozen_at, 0) AS t FROM plan ORDER BY digest",
        "SELECT request_id || position AS t FROM item_result ORDER BY item_no",
        "SELECT alias_ref AS t FROM request_alias ORDER BY alias_ref",
    ] {
        for row in tx.on().fetch_all(sql, args![]).await.unwrap() {
            text.push_str(&row.text("t").unwrap());
            text.push('\n');
        }
    }
    text
}

#[tokio::test]
async fn q_1_a_lease_that_has_run_out_can_write_nothing_even_before_it_is_reaped() {
    for test in ledgers().await {
        let mut lease = claimed(&test, &person(&[("user_id", "1")])).await;
        let mut tx = test.ledger.begin().await.unwrap();
        job::assert_current(&mut tx, &lease).await.unwrap();
        tx.on().execute("UPDATE job SET lease_until = 1", args![]).await.unwrap();
        assert!(matches!(job::assert_current(&mut tx, &lease).await, Err(LedgerError::Stale)));
        // Nobody has taken over: a heartbeat makes it ours again.
        crate::queue::lease::heartbeat(&mut tx, &lease, Duration::from_secs(60)).await.unwrap();
        job::assert_current(&mut tx, &lease).await.unwrap();
        lease.attempt += 1;
        assert!(matches!(job::assert_current(&mut tx, &lease).await, Err(LedgerError::Stale)), "an attempt that is yet to come");
    }
}

#[tokio::test]
async fn q_1_nobody_can_take_a_job_over_between_the_check_and_the_write() {
    // SQLite has one writer at a time; the lock matters on PostgreSQL.
    let Some(test) = on_postgres().await else { return };
    let lease = claimed(&test, &person(&[("user_id", "1")])).await;
    let mut writing = test.ledger.begin().await.unwrap();
    job::assert_current(&mut writing, &lease).await.unwrap();
    let impatient = Ledger::open_with_patience(&test.url, Duration::from_millis(200)).await.unwrap();
    let mut taking = impatient.begin().await.unwrap();
    let refusal = settle::fail(&mut taking, &lease, "lost", None, now()).await.unwrap_err();
    assert!(matches!(refusal, LedgerError::Database(DbError::Busy(_))), "{refusal}");
    drop(taking);
    writing.commit().await.unwrap();
    let mut taking = impatient.begin().await.unwrap();
    settle::fail(&mut taking, &lease, "lost", None, now()).await.unwrap();
}

#[tokio::test]
async fn queueing_rolls_back_with_the_change_of_state() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let received = take_in(&mut tx, &test, &person(&[("user_id", "1")]), None).await.unwrap();
        crate::queue::enqueue(&mut tx, &NewJob::for_request("erase", received.request(), now()), now()).await.unwrap();
        drop(tx);
        let mut tx = test.ledger.begin().await.unwrap();
        assert!(request::list(&mut tx, &Filter::default()).await.unwrap().is_empty());
        assert_eq!(claim::count_ready(&mut tx, now()).await.unwrap(), 0);
    }
}

#[tokio::test]
async fn a_job_asked_for_again_is_neither_doubled_nor_lost() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let later = now().checked_add(1.hour()).unwrap();
        let Enqueued::New(id) = job::enqueue(&mut tx, &NewJob::duty("sweep", later), now()).await.unwrap() else { panic!() };
        let again = job::enqueue(&mut tx, &NewJob::duty("sweep", now()), now()).await.unwrap();
        assert_eq!(again, Enqueued::Waiting(id.clone()));
        assert_eq!(job::get(&mut tx, &id).await.unwrap().run_at, now(), "the earlier wish counts");
        let lease = claim::next(&mut tx, WORKER, now()).await.unwrap().unwrap();
        assert_eq!(job::enqueue(&mut tx, &NewJob::duty("sweep", now()), now()).await.unwrap(), Enqueued::RunsAgain(id.clone()));
        assert_eq!(settle::park(&mut tx, &lease, now()).await.unwrap(), settle::Settled::Again(now()));
        let lease = claim::next(&mut tx, WORKER, now()).await.unwrap().unwrap();
        assert_eq!(settle::finish(&mut tx, &lease, now()).await.unwrap(), settle::Settled::Done);
        assert!(
            matches!(job::enqueue(&mut tx, &NewJob::duty("sweep", now()), now()).await.unwrap(), Enqueued::New(new) if new != id)
        );
    }
}

#[tokio::test]
async fn cancelling_leaves_the_last_word_to_a_job_that_has_begun() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let waiting = take_in(&mut tx, &test, &person(&[("user_id", "1")]), None).await.unwrap().request().clone();
        job::enqueue(&mut tx, &NewJob::for_request("erase", &waiting, now()), now()).await.unwrap();
        assert_eq!(cancel::of_request(&mut tx, &waiting.id, now()).await.unwrap(), cancel::Cancelled::AtOnce);
        assert_eq!(request::withdraw(&mut tx, &waiting.id, now()).await.unwrap(), Status::Cancelled);
        assert_eq!(cancel::of_request(&mut tx, &waiting.id, now()).await.unwrap(), cancel::Cancelled::TooLate);
        tx.commit().await.unwrap();

        let lease = claimed(&test, &person(&[("user_id", "2")])).await;
        let id = lease.request_id.clone().unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        request::set_status(&mut tx, Writer::Attempt(&lease), &id, Status::Running, now()).await.unwrap();
        let item = item_result::ItemResult { position: 1, affected: 1, ..Default::default() };
        item_result::put(&mut tx, &lease, &id, "sha256:a", &item, now()).await.unwrap();
        // It fails, waits for its next attempt, and is cancelled while it waits.
        settle::fail(&mut tx, &lease, "source_unreachable", None, now()).await.unwrap();
        assert_eq!(cancel::of_request(&mut tx, &id, now()).await.unwrap(), cancel::Cancelled::Asked);
        let lease = claim::next(&mut tx, WORKER, now()).await.unwrap().expect("it may run at once");
        assert!(lease.cancel.is_raised(), "the next attempt knows from the beginning");
        let settled = settle::fail(&mut tx, &lease, "stopped", None, now()).await.unwrap();
        assert_eq!(settled, settle::Settled::Cancelled);
        let request = request::get(&mut tx, &id).await.unwrap();
        assert_eq!(request.status, Status::Partial, "a record was erased: that is not called cancelled");
        assert_eq!(job::of_request(&mut tx, &id).await.unwrap()[0].state, JobState::Cancelled);
    }
}

#[tokio::test]
async fn a_pinned_value_stays() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        assert_eq!(setting::pin(&mut tx, "source.app", "system-1", now()).await.unwrap(), setting::Pinned::First);
        assert_eq!(setting::pin(&mut tx, "source.app", "system-1", now()).await.unwrap(), setting::Pinned::Same);
        let other = setting::pin(&mut tx, "source.app", "system-2", now()).await.unwrap();
        assert_eq!(other, setting::Pinned::Other("system-1".into()));
        setting::put(&mut tx, "source.app", "system-2", now()).await.unwrap();
        assert_eq!(setting::get(&mut tx, "source.app").await.unwrap().as_deref(), Some("system-2"));
        assert_eq!(setting::get(&mut tx, "source.other").await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_refused() {
    for test in ledgers().await {
        Ledger::open(&test.url).await.expect("opening an up-to-date ledger changes nothing");
        let mut tx = test.ledger.begin().await.unwrap();
        tx.on().execute("INSERT INTO schema_version (version) VALUES (999)", args![]).await.unwrap();
        tx.commit().await.unwrap();
        let refusal = Ledger::open(&test.url).await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Newer { found: 999, .. }), "{refusal}");
    }
}

#[tokio::test]
async fn a_locked_ledger_is_busy_once_patience_is_over() {
    for test in ledgers().await {
        let patience = Duration::from_millis(300);
        let impatient = Ledger::open_with_patience(&test.url, patience).await.unwrap();
        let mut holding = test.ledger.begin().await.unwrap();
        let id = take_in(&mut holding, &test, &person(&[("user_id", "1")]), Some("k")).await.unwrap().request().id.clone();
        let began = std::time::Instant::now();
        let refusal = async {
            let mut tx = impatient.begin().await?;
            take_in(&mut tx, &test, &person(&[("user_id", "1")]), Some("k")).await?;
            Ok::<(), LedgerError>(())
        };
        let refusal = refusal.await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Database(DbError::Busy(_))), "{refusal}");
        assert!(refusal.is_transient());
        assert!(began.elapsed() >= patience && began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        holding.commit().await.unwrap();
        let mut tx = impatient.begin().await.unwrap();
        let received = take_in(&mut tx, &test, &person(&[("user_id", "1")]), Some("k")).await.unwrap();
        assert_eq!(received.request().id, id);
    }
}

#[tokio::test]
async fn q_1_a_server_that_may_forget_commits_is_refused() {
    let Some(test) = on_postgres().await else { return };
    let mut tx = test.ledger.begin().await.unwrap();
    tx.on().execute("ALTER ROLE postgres IN DATABASE postgres SET synchronous_commit = off", args![]).await.unwrap();
    tx.commit().await.unwrap();
    let (address, host) = test.url.split_once('?').unwrap();
    let other = format!("{}/postgres?{host}", address.rsplit_once('/').unwrap().0);
    assert!(matches!(Ledger::open(&other).await, Err(LedgerError::NotDurable)));
}

#[tokio::test]
async fn a_fresh_lease_has_no_reason_to_stop() {
    assert!(!CancelFlag::default().is_raised());
}
