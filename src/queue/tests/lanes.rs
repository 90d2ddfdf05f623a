//! Order and lanes: what runs first, and what may not run beside what.

use std::collections::{HashMap, HashSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::ToSpan;

use super::*;

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
