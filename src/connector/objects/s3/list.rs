//! Lists: versions with their markers, and unfinished uploads. Keys come encoded, because XML cannot carry all of them.

use aws_sdk_s3::primitives::DateTime;
use aws_sdk_s3::types::EncodingType;
use jiff::Timestamp;

use super::error::classify;
use super::url::decoded;
use super::{Entry, ObjectKey, Page, PageMark, S3Store, StoreError};
use crate::connector::objects::EntryKind;

impl S3Store {
    pub(super) async fn list_versions(&self, prefix: &[u8], after: Option<PageMark>) -> Result<Page, StoreError> {
        let Some((prefix, key_marker, id_marker)) = words_of(prefix, after) else { return Ok(Page::default()) };
        let sent = self
            .client
            .list_object_versions()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_key_marker(key_marker)
            .set_version_id_marker(id_marker)
            .encoding_type(EncodingType::Url)
            .set_expected_bucket_owner(self.owner.clone())
            .set_request_payer(self.payer.clone())
            .send()
            .await;
        let answer = sent.map_err(|error| classify("list the versions of objects", &error))?;
        let keys = Keys { encoded: answer.encoding_type() == Some(&EncodingType::Url) };
        let mut entries = Vec::with_capacity(answer.versions().len() + answer.delete_markers().len());
        for version in answer.versions() {
            entries.push(Entry {
                key: keys.read(version.key())?,
                kind: EntryKind::Version,
                id: Some(version.version_id().unwrap_or("null").to_owned()),
                size: version.size().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
                etag: version.e_tag().map(str::to_owned),
                modified: version.last_modified().and_then(instant),
                is_latest: version.is_latest().unwrap_or(false),
                storage_class: version.storage_class().map(|class| class.as_str().to_owned()),
                obstacle: None,
            });
        }
        for marker in answer.delete_markers() {
            let id = Some(marker.version_id().unwrap_or("null").to_owned());
            let mut entry = Entry::named(keys.read(marker.key())?, EntryKind::Marker, id);
            entry.modified = marker.last_modified().and_then(instant);
            entry.is_latest = marker.is_latest().unwrap_or(false);
            entries.push(entry);
        }
        // The interface gives two lists; keys stand in order in each.
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        let next = match answer.is_truncated() {
            Some(true) => {
                let key = answer.next_key_marker().ok_or(StoreError::Contradiction("the list goes on and does not say where"))?;
                Some(PageMark { key: keys.bytes(key), id: answer.next_version_id_marker().map(str::to_owned) })
            }
            _ => None,
        };
        Ok(Page { entries, next })
    }

    pub(super) async fn list_unfinished(&self, prefix: &[u8], after: Option<PageMark>) -> Result<Page, StoreError> {
        let Some((prefix, key_marker, id_marker)) = words_of(prefix, after) else { return Ok(Page::default()) };
        let sent = self
            .client
            .list_multipart_uploads()
            .bucket(&self.bucket)
            .prefix(prefix)
            .set_key_marker(key_marker)
            .set_upload_id_marker(id_marker)
            .encoding_type(EncodingType::Url)
            .set_expected_bucket_owner(self.owner.clone())
            .set_request_payer(self.payer.clone())
            .send()
            .await;
        let answer = sent.map_err(|error| classify("list unfinished uploads", &error))?;
        let keys = Keys { encoded: answer.encoding_type() == Some(&EncodingType::Url) };
        let mut entries = Vec::with_capacity(answer.uploads().len());
        for upload in answer.uploads() {
            let id = upload.upload_id().ok_or(StoreError::Contradiction("an upload without an id"))?;
            let mut entry = Entry::named(keys.read(upload.key())?, EntryKind::Upload, Some(id.to_owned()));
            entry.modified = upload.initiated().and_then(instant);
            entries.push(entry);
        }
        let next = match answer.is_truncated() {
            Some(true) => {
                let key = answer.next_key_marker().ok_or(StoreError::Contradiction("the list goes on and does not say where"))?;
                Some(PageMark { key: keys.bytes(key), id: answer.next_upload_id_marker().map(str::to_owned) })
            }
            _ => None,
        };
        Ok(Page { entries, next })
    }
}

/// Prefix and markers as text; none when no key of S3 can begin so.
fn words_of(prefix: &[u8], after: Option<PageMark>) -> Option<(String, Option<String>, Option<String>)> {
    let prefix = String::from_utf8(prefix.to_vec()).ok()?;
    match after {
        None => Some((prefix, None, None)),
        Some(mark) => Some((prefix, Some(String::from_utf8(mark.key).ok()?), mark.id)),
    }
}

struct Keys {
    /// Stores that do not know the encoding answer plainly, and do not say that they encoded.
    encoded: bool,
}

impl Keys {
    fn bytes(&self, text: &str) -> Vec<u8> {
        if self.encoded { decoded(text) } else { text.as_bytes().to_vec() }
    }

    fn read(&self, text: Option<&str>) -> Result<ObjectKey, StoreError> {
        let text = text.ok_or(StoreError::Contradiction("an entry without a key"))?;
        Ok(ObjectKey::new(self.bytes(text)))
    }
}

/// The SDK's instant as ours.
pub(super) fn instant(time: &DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
