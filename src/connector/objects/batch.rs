//! Entries of one set that are to be erased together, as a permit sees them.

use super::Entry;
use crate::erase::{Batch, CoOwners};

/// A batch of entries.
#[derive(Debug, Clone)]
pub struct ObjectBatch {
    /// The configured store.
    pub source: String,
    /// Dataset of the map.
    pub dataset: String,
    /// The collection that a hold would name.
    pub collection: String,
    /// The entries.
    pub entries: Vec<Entry>,
    /// Rows of people whom nobody knows go with them.
    pub has_others: bool,
}

impl Batch for ObjectBatch {
    fn source(&self) -> &str {
        &self.source
    }

    fn dataset(&self) -> &str {
        &self.dataset
    }

    fn collection(&self) -> &str {
        &self.collection
    }

    fn len(&self) -> usize {
        self.entries.len()
    }

    /// A hold names an object by its key, and covers all its versions.
    fn key_as_text(&self, position: usize) -> Option<Vec<String>> {
        self.entries[position].key.text().map(|key| vec![key.to_owned()])
    }

    /// Objects that others own too are never in a batch (O-1); older versions in which their rows stand are.
    fn co_owners(&self, _position: usize) -> CoOwners {
        if self.has_others { CoOwners::Unknown } else { CoOwners::None }
    }

    fn keep(&mut self, keep: &[bool]) {
        let mut flags = keep.iter();
        self.entries.retain(|_| flags.next().copied().unwrap_or(false));
    }
}
