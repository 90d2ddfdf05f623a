//! What becomes of a job by its outcome, and of a worker that is asked to do or to leave something.

use super::*;

#[tokio::test]
async fn a_failed_job_comes_back_later_and_a_hopeless_one_is_a_dead_letter_with_its_deadline() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let broken = || async { JobOutcome::Retry { after: None, code: "source_unreachable".into() } };
        let tally = worker(&test, quick(), move |_| broken()).await.run_until_empty(never()).await.unwrap();
        assert_eq!(tally, Tally { again: 1, ..Tally::default() }, "what is due later stays");
        let job = jobs_of(&test, &request).await.remove(0);
        assert_eq!((job.state, job.failures, job.last_error.as_deref()), (JobState::Ready, 1, Some("source_unreachable")));
        assert!(job.run_at > now());

        // Without delay until nothing is left of its patience: a poison job.
        let mut tx = test.ledger.begin().await.unwrap();
        tx.on().execute("UPDATE job SET run_at = 0", crate::args![]).await.unwrap();
        tx.commit().await.unwrap();
        let at_once = |_| async { JobOutcome::Retry { after: Some(Duration::ZERO), code: "ada@example.com".into() } };
        let tally = worker(&test, quick(), at_once).await.run_until_empty(never()).await.unwrap();
        assert_eq!(tally, Tally { again: 14, dead: 1, ..Tally::default() });

        let mut tx = test.ledger.begin().await.unwrap();
        let dead = job::of_request(&mut tx, &request.id).await.unwrap().remove(0);
        assert_eq!((dead.state, dead.last_error.as_deref()), (JobState::Dead, Some("uncoded")));
        let open = Filter { open_only: true, ..Filter::default() };
        let listed = request::list(&mut tx, &open).await.unwrap();
        assert_eq!((listed.len(), listed[0].dead_jobs, listed[0].live_jobs), (1, 1, 0));
        assert_eq!(listed[0].request.status, Status::Failed);
        assert_eq!(listed[0].request.due_at, request.due_at, "a dead job's deadline runs on");
        assert_eq!(listed[0].request.failure_code.as_deref(), Some("uncoded"));

        request::set_status(&mut tx, Writer::Outside, &request.id, Status::Queued, now()).await.unwrap();
        enqueue(&mut tx, &NewJob::for_request("erase", &request, now()), now()).await.unwrap();
        tx.commit().await.unwrap();
        let tally = worker(&test, quick(), |_| async { JobOutcome::Done }).await.run_until_empty(never()).await.unwrap();
        assert_eq!(tally.done, 1, "an operator can have it tried again");
    }
}

#[tokio::test]
async fn q_1_a_dead_look_back_leaves_a_completed_request_completed_and_is_seen() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let id = request.id.clone();
        let mut tx = test.ledger.begin().await.unwrap();
        let lease = claim::next(&mut tx, WORKER, now()).await.unwrap().unwrap();
        for status in [Status::Running, Status::Completed] {
            request::set_status(&mut tx, Writer::Attempt(&lease), &id, status, now()).await.unwrap();
        }
        settle::bury(&mut tx, &lease, "reverify_failed", now()).await.unwrap();
        let listed = request::list(&mut tx, &Filter::default()).await.unwrap();
        assert_eq!((listed[0].request.status, listed[0].dead_jobs), (Status::Completed, 1));
    }
}

#[tokio::test]
async fn a_job_that_panics_is_tried_again() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let panics = |lease: JobLease| async move {
            assert!(lease.attempt > 1, "the first attempt panics, on purpose");
            JobOutcome::Done
        };
        let tally = worker(&test, quick(), panics).await.run_until_empty(never()).await.unwrap();
        assert_eq!(tally.again, 1);
        assert_eq!(jobs_of(&test, &request).await[0].last_error.as_deref(), Some("panicked"));
    }
}

#[tokio::test]
async fn a_worker_that_has_to_leave_gives_its_job_back_without_a_failure() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let (leave, asked) = watch::channel(false);
        let leave = Arc::new(leave);
        let leaving = worker(&test, quick(), move |lease: JobLease| {
            leave.send_replace(true);
            async move {
                assert_eq!(lease.cancel.raised().await, StopReason::Draining);
                JobOutcome::Retry { after: None, code: "stopped".into() }
            }
        })
        .await;
        let tally = leaving.run_forever(asked).await.unwrap();
        assert_eq!(tally, Tally { again: 1, ..Tally::default() });
        let job = &jobs_of(&test, &request).await[0];
        assert_eq!((job.state, job.failures, job.run_at), (JobState::Ready, 0, now()));
    }
}

#[tokio::test]
async fn a_running_job_hears_that_it_was_cancelled() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let (url, id) = (test.url.clone(), request.id.clone());
        let options = WorkerOptions { lease: Duration::from_millis(900), ..quick() };
        let obeys = worker(&test, options, move |lease: JobLease| {
            let (url, id) = (url.clone(), id.clone());
            async move {
                let ledger = Ledger::open(&url).await.unwrap();
                let mut tx = ledger.begin().await.unwrap();
                crate::queue::cancel::of_request(&mut tx, &id, now()).await.unwrap();
                tx.commit().await.unwrap();
                assert_eq!(lease.cancel.raised().await, StopReason::CancelRequested);
                JobOutcome::Retry { after: None, code: "stopped".into() }
            }
        })
        .await;
        assert_eq!(obeys.run_until_empty(never()).await.unwrap().cancelled, 1);
        assert_eq!(read(&test, &request).await.status, Status::Cancelled);
    }
}

#[tokio::test]
async fn one_job_in_the_foreground_runs_unless_its_lane_is_taken() {
    for test in ledgers().await {
        let ada = person(&[("user_id", "1")]);
        let (first, second) = (submit(&test, &ada).await, submit(&test, &ada).await);
        let [first, second] = [jobs_of(&test, &first).await.remove(0).id, jobs_of(&test, &second).await.remove(0).id];
        let mut tx = test.ledger.begin().await.unwrap();
        let held = claim::this(&mut tx, &first, WORKER, now()).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        let foreground = worker(&test, quick(), |_| async { JobOutcome::Done }).await;
        assert_eq!(foreground.run_one(&second, never()).await.unwrap(), None);
        let mut tx = test.ledger.begin().await.unwrap();
        settle::finish(&mut tx, &held, now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(foreground.run_one(&second, never()).await.unwrap().map(|tally| tally.done), Some(1));
    }
}

#[tokio::test]
async fn a_waiting_worker_is_woken_by_what_is_queued_and_not_by_its_poll() {
    let Some(test) = on_postgres().await else { return };
    let (leave, asked) = watch::channel(false);
    let done = Arc::new(tokio::sync::Notify::new());
    let tells = Arc::clone(&done);
    let options = WorkerOptions { poll: Duration::from_secs(600), ..quick() };
    let waiting = worker(&test, options, move |_| {
        tells.notify_one();
        async { JobOutcome::Done }
    })
    .await;
    let life = tokio::spawn(async move { waiting.run_forever(asked).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    submit(&test, &person(&[("user_id", "1")])).await;
    tokio::time::timeout(Duration::from_secs(20), done.notified()).await.expect("woken");
    leave.send_replace(true);
    assert_eq!(life.await.unwrap().unwrap().done, 1);
}
