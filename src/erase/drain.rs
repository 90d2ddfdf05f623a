//! What placing a hold waits for: permits that were opened before it must be closed, or be taken away and their sessions ended, before
//! the hold may be called active (H-2). The hold covers from the moment that it is placed; draining only makes the answer true.
//! Nothing here erases, and an outcome that is not known stays `Unknown` until its owner has read the source (E-2).

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use thiserror::Error;

use crate::clock::Clock;
use crate::hold::State;
use crate::ledger::hold::{self, HoldError};
use crate::ledger::permit::{self, Closing, PermitRow};
use crate::ledger::{Ledger, LedgerError, database_now};

/// A source's session could not be ended.
#[derive(Debug, Error)]
#[error("the session of a permit could not be ended: {0}")]
pub struct SessionError(
    /// Why, without values.
    pub String,
);

/// Ends sessions in sources.
pub trait SessionKiller: Send + Sync {
    /// Ends whatever works in `source` under the name of this permit. When it returns `Ok`, no transaction that was begun under that
    /// name can commit any more: it has ended either way. PostgreSQL: terminate the backends of that `application_name` and wait until
    /// they are gone; SQLite: take the file's write lock once.
    /// A store of objects has no sessions: what works there ends by itself within `left`, the time that the permit still runs.
    fn end_session<'a>(&'a self, source: &'a str, permit_id: &'a str, left: Duration) -> BoxFuture<'a, Result<(), SessionError>>;
}

/// Why draining stopped. The hold stays `placing` and covers.
#[derive(Debug, Error)]
pub enum DrainError {
    /// The ledger failed, or there is no such hold.
    #[error(transparent)]
    Hold(#[from] HoldError),
    /// The hold was only proposed, or has been let go.
    #[error("the hold is {}: there is nothing to wait for", .0.as_str())]
    NotPlaced(State),
}

impl From<LedgerError> for DrainError {
    fn from(error: LedgerError) -> Self {
        DrainError::Hold(error.into())
    }
}

/// How the draining ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Nothing in flight can erase what the hold covers.
    Active,
    /// So many older permits are still open; the hold blocks new ones already. Drain again.
    StillPlacing {
        /// How many.
        open: usize,
    },
}

/// One permit that was in flight when the hold was placed, whatever its records were.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InFlight {
    /// The permit.
    pub permit_id: String,
    /// The request that it erased for.
    pub request_id: String,
    /// The source.
    pub source: String,
    /// Records of its batch.
    pub record_count: u64,
    /// When its outcome was recorded, in microseconds of database time; `None` while it is open.
    pub closed_at_us: Option<i64>,
    /// Its outcome and counts; `None` while it is open.
    pub closing: Option<Closing>,
}

/// The answer to "is the hold active, and what was already gone?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DrainReport {
    /// The hold.
    pub hold_id: String,
    /// How it ended.
    pub drained: Drained,
    /// What was in flight. Its counts are of whole batches: an upper bound for what the hold would have kept.
    pub in_flight: Vec<InFlight>,
    /// Records that requests under way had erased before the hold was placed: of the held person, or of everybody where the hold is not on a
    /// person.
    pub erased_before: u64,
    /// Why sessions could not be ended, where that was tried in vain.
    pub problems: Vec<String>,
}

impl DrainReport {
    /// Records that requests under way have erased: before the hold was placed, and by permits that were in flight then.
    pub fn already_erased(&self) -> u64 {
        let in_flight: u64 = self.in_flight.iter().filter_map(|permit| permit.closing).map(|closing| closing.affected).sum();
        self.erased_before + in_flight
    }
}

const POLL: Duration = Duration::from_millis(25);

