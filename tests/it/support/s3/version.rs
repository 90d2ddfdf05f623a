//! One version of a key: an object with all that belongs to it, or a delete marker. `null` is a version id like any other.

use s3s::dto::{Checksum, ETag, Metadata, ObjectLockLegalHoldStatus, ServerSideEncryption, Tag, Timestamp};
use s3s::{S3Result, s3_error};

use super::body::Body;

/// The id of what was written while versions were not kept.
pub const NULL: &str = "null";

/// A version.
#[derive(Clone)]
pub struct Version {
    pub id: String,
    /// Its place among all versions of its bucket: later ones have larger numbers.
    pub age: u64,
    pub modified: Timestamp,
    pub object: Option<Object>,
}

impl Version {
    pub fn is_marker(&self) -> bool {
        self.object.is_none()
    }
}

/// What a version that is no marker holds.
#[derive(Clone)]
pub struct Object {
    pub body: Body,
    pub etag: String,
    /// The lengths of the parts it was put together from.
    pub parts: Vec<u64>,
    pub checksum: Checksum,
    pub about: About,
    pub restore: Restore,
}

impl Object {
    pub fn etag(&self) -> ETag {
        ETag::Strong(self.etag.clone())
    }
}

/// Where an archived object is on its way back.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub enum Restore {
    #[default]
    NotAsked,
    Running,
    Done,
}

/// What a writer says about an object, with the protection that it asks for.
#[derive(Clone, Default)]
pub struct About {
    pub content_type: Option<String>,
    pub content_encoding: Option<String>,
    pub content_language: Option<String>,
    pub content_disposition: Option<String>,
    pub cache_control: Option<String>,
    pub metadata: Option<Metadata>,
    pub storage_class: String,
    pub encryption: Option<ServerSideEncryption>,
    pub kms_key: Option<String>,
    /// Algorithm and digest of the key that the customer keeps.
    pub customer_key: Option<(String, String)>,
    pub tags: Vec<Tag>,
    pub hold: bool,
    pub retention: Option<Retention>,
}

/// How long a version must stay.
#[derive(Clone, PartialEq)]
pub struct Retention {
    pub compliance: bool,
    pub until: Timestamp,
}

impl Retention {
    pub fn mode(&self) -> String {
        if self.compliance { "COMPLIANCE" } else { "GOVERNANCE" }.to_owned()
    }

    /// Both or neither have to be said.
    pub fn asked(mode: Option<&str>, until: Option<&Timestamp>, now: &Timestamp) -> S3Result<Option<Retention>> {
        match (mode, until) {
            (None, None) => Ok(None),
            (Some(mode @ ("GOVERNANCE" | "COMPLIANCE")), Some(until)) if until > now => {
                Ok(Some(Retention { compliance: mode == "COMPLIANCE", until: until.clone() }))
            }
            (Some(_), Some(_)) => Err(s3_error!(InvalidArgument, "The retain until date must be in the future!")),
            _ => Err(s3_error!(
                InvalidArgument,
                "x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied"
            )),
        }
    }
}

/// Whether a header or a document says `ON`.
pub fn is_on(status: Option<&ObjectLockLegalHoldStatus>) -> bool {
    status.is_some_and(|status| status.as_str() == ObjectLockLegalHoldStatus::ON)
}

/// What the fields of a writing request say; `now` is the server's time.
macro_rules! about {
    ($input:expr, $now:expr) => {
        super::version::About {
            content_type: $input.content_type.clone(),
            content_encoding: $input.content_encoding.clone(),
            content_language: $input.content_language.clone(),
            content_disposition: $input.content_disposition.clone(),
            cache_control: $input.cache_control.clone(),
            metadata: $input.metadata.clone(),
            storage_class: $input.storage_class.as_ref().map_or("STANDARD", |class| class.as_str()).to_owned(),
            encryption: $input.server_side_encryption.clone(),
            kms_key: $input.ssekms_key_id.clone(),
            customer_key: $input.sse_customer_algorithm.clone().zip($input.sse_customer_key_md5.clone()),
            tags: super::tags::from_header($input.tagging.as_deref())?,
            hold: super::version::is_on($input.object_lock_legal_hold_status.as_ref()),
            retention: super::version::Retention::asked(
                $input.object_lock_mode.as_ref().map(|mode| mode.as_str()),
                $input.object_lock_retain_until_date.as_ref(),
                $now,
            )?,
        }
    };
}
pub(super) use about;
