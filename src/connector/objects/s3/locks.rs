//! Locks on versions: legal hold and retention, asked for one by one, because a missing header on a HEAD may also be a missing right. What
//! cannot be found out counts as held (H-1).

use aws_sdk_s3::types::{ObjectLockLegalHold, ObjectLockLegalHoldStatus};
use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;

use super::error::classify;
use super::list::instant;
use super::{AT_ONCE, Entry, Lock, S3Store, StoreError, key_text};
use crate::connector::objects::EntryKind;

impl S3Store {
    pub(super) async fn locks_on(&self, entries: &[Entry]) -> Result<Vec<Lock>, StoreError> {
        match self.is_lockable().await {
            Ok(false) => return Ok(vec![Lock::Free; entries.len()]),
            // Where the bucket's configuration may not be read, each version can still answer for itself.
            Ok(true) | Err(StoreError::Denied { .. }) => {}
            Err(error) => return Err(error),
        }
        let asked: Vec<_> = entries.iter().map(|entry| self.lock_on(entry)).collect();
        stream::iter(asked).buffered(AT_ONCE).try_collect().await
    }

    async fn lock_on(&self, entry: &Entry) -> Result<Lock, StoreError> {
        if entry.kind != EntryKind::Version {
            return Ok(Lock::Free);
        }
        match self.has_legal_hold(entry).await {
            Ok(true) => return Ok(Lock::LegalHold),
            Ok(false) => {}
            Err(StoreError::Gone) => return Ok(Lock::Free),
            Err(StoreError::Busy(code)) => return Err(StoreError::Busy(code)),
            Err(StoreError::Lost) => return Err(StoreError::Lost),
            Err(_) => return Ok(Lock::Unknown),
        }
        match self.retained_until(entry).await {
            Ok(None) | Err(StoreError::Gone) => Ok(Lock::Free),
            Ok(Some(until)) => Ok(Lock::Until(until)),
            Err(StoreError::Busy(code)) => Err(StoreError::Busy(code)),
            Err(StoreError::Lost) => Err(StoreError::Lost),
            Err(_) => Ok(Lock::Unknown),
        }
    }

    async fn has_legal_hold(&self, entry: &Entry) -> Result<bool, StoreError> {
        let sent = about_version!(self, get_object_legal_hold, entry).send().await;
        match sent {
            Ok(answer) => {
                let status = answer.legal_hold().and_then(|hold| hold.status());
                Ok(status == Some(&ObjectLockLegalHoldStatus::On))
            }
            Err(error) => match classify("read the legal hold of an object", &error) {
                StoreError::Refused { code, .. } if says_none(&code) => Ok(false),
                other => Err(other),
            },
        }
    }

    async fn retained_until(&self, entry: &Entry) -> Result<Option<Timestamp>, StoreError> {
        let sent = about_version!(self, get_object_retention, entry).send().await;
        match sent {
            // Whether the date has passed is for the store to say, by its own clock, when we delete.
            Ok(answer) => {
                let Some(retention) = answer.retention() else { return Ok(None) };
                match (retention.mode(), retention.retain_until_date()) {
                    (None, None) => Ok(None),
                    (_, Some(until)) => {
                        Ok(Some(instant(until).ok_or(StoreError::Contradiction("a date of retention that is none"))?))
                    }
                    (Some(_), None) => Err(StoreError::Contradiction("a retention without an end")),
                }
            }
            Err(error) => match classify("read the retention of an object", &error) {
                StoreError::Refused { code, .. } if says_none(&code) => Ok(None),
                other => Err(other),
            },
        }
    }

    pub(super) async fn switch_legal_hold(&self, entry: &Entry, on: bool) -> Result<(), StoreError> {
        let status = if on { ObjectLockLegalHoldStatus::On } else { ObjectLockLegalHoldStatus::Off };
        let sent = about_version!(self, put_object_legal_hold, entry)
            .legal_hold(ObjectLockLegalHold::builder().status(status).build())
            .send()
            .await;
        sent.map_err(|error| classify("set the legal hold of an object", &error))?;
        // Some stores accept it and do nothing.
        if self.has_legal_hold(entry).await? != on {
            return Err(StoreError::Contradiction("a legal hold that was set is not there"));
        }
        Ok(())
    }
}

/// How stores say that nothing is set on a version.
fn says_none(code: &str) -> bool {
    matches!(code, "NoSuchObjectLockConfiguration" | "ObjectLockConfigurationNotFoundError")
}