/// Waits until no older permit is open and makes the hold active. Overdue permits are fenced. Gives up after `patience`; may be called
/// again, by anybody, and for a hold that is active already it only reports.
pub async fn drain(
    ledger: &Ledger,
    hold_id: &str,
    killer: &dyn SessionKiller,
    patience: Duration,
    clock: &dyn Clock,
) -> Result<DrainReport, DrainError> {
    let started = Instant::now();
    let (epoch, barrier_us) = placed_at(ledger, hold_id).await?;
    let mut problems: Vec<String> = Vec::new();
    let drained = loop {
        let mut tx = ledger.begin().await?;
        let now_us = database_now(&mut tx).await?;
        let open = permit::open_permits_before(&mut tx, epoch).await?;
        if open.is_empty() {
            hold::activate(&mut tx, hold_id, clock.now()).await?;
            tx.commit().await.map_err(LedgerError::from)?;
            break Drained::Active;
        }
        // Nothing was written; the lock must not be held while we wait.
        tx.rollback().await.map_err(LedgerError::from)?;
        for overdue in open.iter().filter(|permit| permit.deadline_us <= now_us || permit.is_unknown()) {
            let left = patience.saturating_sub(started.elapsed()).max(POLL);
            match tokio::time::timeout(left, fence(ledger, killer, overdue)).await {
                Ok(Ok(())) => {}
                Ok(Err(FenceError::Ledger(error))) => return Err(error.into()),
                Ok(Err(FenceError::Session(error))) => note(&mut problems, error.to_string()),
                Err(_) => note(&mut problems, format!("the session in source `{}` did not end in time", overdue.source)),
            }
        }
        if started.elapsed() >= patience {
            break Drained::StillPlacing { open: open.len() };
        }
        tokio::time::sleep(POLL).await;
    };
    let mut tx = ledger.begin().await?;
    let in_flight = permit::in_flight_since(&mut tx, epoch, barrier_us).await?.into_iter().map(in_flight).collect();
    let erased_before = permit::erased_under_way(&mut tx, hold_id, barrier_us).await?;
    Ok(DrainReport { hold_id: hold_id.to_owned(), drained, in_flight, erased_before, problems })
}

/// Why a permit could not be fenced.
#[derive(Debug, Error)]
pub enum FenceError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The source failed.
    #[error(transparent)]
    Session(#[from] SessionError),
}

/// Takes an open permit away for good: revoke, end its session, record that its outcome has to be read. In this order nothing can be
/// committed under it afterwards. Also what a new attempt does with the permits of an earlier one before it reads the source.
pub async fn fence(ledger: &Ledger, killer: &dyn SessionKiller, permit: &PermitRow) -> Result<(), FenceError> {
    let mut tx = ledger.begin().await?;
    permit::revoke(&mut tx, &permit.id).await?;
    let now_us = database_now(&mut tx).await?;
    tx.commit().await.map_err(LedgerError::from)?;
    let left = Duration::from_micros(u64::try_from(permit.deadline_us.saturating_sub(now_us)).unwrap_or(0));
    killer.end_session(&permit.source, &permit.id, left).await?;
    let mut tx = ledger.begin().await?;
    permit::mark_fenced(&mut tx, &permit.id).await?;
    tx.commit().await.map_err(LedgerError::from)?;
    Ok(())
}

async fn placed_at(ledger: &Ledger, hold_id: &str) -> Result<(i64, i64), DrainError> {
    let mut tx = ledger.begin().await?;
    let found = hold::get(&mut tx, hold_id).await?;
    match (found.life.state.covers(), found.epoch, found.barrier_at) {
        (true, Some(epoch), Some(barrier_us)) => Ok((epoch, barrier_us)),
        _ => Err(DrainError::NotPlaced(found.life.state)),
    }
}

fn note(problems: &mut Vec<String>, problem: String) {
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}

fn in_flight(row: PermitRow) -> InFlight {
    InFlight {
        permit_id: row.id,
        request_id: row.request_id,
        source: row.source,
        record_count: row.record_count,
        closed_at_us: row.closed_at_us,
        closing: row.closing,
    }
}
