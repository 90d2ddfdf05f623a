//! On which of the grounds of Art. 17(1) an erasure is asked for. Printed in the certificate; it decides nothing by itself.

use serde::{Deserialize, Serialize};

/// `ground` of an erasure job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErasureGround {
    /// (a): no longer necessary for its purpose.
    #[serde(rename = "art17_1_a")]
    NoLongerNecessary,
    /// (b): consent withdrawn.
    #[serde(rename = "art17_1_b")]
    ConsentWithdrawn,
    /// (c): objection (Art. 21).
    #[serde(rename = "art17_1_c")]
    Objection,
    /// (d): unlawfully processed.
    #[serde(rename = "art17_1_d")]
    Unlawful,
    /// (e): a legal obligation to erase.
    #[serde(rename = "art17_1_e")]
    LegalObligation,
    /// (f): collected from a child for an information society service (Art. 8(1)).
    #[serde(rename = "art17_1_f")]
    Child,
}

impl ErasureGround {
    pub(super) const ALL: [ErasureGround; 6] = [
        ErasureGround::NoLongerNecessary,
        ErasureGround::ConsentWithdrawn,
        ErasureGround::Objection,
        ErasureGround::Unlawful,
        ErasureGround::LegalObligation,
        ErasureGround::Child,
    ];

    /// The word in job files and certificates.
    pub fn as_str(self) -> &'static str {
        match self {
            ErasureGround::NoLongerNecessary => "art17_1_a",
            ErasureGround::ConsentWithdrawn => "art17_1_b",
            ErasureGround::Objection => "art17_1_c",
            ErasureGround::Unlawful => "art17_1_d",
            ErasureGround::LegalObligation => "art17_1_e",
            ErasureGround::Child => "art17_1_f",
        }
    }
}
