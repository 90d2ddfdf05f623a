//! Requests as the ledger keeps them. Who they are about is sealed; plain columns hold keyed hashes, codes and times alone (S-1).

mod asked;
mod intake;
mod list;
mod progress;

pub use asked::{AskedErasure, erasures_asked};
pub use intake::{NewRequest, Received, insert, waiting_for_approval};
pub use list::{Filter, Listed, list};
pub(crate) use progress::fail_for_dead_job;
pub use progress::{extend, set_plan_digest, set_result, set_status, withdraw};

use jiff::Timestamp;

use super::{LedgerError, locking};
use crate::args;
use crate::crypto::{Keys, unhex};
use crate::db::{Dialect, Record, Tx};
use crate::request::{Kind, Status};
use crate::subject::{Identifier, Subject, SubjectRef};

const SUBJECT: &str = "request.subject";
const PRIVATE: &str = "request.private";

/// A request as it stands in the ledger.
#[derive(Debug, Clone)]
pub struct Request {
    /// Id.
    pub id: String,
    /// Six characters that people can read out.
    pub code: String,
    /// What is asked for.
    pub kind: Kind,
    /// Where it stands.
    pub status: Status,
    /// The person, as a keyed hash.
    pub subject_ref: Option<SubjectRef>,
    /// The job file as JSON, without what is sealed.
    pub document: String,
    /// When it reached the controller.
    pub received_at: Timestamp,
    /// The first deadline.
    pub due_at: Option<Timestamp>,
    /// The extended deadline.
    pub extended_to: Option<Timestamp>,
    /// Digest of the frozen plan.
    pub plan_digest: Option<String>,
    /// The answer as JSON.
    pub result: Option<String>,
    /// Error code of the job that gave up.
    pub failure_code: Option<String>,
    /// Whether this is a rehearsal.
    pub is_test: bool,
    /// When nothing was left to do.
    pub closed_at: Option<Timestamp>,
    subject_sealed: Option<Sealed>,
    private_sealed: Option<Sealed>,
}

#[derive(Clone)]
struct Sealed(Vec<u8>);

impl std::fmt::Debug for Sealed {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("[sealed]")
    }
}

impl Request {
    /// A request that stands in no ledger: for a dry run.
    pub fn rehearsal(kind: Kind, now: Timestamp) -> Request {
        Request {
            id: String::new(),
            code: String::new(),
            kind,
            status: Status::Queued,
            subject_ref: None,
            document: "{}".to_owned(),
            received_at: now,
            due_at: None,
            extended_to: None,
            plan_digest: None,
            result: None,
            failure_code: None,
            is_test: true,
            closed_at: None,
            subject_sealed: None,
            private_sealed: None,
        }
    }

    /// The person that the request is about.
    pub fn subject(&self, keys: &Keys) -> Result<Option<Subject>, LedgerError> {
        let Some(Sealed(sealed)) = &self.subject_sealed else { return Ok(None) };
        let plain = keys.open(SUBJECT, sealed)?;
        // The parser's own message could quote what it read.
        let unreadable = |_| LedgerError::Unreadable { noun: "subject", problem: "it is not a subject".into() };
        serde_json::from_slice(&plain).map(Some).map_err(unreadable)
    }

    /// The private part of the job file, such as the new values of a rectification.
    pub fn private(&self, keys: &Keys) -> Result<Option<serde_json::Value>, LedgerError> {
        let Some(Sealed(sealed)) = &self.private_sealed else { return Ok(None) };
        let plain = keys.open(PRIVATE, sealed)?;
        let unreadable = |_| LedgerError::Unreadable { noun: "job file", problem: "its private part is not JSON".into() };
        serde_json::from_slice(&plain).map(Some).map_err(unreadable)
    }

    /// The deadline that counts now.
    pub fn deadline(&self) -> Option<Timestamp> {
        self.extended_to.or(self.due_at)
    }

    /// The lane of its jobs: the person, so that there is one running job per subject.
    pub fn lane(&self) -> String {
        match &self.subject_ref {
            Some(subject) => subject.as_str().to_owned(),
            None => format!("request:{}", self.id),
        }
    }
}

/// The columns of a [`Request`].
macro_rules! columns {
    () => {
        "id, code, kind, status, subject_ref, subject_sealed, private_sealed, document, received_at, due_at, extended_to, plan_digest, \
         result, failure_code, is_test, closed_at"
    };
}
use columns;

/// One request by id.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Request, LedgerError> {
    let sql = concat!("SELECT ", columns!(), " FROM request WHERE id = $1");
    one(tx, sql, id).await
}

