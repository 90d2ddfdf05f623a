//! How the subject, and nobody else, can show that a certificate is theirs: the certificate carries a hash of their identifiers under a
//! random key, and only the subject's own copy (`subject-opening.json`) carries the key. Without it the reference says nothing about
//! whom it concerns; once every copy of the key is destroyed it never will again. Not part of the public folder.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::crypto::{CryptoError, hex, hmac_sha256, random_bytes, unhex, write_secret};
use crate::journal::{Digest, Id};
use crate::subject::Subject;

/// Name of the file in the subject's copy.
pub const OPENING_FILE: &str = "subject-opening.json";

const HOW: &str = "subject_ref in certificate.json is HMAC-SHA-256 under this key over one line `kind=value` per identifier, sorted by \
                   kind, each ended by a line feed. Put these lines into a file and run: \
                   openssl dgst -sha256 -mac HMAC -macopt hexkey:KEY FILE";

/// What ties a certificate to its subject.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectOpening {
    /// The certificate that it opens.
    pub certificate_id: Id,
    /// The reference as it stands there.
    pub subject_ref: Digest,
    /// Kinds of the identifiers that went in, sorted.
    pub identifier_kinds: Vec<String>,
    how: String,
    key: String,
}

impl SubjectOpening {
    /// Makes the reference of a subject under a new random key.
    pub(super) fn new(certificate_id: Id, subject: &Subject) -> Result<SubjectOpening, CryptoError> {
        let key = random_bytes::<32>()?;
        Ok(SubjectOpening {
            certificate_id,
            subject_ref: reference(&key, subject),
            identifier_kinds: subject.identifiers().iter().map(|identifier| identifier.kind.clone()).collect(),
            how: HOW.to_owned(),
            key: hex(&key),
        })
    }

    /// Whether the reference is that of this subject.
    pub fn opens_to(&self, subject: &Subject) -> bool {
        let key = unhex(&self.key).and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        key.is_some_and(|key| reference(&key, subject) == self.subject_ref)
    }

    /// Writes the file into the subject's copy, readable by its owner alone. An existing file is an error.
    pub fn write(&self, folder: &Path) -> std::io::Result<()> {
        let mut text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        text.push('\n');
        write_secret(&folder.join(OPENING_FILE), text.as_bytes())
    }
}

impl fmt::Debug for SubjectOpening {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SubjectOpening({}, key hidden)", self.certificate_id)
    }
}

/// Values have no control characters, so that lines cannot run into each other.
fn reference(key: &[u8; 32], subject: &Subject) -> Digest {
    let lines: String =
        subject.identifiers().iter().map(|identifier| format!("{}={}\n", identifier.kind, identifier.expose())).collect();
    Digest::from_hmac(&hmac_sha256(key, lines.as_bytes()))
}
