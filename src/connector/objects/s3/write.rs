//! Writing an object as its bytes are made: small ones in one call, larger ones as a multipart upload, so that memory holds one part and never
//! the object. Nothing appears under the key before the last call.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{ChecksumAlgorithm, CompletedMultipartUpload, CompletedPart, ServerSideEncryption, StorageClass};
use futures_util::future::BoxFuture;

use super::error::classify;
use super::{Checksums, Condition, Details, Encryption, Entry, ObjectKey, S3Store, StoreError, Writing, key_text};
use crate::connector::objects::EntryKind;

/// Bytes per part. With at most 10,000 parts an object may have 160 GB.
const PART: usize = 16 * 1024 * 1024;

/// What is said of an object when it begins to exist, in either way of writing one.
macro_rules! described {
    ($call:expr, $upload:expr) => {{
        let (encryption, kms_key) = $upload.store.encryption_words();
        $call
            .set_content_type($upload.details.media_type.clone())
            .set_content_encoding($upload.details.encoding.clone())
            .set_metadata(Some($upload.details.metadata.clone().into_iter().collect()))
            .set_tagging(tagging(&$upload.details))
            .set_storage_class($upload.details.storage_class.as_deref().map(StorageClass::from))
            .set_checksum_algorithm($upload.store.write_checksum())
            .set_server_side_encryption(encryption)
            .set_ssekms_key_id(kms_key)
            .set_expected_bucket_owner($upload.store.owner.clone())
            .set_request_payer($upload.store.payer.clone())
    }};
}

struct Upload {
    store: S3Store,
    key: ObjectKey,
    details: Details,
    condition: Option<Condition>,
    id: Option<String>,
    parts: Vec<CompletedPart>,
    waiting: Vec<u8>,
    written: u64,
}

impl S3Store {
    pub(super) async fn begin_writing(
        &self,
        key: &ObjectKey,
        details: &Details,
        condition: Option<Condition>,
    ) -> Result<Box<dyn Writing>, StoreError> {
        key_text(key)?;
        Ok(Box::new(Upload {
            store: self.clone(),
            key: key.clone(),
            details: details.clone(),
            condition,
            id: None,
            parts: Vec::new(),
            waiting: Vec::new(),
            written: 0,
        }))
    }

    fn write_checksum(&self) -> Option<ChecksumAlgorithm> {
        (self.checksums == Checksums::WhenSupported).then_some(ChecksumAlgorithm::Sha256)
    }

    fn encryption_words(&self) -> (Option<ServerSideEncryption>, Option<String>) {
        match &self.encryption {
            None => (None, None),
            Some(Encryption::Store) => (Some(ServerSideEncryption::Aes256), None),
            Some(Encryption::Kms(key)) => (Some(ServerSideEncryption::AwsKms), key.clone()),
        }
    }
}

impl Upload {
    async fn take(&mut self, mut bytes: &[u8]) -> Result<(), StoreError> {
        self.written += bytes.len() as u64;
        while !bytes.is_empty() {
            let room = PART - self.waiting.len();
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.waiting.extend_from_slice(now);
            bytes = later;
            if self.waiting.len() == PART {
                self.send_part().await?;
            }
        }
        Ok(())
    }

    async fn send_part(&mut self) -> Result<(), StoreError> {
        let id = match &self.id {
            Some(id) => id.clone(),
            None => self.begin().await?,
        };
        let number = i32::try_from(self.parts.len() + 1).unwrap_or(i32::MAX);
        let body = std::mem::replace(&mut self.waiting, Vec::with_capacity(PART));
        let store = &self.store;
        let sent = store
            .client
            .upload_part()
            .bucket(&store.bucket)
            .key(key_text(&self.key)?)
            .upload_id(id)
            .part_number(number)
            .set_checksum_algorithm(store.write_checksum())
            .body(ByteStream::from(body))
            .set_expected_bucket_owner(store.owner.clone())
            .set_request_payer(store.payer.clone())
            .send()
            .await;
        let part = sent.map_err(|error| classify("write a part of an object", &error))?;
        let done = CompletedPart::builder()
            .part_number(number)
            .set_e_tag(part.e_tag().map(str::to_owned))
            .set_checksum_sha256(part.checksum_sha256().map(str::to_owned))
            .build();
        self.parts.push(done);
        Ok(())
    }

