//! What a bucket's configuration says about what deleting in it does: versions, locks, second factor, replication, lifecycle. What cannot be
//! read is said to be unknown.

use aws_sdk_s3::types::{
    BucketVersioningStatus, MfaDeleteStatus, ObjectLockConfiguration, ObjectLockEnabled, ReplicationRuleStatus,
};
use jiff::SignedDuration;

use super::error::classify;
use super::{S3Store, StoreError, StoreFacts};
use crate::connector::objects::Versioning;

impl S3Store {
    pub(super) async fn read_configuration(&self) -> Result<StoreFacts, StoreError> {
        let sent =
            self.client.get_bucket_versioning().bucket(&self.bucket).set_expected_bucket_owner(self.owner.clone()).send().await;
        let versioning = sent.map_err(|error| classify("read the versioning of the bucket", &error))?;
        let mut unknown = Vec::new();
        let (lockable, retains_new) = match self.lock_configuration().await {
            Ok(lock) => (Some(is_enabled(lock.as_ref())), lock.as_ref().and_then(default_retention)),
            Err(StoreError::Denied { .. }) => {
                unknown.push("whether objects can be locked (s3:GetBucketObjectLockConfiguration)".to_owned());
                (None, None)
            }
            Err(error) => return Err(error),
        };
        let mut copies = Vec::new();
        match self.replicates_to().await {
            Ok(places) => copies.extend(places.into_iter().map(|place| format!("replication to {place}"))),
            Err(StoreError::Denied { .. }) => {
                unknown.push("whether the bucket is replicated (s3:GetReplicationConfiguration)".to_owned());
            }
            Err(error) => return Err(error),
        }
        Ok(StoreFacts {
            versioning: match versioning.status() {
                None => Versioning::Never,
                Some(BucketVersioningStatus::Enabled) => Versioning::Enabled,
                Some(_) => Versioning::Suspended,
            },
            lockable,
            retains_new,
            mfa_delete: versioning.mfa_delete() == Some(&MfaDeleteStatus::Enabled),
            copies,
            unknown,
            identity: format!("s3 {} {}", self.endpoint.as_deref().unwrap_or("aws"), self.bucket),
        })
    }

    /// Whether entries of the bucket may carry locks.
    pub(super) async fn is_lockable(&self) -> Result<bool, StoreError> {
        Ok(is_enabled(self.lock_configuration().await?.as_ref()))
    }

    async fn lock_configuration(&self) -> Result<Option<ObjectLockConfiguration>, StoreError> {
        let sent = self
            .client
            .get_object_lock_configuration()
            .bucket(&self.bucket)
            .set_expected_bucket_owner(self.owner.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => Ok(answer.object_lock_configuration),
            Err(error) => match classify("read the lock configuration of the bucket", &error) {
                StoreError::Gone | StoreError::NotSupported { .. } => Ok(None),
                StoreError::Refused { code, .. }
                    if code == "ObjectLockConfigurationNotFoundError" || code == "NoSuchObjectLockConfiguration" =>
                {
                    Ok(None)
                }
                other => Err(other),
            },
        }
    }

    async fn replicates_to(&self) -> Result<Vec<String>, StoreError> {
        let sent =
            self.client.get_bucket_replication().bucket(&self.bucket).set_expected_bucket_owner(self.owner.clone()).send().await;
        match sent {
            Ok(answer) => {
                let rules = answer.replication_configuration().map(|all| all.rules()).unwrap_or_default();
                let active = rules.iter().filter(|rule| rule.status() == &ReplicationRuleStatus::Enabled);
                Ok(active.filter_map(|rule| rule.destination()).map(|to| to.bucket().to_owned()).collect())
            }
            Err(error) => match classify("read the replication of the bucket", &error) {
                StoreError::Gone | StoreError::NotSupported { .. } => Ok(Vec::new()),
                StoreError::Refused { code, .. } if code == "ReplicationConfigurationNotFoundError" => Ok(Vec::new()),
                other => Err(other),
            },
        }
    }
}

fn is_enabled(lock: Option<&ObjectLockConfiguration>) -> bool {
    lock.and_then(|lock| lock.object_lock_enabled()) == Some(&ObjectLockEnabled::Enabled)
}

/// What the bucket does with everything that is written into it.
fn default_retention(lock: &ObjectLockConfiguration) -> Option<SignedDuration> {
    let retention = lock.rule()?.default_retention()?;
    let days = retention.days().map_or_else(|| retention.years().map(|years| i64::from(years) * 365), |days| Some(days.into()))?;
    (days > 0).then(|| SignedDuration::from_hours(days * 24))
}
