//! Buckets and how they are set up: versions, replication, lifecycle, region. Access rules are in the gate, Object Lock in `locks`.

use s3s::dto::{
    Bucket as Entry, BucketLocationConstraint, BucketVersioningStatus, CreateBucketInput, CreateBucketOutput, DeleteBucketInput,
    DeleteBucketOutput, GetBucketLifecycleConfigurationInput, GetBucketLifecycleConfigurationOutput, GetBucketLocationInput,
    GetBucketLocationOutput, GetBucketReplicationInput, GetBucketReplicationOutput, GetBucketVersioningInput,
    GetBucketVersioningOutput, HeadBucketInput, HeadBucketOutput, ListBucketsOutput, MFADeleteStatus,
    PutBucketLifecycleConfigurationInput, PutBucketLifecycleConfigurationOutput, PutBucketReplicationInput,
    PutBucketReplicationOutput, PutBucketVersioningInput, PutBucketVersioningOutput,
};
use s3s::{S3Result, s3_error};

use super::bucket::{Bucket, Versioning};
use super::listing::owner;
use super::world::{World, custom};

pub fn create(world: &mut World, input: CreateBucketInput) -> S3Result<CreateBucketOutput> {
    if world.buckets.contains_key(&input.bucket) {
        return Err(s3_error!(
            BucketAlreadyOwnedByYou,
            "Your previous request to create the named bucket succeeded and you already own it."
        ));
    }
    let asked = input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let here = asked.as_ref().map_or("us-east-1", |region| region.as_str()) == world.region;
    if !here {
        return Err(custom(
            "IllegalLocationConstraintException",
            400,
            "The location constraint is incompatible for the region specific endpoint this request was sent to.",
        ));
    }
    let mut bucket = Bucket::new(&world.region, world.clock.stamp());
    if input.object_lock_enabled_for_bucket == Some(true) {
        bucket.lock = true;
        bucket.versioning = Versioning::Enabled;
    }
    let location = Some(format!("/{}", input.bucket));
    world.buckets.insert(input.bucket, bucket);
    Ok(CreateBucketOutput { location })
}

/// Markers, old versions and unfinished uploads keep a bucket from being deleted like objects do.
pub fn delete(world: &mut World, input: DeleteBucketInput) -> S3Result<DeleteBucketOutput> {
    let bucket = world.bucket(&input.bucket)?;
    if !bucket.keys.is_empty() || !bucket.uploads.is_empty() {
        return Err(s3_error!(BucketNotEmpty, "The bucket you tried to delete is not empty"));
    }
    world.buckets.remove(&input.bucket);
    Ok(DeleteBucketOutput::default())
}

pub fn head(world: &World, input: HeadBucketInput) -> S3Result<HeadBucketOutput> {
    let bucket = world.bucket(&input.bucket)?;
    Ok(HeadBucketOutput { bucket_region: Some(bucket.region.clone()), ..Default::default() })
}

pub fn list(world: &World) -> S3Result<ListBucketsOutput> {
    let buckets = world.buckets.iter().map(|(name, bucket)| Entry {
        name: Some(name.clone()),
        creation_date: Some(bucket.created.clone()),
        bucket_region: None,
    });
    Ok(ListBucketsOutput { buckets: Some(buckets.collect()), owner: owner(world), ..Default::default() })
}

pub fn location(world: &World, input: GetBucketLocationInput) -> S3Result<GetBucketLocationOutput> {
    let region = &world.bucket(&input.bucket)?.region;
    let location_constraint = (region != "us-east-1").then(|| BucketLocationConstraint::from(region.clone()));
    Ok(GetBucketLocationOutput { location_constraint })
}

/// Nothing at all is said of a bucket that never kept versions.
pub fn versioning(world: &World, input: GetBucketVersioningInput) -> S3Result<GetBucketVersioningOutput> {
    let bucket = world.bucket(&input.bucket)?;
    let status = match bucket.versioning {
        Versioning::Never => None,
        Versioning::Enabled => Some(BucketVersioningStatus::ENABLED),
        Versioning::Suspended => Some(BucketVersioningStatus::SUSPENDED),
    };
    let mfa_delete = bucket.mfa_delete.then(|| MFADeleteStatus::from_static(MFADeleteStatus::ENABLED));
    Ok(GetBucketVersioningOutput { mfa_delete, status: status.map(BucketVersioningStatus::from_static) })
}

pub fn put_versioning(world: &mut World, input: PutBucketVersioningInput) -> S3Result<PutBucketVersioningOutput> {
    let bucket = world.bucket_mut(&input.bucket)?;
    let asked = input.versioning_configuration;
    if asked.mfa_delete.is_some_and(|mfa| mfa.as_str() == "Enabled") && input.mfa.is_none() {
        return Err(s3_error!(InvalidRequest, "DevPay and Mfa are mutually exclusive authorization methods."));
    }
    match asked.status.as_ref().map(|status| status.as_str()) {
        Some("Enabled") => bucket.versioning = Versioning::Enabled,
        Some("Suspended") if bucket.lock => {
            return Err(s3_error!(
                InvalidBucketState,
                "An Object Lock configuration is present on this bucket, so the versioning state cannot be changed."
            ));
        }
        Some("Suspended") => bucket.versioning = Versioning::Suspended,
        _ => return Err(s3_error!(IllegalVersioningConfigurationException)),
    }
    Ok(PutBucketVersioningOutput::default())
}

pub fn replication(world: &World, input: GetBucketReplicationInput) -> S3Result<GetBucketReplicationOutput> {
    let kept = world.bucket(&input.bucket)?.replication.clone();
    let missing = || s3_error!(ReplicationConfigurationNotFoundError, "The replication configuration was not found");
    Ok(GetBucketReplicationOutput { replication_configuration: Some(kept.ok_or_else(missing)?) })
}

pub fn put_replication(world: &mut World, input: PutBucketReplicationInput) -> S3Result<PutBucketReplicationOutput> {
    let bucket = world.bucket_mut(&input.bucket)?;
    if bucket.versioning != Versioning::Enabled {
        return Err(s3_error!(InvalidRequest, "Versioning must be 'Enabled' on the bucket to apply a replication configuration"));
    }
    bucket.replication = Some(input.replication_configuration);
    Ok(PutBucketReplicationOutput::default())
}

pub fn lifecycle(world: &World, input: GetBucketLifecycleConfigurationInput) -> S3Result<GetBucketLifecycleConfigurationOutput> {
    let kept = world.bucket(&input.bucket)?.lifecycle.clone();
    let missing = || s3_error!(NoSuchLifecycleConfiguration, "The lifecycle configuration does not exist");
    Ok(GetBucketLifecycleConfigurationOutput { rules: Some(kept.ok_or_else(missing)?), ..Default::default() })
}

pub fn put_lifecycle(
    world: &mut World,
    input: PutBucketLifecycleConfigurationInput,
) -> S3Result<PutBucketLifecycleConfigurationOutput> {
    let bucket = world.bucket_mut(&input.bucket)?;
    bucket.lifecycle = input.lifecycle_configuration.map(|configuration| configuration.rules);
    Ok(PutBucketLifecycleConfigurationOutput::default())
}
