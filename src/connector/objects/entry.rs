//! What a store holds under a key: versions, delete markers, unfinished uploads. An entry is the unit that is erased, kept and looked for.

use jiff::Timestamp;

use crate::value::KeyPart;

/// The name of an object, byte for byte: up to 1,024 bytes of UTF-8 in S3, any bytes but NUL in a folder. Never changed in any way, never in
/// messages: it may be personal data.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(Vec<u8>);

impl ObjectKey {
    /// A key of these bytes.
    pub fn new(bytes: impl Into<Vec<u8>>) -> ObjectKey {
        ObjectKey(bytes.into())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// As text, where it is UTF-8.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }

    /// As text for people, with what is no UTF-8 replaced.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.0).into_owned()
    }
}

impl std::fmt::Debug for ObjectKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "ObjectKey({} bytes)", self.0.len())
    }
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// Bytes under a key: a version, or the object itself where there are no versions.
    Version,
    /// A delete marker: it holds nothing but the key and hides what is older.
    Marker,
    /// A multipart upload that nobody completed: its parts are stored and paid for, and stand in no list of objects.
    Upload,
}

impl EntryKind {
    /// The word in manifests.
    pub fn as_str(self) -> &'static str {
        match self {
            EntryKind::Version => "version",
            EntryKind::Marker => "marker",
            EntryKind::Upload => "upload",
        }
    }
}

/// One thing that a store holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: ObjectKey,
    /// What it is.
    pub kind: EntryKind,
    /// Version id (`null` is one) or upload id; none in a store without versions.
    pub id: Option<String>,
    /// Bytes; 0 for markers and uploads.
    pub size: u64,
    /// The store's tag of the content, without meaning beyond equality.
    pub etag: Option<String>,
    /// When it was written.
    pub modified: Option<Timestamp>,
    /// Whether it is what a reader of the key gets.
    pub is_latest: bool,
    /// Storage class, where the store names one.
    pub storage_class: Option<String>,
    /// Why deleting it would leave its bytes where they are: a link, a second name. Such an entry is never deleted.
    pub obstacle: Option<&'static str>,
}

impl std::fmt::Debug for Entry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Entry({}, {} bytes)", self.kind.as_str(), self.size)
    }
}

impl Entry {
    /// An entry that is known by its name alone, as a manifest lists it.
    pub fn named(key: ObjectKey, kind: EntryKind, id: Option<String>) -> Entry {
        Entry { key, kind, id, size: 0, etag: None, modified: None, is_latest: false, storage_class: None, obstacle: None }
    }

    /// Whether both are the same thing in the store, whatever else is known of them.
    pub fn is_same(&self, other: &Entry) -> bool {
        self.key == other.key && self.kind == other.kind && self.id == other.id
    }

    /// Its name in a manifest: key, kind, id.
    pub fn manifest_key(&self) -> Vec<KeyPart> {
        let key = match self.key.text() {
            Some(text) => KeyPart::Text(text.to_owned()),
            None => KeyPart::Blob(self.key.bytes().to_vec()),
        };
        let id = self.id.as_ref().map_or(KeyPart::Null, |id| KeyPart::Text(id.clone()));
        vec![key, KeyPart::Text(self.kind.as_str().to_owned()), id]
    }

    /// The entry that a manifest names; none if that is no name of an entry.
    pub fn from_manifest_key(parts: &[KeyPart]) -> Option<Entry> {
        let [key, KeyPart::Text(kind), id] = parts else { return None };
        let key = match key {
            KeyPart::Text(text) => ObjectKey::new(text.as_bytes()),
            KeyPart::Blob(bytes) => ObjectKey::new(bytes.clone()),
            _ => return None,
        };
        let kind = [EntryKind::Version, EntryKind::Marker, EntryKind::Upload].into_iter().find(|known| known.as_str() == kind)?;
        let id = match id {
            KeyPart::Null => None,
            KeyPart::Text(id) => Some(id.clone()),
            _ => return None,
        };
        Some(Entry::named(key, kind, id))
    }
}

/// What protects an entry inside the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// Nothing: the store was asked and said so.
    Free,
    /// A legal hold, until somebody takes it off.
    LegalHold,
    /// Retention until then. Governance mode could be bypassed; we never do.
    Until(Timestamp),
    /// It could not be found out. Unknown means held (H-1).
    Unknown,
}

impl Lock {
    /// Whether it keeps the entry at this moment. What could not be found out does (H-1).
    pub fn holds(self, now: Timestamp) -> bool {
        match self {
            Lock::Free => false,
            Lock::Until(until) => until > now,
            Lock::LegalHold | Lock::Unknown => true,
        }
    }
}

/// What became of one entry that was to be deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// The store says that it is gone. That is an acknowledgement and no proof.
    Acknowledged,
    /// The store refused: its code. Never success, never retried with a bypass.
    Refused(String),
    /// Nobody knows: it must be looked for before anything else happens (E-2).
    Unknown,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_found_again_by_its_name_in_a_manifest() {
        let keys: [&[u8]; 4] = [b"a/b c+%2F", "\u{1F600}/\n".as_bytes(), b"\xff\xfe", b"../x"];
        for (at, key) in keys.into_iter().enumerate() {
            for kind in [EntryKind::Version, EntryKind::Marker, EntryKind::Upload] {
                let entry = Entry::named(ObjectKey::new(key), kind, (at > 0).then(|| "null".to_owned()));
                assert_eq!(Entry::from_manifest_key(&entry.manifest_key()), Some(entry));
            }
        }
        assert_eq!(Entry::from_manifest_key(&[KeyPart::Int(1)]), None);
    }

    #[test]
    fn s_1_a_key_is_not_in_its_debug_text() {
        let entry = Entry::named(ObjectKey::new("ada@example.com"), EntryKind::Version, None);
        assert!(!format!("{entry:?} {:?}", entry.key).contains("ada"));
    }
}
