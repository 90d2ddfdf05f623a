//! How far the work on each item of a plan has come. Written with the effect's own book-keeping, by the attempt that holds the job and by
//! nobody else; progress never goes backwards, so that a step told twice counts once (E-3).

use jiff::Timestamp;

use super::LedgerError;
use super::job::{JobLease, assert_current};
use crate::args;
use crate::db::{Record, Tx};
use crate::plan::{Outcome, Retained};

/// The state of one item.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ItemResult {
    /// Position of the item in the plan, from 0.
    pub item_no: i64,
    /// How many entries of the manifest have been dealt with.
    pub position: i64,
    /// Records erased, masked or unlinked.
    pub affected: i64,
    /// Records that were gone before we touched them.
    pub already_absent: i64,
    /// Records kept, by ground.
    pub retained: Vec<Retained>,
    /// What came of it; `None` while it is being worked on.
    pub outcome: Option<Outcome>,
    /// Level of assurance; `None` before verification.
    pub level: Option<i64>,
    /// Code of the error.
    pub error: Option<String>,
}

/// Writes the whole state of an item. A position behind the stored one is [`LedgerError::Stale`]: the caller worked from an old reading.
pub async fn put(
    tx: &mut Tx,
    lease: &JobLease,
    request_id: &str,
    plan_digest: &str,
    item: &ItemResult,
    now: Timestamp,
) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql =
        "INSERT INTO item_result (request_id, plan_digest, item_no, position, affected, already_absent, retained, outcome, level,
                                        error, job_id, attempt, updated_at)
               VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
               ON CONFLICT (request_id, plan_digest, item_no) DO UPDATE SET
                   position = excluded.position, affected = excluded.affected, already_absent = excluded.already_absent,
                   retained = excluded.retained, outcome = excluded.outcome, level = excluded.level, error = excluded.error,
                   job_id = excluded.job_id, attempt = excluded.attempt, updated_at = excluded.updated_at
               WHERE item_result.position <= excluded.position";
    let args = args![
        request_id,
        plan_digest,
        item.item_no,
        item.position,
        item.affected,
        item.already_absent,
        to_json(&item.retained)?,
        item.outcome.map(|outcome| word(&outcome)).transpose()?,
        item.level,
        item.error.as_deref(),
        lease.job_id.as_str(),
        lease.attempt,
        now,
    ];
    if tx.on().execute(sql, args).await? == 1 { Ok(()) } else { Err(LedgerError::Stale) }
}

/// All items of a plan that have been begun, in order.
pub async fn of_plan(tx: &mut Tx, request_id: &str, plan_digest: &str) -> Result<Vec<ItemResult>, LedgerError> {
    let sql = "SELECT item_no, position, affected, already_absent, retained, outcome, level, error
               FROM item_result WHERE request_id = $1 AND plan_digest = $2 ORDER BY item_no";
    tx.on().fetch_all(sql, args![request_id, plan_digest]).await?.iter().map(read).collect()
}

fn read(row: &Record) -> Result<ItemResult, LedgerError> {
    let unreadable = |_| LedgerError::Unreadable { noun: "item result", problem: "it is of a newer form".into() };
    let outcome = row.opt_text("outcome")?.map(|word| serde_json::from_value(word.into())).transpose().map_err(unreadable)?;
    Ok(ItemResult {
        item_no: row.int("item_no")?,
        position: row.int("position")?,
        affected: row.int("affected")?,
        already_absent: row.int("already_absent")?,
        retained: serde_json::from_str(&row.text("retained")?).map_err(unreadable)?,
        outcome,
        level: row.opt_int("level")?,
        error: row.opt_text("error")?,
    })
}

fn to_json(retained: &[Retained]) -> Result<String, LedgerError> {
    serde_json::to_string(retained).map_err(unwritable)
}

fn word(outcome: &Outcome) -> Result<String, LedgerError> {
    match serde_json::to_value(outcome).map_err(unwritable)? {
        serde_json::Value::String(word) => Ok(word),
        _ => Err(LedgerError::Unreadable { noun: "outcome", problem: "it is not a word".into() }),
    }
}

fn unwritable(_: serde_json::Error) -> LedgerError {
    LedgerError::Unreadable { noun: "item result", problem: "it cannot be written as JSON".into() }
}
