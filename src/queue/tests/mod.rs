//! What the queue promises, on both databases, with workers that share nothing but the ledger: each opens a pool of its own, as another
//! process would.

mod crashes;
mod lanes;
mod outcomes;

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;

use super::claim::{self, Claimant};
use super::{JobHandler, JobOutcome, Tally, Worker, WorkerOptions, enqueue, reap::reap, settle};
use crate::clock::{Clock, FixedClock};
use crate::ledger::job::{self, JobLease, JobState, NewJob, StopReason, Writer};
use crate::ledger::request::{self, Filter, Request};
use crate::ledger::testing::{TestLedger, ledgers, on_postgres};
use crate::ledger::tests::{WORKER, first_pass, now, person, take_in};
use crate::ledger::{Ledger, LedgerError, execution};
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
