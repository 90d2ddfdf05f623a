//! How the ledger names a version that a store locks for us: by a keyed hash, so that every hold on it finds the same rows, and by its sealed key,
//! so that it can be found in the store again. The hash is bound to the identity of the store: under a source that stands for another store later
//! nothing matches any more, and nothing is touched.

use crate::connector::objects::{Entry, ObjectSource};
use crate::crypto::{CryptoError, Keys, hex};
use crate::value::KeyPart;

const PURPOSE: &str = "store lock";

/// The hash by which rows for this version are found.
pub(super) fn entry_ref(keys: &Keys, store: &ObjectSource, entry: &Entry) -> String {
    let mut named = store.facts.identity.clone().into_bytes();
    named.push(0);
    named.extend(plain(entry));
    hex(&keys.mac(PURPOSE, &named)[..16])
}

/// Key and version id, sealed.
pub(super) fn seal(keys: &Keys, entry: &Entry) -> Result<Vec<u8>, CryptoError> {
    keys.seal(PURPOSE, &plain(entry))
}

/// The version that was sealed; none if the bytes do not open or name none.
pub(super) fn open(keys: &Keys, sealed: &[u8]) -> Option<Entry> {
    let plain = keys.open(PURPOSE, sealed).ok()?;
    Entry::from_manifest_key(&serde_json::from_slice::<Vec<KeyPart>>(&plain).ok()?)
}

fn plain(entry: &Entry) -> Vec<u8> {
    // Texts and bytes: there is no way to fail.
    serde_json::to_vec(&entry.manifest_key()).unwrap_or_default()
}
