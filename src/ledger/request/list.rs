//! Looking over requests: the most urgent first, with what needs a person's attention. A request whose job has died is in every such
//! list with its deadline, because the deadline did not die.

use jiff::Timestamp;

use super::{Request, columns, read};
use crate::args;
use crate::db::Tx;
use crate::ledger::LedgerError;
use crate::request::{Kind, Status};

/// Which requests to list; every condition that is set has to be met.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// In this status.
    pub status: Option<Status>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Only those for which something is left to do.
    pub open_only: bool,
    /// Only open ones whose deadline is at or before this instant.
    pub due_by: Option<Timestamp>,
    /// About this person (keyed hash).
    pub subject_ref: Option<String>,
    /// How many to pass over.
    pub offset: i64,
    /// How many at most; 0 means 100.
    pub limit: i64,
}

/// A request in a list.
#[derive(Debug, Clone)]
pub struct Listed {
    /// The request.
    pub request: Request,
    /// How many of its jobs were given up.
    pub dead_jobs: i64,
    /// How many of its jobs wait or run.
    pub live_jobs: i64,
}

/// Lists requests: open ones first, by deadline; then closed ones, newest first.
pub async fn list(tx: &mut Tx, filter: &Filter) -> Result<Vec<Listed>, LedgerError> {
    let sql = concat!(
        "SELECT ",
        columns!(),
        ", (SELECT COUNT(*) FROM job j WHERE j.request_id = request.id AND j.state = 'dead') AS dead_jobs,
           (SELECT COUNT(*) FROM job j WHERE j.request_id = request.id AND j.state IN ('ready', 'running')) AS live_jobs
         FROM request
         WHERE ($1 IS NULL OR status = $1) AND ($2 IS NULL OR kind = $2) AND ($3 = 0 OR closed_at IS NULL)
           AND ($4 IS NULL OR (closed_at IS NULL AND COALESCE(extended_to, due_at) <= $4))
           AND ($5 IS NULL OR subject_ref = $5)
         ORDER BY CASE WHEN closed_at IS NULL THEN 0 ELSE 1 END,
                  CASE WHEN closed_at IS NULL THEN COALESCE(extended_to, due_at, 9223372036854775807) ELSE -closed_at END, id
         LIMIT $6 OFFSET $7"
    );
    let args = args![
        filter.status.map(Status::as_str),
        filter.kind.map(Kind::as_str),
        filter.open_only,
        filter.due_by,
        filter.subject_ref.as_deref(),
        if filter.limit == 0 { 100 } else { filter.limit },
        filter.offset,
    ];
    let rows = tx.on().fetch_all(sql, args).await?;
    rows.iter()
        .map(|row| Ok(Listed { request: read(row)?, dead_jobs: row.int("dead_jobs")?, live_jobs: row.int("live_jobs")? }))
        .collect()
}
