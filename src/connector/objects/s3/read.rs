//! Looking at a version and reading its bytes.

use std::collections::BTreeMap;

use aws_sdk_s3::types::{GlacierJobParameters, RestoreRequest, StorageClass, Tier};

use super::error::classify;
use super::list::instant;
use super::{Details, Entry, Reading, S3Store, StoreError, key_text};
use crate::connector::objects::store::Restore;

impl S3Store {
    pub(super) async fn look_at(&self, entry: &Entry) -> Result<Details, StoreError> {
        let sent = about_version!(self, head_object, entry).send().await;
        let head = sent.map_err(|error| classify("look at an object", &error))?;
        let is_cold = matches!(head.storage_class(), Some(StorageClass::Glacier | StorageClass::DeepArchive));
        let restore = match head.restore() {
            Some(text) if text.contains("ongoing-request=\"true\"") => Some(Restore::UnderWay),
            Some(_) => None,
            None if is_cold => Some(Restore::NotAsked),
            None => None,
        };
        Ok(Details {
            size: head.content_length().and_then(|size| u64::try_from(size).ok()).unwrap_or(0),
            media_type: head.content_type().map(str::to_owned),
            encoding: head.content_encoding().filter(|coding| !coding.is_empty()).map(str::to_owned),
            metadata: head.metadata().map(|all| all.iter().map(|(k, v)| (k.clone(), v.clone())).collect()).unwrap_or_default(),
            tags: self.tags_of(entry).await?,
            modified: head.last_modified().and_then(instant),
            etag: head.e_tag().map(str::to_owned),
            storage_class: head.storage_class().map(|class| class.as_str().to_owned()),
            restore,
        })
    }

    async fn tags_of(&self, entry: &Entry) -> Result<BTreeMap<String, String>, StoreError> {
        let sent = about_version!(self, get_object_tagging, entry).send().await;
        match sent {
            Ok(answer) => Ok(answer.tag_set().iter().map(|tag| (tag.key().to_owned(), tag.value().to_owned())).collect()),
            Err(error) => match classify("read the tags of an object", &error) {
                StoreError::NotSupported { .. } => Ok(BTreeMap::new()),
                StoreError::Refused { code, .. } if code == "NoSuchTagSet" => Ok(BTreeMap::new()),
                other => Err(other),
            },
        }
    }

    pub(super) async fn open(&self, entry: &Entry) -> Result<Reading, StoreError> {
        let sent = about_version!(self, get_object, entry).send().await;
        let answer = sent.map_err(|error| classify("read an object", &error))?;
        Ok(Box::new(answer.body.into_async_read()))
    }

    pub(super) async fn ask_for(&self, entry: &Entry, days: u16) -> Result<(), StoreError> {
        let tier = GlacierJobParameters::builder().tier(Tier::Standard).build();
        let tier = tier.map_err(|_| StoreError::Contradiction("a restore without a tier"))?;
        let sent = about_version!(self, restore_object, entry)
            .restore_request(RestoreRequest::builder().days(i32::from(days)).glacier_job_parameters(tier).build())
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match classify("restore an object", &error) {
                StoreError::Refused { code, .. } if code == "RestoreAlreadyInProgress" => Ok(()),
                other => Err(other),
            },
        }
    }
}
