//! A row of some step, as a short digest: enough to tell rows apart across passes without keeping their keys.

use sha2::{Digest, Sha256};

use super::{ManifestRecord, Step};
use crate::value::Key;

/// Which row of which table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RowId([u8; 16]);

impl RowId {
    /// The row that a record of a step is about.
    pub fn of(step: &Step, key: &Key) -> RowId {
        let mut hash = Sha256::new();
        for part in [step.source.as_str(), step.schema.as_deref().unwrap_or_default(), step.collection.as_str()] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part);
        }
        let nameless = ManifestRecord { step: 0, key: key.clone(), fingerprint: String::new(), values: Vec::new() };
        hash.update(nameless.identity_bytes());
        let digest = hash.finalize();
        let mut short = [0; 16];
        short.copy_from_slice(&digest[..16]);
        RowId(short)
    }
}
