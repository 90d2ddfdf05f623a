//! Who may write: the attempt that holds the job, and nobody else.

use serde_json::json;

use super::super::job::{self, Writer};
use super::*;
use crate::args;
use crate::db::DbError;
use crate::ledger::execution::StepTally;
use crate::ledger::testing::on_postgres;
use crate::ledger::{execution, plan, request};
use crate::queue::{claim, settle};

#[tokio::test]
async fn e_3_progress_of_a_pass_never_goes_backwards() {
    for test in ledgers().await {
        let lease = claimed(&test, &person(&[("user_id", "1")])).await;
        let id = lease.request_id.clone().unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let pass = first_pass(&id, "sha256:a");
        execution::insert(&mut tx, &lease, &pass, now()).await.unwrap();
        let told = [StepTally { affected: 498, already_done: 2, ..StepTally::default() }];
        for _ in 0..2 {
            execution::advance(&mut tx, &lease, &pass, 500, &told).await.unwrap();
        }
        let behind = execution::advance(&mut tx, &lease, &pass, 400, &[StepTally::default()]).await;
        assert!(matches!(behind, Err(LedgerError::Stale)));
        execution::insert(&mut tx, &lease, &pass, now()).await.unwrap();
        let stored = execution::of_request(&mut tx, &id).await.unwrap();
        assert_eq!(stored.len(), 1, "a pass that is begun twice is one pass");
        assert_eq!((stored[0].position, stored[0].tallies.as_slice()), (500, told.as_slice()));

        execution::set_seen(&mut tx, &lease, &pass, &[500], now()).await.unwrap();
        let again = execution::set_seen(&mut tx, &lease, &pass, &[0], now()).await;
        assert!(matches!(again, Err(LedgerError::Stale)), "what was seen before the erasure is not overwritten after it (V-3)");
        execution::set_stage(&mut tx, &lease, &pass, Stage::Done).await.unwrap();
        assert_eq!(execution::with_manifests(&mut tx).await.unwrap(), [id.as_str()]);
        execution::forget_manifest(&mut tx, Writer::Attempt(&lease), &pass).await.unwrap();
        assert!(execution::with_manifests(&mut tx).await.unwrap().is_empty());
        let stored = execution::of_request(&mut tx, &id).await.unwrap().remove(0);
        assert_eq!((stored.stage, stored.seen, stored.manifest_file), (Stage::Done, Some(vec![500]), None));
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
        let pass = first_pass(&id, "sha256:a");
        execution::insert(&mut tx, &old, &pass, now()).await.unwrap();
        settle::fail(&mut tx, &old, "lost", Some(Duration::ZERO), now()).await.unwrap();
        let new = claim::next(&mut tx, Claimant { worker: "another", ..WORKER }, now()).await.unwrap().unwrap();
        assert_eq!((new.job_id.as_str(), new.attempt), (old.job_id.as_str(), 2));
        tx.commit().await.unwrap();

        let before = everything(&test.ledger).await;
        let mut refused = Vec::new();
        for step in 0..16 {
            let mut tx = test.ledger.begin().await.unwrap();
            let lease = &old;
            let by = Writer::Attempt(lease);
            let answer = match step {
                0 => job::assert_current(&mut tx, lease).await,
                1 => execution::advance(&mut tx, lease, &pass, 1, &[StepTally::default()]).await,
                2 => plan::insert(&mut tx, lease, &stored_plan(&id, "sha256:b")).await,
                3 => plan::freeze(&mut tx, lease, &id, "sha256:a", now()).await,
                4 => execution::set_stage(&mut tx, lease, &pass, Stage::Done).await,
                5 => execution::forget_manifest(&mut tx, by, &pass).await,
                6 => request::set_status(&mut tx, by, &id, Status::Running, now()).await,
                7 => request::set_result(&mut tx, by, &id, &json!({}), now()).await,
                8 => settle::finish(&mut tx, lease, now()).await.map(|_| ()),
                9 => settle::park(&mut tx, lease, now()).await.map(|_| ()),
                10 => settle::fail(&mut tx, lease, "code", None, now()).await.map(|_| ()),
                11 => settle::bury(&mut tx, lease, "code", now()).await.map(|_| ()),
                12 => settle::release(&mut tx, lease, now()).await.map(|_| ()),
                13 => execution::insert(&mut tx, lease, &first_pass(&id, "sha256:b"), now()).await,
                14 => execution::set_seen(&mut tx, lease, &pass, &[1], now()).await,
                _ => claim::widen(&mut tx, &test.keys, lease, &[Identifier::new("user_id", "2")]).await.map(|_| ()),
            };
            refused.push(matches!(answer, Err(LedgerError::Stale)));
            tx.commit().await.unwrap();
        }
        assert_eq!(refused, [true; 16]);
        let mut tx = test.ledger.begin().await.unwrap();
        let beat = crate::queue::lease::heartbeat(&mut tx, &old, Duration::from_secs(60)).await.unwrap();
        assert_eq!(beat, crate::queue::lease::Beat::Lost);
        tx.commit().await.unwrap();
        assert_eq!(everything(&test.ledger).await, before, "a stale attempt changed the ledger");

        let mut tx = test.ledger.begin().await.unwrap();
        execution::advance(&mut tx, &new, &pass, 1, &[StepTally::default()]).await.unwrap();
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
        "SELECT digest || COALESCE(frozen_at, 0) AS t FROM plan ORDER BY digest",
        "SELECT plan_digest || position || tallies || stage || COALESCE(seen, '-') || COALESCE(manifest_file, '-') AS t FROM execution ORDER BY 1",
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
