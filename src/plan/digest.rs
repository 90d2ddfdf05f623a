//! Digests of documents: SHA-256 over their canonical JSON, which serde writes in the order of the struct's fields.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// `sha256:` and 64 hex digits.
pub fn of<T: Serialize>(document: &T) -> String {
    // A struct of text and numbers always has a JSON form; an empty digest would match no approval.
    let bytes = serde_json::to_vec(document).unwrap_or_default();
    of_bytes(&bytes)
}

/// The same over bytes.
pub fn of_bytes(bytes: &[u8]) -> String {
    format!("sha256:{}", crate::crypto::hex(&Sha256::digest(bytes)))
}
