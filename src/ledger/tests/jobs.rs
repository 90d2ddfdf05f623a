//! Queueing and cancelling of jobs, and the approvals that let them go on.

use jiff::ToSpan;

use super::super::job::{self, Enqueued, JobState, NewJob, Writer};
use super::*;
use crate::ledger::request::{self, Filter};
use crate::ledger::{approval, execution, plan};
use crate::queue::{cancel, claim, settle};

#[tokio::test]
async fn p_1_an_approval_is_for_one_plan_and_counts_people() {
    for test in ledgers().await {
        let lease = claimed(&test, &person(&[("user_id", "1")])).await;
        let id = lease.request_id.clone().unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let first = stored_plan(&id, "sha256:a");
        plan::insert(&mut tx, &lease, &first).await.unwrap();
        plan::freeze(&mut tx, &lease, &id, "sha256:a", now()).await.unwrap();
        assert_eq!(approval::give(&mut tx, &id, "sha256:a", "Ann", now()).await.unwrap(), 1);
        assert_eq!(approval::give(&mut tx, &id, "sha256:a", "ann ", now()).await.unwrap(), 1, "the same person");
        assert_eq!(approval::give(&mut tx, &id, "sha256:a", "Bob", now()).await.unwrap(), 2);
        assert!(matches!(approval::give(&mut tx, &id, "sha256:b", "Ann", now()).await, Err(LedgerError::OtherPlan)));
        let other = plan::StoredPlan { document: r#"{"other": true}"#.into(), ..stored_plan(&id, "sha256:a") };
        plan::insert(&mut tx, &lease, &other).await.unwrap();
        plan::freeze(&mut tx, &lease, &id, "sha256:a", now().checked_add(1.hour()).unwrap()).await.unwrap();
        let frozen = plan::get(&mut tx, &id, "sha256:a").await.unwrap();
        assert_eq!((frozen.frozen_at, &frozen.document), (Some(now()), &first.document), "a frozen plan does not change");
        assert_eq!(request::get(&mut tx, &id).await.unwrap().plan_digest.as_deref(), Some("sha256:a"));

        plan::insert(&mut tx, &lease, &stored_plan(&id, "sha256:b")).await.unwrap();
        plan::freeze(&mut tx, &lease, &id, "sha256:b", now()).await.unwrap();
        assert!(approval::of_plan(&mut tx, &id, "sha256:b").await.unwrap().is_empty(), "approvals do not carry over");
        assert!(matches!(approval::give(&mut tx, &id, "sha256:a", "Ann", now()).await, Err(LedgerError::OtherPlan)));
        assert_eq!(plan::of_request(&mut tx, &id).await.unwrap().len(), 2);
    }
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
        let pass = first_pass(&id, "sha256:a");
        execution::insert(&mut tx, &lease, &pass, now()).await.unwrap();
        execution::advance(&mut tx, &lease, &pass, 1, &[]).await.unwrap();
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
