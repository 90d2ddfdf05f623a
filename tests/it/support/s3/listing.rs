//! Listings of objects and of versions. Keys come in the order of their bytes, versions of a key newest first, and the versions of one key may
//! span pages: only key and version id together say where to go on.

use s3s::dto::{
    CommonPrefix, DeleteMarkerEntry, EncodingType, ListObjectVersionsInput, ListObjectVersionsOutput, ListObjectsV2Input,
    ListObjectsV2Output, ObjectStorageClass, ObjectVersion, ObjectVersionStorageClass, Owner,
};
use s3s::{S3Result, s3_error};

use super::bucket::known_form;
use super::checksum::{hex, unhex};
use super::encode::told;
use super::page::{Cut, page};
use super::version::Version;
use super::world::World;

pub fn versions(world: &World, input: ListObjectVersionsInput) -> S3Result<ListObjectVersionsOutput> {
    let bucket = world.bucket(&input.bucket)?;
    let encoding = input.encoding_type.as_ref();
    let prefix = input.prefix.clone().unwrap_or_default();
    let marker = input.key_marker.as_deref().filter(|marker| !marker.is_empty());
    let id_marker = input.version_id_marker.as_deref();
    if id_marker.is_some() && marker.is_none() {
        return Err(s3_error!(InvalidArgument, "A version-id marker cannot be specified without a key marker."));
    }
    let behind = match id_marker {
        Some("") => return Err(s3_error!(InvalidArgument, "A version-id marker cannot be empty.")),
        Some(id) => {
            known_form(id)?;
            let age = bucket.age(marker.unwrap_or_default(), id);
            Some(age.ok_or_else(|| s3_error!(InvalidArgument, "Invalid version id specified"))?)
        }
        None => None,
    };
    let start = marker.unwrap_or_default().max(&prefix).to_owned();
    let entries = bucket.keys.range(start..).flat_map(|(key, versions)| {
        let is_marker = marker == Some(key.as_str());
        let newest = versions.first().map(|version| version.age);
        let kept = versions.iter().filter(move |version| !is_marker || behind.is_some_and(|age| version.age < age));
        kept.map(move |version| (key.as_str(), (key, version, newest == Some(version.age))))
    });
    let most = most(world, input.max_keys)?;
    let page = page(entries, &Cut { prefix: &prefix, delimiter: input.delimiter.as_deref(), marker, most });
    let mut answer = ListObjectVersionsOutput {
        name: Some(input.bucket),
        prefix: told(&prefix, encoding),
        delimiter: input.delimiter.and_then(|delimiter| told(delimiter, encoding)),
        key_marker: told(marker.unwrap_or_default(), encoding),
        version_id_marker: Some(id_marker.unwrap_or_default().to_owned()),
        max_keys: Some(most as i32),
        is_truncated: Some(page.truncated),
        encoding_type: input.encoding_type.clone(),
        ..Default::default()
    };
    if page.truncated {
        if page.ends_with_prefix {
            answer.next_key_marker = page.prefixes.last().and_then(|prefix| told(prefix, encoding));
        } else if let Some((key, version, _)) = page.entries.last() {
            answer.next_key_marker = told(*key, encoding);
            answer.next_version_id_marker = Some(version.id.clone());
        }
    }
    let (markers, objects): (Vec<_>, Vec<_>) = page.entries.into_iter().partition(|(_, version, _)| version.is_marker());
    answer.versions =
        Some(objects.into_iter().map(|(key, version, latest)| entry(world, key, version, latest, encoding)).collect());
    let markers = markers.into_iter().map(|(key, version, latest)| DeleteMarkerEntry {
        is_latest: Some(latest),
        key: told(key, encoding),
        last_modified: Some(version.modified.clone()),
        owner: owner(world),
        version_id: Some(version.id.clone()),
    });
    answer.delete_markers = Some(markers.collect());
    answer.common_prefixes = prefixes(&page.prefixes, encoding);
    Ok(answer)
}

