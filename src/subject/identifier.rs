//! Identifiers of a data subject, as they stand in a job file: `{"email": "ada@example.com", "user_id": "42"}`.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One identifier: its kind is a word of the data map (`identity: email`), its value is personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Identifier {
    /// `email`, `user_id`, … as declared by `fides_meta.identity`.
    pub kind: String,
    value: String,
}

impl Identifier {
    /// Makes an identifier; the value is kept byte for byte.
    pub fn new(kind: impl Into<String>, value: impl Into<String>) -> Self {
        Identifier { kind: kind.into(), value: value.into() }
    }

    /// The value itself. The name says what the caller takes on: never log, print or store it in the clear.
    pub fn expose(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Identifier({}: [hidden])", self.kind)
    }
}

/// A data subject as named by a request: at least one identifier, at most one of each kind.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject {
    identifiers: Vec<Identifier>,
}

/// Why a subject cannot be taken as given.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SubjectError {
    /// No identifier at all.
    #[error("`subject` names nobody: give at least one identifier, such as \"email\"")]
    Empty,
    /// A value is empty or has a control character.
    #[error("`subject.{kind}` is {problem}")]
    Value {
        /// Kind of the identifier.
        kind: String,
        /// What is wrong with its value.
        problem: &'static str,
    },
}

impl Subject {
    /// Checks and sorts identifiers. Values are not changed.
    pub fn new(identifiers: impl IntoIterator<Item = Identifier>) -> Result<Subject, SubjectError> {
        let mut identifiers: Vec<Identifier> = identifiers.into_iter().collect();
        identifiers.sort();
        if identifiers.is_empty() {
            return Err(SubjectError::Empty);
        }
        for identifier in &identifiers {
            let problem = match identifier.expose() {
                "" => "empty",
                value if value.chars().any(|c| c.is_control()) => "not plain text: it has a control character",
                value if value.len() > 1024 => "longer than 1,024 bytes",
                _ => continue,
            };
            return Err(SubjectError::Value { kind: identifier.kind.clone(), problem });
        }
        Ok(Subject { identifiers })
    }

    /// All identifiers, sorted by kind.
    pub fn identifiers(&self) -> &[Identifier] {
        &self.identifiers
    }

    /// The identifier of one kind.
    pub fn of_kind(&self, kind: &str) -> Option<&Identifier> {
        self.identifiers.iter().find(|identifier| identifier.kind == kind)
    }

    /// The job file's form, for sealing. Never written anywhere in the clear.
    pub fn to_sealed_json(&self) -> String {
        let map: BTreeMap<&str, &str> = self.identifiers.iter().map(|i| (i.kind.as_str(), i.expose())).collect();
        serde_json::to_string(&map).unwrap_or_default()
    }
}

/// Whether a text can be a kind or another word of a file's own: one that is not may be an identifier in the wrong place (S-1).
pub fn is_plain_word(text: &str) -> bool {
    let starts = text.bytes().next().is_some_and(|b| b.is_ascii_alphabetic());
    starts && text.len() <= 64 && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'))
}

impl fmt::Debug for Subject {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_list().entries(&self.identifiers).finish()
    }
}

impl<'de> Deserialize<'de> for Subject {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let map = BTreeMap::<String, IdentifierValue>::deserialize(deserializer)?;
        // Somebody may have put the value where the kind belongs.
        if !map.keys().all(|kind| is_plain_word(kind)) {
            return Err(serde::de::Error::custom("a key in `subject` is not a plain word (it is not shown)"));
        }
        let identifiers = map.into_iter().map(|(kind, value)| Identifier::new(kind, value.0));
        Subject::new(identifiers).map_err(serde::de::Error::custom)
    }
}

/// Text, or a whole number taken as its decimal digits. Errors do not quote the value.
struct IdentifierValue(String);

impl<'de> Deserialize<'de> for IdentifierValue {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = IdentifierValue;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an identifier: text or a whole number")
            }
            fn visit_str<E>(self, value: &str) -> Result<IdentifierValue, E> {
                Ok(IdentifierValue(value.to_owned()))
            }
            fn visit_u64<E>(self, value: u64) -> Result<IdentifierValue, E> {
                Ok(IdentifierValue(value.to_string()))
            }
            fn visit_i64<E>(self, value: i64) -> Result<IdentifierValue, E> {
                Ok(IdentifierValue(value.to_string()))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Serialising a subject exposes it; only sealing code does so.
impl Serialize for Subject {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.identifiers.iter().map(|i| (i.kind.as_str(), i.expose())))
    }
}
