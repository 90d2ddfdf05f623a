//! The stored part of a request's answer: items, gaps, residue, archive, certificate. What names the request itself is added when it is shown.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::plan::{Disposition, Outcome, Retained};

/// The stored answer.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StoredResult {
    /// Per location and disposition.
    pub items: Vec<ItemResult>,
    /// Sources and places that were not looked at.
    pub gaps: Vec<PlaceResult>,
    /// What waits for a confirmation.
    pub pending: Vec<PlaceResult>,
    /// Where the subject was found after the erasure.
    pub residue: Vec<PlaceResult>,
    /// Matches that may be somebody else's: a person has to look.
    #[serde(default)]
    pub to_review: Vec<PlaceResult>,
    /// Where records that are kept still name the person: a certificate lists them too.
    #[serde(default)]
    pub in_kept_records: Vec<PlaceResult>,
    /// Places that the value search could not read: a certificate lists them too.
    #[serde(default)]
    pub unsearched: Vec<PlaceResult>,
    /// The archive, if there is one.
    pub archive: Option<ArchiveResult>,
    /// The certificate, if there is one.
    pub certificate: Option<CertificateResult>,
    /// Why the request waits or failed: code, words, hint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// One item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ItemResult {
    /// Source in the configuration.
    pub source: String,
    /// Dataset.
    pub dataset: String,
    /// Collection.
    pub collection: String,
    /// Family of the source.
    pub kind: String,
    /// What was to happen.
    pub disposition: Disposition,
    /// Rows found.
    pub found: u64,
    /// Rows written to the archive.
    pub exported: u64,
    /// Rows left out of it.
    pub withheld: u64,
    /// Rows that were to change.
    pub expected: u64,
    /// Rows that changed.
    pub affected: u64,
    /// Rows kept.
    pub retained: Vec<Retained>,
    /// Where what is counted are versions of objects that hold rows of many people: how many rows of the person the plan takes out of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What came of it; `None` for a pure export.
    pub outcome: Option<Outcome>,
    /// Level of assurance.
    pub level: Option<u8>,
    /// Code of what went wrong.
    pub error: Option<String>,
}

/// A place and a code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceResult {
    /// Source in the configuration.
    pub source: String,
    /// Table and column, where it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why.
    pub code: String,
    /// How many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<u64>,
}

/// The archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveResult {
    /// Where it is; of several parts, part 1.
    pub path: String,
    /// How many parts.
    pub parts: u32,
    /// Size of all parts together.
    pub bytes: u64,
    /// Digest in hex; of several parts, that of part 1, in which the digests of the others stand.
    pub sha256: String,
    /// The version that a bucket made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Every part in order, where there are several.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<ArchiveFileResult>,
    /// When it will be removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Until when the bucket keeps it, where that is longer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locked_until: Option<Timestamp>,
    /// When it was removed, and a list showed nothing of it any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub removed_at: Option<Timestamp>,
    /// Why it is still there although its time is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub still_there: Option<String>,
}

/// A part of an archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ArchiveFileResult {
    /// Where it is.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest in hex.
    pub sha256: String,
    /// The version that a bucket made of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// The certificate.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateResult {
    /// Its id.
    pub id: String,
    /// Its folder.
    pub path: String,
    /// `complete`, `partial` or `refused`.
    pub outcome: String,
    /// Level of the whole.
    pub level: Option<u8>,
}

/// Why a request waits, was refused or failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable code.
    pub code: String,
    /// In words, without values.
    pub message: String,
    /// What to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}
