//! What the queue promises, on both databases, with workers that share nothing but the ledger: each opens a pool of its own, as another
//! process would.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::ToSpan;
use tokio::sync::watch;

use super::claim::{self, Claimant};
use super::{JobHandler, JobOutcome, Tally, Worker, WorkerOptions, enqueue, reap::reap, settle};
use crate::clock::{Clock, FixedClock};
use crate::ledger::job::{self, JobLease, JobState, NewJob, StopReason, Writer};
use crate::ledger::request::{self, Filter, Request};
use crate::ledger::testing::{TestLedger, ledgers, on_postgres};
use crate::ledger::tests::{WORKER, now, person, take_in};
use crate::ledger::{Ledger, LedgerError, item_result};
use crate::request::Status;
use crate::subject::{Identifier, Subject};

/// A handler made of a function.
struct Does<F>(F);

impl<F, R> JobHandler for Does<F>
where
    F: Fn(JobLease) -> R + Send + Sync,
    R: Future<Output = JobOutcome> + Send + 'static,
{
    fn run(&self, lease: JobLease) -> BoxFuture<'_, JobOutcome> {
        Box::pin((self.0)(lease))
    }
}

fn quick() -> WorkerOptions {
    WorkerOptions { concurrency: 1, lease: Duration::from_secs(20), poll: Duration::from_millis(50), drain: Duration::from_secs(5) }
}

async fn worker<F, R>(test: &TestLedger, options: WorkerOptions, does: F) -> Worker
where
    F: Fn(JobLease) -> R + Send + Sync + 'static,
    R: Future<Output = JobOutcome> + Send + 'static,
{
    let ledger = Ledger::open(&test.url).await.unwrap();
    Worker::new(ledger, Arc::new(Does(does)), Arc::new(FixedClock(now())), options).unwrap()
}

fn never() -> watch::Receiver<bool> {
    watch::channel(false).1
}

async fn submit(test: &TestLedger, subject: &Subject) -> Request {
    let mut tx = test.ledger.begin().await.unwrap();
    let request = take_in(&mut tx, test, subject, None).await.unwrap().request().clone();
    enqueue(&mut tx, &NewJob::for_request("erase", &request, now()), now()).await.unwrap();
    tx.commit().await.unwrap();
    request
}

async fn jobs_of(test: &TestLedger, request: &Request) -> Vec<job::Job> {
    let mut tx = test.ledger.begin().await.unwrap();
    job::of_request(&mut tx, &request.id).await.unwrap()
}

async fn read(test: &TestLedger, request: &Request) -> Request {
    let mut tx = test.ledger.begin().await.unwrap();
    request::get(&mut tx, &request.id).await.unwrap()
}

/// Who is being worked on, under which names, and how often each job ran.
#[derive(Default)]
struct Watched {
    names: HashMap<String, Vec<String>>,
    running: Mutex<HashSet<String>>,
    runs: Mutex<HashMap<String, usize>>,
    overlaps: AtomicUsize,
}

