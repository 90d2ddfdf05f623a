//! Tags of a version. They may change while the version is locked: a lock protects the bytes, not the tags.

use s3s::dto::{
    DeleteObjectTaggingInput, DeleteObjectTaggingOutput, GetObjectTaggingInput, GetObjectTaggingOutput, PutObjectTaggingInput,
    PutObjectTaggingOutput, Tag,
};
use s3s::{S3Result, s3_error};

use super::encode::decoded;
use super::version::{Object, Version};
use super::world::World;

/// The tags of a header: `a=1&b=2`.
pub fn from_header(header: Option<&str>) -> S3Result<Vec<Tag>> {
    let pairs = header.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
    let tags = pairs.map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        Tag { key: Some(decoded(key)), value: Some(decoded(value)) }
    });
    sound(tags.collect())
}

fn sound(tags: Vec<Tag>) -> S3Result<Vec<Tag>> {
    let distinct: std::collections::BTreeSet<_> = tags.iter().map(|tag| tag.key.clone()).collect();
    if tags.len() > 10 {
        return Err(s3_error!(InvalidTag, "Object tags cannot be greater than 10"));
    }
    if distinct.len() < tags.len() {
        return Err(s3_error!(InvalidTag, "Cannot provide multiple Tags with the same key"));
    }
    Ok(tags)
}

fn tagged<'a>(world: &'a mut World, bucket: &str, key: &str, id: Option<&str>) -> S3Result<(Option<String>, &'a mut Object)> {
    let bucket = world.bucket_mut(bucket)?;
    let told = bucket.find(key, id).map(|version| bucket.told(&version.id))?;
    let Version { object, .. } = bucket.find_mut(key, id)?;
    match object {
        Some(object) => Ok((told, object)),
        None if id.is_some() => Err(s3_error!(MethodNotAllowed)),
        None => Err(s3_error!(NoSuchKey)),
    }
}

pub fn get(world: &mut World, input: GetObjectTaggingInput) -> S3Result<GetObjectTaggingOutput> {
    let (version_id, object) = tagged(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    Ok(GetObjectTaggingOutput { tag_set: object.about.tags.clone(), version_id })
}

pub fn put(world: &mut World, input: PutObjectTaggingInput) -> S3Result<PutObjectTaggingOutput> {
    let tags = sound(input.tagging.tag_set)?;
    let (version_id, object) = tagged(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    object.about.tags = tags;
    Ok(PutObjectTaggingOutput { version_id })
}

pub fn delete(world: &mut World, input: DeleteObjectTaggingInput) -> S3Result<DeleteObjectTaggingOutput> {
    let (version_id, object) = tagged(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    object.about.tags.clear();
    Ok(DeleteObjectTaggingOutput { version_id })
}
