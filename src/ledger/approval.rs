//! Who agreed to which plan. An approval names the digest that the person was shown: it never carries over to another plan (P-1).

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::{LedgerError, request};
use crate::args;
use crate::db::Tx;

/// One person's agreement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Approval {
    /// Name of the member of staff.
    pub actor: String,
    /// When.
    pub approved_at: Timestamp,
}

/// Records that `actor` agrees to the plan with this digest; the number of different people who have. [`LedgerError::OtherPlan`] if
/// the request has another plan by now. Agreeing twice counts once.
pub async fn give(tx: &mut Tx, request_id: &str, plan_digest: &str, actor: &str, now: Timestamp) -> Result<usize, LedgerError> {
    request::lock(tx, request_id).await?;
    if request::get(tx, request_id).await?.plan_digest.as_deref() != Some(plan_digest) {
        return Err(LedgerError::OtherPlan);
    }
    let sql = "INSERT INTO approval (request_id, plan_digest, actor, approved_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    tx.on().execute(sql, args![request_id, plan_digest, actor, now]).await?;
    let people: BTreeSet<String> =
        of_plan(tx, request_id, plan_digest).await?.into_iter().map(|given| given.actor.trim().to_lowercase()).collect();
    Ok(people.len())
}

/// All approvals of one plan.
pub async fn of_plan(tx: &mut Tx, request_id: &str, plan_digest: &str) -> Result<Vec<Approval>, LedgerError> {
    let sql = "SELECT actor, approved_at FROM approval WHERE request_id = $1 AND plan_digest = $2 ORDER BY approved_at, actor";
    let rows = tx.on().fetch_all(sql, args![request_id, plan_digest]).await?;
    rows.iter().map(|row| Ok(Approval { actor: row.text("actor")?, approved_at: row.instant("approved_at")? })).collect()
}
