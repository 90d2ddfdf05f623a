//! Taking a request in. When the caller's transaction has committed, the request exists, whatever happens next; the same request
//! sent twice under one idempotency key is one request, and another request under the same key is refused.

use jiff::Timestamp;
use serde_json::Value;

use super::{PRIVATE, Request, SUBJECT, add_aliases, columns, get, read};
use crate::args;
use crate::crypto::{Keys, hex, random_code};
use crate::db::Tx;
use crate::ledger::{LedgerError, new_id};
use crate::request::{Deadline, Kind, Status};
use crate::subject::Subject;

/// Letters of a request's code.
const CODE_LENGTH: usize = 6;
/// Codes tried before giving up; with a million requests in the ledger one try in a thousand is taken.
const CODE_TRIES: usize = 8;

/// A request to be taken in.
#[derive(Debug, Clone)]
pub struct NewRequest<'a> {
    /// What is asked for.
    pub kind: Kind,
    /// Whom it is about.
    pub subject: Option<&'a Subject>,
    /// The job file without `subject`, `changes` and `idempotency_key`; kept in the clear.
    pub document: &'a Value,
    /// What else may hold personal data, such as `{"changes": {…}}`; kept sealed.
    pub private: Option<&'a Value>,
    /// The sender's key; kept as a keyed hash.
    pub idempotency_key: Option<&'a str>,
    /// When it reached the controller.
    pub received_at: Timestamp,
    /// When it has to be answered.
    pub deadline: Option<Deadline>,
    /// Where it starts: `queued`, or waiting for something.
    pub status: Status,
    /// Whether this is a rehearsal.
    pub is_test: bool,
    /// Login name of the member of staff who asks for it, where one is named.
    pub requested_by: Option<&'a str>,
}

/// What intake did.
#[derive(Debug, Clone)]
pub enum Received {
    /// A new request.
    New(Request),
    /// The same request came before under the same idempotency key; nothing was changed, and nothing need be queued.
    Before(Request),
}

impl Received {
    /// The request, new or not.
    pub fn request(&self) -> &Request {
        match self {
            Received::New(request) | Received::Before(request) => request,
        }
    }
}

/// Takes a request in. [`LedgerError::IdempotencyConflict`] if its key was used for another job file.
pub async fn insert(tx: &mut Tx, keys: &Keys, new: &NewRequest<'_>, now: Timestamp) -> Result<Received, LedgerError> {
    refuse_private_in_the_clear(new.document)?;
    let content_digest = content_digest(keys, new);
    let key_hash = new.idempotency_key.map(|key| hex(&keys.mac("request.idempotency_key", key.as_bytes())));
    for _ in 0..CODE_TRIES {
        if let Some(hash) = &key_hash
            && let Some(before) = with_key(tx, hash, &content_digest).await?
        {
            return Ok(Received::Before(before));
        }
        // Fails silently if the code is taken, or if the same key was committed since we looked: then the next round finds out which.
        if let Some(id) = insert_row(tx, keys, new, &content_digest, key_hash.as_deref(), now).await? {
            if let Some(subject) = new.subject {
                add_aliases(tx, keys, &id, subject.identifiers()).await?;
            }
            return Ok(Received::New(get(tx, &id).await?));
        }
    }
    Err(LedgerError::Unreadable { noun: "request", problem: "no free code was found".into() })
}

/// The request for the very same that waits for an approval, if there is one: the same person, kind and job file.
pub async fn waiting_for_approval(
    tx: &mut Tx,
    keys: &Keys,
    kind: Kind,
    subject: Option<&Subject>,
    document: &Value,
) -> Result<Option<Request>, LedgerError> {
    let digest = digest_of(keys, kind, subject, document, None);
    let sql =
        concat!("SELECT ", columns!(), " FROM request WHERE content_digest = $1 AND status = $2 ORDER BY created_at, id LIMIT 1");
    let args = args![digest, Status::WaitingApproval.as_str()];
    tx.on().fetch_optional(sql, args).await?.map(|row| read(&row)).transpose()
}

/// The clear document must not have what belongs in a sealed column: better no request than a person's name in a plain column (S-1).
fn refuse_private_in_the_clear(document: &Value) -> Result<(), LedgerError> {
    for key in ["subject", "changes", "idempotency_key"] {
        if document.get(key).is_some() {
            return Err(LedgerError::Unreadable { noun: "job file", problem: format!("`{key}` may not be stored in the clear") });
        }
    }
    Ok(())
}

/// Keyed, because a plain hash of a job file would let anybody with a guess find out whom it names. Keys of objects are sorted by
/// `serde_json`, so that their order in the job file does not matter.
fn content_digest(keys: &Keys, new: &NewRequest<'_>) -> String {
    digest_of(keys, new.kind, new.subject, new.document, new.private)
}

fn digest_of(keys: &Keys, kind: Kind, subject: Option<&Subject>, document: &Value, private: Option<&Value>) -> String {
    let content = serde_json::json!({
        "kind": kind,
        "subject": subject.map(Subject::to_sealed_json),
        "document": document,
        "private": private,
    });
    hex(&keys.mac("request.content", content.to_string().as_bytes()))
}

async fn with_key(tx: &mut Tx, key_hash: &str, content_digest: &str) -> Result<Option<Request>, LedgerError> {
    let sql = concat!("SELECT content_digest, ", columns!(), " FROM request WHERE idempotency_key_hash = $1");
    let Some(row) = tx.on().fetch_optional(sql, args![key_hash]).await? else { return Ok(None) };
    let request = read(&row)?;
    if row.text("content_digest")? != content_digest {
        return Err(LedgerError::IdempotencyConflict { existing_code: request.code });
    }
    Ok(Some(request))
}

async fn insert_row(
    tx: &mut Tx,
    keys: &Keys,
    new: &NewRequest<'_>,
    content_digest: &str,
    key_hash: Option<&str>,
    now: Timestamp,
) -> Result<Option<String>, LedgerError> {
    let sql =
        "INSERT INTO request (id, code, kind, status, subject_ref, subject_sealed, private_sealed, document, received_at, due_at,
                                    deadline_rule, idempotency_key_hash, content_digest, is_test, created_at, updated_at, requested_by)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $15, $16)
               ON CONFLICT DO NOTHING";
    let id = new_id(now)?;
    let subject_sealed = new.subject.map(|subject| keys.seal(SUBJECT, subject.to_sealed_json().as_bytes())).transpose()?;
    let private_sealed = new.private.map(|private| keys.seal(PRIVATE, private.to_string().as_bytes())).transpose()?;
    let args = args![
        id.as_str(),
        random_code(CODE_LENGTH)?,
        new.kind.as_str(),
        new.status.as_str(),
        new.subject.map(|subject| keys.subject_ref(subject).to_string()),
        subject_sealed,
        private_sealed,
        new.document.to_string(),
        new.received_at,
        new.deadline.as_ref().map(|deadline| deadline.due_at),
        new.deadline.as_ref().map(|deadline| deadline.rule.as_str()),
        key_hash,
        content_digest,
        new.is_test,
        now,
        new.requested_by,
    ];
    let inserted = tx.on().execute(sql, args).await? == 1;
    Ok(inserted.then_some(id))
}
