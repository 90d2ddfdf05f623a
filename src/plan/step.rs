//! The steps of an erasure, in the order in which they run. They stand in front of the manifest, so that a worker that takes over after a
//! crash needs nothing else to go on.

use serde::{Deserialize, Serialize};

use super::{Disposition, Retained};

/// What a step does to the rows of one collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Delete them.
    Delete,
    /// Write the object anew without the rows that the manifest tells of, and delete the version that had them; or delete it alone, where it is
    /// an older one.
    Rewrite,
    /// Overwrite these columns with values that the manifest holds.
    Overwrite {
        /// Columns in the order of the manifest's values.
        columns: Vec<String>,
        /// For each column the keys that lead to the values changed inside its JSON; none where it is changed as a whole. A row is as
        /// this step leaves it when those values are, whatever else has changed in the JSON since.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        paths: Vec<Vec<Vec<String>>>,
    },
    /// Set these columns to NULL.
    Clear {
        /// Columns.
        columns: Vec<String>,
    },
    /// Change nothing, and see whether they are as they were frozen: whose they are is told by rows elsewhere.
    Look,
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
    /// Rows that nobody else may refer to by the time this step runs: what they own of a row is on their side (O-1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unreferenced: Vec<Referrer>,
    /// Tables whose rows own rows of the step by referring to them, and which may stay: how many of their rows refer to a row is part of its
    /// fingerprint, so that one that somebody adds is noticed (O-1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub counted: Vec<Referrer>,
    /// Whether others own these rows too, so that only what ties them to the subject is cleared. A row that is not as it was frozen by its turn
    /// may have lost the others meanwhile: then what is left is planned anew before anything else is done (O-1, V-1).
    #[serde(default)]
    pub of_others_too: bool,
    /// Whether these rows are the people themselves, which go last.
    pub identity: bool,
    /// Whether the step belongs to a circle of references that holds again only when all its steps are done: they share one transaction, in
    /// which the database checks at the end.
    #[serde(default)]
    pub deferred: bool,
    /// How many rows the manifest lists for it.
    pub records: u64,
    /// Of kept rows, how many on which ground. A later plan of the same request may keep more than the approved one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retained: Vec<Retained>,
}

/// A table whose rows own rows of a step by referring to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Referrer {
    /// Schema of the table.
    pub schema: String,
    /// The table.
    pub table: String,
    /// Its referring columns.
    pub columns: Vec<String>,
    /// The columns of the step's table that they equal.
    pub referred: Vec<String>,
    /// Whether the database would delete or change these rows by itself: then the step's rows are locked before anybody looks.
    #[serde(default)]
    pub acts: bool,
}
