//! Carries out the manifest of a pass: batch after batch, each under a permit, each one transaction in its source. Killed at any point, it
//! goes on from where the ledger says, after reading what the last batch came to (E-2).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use thiserror::Error;

use super::manifest::{Group, ManifestError, ManifestReader};
use super::{Authorisation, FenceError, PermitError, PermitRequest, authorise, fence};
use crate::connector::objects::{StoreError, Stores};
use crate::connector::sql::{Applied, EraseError, EraseSession, Idle, Location, ReadBack, SqlBatch, SqlSource};
use crate::datamap::NodeId;
use crate::db::DbError;
use crate::deployment::Deployment;
use crate::failpoint;
use crate::journal::{self, Actor, Code, Count, Digest, Event, EventKind, Id};
use crate::ledger::LedgerError;
use crate::ledger::execution::{self, Execution, StepTally};
use crate::ledger::job::JobLease;
use crate::ledger::permit::{self, Attempt, Closing, PermitOutcome};
use crate::plan::{Action, Disposition};

/// Why carrying out stopped. What has been committed stays and is known.
#[derive(Debug, Error)]
pub enum ExecuteError {
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The permit.
    #[error(transparent)]
    Permit(#[from] PermitError),
    /// An earlier permit could not be fenced.
    #[error(transparent)]
    Fence(#[from] FenceError),
    /// A source failed. Its transaction was rolled back, or is to be read again.
    #[error("source `{source_name}`: {problem}")]
    Source {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: EraseError,
    },
    /// A store of objects failed. Whatever it did is to be read again.
    #[error("source `{source_name}`: {problem}")]
    Store {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: StoreError,
    },
    /// A store would not delete some objects. What it has deleted stays deleted; the rows that name the rest are left.
    #[error("source `{source_name}` would not delete {count} of the person's objects: nothing that names them is erased")]
    ObjectsRefused {
        /// Its name.
        source_name: String,
        /// How many.
        count: u64,
    },
    /// A source is not reached any more, or its schema has changed since the plan was made.
    #[error("`{0}` is not as it was when the plan was made: plan anew")]
    Drifted(String),
    /// The schema of a source has changed since its catalogue was read. Nothing of the batch was done.
    #[error("the schema of source `{0}` has changed since the plan was made")]
    SchemaChanged(String),
    /// Somebody has written an object with rows of the person since the plan was made, so that what was planned for it no longer fits. Nothing of
    /// the batch was done, and what names the rows must not go before they do.
    #[error("source `{source_name}`: an object with rows of the person has been written by somebody else since the plan was made")]
    RowsChanged {
        /// Its name.
        source_name: String,
    },
    /// The job has to stop here; another attempt goes on.
    #[error("stopped between two batches")]
    Stopped,
}

impl ExecuteError {
    fn is_deadlock(&self) -> bool {
        matches!(self, ExecuteError::Source { problem: EraseError::Database(problem), .. } if problem.is_deadlock())
    }
}

/// How often a run begins a batch anew by itself; after that it is tried again later.
const MOST_DEADLOCKS: u32 = 5;
/// Objects that one call deletes.
const OBJECTS_AT_ONCE: u64 = 1_000;
/// The same where each has to be asked for its locks before, within the time of one permit.
const LOCKABLE_AT_ONCE: u64 = 200;

/// Everything that carrying out a pass needs.
pub struct Executor<'a> {
    /// The installation.
    pub deployment: &'a Deployment,
    /// The running attempt.
    pub lease: &'a JobLease,
    /// Open sources.
    pub sources: &'a BTreeMap<String, SqlSource>,
    /// Open stores of objects.
    pub stores: &'a Stores,
    /// Keyed names of the subject.
    pub aliases: Vec<String>,
    /// Places in which this attempt has removed what dead writers had left.
    pub tidied: Mutex<BTreeSet<(String, String)>>,
}

impl Executor<'_> {
    /// Deals with the records of a pass up to `end`. Running it again changes nothing (E-3). [`Executor::settle_unknown`] comes first.
    pub async fn run(&self, pass: &mut Execution, end: u64) -> Result<(), ExecuteError> {
        let mut reader = ManifestReader::open(&self.deployment.keys, &self.deployment.config.spool, pass, pass.position)?;
        let mut idle = BTreeMap::new();
        let mut deadlocks = 0;
        while pass.position < end {
            if self.lease.cancel.is_raised() {
                return Err(ExecuteError::Stopped);
            }
            let groups = reader.next_batch(self.batch_limit(pass), end)?;
            if groups.is_empty() {
                break;
            }
            match self.batch(pass, groups, &mut idle).await {
                Ok(()) => pass.position = reader.position(),
                // Two erasures have rows in common and came to them in different orders: who had to let go follows the other at once.
                Err(error) if error.is_deadlock() && deadlocks < MOST_DEADLOCKS => {
                    deadlocks += 1;
                    reader = ManifestReader::open(&self.deployment.keys, &self.deployment.config.spool, pass, pass.position)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Records of the next batch. What a store deletes cannot be rolled back: there, no more than one call takes.
    fn batch_limit(&self, pass: &Execution) -> u64 {
        let mut end = 0;
        let next = pass.steps.iter().find(|step| {
            end += step.records;
            end > pass.position
        });
        let limit = self.deployment.config.limits.batch_rows;
        match next {
            None => limit,
            // What takes long is done for one object before its permit.
            Some(step) if step.action == Action::Rewrite => 1,
            // No further than this step: the next one on the same store may do something else to its objects.
            Some(step) => match self.stores.get(&step.source).map(|store| store.facts.lockable) {
                None => limit,
                Some(Some(false)) => limit.min(OBJECTS_AT_ONCE).min(end - pass.position),
                Some(_) => limit.min(LOCKABLE_AT_ONCE).min(end - pass.position),
            },
        }
    }

    async fn batch(&self, pass: &mut Execution, groups: Vec<Group>, idle: &mut BTreeMap<String, Idle>) -> Result<(), ExecuteError> {
        let source_name = pass.steps[groups[0].step].source.clone();
        if let Some(store) = self.stores.get(&source_name) {
            return match groups.as_slice() {
                [only] if pass.steps[only.step].action == Action::Rewrite => self.row_batch(pass, only, store).await,
                _ => self.object_batch(pass, groups, store).await,
            };
        }
        let source = self.sources.get(&source_name).ok_or_else(|| ExecuteError::Drifted(source_name.clone()))?;
        let count: u64 = groups.iter().map(|group| group.rows.keys.len() as u64).sum();
        // Rows that a lost attempt of this very batch has dealt with are its doing, and count as such.
        let tried_before = self.was_committed(pass, &source_name).await?;
        failpoint::hit("erase-before-permit");
        let mut permit = self.open_permit(pass, &source_name, count).await?;
        failpoint::hit("erase-after-permit");
        let ttl = permit.ttl();
        let failed = |problem: EraseError| ExecuteError::Source { source_name: source_name.clone(), problem };
        let mut tallies = pass.tallies.clone();
        let mut closing = Closing { outcome: PermitOutcome::Committed, affected: 0, already_absent: 0, held: 0 };
        let started = EraseSession::begin(source, idle.remove(&source_name), permit.id(), ttl).await;
        let mut session = match started {
            Ok(session) => session,
            Err(problem) => return Err(self.undone(None, permit, pass, failed(problem)).await),
        };
        if groups.iter().any(|group| pass.steps[group.step].deferred)
            && let Err(problem) = session.defer_checks().await
        {
            return Err(self.undone(Some(session), permit, pass, failed(problem)).await);
        }
        for group in groups {
            if self.leads_to_held(pass, &tallies, group.step) {
                let held = group.rows.keys.len() as u64;
                closing.held += held;
                tallies[group.step].add(StepTally { held, ..StepTally::default() });
                continue;
            }
            let mut batch = self.batch_of(pass, group.step, group.rows, source)?;
            // Under the holds of the plan, rows of others are known to be free; under newer ones nobody has looked.
            batch.co_owned &= permit.holds().digest() != pass.holds_digest;
            let applied = match apply(&mut session, batch, &mut permit).await {
                Ok(applied) => applied,
                Err(BatchError::Permit(error)) => return Err(error.into()),
                Err(BatchError::Source(problem)) => {
                    drop(session);
                    self.close_undone(permit, pass).await?;
                    return Err(if schema_has_changed(source).await {
                        ExecuteError::SchemaChanged(source_name)
                    } else {
                        failed(problem)
                    });
                }
            };
            let mut step = StepTally {
                affected: applied.affected,
                already_done: applied.already_done,
                held: applied.held,
                changed: applied.changed,
            };
            closing.affected += step.affected;
            closing.already_absent += step.already_done;
            closing.held += step.held;
            if tried_before {
                step.affected += std::mem::take(&mut step.already_done);
            }
            tallies[group.step].add(step);
        }
        let drifted = match session.sees_schema(&source.catalogue.version).await {
            Ok(true) => None,
            Ok(false) => Some(ExecuteError::SchemaChanged(source_name.clone())),
            Err(problem) => Some(failed(problem.into())),
        };
        if let Some(why) = drifted {
            return Err(self.undone(Some(session), permit, pass, why).await);
        }
        failpoint::hit("erase-before-source-commit");
        let committed = self.commit(session, permit, pass, count, tallies, closing, &source_name).await?;
        idle.insert(source_name, committed);
        Ok(())
    }

    /// Whether records of a step may lead to some that a hold has kept since the plan was made. They stay as well: without them the kept ones
    /// could not be found when the hold is released.
    fn leads_to_held(&self, pass: &Execution, tallies: &[StepTally], step: usize) -> bool {
        let graph = &self.deployment.graph;
        let node = |step: &crate::plan::Step| graph.node(&step.dataset, &step.collection);
        let names_objects = |step: &crate::plan::Step| graph.object_place(&step.dataset, &step.collection).map(|place| place.rows);
        let with_held = || pass.steps.iter().zip(tallies).filter(|(_, tally)| tally.held > 0).map(|(step, _)| step);
        let mut held: Vec<NodeId> = with_held().filter_map(node).collect();
        let names_rows =
            |step: &crate::plan::Step| graph.row_place(&step.dataset, &step.collection).map(|place| graph.naming_nodes(place));
        let naming: Vec<NodeId> =
            with_held().filter_map(names_objects).chain(with_held().filter_map(names_rows).flatten()).collect();
        if held.is_empty() && naming.is_empty() {
            return false;
        }
        let mut seen = vec![false; graph.nodes.len()];
        let mut waiting: Vec<NodeId> = node(&pass.steps[step]).into_iter().collect();
        if waiting.iter().any(|at| naming.contains(at)) {
            // These very rows name the objects.
            return true;
        }
        held.extend(naming);
        while let Some(at) = waiting.pop() {
            let unseen = graph.cut_unseen().map(|(_, edge)| edge).filter(|edge| edge.from == at);
            for edge in graph.edges_from(at).chain(unseen) {
                if held.contains(&edge.to) {
                    return true;
                }
                if !std::mem::replace(&mut seen[edge.to.0], true) {
                    waiting.push(edge.to);
                }
            }
        }
        false
    }

    /// The one place where an erasure becomes durable: the permit is looked at last, and the outcome is recorded whatever it is.
    #[expect(clippy::too_many_arguments, reason = "the facts of one batch, all of them needed here")]
    async fn commit(
        &self,
        session: EraseSession,
        permit: super::Permit,
        pass: &mut Execution,
        count: u64,
        tallies: Vec<StepTally>,
        closing: Closing,
        source_name: &str,
    ) -> Result<Idle, ExecuteError> {
        let mut tx = self.deployment.ledger.begin().await?;
        let valid = permit.still_valid(&mut tx).await;
        drop(tx);
        if let Err(refusal) = valid {
            return Err(self.undone(Some(session), permit, pass, refusal.into()).await);
        }
        let idle = match session.commit().await {
            Ok(idle) => idle,
            Err(refusal) if refusal.is_answer() => {
                // A deferred constraint: the source has said that nothing was done.
                let why = ExecuteError::Source { source_name: source_name.to_owned(), problem: refusal.into() };
                return Err(self.undone(None, permit, pass, why).await);
            }
            Err(problem) => {
                // Nobody knows whether it took effect: the next attempt fences the session and reads the source (E-2).
                let mut tx = self.deployment.ledger.begin().await?;
                permit.close(&mut tx, Closing::unknown()).await?;
                tx.commit().await.map_err(LedgerError::from)?;
                return Err(ExecuteError::Source { source_name: source_name.to_owned(), problem: problem.into() });
            }
        };
        failpoint::hit("erase-after-source-commit");
        self.record(permit, pass, count, tallies, closing, source_name).await?;
        Ok(idle)
    }

    /// Writes down what a batch came to: the pass goes on behind it, and its permit is closed.
    pub(super) async fn record(
        &self,
        permit: super::Permit,
        pass: &mut Execution,
        count: u64,
        tallies: Vec<StepTally>,
        closing: Closing,
        source_name: &str,
    ) -> Result<(), ExecuteError> {
        let id = permit.id().to_owned();
        let position = pass.position + count;
        let mut tx = self.deployment.ledger.begin().await?;
        execution::advance(&mut tx, self.lease, pass, position, &tallies).await?;
        permit.close(&mut tx, closing).await?;
        self.note(&mut tx, EventKind::PermitClosed, pass, source_name, &id, |event| {
            let outcome = Code::parse("committed").ok();
            let event = event.count(Count::Affected, closing.affected).count(Count::AlreadyAbsent, closing.already_absent);
            let event = event.count(Count::Retained, closing.held);
            match outcome {
                Some(outcome) => event.outcome(outcome),
                None => event,
            }
        })
        .await?;
        tx.commit().await.map_err(LedgerError::from)?;
        failpoint::hit("erase-after-close");
        pass.tallies = tallies;
        self.deployment.progress.advance(count);
        Ok(())
    }

    pub(super) async fn open_permit(&self, pass: &Execution, source: &str, count: u64) -> Result<super::Permit, ExecuteError> {
        let tx = self.deployment.ledger.begin().await?;
        let request = PermitRequest {
            request_id: pass.request_id.clone(),
            attempt: self.attempt(),
            source: source.to_owned(),
            batch_no: batch_number(pass, pass.position),
            digest: pass.plan_digest.clone(),
            record_count: count,
            aliases: self.aliases.clone(),
            ttl: self.deployment.config.limits.permit,
        };
        let mut opening = super::open(tx, &self.deployment.keys, &self.deployment.map, request).await?;
        let id = opening.permit_id().to_owned();
        let epoch = u64::try_from(opening.holds().epoch()).unwrap_or(0);
        self.note(opening.tx(), EventKind::PermitOpened, pass, source, &id, |event| {
            event.count(Count::Expected, count).count(Count::HoldEpoch, epoch)
        })
        .await?;
        Ok(opening.commit().await?)
    }

    /// Ends a session without a commit and says in the ledger that nothing was done. What is wrong is `why`, or that this cannot be said.
    pub(super) async fn undone(
        &self,
        session: Option<EraseSession>,
        permit: super::Permit,
        pass: &Execution,
        why: ExecuteError,
    ) -> ExecuteError {
        drop(session);
        match self.close_undone(permit, pass).await {
            Ok(()) => why,
            Err(worse) => worse,
        }
    }

    async fn close_undone(&self, permit: super::Permit, pass: &Execution) -> Result<(), ExecuteError> {
        let source = permit.source().to_owned();
        let id = permit.id().to_owned();
        let mut tx = self.deployment.ledger.begin().await?;
        permit.close(&mut tx, Closing::nothing_done(0)).await?;
        self.note(&mut tx, EventKind::PermitClosed, pass, &source, &id, |event| match Code::parse("rolled_back") {
            Ok(outcome) => event.outcome(outcome),
            Err(_) => event,
        })
        .await?;
        tx.commit().await.map_err(LedgerError::from)?;
        Ok(())
    }

    /// Permits of this request that nobody closed, whichever pass they are of: their sessions are ended, the source is read, and what it
    /// shows is written down (E-2). Nothing else may happen before.
    pub async fn settle_unknown(&self, passes: &[Execution]) -> Result<(), ExecuteError> {
        let Some(first) = passes.first() else { return Ok(()) };
        let mut tx = self.deployment.ledger.begin().await?;
        let open = permit::unsettled_of_request(&mut tx, &first.request_id).await?;
        drop(tx);
        for row in open {
            fence(&self.deployment.ledger, &self.deployment.sessions(self.sources), &row).await?;
            let of_this_batch = |pass: &&Execution| batch_number(pass, pass.position) == row.batch_no;
            // A pass moves on in the transaction that closes its permit, so that an open one is always of the batch where its pass stands.
            let pass = passes.iter().find(of_this_batch).ok_or(PermitError::Unsettled)?;
            let done = self.read_again(pass, row.record_count).await?;
            let outcome = if done > 0 { PermitOutcome::Committed } else { PermitOutcome::RolledBack };
            let mut tx = self.deployment.ledger.begin().await?;
            let closing = Closing { outcome, affected: done, already_absent: 0, held: 0 };
            permit::settle(&mut tx, &row.id, &self.attempt(), &closing).await?;
            self.note(&mut tx, EventKind::PermitClosed, pass, &row.source, &row.id, |event| {
                let event = event.count(Count::Affected, done);
                match Code::parse(outcome.as_str()) {
                    Ok(word) => event.outcome(word),
                    Err(_) => event,
                }
            })
            .await?;
            tx.commit().await.map_err(LedgerError::from)?;
        }
        Ok(())
    }

    /// Whether the batch at the present position was committed by an attempt that could not note it any more.
    pub(super) async fn was_committed(&self, pass: &Execution, source: &str) -> Result<bool, ExecuteError> {
        let mut tx = self.deployment.ledger.begin().await?;
        let batch_no = batch_number(pass, pass.position);
        let known = permit::was_committed(&mut tx, &pass.request_id, source, batch_no, &pass.plan_digest).await?;
        tx.rollback().await.map_err(LedgerError::from)?;
        Ok(known)
    }

    /// How many rows of the batch at the present position are as their step leaves them.
    async fn read_again(&self, pass: &Execution, count: u64) -> Result<u64, ExecuteError> {
        let mut done = 0;
        let mut reader = ManifestReader::open(&self.deployment.keys, &self.deployment.config.spool, pass, pass.position)?;
        for group in reader.next_batch(count, pass.position + count)? {
            let name = pass.steps[group.step].source.clone();
            if let Some(store) = self.stores.get(&name) {
                done += match pass.steps[group.step].action {
                    Action::Rewrite => self.rows_gone(&group, store).await?,
                    _ => self.objects_gone(&group, store).await?,
                };
                continue;
            }
            let source = self.sources.get(&name).ok_or_else(|| ExecuteError::Drifted(name.clone()))?;
            let failed = |problem: DbError| ExecuteError::Source { source_name: name.clone(), problem: problem.into() };
            let batch = self.batch_of(pass, group.step, group.rows, source)?;
            let mut back = ReadBack::open(source).await.map_err(failed)?;
            done += back.look(&batch).await.map_err(failed)?.done;
        }
        Ok(done)
    }

    fn batch_of(
        &self,
        pass: &Execution,
        step: usize,
        rows: crate::connector::sql::text::batch::BatchRows,
        source: &SqlSource,
    ) -> Result<SqlBatch, ExecuteError> {
        batch_of(pass, step, rows, source)
            .ok_or_else(|| ExecuteError::Drifted(format!("{}.{}", pass.steps[step].dataset, pass.steps[step].collection)))
    }

    fn attempt(&self) -> Attempt {
        Attempt { job_id: self.lease.job_id.clone(), number: self.lease.attempt }
    }

    async fn note(
        &self,
        tx: &mut crate::db::Tx,
        kind: EventKind,
        pass: &Execution,
        source: &str,
        permit_id: &str,
        facts: impl FnOnce(Event) -> Event,
    ) -> Result<(), ExecuteError> {
        let mut event = Event::new(kind, self.deployment.now(), Actor::system()).source(Code::fitted(source));
        if let Ok(id) = Id::parse(&pass.request_id) {
            event = event.request_id(id);
        }
        if let Ok(digest) = Digest::parse(&pass.plan_digest) {
            event = event.plan_digest(digest);
        }
        if let Ok(uuid) = uuid::Uuid::parse_str(permit_id) {
            event = event.permit_id(uuid.into());
        }
        journal::append(tx, &facts(event)).await?;
        Ok(())
    }
}

/// Whether a statement may have failed because the schema is another one by now. Where that cannot be asked, the statement's own error stands.
async fn schema_has_changed(source: &SqlSource) -> bool {
    let Ok(mut session) = source.work_session().await else { return false };
    let now = crate::connector::sql::schema_version(session.on()).await;
    now.is_ok_and(|version| version != source.catalogue.version)
}

enum BatchError {
    Permit(PermitError),
    Source(EraseError),
}

async fn apply(session: &mut EraseSession, batch: SqlBatch, permit: &mut super::Permit) -> Result<Applied, BatchError> {
    let Authorisation { authorised, held } = authorise(batch, permit).map_err(BatchError::Permit)?;
    let held: u64 = held.iter().map(|hold| hold.positions.len() as u64).sum();
    let mut applied = match authorised {
        None => Applied::default(),
        Some(authorised) => session.apply(&authorised).await.map_err(BatchError::Source)?,
    };
    applied.held += held;
    Ok(applied)
}

/// The rows of a step as a batch on its live table; `None` if the table is gone or has another key.
pub fn batch_of(
    pass: &Execution,
    step: usize,
    rows: crate::connector::sql::text::batch::BatchRows,
    source: &SqlSource,
) -> Option<SqlBatch> {
    let step = pass.steps.get(step)?;
    let table = source.catalogue.find(step.schema.as_deref(), &step.collection)?;
    let location = Location::new(NodeId(0), &step.dataset, &step.collection, table);
    if rows.keys.first().is_some_and(|key| key.len() != location.key_width()) {
        return None;
    }
    let co_owned = matches!(step.action, Action::Clear { .. }) || step.disposition == Disposition::Unlink;
    Some(SqlBatch {
        source: source.name.clone(),
        location,
        action: step.action.clone(),
        guard: step.guard.clone(),
        unreferenced: step.unreferenced.clone(),
        counted: step.counted.clone(),
        rows,
        co_owned,
        stays_with_others: step.disposition == Disposition::Unlink,
    })
}

/// Batches are numbered by the record that they begin with, so that a batch that is tried again has the same number.
fn batch_number(pass: &Execution, position: u64) -> i64 {
    const RECORDS_PER_PASS: i64 = 1_000_000_000_000;
    pass.pass * RECORDS_PER_PASS + i64::try_from(position).unwrap_or(RECORDS_PER_PASS)
}
