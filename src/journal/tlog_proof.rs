//! The C2SP tlog-proof v1 file: that an entry stands at a position of a journal whose head is signed, checkable offline from a few
//! lines of text. Written and read strictly: each proof has one spelling.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::checkpoint::{Checkpoint, Origin, claimed_origin, decimal, hash};
use super::merkle::{self, Hash};
use super::note::NoteError;
use crate::crypto::PublicKey;

const FIRST_LINE: &str = "c2sp.org/tlog-proof@v1";
/// A tree of 2^64 leaves is not higher.
const HASHES_AT_MOST: usize = 64;

/// Why a proof does not convince.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ProofError {
    /// It has not the form of a proof.
    #[error("it is not a c2sp.org/tlog-proof@v1 file")]
    Malformed,
    /// The checkpoint in it is not to be believed.
    #[error("its checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
    /// The hashes do not lead from the entry to the root.
    #[error("the entry is not included in the journal at the checkpoint")]
    NotIncluded,
}

/// An inclusion proof and the checkpoint that it leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Position of the entry, from 0.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint, verbatim.
    pub checkpoint: String,
}

impl TlogProof {
    /// The file.
    pub fn to_text(&self) -> String {
        let hashes: String = self.hashes.iter().map(|hash| STANDARD.encode(hash) + "\n").collect();
        format!("{FIRST_LINE}\nindex {}\n{hashes}\n{}", self.index, self.checkpoint)
    }

    /// Reads the file. An `extra` line is allowed and skipped: it is not authenticated, and we have no use for it.
    pub fn parse(text: &str) -> Result<TlogProof, ProofError> {
        Self::parsed(text).ok_or(ProofError::Malformed)
    }

    fn parsed(text: &str) -> Option<TlogProof> {
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n');
        if lines.next()? != FIRST_LINE {
            return None;
        }
        let mut line = lines.next()?;
        if let Some(extra) = line.strip_prefix("extra ") {
            STANDARD.decode(extra).ok()?;
            line = lines.next()?;
        }
        let index = decimal(line.strip_prefix("index ")?)?;
        let hashes = lines.take(HASHES_AT_MOST + 1).map(hash).collect::<Option<Vec<Hash>>>()?;
        (hashes.len() <= HASHES_AT_MOST).then(|| TlogProof { index, hashes, checkpoint: checkpoint.to_owned() })
    }

    /// The origin that the checkpoint claims; believed only once [`TlogProof::check`] has opened the checkpoint with it.
    pub fn claimed_origin(&self) -> Option<Origin> {
        claimed_origin(&self.checkpoint)
    }

    /// Checks the checkpoint's signature and that it covers this entry at this position.
    pub fn check(&self, entry: &[u8], origin: &Origin, key: &PublicKey) -> Result<Checkpoint, ProofError> {
        let checkpoint = Checkpoint::open(&self.checkpoint, origin, key)?;
        let leaf = merkle::leaf_hash(entry);
        if !merkle::includes(&leaf, self.index, checkpoint.size, &self.hashes, &checkpoint.root) {
            return Err(ProofError::NotIncluded);
        }
        Ok(checkpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::super::note::tests::signing_key;
    use super::*;

    #[test]
    fn a_proof_comes_back_as_it_was_written_and_convinces() {
        let key = signing_key();
        let origin = Origin::of_controller("Acme");
        let leaves = [merkle::leaf_hash(b"first"), merkle::leaf_hash(b"second")];
        let mut frontier = merkle::Frontier::default();
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        let checkpoint = Checkpoint { size: 2, root: frontier.root() };
        let proof = TlogProof { index: 1, hashes: vec![leaves[0]], checkpoint: checkpoint.sign(&origin, &key) };
        let text = proof.to_text();
        assert!(text.starts_with("c2sp.org/tlog-proof@v1\nindex 1\n"));
        let read = TlogProof::parse(&text).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.claimed_origin(), Some(origin.clone()));
        assert_eq!(read.check(b"second", &origin, &key.public()).unwrap(), checkpoint);
        assert_eq!(read.check(b"first", &origin, &key.public()), Err(ProofError::NotIncluded));
        assert_eq!(read.check(b"second", &origin, &signing_key().public()), Err(ProofError::Checkpoint(NoteError::NotSigned)));
        let with_extra = text.replace("index 1", "extra aGVsbG8=\nindex 1");
        assert_eq!(TlogProof::parse(&with_extra).unwrap(), proof);
    }

    #[test]
    fn a_proof_has_one_spelling() {
        let text = "c2sp.org/tlog-proof@v1\nindex 0\n\nlog\n1\nx\n";
        assert!(TlogProof::parse(text).is_ok());
        for other in [
            text.replace("index 0", "index 00"),
            text.replace("index 0", "index"),
            text.replace("@v1", "@v2"),
            text.replace("index 0\n", "index 0\nnot-a-hash\n"),
            text.replace("index 0", "extra \u{20ac}\nindex 0"),
            text.replace("\n\n", "\n"),
            String::new(),
        ] {
            assert_eq!(TlogProof::parse(&other), Err(ProofError::Malformed), "{other:?}");
        }
    }
}
