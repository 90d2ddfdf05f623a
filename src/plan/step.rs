//! The steps of an erasure, in the order in which they run. They stand in front of the manifest, so that a worker that takes over after a
//! crash needs nothing else to go on.

use serde::{Deserialize, Serialize};

use super::Disposition;

/// What a step does to the rows of one collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Delete them.
    Delete,
    /// Overwrite these columns with values that the manifest holds.
    Overwrite {
        /// Columns in the order of the manifest's values.
        columns: Vec<String>,
    },
    /// Set these columns to NULL.
    Clear {
        /// Columns.
        columns: Vec<String>,
    },
    /// Keep them: listed so that the verifier can see that they are still there.
    Keep,
}

/// One step: an action on one collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Source in the configuration.
    pub source: String,
    /// Dataset of the map.
    pub dataset: String,
    /// Collection of the map.
    pub collection: String,
    /// Schema that the map names, if it does.
    pub schema: Option<String>,
    /// Which item of the plan the step carries out.
    pub item: usize,
    /// The disposition of that item.
    pub disposition: Disposition,
    /// What is done.
    pub action: Action,
    /// Columns of the fingerprint by which a row is recognised as unchanged: who owns it, and for overwriting also what is overwritten.
    pub guard: Vec<String>,
    /// Whether these rows are the people themselves, which go last.
    pub identity: bool,
    /// How many rows the manifest lists for it.
    pub records: u64,
}
