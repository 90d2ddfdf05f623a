//! What is to happen to a record, and what did happen. Both are closed lists: a result that fits none of them does not exist.

use serde::{Deserialize, Serialize};

/// What a plan says of the records of one item. A new item starts `Undecided`, and a plan with such an item cannot be approved (P-1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Nobody has said yet.
    #[default]
    Undecided,
    /// Delete the row.
    Erase,
    /// Overwrite fields.
    Mask,
    /// Clear the columns that tie a shared or accessed row to the subject.
    Unlink,
    /// Keep, on a ground.
    Retain,
    /// Copy into the archive.
    Export,
}

/// Why a record is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ground {
    /// A legal hold.
    Hold,
    /// Art. 17(3)(b): a legal obligation.
    #[serde(rename = "art17_3_b")]
    LegalObligation,
    /// Art. 17(3)(e): legal claims.
    #[serde(rename = "art17_3_e")]
    LegalClaims,
    /// The controller's map says `keep`.
    Policy,
    /// Another person owns it too (O-1).
    Shared,
}

impl Ground {
    /// The word in results and in the certificate.
    pub fn as_str(self) -> &'static str {
        match self {
            Ground::Hold => "hold",
            Ground::LegalObligation => "art17_3_b",
            Ground::LegalClaims => "art17_3_e",
            Ground::Policy => "policy",
            Ground::Shared => "shared",
        }
    }

    /// The ground that a row of the gathering names; what names none is kept because the map says so.
    pub fn of_row(word: Option<&str>) -> Ground {
        let known = [Ground::Hold, Ground::LegalObligation, Ground::LegalClaims, Ground::Shared];
        known.into_iter().find(|ground| Some(ground.as_str()) == word).unwrap_or(Ground::Policy)
    }
}

/// Records kept on one ground.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retained {
    /// How many.
    pub count: u64,
    /// Why.
    pub ground: Ground,
    /// Matter of the hold, or the law that the map cites.
    #[serde(rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// When somebody should look again (ISO date).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub review_on: Option<String>,
}

/// What happened to the records of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Gone (or masked, or unlinked), as the plan said.
    Erased,
    /// Seen when planned, absent before we touched it.
    AlreadyAbsent,
    /// Kept on a ground.
    Retained,
    /// Accepted elsewhere, to be confirmed later.
    Pending,
    /// Not known whether it took effect.
    Unknown,
    /// Not looked at.
    Gap,
    /// Tried, and refused or broken.
    Failed,
}
