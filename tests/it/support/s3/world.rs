//! All that the server keeps, behind one lock, and the switches with which a test shapes it. Every request sees a consistent state.

use std::collections::{BTreeMap, BTreeSet};

use s3s::crypto::{Checksum as _, Sha256};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::bucket::Bucket;
use super::checksum::hex;
use super::clock::Clock;

/// An entry of a bucket's policy: this action is refused for keys that start so.
pub struct Denied {
    pub action: String,
    pub bucket: String,
    pub key_prefix: String,
}

/// What the endpoint says it did and did not do.
#[derive(Default)]
pub struct Lies {
    /// Deleting a version adds a marker and leaves the version.
    pub deleting_only_marks: bool,
    /// Deleting is confirmed and nothing happens.
    pub deleting_does_nothing: bool,
    /// So many times, aborting an upload is confirmed and its parts stay (as when a part was still arriving).
    pub aborts_without_effect: usize,
}

/// A key in a batch that is refused for a reason of the server's own, so many times.
pub struct BatchRefusal {
    pub key: String,
    pub code: String,
    pub times: usize,
}

/// Everything.
pub struct World {
    pub clock: Clock,
    pub region: String,
    /// The account that owns all buckets.
    pub owner: String,
    /// The most that a page of a listing has; S3 never gives more than 1,000.
    pub page: usize,
    pub denied: Vec<Denied>,
    /// Keys of the key service that nobody may use at the moment.
    pub disabled_kms_keys: BTreeSet<String>,
    pub lies: Lies,
    pub batch_refusals: Vec<BatchRefusal>,
    pub buckets: BTreeMap<String, Bucket>,
    counter: u64,
}

impl World {
    pub fn new(region: &str, owner: &str, clock: Clock) -> World {
        World {
            clock,
            region: region.to_owned(),
            owner: owner.to_owned(),
            page: 1000,
            denied: Vec::new(),
            disabled_kms_keys: BTreeSet::new(),
            lies: Lies::default(),
            batch_refusals: Vec::new(),
            buckets: BTreeMap::new(),
            counter: 0,
        }
    }

    pub fn bucket(&self, name: &str) -> S3Result<&Bucket> {
        self.buckets.get(name).ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }

    pub fn bucket_mut(&mut self, name: &str) -> S3Result<&mut Bucket> {
        self.buckets.get_mut(name).ok_or_else(|| s3_error!(NoSuchBucket, "The specified bucket does not exist"))
    }

    /// The next number, and an id made of it that tells nothing about the order.
    pub fn fresh(&mut self) -> (u64, String) {
        self.counter += 1;
        let digest = Sha256::checksum(&self.counter.to_be_bytes());
        (self.counter, hex(&digest.as_ref()[..16]))
    }

    /// Whether the policy refuses an action (`s3:GetObject`) on a key, or on the bucket where the key is empty.
    pub fn denies(&self, action: &str, bucket: &str, key: &str) -> bool {
        let mut denied = self.denied.iter();
        denied.any(|denied| denied.action == action && denied.bucket == bucket && key.starts_with(&denied.key_prefix))
    }

    /// `AccessDenied` where the policy refuses.
    pub fn allow(&self, action: &str, bucket: &str, key: &str) -> S3Result<()> {
        if !self.denies(action, bucket, key) {
            return Ok(());
        }
        Err(s3_error!(AccessDenied, "not authorized to perform: {action} because of an explicit deny in a resource-based policy"))
    }

    /// Refuses what needs a disabled key of the key service.
    pub fn allow_kms(&self, key: Option<&String>) -> S3Result<()> {
        if key.is_none_or(|key| !self.disabled_kms_keys.contains(key)) {
            return Ok(());
        }
        Err(custom("KMS.DisabledException", 400, "the key is disabled"))
    }
}

/// An error that the protocol's list does not have.
pub fn custom(code: &str, status: u16, message: &'static str) -> S3Error {
    let code = S3ErrorCode::from_bytes(code.as_bytes()).expect("readable");
    let mut error = S3Error::with_message(code, message);
    error.set_status_code(hyper::StatusCode::from_u16(status).expect("a status"));
    error
}
