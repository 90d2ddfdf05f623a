//! Kinds of requests and duties, by the GDPR's names.

use serde::{Deserialize, Serialize};

/// What a job asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Art. 15: a copy of everything.
    Access,
    /// Art. 20: what the subject provided or what was observed of them, under consent or contract.
    Portability,
    /// Art. 17.
    Erasure,
    /// Art. 16.
    Rectification,
    /// Art. 18.
    Restriction,
    /// Art. 21.
    Objection,
    /// Art. 7(3).
    ConsentWithdrawal,
    /// Art. 5(1)(e): erase what is past its retention.
    RetentionSweep,
    /// Look again whether what was erased is still gone.
    Reverify,
}

impl Kind {
    /// All kinds, in the order of the interface.
    pub const ALL: [Kind; 9] = [
        Kind::Access,
        Kind::Portability,
        Kind::Erasure,
        Kind::Rectification,
        Kind::Restriction,
        Kind::Objection,
        Kind::ConsentWithdrawal,
        Kind::RetentionSweep,
        Kind::Reverify,
    ];

    /// The word in job files and results.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Access => "access",
            Kind::Portability => "portability",
            Kind::Erasure => "erasure",
            Kind::Rectification => "rectification",
            Kind::Restriction => "restriction",
            Kind::Objection => "objection",
            Kind::ConsentWithdrawal => "consent_withdrawal",
            Kind::RetentionSweep => "retention_sweep",
            Kind::Reverify => "reverify",
        }
    }

    /// Reads the word back; `None` for any other.
    pub fn parse(word: &str) -> Option<Kind> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == word)
    }

    /// Whether such a job is about one person and therefore needs `subject`.
    pub fn needs_subject(self) -> bool {
        !matches!(self, Kind::RetentionSweep | Kind::Reverify)
    }
}
