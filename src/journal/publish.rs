//! Signing a checkpoint over the journal as it stands, copying it outside, and proving entries under it. Nothing is signed over a journal
//! that does not extend everything that was signed before.

use std::ops::Range;

use futures_util::StreamExt;

use super::JournalError;
use super::anchor::{Anchor, Notary};
use super::audit::{Depth, audit};
use super::checkpoint::Checkpoint;
use super::head::HeadState;
use super::merkle::{self, Frontier, Hash};
use super::tlog_proof::TlogProof;
use crate::clock::Clock;
use crate::crypto::PublicKey;
use crate::db::Conn;
use crate::ledger::journal::{checkpoints, entries, keep_checkpoint, stream_leaf_hashes};
use crate::ledger::{Ledger, LedgerError};

/// A checkpoint and its signed note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedCheckpoint {
    /// What was signed.
    pub checkpoint: Checkpoint,
    /// The note.
    pub note: String,
}

/// Signs the journal's head and copies it outside, then keeps it in the ledger: in this order, because a copy that the ledger has not
/// kept does no harm, while a ledger that has kept what is not outside would have to be taken for a manipulated one.
pub async fn publish_checkpoint(ledger: &Ledger, notary: &Notary, clock: &dyn Clock) -> Result<SignedCheckpoint, JournalError> {
    let (report, tree) = audit(ledger, notary.anchor(), Depth::Head).await?;
    if !report.state.is_consistent() {
        return Err(JournalError::Refused { state: report.state });
    }
    let note = notary.sign_checkpoint(&tree.head);
    notary.anchor().copy_outside(&tree.head, &note)?;
    let mut tx = ledger.begin().await?;
    keep_checkpoint(&mut tx, tree.head.size, &tree.head.root, &note, clock.now()).await?;
    tx.commit().await.map_err(LedgerError::from)?;
    Ok(SignedCheckpoint { checkpoint: tree.head, note })
}

/// Copies the ledger's checkpoints to an outside folder that has lost them or is new. A deliberate act of an operator: from then on the
/// ledger as it is counts as the true one.
pub async fn anchor_anew(ledger: &Ledger, anchor: &Anchor) -> Result<u64, JournalError> {
    let (report, _) = audit(ledger, anchor, Depth::Everything).await?;
    if !report.state.is_consistent() && report.state != HeadState::Unanchored {
        return Err(JournalError::Refused { state: report.state });
    }
    let rows = checkpoints(ledger).await?;
    for row in &rows {
        let checkpoint = Checkpoint::open(&row.note, anchor.origin(), anchor.key())?;
        anchor.copy_outside(&checkpoint, &row.note)?;
    }
    Ok(rows.len() as u64)
}

/// Proves that an entry stands at its position under a checkpoint. The proof is checked before it is handed out.
pub async fn prove(ledger: &Ledger, anchor: &Anchor, index: u64, signed: &SignedCheckpoint) -> Result<TlogProof, JournalError> {
    let ranges = merkle::inclusion_ranges(index, signed.checkpoint.size).ok_or(JournalError::NotCovered { index })?;
    let row = entries(ledger, index, 1).await?.pop().filter(|row| row.seq == index).ok_or(JournalError::NotCovered { index })?;
    let proof = TlogProof { index, hashes: roots_of(ledger, ranges).await?, checkpoint: signed.note.clone() };
    proof.check(row.entry.as_bytes(), anchor.origin(), anchor.key())?;
    Ok(proof)
}

/// Proves that the journal at one size begins with what it was at a smaller one: for an auditor who has kept two checkpoints.
pub async fn prove_consistency(ledger: &Ledger, old: u64, new: u64) -> Result<Vec<Hash>, JournalError> {
    let ranges = merkle::consistency_ranges(old, new).ok_or(JournalError::NotCovered { index: old })?;
    roots_of(ledger, ranges).await
}

/// Opens two checkpoints and checks the proof between them.
pub fn check_consistency(old: &str, new: &str, proof: &[Hash], anchor: &Anchor) -> Result<bool, JournalError> {
    let open = |note: &str, key: &PublicKey| Checkpoint::open(note, anchor.origin(), key);
    let (old, new) = (open(old, anchor.key())?, open(new, anchor.key())?);
    Ok(merkle::extends(old.size, &old.root, new.size, &new.root, proof))
}

async fn roots_of(ledger: &Ledger, ranges: Vec<Range<u64>>) -> Result<Vec<Hash>, JournalError> {
    let mut session = ledger.db().session().await.map_err(LedgerError::from)?;
    let mut roots = Vec::with_capacity(ranges.len());
    for range in ranges {
        roots.push(root_of(&mut session, range).await?);
    }
    Ok(roots)
}

async fn root_of(session: &mut Conn, range: Range<u64>) -> Result<Hash, JournalError> {
    let mut rows = stream_leaf_hashes(session, range.start, range.end)?;
    let mut frontier = Frontier::default();
    while let Some(row) = rows.next().await {
        let bytes = row.and_then(|row| row.bytes("leaf_hash")).map_err(LedgerError::from)?;
        frontier.push(Hash::try_from(bytes).map_err(|_| JournalError::NotCovered { index: range.start + frontier.size() })?);
    }
    if frontier.size() != range.end - range.start {
        return Err(JournalError::NotCovered { index: range.start + frontier.size() });
    }
    Ok(frontier.root())
}
