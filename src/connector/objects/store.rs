//! The one trait behind which all object stores are. Its verbs are few: facts about the store, list, read, locks, delete, write.

use std::collections::BTreeMap;

use futures_util::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use tokio::io::AsyncRead;

use super::{Entry, Fate, Lock, ObjectKey, StoreError};

/// Bytes that arrive as they are read.
pub type Reading = Box<dyn AsyncRead + Send + Unpin>;

/// Whether a store keeps what is overwritten and deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Versioning {
    /// Never switched on: deleting is final.
    Never,
    /// On: a delete without a version id only adds a marker.
    Enabled,
    /// Was on: old versions stay, new ones replace the version `null`.
    Suspended,
}

/// What is known of a store before anything in it is touched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreFacts {
    /// Versions.
    pub versioning: Versioning,
    /// Whether entries may be locked; `None` when that could not be found out.
    pub lockable: Option<bool>,
    /// How long everything that is written there is retained, whatever its writer wants.
    pub retains_new: Option<SignedDuration>,
    /// Versions can be deleted only with a second factor, which we do not have.
    pub mfa_delete: bool,
    /// Copies that deleting does not reach, in words: replication, for instance.
    pub copies: Vec<String>,
    /// What could not be found out, in words.
    pub unknown: Vec<String>,
    /// What tells this store from another one of the same name.
    pub identity: String,
}

/// Where the next page begins; opaque.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageMark {
    pub(super) key: Vec<u8>,
    pub(super) id: Option<String>,
}

/// Some entries, and whether there are more.
#[derive(Debug, Default)]
pub struct Page {
    /// Entries in the order of the store.
    pub entries: Vec<Entry>,
    /// Where to go on; none at the end.
    pub next: Option<PageMark>,
}

/// What is known of an object besides its bytes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Details {
    /// Bytes.
    pub size: u64,
    /// Media type that was given when it was written.
    pub media_type: Option<String>,
    /// `Content-Encoding`, such as `gzip`.
    pub encoding: Option<String>,
    /// Metadata of the one who wrote it. May be personal data.
    pub metadata: BTreeMap<String, String>,
    /// Tags. May be personal data.
    pub tags: BTreeMap<String, String>,
    /// When it was written.
    pub modified: Option<Timestamp>,
    /// The store's tag of the content.
    pub etag: Option<String>,
    /// Storage class, where the store names one.
    pub storage_class: Option<String>,
    /// Whether the bytes must be restored first, and whether that has been asked for.
    pub restore: Option<Restore>,
}

/// How far an object in an archive class is from being readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Restore {
    /// Nobody has asked for it.
    NotAsked,
    /// It is under way.
    UnderWay,
}

/// On what a write depends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Condition {
    /// Only if there is nothing under the key.
    Absent,
    /// Only if what is there has this tag.
    Matches(String),
}

/// An object under way into a store: bytes are handed over as they are made. Dropped without `finish`, nothing appears under the key; `abort`
/// also takes the parts away that are there already.
pub trait Writing: Send {
    /// Takes more bytes.
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), StoreError>>;
    /// Makes the object appear, and says which version it is.
    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Entry, StoreError>>;
    /// Takes everything away that was written.
    fn abort(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>>;
}

/// A place that holds objects.
pub trait ObjectStore: Send + Sync {
    /// What is known of it; reads its configuration anew.
    fn facts(&self) -> BoxFuture<'_, Result<StoreFacts, StoreError>>;

    /// Versions and markers whose key begins with these bytes. No right to list versions is an error, never an empty list (V-2).
    fn list<'a>(&'a self, prefix: &'a [u8], after: Option<PageMark>) -> BoxFuture<'a, Result<Page, StoreError>>;

    /// The key under which a name is kept; none for a name that lies outside. A folder knows a file under many spellings of its path.
    fn key_of(&self, name: &str) -> Option<ObjectKey> {
        Some(ObjectKey::new(name.as_bytes()))
    }

    /// Unfinished uploads whose key begins with these bytes.
    fn list_uploads<'a>(&'a self, prefix: &'a [u8], after: Option<PageMark>) -> BoxFuture<'a, Result<Page, StoreError>>;

    /// What is known of a version besides its bytes.
    fn details<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Details, StoreError>>;

    /// Its bytes. They may end early when the connection does; whoever reads compares with the size.
    fn read<'a>(&'a self, entry: &'a Entry) -> BoxFuture<'a, Result<Reading, StoreError>>;

    /// Asks for an object to be brought back from an archive class.
    fn restore<'a>(&'a self, entry: &'a Entry, days: u16) -> BoxFuture<'a, Result<(), StoreError>>;

    /// What protects each of these entries, in their order.
    fn locks<'a>(&'a self, entries: &'a [Entry]) -> BoxFuture<'a, Result<Vec<Lock>, StoreError>>;

    /// Sets or clears the store's own legal hold.
    fn set_legal_hold<'a>(&'a self, entry: &'a Entry, on: bool) -> BoxFuture<'a, Result<(), StoreError>>;

    /// Deletes exactly these entries, by their ids; what became of each, in their order. `within` bounds the call: after that nothing of it
    /// is under way from here.
    fn delete<'a>(&'a self, entries: &'a [Entry], within: std::time::Duration) -> BoxFuture<'a, Result<Vec<Fate>, StoreError>>;

    /// Removes what writers of ours that died have left beside the objects under a prefix; how many files. A bucket has no such place.
    fn remove_leftovers<'a>(&'a self, _prefix: &'a [u8]) -> BoxFuture<'a, Result<u64, StoreError>> {
        Box::pin(async { Ok(0) })
    }

    /// Begins to write an object. What replaces another one in a folder takes over its owner and its rights.
    fn write<'a>(
        &'a self,
        key: &'a ObjectKey,
        details: &'a Details,
        condition: Option<Condition>,
    ) -> BoxFuture<'a, Result<Box<dyn Writing>, StoreError>>;
}
