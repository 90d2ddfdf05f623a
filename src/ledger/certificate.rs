//! Issued certificates: what was said about which request, and the exact text that was signed. Never changed afterwards except for
//! where the folder lies: a later finding is a later certificate that names this one.

use jiff::Timestamp;

use super::{Ledger, LedgerError};
use crate::args;
use crate::db::{Record, Tx};

/// One certificate as it lies in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRow {
    /// Its id, a UUID.
    pub id: String,
    /// The request that it is about.
    pub request_id: String,
    /// `complete`, `partial` or `refused`.
    pub outcome: String,
    /// Level of the whole; `None` where nothing was erased.
    pub level: Option<u8>,
    /// `sha256:` and hex of the document.
    pub digest: String,
    /// The exact text that is signed.
    pub document: String,
    /// Position of its journal entry.
    pub entry_seq: u64,
    /// Where the folder was published.
    pub folder: Option<String>,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The earlier certificate that it adds to or replaces.
    pub supersedes: Option<String>,
}

/// Keeps a new certificate.
pub(crate) async fn insert(tx: &mut Tx, row: &CertificateRow) -> Result<(), LedgerError> {
    tx.on()
        .execute(
            "INSERT INTO certificate (id, request_id, outcome, level, digest, document, entry_seq, folder, issued_at, supersedes) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            args![
                row.id.as_str(),
                row.request_id.as_str(),
                row.outcome.as_str(),
                row.level.map(i64::from),
                row.digest.as_str(),
                row.document.as_str(),
                row.entry_seq as i64,
                row.folder.as_deref(),
                row.issued_at,
                row.supersedes.as_deref()
            ],
        )
        .await?;
    Ok(())
}

/// Notes where a certificate's folder lies.
pub(crate) async fn set_folder(tx: &mut Tx, id: &str, folder: &str) -> Result<(), LedgerError> {
    tx.on().execute("UPDATE certificate SET folder = $2 WHERE id = $1", args![id, folder]).await?;
    Ok(())
}

/// One certificate by its id.
pub async fn find(ledger: &Ledger, id: &str) -> Result<Option<CertificateRow>, LedgerError> {
    let mut session = ledger.db().session().await?;
    let row = session
        .on()
        .fetch_optional(
            "SELECT id, request_id, outcome, level, digest, document, entry_seq, folder, issued_at, supersedes \
             FROM certificate WHERE id = $1",
            args![id],
        )
        .await?;
    row.as_ref().map(certificate_row).transpose()
}

/// The certificates of a request, oldest first.
pub async fn of_request(ledger: &Ledger, request_id: &str) -> Result<Vec<CertificateRow>, LedgerError> {
    let mut session = ledger.db().session().await?;
    let rows = session
        .on()
        .fetch_all(
            "SELECT id, request_id, outcome, level, digest, document, entry_seq, folder, issued_at, supersedes \
             FROM certificate WHERE request_id = $1 ORDER BY entry_seq",
            args![request_id],
        )
        .await?;
    rows.iter().map(certificate_row).collect()
}

fn certificate_row(row: &Record) -> Result<CertificateRow, LedgerError> {
    Ok(CertificateRow {
        id: row.text("id")?,
        request_id: row.text("request_id")?,
        outcome: row.text("outcome")?,
        level: row.opt_int("level")?.map(|level| level as u8),
        digest: row.text("digest")?,
        document: row.text("document")?,
        entry_seq: row.int("entry_seq")? as u64,
        folder: row.opt_text("folder")?,
        issued_at: row.instant("issued_at")?,
        supersedes: row.opt_text("supersedes")?,
    })
}