fn entry(world: &World, key: &str, version: &Version, latest: bool, encoding: Option<&EncodingType>) -> ObjectVersion {
    let object = version.object.as_ref().expect("an object");
    ObjectVersion {
        e_tag: Some(object.etag()),
        is_latest: Some(latest),
        key: told(key, encoding),
        last_modified: Some(version.modified.clone()),
        owner: owner(world),
        size: Some(object.body.length() as i64),
        storage_class: Some(ObjectVersionStorageClass::from(object.about.storage_class.clone())),
        version_id: Some(version.id.clone()),
        ..Default::default()
    }
}

/// ListObjectsV2: what is there now; keys whose newest version is a marker are not.
pub fn objects(world: &World, input: ListObjectsV2Input) -> S3Result<ListObjectsV2Output> {
    let bucket = world.bucket(&input.bucket)?;
    let encoding = input.encoding_type.as_ref();
    let prefix = input.prefix.clone().unwrap_or_default();
    let token = input.continuation_token.as_deref().map(|token| {
        let bytes = unhex(token);
        String::from_utf8(bytes).map_err(|_| s3_error!(InvalidArgument, "The continuation token provided is incorrect"))
    });
    let marker = token.transpose()?.or_else(|| input.start_after.clone());
    let start = marker.clone().unwrap_or_default().max(prefix.clone());
    let entries = bucket.keys.range(start..).filter_map(|(key, versions)| {
        let object = versions.first().and_then(|version| version.object.as_ref().map(|object| (version, object)))?;
        (marker.as_ref() != Some(key)).then_some((key.as_str(), (key, object.0, object.1)))
    });
    let most = most(world, input.max_keys)?;
    let page = page(entries, &Cut { prefix: &prefix, delimiter: input.delimiter.as_deref(), marker: marker.as_deref(), most });
    let last = if page.ends_with_prefix { page.prefixes.last() } else { page.entries.last().map(|(key, _, _)| *key) };
    let contents = page.entries.iter().map(|(key, version, object)| s3s::dto::Object {
        e_tag: Some(object.etag()),
        key: told(*key, encoding),
        last_modified: Some(version.modified.clone()),
        owner: owner(world).filter(|_| input.fetch_owner == Some(true)),
        size: Some(object.body.length() as i64),
        storage_class: Some(ObjectStorageClass::from(object.about.storage_class.clone())),
        ..Default::default()
    });
    Ok(ListObjectsV2Output {
        name: Some(input.bucket),
        prefix: told(&prefix, encoding),
        delimiter: input.delimiter.clone().and_then(|delimiter| told(delimiter, encoding)),
        start_after: input.start_after.clone().and_then(|key| told(key, encoding)),
        continuation_token: input.continuation_token.clone(),
        next_continuation_token: last.filter(|_| page.truncated).map(|last| hex(last.as_bytes())),
        max_keys: Some(most as i32),
        key_count: Some(page.count() as i32),
        is_truncated: Some(page.truncated),
        contents: Some(contents.collect()),
        common_prefixes: prefixes(&page.prefixes, encoding),
        encoding_type: input.encoding_type.clone(),
        request_charged: None,
    })
}

/// How many entries a page may have, by the request and by the server.
pub fn most(world: &World, asked: Option<i32>) -> S3Result<usize> {
    let asked = usize::try_from(asked.unwrap_or(1000))
        .map_err(|_| s3_error!(InvalidArgument, "Argument must be an integer between 0 and 2147483647"))?;
    Ok(asked.min(world.page))
}

pub fn prefixes(prefixes: &[String], encoding: Option<&EncodingType>) -> Option<Vec<CommonPrefix>> {
    Some(prefixes.iter().map(|prefix| CommonPrefix { prefix: told(prefix, encoding) }).collect())
}

pub fn owner(world: &World) -> Option<Owner> {
    Some(Owner { display_name: None, id: Some(world.owner.clone()) })
}
