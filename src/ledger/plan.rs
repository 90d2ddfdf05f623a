//! Plans of a request. A plan is written once under its digest and then frozen; a frozen plan never changes
//! again (P-1). Only the attempt that holds the request's job writes here. The keys of its records stand in manifests (`execution`).

use jiff::Timestamp;

use super::job::{Writer, assert_current};
use super::{LedgerError, request};
use crate::args;
use crate::db::{Record, Tx};
use crate::ledger::job::JobLease;

/// A plan as it stands in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPlan {
    /// The request.
    pub request_id: String,
    /// Digest of the document.
    pub digest: String,
    /// Digest without counts.
    pub shape_digest: String,
    /// The plan as JSON, without keys or identifiers.
    pub document: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it could no longer change.
    pub frozen_at: Option<Timestamp>,
}

/// Writes a plan; one with the same digest is the same plan and stays as it is, its frozen state included.
pub async fn insert(tx: &mut Tx, lease: &JobLease, plan: &StoredPlan) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql = "INSERT INTO plan (request_id, digest, shape_digest, document, created_at, frozen_at)
               VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (request_id, digest) DO NOTHING";
    let args = args![
        plan.request_id.as_str(),
        plan.digest.as_str(),
        plan.shape_digest.as_str(),
        plan.document.as_str(),
        plan.created_at,
        plan.frozen_at,
    ];
    tx.on().execute(sql, args).await?;
    Ok(())
}

/// Freezes a plan and makes it the request's plan. Freezing twice keeps the first instant (E-3).
pub async fn freeze(tx: &mut Tx, lease: &JobLease, request_id: &str, digest: &str, now: Timestamp) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql = "UPDATE plan SET frozen_at = COALESCE(frozen_at, $3) WHERE request_id = $1 AND digest = $2";
    if tx.on().execute(sql, args![request_id, digest, now]).await? != 1 {
        return Err(LedgerError::NotFound { noun: "plan" });
    }
    request::set_plan_digest(tx, Writer::Attempt(lease), request_id, digest, now).await
}

/// One plan by its digest.
pub async fn get(tx: &mut Tx, request_id: &str, digest: &str) -> Result<StoredPlan, LedgerError> {
    let sql = "SELECT request_id, digest, shape_digest, document, created_at, frozen_at
               FROM plan WHERE request_id = $1 AND digest = $2";
    let row = tx.on().fetch_optional(sql, args![request_id, digest]).await?.ok_or(LedgerError::NotFound { noun: "plan" })?;
    read(&row)
}

/// All plans of a request, oldest first.
pub async fn of_request(tx: &mut Tx, request_id: &str) -> Result<Vec<StoredPlan>, LedgerError> {
    let sql = "SELECT request_id, digest, shape_digest, document, created_at, frozen_at
               FROM plan WHERE request_id = $1 ORDER BY created_at, digest";
    tx.on().fetch_all(sql, args![request_id]).await?.iter().map(read).collect()
}

fn read(row: &Record) -> Result<StoredPlan, LedgerError> {
    Ok(StoredPlan {
        request_id: row.text("request_id")?,
        digest: row.text("digest")?,
        shape_digest: row.text("shape_digest")?,
        document: row.text("document")?,
        created_at: row.instant("created_at")?,
        frozen_at: row.opt_instant("frozen_at")?,
    })
}
