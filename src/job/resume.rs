//! What becomes due by itself: holds whose grace is over are let go, and the requests that a hold kept open are queued again, to be planned
//! from scratch (H-1: what another hold still covers is found again then). Holds whose placing was interrupted are made active.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::HoldingError;
use super::decision::requeue;
use super::holding::make_active;
use super::unlocking::{Unlocked, unlock};
use crate::connector::sql::SqlSource;
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::erase::Drained;
use crate::hold::{HoldRef, State};
use crate::journal::{self, Actor, Code, Event, EventKind, HoldCode, Id};
use crate::ledger::LedgerError;
use crate::ledger::hold;
use crate::ledger::request::{self, Filter, Request};
use crate::plan::Ground;
use crate::request::Status;

/// What was let go.
#[derive(Debug, Clone, Default)]
pub struct Released {
    /// Holds that cover nothing any more.
    pub holds: Vec<HoldRef>,
    /// Requests that were queued again.
    pub requeued: Vec<Request>,
    /// Versions in stores whose lock was taken off, or could not be.
    pub unlocked: Unlocked,
}

/// Takes the locks of what is over off in the stores; then ends the holds whose grace is over and queues the requests that a hold kept open, in
/// one transaction. The locks come first, so that who is queued again finds none; until the release the hold itself covers.
pub async fn release_due_holds(deployment: &Deployment) -> Result<Released, HoldingError> {
    let mut unlocked = unlock(deployment).await?;
    let mut requeued = std::mem::take(&mut unlocked.requeued);
    let now = deployment.now();
    let mut tx = deployment.ledger.begin().await?;
    let holds = hold::finish_due_releases(&mut tx, now).await?;
    if holds.is_empty() {
        tx.rollback().await?;
        return Ok(Released { holds, requeued, unlocked });
    }
    for hold in &holds {
        let event = Event::new(EventKind::HoldReleased, now, Actor::system()).hold_id(HoldCode::parse(&hold.id)?);
        journal::append(&mut tx, &event).await?;
    }
    requeued.extend(requeue_kept(&mut tx, now).await?);
    tx.commit().await?;
    Ok(Released { holds, requeued, unlocked })
}

/// Queues the requests again that a hold kept open.
pub(super) async fn requeue_kept(tx: &mut Tx, now: Timestamp) -> Result<Vec<Request>, HoldingError> {
    let requeued = kept_open_by_a_hold(tx).await?;
    for request in &requeued {
        requeue(tx, request, now).await?;
        let event = Event::new(EventKind::RequestStatusChanged, now, Actor::system())
            .request_id(Id::parse(&request.id)?)
            .outcome(Code::parse(Status::Queued.as_str())?);
        journal::append(tx, &event).await?;
    }
    Ok(requeued)
}

/// Partial requests with records that are retained under a hold. Which hold it was does not matter: records can be under several, and
/// only a new plan can tell.
async fn kept_open_by_a_hold(tx: &mut Tx) -> Result<Vec<Request>, LedgerError> {
    let filter = Filter { status: Some(Status::Partial), limit: i64::MAX, ..Filter::default() };
    let listed = request::list(tx, &filter).await?;
    Ok(listed.into_iter().map(|listed| listed.request).filter(|request| names_a_hold(request.result.as_deref())).collect())
}

/// Whether a stored result has records retained under a hold. One that cannot be read might.
fn names_a_hold(result: Option<&str>) -> bool {
    let Some(result) = result else { return false };
    let Ok(result) = serde_json::from_str::<serde_json::Value>(result) else { return true };
    let items = result["items"].as_array().into_iter().flatten();
    let mut retained = items.flat_map(|item| item["retained"].as_array().into_iter().flatten());
    retained.any(|retained| retained["ground"] == Ground::Hold.as_str())
}

/// Makes active what was placed and whose drain was interrupted (H-2). Returns how many became active; the others still cover.
pub async fn activate_placed_holds(
    deployment: &Deployment,
    sources: &BTreeMap<String, SqlSource>,
    patience: Duration,
) -> Result<usize, HoldingError> {
    let mut tx = deployment.ledger.begin().await?;
    let placing: Vec<String> = hold::list(&mut tx, false)
        .await?
        .into_iter()
        .filter(|hold| hold.life.state == State::Placing)
        .map(|hold| hold.id)
        .collect();
    tx.rollback().await?;
    let mut activated = 0;
    for id in placing {
        if make_active(deployment, &id, sources, patience).await?.drained == Drained::Active {
            activated += 1;
        }
    }
    Ok(activated)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_hold_keeps_a_request_for_its_release() {
        let with =
            |ground: &str| format!(r#"{{"items": [{{"retained": []}}, {{"retained": [{{"count": 3, "ground": "{ground}"}}]}}]}}"#);
        assert!(names_a_hold(Some(&with("hold"))));
        assert!(!names_a_hold(Some(&with("art17_3_b"))));
        assert!(!names_a_hold(None));
        assert!(!names_a_hold(Some("{}")));
        assert!(names_a_hold(Some("not json")), "unknown counts as held");
    }
}
