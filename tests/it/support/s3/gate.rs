//! What every request passes before it has an effect: the journal, the signature's region, the owner that the client expects, who pays, the
//! bucket's policy, and misbehaviour ordered for before the effect.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use hyper::HeaderMap;
use hyper::header::{HeaderName, HeaderValue};
use s3s::access::{S3Access, S3AccessContext};
use s3s::auth::{S3Auth, SecretKey};
use s3s::{S3Error, S3Result, s3_error};

use super::encode::decoded;
use super::fault::{Misbehaviour, Script};
use super::journal::{Journal, Received};
use super::world::{World, custom};

/// What the gate tells the one who sends the answer.
#[derive(Clone, Default)]
pub struct Ticket(pub Arc<Mutex<Trip>>);

/// A request's way through the server.
#[derive(Default)]
pub struct Trip {
    pub place: Option<usize>,
    pub cut: bool,
    pub wrong: Vec<Misbehaviour>,
}

/// The gate.
pub struct Gate {
    pub world: Arc<Mutex<World>>,
    pub journal: Journal,
    pub script: Script,
}

#[async_trait]
impl S3Access for Gate {
    async fn check(&self, context: &mut S3AccessContext<'_>) -> S3Result<()> {
        let asked = asked(context);
        let signed = context.credentials().is_some();
        let scope = region_of_signature(context);
        let ticket = context.extensions_mut().get::<Ticket>().cloned().unwrap_or_default();
        let wrong = self.script.next(&asked.action, &asked.key);
        {
            let mut trip = ticket.0.lock().expect("a ticket");
            trip.place = Some(self.journal.add(asked.clone()));
            trip.wrong = wrong.clone();
        }
        let mut world = self.world.lock().expect("the world");
        for misbehaviour in wrong {
            match misbehaviour {
                Misbehaviour::Before(hook) => hook(&mut world),
                Misbehaviour::Refuse(status, code) => return Err(custom(code, status, "ordered by a test")),
                Misbehaviour::ErrorInside200(code) => return Err(custom(code, 200, "ordered by a test")),
                Misbehaviour::CutBefore => {
                    ticket.0.lock().expect("a ticket").cut = true;
                    return Err(s3_error!(InternalError));
                }
                // These come with the answer.
                _ => {}
            }
        }
        if !signed {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        check_region(&world, &asked, scope.as_deref())?;
        check_owner(&world, &asked)?;
        let pays = asked.headers.contains_key("x-amz-request-payer");
        if world.buckets.get(&asked.bucket).is_some_and(|bucket| bucket.requester_pays) && !pays {
            return Err(s3_error!(AccessDenied, "Access Denied"));
        }
        if asked.action == "DeleteObjects" && !has_digest(&asked) {
            return Err(s3_error!(InvalidRequest, "Missing required header for this request: Content-MD5 OR x-amz-checksum-*"));
        }
        if asked.bypasses_governance() {
            world.allow("s3:BypassGovernanceRetention", &asked.bucket, &asked.key)?;
        }
        world.allow(&permission(&asked), &asked.bucket, &asked.key)
    }
}

/// The one user there is.
pub struct OneUser;

#[async_trait]
impl S3Auth for OneUser {
    async fn get_secret_key(&self, access_key: &str) -> S3Result<SecretKey> {
        if access_key == super::ACCESS_KEY {
            return Ok(SecretKey::from(super::SECRET_KEY));
        }
        Err(s3_error!(InvalidAccessKeyId, "The AWS Access Key Id you provided does not exist in our records."))
    }
}

fn asked(context: &mut S3AccessContext<'_>) -> Received {
    let (bucket, key) = match context.s3_path().as_object() {
        Some((bucket, key)) => (bucket.to_owned(), key.to_owned()),
        None => (context.s3_path().get_bucket_name().unwrap_or_default().to_owned(), String::new()),
    };
    let query = context.uri().query().unwrap_or_default().to_owned();
    let headers: BTreeMap<String, String> = context
        .headers()
        .iter()
        .filter(|(name, _)| tells_something(name))
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let version_id = query_value(&query, "versionId");
    Received { action: context.s3_op().name().to_owned(), bucket, key, version_id, headers, status: None }
}

fn tells_something(name: &HeaderName) -> bool {
    let name = name.as_str();
    (name.starts_with("x-amz-") && name != "x-amz-security-token")
        || name.starts_with("if-")
        || name == "content-md5"
        || name == "range"
}

fn query_value(query: &str, wanted: &str) -> Option<String> {
    query.split('&').find_map(|pair| pair.split_once('=').filter(|(name, _)| *name == wanted)).map(|(_, value)| decoded(value))
}

/// The region that a signature was made for: `…/20261124/eu-central-1/s3/aws4_request`.
fn region_of_signature(context: &S3AccessContext<'_>) -> Option<String> {
    let header = context.headers().get("authorization").and_then(|value| value.to_str().ok());
    let scope = match header {
        Some(header) => header.split("Credential=").nth(1)?.split(',').next()?.to_owned(),
        None => query_value(context.uri().query()?, "X-Amz-Credential")?,
    };
    scope.split('/').nth(2).map(str::to_owned)
}

fn check_region(world: &World, asked: &Received, signed_for: Option<&str>) -> S3Result<()> {
    if signed_for.is_some_and(|region| region != world.region) {
        let message = format!("The authorization header is malformed; the region is wrong; expecting '{}'", world.region);
        let mut error = s3_error!(AuthorizationHeaderMalformed);
        error.set_message(message);
        return Err(elsewhere(error, &world.region));
    }
    match world.buckets.get(&asked.bucket) {
        Some(bucket) if bucket.region != world.region => {
            let error = s3_error!(
                PermanentRedirect,
                "The bucket you are attempting to access must be addressed using the specified endpoint."
            );
            Err(elsewhere(error, &bucket.region))
        }
        _ => Ok(()),
    }
}

fn elsewhere(mut error: S3Error, region: &str) -> S3Error {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-bucket-region", HeaderValue::from_str(region).expect("a region"));
    error.set_headers(headers);
    error
}

fn check_owner(world: &World, asked: &Received) -> S3Result<()> {
    let expected = ["x-amz-expected-bucket-owner", "x-amz-source-expected-bucket-owner"];
    let mut said = expected.iter().filter_map(|header| asked.headers.get(*header));
    if said.all(|owner| *owner == world.owner) { Ok(()) } else { Err(s3_error!(AccessDenied, "Access Denied")) }
}

fn has_digest(asked: &Received) -> bool {
    asked.headers.keys().any(|name| name == "content-md5" || name.starts_with("x-amz-checksum-") || name == "x-amz-trailer")
}

/// The permission that a policy would name.
fn permission(asked: &Received) -> String {
    let versioned = asked.version_id.is_some();
    let name = match asked.action.as_str() {
        "HeadObject" | "GetObject" if versioned => "GetObjectVersion",
        "HeadObject" => "GetObject",
        "DeleteObject" if versioned => "DeleteObjectVersion",
        // Key by key, where the batch is taken apart.
        "DeleteObjects" => "DeleteObjects",
        "ListObjectsV2" | "ListObjects" | "HeadBucket" => "ListBucket",
        "ListObjectVersions" => "ListBucketVersions",
        "ListMultipartUploads" => "ListBucketMultipartUploads",
        "ListParts" => "ListMultipartUploadParts",
        "ListBuckets" => "ListAllMyBuckets",
        "CopyObject" | "CreateMultipartUpload" | "UploadPart" | "UploadPartCopy" | "CompleteMultipartUpload" => "PutObject",
        "GetObjectTagging" if versioned => "GetObjectVersionTagging",
        "PutObjectTagging" if versioned => "PutObjectVersionTagging",
        "DeleteObjectTagging" if versioned => "DeleteObjectVersionTagging",
        "GetObjectLockConfiguration" => "GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration" => "PutBucketObjectLockConfiguration",
        "GetBucketReplication" => "GetReplicationConfiguration",
        "PutBucketReplication" => "PutReplicationConfiguration",
        "GetBucketLifecycleConfiguration" => "GetLifecycleConfiguration",
        "PutBucketLifecycleConfiguration" => "PutLifecycleConfiguration",
        other => other,
    };
    format!("s3:{name}")
}
