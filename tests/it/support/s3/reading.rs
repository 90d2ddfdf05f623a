//! Reading a version: its head, its bytes or a range of them. Markers are told as the protocol tells them (404 by key, 405 by version), archived
//! objects are refused until they are restored, and conditions are weighed before anything is sent.

use hyper::header::{HeaderMap, HeaderValue, LAST_MODIFIED};
use s3s::dto::{
    ChecksumMode, ETagCondition, GetObjectInput, GetObjectOutput, HeadObjectInput, HeadObjectOutput, ObjectLockLegalHoldStatus,
    ObjectLockMode, Range, ServerSideEncryption, StorageClass, Timestamp, TimestampFormat,
};
use s3s::{S3Error, S3ErrorCode, S3Result, s3_error};

use super::checksum::tell_checksum;
use super::version::{Object, Restore, Version};
use super::world::World;

/// The fields that both requests have.
struct Wanted {
    bucket: String,
    key: String,
    version: Option<String>,
    range: Option<Range>,
    part: Option<i32>,
    customer_key: Option<String>,
    checksums: bool,
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
    if_modified: Option<Timestamp>,
    if_unmodified: Option<Timestamp>,
}

macro_rules! wanted {
    ($input:expr) => {
        Wanted {
            bucket: $input.bucket,
            key: $input.key,
            version: $input.version_id,
            range: $input.range,
            part: $input.part_number,
            customer_key: $input.sse_customer_key_md5,
            checksums: $input.checksum_mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED),
            if_match: $input.if_match,
            if_none_match: $input.if_none_match,
            if_modified: $input.if_modified_since,
            if_unmodified: $input.if_unmodified_since,
        }
    };
}

/// The fields that both answers have.
macro_rules! copied {
    ($answer:ident, $head:expr) => {
        $answer {
            accept_ranges: $head.accept_ranges,
            cache_control: $head.cache_control,
            checksum_crc32: $head.checksum_crc32,
            checksum_crc32c: $head.checksum_crc32c,
            checksum_crc64nvme: $head.checksum_crc64nvme,
            checksum_sha1: $head.checksum_sha1,
            checksum_sha256: $head.checksum_sha256,
            checksum_type: $head.checksum_type,
            content_disposition: $head.content_disposition,
            content_encoding: $head.content_encoding,
            content_language: $head.content_language,
            content_range: $head.content_range,
            content_type: $head.content_type,
            e_tag: $head.e_tag,
            last_modified: $head.last_modified,
            metadata: $head.metadata,
            object_lock_legal_hold_status: $head.object_lock_legal_hold_status,
            object_lock_mode: $head.object_lock_mode,
            object_lock_retain_until_date: $head.object_lock_retain_until_date,
            parts_count: $head.parts_count,
            restore: $head.restore,
            sse_customer_algorithm: $head.sse_customer_algorithm,
            sse_customer_key_md5: $head.sse_customer_key_md5,
            ssekms_key_id: $head.ssekms_key_id,
            server_side_encryption: $head.server_side_encryption,
            storage_class: $head.storage_class,
            version_id: $head.version_id,
            ..Default::default()
        }
    };
}

/// GetObject: the head, with the bytes.
pub fn get(world: &World, input: GetObjectInput) -> S3Result<GetObjectOutput> {
    let wanted = wanted!(input);
    let (version, object) = found(world, &wanted)?;
    if is_archived(object) && object.restore != Restore::Done {
        return Err(s3_error!(InvalidObjectState, "The operation is not valid for the object's storage class"));
    }
    world.allow_kms(object.about.kms_key.as_ref())?;
    let head = head_of(world, &wanted, version, object)?;
    let range = range_of(&wanted, object)?;
    let body = object.body.clone().stream(range.clone());
    let mut answer = GetObjectOutput { body: Some(body), tag_count: tag_count(object), ..copied!(GetObjectOutput, head) };
    answer.content_length = Some((range.end - range.start) as i64);
    Ok(answer)
}

/// HeadObject.
pub fn head(world: &World, input: HeadObjectInput) -> S3Result<HeadObjectOutput> {
    let wanted = wanted!(input);
    let (version, object) = found(world, &wanted)?;
    let mut head = head_of(world, &wanted, version, object)?;
    let range = range_of(&wanted, object)?;
    head.content_length = Some((range.end - range.start) as i64);
    Ok(head)
}

fn found<'a>(world: &'a World, wanted: &Wanted) -> S3Result<(&'a Version, &'a Object)> {
    let bucket = world.bucket(&wanted.bucket)?;
    let version = bucket.find(&wanted.key, wanted.version.as_deref()).map_err(|error| {
        // Who may not list does not learn that a key is missing.
        let hidden = *error.code() == S3ErrorCode::NoSuchKey && world.denies("s3:ListBucket", &wanted.bucket, "");
        if hidden { s3_error!(AccessDenied, "Access Denied") } else { error }
    })?;
    let Some(object) = &version.object else { return Err(marker(version, wanted.version.is_some())) };
    customer_key_fits(object, wanted.customer_key.as_deref())?;
    conditions(wanted, version, object)?;
    Ok((version, object))
}

/// A marker is no object: 404 for its key, 405 for its version.
fn marker(version: &Version, by_id: bool) -> S3Error {
    let mut error = if by_id {
        s3_error!(MethodNotAllowed, "The specified method is not allowed against this resource.")
    } else {
        s3_error!(NoSuchKey, "The specified key does not exist.")
    };
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-delete-marker", HeaderValue::from_static("true"));
    headers.insert("x-amz-version-id", header(&version.id));
    if by_id {
        headers.insert(LAST_MODIFIED, header(&http_date(&version.modified)));
    }
    error.set_headers(headers);
    error
}

