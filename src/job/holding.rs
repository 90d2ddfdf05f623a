//! Placing, previewing and releasing legal holds. A subject's hold is placed under every name of the person that the sources know; a source
//! that cannot be asked is no reason to wait, because the hold covers by what is known and the answer names the source (H-1).

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error;

use super::covered::{Below, Covered, look};
use super::covered_objects::OpenStores;
use super::mirroring::{Mirrored, mirror};
use super::requesters;
use crate::connector::sql::SqlSource;
use crate::db::DbError;
use crate::deployment::Deployment;
use crate::erase::{DrainError, DrainReport, Drained, drain};
use crate::gather::Unreached;
use crate::hold::{Grace, HoldFile, Matter, NewHold, Refusal, Scope, ScopeError, State};
use crate::journal::{self, Actor, Count, Event, EventKind, HoldCode, NotACode};
use crate::ledger::LedgerError;
use crate::ledger::hold::{self, Hold, HoldError};

/// What is waited for beyond the longest time that a permit may take.
const DRAIN_MARGIN: Duration = Duration::from_secs(10);

/// Why a step of a hold was not taken.
#[derive(Debug, Error)]
pub enum HoldingError {
    /// The scope names nothing.
    #[error(transparent)]
    Scope(#[from] ScopeError),
    /// The ledger, or a step that is not allowed.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// Waiting for what is in flight failed. The hold covers already.
    #[error(transparent)]
    Drain(#[from] DrainError),
    /// A word that the journal does not take.
    #[error("journal: {0}")]
    Journal(#[from] NotACode),
}

impl From<LedgerError> for HoldingError {
    fn from(error: LedgerError) -> Self {
        HoldingError::Hold(error.into())
    }
}

impl From<DbError> for HoldingError {
    fn from(error: DbError) -> Self {
        HoldingError::Hold(error.into())
    }
}

/// The answer to `hold place`.
#[derive(Debug, Clone)]
pub struct Placement {
    /// The hold.
    pub hold_id: String,
    /// Its matter.
    pub matter: Matter,
    /// `active`, or still `placing`.
    pub state: State,
    /// What it covers, counted after everything in flight had ended: this is what it keeps.
    pub covers: Vec<Covered>,
    /// What belongs to the covered records and is not covered with them.
    pub below: Vec<Below>,
    /// What was done in stores that can lock versions; nothing while it is not active.
    pub mirrored: Mirrored,
    /// What was in flight when it was placed, and what of it was already gone.
    pub drained: DrainReport,
    /// What could not be looked at.
    pub warnings: Vec<String>,
}

/// What a hold would keep.
#[derive(Debug, Clone)]
pub struct Preview {
    /// Per collection.
    pub covers: Vec<Covered>,
    /// What belongs to the covered records and is not covered with them.
    pub below: Vec<Below>,
    /// What could not be looked at.
    pub warnings: Vec<String>,
}

/// How the release of a hold stands.
#[derive(Debug, Clone)]
pub struct Letting {
    /// The hold.
    pub hold: Hold,
    /// What could not be let go in stores.
    pub warnings: Vec<String>,
}

/// Places a hold and waits until nothing in flight can erase what it covers (H-2).
pub async fn place(deployment: &Deployment, file: HoldFile, person: &str) -> Result<Placement, HoldingError> {
    // A scope that names nothing is refused before any source is asked.
    NewHold::check(file.clone(), &deployment.map, &[])?;
    let (sources, unreached) = deployment.open_sources().await;
    let open = OpenStores::of(deployment).await;
    let scope = file.scope.clone();
    let mut seen = look(deployment, &scope, &sources, unreached.clone(), &open).await?;
    let new = NewHold::check(file, &deployment.map, &seen.aliases)?;
    let now = deployment.now();
    let mut tx = deployment.ledger.begin().await?;
    let placed = hold::place(&mut tx, &deployment.keys, &new, person, now).await?;
    let event = event(EventKind::HoldPlaced, deployment, Actor::person(&deployment.keys, person), &placed.id)?
        .count(Count::HoldEpoch, u64::try_from(placed.epoch).unwrap_or_default());
    journal::append(&mut tx, &event).await?;
    tx.commit().await?;
    // A copy outside the ledger, so that nobody can take the hold and its entry away again unnoticed.
    if let Err(error) = journal::publish_checkpoint(&deployment.ledger, &deployment.notary, deployment.clock.as_ref()).await {
        seen.warnings.push(format!("the hold is placed, and no checkpoint could be copied outside: {error}"));
    }
    let drained = make_active(deployment, &placed.id, &sources, deployment.config.limits.permit + DRAIN_MARGIN).await?;
    // What was counted before may have been erased before the hold was there: the answer is what it keeps (H-2).
    let now_seen = look(deployment, &scope, &sources, unreached.clone(), &open).await?;
    seen.covers = now_seen.covers;
    seen.below = now_seen.below;
    seen.warnings.extend(now_seen.warnings);
    let state = if drained.drained == Drained::Active { State::Active } else { State::Placing };
    let mirrored = match state {
        State::Active => second_fence(deployment, &placed.id, &scope, &sources, unreached, &open, &mut seen.warnings).await,
        _ => Mirrored::default(),
    };
    seen.warnings.sort();
    seen.warnings.dedup();
    close(sources).await;
    Ok(Placement {
        hold_id: placed.id,
        matter: new.matter().clone(),
        state,
        covers: seen.covers,
        below: seen.below,
        mirrored,
        drained,
        warnings: seen.warnings,
    })
}

/// Lets the stores lock what an active hold covers. Whatever comes of that, the hold is placed.
async fn second_fence(
    deployment: &Deployment,
    hold_id: &str,
    scope: &Scope,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
    open: &OpenStores,
    warnings: &mut Vec<String>,
) -> Mirrored {
    match mirror(deployment, hold_id, scope, sources, unreached, open).await {
        Ok(mut mirrored) => {
            warnings.append(&mut mirrored.warnings);
            mirrored
        }
        Err(error) => {
            warnings.push(format!("the hold is placed, and not every object is locked in its store: {error}"));
            Mirrored::default()
        }
    }
}

/// Waits for what is in flight, and journals when the hold is active.
pub(super) async fn make_active(
    deployment: &Deployment,
    hold_id: &str,
    sources: &BTreeMap<String, SqlSource>,
    patience: Duration,
) -> Result<DrainReport, HoldingError> {
    let report = drain(&deployment.ledger, hold_id, &deployment.sessions(sources), patience, deployment.clock.as_ref()).await?;
    if report.drained == Drained::Active {
        let event =
            event(EventKind::HoldActive, deployment, Actor::system(), hold_id)?.count(Count::Affected, report.already_erased());
        let mut tx = deployment.ledger.begin().await?;
        journal::append(&mut tx, &event).await?;
        tx.commit().await?;
    }
    Ok(report)
}

/// Counts what a hold would keep, without placing it.
pub async fn preview(deployment: &Deployment, file: &HoldFile) -> Result<Preview, HoldingError> {
    NewHold::check(file.clone(), &deployment.map, &[])?;
    let (sources, unreached) = deployment.open_sources().await;
    let open = OpenStores::of(deployment).await;
    let seen = look(deployment, &file.scope, &sources, unreached, &open).await?;
    close(sources).await;
    Ok(Preview { covers: seen.covers, below: seen.below, warnings: seen.warnings })
}

/// Asks for the release of a hold or, when somebody else has asked, agrees to it. Without any grace it is let go at once.
pub async fn release(deployment: &Deployment, hold_id: &str, person: &str) -> Result<Letting, HoldingError> {
    let now = deployment.now();
    let mut tx = deployment.ledger.begin().await?;
    let before = hold::get(&mut tx, hold_id).await?;
    if let (State::Releasing, Some(until)) = (before.life.state, before.life.release_at) {
        return Err(HoldError::from(Refusal::Grace { until }).into());
    }
    let requesters = requesters::of_affected_erasures(&mut tx, &deployment.keys, &before).await?;
    let step = if before.life.release_requested.is_none() {
        hold::request_release(&mut tx, hold_id, person, now, &requesters).await?;
        EventKind::HoldReleaseRequested
    } else {
        let grace = Grace::of_days(deployment.config.holds.grace_days).unwrap_or_default();
        hold::approve_release(&mut tx, hold_id, person, now, &requesters, grace).await?;
        EventKind::HoldReleaseApproved
    };
    let event = event(step, deployment, Actor::person(&deployment.keys, person), hold_id)?;
    journal::append(&mut tx, &event).await?;
    tx.commit().await?;
    let warnings = super::release_due_holds(deployment).await?.unlocked.warnings;
    let mut tx = deployment.ledger.begin().await?;
    Ok(Letting { hold: hold::get(&mut tx, hold_id).await?, warnings })
}

/// Calls off a release, by one person, as long as the hold still covers.
pub async fn keep(deployment: &Deployment, hold_id: &str, person: &str) -> Result<Hold, HoldingError> {
    let mut tx = deployment.ledger.begin().await?;
    hold::keep(&mut tx, hold_id).await?;
    let kept = hold::get(&mut tx, hold_id).await?;
    let event = event(EventKind::HoldKept, deployment, Actor::person(&deployment.keys, person), hold_id)?;
    journal::append(&mut tx, &event).await?;
    tx.commit().await?;
    Ok(kept)
}

fn event(kind: EventKind, deployment: &Deployment, actor: Actor, hold_id: &str) -> Result<Event, NotACode> {
    Ok(Event::new(kind, deployment.now(), actor).hold_id(HoldCode::parse(hold_id)?))
}

async fn close(sources: BTreeMap<String, SqlSource>) {
    for source in sources.into_values() {
        source.close().await;
    }
}
