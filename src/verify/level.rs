//! What was done to records, and how sure we are of it: the closed lists that a certificate speaks in.

use serde::{Deserialize, Serialize};

/// What was done to the records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Method {
    /// Rows deleted.
    Delete,
    /// Fields overwritten with values from which nobody can tell what was there.
    Mask,
    /// The columns that tied shared rows to the subject cleared.
    Unlink,
    /// Fields replaced by values that a kept key or a guess can tie to the subject. Not erasure: what is left is personal data.
    Pseudonymise,
}

/// How much assurance there is, from "we asked" to "every copy has expired". Ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum Level {
    /// 0: deletion was requested; no confirmation yet.
    Instructed,
    /// 1: the store reported it, per item.
    Acknowledged,
    /// 2: a separate session that had seen the records found none of them by key.
    AbsentOnReRead,
    /// 3: a search for the identifiers as values found none.
    AbsentOnValueSearch,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Level; 4] = [Level::Instructed, Level::Acknowledged, Level::AbsentOnReRead, Level::AbsentOnValueSearch];
}

impl From<Level> for u8 {
    fn from(level: Level) -> u8 {
        level as u8
    }
}

impl TryFrom<u8> for Level {
    type Error = String;
    fn try_from(number: u8) -> Result<Level, String> {
        Level::ALL.get(usize::from(number)).copied().ok_or_else(|| format!("level {number} is not known"))
    }
}
