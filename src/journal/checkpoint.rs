//! Checkpoints (C2SP tlog-checkpoint): a signed note whose text is the origin, the size of the tree and its root. The origin is at the
//! same time the name of the key.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::merkle::Hash;
use super::note::{self, NoteError};
use crate::crypto::{PublicKey, SigningKey};

/// The name of a journal, such as `habeas.acme-ltd/journal`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Takes an origin as configured; `None` if it cannot stand in a note (empty, spaces, plus, control characters).
    pub fn parse(text: &str) -> Option<Origin> {
        note::is_key_name(text).then(|| Origin(text.to_owned()))
    }

    /// The origin of a controller's journal, where none is configured.
    pub fn of_controller(name: &str) -> Origin {
        let lower = name.to_lowercase();
        let words: Vec<&str> =
            lower.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let slug = if words.is_empty() { "controller".to_owned() } else { words.join("-") };
        Origin(format!("habeas.{slug}/journal"))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// The head of the tree at one size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many entries it covers.
    pub size: u64,
    /// The root over them.
    pub root: Hash,
}

impl Checkpoint {
    /// The signed note.
    pub fn sign(&self, origin: &Origin, key: &SigningKey) -> String {
        let text = format!("{origin}\n{}\n{}\n", self.size, STANDARD.encode(self.root));
        note::sign(&text, origin.as_str(), key)
    }

    /// Reads a note that this journal's key has signed.
    pub fn open(signed: &str, origin: &Origin, key: &PublicKey) -> Result<Checkpoint, NoteError> {
        Self::from_text(note::open(signed, origin.as_str(), key)?, origin).ok_or(NoteError::Malformed)
    }

    fn from_text(text: &str, origin: &Origin) -> Option<Checkpoint> {
        let mut lines = text.strip_suffix('\n')?.split('\n');
        if lines.next()? != origin.as_str() {
            return None;
        }
        let size = decimal(lines.next()?)?;
        let root = hash(lines.next()?)?;
        // Extension lines are optional and mean nothing to us, but empty ones are not allowed.
        lines.all(|line| !line.is_empty()).then_some(Checkpoint { size, root })
    }
}

/// The origin that a note claims: its first line. Not to be believed before the note is opened with it.
pub(super) fn claimed_origin(signed: &str) -> Option<Origin> {
    Origin::parse(signed.split('\n').next()?)
}

/// A decimal number without leading zeroes.
pub(super) fn decimal(text: &str) -> Option<u64> {
    let number = text.parse::<u64>().ok()?;
    (number.to_string() == text).then_some(number)
}

/// A hash in base 64.
pub(super) fn hash(text: &str) -> Option<Hash> {
    STANDARD.decode(text).ok()?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::super::note::tests::signing_key;
    use super::*;

    #[test]
    fn a_checkpoint_comes_back_as_it_was_signed() {
        let key = signing_key();
        let origin = Origin::of_controller("Acme Ltd. & Söhne");
        assert_eq!(origin.as_str(), "habeas.acme-ltd-söhne/journal");
        let checkpoint = Checkpoint { size: 20_852_163, root: [9; 32] };
        let note = checkpoint.sign(&origin, &key);
        assert!(note.starts_with("habeas.acme-ltd-söhne/journal\n20852163\nCQkJ"));
        assert_eq!(Checkpoint::open(&note, &origin, &key.public()).unwrap(), checkpoint);
        assert!(Checkpoint::open(&note, &Origin::of_controller("Other"), &key.public()).is_err());
    }

    #[test]
    fn sizes_have_one_spelling_and_roots_are_hashes() {
        let key = signing_key();
        let origin = Origin::of_controller("Acme");
        let root = STANDARD.encode([1; 32]);
        let open = |text: String| Checkpoint::open(&note::sign(&text, origin.as_str(), &key), &origin, &key.public());
        assert!(open(format!("{origin}\n7\n{root}\n")).is_ok());
        assert!(open(format!("{origin}\n7\n{root}\nextension\n")).is_ok());
        assert!(open(format!("{origin}\n0\n{root}\n")).is_ok());
        for text in [
            format!("{origin}\n07\n{root}\n"),
            format!("{origin}\n+7\n{root}\n"),
            format!("{origin}\n7\n{}\n", STANDARD.encode([1; 31])),
            format!("{origin}\n7\n"),
            format!("{origin}\n7\n{root}\n\nextension\n"),
            format!("other\n7\n{root}\n"),
        ] {
            assert!(open(text.clone()).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_controller_without_letters_has_an_origin_too() {
        assert_eq!(Origin::of_controller("+++").as_str(), "habeas.controller/journal");
        assert!(Origin::parse("has space").is_none());
    }
}
