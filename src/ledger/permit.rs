//! Permits in the ledger: their rows and nothing else. The protocol that gives them their meaning is `erase::permit`.
//! Times are database time in microseconds; every write names the attempt, so that a stale one changes nothing.

use std::time::Duration;

use super::hold::share_epoch;
use super::{LedgerError, database_now};
use crate::args;
use crate::db::{Record, Tx};

/// What became of the records of a permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PermitOutcome {
    /// The source said that the transaction was committed, or reading it again showed so.
    Committed,
    /// Nothing was changed.
    RolledBack,
    /// Not known: the source must be read before anything else happens (E-2).
    Unknown,
}

impl PermitOutcome {
    const ALL: [PermitOutcome; 3] = [PermitOutcome::Committed, PermitOutcome::RolledBack, PermitOutcome::Unknown];

    /// The word in the ledger.
    pub fn as_str(self) -> &'static str {
        match self {
            PermitOutcome::Committed => "committed",
            PermitOutcome::RolledBack => "rolled_back",
            PermitOutcome::Unknown => "unknown",
        }
    }

    fn parse(word: &str) -> Option<PermitOutcome> {
        Self::ALL.into_iter().find(|outcome| outcome.as_str() == word)
    }
}

/// How a permit ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Closing {
    /// What became of the records.
    pub outcome: PermitOutcome,
    /// Records erased, masked or unlinked.
    pub affected: u64,
    /// Records that were gone before.
    pub already_absent: u64,
    /// Records left alone because of a hold.
    pub held: u64,
}

impl PermitRow {
    /// Whether its outcome is still to be read in the source.
    pub fn is_unknown(&self) -> bool {
        self.closing.is_some_and(|closing| closing.outcome == PermitOutcome::Unknown)
    }
}

impl Closing {
    /// Nothing was changed; `held` records were the reason, or none.
    pub fn nothing_done(held: u64) -> Closing {
        Closing { outcome: PermitOutcome::RolledBack, affected: 0, already_absent: 0, held }
    }

    /// The session was lost at its commit.
    pub fn unknown() -> Closing {
        Closing { outcome: PermitOutcome::Unknown, affected: 0, already_absent: 0, held: 0 }
    }
}

/// Who works under a permit: a job and its fencing token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// The job.
    pub job_id: String,
    /// Which attempt of it.
    pub number: i64,
}

/// A permit as the ledger tells it. It gives no leave to erase: only [`crate::erase::Permit`] does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PermitRow {
    /// Random, in hex.
    pub id: String,
    /// The request.
    pub request_id: String,
    /// Who works under it.
    pub attempt: Attempt,
    /// It has seen the holds up to this epoch.
    pub hold_epoch: i64,
    /// Digest of the holds that it has seen.
    pub hold_digest: String,
    /// The configured source.
    pub source: String,
    /// Number of the batch within request and source.
    pub batch_no: i64,
    /// Records in the batch.
    pub record_count: u64,
    /// Digest of the batch.
    pub digest: String,
    /// When it was opened.
    pub opened_at_us: i64,
    /// When it ends by itself.
    pub deadline_us: i64,
    /// When it was revoked.
    pub revoked_at_us: Option<i64>,
    /// When its session was known to have ended.
    pub fenced_at_us: Option<i64>,
    /// When its outcome was recorded.
    pub closed_at_us: Option<i64>,
    /// Its outcome; `None` while it is open.
    pub closing: Option<Closing>,
}

/// Whether an attempt is the one that runs its job.
pub async fn is_current(tx: &mut Tx, attempt: &Attempt) -> Result<bool, LedgerError> {
    let sql = "SELECT 1 AS current FROM job WHERE id = $1 AND attempt = $2 AND state = 'running'";
    Ok(tx.on().fetch_optional(sql, args![attempt.job_id.as_str(), attempt.number]).await?.is_some())
}

/// Stores a new permit.
pub(crate) async fn insert(tx: &mut Tx, row: &PermitRow) -> Result<(), LedgerError> {
    let sql = "INSERT INTO permit (id, request_id, job_id, attempt, hold_epoch, hold_digest, source, batch_no, record_count, digest, \
               opened_at, deadline) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)";
    let values = args![
        row.id.as_str(),
        row.request_id.as_str(),
        row.attempt.job_id.as_str(),
        row.attempt.number,
        row.hold_epoch,
        row.hold_digest.as_str(),
        row.source.as_str(),
        row.batch_no,
        stored_count(row.record_count),
        row.digest.as_str(),
        row.opened_at_us,
        row.deadline_us
    ];
    tx.on().execute(sql, values).await?;
    Ok(())
}

