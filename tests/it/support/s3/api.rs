//! The protocol's operations, each handed to the file that knows it. What is not here answers `NotImplemented`.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use s3s::dto::*;
use s3s::{S3, S3Request, S3Response, S3Result};

use super::world::World;
use super::{body, buckets, copying, deleting, listing, locks, multipart, reading, restoring, tags, uploads, writing};

/// Answers requests from the world.
pub struct Api(pub Arc<Mutex<World>>);

/// Operations that need nothing but the world.
macro_rules! operations {
    ($($name:ident: $input:ident -> $output:ident = $($step:ident)::+;)*) => {
        #[async_trait]
        impl S3 for Api {
            $(async fn $name(&self, request: S3Request<$input>) -> S3Result<S3Response<$output>> {
                let mut world = self.0.lock().expect("the world");
                $($step)::+(&mut world, request.input).map(S3Response::new)
            })*

            async fn list_buckets(&self, _: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
                buckets::list(&self.0.lock().expect("the world")).map(S3Response::new)
            }

            async fn put_object(&self, mut request: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
                let bytes = body::receive(request.input.body.take()).await?;
                let trailers = request.trailing_headers.and_then(|trailers| trailers.take());
                let mut world = self.0.lock().expect("the world");
                writing::put(&mut world, request.input, bytes, trailers.as_ref()).map(S3Response::new)
            }

            async fn upload_part(&self, mut request: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
                let bytes = body::receive(request.input.body.take()).await?;
                let trailers = request.trailing_headers.and_then(|trailers| trailers.take());
                let mut world = self.0.lock().expect("the world");
                multipart::put_part(&mut world, request.input, bytes, trailers.as_ref()).map(S3Response::new)
            }

            async fn restore_object(&self, request: S3Request<RestoreObjectInput>) -> S3Result<S3Response<RestoreObjectOutput>> {
                let (answer, begun) = restoring::ask(&mut self.0.lock().expect("the world"), request.input)?;
                let status = if begun { hyper::StatusCode::ACCEPTED } else { hyper::StatusCode::OK };
                Ok(S3Response::with_status(answer, status))
            }
        }
    };
}

operations! {
    create_bucket: CreateBucketInput -> CreateBucketOutput = buckets::create;
    delete_bucket: DeleteBucketInput -> DeleteBucketOutput = buckets::delete;
    head_bucket: HeadBucketInput -> HeadBucketOutput = buckets::head;
    get_bucket_location: GetBucketLocationInput -> GetBucketLocationOutput = buckets::location;
    get_bucket_versioning: GetBucketVersioningInput -> GetBucketVersioningOutput = buckets::versioning;
    put_bucket_versioning: PutBucketVersioningInput -> PutBucketVersioningOutput = buckets::put_versioning;
    get_bucket_replication: GetBucketReplicationInput -> GetBucketReplicationOutput = buckets::replication;
    put_bucket_replication: PutBucketReplicationInput -> PutBucketReplicationOutput = buckets::put_replication;
    get_bucket_lifecycle_configuration: GetBucketLifecycleConfigurationInput -> GetBucketLifecycleConfigurationOutput = buckets::lifecycle;
    put_bucket_lifecycle_configuration: PutBucketLifecycleConfigurationInput -> PutBucketLifecycleConfigurationOutput = buckets::put_lifecycle;
    get_object_lock_configuration: GetObjectLockConfigurationInput -> GetObjectLockConfigurationOutput = locks::get_configuration;
    put_object_lock_configuration: PutObjectLockConfigurationInput -> PutObjectLockConfigurationOutput = locks::put_configuration;
    get_object_legal_hold: GetObjectLegalHoldInput -> GetObjectLegalHoldOutput = locks::get_hold;
    put_object_legal_hold: PutObjectLegalHoldInput -> PutObjectLegalHoldOutput = locks::put_hold;
    get_object_retention: GetObjectRetentionInput -> GetObjectRetentionOutput = locks::get_retention;
    put_object_retention: PutObjectRetentionInput -> PutObjectRetentionOutput = locks::put_retention;
    get_object: GetObjectInput -> GetObjectOutput = reading::get;
    head_object: HeadObjectInput -> HeadObjectOutput = reading::head;
    copy_object: CopyObjectInput -> CopyObjectOutput = copying::object;
    delete_object: DeleteObjectInput -> DeleteObjectOutput = deleting::one;
    delete_objects: DeleteObjectsInput -> DeleteObjectsOutput = deleting::batch;
    get_object_tagging: GetObjectTaggingInput -> GetObjectTaggingOutput = tags::get;
    put_object_tagging: PutObjectTaggingInput -> PutObjectTaggingOutput = tags::put;
    delete_object_tagging: DeleteObjectTaggingInput -> DeleteObjectTaggingOutput = tags::delete;
    list_objects_v2: ListObjectsV2Input -> ListObjectsV2Output = listing::objects;
    list_object_versions: ListObjectVersionsInput -> ListObjectVersionsOutput = listing::versions;
    list_multipart_uploads: ListMultipartUploadsInput -> ListMultipartUploadsOutput = uploads::unfinished;
    list_parts: ListPartsInput -> ListPartsOutput = uploads::parts;
    create_multipart_upload: CreateMultipartUploadInput -> CreateMultipartUploadOutput = multipart::create;
    upload_part_copy: UploadPartCopyInput -> UploadPartCopyOutput = copying::part;
    complete_multipart_upload: CompleteMultipartUploadInput -> CompleteMultipartUploadOutput = multipart::complete;
    abort_multipart_upload: AbortMultipartUploadInput -> AbortMultipartUploadOutput = multipart::abort;
}
