//! Who may write: the attempt that holds the job, and nobody else.

use serde_json::json;

use super::super::job::{self, Writer};
use super::*;
use crate::args;
use crate::db::DbError;
use crate::ledger::testing::on_postgres;
use crate::ledger::{item_result, plan, request};
use crate::plan::{Ground, Outcome, Retained};
use crate::queue::{claim, settle};

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