/// One request by id or by code; a code is taken as people write it, in any case, with O for 0 and I or L for 1 (Crockford).
pub async fn find(tx: &mut Tx, id_or_code: &str) -> Result<Request, LedgerError> {
    if id_or_code.len() == 36 {
        return get(tx, &id_or_code.to_ascii_lowercase()).await;
    }
    let sql = concat!("SELECT ", columns!(), " FROM request WHERE code = $1");
    one(tx, sql, &as_code(id_or_code)).await
}

fn as_code(text: &str) -> String {
    let digit = |letter: char| match letter.to_ascii_uppercase() {
        'O' => '0',
        'I' | 'L' => '1',
        other => other,
    };
    text.trim().chars().map(digit).collect()
}

async fn one(tx: &mut Tx, sql: &'static str, arg: &str) -> Result<Request, LedgerError> {
    let row = tx.on().fetch_optional(sql, args![arg]).await?.ok_or(LedgerError::NotFound { noun: "request" })?;
    read(&row)
}

/// Locks a request until the transaction ends; the first lock of every transaction that changes a request or its jobs.
pub(crate) async fn lock(tx: &mut Tx, id: &str) -> Result<(), LedgerError> {
    if tx.dialect() == Dialect::Sqlite {
        return Ok(());
    }
    let sql = locking!(tx.dialect(), "SELECT id FROM request WHERE id = $1");
    tx.on().fetch_optional(sql, args![id]).await?.ok_or(LedgerError::NotFound { noun: "request" })?;
    Ok(())
}

/// Adds names under which the person turned out to be known. What they are is hashed; whether another running job already works on
/// one of them is for `queue::claim::widen` to say.
pub async fn add_aliases(tx: &mut Tx, keys: &Keys, request_id: &str, identifiers: &[Identifier]) -> Result<(), LedgerError> {
    let sql = "INSERT INTO request_alias (request_id, alias_ref) VALUES ($1, $2) ON CONFLICT DO NOTHING";
    for identifier in identifiers {
        tx.on().execute(sql, args![request_id, keys.alias_ref(identifier)]).await?;
    }
    Ok(())
}

/// The keyed names of the request's person.
pub async fn aliases(tx: &mut Tx, request_id: &str) -> Result<Vec<String>, LedgerError> {
    let sql = "SELECT alias_ref FROM request_alias WHERE request_id = $1 ORDER BY alias_ref";
    let rows = tx.on().fetch_all(sql, args![request_id]).await?;
    rows.iter().map(|row| Ok(row.text("alias_ref")?)).collect()
}

fn read(row: &Record) -> Result<Request, LedgerError> {
    let subject_ref = row.opt_text("subject_ref")?;
    if subject_ref.as_deref().is_some_and(|hex| unhex(hex).is_none()) {
        return Err(LedgerError::Unreadable { noun: "request", problem: "subject_ref is not hex".into() });
    }
    Ok(Request {
        id: row.text("id")?,
        code: row.text("code")?,
        kind: word(row, "kind", Kind::parse)?,
        status: word(row, "status", Status::parse)?,
        subject_ref: subject_ref.map(SubjectRef::from_hex),
        document: row.text("document")?,
        received_at: row.instant("received_at")?,
        due_at: row.opt_instant("due_at")?,
        extended_to: row.opt_instant("extended_to")?,
        plan_digest: row.opt_text("plan_digest")?,
        result: row.opt_text("result")?,
        failure_code: row.opt_text("failure_code")?,
        is_test: row.flag("is_test")?,
        closed_at: row.opt_instant("closed_at")?,
        subject_sealed: row.opt_bytes("subject_sealed")?.map(Sealed),
        private_sealed: row.opt_bytes("private_sealed")?.map(Sealed),
    })
}

fn word<T>(row: &Record, column: &'static str, parse: fn(&str) -> Option<T>) -> Result<T, LedgerError> {
    let unknown =
        || LedgerError::Unreadable { noun: "request", problem: format!("{column} is a word that this program does not know") };
    parse(&row.text(column)?).ok_or_else(unknown)
}

/// A request that is in no ledger, for tests of what is made of one.
#[cfg(test)]
pub(crate) fn sample(result: Option<&str>) -> Request {
    Request {
        id: "0197a0b0-0000-7000-8000-000000000001".into(),
        code: "R7K2M9".into(),
        kind: Kind::Erasure,
        status: Status::Queued,
        subject_ref: None,
        document: "{}".into(),
        received_at: Timestamp::UNIX_EPOCH,
        due_at: "2026-12-24T22:59:59Z".parse().ok(),
        extended_to: None,
        plan_digest: None,
        result: result.map(str::to_owned),
        failure_code: None,
        is_test: false,
        closed_at: None,
        subject_sealed: None,
        private_sealed: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_understood_as_people_write_it() {
        assert_eq!(as_code(" r7k2m9 "), "R7K2M9");
        assert_eq!(as_code("ROILk9"), "R011K9");
    }
}