impl Watched {
    async fn work(&self, lease: &JobLease) {
        let names = &self.names[lease.request_id.as_ref().unwrap()];
        for name in names {
            if !self.running.lock().unwrap().insert(name.clone()) {
                self.overlaps.fetch_add(1, Ordering::SeqCst);
            }
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
        for name in names {
            self.running.lock().unwrap().remove(name);
        }
        *self.runs.lock().unwrap().entry(lease.job_id.clone()).or_default() += 1;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q_1_two_thousand_jobs_run_once_each_and_never_two_for_one_person() {
    const JOBS: usize = 2000;
    const PEOPLE: usize = 150;
    for test in ledgers().await {
        let began = std::time::Instant::now();
        let mut watched = Watched::default();
        let mut tx = test.ledger.begin().await.unwrap();
        for number in 0..JOBS {
            // A person is known by user id in one request, by e-mail in the next, and by both in the third: three lanes, and the
            // third may run beside neither of the others.
            let who = (number / 3) % PEOPLE;
            let (user_id, email) = (("user_id", format!("{who}")), ("email", format!("p{who}@example.com")));
            let named = match number % 3 {
                0 => vec![user_id],
                1 => vec![email],
                _ => vec![user_id, email],
            };
            let identifiers: Vec<(&str, &str)> = named.iter().map(|(kind, value)| (*kind, value.as_str())).collect();
            let request = take_in(&mut tx, &test, &person(&identifiers), None).await.unwrap().request().clone();
            job::enqueue(&mut tx, &NewJob::for_request("erase", &request, now()), now()).await.unwrap();
            watched.names.insert(request.id, named.into_iter().map(|(_, value)| value).collect());
        }
        tx.commit().await.unwrap();

        let watched = Arc::new(watched);
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..8 {
            let watched = Arc::clone(&watched);
            let does = move |lease| {
                let watched = Arc::clone(&watched);
                async move {
                    watched.work(&lease).await;
                    JobOutcome::Done
                }
            };
            let worker = worker(&test, quick(), does).await;
            workers.spawn(async move { worker.run_until_empty(never()).await.unwrap() });
        }
        let tallies: Vec<Tally> = workers.join_all().await;
        assert_eq!(watched.overlaps.load(Ordering::SeqCst), 0, "two running jobs for one person");
        let runs = watched.runs.lock().unwrap();
        assert_eq!(runs.len(), JOBS);
        assert!(runs.values().all(|runs| *runs == 1));
        assert_eq!(tallies.iter().map(|tally| tally.done).sum::<u64>(), JOBS as u64);
        assert!(tallies.iter().filter(|tally| tally.done > 0).count() > 1, "one worker did everything");
        eprintln!("{:?}: {JOBS} jobs by 8 workers in {:?}", test.ledger.dialect(), began.elapsed());
    }
}

#[tokio::test]
async fn q_1_a_second_running_job_in_a_lane_cannot_even_be_written() {
    for test in ledgers().await {
        let ada = person(&[("user_id", "1")]);
        let first = submit(&test, &ada).await;
        let second = submit(&test, &ada).await;
        let mut tx = test.ledger.begin().await.unwrap();
        assert!(claim::next(&mut tx, WORKER, now()).await.unwrap().is_some());
        assert!(claim::next(&mut tx, WORKER, now()).await.unwrap().is_none(), "the lane is taken");
        tx.commit().await.unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let by_force = "UPDATE job SET state = 'running', lease_until = 1";
        let refusal = tx.on().execute(by_force, crate::args![]).await.unwrap_err();
        assert!(refusal.is_unique(), "{refusal}");
        drop(tx);
        let states: Vec<JobState> =
            [&jobs_of(&test, &first).await[0], &jobs_of(&test, &second).await[0]].iter().map(|job| job.state).collect();
        assert_eq!(states.iter().filter(|state| **state == JobState::Running).count(), 1);
    }
}

#[tokio::test]
async fn q_1_a_person_found_under_a_further_name_is_not_worked_on_twice() {
    for test in ledgers().await {
        let by_mail = submit(&test, &person(&[("email", "ada@example.com")])).await;
        let by_id = submit(&test, &person(&[("user_id", "42")])).await;
        let mut tx = test.ledger.begin().await.unwrap();
        let [mail_job, id_job] = [jobs_in(&mut tx, &by_mail).await, jobs_in(&mut tx, &by_id).await];
        let mail = claim::this(&mut tx, &mail_job, WORKER, now()).await.unwrap().unwrap();
        let id = claim::this(&mut tx, &id_job, WORKER, now()).await.unwrap().unwrap();
        let also = [Identifier::new("user_id", "42")];
        assert!(!claim::widen(&mut tx, &test.keys, &mail, &also).await.unwrap(), "the other job works on the same person");
        settle::fail(&mut tx, &mail, "subject_busy", Some(Duration::ZERO), now()).await.unwrap();
        assert!(claim::this(&mut tx, &mail_job, WORKER, now()).await.unwrap().is_none(), "not before the other is done");
        settle::finish(&mut tx, &id, now()).await.unwrap();
        let mail = claim::this(&mut tx, &mail_job, WORKER, now()).await.unwrap().unwrap();
        assert!(claim::widen(&mut tx, &test.keys, &mail, &also).await.unwrap());
    }
}

async fn jobs_in(tx: &mut crate::db::Tx, request: &Request) -> String {
    job::of_request(tx, &request.id).await.unwrap()[0].id.clone()
}

#[tokio::test]
async fn among_ready_jobs_the_higher_priority_and_then_the_earlier_deadline_runs_first() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        for (name, priority, due_in_hours) in [("late", 0, Some(9)), ("never", 0, None), ("soon", 0, Some(3)), ("first", 5, None)] {
            let due_at = due_in_hours.map(|hours: i64| now().checked_add(hours.hours()).unwrap());
            let new = NewJob { priority, due_at, ..NewJob::duty(name, now()) };
            job::enqueue(&mut tx, &new, now()).await.unwrap();
        }
        let later = NewJob::duty("tomorrow", now().checked_add(24.hours()).unwrap());
        job::enqueue(&mut tx, &later, now()).await.unwrap();
        let newer = NewJob::duty("of_a_newer_program", now());
        let newer = job::enqueue(&mut tx, &newer, now()).await.unwrap();
        let sql = "UPDATE job SET format = 999 WHERE id = $1";
        tx.on().execute(sql, crate::args![newer.job_id()]).await.unwrap();
        let mut order = Vec::new();
        while let Some(lease) = claim::next(&mut tx, WORKER, now()).await.unwrap() {
            order.push(lease.duty);
        }
        assert_eq!(order, ["first", "soon", "late", "never"]);
    }
}

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
        let attempts = job::attempts(&mut tx, &job.id).await.unwrap();
        let outcomes: Vec<&str> = attempts.iter().filter_map(|attempt| attempt.outcome.as_deref()).collect();
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
        let name = super::liveness::worker_name_of(child.id()).unwrap();
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
        let dead = job::dead_letters(&mut tx, 10).await.unwrap();
        assert_eq!((dead.len(), dead[0].last_error.as_deref()), (1, Some("uncoded")));
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
        let options = WorkerOptions { lease: Duration::from_millis(300), ..quick() };
        let obeys = worker(&test, options, move |lease: JobLease| {
            let (url, id) = (url.clone(), id.clone());
            async move {
                let ledger = Ledger::open(&url).await.unwrap();
                let mut tx = ledger.begin().await.unwrap();
                super::cancel::of_request(&mut tx, &id, now()).await.unwrap();
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
async fn e_2_a_lost_job_that_was_cancelled_runs_once_more_so_that_it_can_look() {
    for test in ledgers().await {
        let request = submit(&test, &person(&[("user_id", "1")])).await;
        let mut tx = test.ledger.begin().await.unwrap();
        let brief = Claimant { worker: "elsewhere", lease: Duration::ZERO };
        claim::next(&mut tx, brief, now()).await.unwrap().unwrap();
        super::cancel::of_request(&mut tx, &request.id, now()).await.unwrap();
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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn q_1_what_was_acknowledged_is_worked_off_whatever_happens_to_workers() {
    for test in ledgers().await {
        let mut acknowledged = Vec::new();
        let mut life = None;
        for number in 0..24 {
            // Every few requests the worker is dropped where it stands, and another begins.
            if number % 6 == 0 {
                let options = WorkerOptions { lease: Duration::from_millis(200), concurrency: 3, ..quick() };
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
        let done = item_result::of_plan(&mut tx, id, "plan").await?;
        let before = done.first().map_or(0, |item| item.position);
        let item = item_result::ItemResult { position: before.max(position), ..Default::default() };
        item_result::put(&mut tx, lease, id, "plan", &item, now()).await?;
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
