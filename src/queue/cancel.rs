//! Withdrawing a job: at once if no worker ever had it, otherwise at its next safe point. A job that has begun is left the last word even
//! if it only waits for another attempt, because an earlier one may have left something of which it is not known whether it took
//! effect (E-2).

use jiff::Timestamp;

use super::notify;
use crate::args;
use crate::db::Tx;
use crate::ledger::{LedgerError, request};

/// What cancelling did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not begun, and will not.
    AtOnce,
    /// It has begun; it was asked to stop, and may still finish.
    Asked,
    /// It had ended before.
    TooLate,
}

/// Cancels one job.
pub async fn job(tx: &mut Tx, job_id: &str, now: Timestamp) -> Result<Cancelled, LedgerError> {
    let not_begun = "UPDATE job SET state = 'cancelled', finished_at = $2 WHERE id = $1 AND state = 'ready' AND attempt = 0";
    if tx.on().execute(not_begun, args![job_id, now]).await? == 1 {
        return Ok(Cancelled::AtOnce);
    }
    let begun = "UPDATE job SET cancel_requested = 1, rerun = 0, run_at = CASE WHEN run_at > $2 THEN $2 ELSE run_at END
                 WHERE id = $1 AND state IN ('ready', 'running')";
    if tx.on().execute(begun, args![job_id, now]).await? == 1 {
        notify(tx).await?;
        return Ok(Cancelled::Asked);
    }
    crate::ledger::job::get(tx, job_id).await?;
    Ok(Cancelled::TooLate)
}

/// Cancels every job of a request that has not begun, and asks every other one to stop. Unless the answer is [`Cancelled::Asked`] the
/// caller then withdraws the request (`ledger::request::withdraw`); otherwise that happens when the job stops.
pub async fn of_request(tx: &mut Tx, request_id: &str, now: Timestamp) -> Result<Cancelled, LedgerError> {
    request::lock(tx, request_id).await?;
    let mut overall = Cancelled::TooLate;
    for found in crate::ledger::job::of_request(tx, request_id).await? {
        match job(tx, &found.id, now).await? {
            Cancelled::Asked => overall = Cancelled::Asked,
            Cancelled::AtOnce if overall == Cancelled::TooLate => overall = Cancelled::AtOnce,
            Cancelled::AtOnce | Cancelled::TooLate => {}
        }
    }
    Ok(overall)
}
