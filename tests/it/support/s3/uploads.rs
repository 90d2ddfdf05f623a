//! Listings of unfinished uploads and of the parts that have arrived. Several uploads of one key are told apart, and paged, by their ids.

use s3s::dto::{
    ETag, ListMultipartUploadsInput, ListMultipartUploadsOutput, ListPartsInput, ListPartsOutput, MultipartUpload, Part,
    StorageClass,
};
use s3s::{S3Result, s3_error};

use super::checksum::tell_checksum;
use super::encode::told;
use super::listing::{most, owner, prefixes};
use super::page::{Cut, page};
use super::world::World;

pub fn unfinished(world: &World, input: ListMultipartUploadsInput) -> S3Result<ListMultipartUploadsOutput> {
    let bucket = world.bucket(&input.bucket)?;
    let encoding = input.encoding_type.as_ref();
    let prefix = input.prefix.clone().unwrap_or_default();
    let marker = input.key_marker.as_deref().filter(|marker| !marker.is_empty());
    // Without a key the id is ignored.
    let id_marker = input.upload_id_marker.as_deref().filter(|id| !id.is_empty() && marker.is_some());
    let behind = |key: &str, id: &str| match marker {
        None => true,
        Some(marker) => key > marker || (key == marker && id_marker.is_some_and(|marker| id > marker)),
    };
    let uploads = bucket.uploads.iter().filter(|((key, id), _)| behind(key, id));
    let entries = uploads.map(|((key, id), upload)| (key.as_str(), (key, id, upload)));
    let most = most(world, input.max_uploads)?;
    let page = page(entries, &Cut { prefix: &prefix, delimiter: input.delimiter.as_deref(), marker, most });
    let mut answer = ListMultipartUploadsOutput {
        bucket: Some(input.bucket),
        prefix: told(&prefix, encoding),
        delimiter: input.delimiter.clone().and_then(|delimiter| told(delimiter, encoding)),
        key_marker: told(marker.unwrap_or_default(), encoding),
        upload_id_marker: Some(id_marker.unwrap_or_default().to_owned()),
        max_uploads: Some(most as i32),
        is_truncated: Some(page.truncated),
        encoding_type: input.encoding_type.clone(),
        common_prefixes: prefixes(&page.prefixes, encoding),
        ..Default::default()
    };
    if page.truncated {
        if page.ends_with_prefix {
            answer.next_key_marker = page.prefixes.last().and_then(|prefix| told(prefix, encoding));
        } else if let Some((key, id, _)) = page.entries.last() {
            answer.next_key_marker = told(*key, encoding);
            answer.next_upload_id_marker = Some((*id).clone());
        }
    }
    let uploads = page.entries.iter().map(|(key, id, upload)| MultipartUpload {
        initiated: Some(upload.started.clone()),
        key: told(*key, encoding),
        owner: owner(world),
        storage_class: Some(StorageClass::from(upload.about.storage_class.clone())),
        upload_id: Some((*id).clone()),
        ..Default::default()
    });
    answer.uploads = Some(uploads.collect());
    Ok(answer)
}

pub fn parts(world: &World, input: ListPartsInput) -> S3Result<ListPartsOutput> {
    let uploads = &world.bucket(&input.bucket)?.uploads;
    let upload = uploads.get(&(input.key.clone(), input.upload_id.clone()));
    let upload = upload.ok_or_else(|| s3_error!(NoSuchUpload, "The specified upload does not exist."))?;
    let most = most(world, input.max_parts)?;
    let marker = input.part_number_marker.unwrap_or(0);
    let behind: Vec<_> = upload.parts.range(marker + 1..).collect();
    let shown = behind.iter().take(most).map(|(number, part)| {
        let mut told = Part {
            e_tag: Some(ETag::Strong(part.etag.clone())),
            last_modified: Some(part.modified.clone()),
            part_number: Some(**number),
            size: Some(part.bytes.len() as i64),
            ..Default::default()
        };
        tell_checksum!(told, part.checksum);
        told
    });
    let shown: Vec<Part> = shown.collect();
    let truncated = behind.len() > shown.len();
    Ok(ListPartsOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(input.upload_id),
        max_parts: Some(most as i32),
        part_number_marker: Some(marker),
        next_part_number_marker: shown.last().and_then(|part| part.part_number).filter(|_| truncated),
        is_truncated: Some(truncated),
        parts: Some(shown),
        owner: owner(world),
        storage_class: Some(StorageClass::from(upload.about.storage_class.clone())),
        ..Default::default()
    })
}
