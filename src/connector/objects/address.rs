//! How to reach a store, as the configuration says it.

use std::path::PathBuf;

use secrecy::SecretString;

use super::{FolderStore, ObjectStore, S3Store, StoreError};

/// A store's address.
#[derive(Debug, Clone)]
pub enum ObjectAddress {
    /// A bucket behind an S3 interface.
    S3(Box<S3Address>),
    /// A folder of this machine: it keeps no versions, so that what is overwritten or deleted by others is gone without a trace.
    Folder(PathBuf),
}

/// When the client adds and checks checksums of bodies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checksums {
    /// Only where a call demands it. Older stores do not understand the trailers of streamed uploads.
    WhenRequired,
    /// Wherever the interface has one.
    WhenSupported,
}

/// How objects that we write are encrypted at rest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encryption {
    /// With the store's own keys (SSE-S3).
    Store,
    /// With a key of the key service (SSE-KMS); none stands for the account's default.
    Kms(Option<String>),
}

/// Credentials that do not come from the environment.
#[derive(Debug, Clone)]
pub struct S3Credentials {
    /// Access key id.
    pub access_key_id: String,
    /// Its secret.
    pub secret_access_key: SecretString,
    /// Of temporary credentials.
    pub session_token: Option<SecretString>,
}

/// A bucket.
#[derive(Debug, Clone)]
pub struct S3Address {
    /// Its name.
    pub bucket: String,
    /// Its region; found by the SDK's own chain when absent.
    pub region: Option<String>,
    /// Address of a store that is not AWS.
    pub endpoint: Option<String>,
    /// `endpoint/bucket` instead of `bucket.endpoint`.
    pub path_style: bool,
    /// Account that must own the bucket: another one of the same name is refused by the store.
    pub expected_bucket_owner: Option<String>,
    /// We pay for requests.
    pub requester_pays: bool,
    /// Checksums of bodies.
    pub checksums: Checksums,
    /// Encryption of what we write.
    pub encryption: Option<Encryption>,
    /// Credentials; the SDK's chain (environment, profile, web identity, instance) when absent.
    pub credentials: Option<S3Credentials>,
    /// Credentials by which verification reads.
    pub verify: Option<S3Credentials>,
}

/// Opens a store; `verify` takes the credentials of verification, where there are any. Nothing is sent yet.
pub async fn open_store(address: &ObjectAddress, verify: bool) -> Result<Box<dyn ObjectStore>, StoreError> {
    Ok(match address {
        ObjectAddress::S3(address) => Box::new(S3Store::connect(address, verify).await),
        ObjectAddress::Folder(path) => Box::new(FolderStore::open(path)?),
    })
}
