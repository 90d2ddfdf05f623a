//! The worker: claims jobs, runs up to N of them at once, settles them, and takes back what lost workers left. Being killed at any point
//! costs an attempt and nothing else; being asked to leave costs nothing.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::claim::{self, Claimant};
use super::liveness::worker_name;
use super::reap::reap;
use super::run::{Ended, run_and_settle};
use super::settle::Settled;
use super::wake::Wake;
use crate::clock::Clock;
use crate::ledger::job::{CancelFlag, JobLease, StopReason};
use crate::ledger::{Ledger, LedgerError};

/// In how many looks in a row the ledger may be busy or away before `run_until_empty` gives up; `run_forever` never does.
const TRIES_UNTIL_EMPTY: u32 = 5;

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum JobOutcome {
    /// The work is done.
    Done,
    /// It failed, and trying again can help. A job that stops because its flag was raised answers this too.
    Retry {
        /// When to try again; `None` for a growing delay.
        after: Option<Duration>,
        /// What failed: a code in lower case, never text that could quote a value (S-1).
        code: String,
    },
    /// It failed, and nothing will help.
    Dead {
        /// What failed, as a code.
        code: String,
    },
    /// It has to wait for something outside the queue, such as an approval; whoever brings that about queues it again.
    Park,
}

/// Does the work of jobs. It may be called again for a job whose former attempt ended anywhere (E-3).
pub trait JobHandler: Send + Sync {
    /// Runs one attempt. What it writes to the ledger passes `assert_current` or a [`crate::ledger::job::Writer`] with this lease.
    fn run(&self, lease: JobLease) -> BoxFuture<'_, JobOutcome>;
}

/// How a worker works.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// How many jobs at once.
    pub concurrency: usize,
    /// How long a lease lasts without a heartbeat: so long others wait after this machine has vanished.
    pub lease: Duration,
    /// How often to look for jobs when nothing wakes us.
    pub poll: Duration,
    /// How long running jobs get to stop when the worker has to leave.
    pub drain: Duration,
}

impl Default for WorkerOptions {
    fn default() -> Self {
        WorkerOptions {
            concurrency: 2,
            lease: Duration::from_secs(60),
            poll: Duration::from_secs(1),
            drain: Duration::from_secs(30),
        }
    }
}

/// How the attempts of one run ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Finished or parked.
    pub done: u64,
    /// To be run again.
    pub again: u64,
    /// Given up.
    pub dead: u64,
    /// Withdrawn.
    pub cancelled: u64,
    /// Ended without a word: another worker had taken over, or the ledger did not answer.
    pub lost: u64,
}

impl Tally {
    fn count(&mut self, ended: Ended) {
        match ended {
            Ended::Settled(Settled::Done) => self.done += 1,
            Ended::Settled(Settled::Again(_)) => self.again += 1,
            Ended::Settled(Settled::Dead) => self.dead += 1,
            Ended::Settled(Settled::Cancelled) => self.cancelled += 1,
            Ended::Lost => self.lost += 1,
        }
    }
}

/// A worker.
pub struct Worker {
    name: String,
    ledger: Arc<Ledger>,
    handler: Arc<dyn JobHandler>,
    clock: Arc<dyn Clock>,
    options: WorkerOptions,
}

/// Jobs that this worker runs now. Dropping it ends them where they are, which is what a crash does.
#[derive(Default)]
struct Hands {
    tasks: JoinSet<(String, Ended)>,
    flags: HashMap<String, CancelFlag>,
    tally: Tally,
}

impl Hands {
    fn put_down(&mut self, finished: Result<(String, Ended), tokio::task::JoinError>) {
        // A task ends without a value only when it is aborted, and only dropping does that: a job's own panic is caught inside.
        if let Ok((job_id, ended)) = finished {
            self.flags.remove(&job_id);
            self.tally.count(ended);
        }
    }
}

impl Worker {
    /// A worker that has not begun.
    pub fn new(
        ledger: Ledger,
        handler: Arc<dyn JobHandler>,
        clock: Arc<dyn Clock>,
        options: WorkerOptions,
    ) -> Result<Worker, LedgerError> {
        Ok(Worker { name: worker_name()?, ledger: Arc::new(ledger), handler, clock, options })
    }

    /// The worker's name in leases and attempts.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Works until no job is ready now and none is running here; jobs with a later time stay. Ends early when `shutdown` becomes true.
    pub async fn run_until_empty(&self, shutdown: watch::Receiver<bool>) -> Result<Tally, LedgerError> {
        self.work(shutdown, true).await
    }

    /// Works until `shutdown` becomes true.
    pub async fn run_forever(&self, shutdown: watch::Receiver<bool>) -> Result<Tally, LedgerError> {
        self.work(shutdown, false).await
    }

