//! Workers that die, stand still or are overtaken.

use std::sync::Mutex;

use super::*;

#[tokio::test]
async fn a_worker_that_dies_in_the_middle_costs_an_attempt_and_nothing_else() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let begun = Arc::new(tokio::sync::Notify::new());
        let tells = Arc::clone(&begun);
        let options = WorkerOptions { lease: Duration::from_millis(300), ..quick() };
        let dying = worker(&test, options, move |_| {
            tells.notify_one();
            std::future::pending()
        })
        .await;
        let life = tokio::spawn(async move { dying.run_forever(never()).await });
        begun.notified().await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        let job = &jobs_of(&test, &request).await[0];
        assert_eq!((job.state, job.attempt), (JobState::Running, 1), "a heartbeat keeps the lease longer than it is");
        life.abort();
        assert!(life.await.is_err());

        tokio::time::sleep(Duration::from_millis(400)).await;
        let seen = Arc::new(Mutex::new(Vec::new()));
        let sees = Arc::clone(&seen);
        let heir = worker(&test, quick(), move |lease| {
            sees.lock().unwrap().push((lease.attempt, lease.failures));
            async { JobOutcome::Done }
        })
        .await;
        let tally = heir.run_until_empty(never()).await.unwrap();
        assert_eq!(tally, Tally { done: 1, ..Tally::default() });
        assert_eq!(*seen.lock().unwrap(), [(2, 1)]);
        let mut tx = test.ledger.begin().await.unwrap();
        let sql = "SELECT outcome FROM attempt WHERE job_id = $1 ORDER BY attempt";
        let attempts = tx.on().fetch_all(sql, crate::args![job.id.as_str()]).await.unwrap();
        let outcomes: Vec<String> = attempts.iter().map(|attempt| attempt.text("outcome").unwrap()).collect();
        assert_eq!(outcomes, ["lost", "done"]);
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_killed_process_is_noticed_at_once_and_its_lease_not_waited_for() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        // A worker's name holds the process it runs in: this one's is that of a child which then is killed.
        let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let name = crate::queue::liveness::worker_name_of(child.id()).unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let hour_long = Claimant { worker: &name, lease: Duration::from_secs(3600) };
        claim::next(&mut tx, hour_long, now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!(reap(&test.ledger, now()).await.unwrap().again, 0, "it lives");
        child.kill().unwrap();
        child.wait().unwrap();
        let heir = worker(&test, quick(), |_| async { JobOutcome::Done }).await;
        assert_eq!(heir.run_until_empty(never()).await.unwrap().done, 1);
        assert_eq!(jobs_of(&test, &request).await[0].attempt, 2);
    }
}

#[tokio::test]
async fn q_1_a_worker_that_was_overtaken_hears_of_it_and_its_outcome_is_dropped() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let url = test.url.clone();
        let options = WorkerOptions { lease: Duration::from_millis(300), ..quick() };
        let slow = worker(&test, options, move |lease| {
            let url = url.clone();
            async move {
                // The machine stood still for longer than the lease; meanwhile another worker did the work.
                let ledger = Ledger::open(&url).await.unwrap();
                let mut tx = ledger.begin().await.unwrap();
                settle::lose(&mut tx, &lease, now()).await.unwrap();
                let other = claim::this(&mut tx, &lease.job_id, WORKER, now()).await.unwrap().unwrap();
                settle::finish(&mut tx, &other, now()).await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(lease.cancel.raised().await, StopReason::LeaseLost);
                JobOutcome::Dead { code: "confused".into() }
            }
        })
        .await;
        let tally = slow.run_until_empty(never()).await.unwrap();
        assert_eq!(tally, Tally { lost: 1, ..Tally::default() });
        assert_eq!(jobs_of(&test, &request).await[0].state, JobState::Done);
        assert_eq!(read(&test, &request).await.status, Status::Queued, "the dropped outcome did not fail the request");
    }
}

#[tokio::test]
async fn e_2_a_lost_job_that_was_cancelled_runs_once_more_so_that_it_can_look() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let mut tx = test.ledger.begin().await.unwrap();
        let brief = Claimant { worker: "elsewhere", lease: Duration::ZERO };
        claim::next(&mut tx, brief, now()).await.unwrap().unwrap();
        crate::queue::cancel::of_request(&mut tx, &request.id, now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(reap(&test.ledger, now()).await.unwrap().again, 1);
        let looks = |lease: JobLease| async move {
            assert_eq!(lease.cancel.reason(), Some(StopReason::CancelRequested));
            JobOutcome::Retry { after: None, code: "stopped".into() }
        };
        let tally = worker(&test, quick(), looks).await.run_until_empty(never()).await.unwrap();
        assert_eq!(tally.cancelled, 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q_1_what_was_acknowledged_is_worked_off_whatever_happens_to_workers() {
    for test in ledgers().await {
        let mut acknowledged = Vec::new();
        let mut life = None;
        for number in 0..24 {
            // Every few requests the worker is dropped where it stands, and another begins.
            if number % 6 == 0 {
                let options = WorkerOptions { lease: Duration::from_secs(1), concurrency: 3, ..quick() };
                let url = test.url.clone();
                let writes = move |lease: JobLease| {
                    let url = url.clone();
                    async move { write_progress(&url, &lease).await.unwrap_or(JobOutcome::Retry { after: None, code: "ledger".into() }) }
                };
                let next = worker(&test, options, writes).await;
                let next = tokio::spawn(async move { next.run_forever(never()).await });
                if let Some(former) = life.replace(next) {
                    former.abort();
                }
            }
            acknowledged.push(submit(&test, &person(&[("user_id", &number.to_string())])).await);
            // A sender that goes away before its commit was never told anything.
            let mut unheard = test.ledger.begin().await.unwrap();
            take_in(&mut unheard, &test, &person(&[("user_id", "unheard")]), None).await.unwrap();
            drop(unheard);
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
        let in_time = tokio::time::timeout(Duration::from_secs(60), async {
            for request in &acknowledged {
                while read(&test, request).await.status != Status::Completed {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        });
        in_time.await.expect("every acknowledged request is answered");
        life.unwrap().abort();
        let mut tx = test.ledger.begin().await.unwrap();
        let all = request::list(&mut tx, &Filter::default()).await.unwrap();
        assert_eq!(all.len(), acknowledged.len());
        assert!(all.iter().all(|listed| listed.dead_jobs == 0));
    }
}

async fn write_progress(url: &str, lease: &JobLease) -> Result<JobOutcome, LedgerError> {
    let ledger = Ledger::open(url).await?;
    let id = lease.request_id.as_deref().unwrap();
    for position in 1..=3 {
        let mut tx = ledger.begin().await?;
        let pass = first_pass(id, "plan");
        execution::insert(&mut tx, lease, &pass, now()).await?;
        let before = execution::of_request(&mut tx, id).await?.first().map_or(0, |pass| pass.position);
        execution::advance(&mut tx, lease, &pass, before.max(position), &[]).await?;
        tx.commit().await?;
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mut tx = ledger.begin().await?;
    for status in [Status::Running, Status::Completed] {
        request::set_status(&mut tx, Writer::Attempt(lease), id, status, FixedClock(now()).now()).await?;
    }
    tx.commit().await?;
    ledger.db().close().await;
    Ok(JobOutcome::Done)
}
