//! A bucket: what it keeps and how it is set up. It knows the order of versions, and no rules about who may do what.

use std::collections::{BTreeMap, HashMap};

use s3s::dto::{LifecycleRules, ReplicationConfiguration, Timestamp};
use s3s::{S3Result, s3_error};

use super::upload::Upload;
use super::version::{NULL, Version};

/// Whether old versions are kept.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Versioning {
    #[default]
    Never,
    Enabled,
    Suspended,
}

/// Retention for everything that is written without one.
#[derive(Clone)]
pub struct DefaultRetention {
    pub compliance: bool,
    pub days: i32,
}

/// A bucket.
pub struct Bucket {
    pub region: String,
    pub created: Timestamp,
    pub versioning: Versioning,
    pub mfa_delete: bool,
    /// Strangers pay for what they ask, and have to say that they know.
    pub requester_pays: bool,
    /// Object Lock; it cannot be switched off again.
    pub lock: bool,
    pub default_retention: Option<DefaultRetention>,
    pub replication: Option<ReplicationConfiguration>,
    pub lifecycle: Option<LifecycleRules>,
    /// The versions of each key, newest first; no key without a version.
    pub keys: BTreeMap<String, Vec<Version>>,
    /// By key and id, also of versions that are gone: a listing goes on behind a version that was deleted meanwhile.
    ages: HashMap<(String, String), u64>,
    /// By key and upload id, whose order is the order in which they were started.
    pub uploads: BTreeMap<(String, String), Upload>,
}

impl Bucket {
    pub fn new(region: &str, created: Timestamp) -> Bucket {
        Bucket {
            region: region.to_owned(),
            created,
            versioning: Versioning::Never,
            mfa_delete: false,
            requester_pays: false,
            lock: false,
            default_retention: None,
            replication: None,
            lifecycle: None,
            keys: BTreeMap::new(),
            ages: HashMap::new(),
            uploads: BTreeMap::new(),
        }
    }

    /// The newest version, be it a marker.
    pub fn current(&self, key: &str) -> Option<&Version> {
        self.keys.get(key).and_then(|versions| versions.first())
    }

    /// The version that a request means: the one it names, or the newest. `NoSuchVersion` or `NoSuchKey` where there is none.
    pub fn find(&self, key: &str, id: Option<&str>) -> S3Result<&Version> {
        let Some(id) = id else {
            return self.current(key).ok_or_else(|| s3_error!(NoSuchKey, "The specified key does not exist."));
        };
        known_form(id)?;
        let versions = self.keys.get(key).into_iter().flatten();
        let mut named = versions.filter(|version| version.id == id);
        named.next().ok_or_else(|| s3_error!(NoSuchVersion, "The specified version does not exist."))
    }

    /// The same, to change it.
    pub fn find_mut(&mut self, key: &str, id: Option<&str>) -> S3Result<&mut Version> {
        let id = self.find(key, id)?.id.clone();
        let versions = self.keys.get_mut(key).into_iter().flatten();
        let mut named = versions.filter(|version| version.id == id);
        named.next().ok_or_else(|| s3_error!(NoSuchVersion))
    }

    /// Takes a new version in; one with the id `null` replaces the one that has it.
    pub fn add(&mut self, key: &str, version: Version) {
        if version.id == NULL {
            self.remove(key, NULL);
        }
        self.ages.insert((key.to_owned(), version.id.clone()), version.age);
        self.keys.entry(key.to_owned()).or_default().insert(0, version);
    }

    /// Takes a version out for ever.
    pub fn remove(&mut self, key: &str, id: &str) -> Option<Version> {
        let versions = self.keys.get_mut(key)?;
        let place = versions.iter().position(|version| version.id == id)?;
        let removed = versions.remove(place);
        if versions.is_empty() {
            self.keys.remove(key);
        }
        Some(removed)
    }

    /// How old a version is or was.
    pub fn age(&self, key: &str, id: &str) -> Option<u64> {
        self.ages.get(&(key.to_owned(), id.to_owned())).copied()
    }

    /// The id of what is written next, given a fresh one.
    pub fn next_id(&self, fresh: String) -> String {
        if self.versioning == Versioning::Enabled { fresh } else { NULL.to_owned() }
    }

    /// What answers say about ids: nothing where versions were never kept.
    pub fn told(&self, id: &str) -> Option<String> {
        (self.versioning != Versioning::Never).then(|| id.to_owned())
    }
}

/// Version ids are opaque, but not any text is one.
pub fn known_form(id: &str) -> S3Result<()> {
    let well_formed = id == NULL || (id.len() == 32 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    if well_formed { Ok(()) } else { Err(s3_error!(InvalidArgument, "Invalid version id specified")) }
}