    /// Runs one particular job now, in the foreground. `None` if it cannot run now, most likely because its subject's lane is taken.
    pub async fn run_one(&self, job_id: &str, mut shutdown: watch::Receiver<bool>) -> Result<Option<Tally>, LedgerError> {
        reap(&self.ledger, self.clock.now()).await?;
        let mut tx = self.ledger.begin().await?;
        let claimed = match claim::this(&mut tx, job_id, self.claimant(), self.clock.now()).await {
            Err(LedgerError::Database(error)) if error.is_unique() => None,
            other => other?,
        };
        let Some(lease) = claimed else { return Ok(None) };
        tx.commit().await?;
        let mut hands = Hands::default();
        self.pick_up(&mut hands, lease);
        tokio::select! {
            Some(finished) = hands.tasks.join_next() => hands.put_down(finished),
            () = asked_to_leave(&mut shutdown) => self.drain(&mut hands).await,
        }
        Ok(Some(hands.tally))
    }

    async fn work(&self, mut shutdown: watch::Receiver<bool>, until_empty: bool) -> Result<Tally, LedgerError> {
        let mut wake = Wake::open(&self.ledger, self.options.poll).await;
        let mut hands = Hands::default();
        let mut next_reap = Instant::now();
        let mut tries_left = TRIES_UNTIL_EMPTY;
        tracing::info!(worker = %self.name, concurrency = self.options.concurrency, "the worker begins");
        while !*shutdown.borrow() {
            match self.look(&mut hands, &mut next_reap).await {
                Ok(is_empty) if is_empty && until_empty => break,
                Ok(_) => tries_left = TRIES_UNTIL_EMPTY,
                Err(error) if error.is_transient() && (!until_empty || tries_left > 1) => {
                    tries_left = tries_left.saturating_sub(1);
                    tracing::warn!(%error, "the ledger did not answer; the worker will look again");
                }
                Err(error) => {
                    self.drain(&mut hands).await;
                    return Err(error);
                }
            }
            tokio::select! {
                Some(finished) = hands.tasks.join_next() => hands.put_down(finished),
                () = wake.wait() => {}
                () = asked_to_leave(&mut shutdown) => {}
            }
        }
        self.drain(&mut hands).await;
        tracing::info!(worker = %self.name, done = hands.tally.done, again = hands.tally.again, dead = hands.tally.dead, "the worker ends");
        Ok(hands.tally)
    }

    /// Takes back what others lost, then claims as many jobs as there are free hands. True if there is nothing to do, now.
    async fn look(&self, hands: &mut Hands, next_reap: &mut Instant) -> Result<bool, LedgerError> {
        if Instant::now() >= *next_reap {
            reap(&self.ledger, self.clock.now()).await?;
            *next_reap = Instant::now() + self.options.lease / 3;
        }
        while hands.tasks.len() < self.options.concurrency.max(1) {
            match self.claim_next().await? {
                Some(lease) => self.pick_up(hands, lease),
                None => break,
            }
        }
        if !hands.tasks.is_empty() {
            return Ok(false);
        }
        // Nothing could be claimed, but a job may wait for a lane that another worker holds.
        let mut tx = self.ledger.begin().await?;
        let ready = claim::count_ready(&mut tx, self.clock.now()).await?;
        tx.rollback().await?;
        Ok(ready == 0)
    }

    async fn claim_next(&self) -> Result<Option<JobLease>, LedgerError> {
        let mut tx = self.ledger.begin().await?;
        match claim::next(&mut tx, self.claimant(), self.clock.now()).await {
            Ok(Some(lease)) => {
                tx.commit().await?;
                Ok(Some(lease))
            }
            Ok(None) => Ok(None),
            Err(LedgerError::Database(error)) if error.is_unique() => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn claimant(&self) -> Claimant<'_> {
        Claimant { worker: &self.name, lease: self.options.lease }
    }

    fn pick_up(&self, hands: &mut Hands, lease: JobLease) {
        let job_id = lease.job_id.clone();
        hands.flags.insert(job_id.clone(), lease.cancel.clone());
        let attempt =
            run_and_settle(Arc::clone(&self.ledger), Arc::clone(&self.handler), Arc::clone(&self.clock), self.options.lease, lease);
        hands.tasks.spawn(async move { (job_id, attempt.await) });
    }

    /// Asks what runs to stop at its next safe point, and waits for that as long as the options say. What does not stop in time is
    /// dropped; its lease ends by itself.
    async fn drain(&self, hands: &mut Hands) {
        for flag in hands.flags.values() {
            flag.raise(StopReason::Draining);
        }
        let deadline = Instant::now() + self.options.drain;
        while let Ok(Some(finished)) = tokio::time::timeout_at(deadline, hands.tasks.join_next()).await {
            hands.put_down(finished);
        }
        if !hands.tasks.is_empty() {
            tracing::warn!(
                jobs = hands.tasks.len(),
                "jobs did not stop in time and will be taken back when their leases have run out"
            );
            hands.tally.lost += hands.tasks.len() as u64;
            hands.tasks.shutdown().await;
        }
    }
}

/// Waits for `shutdown` to become true. If nobody can make it true any more there is nothing to wait for, and this never returns.
async fn asked_to_leave(shutdown: &mut watch::Receiver<bool>) {
    if shutdown.wait_for(|asked| *asked).await.is_err() {
        std::future::pending::<()>().await;
    }
}
