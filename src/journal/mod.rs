//! The journal: what the program did, in an order that nobody can change unnoticed. Events are leaves of an RFC 6962 Merkle tree, its
//! head is signed as a C2SP checkpoint and copied outside the ledger, and any entry can be proved to a third party offline.
//! It only grows and holds codes, ids, digests and counts: never personal data (J-1).

mod anchor;
mod append;
mod audit;
mod checkpoint;
mod code;
mod event;
mod head;
mod holds;
pub mod merkle;
mod note;
mod publish;
mod tlog_proof;

use std::path::PathBuf;

use thiserror::Error;

pub use anchor::{Anchor, Notary};
pub use append::append;
pub use audit::{JournalReport, check_head, verify};
pub use checkpoint::{Checkpoint, Origin};
pub use code::{Actor, Code, Digest, HoldCode, Id, NotACode};
pub use event::{Count, Event, EventKind};
pub use head::{Fault, HeadState};
pub use holds::living_holds;
pub use note::{NoteError, verifier_key};
pub use publish::{SignedCheckpoint, anchor_anew, check_consistency, prove, prove_consistency, publish_checkpoint};
pub use tlog_proof::{ProofError, TlogProof};

use crate::ledger::LedgerError;

/// What can go wrong with the journal.
#[derive(Debug, Error)]
pub enum JournalError {
    /// The ledger refused.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The folder of outside copies cannot be read or written.
    #[error("outside checkpoints in `{}`: {source}", path.display())]
    Outside {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Another checkpoint of the same size is there.
    #[error("outside checkpoint `{}` differs from the one to be copied there", path.display())]
    CopyDiffers {
        /// The file.
        path: PathBuf,
    },
    /// The journal is not what was signed.
    #[error("nothing is signed over this journal: {state}")]
    Refused {
        /// What was found.
        state: HeadState,
    },
    /// The journal does not have this entry, or the checkpoint does not cover it.
    #[error("journal entry {index} is not there or not covered by the checkpoint")]
    NotCovered {
        /// Its position.
        index: u64,
    },
    /// A checkpoint is not to be believed.
    #[error("checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// A proof that was just made does not hold: leaf hashes were altered.
    #[error("inclusion proof: {0}")]
    Proof(#[from] ProofError),
}

#[cfg(test)]
mod tests;
