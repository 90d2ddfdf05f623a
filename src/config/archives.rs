//! Where archives go, and how long they stay: a folder (`file:DIR`), or a bucket (`s3://bucket/prefix`, or `{s3: {bucket: …, prefix: …}}` with
//! everything that a source of objects may say of its bucket).

use std::path::{Path, PathBuf};

use jiff::SignedDuration;

use super::object_source;
use super::section::Section;
use super::yaml::Value;
use crate::connector::objects::{Checksums, S3Address};

/// How long an archive stays, where nothing else is said.
const DEFAULT_LIFE: SignedDuration = SignedDuration::from_hours(14 * 24);

/// Archives.
#[derive(Debug, Clone)]
pub struct Archives {
    /// Where they are published.
    pub place: ArchivePlace,
    /// How long after that they are removed.
    pub expire_after: SignedDuration,
}

/// A place for archives.
#[derive(Debug, Clone)]
pub enum ArchivePlace {
    /// A folder of this machine.
    Folder(PathBuf),
    /// A bucket.
    S3 {
        /// The bucket.
        address: Box<S3Address>,
        /// What keys begin with: empty, or with a `/` at its end.
        prefix: String,
    },
}

impl Archives {
    /// Where archives are made: beside the finished ones, or in the spool if those are elsewhere.
    pub fn workshop<'a>(&'a self, spool: &'a Path) -> &'a Path {
        match &self.place {
            ArchivePlace::Folder(folder) => folder,
            ArchivePlace::S3 { .. } => spool,
        }
    }
}

pub(super) fn read(root: &Section<'_, '_>) -> Option<Archives> {
    let expire_after = match root.node("archives_expire_after") {
        None => DEFAULT_LIFE,
        Some(_) => root.duration("archives_expire_after")?,
    };
    Some(Archives { place: read_place(root)?, expire_after })
}

fn read_place(root: &Section<'_, '_>) -> Option<ArchivePlace> {
    let Some(node) = root.node("archives") else { return Some(ArchivePlace::Folder(root.reader.anchor("archives"))) };
    if matches!(node.value, Value::Map(_)) {
        let section = root.section("archives", &["s3"])?;
        if section.node("s3").is_none() {
            root.note_at("archives", "does not say where", Some("such as `{s3: {bucket: acme-archives}}` or `file:archives`"));
            return None;
        }
        let address = object_source::read_bucket(&section, &["prefix"])?;
        let prefix = section.inside("s3").and_then(|s3| s3.text("prefix")).map(|entry| entry.value).unwrap_or_default();
        return Some(ArchivePlace::S3 { address: Box::new(address), prefix: as_folder(&prefix) });
    }
    let entry = root.text_with_file_scheme("archives")?;
    if let Some(place) = entry.value.strip_prefix("s3://") {
        let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
        if bucket.is_empty() {
            root.note_at("archives", "names no bucket", Some("such as `s3://acme-archives/requests`"));
            return None;
        }
        return Some(ArchivePlace::S3 { address: Box::new(plain(bucket)), prefix: as_folder(prefix) });
    }
    match entry.value.strip_prefix("file:") {
        Some(path) if !path.is_empty() => Some(ArchivePlace::Folder(root.reader.anchor(path))),
        _ => {
            let message = format!("`{}` must be file:DIR or s3://BUCKET/PREFIX", entry.name);
            root.reader.note(entry.position, message, Some("such as `file:archives`".into()));
            None
        }
    }
}

/// A bucket of which nothing but its name is said: all else comes from the SDK's own chain.
fn plain(bucket: &str) -> S3Address {
    S3Address {
        bucket: bucket.to_owned(),
        region: None,
        endpoint: None,
        path_style: false,
        expected_bucket_owner: None,
        requester_pays: false,
        checksums: Checksums::WhenSupported,
        encryption: None,
        credentials: None,
        verify: None,
    }
}

fn as_folder(prefix: &str) -> String {
    let plain = prefix.trim_matches('/');
    if plain.is_empty() { String::new() } else { format!("{plain}/") }
}
