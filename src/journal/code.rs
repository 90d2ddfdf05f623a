//! The words that an entry of the journal may hold: short codes, random ids, digests and keyed references. There is no type here into
//! which an e-mail address, a name or a sentence fits, and that is how the journal stays free of personal data (J-1).

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;
use uuid::Uuid;

use crate::crypto::{Keys, hex, unhex};

/// A word that the journal does not take. The word itself is not repeated: it may be what it must not be.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not {expected}")]
pub struct NotACode {
    expected: &'static str,
}

macro_rules! word {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The word.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NotACode;
            fn from_str(text: &str) -> Result<Self, NotACode> {
                Self::parse(text)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotACode;
            fn try_from(text: String) -> Result<Self, NotACode> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> String {
                word.0.into_owned()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "{}({})", stringify!($name), self.0)
            }
        }
    };
}

word!(
    /// A machine word, such as a status, an outcome or the configured name of a source: 1 to 64 of `a-z 0-9 _ . : -`.
    Code
);
word!(
    /// `sha256:` or `hmac-sha256:` and 64 hex digits.
    Digest
);
word!(
    /// A random id: a UUID, lower case, with hyphens.
    Id
);
word!(
    /// The code of a hold: ten letters and digits of Crockford's alphabet, drawn at random.
    HoldCode
);
word!(
    /// Who acted: `system`, or `person:` and the keyed reference of an operator.
    Actor
);

impl Code {
    /// Reads a code.
    pub fn parse(text: &str) -> Result<Code, NotACode> {
        if !is_code(text) {
            return Err(NotACode { expected: "a code: 1 to 64 of a-z 0-9 _ . : -" });
        }
        Ok(Code(text.to_owned().into()))
    }

    /// A code of the program itself, for constants: `const LATE: Code = Code::fixed("late");`.
    ///
    /// # Panics
    /// If the word is not a code; for a constant that is an error of compilation.
    pub const fn fixed(word: &'static str) -> Code {
        assert!(is_code(word), "a code is 1 to 64 of a-z 0-9 _ . : -");
        Code(Cow::Borrowed(word))
    }
}

const fn is_code(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    // A loop over an index: constants cannot use iterators.
    while at < bytes.len() {
        if !matches!(bytes[at], b'a'..=b'z' | b'0'..=b'9' | b'_' | b'.' | b':' | b'-') {
            return false;
        }
        at += 1;
    }
    !bytes.is_empty() && bytes.len() <= 64
}

impl Code {
    /// A configured name as a code: letters in lower case, everything else that a code cannot hold as `_`, at most 64.
    pub fn fitted(name: &str) -> Code {
        let fit =
            |c: char| if c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | ':' | '-') { c.to_ascii_lowercase() } else { '_' };
        let word: String = name.chars().map(fit).take(64).collect();
        Code(if word.is_empty() { "_".into() } else { word.into() })
    }
}

impl Digest {
    /// Reads a digest.
    pub fn parse(text: &str) -> Result<Digest, NotACode> {
        let digits = text.strip_prefix("sha256:").or_else(|| text.strip_prefix("hmac-sha256:")).unwrap_or_default();
        match digits.len() == 64 && is_lower_hex(digits) {
            true => Ok(Digest(text.to_owned().into())),
            false => Err(NotACode { expected: "a digest: sha256: and 64 hex digits" }),
        }
    }

    /// A keyed hash.
    pub fn from_hmac(mac: &[u8; 32]) -> Digest {
        Digest(format!("hmac-sha256:{}", hex(mac)).into())
    }

    /// The SHA-256 digest of these bytes.
    pub fn of(bytes: &[u8]) -> Digest {
        Digest(format!("sha256:{}", hex(&super::merkle::sha256(bytes))).into())
    }
}

impl Id {
    /// Reads an id.
    pub fn parse(text: &str) -> Result<Id, NotACode> {
        match Uuid::try_parse(text) {
            Ok(uuid) if uuid.to_string() == text => Ok(Id(text.to_owned().into())),
            _ => Err(NotACode { expected: "an id: a UUID in lower case" }),
        }
    }
}

impl From<Uuid> for Id {
    fn from(uuid: Uuid) -> Id {
        Id(uuid.to_string().into())
    }
}

impl HoldCode {
    /// Reads the code of a hold.
    pub fn parse(text: &str) -> Result<HoldCode, NotACode> {
        let crockford =
            |byte: u8| byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !matches!(byte, b'I' | b'L' | b'O' | b'U'));
        match text.len() == 10 && text.bytes().all(crockford) {
            true => Ok(HoldCode(text.to_owned().into())),
            false => Err(NotACode { expected: "the code of a hold: ten letters and digits" }),
        }
    }
}

impl Actor {
    /// The program itself, by schedule or by what an approved plan tells it to do.
    pub fn system() -> Actor {
        Actor(Cow::Borrowed("system"))
    }

    /// An operator, by a reference that only the key can tie to the name.
    pub fn person(keys: &Keys, name: &str) -> Actor {
        Actor(format!("person:{}", hex(&keys.mac("journal actor", name.as_bytes())[..16])).into())
    }

    /// Reads an actor.
    pub fn parse(text: &str) -> Result<Actor, NotACode> {
        let keyed = text.strip_prefix("person:").is_some_and(|digits| digits.len() == 32 && is_lower_hex(digits));
        match keyed || text == "system" {
            true => Ok(Actor(text.to_owned().into())),
            false => Err(NotACode { expected: "an actor: system, or person: and 32 hex digits" }),
        }
    }
}

fn is_lower_hex(digits: &str) -> bool {
    unhex(digits).is_some() && !digits.bytes().any(|byte| byte.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn j_1_no_word_of_the_journal_can_hold_personal_data() {
        for personal in ["ada@example.com", "Ada Lovelace", "+43 660 1234567", "ADA", "gelöscht", "a sentence"] {
            assert!(Code::parse(personal).is_err());
            assert!(Id::parse(personal).is_err());
            assert!(HoldCode::parse(personal).is_err());
            assert!(Digest::parse(personal).is_err());
            assert!(Actor::parse(personal).is_err());
        }
        assert!(Code::parse(&"a".repeat(65)).is_err());
        assert!(Code::parse("").is_err());
        let error = Code::parse("ada@example.com").unwrap_err();
        assert!(!format!("{error} {error:?}").contains("ada"));
    }

    #[test]
    fn j_1_an_operator_is_a_keyed_reference() {
        let folder = tempfile::tempdir().unwrap();
        Keys::create_missing(folder.path()).unwrap();
        let keys = Keys::load(folder.path()).unwrap();
        let actor = Actor::person(&keys, "Grace Hopper");
        assert!(!actor.as_str().to_lowercase().contains("grace"));
        assert_eq!(actor, Actor::person(&keys, "Grace Hopper"));
        assert_ne!(actor, Actor::person(&keys, "Ada Lovelace"));
        assert_eq!(Actor::parse(actor.as_str()).unwrap(), actor);
    }

    #[test]
    fn each_word_has_one_spelling() {
        assert!(Id::parse("0197A0B0-0000-7000-8000-000000000001").is_err());
        assert!(Id::parse("0197a0b0000070008000000000000001").is_err());
        assert!(Id::parse("0197a0b0-0000-7000-8000-000000000001").is_ok());
        assert!(HoldCode::parse("7K2M9QX4ZT").is_ok());
        assert!(HoldCode::parse("7k2m9qx4zt").is_err());
        assert!(Digest::parse(&format!("sha256:{}", "A".repeat(64))).is_err());
        assert!(Digest::parse(&format!("hmac-sha256:{}", "a".repeat(64))).is_ok());
    }
}