/// Records the outcome of an open permit, or of one whose outcome was unknown. False when there is no such permit of this attempt,
/// when its outcome is known already, or when the attempt is stale.
pub(crate) async fn close(tx: &mut Tx, id: &str, opened_by: &Attempt, closing: &Closing) -> Result<bool, LedgerError> {
    if !is_current(tx, opened_by).await? {
        return Ok(false);
    }
    record_outcome(tx, id, Some(opened_by), closing).await
}

/// Records what reading the source again has shown of an unsettled permit of this request, which an earlier attempt may have opened.
/// Fence the permit first: until then its session may still commit.
pub async fn settle(tx: &mut Tx, id: &str, by: &Attempt, closing: &Closing) -> Result<(), LedgerError> {
    let sql = "SELECT 1 AS fenced FROM permit WHERE id = $1 AND fenced_at IS NOT NULL";
    let fenced = tx.on().fetch_optional(sql, args![id]).await?.is_some();
    if fenced && is_current(tx, by).await? && record_outcome(tx, id, None, closing).await? {
        return Ok(());
    }
    Err(LedgerError::Stale)
}

async fn record_outcome(tx: &mut Tx, id: &str, opened_by: Option<&Attempt>, closing: &Closing) -> Result<bool, LedgerError> {
    // The lock puts every closing before or after a hold's placing, so that the hold's report of what was in flight is exact.
    share_epoch(tx).await?;
    let now_us = database_now(tx).await?;
    let sql = "UPDATE permit SET closed_at = COALESCE(closed_at, $2), outcome = $3, affected = $4, already_absent = $5, held = $6 \
               WHERE id = $1 AND (outcome IS NULL OR outcome = 'unknown') \
               AND (job_id = $7 OR $7 IS NULL) AND (attempt = $8 OR $8 IS NULL)";
    let values = args![
        id,
        now_us,
        closing.outcome.as_str(),
        stored_count(closing.affected),
        stored_count(closing.already_absent),
        stored_count(closing.held),
        opened_by.map(|attempt| attempt.job_id.as_str()),
        opened_by.map(|attempt| attempt.number)
    ];
    Ok(tx.on().execute(sql, values).await? == 1)
}

/// Takes the leave away. What has been committed in the source by now stays; nothing is committed after the session is ended as well.
pub async fn revoke(tx: &mut Tx, id: &str) -> Result<(), LedgerError> {
    let now_us = database_now(tx).await?;
    let sql = "UPDATE permit SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL AND (outcome IS NULL OR outcome = 'unknown')";
    tx.on().execute(sql, args![id, now_us]).await?;
    Ok(())
}

/// Notes that the session of a revoked permit has ended. An open one is closed with an unknown outcome, to be read in the source.
pub(crate) async fn mark_fenced(tx: &mut Tx, id: &str) -> Result<(), LedgerError> {
    share_epoch(tx).await?;
    let now_us = database_now(tx).await?;
    let sql = "UPDATE permit SET fenced_at = $2, closed_at = COALESCE(closed_at, $2), outcome = 'unknown', affected = 0, \
               already_absent = 0, held = 0 WHERE id = $1 AND revoked_at IS NOT NULL AND (outcome IS NULL OR outcome = 'unknown')";
    tx.on().execute(sql, args![id, now_us]).await?;
    Ok(())
}

/// One permit.
pub async fn get(tx: &mut Tx, id: &str) -> Result<Option<PermitRow>, LedgerError> {
    let row = tx.on().fetch_optional("SELECT * FROM permit WHERE id = $1", args![id]).await?;
    row.map(|row| read(&row)).transpose()
}

/// Permits that have not seen the holds of this epoch and may still commit: open ones, and those that were closed as unknown (the
/// connection was lost) while nobody has seen to it that their session is gone.
pub async fn open_permits_before(tx: &mut Tx, epoch: i64) -> Result<Vec<PermitRow>, LedgerError> {
    let sql = "SELECT * FROM permit WHERE (outcome IS NULL OR outcome = 'unknown') AND fenced_at IS NULL AND hold_epoch < $1 \
               ORDER BY opened_at, id";
    tx.on().fetch_all(sql, args![epoch]).await?.iter().map(read).collect()
}

