//! What a hold is for: an opaque reference to a matter, and a reason from a closed list. Neither takes free text, because both reach
//! the journal and the certificate, where nothing may name a person (J-1).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;

/// A matter reference that cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a matter is 1 to 64 letters, digits, dots, underscores or hyphens")]
pub struct MatterError;

/// An opaque reference such as `M-2026-7`. One matter may have several holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Matter(String);

impl Matter {
    /// Checks the form.
    pub fn new(text: &str) -> Result<Matter, MatterError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
        if text.is_empty() || text.len() > 64 || !text.chars().all(allowed) {
            return Err(MatterError);
        }
        Ok(Matter(text.to_owned()))
    }

    /// The reference.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Matter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl Serialize for Matter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Matter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Matter::new(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Why the records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// A claim in court, pending or expected (Art. 17(3)(e)).
    Litigation,
    /// An internal or criminal investigation.
    Investigation,
    /// An authority asked for it.
    Regulator,
    /// An audit.
    Audit,
    /// Anything else; the matter's own file says what.
    Other,
}

impl Reason {
    const ALL: [Reason; 5] = [Reason::Litigation, Reason::Investigation, Reason::Regulator, Reason::Audit, Reason::Other];

    /// The code.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::Litigation => "litigation",
            Reason::Investigation => "investigation",
            Reason::Regulator => "regulator",
            Reason::Audit => "audit",
            Reason::Other => "other",
        }
    }

    /// Reads the code back; `None` for any other.
    pub fn parse(code: &str) -> Option<Reason> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matter_takes_no_free_text() {
        assert!(Matter::new("M-2026_7.b").is_ok());
        for refused in ["", "Ada Lovelace", "a/b", "ß", &"x".repeat(65)] {
            assert_eq!(Matter::new(refused), Err(MatterError));
        }
    }

    #[test]
    fn reasons_are_read_back_from_their_codes() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
        assert_eq!(Reason::parse("because"), None);
    }
}