/// Objects under a customer's key are only shown to who sends it.
pub fn customer_key_fits(object: &Object, key: Option<&str>) -> S3Result<()> {
    match (&object.about.customer_key, key) {
        (None, _) => Ok(()),
        (Some((_, kept)), Some(sent)) if kept == sent => Ok(()),
        (Some(_), Some(_)) => Err(s3_error!(AccessDenied, "Access Denied")),
        (Some(_), None) => Err(s3_error!(
            InvalidRequest,
            "The object was stored using a form of Server Side Encryption. The correct parameters must be provided"
        )),
    }
}

fn conditions(wanted: &Wanted, version: &Version, object: &Object) -> S3Result<()> {
    let same =
        |condition: &ETagCondition| condition.is_any() || condition.as_etag().is_some_and(|etag| etag.value() == object.etag);
    // Whole seconds, because that is what the header can carry.
    let newer = |since: &Timestamp| seconds(&version.modified) > seconds(since);
    let precondition_failed = wanted.if_match.as_ref().is_some_and(|condition| !same(condition))
        || (wanted.if_match.is_none() && wanted.if_unmodified.as_ref().is_some_and(newer));
    if precondition_failed {
        return Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold"));
    }
    let not_modified = match (&wanted.if_none_match, &wanted.if_modified) {
        (Some(condition), _) => same(condition),
        (None, Some(since)) => !newer(since),
        (None, None) => false,
    };
    if not_modified { Err(s3_error!(NotModified)) } else { Ok(()) }
}

fn head_of(world: &World, wanted: &Wanted, version: &Version, object: &Object) -> S3Result<HeadObjectOutput> {
    let about = object.about.clone();
    let range = range_of(wanted, object)?;
    let partial = wanted.range.is_some() || wanted.part.is_some();
    let may_see = |action| !world.denies(action, &wanted.bucket, &wanted.key);
    let mut head = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: about.cache_control,
        content_disposition: about.content_disposition,
        content_encoding: about.content_encoding,
        content_language: about.content_language,
        content_range: partial.then(|| format!("bytes {}-{}/{}", range.start, range.end.saturating_sub(1), object.body.length())),
        content_type: about.content_type.or_else(|| Some("binary/octet-stream".to_owned())),
        e_tag: Some(object.etag()),
        last_modified: Some(version.modified.clone()),
        metadata: about.metadata,
        restore: restore_header(world, object),
        server_side_encryption: about.encryption.or_else(|| Some(ServerSideEncryption::from_static("AES256"))),
        ssekms_key_id: about.kms_key,
        storage_class: (about.storage_class != "STANDARD").then(|| StorageClass::from(about.storage_class)),
        version_id: world.bucket(&wanted.bucket)?.told(&version.id),
        parts_count: wanted.part.map(|_| object.parts.len() as i32),
        ..Default::default()
    };
    if let Some((algorithm, md5)) = about.customer_key {
        head.server_side_encryption = None;
        head.sse_customer_algorithm = Some(algorithm);
        head.sse_customer_key_md5 = Some(md5);
    }
    // Who may not see holds is not told about them: a missing header proves nothing.
    if about.hold && may_see("s3:GetObjectLegalHold") {
        head.object_lock_legal_hold_status = Some(ObjectLockLegalHoldStatus::from_static(ObjectLockLegalHoldStatus::ON));
    }
    if let Some(retention) = about.retention.filter(|_| may_see("s3:GetObjectRetention")) {
        head.object_lock_mode = Some(ObjectLockMode::from(retention.mode()));
        head.object_lock_retain_until_date = Some(retention.until);
    }
    if wanted.checksums && !partial {
        tell_checksum!(head, object.checksum);
        head.checksum_type = object.checksum.checksum_type.clone();
    }
    Ok(head)
}

fn range_of(wanted: &Wanted, object: &Object) -> S3Result<std::ops::Range<u64>> {
    let length = object.body.length();
    if let Some(part) = wanted.part {
        let place = usize::try_from(part - 1).map_err(|_| s3_error!(InvalidArgument))?;
        let size = object.parts.get(place).ok_or_else(|| s3_error!(InvalidRange, "The requested partnumber is not satisfiable"))?;
        let start: u64 = object.parts[..place].iter().sum();
        return Ok(start..start + size);
    }
    let Some(range) = wanted.range else { return Ok(0..length) };
    range.check(length).map_err(|_| s3_error!(InvalidRange, "The requested range is not satisfiable"))
}

fn tag_count(object: &Object) -> Option<i32> {
    (!object.about.tags.is_empty()).then_some(object.about.tags.len() as i32)
}

/// Whether an object has to be restored before it can be read.
pub fn is_archived(object: &Object) -> bool {
    ["GLACIER", "DEEP_ARCHIVE"].contains(&object.about.storage_class.as_str())
}

fn restore_header(world: &World, object: &Object) -> Option<String> {
    match object.restore {
        Restore::NotAsked => None,
        Restore::Running => Some(r#"ongoing-request="true""#.to_owned()),
        Restore::Done => {
            let until = http_date(&world.clock.stamp_in(super::clock::days(7)));
            Some(format!(r#"ongoing-request="false", expiry-date="{until}""#))
        }
    }
}

fn http_date(stamp: &Timestamp) -> String {
    formatted(stamp, TimestampFormat::HttpDate)
}

fn seconds(stamp: &Timestamp) -> i64 {
    let text = formatted(stamp, TimestampFormat::EpochSeconds);
    text.split('.').next().and_then(|whole| whole.parse().ok()).expect("seconds")
}

fn formatted(stamp: &Timestamp, format: TimestampFormat) -> String {
    let mut text = Vec::new();
    stamp.format(format, &mut text).expect("a date");
    String::from_utf8(text).expect("ASCII")
}

fn header(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("a header")
}
