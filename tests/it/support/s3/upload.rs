//! An upload in parts that is not finished. It holds data that no listing of objects shows; deleting the object leaves it.

use std::collections::BTreeMap;

use hyper::body::Bytes;
use s3s::dto::{Checksum, Timestamp};

use super::version::About;

/// An unfinished upload.
pub struct Upload {
    pub started: Timestamp,
    pub about: About,
    pub algorithm: String,
    /// Its digest is one of the parts' digests.
    pub composite: bool,
    pub parts: BTreeMap<i32, Part>,
}

/// A part that has arrived.
pub struct Part {
    pub bytes: Bytes,
    pub etag: String,
    pub checksum: Checksum,
    pub modified: Timestamp,
}
