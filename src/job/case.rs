//! One request as a job sees it: what was asked, about whom, and what a job always does with it.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::certify::CertifyError;
use crate::connector::Systems;
use crate::connector::objects::{StoreError, Stores};
use crate::connector::sql::SqlSource;
use crate::crypto::{CryptoError, SpoolError};
use crate::db::Tx;
use crate::decide::{Brief, Fuses};
use crate::deployment::Deployment;
use crate::erase::ExecuteError;
use crate::erase::manifest::ManifestError;
use crate::gather::{GatherError, ObjectError, Unreached};
use crate::hold::HoldSet;
use crate::journal::{self, Actor, Code, Event, EventKind, Id, JournalError};
use crate::ledger::job::{JobLease, Writer};
use crate::ledger::request::{self, Request};
use crate::ledger::{LedgerError, hold_set};
use crate::request::{JobFile, Status};
use crate::subject::{Identifier, Subject};
use crate::verify::LookError;
use crate::verify::residue::ResidueError;

/// Why a job ended without an answer.
#[derive(Debug, Error)]
pub enum JobError {
    /// Gathering or deciding.
    #[error(transparent)]
    Gather(#[from] GatherError),
    /// A store of objects.
    #[error("source `{source_name}`: {problem}")]
    Store {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: StoreError,
    },
    /// The ledger.
    #[error("ledger: {0}")]
    Ledger(#[from] LedgerError),
    /// Carrying out.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// Verifying.
    #[error(transparent)]
    Look(#[from] LookError),
    /// The value search.
    #[error("value search: {0}")]
    Residue(#[from] ResidueError),
    /// Certifying.
    #[error("certificate: {0}")]
    Certify(#[from] CertifyError),
    /// The journal, or its head.
    #[error("journal: {0}")]
    Journal(#[from] JournalError),
    /// The journal is not what was signed: nothing may be erased or certified until somebody has looked.
    #[error("the journal does not agree with its checkpoints: erasures and certificates are refused")]
    JournalHead,
    /// The journal knows a hold that the ledger's table does not have: somebody has taken it away.
    #[error("the journal knows a legal hold that the ledger has lost: erasures are refused")]
    HoldMissing,
    /// The holds.
    #[error("holds: {0}")]
    Hold(#[from] crate::ledger::hold::HoldError),
    /// The verifier sees nothing where the plan has records.
    #[error("{0}")]
    Blind(String),
    /// The archive.
    #[error("archive: {0}")]
    Archive(#[from] crate::archive::ArchiveError),
    /// Where archives are.
    #[error(transparent)]
    Shelf(#[from] crate::export::ShelfError),
    /// A row that cannot be carried over.
    #[error(transparent)]
    Decode(#[from] crate::connector::sql::decode::DecodeError),
    /// Keys.
    #[error(transparent)]
    Keys(#[from] CryptoError),
    /// The map and the live schema do not fit.
    #[error("the data map does not fit the live schema: {}", .0.join("; "))]
    Map(Vec<String>),
    /// The stored job cannot be read.
    #[error("the stored job cannot be read: {0}")]
    Stored(String),
    /// The job has to stop; another attempt goes on.
    #[error("stopped")]
    Stopped,
}

impl From<crate::db::DbError> for JobError {
    fn from(error: crate::db::DbError) -> Self {
        JobError::Ledger(error.into())
    }
}

impl From<ObjectError> for JobError {
    fn from(error: ObjectError) -> Self {
        match error {
            ObjectError::Rows(error) => JobError::Gather(error),
            ObjectError::Store { source_name, problem } => JobError::Store { source_name, problem },
        }
    }
}

impl From<SpoolError> for JobError {
    fn from(error: SpoolError) -> Self {
        JobError::Manifest(error.into())
    }
}

impl JobError {
    /// A code for the ledger and the journal.
    pub fn code(&self) -> &'static str {
        match self {
            JobError::Gather(GatherError::Ambiguous { .. }) => "identity_ambiguous",
            JobError::Gather(GatherError::Contradiction { .. }) => "identity_contradiction",
            JobError::Gather(GatherError::Map(_)) | JobError::Map(_) => "data_map",
            JobError::Gather(_) | JobError::Store { .. } => "source_failed",
            JobError::Ledger(LedgerError::Stale) => "stale_attempt",
            JobError::Ledger(_) => "ledger",
            JobError::Execute(ExecuteError::Stopped) | JobError::Stopped => "stopped",
            JobError::Execute(ExecuteError::Drifted(_) | ExecuteError::SchemaChanged(_)) => "schema_drift",
            JobError::Execute(ExecuteError::ObjectsRefused { .. }) => "objects_refused",
            JobError::Execute(_) => "erasure_failed",
            JobError::Manifest(_) => "manifest",
            JobError::Look(_) => "verification_failed",
            JobError::Residue(_) => "value_search_failed",
            JobError::Certify(_) => "certificate",
            JobError::Journal(_) | JobError::JournalHead => "journal",
            JobError::HoldMissing | JobError::Hold(_) => "holds",
            JobError::Blind(_) => "verifier_blind",
            JobError::Archive(_) | JobError::Shelf(_) => "archive",
            JobError::Decode(_) => "undecodable_value",
            JobError::Keys(_) => "keys",
            JobError::Stored(_) => "stored_job",
        }
    }

    /// Whether a batch could not be done because its rows are not as they were planned: something refers to them now, or the object in which
    /// they stand has been written by somebody else.
    pub fn source_refused(&self) -> bool {
        use crate::connector::sql::EraseError;
        use crate::db::DbError;
        matches!(
            self,
            JobError::Execute(
                ExecuteError::Source { problem: EraseError::Database(DbError::Refused { .. }), .. }
                    | ExecuteError::RowsChanged { .. }
            )
        )
    }

    /// Whether code that the application keeps in a source refused the change: nobody but its people can say whether it should.
    pub fn is_raised_by_source(&self) -> bool {
        matches!(self, JobError::Execute(ExecuteError::Source { problem, .. }) if !problem.is_transient())
    }

    /// Whether the same attempt a little later may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        match self {
            JobError::Gather(GatherError::Source { problem, .. }) => problem.is_transient(),
            JobError::Ledger(error) => error.is_transient(),
            JobError::Execute(ExecuteError::Source { problem, .. }) => problem.is_transient(),
            JobError::Execute(ExecuteError::Store { problem, .. }) => problem.is_transient(),
            JobError::Execute(
                ExecuteError::SchemaChanged(_)
                | ExecuteError::RowsChanged { .. }
                | ExecuteError::Permit(_)
                | ExecuteError::Fence(_)
                | ExecuteError::Stopped,
            ) => true,
            JobError::Execute(ExecuteError::Ledger(error)) => error.is_transient(),
            JobError::Look(LookError::Source { problem, .. }) => problem.is_transient(),
            JobError::Look(LookError::Store { problem, .. }) | JobError::Store { problem, .. } => problem.is_transient(),
            JobError::Shelf(error) => error.is_transient(),
            JobError::Stopped => true,
            _ => false,
        }
    }
}

/// A request under work.
pub struct Case<'a> {
    /// The installation.
    pub deployment: &'a Deployment,
    /// The running attempt.
    pub lease: &'a JobLease,
    /// The request.
    pub request: Request,
    /// Whom it is about.
    pub subject: Subject,
    /// What was asked.
    pub job: JobFile,
    /// Open sources.
    pub sources: BTreeMap<String, SqlSource>,
    /// Open stores of objects.
    pub stores: Stores,
    /// Sources that could not be reached.
    pub unreached: Vec<Unreached>,
}

impl<'a> Case<'a> {
    /// Loads a request and opens the sources.
    pub async fn open(deployment: &'a Deployment, lease: &'a JobLease) -> Result<Case<'a>, JobError> {
        let id = lease.request_id.clone().ok_or_else(|| JobError::Stored("it belongs to no request".into()))?;
        Case::of_request(deployment, lease, &id).await
    }

    /// The same for another request than the one that the job answers: re-verification looks at many.
    pub async fn of_request(deployment: &'a Deployment, lease: &'a JobLease, id: &str) -> Result<Case<'a>, JobError> {
        let mut tx = deployment.ledger.begin().await?;
        let request = request::get(&mut tx, id).await?;
        drop(tx);
        let subject = request.subject(&deployment.keys)?.ok_or_else(|| JobError::Stored("it names no subject".into()))?;
        let job = job_of(&request, &subject)?;
        let (sources, stores, unreached) = open_all(deployment).await;
        Ok(Case { deployment, lease, request, subject, job, sources, stores, unreached })
    }

    /// A case that stands in no ledger: for a dry run, which must change nothing.
    pub async fn rehearse(deployment: &'a Deployment, lease: &'a JobLease, job: JobFile) -> Result<Case<'a>, JobError> {
        let subject = job.subject.clone().ok_or_else(|| JobError::Stored("it names no subject".into()))?;
        let request = Request::rehearsal(job.kind, deployment.now());
        let (sources, stores, unreached) = open_all(deployment).await;
        Ok(Case { deployment, lease, request, subject, job, sources, stores, unreached })
    }

    /// Writes a new status, with its entry in the journal.
    pub async fn set_status(&mut self, status: Status) -> Result<(), JobError> {
        if self.request.status == status {
            return Ok(());
        }
        let mut tx = self.deployment.ledger.begin().await?;
        self.write_status(&mut tx, status).await?;
        tx.commit().await?;
        self.request.status = status;
        Ok(())
    }

    /// The same inside a transaction, for states that must commit together with their reason.
    pub async fn write_status(&self, tx: &mut Tx, status: Status) -> Result<(), JobError> {
        let now = self.deployment.now();
        request::set_status(tx, Writer::Attempt(self.lease), &self.request.id, status, now).await?;
        let event = self.event(EventKind::RequestStatusChanged).outcome(Code::fitted(status.as_str()));
        journal::append(tx, &event).await?;
        Ok(())
    }

    /// An event about this request.
    pub fn event(&self, kind: EventKind) -> Event {
        let event = Event::new(kind, self.deployment.now(), Actor::system());
        match Id::parse(&self.request.id) {
            Ok(id) => event.request_id(id),
            Err(_) => event,
        }
    }

    /// The holds of this moment.
    pub async fn holds(&self) -> Result<HoldSet, JobError> {
        holds_now(self.deployment).await
    }

    /// Keyed names under which holds and lanes know the person: each as given and in every normal form that the map declares.
    pub fn alias_refs(&self, names: &[Identifier]) -> Vec<String> {
        alias_refs(self.deployment, names)
    }

    /// What a decision about this request rests on.
    pub fn brief<'b>(&'b self, holds: &'b HoldSet, alias_refs: Vec<String>) -> Brief<'b> {
        Brief {
            kind: self.request.kind,
            map: &self.deployment.map,
            graph: &self.deployment.graph,
            sources: &self.sources,
            holds,
            keys: &self.deployment.keys,
            alias_refs,
            policy: self.job.policy.as_deref().and_then(|policy| self.deployment.map.policy(policy)),
            categories: &self.job.categories,
            today: self.deployment.today(),
            fuses: fuses(self.deployment),
            subject_ref: self.deployment.keys.subject_ref(&self.subject).to_string(),
        }
    }

    /// Everything that is open.
    pub fn systems(&self) -> Systems<'_> {
        Systems { databases: &self.sources, stores: &self.stores }
    }

    /// Closes the sources.
    pub async fn close(self) {
        for source in self.sources.into_values() {
            source.close().await;
        }
    }
}

async fn open_all(deployment: &Deployment) -> (BTreeMap<String, SqlSource>, Stores, Vec<Unreached>) {
    let (sources, mut unreached) = deployment.open_sources().await;
    let (stores, closed) = deployment.open_stores().await;
    unreached.extend(closed);
    (sources, stores, unreached)
}

/// The limits of one request.
pub fn fuses(deployment: &Deployment) -> Fuses {
    let limits = &deployment.config.limits;
    Fuses { max_rows: limits.max_rows.unwrap_or(u64::MAX), max_share: limits.max_share.unwrap_or(1.0) }
}

/// The holds of this moment.
pub async fn holds_now(deployment: &Deployment) -> Result<HoldSet, JobError> {
    let mut tx = deployment.ledger.begin().await?;
    let holds = hold_set::load_active(&mut tx, &deployment.keys, &deployment.map).await?;
    tx.rollback().await?;
    Ok(holds)
}

/// Keyed names of identifiers, as given and in every normal form that the map declares for their kind.
pub fn alias_refs(deployment: &Deployment, names: &[Identifier]) -> Vec<String> {
    let mut refs = Vec::new();
    for name in names {
        refs.push(deployment.keys.alias_ref(name));
        for field in deployment.graph.nodes.iter().flat_map(|node| &node.identities).filter(|field| field.kind == name.kind) {
            let normal = field.normal_form.apply(name.expose());
            refs.push(deployment.keys.alias_ref(&Identifier::new(&name.kind, normal)));
        }
    }
    refs.sort();
    refs.dedup();
    refs
}

fn job_of(request: &Request, subject: &Subject) -> Result<JobFile, JobError> {
    let unreadable = |problem: String| JobError::Stored(problem);
    let mut document: serde_json::Value = serde_json::from_str(&request.document).map_err(|e| unreadable(e.to_string()))?;
    if let Some(fields) = document.as_object_mut() {
        fields.insert("subject".into(), serde_json::to_value(subject).unwrap_or_default());
    }
    JobFile::parse(&document.to_string(), "stored job").map_err(|e| unreadable(e.to_string()))
}
