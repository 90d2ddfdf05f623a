//! `certificate.json`: what a certificate says, field by field. Plain data: it is written by [`super::Certificate`], which can say only
//! what evidence bears, and read back by the checker, which believes nothing of it until it has checked it. No names of persons, no
//! e-mail addresses, no ids of rows, no values (S-1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::journal::{Code, Digest, Id};
use crate::plan::Ground;
use crate::request::Kind;
use crate::verify::{Level, Method, Sight, ValueSearch};

/// The form that this program writes and checks.
pub const FORM: &str = "habeas-data/erasure-certificate/v1";

/// The whole document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Document {
    /// [`FORM`].
    #[serde(rename = "type")]
    pub form: String,
    /// Random id.
    pub certificate_id: Id,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// The earlier certificate that it adds to or replaces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supersedes: Option<Id>,
    /// Who says it.
    pub issuer: IssuerFacts,
    /// What had been asked for.
    pub request: RequestFacts,
    /// HMAC of the subject's identifiers under a key that only the subject's own copy carries.
    pub subject_ref: Digest,
    /// What it rests on.
    pub inputs: InputFacts,
    /// The conclusion.
    pub outcome: OutcomeWord,
    /// Level of the whole: that of the weakest item; null where there was nothing to erase.
    pub level: Option<Level>,
    /// The fixed sentences for outcome and level.
    pub statement: String,
    /// The fixed list of what nobody should read into it.
    pub does_not_state: Vec<String>,
    /// Every place of the plan.
    pub items: Vec<ItemFacts>,
    /// Places outside the plan that were not covered.
    pub gaps: Vec<OpenPlace>,
    /// Where the subject's identifiers were found after all.
    pub residue: Vec<ResiduePlace>,
    /// Where records that are kept still name the subject.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub in_kept_records: Vec<ResiduePlace>,
    /// Places that cannot be searched (compressed, encrypted, images).
    pub unsearched: Vec<OpenPlace>,
}

/// Who says it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssuerFacts {
    /// Legal name of the controller.
    pub controller: String,
    /// Program and version.
    pub product: String,
    /// Fingerprint of the signing key.
    pub key: String,
    /// Name of the journal that records the issue.
    pub journal: String,
}

/// What had been asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequestFacts {
    /// Id of the request.
    pub id: Id,
    /// Its kind.
    pub kind: Kind,
    /// The ground of Art. 17(1) that it relies on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub legal_basis: Option<Code>,
    /// When it arrived.
    pub received_at: Timestamp,
    /// When it had to be answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_at: Option<Timestamp>,
    /// When the last step that this certificate speaks of ended.
    pub completed_at: Timestamp,
}

/// What the certificate rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InputFacts {
    /// Digest of the data map.
    pub data_map_digest: Digest,
    /// Digest of the frozen plan; absent where nothing was found to plan for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_digest: Option<Digest>,
    /// Epoch of the holds that were seen last.
    pub hold_epoch: u64,
    /// When the holds were evaluated last.
    pub holds_evaluated_at: Timestamp,
    /// How the identity was assured, as a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identity_assurance: Option<Code>,
}

/// The conclusion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeWord {
    /// Every item is verified absent, or retained with a ground, or there was nothing (V-1).
    Complete,
    /// Anything else.
    Partial,
    /// Everything that was found is kept on a ground; nothing was erased.
    Refused,
}

impl OutcomeWord {
    /// The word.
    pub fn as_str(self) -> &'static str {
        match self {
            OutcomeWord::Complete => "complete",
            OutcomeWord::Partial => "partial",
            OutcomeWord::Refused => "refused",
        }
    }
}

/// What is said of one item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ItemWord {
    /// Verified absent.
    Verified,
    /// Verified to be pseudonymised: not erased.
    Pseudonymised,
    /// Kept on grounds.
    Retained,
    /// Nothing was there.
    NothingFound,
    /// To be confirmed elsewhere.
    Pending,
    /// Not known.
    Unknown,
    /// Not looked at.
    Gap,
    /// Failed.
    Failed,
}

impl ItemWord {
    /// Whether V-1 lets "complete" be said with such an item.
    pub fn is_settled(self) -> bool {
        matches!(self, ItemWord::Verified | ItemWord::Retained | ItemWord::NothingFound)
    }
}

/// One collection of the plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemFacts {
    /// The configured system.
    pub source: String,
    /// Dataset of the data map.
    pub dataset: String,
    /// Collection of the dataset.
    pub collection: String,
    /// Kind of the system: `sql`, …
    pub kind: String,
    /// Records that were found.
    pub found: u64,
    /// Where records are versions of objects that hold rows of many people: how many rows of the person were in those that were erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// What is said of them.
    pub outcome: ItemWord,
    /// Level of the item; null where there was nothing to erase.
    pub level: Option<Level>,
    /// The fixed sentences for it.
    pub statement: String,
    /// Why it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Code>,
    /// Records kept.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retained: Vec<RetainedFacts>,
    /// What showed the absence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<EvidenceFacts>,
    /// What showed that the reader can see where it found nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looked: Option<LookedFacts>,
}

/// Records kept on one ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RetainedFacts {
    /// How many.
    pub count: u64,
    /// Why.
    pub ground: Ground,
    /// Matter of the hold, or the law.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When somebody looks again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review_on: Option<String>,
}

/// What showed the absence of an item's records.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EvidenceFacts {
    /// How they were erased.
    pub method: Method,
    /// Records that the reader had seen before (the positive control, V-3).
    pub records_seen: u64,
    /// When.
    pub seen_at: Timestamp,
    /// Records that it looked for afterwards, by key, on the primary, and did not find.
    pub records_absent: u64,
    /// When.
    pub read_at: Timestamp,
    /// The search for identifiers as values.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<ValueSearch>,
}

/// What showed that a reader who found nothing could see.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LookedFacts {
    /// Identifiers looked for.
    pub identifiers: u64,
    /// The proof of sight. Counts of other people's records are not published.
    pub sight: SightWord,
    /// When.
    pub looked_at: Timestamp,
}

/// What showed that the reader can see there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SightWord {
    /// It saw records of other people.
    OtherRecords,
    /// It found planted values.
    Planted,
    /// The place is empty and nothing can hide rows.
    Unfiltered,
}

impl From<Sight> for SightWord {
    fn from(sight: Sight) -> SightWord {
        match sight {
            Sight::OtherRecords(_) => SightWord::OtherRecords,
            Sight::Planted(_) => SightWord::Planted,
            Sight::Unfiltered => SightWord::Unfiltered,
        }
    }
}

/// A place that stays open, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenPlace {
    /// The configured system.
    pub source: String,
    /// The table, column or object within it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Why.
    pub code: Code,
}

/// A place where the subject's identifiers were found after the erasure: residue, or in records that are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResiduePlace {
    /// The configured system.
    pub source: String,
    /// The table and column.
    pub place: String,
    /// How many occurrences.
    pub occurrences: u64,
}
