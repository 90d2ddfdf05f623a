//! What a bucket's configuration says about what deleting in it does: versions, locks, second factor, replication, lifecycle. What cannot be
//! read is said to be unknown.

use aws_sdk_s3::types::{BucketVersioningStatus, MfaDeleteStatus, ObjectLockEnabled, ReplicationRuleStatus};

use super::error::classify;
use super::{S3Store, StoreError, StoreFacts};
use crate::connector::objects::Versioning;

impl S3Store {
    pub(super) async fn read_configuration(&self) -> Result<StoreFacts, StoreError> {
        let sent =
            self.client.get_bucket_versioning().bucket(&self.bucket).set_expected_bucket_owner(self.owner.clone()).send().await;
        let versioning = sent.map_err(|error| classify("read the versioning of the bucket", &error))?;
        let mut unknown = Vec::new();
        let lockable = match self.is_lockable().await {
            Ok(lockable) => Some(lockable),
            Err(StoreError::Denied { .. }) => {
                unknown.push("whether objects can be locked (s3:GetBucketObjectLockConfiguration)".to_owned());
                None
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
            mfa_delete: versioning.mfa_delete() == Some(&MfaDeleteStatus::Enabled),
            copies,
            unknown,
            identity: format!("s3 {} {}", self.endpoint.as_deref().unwrap_or("aws"), self.bucket),
        })
    }

    /// Whether entries of the bucket may carry locks.
    pub(super) async fn is_lockable(&self) -> Result<bool, StoreError> {
        let sent = self
            .client
            .get_object_lock_configuration()
            .bucket(&self.bucket)
            .set_expected_bucket_owner(self.owner.clone())
            .send()
            .await;
        match sent {
            Ok(answer) => {
                let enabled = answer.object_lock_configuration().and_then(|lock| lock.object_lock_enabled());
                Ok(enabled == Some(&ObjectLockEnabled::Enabled))
            }
            Err(error) => match classify("read the lock configuration of the bucket", &error) {
                StoreError::Gone | StoreError::NotSupported { .. } => Ok(false),
                StoreError::Refused { code, .. }
                    if code == "ObjectLockConfigurationNotFoundError" || code == "NoSuchObjectLockConfiguration" =>
                {
                    Ok(false)
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
