//! The row of a hold: reading and writing its columns, nothing else.

use jiff::Timestamp;
use jiff::civil::Date;

use super::LedgerError;
use super::hold::HoldError;
use crate::args;
use crate::db::{Record, Tx};
use crate::hold::{Act, HoldRef, Life, Matter, NewHold, Reason, State};

/// A hold as lists show it: nothing in it names the person it is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// A code that people can read out.
    pub id: String,
    /// The matter.
    pub matter: Matter,
    /// Why.
    pub reason: Reason,
    /// subject, record, collection, predicate or everything.
    pub scope_kind: String,
    /// What has happened to it so far.
    pub life: Life,
    /// Permits below this epoch have not seen it; `None` while it is only proposed.
    pub epoch: Option<i64>,
    /// When it was placed, in microseconds of database time.
    pub barrier_at: Option<i64>,
    /// When somebody should look at it again.
    pub review_on: Option<Date>,
}

impl Hold {
    /// How results and certificates name it.
    pub fn reference(&self) -> HoldRef {
        HoldRef { id: self.id.clone(), matter: self.matter.clone(), review_on: self.review_on }
    }
}

/// A hold and its sealed scope.
pub(super) struct HoldRow {
    pub(super) hold: Hold,
    pub(super) sealed_scope: Vec<u8>,
}

pub(super) async fn find(tx: &mut Tx, id: &str) -> Result<Option<HoldRow>, LedgerError> {
    let row = tx.on().fetch_optional("SELECT * FROM hold WHERE id = $1", args![id]).await?;
    row.map(|row| read(&row)).transpose()
}

pub(super) async fn all(tx: &mut Tx) -> Result<Vec<HoldRow>, LedgerError> {
    let sql = "SELECT * FROM hold ORDER BY COALESCE(placed_at, proposed_at) DESC, id";
    tx.on().fetch_all(sql, args![]).await?.iter().map(read).collect()
}

pub(super) async fn insert(
    tx: &mut Tx,
    id: &str,
    hold: &NewHold,
    life: &Life,
    sealed_scope: Vec<u8>,
    epoch: Option<i64>,
    barrier_at: Option<i64>,
) -> Result<(), LedgerError> {
    let sql = "INSERT INTO hold (id, matter, reason_code, state, scope_kind, scope, epoch, barrier_at, review_on, \
               proposed_by, proposed_at, placed_by, placed_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
    let review_on = hold.review_on().map(|date| date.to_string());
    let (proposed_by, proposed_at) = parts(&life.proposed);
    let (placed_by, placed_at) = parts(&life.placed);
    let values = args![
        id,
        hold.matter().as_str(),
        hold.reason().as_str(),
        life.state.as_str(),
        hold.scope().kind(),
        sealed_scope,
        epoch,
        barrier_at,
        review_on,
        proposed_by,
        proposed_at,
        placed_by,
        placed_at
    ];
    tx.on().execute(sql, values).await?;
    Ok(())
}

pub(super) async fn save_life(tx: &mut Tx, id: &str, life: &Life) -> Result<(), HoldError> {
    let sql = "UPDATE hold SET state = $2, placed_by = $3, placed_at = $4, active_at = $5, release_requested_by = $6, \
               release_requested_at = $7, release_approved_by = $8, release_approved_at = $9, release_at = $10, released_at = $11 \
               WHERE id = $1";
    let (placed_by, placed_at) = parts(&life.placed);
    let (requested_by, requested_at) = parts(&life.release_requested);
    let (approved_by, approved_at) = parts(&life.release_approved);
    let values = args![
        id,
        life.state.as_str(),
        placed_by,
        placed_at,
        life.active_at,
        requested_by,
        requested_at,
        approved_by,
        approved_at,
        life.release_at,
        life.released_at
    ];
    match tx.on().execute(sql, values).await? {
        1 => Ok(()),
        _ => Err(HoldError::NotFound { id: id.to_owned() }),
    }
}

fn parts(act: &Option<Act>) -> (Option<&str>, Option<Timestamp>) {
    (act.as_ref().map(|act| act.by.as_str()), act.as_ref().map(|act| act.at))
}

fn read(row: &Record) -> Result<HoldRow, LedgerError> {
    let state = row.text("state")?;
    let reason = row.text("reason_code")?;
    let life = Life {
        state: State::parse(&state).ok_or_else(|| unreadable(format!("unknown state `{state}`")))?,
        proposed: act(row, "proposed_by", "proposed_at")?,
        placed: act(row, "placed_by", "placed_at")?,
        active_at: row.opt_instant("active_at")?,
        release_requested: act(row, "release_requested_by", "release_requested_at")?,
        release_approved: act(row, "release_approved_by", "release_approved_at")?,
        release_at: row.opt_instant("release_at")?,
        released_at: row.opt_instant("released_at")?,
    };
    let hold = Hold {
        id: row.text("id")?,
        matter: matter(row)?,
        reason: Reason::parse(&reason).ok_or_else(|| unreadable(format!("unknown reason `{reason}`")))?,
        scope_kind: row.text("scope_kind")?,
        life,
        epoch: row.opt_int("epoch")?,
        barrier_at: row.opt_int("barrier_at")?,
        review_on: review_on(row)?,
    };
    Ok(HoldRow { hold, sealed_scope: row.bytes("scope")? })
}

fn act(row: &Record, by: &str, at: &str) -> Result<Option<Act>, LedgerError> {
    Ok(row.opt_text(by)?.zip(row.opt_instant(at)?).map(|(by, at)| Act { by, at }))
}

pub(super) fn matter(row: &Record) -> Result<Matter, LedgerError> {
    Matter::new(&row.text("matter")?).map_err(|error| unreadable(error.to_string()))
}

pub(super) fn review_on(row: &Record) -> Result<Option<Date>, LedgerError> {
    let parse = |text: String| text.parse::<Date>().map_err(|_| unreadable("the review date is not a date".into()));
    row.opt_text("review_on")?.map(parse).transpose()
}

fn unreadable(problem: String) -> LedgerError {
    LedgerError::Unreadable { noun: "hold", problem }
}
