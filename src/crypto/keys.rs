//! The key folder: `master.key` (32 bytes in hex) for sealing and keyed hashes. Purposes are separated by deriving a key per purpose.
//! The issuer's key pair lies in the same folder (see `signing.rs`) and is made together with it, but [`Keys`] does not hold it.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use thiserror::Error;

use super::{SigningKey, random_bytes};
use crate::subject::{Identifier, Subject, SubjectRef};

/// What can go wrong with keys.
#[derive(Debug, Error)]
pub enum CryptoError {
    /// The key folder or one of its files is missing or unreadable.
    #[error("cannot read key file `{}`: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A key file is not what it should be.
    #[error("key file `{}` is damaged: {reason}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// In which way.
        reason: &'static str,
    },
    /// Sealed data does not open: another key, another purpose, or altered bytes.
    #[error("sealed data ({purpose}) does not open: it was sealed with another key, or altered")]
    Sealed {
        /// What it was sealed for.
        purpose: &'static str,
    },
    /// The operating system gave no random bytes.
    #[error("the operating system gave no random bytes")]
    Random,
}

/// The installation's secret keys.
pub struct Keys {
    master: [u8; 32],
    folder: PathBuf,
}

const NONCE_BYTES: usize = 24;

impl Keys {
    /// Writes what is missing of the key folder (mode 0600, folder 0700). Never overwrites.
    pub fn create_missing(folder: &Path) -> Result<Vec<PathBuf>, CryptoError> {
        let unreadable =
            |path: &Path, error: std::io::Error| CryptoError::Unreadable { path: path.into(), reason: error.to_string() };
        fs::create_dir_all(folder).map_err(|error| unreadable(folder, error))?;
        restrict(folder, 0o700).map_err(|error| unreadable(folder, error))?;
        let path = folder.join("master.key");
        let mut written = Vec::new();
        if !path.exists() {
            let text = hex(&random_bytes::<32>()?);
            write_secret(&path, text.as_bytes()).map_err(|error| unreadable(&path, error))?;
            written.push(path);
        }
        written.extend(SigningKey::create_missing(folder)?);
        Ok(written)
    }

    /// Reads the key folder.
    pub fn load(folder: &Path) -> Result<Keys, CryptoError> {
        let path = folder.join("master.key");
        let text =
            fs::read_to_string(&path).map_err(|error| CryptoError::Unreadable { path: path.clone(), reason: error.to_string() })?;
        let bytes = unhex(text.trim()).ok_or(CryptoError::Damaged { path: path.clone(), reason: "not 64 hex digits" })?;
        let master = <[u8; 32]>::try_from(bytes).map_err(|_| CryptoError::Damaged { path, reason: "not 64 hex digits" })?;
        Ok(Keys { master, folder: folder.to_owned() })
    }

    /// The folder that the keys came from.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// HMAC-SHA-256 of `bytes` under the key of `purpose`.
    pub fn mac(&self, purpose: &str, bytes: &[u8]) -> [u8; 32] {
        hmac_sha256(&self.derive(purpose), bytes)
    }

    /// Encrypts and authenticates (XChaCha20-Poly1305, random nonce in front, purpose bound as associated data).
    pub fn seal(&self, purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
        seal_with(&self.derive(purpose), purpose, plain)
    }

    /// Opens what [`Keys::seal`] made for the same purpose.
    pub fn open(&self, purpose: &'static str, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
        open_with(&self.derive(purpose), purpose, sealed)
    }

    /// The keyed name of one identifier, for lanes and hold scopes: equal for equal kind and value.
    pub fn alias_ref(&self, identifier: &Identifier) -> String {
        let message = format!("{}\u{0}{}", identifier.kind, identifier.expose());
        hex(&self.mac("alias", message.as_bytes())[..16])
    }

    /// The keyed name of a person as a request gave it.
    pub fn subject_ref(&self, subject: &Subject) -> SubjectRef {
        SubjectRef::from_hex(hex(&self.mac("subject", subject.to_sealed_json().as_bytes())[..16]))
    }

    fn derive(&self, purpose: &str) -> [u8; 32] {
        hmac_sha256(&self.master, purpose.as_bytes())
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Keys({})", self.folder.display())
    }
}

/// HMAC-SHA-256 (RFC 2104).
pub fn hmac_sha256(key: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    let mut block = [0u8; 64];
    block[..32].copy_from_slice(key);
    let mut mac = <Hmac<Sha256> as KeyInit>::new(&block.into());
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// Seals under a key that is already particular to its use.
pub fn seal_with(key: &[u8; 32], purpose: &'static str, plain: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let nonce = random_bytes::<NONCE_BYTES>()?;
    let cipher = XChaCha20Poly1305::new(key.into());
    let body = cipher
        .encrypt(&XNonce::from(nonce), Payload { msg: plain, aad: purpose.as_bytes() })
        .map_err(|_| CryptoError::Sealed { purpose })?;
    let mut sealed = nonce.to_vec();
    sealed.extend(body);
    Ok(sealed)
}

/// Opens what [`seal_with`] made.
pub fn open_with(key: &[u8; 32], purpose: &'static str, sealed: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let Some((nonce, body)) = sealed.split_first_chunk::<NONCE_BYTES>() else {
        return Err(CryptoError::Sealed { purpose });
    };
    let cipher = XChaCha20Poly1305::new(key.into());
    cipher
        .decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: purpose.as_bytes() })
        .map_err(|_| CryptoError::Sealed { purpose })
}

/// Lower-case hex.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Reads hex; `None` if it is not.
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() || !text.len().is_multiple_of(2) {
        return None;
    }
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).ok()).collect()
}

/// Writes a new file that only its owner can read; an existing one is an error.
pub fn write_secret(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn restrict(path: &Path, mode: u32) -> std::io::Result<()> {
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sealed_bytes_open_only_whole_and_for_their_purpose() {
        let folder = tempfile::tempdir().unwrap();
        Keys::create_missing(folder.path()).unwrap();
        let keys = Keys::load(folder.path()).unwrap();
        let mut sealed = keys.seal("test", b"ada@example.com").unwrap();
        assert_eq!(keys.open("test", &sealed).unwrap(), b"ada@example.com");
        assert!(keys.open("other", &sealed).is_err());
        sealed[30] ^= 1;
        assert!(keys.open("test", &sealed).is_err());
        assert!(Keys::create_missing(folder.path()).unwrap().is_empty(), "never overwrites");
    }
}
