//! How far the carrying out of a manifest has come. Only the attempt that holds the request's job writes here, and the position never goes
//! back, so that a step that is told twice counts once (E-3, Q-1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::LedgerError;
use super::job::{JobLease, Writer, assert_current};
use crate::args;
use crate::db::{Record, Tx};
use crate::plan::Step;

/// Where a pass stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// The manifest is written; nothing has been touched.
    Frozen,
    /// The verifier has seen the records (V-3).
    Seen,
    /// Every record has been dealt with.
    Executed,
    /// Verified and certified.
    Done,
}

impl Stage {
    const ALL: [(Stage, &'static str); 4] =
        [(Stage::Frozen, "frozen"), (Stage::Seen, "seen"), (Stage::Executed, "executed"), (Stage::Done, "done")];

    fn as_str(self) -> &'static str {
        Self::ALL.iter().find(|(stage, _)| *stage == self).map_or("", |(_, word)| word)
    }

    fn parse(word: &str) -> Option<Stage> {
        Self::ALL.iter().find(|(_, known)| *known == word).map(|(stage, _)| *stage)
    }
}

/// What the records of one step came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTally {
    /// Changed by us.
    pub affected: u64,
    /// Gone, or as the step leaves them, before we touched them.
    pub already_done: u64,
    /// Left alone because of a hold.
    pub held: u64,
    /// Left alone because they were no longer as frozen.
    pub changed: u64,
}

impl StepTally {
    /// Adds another tally.
    pub fn add(&mut self, other: StepTally) {
        self.affected += other.affected;
        self.already_done += other.already_done;
        self.held += other.held;
        self.changed += other.changed;
    }
}

/// One pass.
#[derive(Debug, Clone)]
pub struct Execution {
    /// The request.
    pub request_id: String,
    /// The plan.
    pub plan_digest: String,
    /// Which pass.
    pub pass: i64,
    /// File of the manifest; `None` once destroyed.
    pub manifest_file: Option<String>,
    /// Its steps.
    pub steps: Vec<Step>,
    /// The person's names as planning learned them, sealed.
    pub names_sealed: Option<Vec<u8>>,
    /// Whether it holds everything of its plan, and not only rows found later.
    pub is_whole: bool,
    /// Where a later whole pass took over.
    pub truncated_at: Option<u64>,
    /// Digest of the holds under which it was decided.
    pub holds_digest: String,
    /// Records dealt with.
    pub position: u64,
    /// Per step.
    pub tallies: Vec<StepTally>,
    /// Where it stands.
    pub stage: Stage,
    /// Per step, records that the verifier saw before.
    pub seen: Option<Vec<u64>>,
    /// When it had seen them.
    pub seen_at: Option<Timestamp>,
}

impl Execution {
    /// The record at which the pass ends: all of them, or where a later pass took over.
    pub fn end(&self) -> u64 {
        self.truncated_at.unwrap_or_else(|| self.steps.iter().map(|step| step.records).sum())
    }

    /// How many records of a step the pass answers for.
    pub fn records_of(&self, step: usize) -> u64 {
        let before: u64 = self.steps.iter().take(step).map(|step| step.records).sum();
        self.steps.get(step).map_or(0, |step| step.records.min(self.end().saturating_sub(before)))
    }

    /// Records of the steps that change something: kept rows stand behind them.
    pub fn acting_records(&self) -> u64 {
        self.steps.iter().filter(|step| step.action != crate::plan::Action::Keep).map(|step| step.records).sum()
    }

    /// Records of the rows that others own too, which come first.
    pub fn records_of_others_too(&self) -> u64 {
        self.steps.iter().take_while(|step| step.of_others_too && !step.identity).map(|step| step.records).sum()
    }

    /// Whether rows that others own too were not as they had been frozen when their turn came.
    pub fn met_changed_owners(&self) -> bool {
        self.steps.iter().zip(&self.tallies).any(|(step, tally)| step.of_others_too && tally.changed > 0)
    }

    /// Records before the people themselves, and before what has to go in one transaction: where a pass waits until nothing new is found.
    pub fn records_before_people(&self) -> u64 {
        let before =
            self.steps.iter().take_while(|step| !step.identity && !step.deferred && step.action != crate::plan::Action::Keep);
        before.map(|step| step.records).sum()
    }
}

/// Writes a pass at its beginning.
pub async fn insert(tx: &mut Tx, lease: &JobLease, execution: &Execution, now: Timestamp) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let tallies = vec![StepTally::default(); execution.steps.len()];
    let sql = "INSERT INTO execution (request_id, plan_digest, pass, manifest_file, steps, holds_digest, is_whole, position, tallies, stage, created_at, names_sealed)
               VALUES ($1, $2, $3, $4, $5, $6, $7, 0, $8, 'frozen', $9, $10) ON CONFLICT (request_id, plan_digest, pass) DO NOTHING";
    let args = args![
        execution.request_id.as_str(),
        execution.plan_digest.as_str(),
        execution.pass,
        execution.manifest_file.as_deref(),
        json(&execution.steps)?,
        execution.holds_digest.as_str(),
        execution.is_whole,
        json(&tallies)?,
        now,
        execution.names_sealed.clone(),
    ];
    tx.on().execute(sql, args).await?;
    Ok(())
}

