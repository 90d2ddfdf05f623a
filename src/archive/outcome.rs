//! How the gathering ended, source by source. A source that was not reached appears here with its error and never as an empty one (V-2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Everything that closes an archive.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    /// When the answer was complete; the header's `created` when absent.
    pub completed_at: Option<Timestamp>,
    /// One outcome for every source that was asked, reached or not.
    pub sources: Vec<SourceOutcome>,
    /// Data about the subject that the controller cannot reach.
    pub not_held_here: Vec<NotHeldHere>,
}

/// What one source answered.
#[derive(Debug, Clone)]
pub struct SourceOutcome {
    /// Key of the dataset.
    pub name: String,
    /// What kind of system it is.
    pub kind: SourceKind,
    /// How it ended.
    pub status: SourceStatus,
    /// When reading began.
    pub started_at: Timestamp,
    /// When reading ended.
    pub finished_at: Timestamp,
    /// Which state of the source was read.
    pub snapshot: Option<Snapshot>,
    /// Records of the subject that are under a legal hold. They are exported all the same.
    pub held: Vec<Held>,
    /// What went wrong.
    pub errors: Vec<SourceError>,
    /// Places of the live source that the data map does not mention.
    pub not_covered: Vec<NotCovered>,
    /// Digest of the statements that were run.
    pub query_digest: Option<String>,
    /// Who waived an unreadable source; needed for [`SourceStatus::Waived`].
    pub waived_by: Option<String>,
}

/// A family of systems.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceKind {
    /// A SQL database.
    Sql,
    /// Object storage.
    S3,
    /// A processor's interface.
    Processor,
    /// A person answers.
    Manual,
}

/// How reading a source ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SourceStatus {
    /// Everything was read.
    Ok,
    /// Everything was read, and nothing is held.
    Empty,
    /// Some of it could not be read.
    Partial,
    /// None of it could be read.
    Failed,
    /// It could not be read, and a named person accepted that.
    Waived,
}

/// Which state of a source was read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// `lsn`, `version` or `time`.
    pub kind: String,
    /// The position itself.
    pub value: String,
}

/// Records under a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// How many.
    pub count: u64,
    /// The hold's name in public.
    pub hold_id_public: String,
    /// The ground, such as `Art. 17(3)(e) GDPR`.
    pub legal_ref: Option<String>,
    /// When somebody looks again (ISO date).
    pub review_on: Option<String>,
}

/// Something that went wrong in a source. The text never quotes data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceError {
    /// Such as `unreachable`.
    pub code: String,
    /// How often.
    pub count: u64,
    /// In words for the subject.
    pub text: String,
}

/// A column of the live source that the map does not mention; the whole table when there is no column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotCovered {
    /// The table.
    pub table: String,
    /// The column.
    pub column: Option<String>,
}

/// Data about the subject that lies with somebody else.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotHeldHere {
    /// What it is.
    pub what: String,
    /// Who has it.
    pub held_by: String,
    /// More about it.
    pub note: Option<String>,
}
