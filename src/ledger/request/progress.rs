//! Moving a request on. Each step is checked against `request::lifecycle` under a lock, and refused to an attempt that has lost its job.

use jiff::Timestamp;

use super::lock;
use crate::args;
use crate::db::{Record, Tx};
use crate::ledger::LedgerError;
use crate::ledger::job::Writer;
use crate::request::{Deadline, Status};

/// Moves a request to `next`; [`LedgerError::Transition`] if that may not follow. Repeating a step changes nothing (E-3).
pub async fn set_status(tx: &mut Tx, writer: Writer<'_>, id: &str, next: Status, now: Timestamp) -> Result<(), LedgerError> {
    writer.check(tx).await?;
    let current = locked_status(tx, id).await?;
    if current == next {
        return Ok(());
    }
    if !current.may_become(next) {
        return Err(LedgerError::Transition { from: current, to: next });
    }
    write_status(tx, id, next, None, now).await
}

/// Ends a request that nobody wants answered any more: `cancelled` if nothing has been done to any record; otherwise `partial`, because
/// what was erased is not undone by a change of mind. Returns which.
pub async fn withdraw(tx: &mut Tx, id: &str, now: Timestamp) -> Result<Status, LedgerError> {
    lock(tx, id).await?;
    let sql = "SELECT COUNT(*) AS touched FROM execution WHERE request_id = $1 AND position > 0";
    let touched = tx.on().fetch_one(sql, args![id]).await?.int("touched")? > 0;
    let next = if touched { Status::Partial } else { Status::Cancelled };
    set_status(tx, Writer::Outside, id, next, now).await?;
    Ok(next)
}

/// Writes the answer.
pub async fn set_result(
    tx: &mut Tx,
    writer: Writer<'_>,
    id: &str,
    result: &serde_json::Value,
    now: Timestamp,
) -> Result<(), LedgerError> {
    writer.check(tx).await?;
    let sql = "UPDATE request SET result = $2, updated_at = $3 WHERE id = $1";
    exactly_one(tx.on().execute(sql, args![id, result.to_string(), now]).await?)
}

/// Names the plan that is to be approved and carried out. Freezing a plan does this too (`plan::freeze`).
pub async fn set_plan_digest(tx: &mut Tx, writer: Writer<'_>, id: &str, digest: &str, now: Timestamp) -> Result<(), LedgerError> {
    writer.check(tx).await?;
    let sql = "UPDATE request SET plan_digest = $2, updated_at = $3 WHERE id = $1";
    exactly_one(tx.on().execute(sql, args![id, digest, now]).await?)
}

/// Announces a later deadline; the first one stays on record. Whether it is still time to is decided by [`Deadline::extended`].
pub async fn extend(tx: &mut Tx, id: &str, deadline: &Deadline, now: Timestamp) -> Result<(), LedgerError> {
    let status = locked_status(tx, id).await?;
    if !status.is_open() {
        return Err(LedgerError::Transition { from: status, to: status });
    }
    let sql = "UPDATE request SET extended_to = $2, updated_at = $3 WHERE id = $1";
    exactly_one(tx.on().execute(sql, args![id, deadline.due_at, now]).await?)?;
    let sql = "UPDATE job SET due_at = $2 WHERE request_id = $1 AND state IN ('ready', 'running')";
    tx.on().execute(sql, args![id, deadline.due_at]).await?;
    Ok(())
}

/// A job of the request was given up. The request says so, open and with its deadline, unless the work that is owed had been done
/// before (a later look at a completed request failed): then the dead job alone says so.
pub(crate) async fn fail_for_dead_job(tx: &mut Tx, id: &str, code: &str, now: Timestamp) -> Result<(), LedgerError> {
    let current = locked_status(tx, id).await?;
    if current == Status::Failed || !current.may_become(Status::Failed) {
        return Ok(());
    }
    write_status(tx, id, Status::Failed, Some(code), now).await
}

async fn write_status(tx: &mut Tx, id: &str, next: Status, failure: Option<&str>, now: Timestamp) -> Result<(), LedgerError> {
    let closed_at = (!next.is_open()).then_some(now);
    let sql = "UPDATE request SET status = $2, failure_code = $3, closed_at = $4, updated_at = $5 WHERE id = $1";
    exactly_one(tx.on().execute(sql, args![id, next.as_str(), failure, closed_at, now]).await?)
}

async fn locked_status(tx: &mut Tx, id: &str) -> Result<Status, LedgerError> {
    lock(tx, id).await?;
    let row: Record = tx
        .on()
        .fetch_optional("SELECT status FROM request WHERE id = $1", args![id])
        .await?
        .ok_or(LedgerError::NotFound { noun: "request" })?;
    super::word(&row, "status", Status::parse)
}

fn exactly_one(changed: u64) -> Result<(), LedgerError> {
    if changed == 1 { Ok(()) } else { Err(LedgerError::NotFound { noun: "request" }) }
}
