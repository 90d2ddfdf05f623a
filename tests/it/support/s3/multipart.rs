//! Uploads in parts: started, filled part by part, finished or given up.

use hyper::HeaderMap;
use hyper::body::Bytes;
use s3s::dto::{
    AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput, CompleteMultipartUploadOutput,
    CompletedPart, CreateMultipartUploadInput, CreateMultipartUploadOutput, ETag, UploadPartInput, UploadPartOutput,
};
use s3s::{S3Result, s3_error};

use super::body::Body;
use super::checksum::{DEFAULT, add_trailers, agrees, check, checksum_of, etag, etag_of_parts, of_parts, tell_checksum};
use super::upload::{Part, Upload};
use super::version::{Object, Restore, about};
use super::world::World;
use super::writing::{conditions, keep};

/// What every part but the last must have.
const SMALLEST_PART: usize = 5 * 1024 * 1024;

pub fn create(world: &mut World, input: CreateMultipartUploadInput) -> S3Result<CreateMultipartUploadOutput> {
    let started = world.clock.stamp();
    let about = about!(input, &started);
    world.allow_kms(about.kms_key.as_ref())?;
    let (number, fresh) = world.fresh();
    let id = format!("{number:016x}{fresh}");
    let algorithm = input.checksum_algorithm.as_ref().map_or(DEFAULT, |algorithm| algorithm.as_str()).to_owned();
    let kind = input.checksum_type.as_ref().map(|kind| kind.as_str());
    // Digests that cannot be computed from those of the parts are always over them.
    let composite = algorithm != DEFAULT && kind != Some("FULL_OBJECT");
    let bucket = world.bucket_mut(&input.bucket)?;
    if !bucket.lock && (about.hold || about.retention.is_some()) {
        return Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration"));
    }
    let upload = Upload { started, about, algorithm, composite, parts: Default::default() };
    bucket.uploads.insert((input.key.clone(), id.clone()), upload);
    Ok(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: input.checksum_type,
        server_side_encryption: input.server_side_encryption,
        ssekms_key_id: input.ssekms_key_id,
        ..Default::default()
    })
}

/// The upload of a key with this id, or `NoSuchUpload`.
pub fn upload<'a>(world: &'a mut World, bucket: &str, key: &str, id: &str) -> S3Result<&'a mut Upload> {
    let uploads = &mut world.bucket_mut(bucket)?.uploads;
    uploads.get_mut(&(key.to_owned(), id.to_owned())).ok_or_else(|| s3_error!(NoSuchUpload, "The specified upload does not exist."))
}

pub fn put_part(
    world: &mut World,
    input: UploadPartInput,
    bytes: Bytes,
    trailers: Option<&HeaderMap>,
) -> S3Result<UploadPartOutput> {
    let mut given = checksum_of!(input);
    add_trailers(&mut given, trailers);
    let tag = take_part(world, (&input.bucket, &input.key, &input.upload_id), input.part_number, bytes, |algorithm, bytes| {
        check(given, input.content_md5.as_deref(), Some(algorithm), bytes)
    })?;
    let upload = upload(world, &input.bucket, &input.key, &input.upload_id)?;
    let mut answer = UploadPartOutput {
        e_tag: Some(ETag::Strong(tag)),
        server_side_encryption: upload.about.encryption.clone(),
        ..Default::default()
    };
    let part = upload.parts.get(&input.part_number).ok_or_else(|| s3_error!(NoSuchUpload))?;
    tell_checksum!(answer, part.checksum);
    Ok(answer)
}

/// Keeps a part, in place of one with its number. Its entity tag.
pub fn take_part(
    world: &mut World,
    (bucket, key, id): (&str, &str, &str),
    number: i32,
    bytes: Bytes,
    checked: impl FnOnce(&str, &[u8]) -> S3Result<s3s::dto::Checksum>,
) -> S3Result<String> {
    if !(1..=10_000).contains(&number) {
        return Err(s3_error!(InvalidArgument, "Part number must be an integer between 1 and 10000, inclusive"));
    }
    let modified = world.clock.stamp();
    let upload = upload(world, bucket, key, id)?;
    let checksum = checked(&upload.algorithm, &bytes)?;
    let tag = etag(&bytes);
    upload.parts.insert(number, Part { bytes, etag: tag.clone(), checksum, modified });
    Ok(tag)
}

