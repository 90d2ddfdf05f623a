//! Stores of objects in the configuration: `{s3: {bucket: …}}` and `{folder: PATH}`.

use secrecy::SecretString;

use super::section::Section;
use crate::connector::objects::{Checksums, Encryption, ObjectAddress, S3Address, S3Credentials};

const S3: &[&str] = &[
    "bucket",
    "region",
    "endpoint",
    "path_style",
    "expected_bucket_owner",
    "requester_pays",
    "checksums",
    "encryption",
    "kms_key",
    "access_key_id",
    "secret_access_key",
    "session_token",
    "verify",
];
const CREDENTIALS: &[&str] = &["access_key_id", "secret_access_key", "session_token"];

pub(super) fn read_folder(section: &Section<'_, '_>) -> Option<ObjectAddress> {
    section.path("folder").map(ObjectAddress::Folder)
}

pub(super) fn read_s3(parent: &Section<'_, '_>) -> Option<ObjectAddress> {
    read_bucket(parent, &[]).map(|address| ObjectAddress::S3(Box::new(address)))
}

/// What `s3:` says of a bucket; `further` are keys that the caller reads.
pub(super) fn read_bucket(parent: &Section<'_, '_>, further: &[&str]) -> Option<S3Address> {
    let known: Vec<&str> = S3.iter().chain(further).copied().collect();
    let section = parent.section("s3", &known)?;
    let bucket = section.required_text("bucket", "the name of the bucket, without `s3://`")?;
    if bucket.is_empty() || bucket.contains('/') {
        let hint = "parts of a bucket are chosen by a `prefix`";
        section.note_at("bucket", "must be the name of a bucket alone", Some(hint));
        return None;
    }
    let endpoint = section.text("endpoint").map(|entry| entry.value);
    if endpoint.as_ref().is_some_and(|url| !url.starts_with("https://") && !url.starts_with("http://")) {
        section.note_at("endpoint", "must start with https:// or http://", None);
        return None;
    }
    let checksums = match section.text("checksums").as_ref().map(|entry| entry.value.as_str()) {
        // Stores that are not AWS may not understand the trailers of streamed uploads.
        None if endpoint.is_some() => Checksums::WhenRequired,
        None | Some("when_supported") => Checksums::WhenSupported,
        Some("when_required") => Checksums::WhenRequired,
        Some(_) => {
            section.note_at("checksums", "must be `when_required` or `when_supported`", None);
            return None;
        }
    };
    let kms_key = section.text("kms_key").map(|entry| entry.value);
    let encryption = match section.text("encryption").as_ref().map(|entry| entry.value.as_str()) {
        None if kms_key.is_none() => None,
        Some("store") if kms_key.is_none() => Some(Encryption::Store),
        None | Some("kms") => Some(Encryption::Kms(kms_key)),
        Some(_) => {
            section.note_at("encryption", "must be `store` or `kms`, and `kms_key` belongs to `kms`", None);
            return None;
        }
    };
    let verify = match section.node("verify") {
        None => None,
        Some(_) => Some(credentials(&section.section("verify", CREDENTIALS)?)??),
    };
    Some(S3Address {
        bucket,
        region: section.text("region").map(|entry| entry.value),
        endpoint,
        path_style: section.flag("path_style", false)?,
        expected_bucket_owner: section.text("expected_bucket_owner").map(|entry| entry.value),
        requester_pays: section.flag("requester_pays", false)?,
        checksums,
        encryption,
        credentials: credentials(&section)?,
        verify,
    })
}

/// `None` when what stands there is wrong, `Some(None)` when nothing does.
#[expect(clippy::option_option, reason = "wrong and absent are two things")]
fn credentials(section: &Section<'_, '_>) -> Option<Option<S3Credentials>> {
    let id = section.text("access_key_id").map(|entry| entry.value);
    let secret = section.text("secret_access_key").map(|entry| SecretString::from(entry.value));
    match (id, secret) {
        (None, None) => Some(None),
        (Some(access_key_id), Some(secret_access_key)) => {
            let session_token = section.text("session_token").map(|entry| SecretString::from(entry.value));
            Some(Some(S3Credentials { access_key_id, secret_access_key, session_token }))
        }
        (id, _) => {
            let missing = if id.is_some() { "secret_access_key" } else { "access_key_id" };
            let message = format!("`{}` is missing: the two belong together", section.name_of(missing));
            let hint = "or leave both out: then the environment, profile or instance gives them";
            section.reader.note(section.position(), message, Some(hint.into()));
            None
        }
    }
}
