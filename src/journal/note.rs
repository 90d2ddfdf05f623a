//! Signed notes (C2SP signed-note v1): text, a blank line, and lines `— name base64(key id ‖ signature)`. Only Ed25519 (type 0x01).
//! Signatures of unknown keys are skipped, so that witnesses may add theirs; one of a known key that fails condemns the note.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use thiserror::Error;

use super::merkle::sha256;
use crate::crypto::{PublicKey, SigningKey};

const ED25519: u8 = 0x01;
/// The specification asks for at least 16.
const SIGNATURES_AT_MOST: usize = 100;

/// Why a note is not to be believed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NoteError {
    /// It has not the form of a signed note.
    #[error("it is not a signed note")]
    Malformed,
    /// No signature by the key.
    #[error("it is not signed by the expected key")]
    NotSigned,
    /// The key's signature does not fit the text.
    #[error("its signature does not fit its text")]
    Forged,
}

/// The id that a signature line carries: `SHA-256(name ‖ 0x0A ‖ type ‖ public key)[:4]`.
pub fn key_id(name: &str, key: &PublicKey) -> [u8; 4] {
    let mut message = name.as_bytes().to_vec();
    message.extend([b'\n', ED25519]);
    message.extend(key.to_bytes());
    let [a, b, c, d, ..] = sha256(&message);
    [a, b, c, d]
}

/// The key in the form that other verifiers take: `name+hex(key id)+base64(type ‖ public key)`.
pub fn verifier_key(name: &str, key: &PublicKey) -> String {
    let mut bytes = vec![ED25519];
    bytes.extend(key.to_bytes());
    format!("{name}+{}+{}", crate::crypto::hex(&key_id(name, key)), STANDARD.encode(bytes))
}

/// Signs a text that ends in a newline.
pub fn sign(text: &str, name: &str, key: &SigningKey) -> String {
    let mut bytes = key_id(name, &key.public()).to_vec();
    bytes.extend(key.sign(text.as_bytes()));
    format!("{text}\n\u{2014} {name} {}\n", STANDARD.encode(bytes))
}

/// The text of a note that this key has signed under this name, its last newline included.
pub fn open<'n>(note: &'n str, name: &str, key: &PublicKey) -> Result<&'n str, NoteError> {
    if note.chars().any(|character| character < ' ' && character != '\n') {
        return Err(NoteError::Malformed);
    }
    let blank = note.rfind("\n\n").ok_or(NoteError::Malformed)?;
    let (text, signatures) = (&note[..=blank], &note[blank + 2..]);
    let lines = signatures.strip_suffix('\n').ok_or(NoteError::Malformed)?;
    let mut signed = false;
    for (count, line) in lines.split('\n').enumerate() {
        let (signer, bytes) = signature_line(line).filter(|_| count < SIGNATURES_AT_MOST).ok_or(NoteError::Malformed)?;
        let Some((id, signature)) = bytes.split_first_chunk::<4>() else { return Err(NoteError::Malformed) };
        if signer != name || *id != key_id(name, key) {
            continue;
        }
        if !key.verifies(text.as_bytes(), signature) {
            return Err(NoteError::Forged);
        }
        signed = true;
    }
    if signed { Ok(text) } else { Err(NoteError::NotSigned) }
}

fn signature_line(line: &str) -> Option<(&str, Vec<u8>)> {
    let (name, signature) = line.strip_prefix("\u{2014} ")?.split_once(' ')?;
    let bytes = STANDARD.decode(signature).ok()?;
    is_key_name(name).then_some((name, bytes))
}

/// Key names are not empty and have neither spaces nor a plus.
pub fn is_key_name(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(|character| character.is_whitespace() || character.is_control() || character == '+')
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::crypto::{Keys, random_bytes};

    pub fn signing_key() -> SigningKey {
        let folder = tempfile::tempdir().unwrap();
        Keys::create_missing(folder.path()).unwrap();
        SigningKey::load(folder.path()).unwrap()
    }

    #[test]
    fn the_example_of_the_specification_opens() {
        let vkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
        let note = "This is an example message.\n\n\u{2014} example.com/foo \
                    Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";
        let raw = STANDARD.decode(vkey.rsplit('+').next().unwrap()).unwrap();
        // The SPKI form of an Ed25519 key is a fixed prefix and the 32 bytes.
        let mut der = crate::crypto::unhex("302a300506032b6570032100").unwrap();
        der.extend(&raw[1..]);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der));
        let key = PublicKey::from_pem(&pem).unwrap();
        assert_eq!(verifier_key("example.com/foo", &key), vkey);
        assert_eq!(open(note, "example.com/foo", &key).unwrap(), "This is an example message.\n");
        assert_eq!(open(&note.replace("message", "massage"), "example.com/foo", &key), Err(NoteError::Forged));
        assert_eq!(open(note, "example.com/bar", &key), Err(NoteError::NotSigned));
    }

    #[test]
    fn unknown_signatures_are_skipped_and_do_not_count() {
        let (ours, theirs) = (signing_key(), signing_key());
        let note = sign("a\n\nb\n", "log.example", &ours);
        let witness = sign("a\n\nb\n", "witness.example", &theirs);
        let both = format!("{note}{}", witness.rsplit_once("\n\n").unwrap().1);
        assert_eq!(open(&both, "log.example", &ours.public()).unwrap(), "a\n\nb\n");
        assert_eq!(open(&witness, "log.example", &ours.public()), Err(NoteError::NotSigned));
        assert_eq!(open(&note, "log.example", &theirs.public()), Err(NoteError::NotSigned));
    }

    #[test]
    fn what_has_not_the_form_of_a_note_is_refused() {
        let key = signing_key();
        let note = sign("text\n", "log.example", &key);
        let junk = STANDARD.encode(random_bytes::<68>().unwrap());
        for malformed in [
            "",
            "text\n",
            "text\n\n",
            note.trim_end(),
            &note.replace('\u{2014}', "-"),
            &note.replace("text", "te\txt"),
            &format!("{note}\u{2014} other+name {junk}\n"),
            &format!("{note}\u{2014} other {junk}=\n"),
        ] {
            assert_eq!(open(malformed, "log.example", &key.public()), Err(NoteError::Malformed), "{malformed:?}");
        }
    }
}