/// Permits that have not seen the holds of this epoch and were at work at `barrier_us` or later: open, unknown, or closed since.
pub async fn in_flight_since(tx: &mut Tx, epoch: i64, barrier_us: i64) -> Result<Vec<PermitRow>, LedgerError> {
    let sql = "SELECT * FROM permit WHERE hold_epoch < $1 AND (closed_at IS NULL OR outcome = 'unknown' OR closed_at >= $2) ORDER BY opened_at, id";
    tx.on().fetch_all(sql, args![epoch, barrier_us]).await?.iter().map(read).collect()
}

/// Records that were erased before `barrier_us` for requests that are still under way: those of the held person where the hold is on a person,
/// else of everybody, since after an erasure nobody can tell which of its records a condition would have covered.
pub async fn erased_under_way(tx: &mut Tx, hold_id: &str, barrier_us: i64) -> Result<u64, LedgerError> {
    let sql = "SELECT CAST(COALESCE(SUM(p.affected), 0) AS BIGINT) AS erased
               FROM permit p JOIN job j ON j.id = p.job_id AND j.state IN ('ready', 'running')
               WHERE p.outcome = 'committed' AND p.closed_at < $2
                 AND (NOT EXISTS (SELECT 1 FROM hold_alias a WHERE a.hold_id = $1)
                      OR EXISTS (SELECT 1 FROM hold_alias a JOIN request_alias r ON r.alias_ref = a.alias_ref
                                 WHERE a.hold_id = $1 AND r.request_id = p.request_id))";
    Ok(tx.on().fetch_one(sql, args![hold_id, barrier_us]).await?.int("erased")?.unsigned_abs())
}

/// Permits of a request that are open or whose outcome is unknown: after a crash they are fenced and read before anything else (E-2).
pub async fn unsettled_of_request(tx: &mut Tx, request_id: &str) -> Result<Vec<PermitRow>, LedgerError> {
    let sql = "SELECT * FROM permit WHERE request_id = $1 AND (outcome IS NULL OR outcome = 'unknown') ORDER BY opened_at, id";
    tx.on().fetch_all(sql, args![request_id]).await?.iter().map(read).collect()
}

/// Whether a batch of a plan was committed under an earlier permit. While its pass still stands before the batch, this means that the attempt
/// died between the source's commit and the ledger's note of it, and that reading the source showed so.
pub async fn was_committed(tx: &mut Tx, request_id: &str, source: &str, batch_no: i64, digest: &str) -> Result<bool, LedgerError> {
    let sql = "SELECT 1 AS known FROM permit WHERE request_id = $1 AND source = $2 AND batch_no = $3 AND digest = $4 AND outcome = 'committed' LIMIT 1";
    Ok(tx.on().fetch_optional(sql, args![request_id, source, batch_no, digest]).await?.is_some())
}

/// Database time `ttl` from `now_us`.
pub(crate) fn deadline(now_us: i64, ttl: Duration) -> i64 {
    now_us.saturating_add(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
}

fn stored_count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn read(row: &Record) -> Result<PermitRow, LedgerError> {
    let count = |column: &str| Ok::<u64, LedgerError>(row.opt_int(column)?.unwrap_or(0).unsigned_abs());
    let closing = match row.opt_text("outcome")? {
        None => None,
        Some(word) => Some(Closing {
            outcome: PermitOutcome::parse(&word)
                .ok_or_else(|| LedgerError::Unreadable { noun: "permit", problem: format!("unknown outcome `{word}`") })?,
            affected: count("affected")?,
            already_absent: count("already_absent")?,
            held: count("held")?,
        }),
    };
    Ok(PermitRow {
        id: row.text("id")?,
        request_id: row.text("request_id")?,
        attempt: Attempt { job_id: row.text("job_id")?, number: row.int("attempt")? },
        hold_epoch: row.int("hold_epoch")?,
        hold_digest: row.text("hold_digest")?,
        source: row.text("source")?,
        batch_no: row.int("batch_no")?,
        record_count: count("record_count")?,
        digest: row.text("digest")?,
        opened_at_us: row.int("opened_at")?,
        deadline_us: row.int("deadline")?,
        revoked_at_us: row.opt_int("revoked_at")?,
        fenced_at_us: row.opt_int("fenced_at")?,
        closed_at_us: row.opt_int("closed_at")?,
        closing,
    })
}
