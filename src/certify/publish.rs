//! From a finished certificate to its folder, in two steps that a crash may fall between: recording commits the document and its journal
//! entry with the change of the request; publishing makes the folder from what was recorded, as often as it is asked to, always the same.

use std::path::Path;

use thiserror::Error;

use super::bundle::{self, BundleError, BundlePaths};
use super::certificate::{Certificate, entry_of};
use super::document::Document;
use crate::clock::Clock;
use crate::crypto::CryptoError;
use crate::db::Tx;
use crate::journal::{self, JournalError, Notary};
use crate::ledger::certificate::{CertificateRow, find, insert, set_folder};
use crate::ledger::{Ledger, LedgerError};

/// What can go wrong with issuing a certificate.
#[derive(Debug, Error)]
pub enum CertifyError {
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The journal refused: nothing is certified over a journal that is not what was signed.
    #[error(transparent)]
    Journal(#[from] JournalError),
    /// The folder could not be written.
    #[error(transparent)]
    Bundle(#[from] BundleError),
    /// No random bytes.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
    /// There is no such certificate.
    #[error("the ledger has no certificate {id}")]
    NotFound {
        /// The id that was asked for.
        id: String,
    },
    /// The certificate was made for another key or journal than the one that is to sign it.
    #[error("certificate {id} names another key or journal than the one that is to sign it")]
    OtherIssuer {
        /// Its id.
        id: String,
    },
}

/// Keeps a certificate and journals its issue. Last in a transaction, like every append to the journal.
pub async fn record(tx: &mut Tx, certificate: &Certificate) -> Result<u64, LedgerError> {
    let document = certificate.document();
    let entry_seq = journal::append(tx, &entry_of(document, certificate.digest())).await?;
    let row = CertificateRow {
        id: document.certificate_id.to_string(),
        request_id: document.request.id.to_string(),
        outcome: document.outcome.as_str().to_owned(),
        level: document.level.map(u8::from),
        digest: certificate.digest().to_string(),
        document: certificate.text().to_owned(),
        entry_seq,
        folder: None,
        issued_at: document.issued_at,
        supersedes: document.supersedes.as_ref().map(ToString::to_string),
    };
    insert(tx, &row).await?;
    Ok(entry_seq)
}

/// Signs a recorded certificate, proves its entry under a new checkpoint and writes its folder. A journal that is not what was signed
/// makes it refuse.
pub async fn publish(
    ledger: &Ledger,
    notary: &Notary,
    clock: &dyn Clock,
    id: &str,
    folder: &Path,
) -> Result<BundlePaths, CertifyError> {
    let row = find(ledger, id).await?.ok_or_else(|| CertifyError::NotFound { id: id.to_owned() })?;
    let unreadable = |error: serde_json::Error| LedgerError::Unreadable { noun: "certificate", problem: error.to_string() };
    let document: Document = serde_json::from_str(&row.document).map_err(unreadable)?;
    let anchor = notary.anchor();
    if document.issuer.key != anchor.key().fingerprint() || document.issuer.journal != anchor.origin().as_str() {
        return Err(CertifyError::OtherIssuer { id: id.to_owned() });
    }
    let signed = journal::publish_checkpoint(ledger, notary, clock).await?;
    let proof = journal::prove(ledger, anchor, row.entry_seq, &signed).await?;
    let paths = bundle::write(folder, &document, &row.document, notary, &proof)?;
    let mut tx = ledger.begin().await?;
    set_folder(&mut tx, id, &paths.folder.display().to_string()).await?;
    tx.commit().await.map_err(LedgerError::from)?;
    Ok(paths)
}
