//! Object Lock: legal holds without an end, retention with one, and the rule that either alone keeps a version. Governance yields to who may
//! bypass it and says so; compliance to nobody.

use s3s::dto::{
    DefaultRetention as Default_, GetObjectLegalHoldInput, GetObjectLegalHoldOutput, GetObjectLockConfigurationInput,
    GetObjectLockConfigurationOutput, GetObjectRetentionInput, GetObjectRetentionOutput, ObjectLockConfiguration,
    ObjectLockEnabled, ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode,
    ObjectLockRule, PutObjectLegalHoldInput, PutObjectLegalHoldOutput, PutObjectLockConfigurationInput,
    PutObjectLockConfigurationOutput, PutObjectRetentionInput, PutObjectRetentionOutput,
};
use s3s::{S3Result, s3_error};

use super::bucket::{Bucket, DefaultRetention, Versioning};
use super::version::{Object, Retention, Version, is_on};
use super::world::World;

const PROTECTED: &str = "Access Denied because object protected by object lock.";

/// Whether a version may be removed for ever.
pub fn may_be_removed(world: &World, bucket: &str, key: &str, version: &Version, bypass: bool) -> S3Result<()> {
    let Some(object) = &version.object else { return Ok(()) };
    let bypasses = bypass && !world.denies("s3:BypassGovernanceRetention", bucket, key);
    let retained = object.about.retention.as_ref().is_some_and(|retention| {
        let running = retention.until > world.clock.stamp();
        running && (retention.compliance || !bypasses)
    });
    if object.about.hold || retained { Err(s3_error!(AccessDenied, "{PROTECTED}")) } else { Ok(()) }
}

fn locked(bucket: &Bucket) -> S3Result<()> {
    if bucket.lock { Ok(()) } else { Err(s3_error!(InvalidRequest, "Bucket is missing Object Lock Configuration")) }
}

fn object<'a>(world: &'a World, bucket: &str, key: &str, id: Option<&str>) -> S3Result<&'a Object> {
    let bucket = world.bucket(bucket)?;
    locked(bucket)?;
    bucket.find(key, id)?.object.as_ref().ok_or_else(|| s3_error!(MethodNotAllowed))
}

fn object_mut<'a>(world: &'a mut World, bucket: &str, key: &str, id: Option<&str>) -> S3Result<&'a mut Object> {
    let bucket = world.bucket_mut(bucket)?;
    locked(bucket)?;
    bucket.find_mut(key, id)?.object.as_mut().ok_or_else(|| s3_error!(MethodNotAllowed))
}

pub fn get_hold(world: &World, input: GetObjectLegalHoldInput) -> S3Result<GetObjectLegalHoldOutput> {
    let object = object(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    if !object.about.hold {
        return Err(s3_error!(NoSuchObjectLockConfiguration, "The specified object does not have a ObjectLock configuration"));
    }
    let status = Some(ObjectLockLegalHoldStatus::from_static(ObjectLockLegalHoldStatus::ON));
    Ok(GetObjectLegalHoldOutput { legal_hold: Some(ObjectLockLegalHold { status }) })
}

pub fn put_hold(world: &mut World, input: PutObjectLegalHoldInput) -> S3Result<PutObjectLegalHoldOutput> {
    let object = object_mut(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    let hold = input.legal_hold.ok_or_else(|| s3_error!(MalformedXML))?;
    object.about.hold = is_on(hold.status.as_ref());
    Ok(PutObjectLegalHoldOutput::default())
}

pub fn get_retention(world: &World, input: GetObjectRetentionInput) -> S3Result<GetObjectRetentionOutput> {
    let object = object(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    let missing = || s3_error!(NoSuchObjectLockConfiguration, "The specified object does not have a ObjectLock configuration");
    let kept = object.about.retention.clone().ok_or_else(missing)?;
    let mode = Some(ObjectLockRetentionMode::from(kept.mode()));
    Ok(GetObjectRetentionOutput { retention: Some(ObjectLockRetention { mode, retain_until_date: Some(kept.until) }) })
}

/// Longer is always allowed; shorter or weaker only where governance is bypassed.
pub fn put_retention(world: &mut World, input: PutObjectRetentionInput) -> S3Result<PutObjectRetentionOutput> {
    let asked = input.retention.ok_or_else(|| s3_error!(MalformedXML))?;
    let now = world.clock.stamp();
    let mode = asked.mode.as_ref().map(|mode| mode.as_str());
    let asked = Retention::asked(mode, asked.retain_until_date.as_ref(), &now)?;
    let bypass = input.bypass_governance_retention.unwrap_or(false)
        && !world.denies("s3:BypassGovernanceRetention", &input.bucket, &input.key);
    let object = object_mut(world, &input.bucket, &input.key, input.version_id.as_deref())?;
    if let Some(kept) = object.about.retention.as_ref().filter(|kept| kept.until > now) {
        let keeps = asked.as_ref().is_some_and(|asked| asked.until >= kept.until && (asked.compliance || !kept.compliance));
        if !keeps && (kept.compliance || !bypass) {
            return Err(s3_error!(AccessDenied, "{PROTECTED}"));
        }
    }
    object.about.retention = asked;
    Ok(PutObjectRetentionOutput::default())
}

pub fn get_configuration(world: &World, input: GetObjectLockConfigurationInput) -> S3Result<GetObjectLockConfigurationOutput> {
    let bucket = world.bucket(&input.bucket)?;
    if !bucket.lock {
        return Err(s3_error!(ObjectLockConfigurationNotFoundError, "Object Lock configuration does not exist for this bucket"));
    }
    let rule = bucket.default_retention.as_ref().map(|default| {
        let mode = if default.compliance { ObjectLockRetentionMode::COMPLIANCE } else { ObjectLockRetentionMode::GOVERNANCE };
        let mode = Some(ObjectLockRetentionMode::from_static(mode));
        ObjectLockRule { default_retention: Some(Default_ { days: Some(default.days), mode, years: None }) }
    });
    let object_lock_enabled = Some(ObjectLockEnabled::from_static(ObjectLockEnabled::ENABLED));
    let configuration = ObjectLockConfiguration { object_lock_enabled, rule };
    Ok(GetObjectLockConfigurationOutput { object_lock_configuration: Some(configuration) })
}

pub fn put_configuration(world: &mut World, input: PutObjectLockConfigurationInput) -> S3Result<PutObjectLockConfigurationOutput> {
    let bucket = world.bucket_mut(&input.bucket)?;
    if bucket.versioning != Versioning::Enabled {
        return Err(s3_error!(
            InvalidBucketState,
            "Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration"
        ));
    }
    let rule = input.object_lock_configuration.and_then(|configuration| configuration.rule);
    bucket.lock = true;
    bucket.default_retention = rule.and_then(|rule| rule.default_retention).map(|asked| DefaultRetention {
        compliance: asked.mode.is_some_and(|mode| mode.as_str() == ObjectLockRetentionMode::COMPLIANCE),
        days: asked.days.or_else(|| asked.years.map(|years| years * 365)).unwrap_or(0),
    });
    Ok(PutObjectLockConfigurationOutput::default())
}
