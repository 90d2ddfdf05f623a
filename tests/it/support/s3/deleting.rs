//! Deleting: by key it hides (a marker) or, where versions are not kept, removes; by version it removes for ever, unless a lock forbids.
//! A batch answers per key. That nothing was there to delete is no error.

use s3s::dto::{
    DeleteObjectInput, DeleteObjectOutput, DeleteObjectsInput, DeleteObjectsOutput, DeletedObject, ETagCondition, Error,
    ObjectIdentifier,
};
use s3s::{S3Result, s3_error};

use super::bucket::{Versioning, known_form};
use super::locks::may_be_removed;
use super::version::{NULL, Version};
use super::world::World;

/// What the request as a whole says.
struct Request<'a> {
    bucket: &'a str,
    bypass: bool,
    mfa: bool,
}

/// What happened to one key.
#[derive(Default)]
struct Done {
    /// A marker was made, or the version that is gone was one.
    marker: bool,
    version: Option<String>,
    made: Option<String>,
}

pub fn one(world: &mut World, input: DeleteObjectInput) -> S3Result<DeleteObjectOutput> {
    let request =
        Request { bucket: &input.bucket, bypass: input.bypass_governance_retention.unwrap_or(false), mfa: input.mfa.is_some() };
    if input.version_id.is_none() {
        condition(world, &input.bucket, &input.key, input.if_match.as_ref())?;
    }
    let done = delete(world, &request, &input.key, input.version_id.as_deref())?;
    Ok(DeleteObjectOutput {
        delete_marker: done.marker.then_some(true),
        version_id: done.made.or(done.version),
        request_charged: None,
    })
}

pub fn batch(world: &mut World, input: DeleteObjectsInput) -> S3Result<DeleteObjectsOutput> {
    let objects = &input.delete.objects;
    if objects.is_empty() || objects.len() > 1000 {
        return Err(s3_error!(
            MalformedXML,
            "The XML you provided was not well-formed or did not validate against our published schema"
        ));
    }
    let request =
        Request { bucket: &input.bucket, bypass: input.bypass_governance_retention.unwrap_or(false), mfa: input.mfa.is_some() };
    let names_versions = objects.iter().any(|object| object.version_id.is_some());
    if world.bucket(&input.bucket)?.mfa_delete && names_versions && !request.mfa {
        return Err(s3_error!(AccessDenied, "Mfa Authentication must be used for this request"));
    }
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for object in objects {
        match batched(world, &request, object) {
            Ok(done) => deleted.push(DeletedObject {
                key: Some(object.key.clone()),
                delete_marker: done.marker.then_some(true),
                delete_marker_version_id: done.made.clone().or_else(|| done.version.clone().filter(|_| done.marker)),
                version_id: done.version,
            }),
            Err(error) => errors.push(Error {
                code: Some(error.code().as_str().to_owned()),
                key: Some(object.key.clone()),
                message: error.message().map(str::to_owned),
                version_id: object.version_id.clone(),
            }),
        }
    }
    let quiet = input.delete.quiet.unwrap_or(false);
    Ok(DeleteObjectsOutput { deleted: (!quiet).then_some(deleted), errors: Some(errors), request_charged: None })
}

fn batched(world: &mut World, request: &Request<'_>, object: &ObjectIdentifier) -> S3Result<Done> {
    let mut refusals = world.batch_refusals.iter_mut();
    if let Some(refusal) = refusals.find(|refusal| refusal.key == object.key && refusal.times > 0) {
        refusal.times -= 1;
        return Err(super::world::custom(&refusal.code, 500, "Please try again."));
    }
    if object.version_id.is_none() {
        let wanted = object.e_tag.clone().map(ETagCondition::ETag);
        condition(world, request.bucket, &object.key, wanted.as_ref())?;
    }
    delete(world, request, &object.key, object.version_id.as_deref())
}

fn delete(world: &mut World, request: &Request<'_>, key: &str, id: Option<&str>) -> S3Result<Done> {
    match id {
        Some(id) => delete_version(world, request, key, id),
        None => delete_by_key(world, request, key),
    }
}

fn delete_version(world: &mut World, request: &Request<'_>, key: &str, id: &str) -> S3Result<Done> {
    world.allow("s3:DeleteObjectVersion", request.bucket, key)?;
    known_form(id)?;
    let mut done = Done { version: Some(id.to_owned()), ..Done::default() };
    let bucket = world.bucket(request.bucket)?;
    if bucket.mfa_delete && !request.mfa {
        return Err(s3_error!(AccessDenied, "Mfa Authentication must be used for this request"));
    }
    let Ok(version) = bucket.find(key, Some(id)) else { return Ok(done) };
    done.marker = version.is_marker();
    may_be_removed(world, request.bucket, key, version, request.bypass)?;
    if world.lies.deleting_does_nothing {
        return Ok(done);
    }
    if world.lies.deleting_only_marks {
        mark(world, request.bucket, key)?;
        return Ok(done);
    }
    world.bucket_mut(request.bucket)?.remove(key, id);
    Ok(done)
}

fn delete_by_key(world: &mut World, request: &Request<'_>, key: &str) -> S3Result<Done> {
    world.allow("s3:DeleteObject", request.bucket, key)?;
    if world.lies.deleting_does_nothing {
        return Ok(Done::default());
    }
    if world.bucket(request.bucket)?.versioning == Versioning::Never {
        world.bucket_mut(request.bucket)?.remove(key, NULL);
        return Ok(Done::default());
    }
    let made = mark(world, request.bucket, key)?;
    Ok(Done { marker: true, version: None, made: Some(made) })
}

/// Puts a marker on top; where versioning is suspended it takes the place of the `null` version.
fn mark(world: &mut World, bucket: &str, key: &str) -> S3Result<String> {
    let (age, fresh) = world.fresh();
    let modified = world.clock.stamp();
    let bucket = world.bucket_mut(bucket)?;
    let id = bucket.next_id(fresh);
    bucket.add(key, Version { id: id.clone(), age, modified, object: None });
    Ok(id)
}

/// `If-Match` of a deletion by key; it looks at the newest version alone.
fn condition(world: &World, bucket: &str, key: &str, wanted: Option<&ETagCondition>) -> S3Result<()> {
    let Some(wanted) = wanted else { return Ok(()) };
    let Some(current) = world.bucket(bucket)?.current(key) else {
        return Err(s3_error!(NoSuchKey, "The specified key does not exist."));
    };
    let same = current.object.as_ref().is_some_and(|object| wanted.as_etag().is_none_or(|etag| etag.value() == object.etag));
    if same { Ok(()) } else { Err(s3_error!(PreconditionFailed, "At least one of the pre-conditions you specified did not hold")) }
}
