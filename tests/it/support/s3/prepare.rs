//! What a test puts into the server without asking it over the network, and how it looks at what is left.

use hyper::body::Bytes;

use super::S3Server;
use super::body::Body;
use super::bucket::{Bucket, Versioning};
use super::checksum::{DEFAULT, check, etag};
use super::version::{About, Object, Restore};
use super::world::Denied;
use super::writing::keep;

impl S3Server {
    /// An empty bucket.
    pub fn make_bucket(&self, name: &str, versioning: Versioning) {
        let mut world = self.world();
        let mut bucket = Bucket::new(&world.region, world.clock.stamp());
        bucket.versioning = versioning;
        world.buckets.insert(name.to_owned(), bucket);
    }

    /// An empty bucket that keeps versions and can lock them.
    pub fn make_lock_bucket(&self, name: &str) {
        self.make_bucket(name, Versioning::Enabled);
        self.shape(name, |bucket| bucket.lock = true);
    }

    /// Changes how a bucket is set up.
    pub fn shape(&self, name: &str, change: impl FnOnce(&mut Bucket)) {
        change(self.world().bucket_mut(name).expect("a bucket"));
    }

    /// A new version; its id, `null` where versions are not kept.
    pub fn place(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>) -> String {
        self.place_with(bucket, key, bytes, |_| {})
    }

    /// A new version with tags, metadata, a storage class or protection.
    pub fn place_with(&self, bucket: &str, key: &str, bytes: impl Into<Bytes>, about: impl FnOnce(&mut About)) -> String {
        let bytes = bytes.into();
        let checksum = check(Default::default(), None, Some(DEFAULT), &bytes).expect("a digest");
        let parts = vec![bytes.len() as u64];
        let object = Object {
            etag: etag(&bytes),
            parts,
            body: Body::Kept(bytes),
            checksum,
            about: plain(about),
            restore: Restore::default(),
        };
        self.take_in(bucket, key, object)
    }

    /// A version of any length that takes no memory.
    pub fn place_repeated(&self, bucket: &str, key: &str, pattern: &'static [u8], length: u64) -> String {
        let body = Body::Repeated { pattern: Bytes::from_static(pattern), length };
        // Its bytes are never digested; as a tag that is allowed, because tags of uploads in parts are no digest either.
        let etag = format!("{}-1", etag(pattern));
        let object = Object {
            etag,
            parts: vec![length],
            body,
            checksum: Default::default(),
            about: plain(|_| {}),
            restore: Restore::default(),
        };
        self.take_in(bucket, key, object)
    }

    fn take_in(&self, bucket: &str, key: &str, object: Object) -> String {
        let mut world = self.world();
        keep(&mut world, bucket, key, object).expect("a version");
        world.bucket(bucket).expect("a bucket").current(key).expect("the version").id.clone()
    }

    /// What is left of a key, newest first: ids, and whether each is a marker.
    pub fn left(&self, bucket: &str, key: &str) -> Vec<(String, bool)> {
        let world = self.world();
        let versions = world.bucket(bucket).expect("a bucket").keys.get(key).into_iter().flatten();
        versions.map(|version| (version.id.clone(), version.is_marker())).collect()
    }

    /// Refuses an action (`s3:DeleteObjectVersion`) by policy.
    pub fn deny(&self, action: &str, bucket: &str, key_prefix: &str) {
        let [action, bucket, key_prefix] = [action, bucket, key_prefix].map(str::to_owned);
        self.world().denied.push(Denied { action, bucket, key_prefix });
    }

    /// The archive delivers what was asked to be restored.
    pub fn finish_restores(&self) {
        super::restoring::finish_all(&mut self.world());
    }
}

/// A new version while a request is being served.
pub fn put_into(world: &mut super::world::World, bucket: &str, key: &str, bytes: Vec<u8>) {
    let bytes = Bytes::from(bytes);
    let checksum = check(Default::default(), None, Some(DEFAULT), &bytes).expect("a digest");
    let parts = vec![bytes.len() as u64];
    let (etag, body) = (etag(&bytes), Body::Kept(bytes));
    let object = Object { etag, parts, body, checksum, about: plain(|_| {}), restore: Restore::default() };
    keep(world, bucket, key, object).expect("a version");
}

fn plain(change: impl FnOnce(&mut About)) -> About {
    let mut about = About { storage_class: "STANDARD".to_owned(), ..About::default() };
    change(&mut about);
    about
}
