//! What the manifest says of one version with rows of the person: what is looked for, how many rows it has, and which other versions of the same
//! key have some as well. Execution and verification need nothing else.

use serde::{Deserialize, Serialize};

use super::RowNames;
use crate::connector::objects::Entry;
use crate::datamap::RowFormat;
use crate::plan::DamagedRecord;

/// One version with rows of the person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowOrder {
    /// How rows stand in it.
    pub format: RowFormat,
    /// What is looked for.
    pub names: RowNames,
    /// Rows that are the person's alone.
    pub rows: u64,
    /// Rows that name somebody else as well.
    pub shared: u64,
    /// Ids of all versions of this key that have rows of the person, this one among them: a lock on one keeps all.
    pub versions: Vec<Option<String>>,
    /// Whether an older one among them has rows of others too, which go with it: a hold on anybody keeps all.
    pub with_others: bool,
}

impl RowOrder {
    /// As the values of a record of the manifest.
    pub fn to_values(&self) -> Result<Vec<Option<String>>, serde_json::Error> {
        Ok(vec![Some(serde_json::to_string(self)?)])
    }

    /// Reads [`RowOrder::to_values`] back.
    ///
    /// # Errors
    /// When these are no such values.
    pub fn from_values(values: &[Option<String>]) -> Result<RowOrder, DamagedRecord> {
        let [Some(text)] = values else { return Err(DamagedRecord) };
        serde_json::from_str(text).map_err(|_| DamagedRecord)
    }
}

/// What tells the planned content of a version from any other: its size, its rows and the store's tag. Part of the plan's digest.
pub fn fingerprint(entry: &Entry, rows: u64) -> String {
    format!("{} {rows} {}", entry.size, entry.etag.as_deref().unwrap_or_default())
}

/// Whether an entry of a list is the very version that was planned, and not another one under the same name: a store without versions, and a
/// suspended one, put new content under the old id.
pub fn is_as_planned(entry: &Entry, planned: &Entry, planned_fingerprint: &str, rows: u64) -> bool {
    entry.is_same(planned) && fingerprint(entry, rows) == planned_fingerprint
}
