//! The issuer's Ed25519 key: `signing.key` (PKCS#8 PEM, mode 0600) and `signing.pub` (SPKI PEM) in the key folder.
//! A type of its own, apart from [`super::Keys`]: code that signs need not be able to unseal, and code that erases cannot sign.
//! Signatures are the raw 64 bytes of RFC 8032, which stock OpenSSL reads as they are. The private key is never printed.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey, KeypairBytes};
use ed25519_dalek::{Signature, Signer, VerifyingKey};
use sha2::{Digest as _, Sha256};

use super::{CryptoError, hex, random_bytes, write_secret};

const PRIVATE: &str = "signing.key";
const PUBLIC: &str = "signing.pub";

/// Signs certificates and checkpoints.
pub struct SigningKey(ed25519_dalek::SigningKey);

/// Checks what a [`SigningKey`] signed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey(VerifyingKey);

impl SigningKey {
    /// Writes what is missing of the key pair. Never overwrites; the folder must exist.
    pub(super) fn create_missing(folder: &Path) -> Result<Vec<PathBuf>, CryptoError> {
        let (private, public) = (folder.join(PRIVATE), folder.join(PUBLIC));
        let mut written = Vec::new();
        if !private.exists() {
            let damaged = |_| CryptoError::Damaged { path: private.clone(), reason: "a new key cannot be encoded" };
            // Without the public half: OpenSSL 3.0 does not read the newer PKCS#8 form that carries it.
            let pair = KeypairBytes { secret_key: random_bytes::<32>()?, public_key: None };
            let pem = pair.to_pkcs8_pem(LineEnding::LF).map_err(damaged)?;
            write_secret(&private, pem.as_bytes()).map_err(|error| unreadable(&private, &error))?;
            written.push(private);
        }
        if !public.exists() {
            let pem = read_private(folder)?.public().to_pem();
            write_public(&public, pem.as_bytes()).map_err(|error| unreadable(&public, &error))?;
            written.push(public);
        }
        Ok(written)
    }

    /// Reads the key pair of a key folder; halves that do not belong together are an error.
    pub fn load(folder: &Path) -> Result<SigningKey, CryptoError> {
        let key = read_private(folder)?;
        if PublicKey::load(folder)? != key.public() {
            return Err(CryptoError::Damaged { path: folder.join(PUBLIC), reason: "not the public half of signing.key" });
        }
        Ok(key)
    }

    /// The raw 64-byte signature of these bytes. Ed25519 is deterministic: the same bytes always give the same signature.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.0.sign(bytes).to_bytes()
    }

    /// The half that everybody may have.
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key())
    }
}

impl PublicKey {
    /// Reads `signing.pub` of a key folder: all that is needed to check, and nothing with which to sign.
    pub fn load(folder: &Path) -> Result<PublicKey, CryptoError> {
        let path = folder.join(PUBLIC);
        let pem = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
        PublicKey::from_pem(&pem).ok_or(CryptoError::Damaged { path, reason: "not an Ed25519 public key in PEM" })
    }

    /// Reads a PEM (SPKI) public key; `None` if it is not an Ed25519 one.
    pub fn from_pem(pem: &str) -> Option<PublicKey> {
        let key = VerifyingKey::from_public_key_pem(pem.trim_end()).ok()?;
        // A key of small order would accept signatures over anything.
        (!key.is_weak()).then_some(PublicKey(key))
    }

    /// The PEM (SPKI) form, as `openssl pkey -pubin` reads it.
    pub fn to_pem(&self) -> String {
        // Encoding 32 bytes into a fixed form has no way to fail.
        self.0.to_public_key_pem(LineEnding::LF).unwrap_or_default()
    }

    /// The 32 bytes of RFC 8032.
    pub fn to_bytes(&self) -> [u8; 32] {
        self.0.to_bytes()
    }

    /// Whether this key signed exactly these bytes.
    pub fn verifies(&self, bytes: &[u8], signature: &[u8]) -> bool {
        Signature::from_slice(signature).is_ok_and(|signature| self.0.verify_strict(bytes, &signature).is_ok())
    }

    /// The name of the key in certificates: `sha256:` and the digest of its 32 bytes.
    pub fn fingerprint(&self) -> String {
        format!("sha256:{}", hex(&Sha256::digest(self.to_bytes())))
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "SigningKey({})", self.public().fingerprint())
    }
}

impl std::fmt::Debug for PublicKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PublicKey({})", self.fingerprint())
    }
}

fn read_private(folder: &Path) -> Result<SigningKey, CryptoError> {
    let path = folder.join(PRIVATE);
    let pem = fs::read_to_string(&path).map_err(|error| unreadable(&path, &error))?;
    let key = ed25519_dalek::SigningKey::from_pkcs8_pem(pem.trim_end())
        .map_err(|_| CryptoError::Damaged { path, reason: "not an Ed25519 private key in PKCS#8 PEM" })?;
    Ok(SigningKey(key))
}

fn write_public(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = fs::OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn unreadable(path: &Path, error: &std::io::Error) -> CryptoError {
    CryptoError::Unreadable { path: path.into(), reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::super::Keys;
    use super::*;

    #[test]
    fn openssl_reads_both_halves_and_checks_our_signature() {
        let folder = tempfile::tempdir().unwrap();
        let written = Keys::create_missing(folder.path()).unwrap();
        assert_eq!(written.len(), 3, "master key and key pair");
        let key = SigningKey::load(folder.path()).unwrap();
        let message = folder.path().join("message");
        let signature = folder.path().join("message.sig");
        fs::write(&message, b"exactly these bytes").unwrap();
        fs::write(&signature, key.sign(b"exactly these bytes")).unwrap();

        let derived = Command::new("openssl").args(["pkey", "-pubout", "-in"]).arg(folder.path().join(PRIVATE)).output().unwrap();
        assert_eq!(String::from_utf8(derived.stdout).unwrap(), key.public().to_pem());
        let read = Command::new("openssl").args(["pkey", "-pubin", "-noout", "-in"]).arg(folder.path().join(PUBLIC)).status();
        assert!(read.unwrap().success());

        let verify = || {
            let mut command = Command::new("openssl");
            command.args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"]).arg(folder.path().join(PUBLIC));
            command.arg("-in").arg(&message).arg("-sigfile").arg(&signature).output().unwrap().status.success()
        };
        assert!(verify());
        fs::write(&message, b"exactly these byteS").unwrap();
        assert!(!verify());
    }

    #[test]
    fn a_key_pair_whose_halves_do_not_belong_together_is_refused() {
        let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        Keys::create_missing(one.path()).unwrap();
        Keys::create_missing(other.path()).unwrap();
        fs::copy(other.path().join(PUBLIC), one.path().join(PUBLIC)).unwrap();
        assert!(matches!(SigningKey::load(one.path()), Err(CryptoError::Damaged { .. })));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_the_private_half() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        Keys::create_missing(folder.path()).unwrap();
        assert_eq!(fs::metadata(folder.path().join(PRIVATE)).unwrap().permissions().mode() & 0o777, 0o600);
        let key = SigningKey::load(folder.path()).unwrap();
        assert!(format!("{key:?}").starts_with("SigningKey(sha256:"));
    }
}