    async fn begin(&mut self) -> Result<String, StoreError> {
        let store = &self.store;
        let call = store.client.create_multipart_upload().bucket(&store.bucket).key(key_text(&self.key)?);
        let sent = described!(call, self).send().await;
        let begun = sent.map_err(|error| classify("begin an upload", &error))?;
        let id = begun.upload_id().ok_or(StoreError::Contradiction("an upload without an id"))?.to_owned();
        self.id = Some(id.clone());
        Ok(id)
    }

    async fn complete(mut self: Box<Self>) -> Result<Entry, StoreError> {
        let written = match self.id.is_some() {
            true => self.complete_parts().await,
            false => self.put_whole().await,
        };
        let (version, etag) = match written {
            Ok(written) => written,
            Err(error) => {
                // What is left of it is aborted; the error that stopped us is the one to tell.
                if let Err(left) = self.give_up().await {
                    tracing::warn!("parts of an upload that failed are still in the store: {left}");
                }
                return Err(error);
            }
        };
        let mut entry = Entry::named(self.key.clone(), EntryKind::Version, Some(version.unwrap_or_else(|| "null".to_owned())));
        // Read back: some stores answer before they know, and some answer with an empty tag.
        let there = self.store.look_at(&entry).await?;
        if there.size != self.written {
            return Err(StoreError::Contradiction("what was written has another size"));
        }
        entry.size = there.size;
        entry.etag = there.etag.or(etag);
        entry.modified = there.modified;
        entry.is_latest = true;
        Ok(entry)
    }

    async fn complete_parts(&mut self) -> Result<(Option<String>, Option<String>), StoreError> {
        if !self.waiting.is_empty() {
            self.send_part().await?;
        }
        let store = &self.store;
        let (absent, matches) = conditions(self.condition.as_ref());
        let parts = CompletedMultipartUpload::builder().set_parts(Some(std::mem::take(&mut self.parts))).build();
        let sent = store
            .client
            .complete_multipart_upload()
            .bucket(&store.bucket)
            .key(key_text(&self.key)?)
            .set_upload_id(self.id.clone())
            .multipart_upload(parts)
            .set_if_none_match(absent)
            .set_if_match(matches)
            .set_expected_bucket_owner(store.owner.clone())
            .set_request_payer(store.payer.clone())
            .send()
            .await;
        let done = sent.map_err(|error| classify("complete an upload", &error))?;
        Ok((done.version_id().map(str::to_owned), done.e_tag().map(str::to_owned)))
    }

    async fn put_whole(&mut self) -> Result<(Option<String>, Option<String>), StoreError> {
        let body = std::mem::take(&mut self.waiting);
        let store = &self.store;
        let (absent, matches) = conditions(self.condition.as_ref());
        let call = store.client.put_object().bucket(&store.bucket).key(key_text(&self.key)?);
        let call = call.body(ByteStream::from(body)).set_if_none_match(absent).set_if_match(matches);
        let sent = described!(call, self).send().await;
        let done = sent.map_err(|error| classify("write an object", &error))?;
        Ok((done.version_id().map(str::to_owned), done.e_tag().map(str::to_owned)))
    }

    async fn give_up(&self) -> Result<(), StoreError> {
        let Some(id) = &self.id else { return Ok(()) };
        let upload = Entry::named(self.key.clone(), EntryKind::Upload, Some(id.clone()));
        self.store.delete_by_id(&[upload], super::TRY).await.map(|_| ())
    }
}

impl Writing for Upload {
    fn write<'a>(&'a mut self, bytes: &'a [u8]) -> BoxFuture<'a, Result<(), StoreError>> {
        Box::pin(self.take(bytes))
    }

    fn finish(self: Box<Self>) -> BoxFuture<'static, Result<Entry, StoreError>> {
        Box::pin(self.complete())
    }

    fn abort(self: Box<Self>) -> BoxFuture<'static, Result<(), StoreError>> {
        Box::pin(async move { self.give_up().await })
    }
}

fn conditions(condition: Option<&Condition>) -> (Option<String>, Option<String>) {
    match condition {
        None => (None, None),
        Some(Condition::Absent) => (Some("*".to_owned()), None),
        Some(Condition::Matches(etag)) => (None, Some(etag.clone())),
    }
}

/// Tags as the interface wants them in one header: `name=value&name=value`, each encoded.
fn tagging(details: &Details) -> Option<String> {
    if details.tags.is_empty() {
        return None;
    }
    let encoded = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
    };
    Some(details.tags.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect::<Vec<_>>().join("&"))
}
