//! Copies inside the store: of a whole object and of a range into a part. A copy carries no lock of its source; it gets what it asks for.

use hyper::body::Bytes;
use s3s::dto::{
    CopyObjectInput, CopyObjectOutput, CopyObjectResult, CopyPartResult, CopySource, ETag, ETagCondition, Range,
    UploadPartCopyInput, UploadPartCopyOutput,
};
use s3s::{S3Result, s3_error};

use super::body::Body;
use super::checksum::{check, etag, tell_checksum};
use super::multipart::take_part;
use super::reading::is_archived;
use super::version::{Object, Restore, about};
use super::world::World;
use super::writing::keep;

/// A copy in one request may be this large.
const LARGEST_COPY: u64 = 5 * 1024 * 1024 * 1024;

/// The object to copy, and its version id.
fn source(
    world: &World,
    source: &CopySource,
    customer_key: Option<&str>,
    if_match: Option<&ETagCondition>,
) -> S3Result<(String, Object, bool)> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(s3_error!(NotImplemented, "Copies from access points are not supported"));
    };
    let action = if version_id.is_some() { "s3:GetObjectVersion" } else { "s3:GetObject" };
    world.allow(action, bucket, key)?;
    let version = world.bucket(bucket)?.find(key, version_id.as_deref())?;
    let missing = || s3_error!(NoSuchKey, "The specified key does not exist.");
    let named_marker =
        || s3_error!(InvalidRequest, "The source of a copy request may not specifically refer to a delete marker by version id.");
    let object = version.object.clone().ok_or_else(|| if version_id.is_some() { named_marker() } else { missing() })?;
    if is_archived(&object) && object.restore != Restore::Done {
        return Err(s3_error!(InvalidObjectState, "Operation is not valid for the source object's storage class"));
    }
    super::reading::customer_key_fits(&object, customer_key)?;
    world.allow_kms(object.about.kms_key.as_ref())?;
    if if_match.and_then(ETagCondition::as_etag).is_some_and(|etag| etag.value() != object.etag) {
        return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
    }
    Ok((version.id.clone(), object, world.bucket(bucket)?.told(&version.id).is_some()))
}

pub fn object(world: &mut World, input: CopyObjectInput) -> S3Result<CopyObjectOutput> {
    let customer_key = input.copy_source_sse_customer_key_md5.as_deref();
    let (source_id, from, told) = source(world, &input.copy_source, customer_key, input.copy_source_if_match.as_ref())?;
    if from.body.length() > LARGEST_COPY {
        return Err(s3_error!(
            InvalidRequest,
            "The specified copy source is larger than the maximum allowable size for a copy source"
        ));
    }
    let mut about = about!(input, &world.clock.stamp());
    if input.metadata_directive.as_ref().is_none_or(|directive| directive.as_str() == "COPY") {
        about.content_type = from.about.content_type.clone();
        about.content_encoding = from.about.content_encoding.clone();
        about.content_language = from.about.content_language.clone();
        about.content_disposition = from.about.content_disposition.clone();
        about.cache_control = from.about.cache_control.clone();
        about.metadata = from.about.metadata.clone();
    }
    if input.tagging_directive.as_ref().is_none_or(|directive| directive.as_str() == "COPY") {
        about.tags = from.about.tags.clone();
    }
    let whole = from.body.slice(0..from.body.length());
    let copy = Object {
        etag: etag(&whole),
        parts: vec![whole.len() as u64],
        checksum: check(Default::default(), None, input.checksum_algorithm.as_ref().map(|algorithm| algorithm.as_str()), &whole)?,
        body: Body::Kept(whole),
        about,
        restore: Restore::default(),
    };
    let mut result = CopyObjectResult { e_tag: Some(copy.etag()), last_modified: Some(world.clock.stamp()), ..Default::default() };
    tell_checksum!(result, copy.checksum);
    Ok(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: told.then_some(source_id),
        server_side_encryption: copy.about.encryption.clone(),
        ssekms_key_id: copy.about.kms_key.clone(),
        version_id: keep(world, &input.bucket, &input.key, copy)?,
        ..Default::default()
    })
}

pub fn part(world: &mut World, input: UploadPartCopyInput) -> S3Result<UploadPartCopyOutput> {
    let customer_key = input.copy_source_sse_customer_key_md5.as_deref();
    let (source_id, from, told) = source(world, &input.copy_source, customer_key, input.copy_source_if_match.as_ref())?;
    let length = from.body.length();
    let range = match input.copy_source_range.as_deref() {
        None => 0..length,
        Some(text) => {
            let outside = || s3_error!(InvalidArgument, "Range specified is not valid for source object");
            let Ok(range @ Range::Int { last: Some(last), .. }) = Range::parse(text) else { return Err(outside()) };
            if last >= length {
                return Err(outside());
            }
            range.check(length).map_err(|_| outside())?
        }
    };
    let bytes: Bytes = from.body.slice(range);
    let place = (input.bucket.as_str(), input.key.as_str(), input.upload_id.as_str());
    let tag = take_part(world, place, input.part_number, bytes, |algorithm, bytes| {
        check(Default::default(), None, Some(algorithm), bytes)
    })?;
    let result = CopyPartResult { e_tag: Some(ETag::Strong(tag)), last_modified: Some(world.clock.stamp()), ..Default::default() };
    Ok(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: told.then_some(source_id),
        ..Default::default()
    })
}
