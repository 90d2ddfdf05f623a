//! Bringing archived objects back. It takes until the test says so: a restore that is asked for stays running.

use s3s::dto::{RestoreObjectInput, RestoreObjectOutput};
use s3s::{S3Result, s3_error};

use super::reading::is_archived;
use super::version::Restore;
use super::world::World;

/// RestoreObject. The second value says that this began it (202) rather than prolonged it (200).
pub fn ask(world: &mut World, input: RestoreObjectInput) -> S3Result<(RestoreObjectOutput, bool)> {
    let version = world.bucket_mut(&input.bucket)?.find_mut(&input.key, input.version_id.as_deref())?;
    let object = version.object.as_mut().ok_or_else(|| s3_error!(MethodNotAllowed))?;
    if !is_archived(object) {
        return Err(s3_error!(InvalidObjectState, "Restore is not allowed for the object's current storage class"));
    }
    match object.restore {
        Restore::Running => Err(s3_error!(RestoreAlreadyInProgress, "Object restore is already in progress")),
        Restore::Done => Ok((RestoreObjectOutput::default(), false)),
        Restore::NotAsked => {
            object.restore = Restore::Running;
            Ok((RestoreObjectOutput::default(), true))
        }
    }
}

/// The archive delivers all that was asked for.
pub fn finish_all(world: &mut World) {
    let versions = world.buckets.values_mut().flat_map(|bucket| bucket.keys.values_mut()).flatten();
    for object in versions.filter_map(|version| version.object.as_mut()) {
        if object.restore == Restore::Running {
            object.restore = Restore::Done;
        }
    }
}
