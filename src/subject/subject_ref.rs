//! The name of a person in logs, ledger columns and the journal: a keyed hash that says nothing without the key.

use std::fmt;

/// Hex of an HMAC-SHA-256 over the subject's identifiers. Made by `crypto`; safe to print.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubjectRef(String);

impl SubjectRef {
    /// Wraps hex digits made by `crypto` or read from the ledger.
    pub fn from_hex(hex: impl Into<String>) -> Self {
        SubjectRef(hex.into())
    }

    /// The hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SubjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl fmt::Debug for SubjectRef {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SubjectRef({})", self.0)
    }
}