/// Writes what the verifier saw before anything was touched.
pub async fn set_seen(tx: &mut Tx, lease: &JobLease, pass: &Execution, seen: &[u64], at: Timestamp) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql = "UPDATE execution SET seen = $4, seen_at = $5, stage = 'seen'
               WHERE request_id = $1 AND plan_digest = $2 AND pass = $3 AND stage = 'frozen'";
    let args = args![pass.request_id.as_str(), pass.plan_digest.as_str(), pass.pass, json(&seen)?, at];
    changed_one(tx.on().execute(sql, args).await?)
}

/// Moves a pass forward.
pub async fn advance(
    tx: &mut Tx,
    lease: &JobLease,
    pass: &Execution,
    position: u64,
    tallies: &[StepTally],
) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql = "UPDATE execution SET position = $4, tallies = $5
               WHERE request_id = $1 AND plan_digest = $2 AND pass = $3 AND position <= $4";
    let position = i64::try_from(position).unwrap_or(i64::MAX);
    let args = args![pass.request_id.as_str(), pass.plan_digest.as_str(), pass.pass, position, json(&tallies)?];
    changed_one(tx.on().execute(sql, args).await?)
}

/// Ends a pass where it stands: a later whole pass goes on from there.
pub async fn truncate(tx: &mut Tx, lease: &JobLease, pass: &Execution) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql = "UPDATE execution SET truncated_at = position WHERE request_id = $1 AND plan_digest = $2 AND pass = $3";
    changed_one(tx.on().execute(sql, args![pass.request_id.as_str(), pass.plan_digest.as_str(), pass.pass]).await?)
}

/// Moves a pass to its next stage.
pub async fn set_stage(tx: &mut Tx, lease: &JobLease, pass: &Execution, stage: Stage) -> Result<(), LedgerError> {
    assert_current(tx, lease).await?;
    let sql = "UPDATE execution SET stage = $4 WHERE request_id = $1 AND plan_digest = $2 AND pass = $3";
    let args = args![pass.request_id.as_str(), pass.plan_digest.as_str(), pass.pass, stage.as_str()];
    changed_one(tx.on().execute(sql, args).await?)
}

/// The manifest has been destroyed.
pub async fn forget_manifest(tx: &mut Tx, writer: Writer<'_>, pass: &Execution) -> Result<(), LedgerError> {
    writer.check(tx).await?;
    let sql = "UPDATE execution SET manifest_file = NULL WHERE request_id = $1 AND plan_digest = $2 AND pass = $3";
    changed_one(tx.on().execute(sql, args![pass.request_id.as_str(), pass.plan_digest.as_str(), pass.pass]).await?)
}

/// All passes of a request, oldest plan first.
pub async fn of_request(tx: &mut Tx, request_id: &str) -> Result<Vec<Execution>, LedgerError> {
    let sql = "SELECT request_id, plan_digest, pass, manifest_file, steps, holds_digest, is_whole, truncated_at, position, tallies, stage, seen, names_sealed,
                      seen_at
               FROM execution WHERE request_id = $1 ORDER BY created_at, pass";
    tx.on().fetch_all(sql, args![request_id]).await?.iter().map(read).collect()
}

/// Requests with a finished pass whose manifest is still there, oldest first.
pub async fn with_manifests(tx: &mut Tx) -> Result<Vec<String>, LedgerError> {
    let sql = "SELECT request_id, MIN(created_at) AS first FROM execution WHERE stage = 'done' AND manifest_file IS NOT NULL
               GROUP BY request_id ORDER BY first, request_id";
    let rows = tx.on().fetch_all(sql, args![]).await?;
    rows.iter().map(|row| Ok(row.text("request_id")?)).collect()
}

fn read(row: &Record) -> Result<Execution, LedgerError> {
    let unreadable = |problem: &str| LedgerError::Unreadable { noun: "execution", problem: problem.to_owned() };
    let seen = row.opt_text("seen")?.map(|text| serde_json::from_str(&text)).transpose().map_err(|_| unreadable("seen"))?;
    Ok(Execution {
        request_id: row.text("request_id")?,
        plan_digest: row.text("plan_digest")?,
        pass: row.int("pass")?,
        manifest_file: row.opt_text("manifest_file")?,
        steps: serde_json::from_str(&row.text("steps")?).map_err(|_| unreadable("steps"))?,
        names_sealed: row.opt_bytes("names_sealed")?,
        is_whole: row.flag("is_whole")?,
        truncated_at: row.opt_int("truncated_at")?.map(|at| u64::try_from(at).unwrap_or(0)),
        holds_digest: row.text("holds_digest")?,
        position: u64::try_from(row.int("position")?).map_err(|_| unreadable("position"))?,
        tallies: serde_json::from_str(&row.text("tallies")?).map_err(|_| unreadable("tallies"))?,
        stage: Stage::parse(&row.text("stage")?).ok_or_else(|| unreadable("stage"))?,
        seen,
        seen_at: row.opt_instant("seen_at")?,
    })
}

fn json<T: Serialize>(document: &T) -> Result<String, LedgerError> {
    serde_json::to_string(document)
        .map_err(|_| LedgerError::Unreadable { noun: "execution", problem: "it has no JSON form".into() })
}

fn changed_one(rows: u64) -> Result<(), LedgerError> {
    if rows == 1 { Ok(()) } else { Err(LedgerError::Stale) }
}
