//! Deleting by id, up to a thousand at once, with what the store says of each. A 200 may hold refusals; an entry of which it says nothing is
//! unknown and not gone (E-2). A call that broke off is unknown for all of it.

use std::time::{Duration, Instant};

use aws_sdk_s3::config::Builder;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use futures_util::{StreamExt, stream};

use super::error::{by_code, classify};
use super::{AT_ONCE, Entry, Fate, S3Store, StoreError, key_text};
use crate::connector::objects::EntryKind;

/// As many as one call may name.
const AT_MOST: usize = 1_000;

impl S3Store {
    pub(super) async fn delete_by_id(&self, entries: &[Entry], within: Duration) -> Result<Vec<Fate>, StoreError> {
        let end = Instant::now() + within;
        let mut fates = vec![Fate::Unknown; entries.len()];
        let (together, alone): (Vec<usize>, Vec<usize>) = (0..entries.len()).partition(|at| can_go_together(&entries[*at]));
        for chunk in together.chunks(AT_MOST) {
            let chosen: Vec<&Entry> = chunk.iter().map(|at| &entries[*at]).collect();
            for (at, fate) in chunk.iter().zip(self.delete_together(&chosen, end).await?) {
                fates[*at] = fate;
            }
        }
        let mut each =
            stream::iter(alone).map(|at| async move { (at, self.delete_alone(&entries[at], end).await) }).buffered(AT_ONCE);
        while let Some((at, fate)) = each.next().await {
            fates[at] = fate?;
        }
        Ok(fates)
    }

    async fn delete_together(&self, entries: &[&Entry], end: Instant) -> Result<Vec<Fate>, StoreError> {
        let Some(timeout) = left_until(end) else { return Ok(vec![Fate::Unknown; entries.len()]) };
        let mut names = Vec::with_capacity(entries.len());
        for entry in entries {
            let name = ObjectIdentifier::builder().key(key_text(&entry.key)?).set_version_id(entry.id.clone()).build();
            names.push(name.map_err(|_| StoreError::Contradiction("an entry without a key"))?);
        }
        let delete = Delete::builder().set_objects(Some(names)).quiet(false).build();
        let delete = delete.map_err(|_| StoreError::Contradiction("a deletion of nothing"))?;
        let sent = self
            .client
            .delete_objects()
            .bucket(&self.bucket)
            .delete(delete)
            .set_expected_bucket_owner(self.owner.clone())
            .set_request_payer(self.payer.clone())
            .customize()
            .config_override(Builder::new().timeout_config(timeout))
            .send()
            .await;
        let answer = match sent {
            Ok(answer) => answer,
            Err(error) => return Ok(vec![fate_of(&classify("delete objects", &error))?; entries.len()]),
        };
        let fate_of_entry = |entry: &&Entry| {
            let is_named = |key: Option<&str>, id: Option<&str>| {
                key.map(str::as_bytes) == Some(entry.key.bytes()) && (id == entry.id.as_deref() || id.is_none())
            };
            if let Some(refusal) = answer.errors().iter().find(|error| is_named(error.key(), error.version_id())) {
                return fate_of(&by_code("delete an object", refusal.code().unwrap_or_default(), 0)).unwrap_or(Fate::Unknown);
            }
            match answer.deleted().iter().any(|done| is_named(done.key(), done.version_id())) {
                true => Fate::Acknowledged,
                false => Fate::Unknown,
            }
        };
        Ok(entries.iter().map(fate_of_entry).collect())
    }

    async fn delete_alone(&self, entry: &Entry, end: Instant) -> Result<Fate, StoreError> {
        let Some(timeout) = left_until(end) else { return Ok(Fate::Unknown) };
        let limits = Builder::new().timeout_config(timeout);
        let failed = match entry.kind {
            EntryKind::Upload => {
                let sent = self
                    .client
                    .abort_multipart_upload()
                    .bucket(&self.bucket)
                    .key(key_text(&entry.key)?)
                    .upload_id(entry.id.as_deref().unwrap_or_default())
                    .set_expected_bucket_owner(self.owner.clone())
                    .set_request_payer(self.payer.clone())
                    .customize()
                    .config_override(limits)
                    .send()
                    .await;
                sent.err().map(|error| classify("abort an upload", &error))
            }
            EntryKind::Version | EntryKind::Marker => {
                let sent = about_version!(self, delete_object, entry).customize().config_override(limits).send().await;
                sent.err().map(|error| classify("delete an object", &error))
            }
        };
        failed.map_or(Ok(Fate::Acknowledged), |error| fate_of(&error))
    }
}

/// What a refusal of the whole or of one entry means for it.
fn fate_of(error: &StoreError) -> Result<Fate, StoreError> {
    match error {
        StoreError::Gone => Ok(Fate::Acknowledged),
        StoreError::Busy(_) | StoreError::Lost => Ok(Fate::Unknown),
        StoreError::Denied { .. } => Ok(Fate::Refused("AccessDenied".to_owned())),
        StoreError::Changed => Ok(Fate::Refused("PreconditionFailed".to_owned())),
        StoreError::Refused { code, .. } => Ok(Fate::Refused(code.clone())),
        other => Err(other.clone()),
    }
}

/// Uploads have a call of their own, and XML cannot carry every key.
fn can_go_together(entry: &Entry) -> bool {
    let is_xml = |c: char| matches!(c, '\t' | '\u{20}'..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..);
    entry.kind != EntryKind::Upload && entry.key.text().is_some_and(|key| key.chars().all(is_xml))
}

fn left_until(end: Instant) -> Option<TimeoutConfig> {
    let left = end.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())?;
    Some(TimeoutConfig::builder().operation_timeout(left).build())
}
