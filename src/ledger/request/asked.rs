//! Who asked for erasures that are not over. It tells names of staff and never whom a request is about.

use jiff::Timestamp;

use crate::args;
use crate::db::Tx;
use crate::ledger::LedgerError;

/// An erasure that is not over, and who asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AskedErasure {
    /// Login name.
    pub by: String,
    /// The answer so far: the plan's items while it waits, what was kept when it is partial. `None` before there was a plan.
    pub result: Option<String>,
    /// When the plan that it has was made; `None` before there was one.
    pub planned_at: Option<Timestamp>,
    /// Whether the person goes by a name that the hold covers.
    pub is_about_held_person: bool,
}

/// Erasures that are not over and that a member of staff asked for, in the light of a hold.
pub async fn erasures_asked(tx: &mut Tx, hold_id: &str) -> Result<Vec<AskedErasure>, LedgerError> {
    let sql = "SELECT requested_by, result,
                      (SELECT MAX(p.created_at) FROM plan p WHERE p.request_id = request.id AND p.digest = request.plan_digest) AS planned_at,
                      CASE WHEN EXISTS (SELECT 1 FROM request_alias a JOIN hold_alias h ON h.alias_ref = a.alias_ref
                      WHERE a.request_id = request.id AND h.hold_id = $1) THEN 1 ELSE 0 END AS is_held
               FROM request WHERE kind = 'erasure' AND requested_by IS NOT NULL AND status NOT IN ('completed', 'refused', 'cancelled')
               ORDER BY id";
    let rows = tx.on().fetch_all(sql, args![hold_id]).await?;
    rows.iter()
        .map(|row| {
            Ok(AskedErasure {
                by: row.text("requested_by")?,
                result: row.opt_text("result")?,
                planned_at: row.opt_instant("planned_at")?,
                is_about_held_person: row.int("is_held")? == 1,
            })
        })
        .collect()
}
