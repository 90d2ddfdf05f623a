//! Writing a whole object: digests are checked before anything is kept, conditions are weighed, and the bucket's default retention is added.
//! A write never changes a version that exists; over a held one it makes a new version without a hold.

use hyper::HeaderMap;
use hyper::body::Bytes;
use s3s::dto::{ETagCondition, PutObjectInput, PutObjectOutput};
use s3s::{S3Result, s3_error};

use super::body::Body;
use super::checksum::{add_trailers, check, checksum_of, etag, tell_checksum};
use super::clock::days;
use super::version::{About, Object, Restore, Retention, Version, about};
use super::world::World;

/// PutObject, with the body received.
pub fn put(world: &mut World, input: PutObjectInput, bytes: Bytes, trailers: Option<&HeaderMap>) -> S3Result<PutObjectOutput> {
    let mut given = checksum_of!(input);
    add_trailers(&mut given, trailers);
    let wanted = input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str());
    let checksum = check(given, input.content_md5.as_deref(), wanted, &bytes)?;
    conditions(world, &input.bucket, &input.key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let about = about!(input, &world.clock.stamp());
    let object = Object {
        etag: etag(&bytes),
        parts: vec![bytes.len() as u64],
        body: Body::Kept(bytes),
        checksum: checksum.clone(),
        about,
        restore: Restore::default(),
    };
    let mut answer = PutObjectOutput {
        e_tag: Some(object.etag()),
        server_side_encryption: object.about.encryption.clone(),
        ssekms_key_id: object.about.kms_key.clone(),
        version_id: keep(world, &input.bucket, &input.key, object)?,
        ..Default::default()
    };
    tell_checksum!(answer, checksum);
    answer.checksum_type = checksum.checksum_type;
    Ok(answer)
}

/// Takes a new object in, under the protection that it asks for or that the bucket gives. The version id, as answers tell it.
pub fn keep(world: &mut World, bucket: &str, key: &str, mut object: Object) -> S3Result<Option<String>> {
    world.allow_kms(object.about.kms_key.as_ref())?;
    let (age, fresh) = world.fresh();
    let clock = world.clock.clone();
    let bucket = world.bucket_mut(bucket)?;
    if !bucket.lock && asks_for_protection(&object.about) {
        return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
    }
    if let Some(default) = bucket.default_retention.as_ref().filter(|_| object.about.retention.is_none()) {
        object.about.retention = Some(Retention { compliance: default.compliance, until: clock.stamp_in(days(default.days)) });
    }
    let id = bucket.next_id(fresh);
    bucket.add(key, Version { id: id.clone(), age, modified: clock.stamp(), object: Some(object) });
    Ok(bucket.told(&id))
}

fn asks_for_protection(about: &About) -> bool {
    about.hold || about.retention.is_some()
}

/// `If-Match` and `If-None-Match: *` of a write, against the newest version.
pub fn conditions(
    world: &World,
    bucket: &str,
    key: &str,
    if_match: Option<&ETagCondition>,
    if_none_match: Option<&ETagCondition>,
) -> S3Result<()> {
    let current = world.bucket(bucket)?.current(key).and_then(|version| version.object.as_ref());
    let failed = || s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold");
    match if_none_match {
        Some(condition) if !condition.is_any() => {
            return Err(s3_error!(NotImplemented, "A header you provided implies functionality that is not implemented"));
        }
        Some(_) if current.is_some() => return Err(failed()),
        _ => {}
    }
    let Some(condition) = if_match else { return Ok(()) };
    let Some(object) = current else { return Err(s3_error!(NoSuchKey, "The specified key does not exist.")) };
    let same = condition.is_any() || condition.as_etag().is_some_and(|etag| etag.value() == object.etag);
    if same { Ok(()) } else { Err(failed()) }
}
