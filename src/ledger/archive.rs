//! The files of archives: noted before they are written, published with the answer that names them, and struck off when they are proved gone.
//! The note comes first, so that a file of an attempt that died is found and removed.

use jiff::Timestamp;

use super::LedgerError;
use super::job::Writer;
use crate::args;
use crate::db::{Record, Tx};

/// A file of an archive that may be there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveFile {
    /// The request that it answers.
    pub request_id: String,
    /// A path, or `s3://bucket/key`.
    pub path: String,
    /// When the request's answer named it; none for what an attempt left behind.
    pub published_at: Option<Timestamp>,
    /// When it is to be removed.
    pub expires_at: Timestamp,
    /// Why it could not be removed when it was due.
    pub problem: Option<String>,
}

macro_rules! living {
    ($rest:literal) => {
        concat!("SELECT request_id, path, published_at, expires_at, problem FROM archive_file WHERE removed_at IS NULL AND ", $rest)
    };
}

/// Notes that a file is about to be written.
pub async fn begin(
    tx: &mut Tx,
    writer: Writer<'_>,
    request_id: &str,
    path: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), LedgerError> {
    writer.check(tx).await?;
    let sql = "INSERT INTO archive_file (request_id, path, begun_at, expires_at) VALUES ($1, $2, $3, $4) \
               ON CONFLICT (request_id, path) DO UPDATE SET \
                 published_at = CASE WHEN archive_file.removed_at IS NULL THEN archive_file.published_at END, \
                 begun_at = excluded.begun_at, expires_at = excluded.expires_at, removed_at = NULL, problem = NULL";
    tx.on().execute(sql, args![request_id, path, now, expires_at]).await?;
    Ok(())
}

/// Notes that the request's answer names a file, in the transaction that writes the answer.
pub async fn publish(
    tx: &mut Tx,
    writer: Writer<'_>,
    request_id: &str,
    path: &str,
    now: Timestamp,
    expires_at: Timestamp,
) -> Result<(), LedgerError> {
    writer.check(tx).await?;
    let sql = "UPDATE archive_file SET published_at = $3, expires_at = $4 WHERE request_id = $1 AND path = $2";
    match tx.on().execute(sql, args![request_id, path, now, expires_at]).await? {
        1 => Ok(()),
        _ => Err(LedgerError::NotFound { noun: "file of an archive" }),
    }
}

/// Every file of a request that may be there.
pub async fn of_request(tx: &mut Tx, request_id: &str) -> Result<Vec<ArchiveFile>, LedgerError> {
    let sql = living!("request_id = $1 ORDER BY path");
    tx.on().fetch_all(sql, args![request_id]).await?.iter().map(read).collect()
}

/// Files whose time is over, the oldest first.
pub async fn due(tx: &mut Tx, now: Timestamp) -> Result<Vec<ArchiveFile>, LedgerError> {
    let sql = living!("expires_at <= $1 ORDER BY expires_at, request_id, path");
    tx.on().fetch_all(sql, args![now]).await?.iter().map(read).collect()
}

/// Strikes a file off: a list has shown that nothing of it is there.
pub async fn removed(tx: &mut Tx, file: &ArchiveFile, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE archive_file SET removed_at = $3, problem = NULL WHERE request_id = $1 AND path = $2";
    tx.on().execute(sql, args![file.request_id.as_str(), file.path.as_str(), now]).await?;
    Ok(())
}

/// Makes a file due at once, and says why it is still there.
pub async fn still_there(tx: &mut Tx, file: &ArchiveFile, problem: &str, now: Timestamp) -> Result<(), LedgerError> {
    let sql = "UPDATE archive_file SET problem = $3, expires_at = CASE WHEN expires_at < $4 THEN expires_at ELSE $4 END \
               WHERE request_id = $1 AND path = $2";
    tx.on().execute(sql, args![file.request_id.as_str(), file.path.as_str(), problem, now]).await?;
    Ok(())
}

fn read(row: &Record) -> Result<ArchiveFile, LedgerError> {
    Ok(ArchiveFile {
        request_id: row.text("request_id")?,
        path: row.text("path")?,
        published_at: row.opt_instant("published_at")?,
        expires_at: row.instant("expires_at")?,
        problem: row.opt_text("problem")?,
    })
}