pub fn abort(world: &mut World, input: AbortMultipartUploadInput) -> S3Result<AbortMultipartUploadOutput> {
    upload(world, &input.bucket, &input.key, &input.upload_id)?;
    if world.lies.aborts_without_effect > 0 {
        world.lies.aborts_without_effect -= 1;
        return Ok(AbortMultipartUploadOutput::default());
    }
    world.bucket_mut(&input.bucket)?.uploads.remove(&(input.key, input.upload_id));
    Ok(AbortMultipartUploadOutput::default())
}

pub fn complete(world: &mut World, input: CompleteMultipartUploadInput) -> S3Result<CompleteMultipartUploadOutput> {
    let listed = input.multipart_upload.as_ref().and_then(|parts| parts.parts.clone()).unwrap_or_default();
    let upload = upload(world, &input.bucket, &input.key, &input.upload_id)?;
    let object = put_together(upload, &listed)?;
    if !agrees(checksum_of!(input), object.checksum.clone()) {
        return Err(s3_error!(BadDigest, "The checksum you specified did not match the calculated checksum."));
    }
    if input.mpu_object_size.is_some_and(|size| size != object.body.length() as i64) {
        return Err(s3_error!(InvalidRequest, "The provided object size does not match the total of its parts"));
    }
    conditions(world, &input.bucket, &input.key, input.if_match.as_ref(), input.if_none_match.as_ref())?;
    let mut answer = CompleteMultipartUploadOutput {
        e_tag: Some(object.etag()),
        server_side_encryption: object.about.encryption.clone(),
        ssekms_key_id: object.about.kms_key.clone(),
        checksum_type: object.checksum.checksum_type.clone(),
        location: Some(format!("/{}/{}", input.bucket, input.key)),
        ..Default::default()
    };
    tell_checksum!(answer, object.checksum);
    answer.version_id = keep(world, &input.bucket, &input.key, object)?;
    world.bucket_mut(&input.bucket)?.uploads.remove(&(input.key.clone(), input.upload_id));
    answer.bucket = Some(input.bucket);
    answer.key = Some(input.key);
    Ok(answer)
}

fn put_together(upload: &Upload, listed: &[CompletedPart]) -> S3Result<Object> {
    if listed.is_empty() {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let mut parts = Vec::new();
    let mut last_number = 0;
    for said in listed {
        let number = said.part_number.unwrap_or(0);
        if number <= last_number {
            return Err(s3_error!(InvalidPartOrder, "The list of parts was not in ascending order."));
        }
        last_number = number;
        let same = |part: &&Part| {
            said.e_tag.as_ref().is_some_and(|tag| tag.value() == part.etag) && agrees(checksum_of!(said), part.checksum.clone())
        };
        let part = upload.parts.get(&number).filter(same);
        parts.push(part.ok_or_else(|| s3_error!(InvalidPart, "One or more of the specified parts could not be found."))?);
    }
    let all_but_last = &parts[..parts.len() - 1];
    if all_but_last.iter().any(|part| part.bytes.len() < SMALLEST_PART) {
        return Err(s3_error!(EntityTooSmall, "Your proposed upload is smaller than the minimum allowed size"));
    }
    let whole = parts.iter().map(|part| part.bytes.as_ref()).collect::<Vec<&[u8]>>().concat();
    let etags: Vec<String> = parts.iter().map(|part| part.etag.clone()).collect();
    let checksums = parts.iter().map(|part| part.checksum.clone()).collect();
    Ok(Object {
        etag: etag_of_parts(&etags),
        parts: parts.iter().map(|part| part.bytes.len() as u64).collect(),
        checksum: of_parts(&upload.algorithm, upload.composite, checksums, &whole),
        body: Body::Kept(whole.into()),
        about: upload.about.clone(),
        restore: Restore::default(),
    })
}
