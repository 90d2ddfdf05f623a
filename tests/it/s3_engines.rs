//! The same questions to every S3 engine that tests use. What an engine gets wrong, by AWS's documentation, is written down here and stays true:
//! a difference that is gone has to be taken off the list. Tests of the product are never written to an engine's fault.

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, DefaultRetention, Delete, EncodingType, ObjectIdentifier,
    ObjectLockConfiguration, ObjectLockEnabled, ObjectLockLegalHoldStatus, ObjectLockRetentionMode, ObjectLockRule, StorageClass,
    VersioningConfiguration,
};

use crate::support::ministack::Ministack;
use crate::support::s3::client::{client_setup, here};
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::wait_for;

const QUESTIONS: [&str; 16] = [
    "a version goes by its id alone",
    "a marker is 404 by key and 405 by id",
    "null is a version of a suspended bucket",
    "versions of one key span pages",
    "a batch refuses the held version alone",
    "a batch takes at most a thousand keys",
    "parts but the last have five mebibytes",
    "a hold asked for with an upload in parts is kept",
    "a bucket's retention is on what is written",
    "a lock needs a bucket with versions",
    "a bucket that locks goes on keeping versions",
    "a stale condition is refused",
    "a wrong digest is refused",
    "an archived object is not read",
    "a listing tells keys that XML cannot carry",
    "another owner is not served",
];

/// By `ministack` 1.5.33. Beside these it checks neither signatures nor policies, which only our own server is asked about.
const WRONG_IN_MINISTACK: [&str; 6] = [
    "a batch takes at most a thousand keys",
    "parts but the last have five mebibytes",
    "a hold asked for with an upload in parts is kept",
    "a bucket that locks goes on keeping versions",
    "a listing tells keys that XML cannot carry",
    "another owner is not served",
];

#[test]
fn our_own_server_answers_as_documented() {
    let server = S3Server::start();
    assert_eq!(wrong_answers(&server.endpoint()), [""; 0]);
}

#[test]
fn the_second_engine_differs_where_it_is_known_to() {
    let Some(engine) = Ministack::start() else { return };
    assert_eq!(wrong_answers(&engine.endpoint()), WRONG_IN_MINISTACK);
}

fn wrong_answers(endpoint: &str) -> Vec<&'static str> {
    let client = Client::from_conf(client_setup(endpoint, ACCESS_KEY, SECRET_KEY, REGION).build());
    wait_for(async {
        let mut wrong = Vec::new();
        for (number, question) in QUESTIONS.into_iter().enumerate() {
            let bucket = Bucket { client: client.clone(), name: format!("question-{number}") };
            if !bucket.answers(question).await {
                wrong.push(question);
            }
        }
        wrong
    })
}

/// A bucket for one question.
struct Bucket {
    client: Client,
    name: String,
}

impl Bucket {
    async fn answers(&self, question: &str) -> bool {
        match question {
            "a version goes by its id alone" => {
                self.make(false, true).await;
                let [first, second] = [self.put("a").await, self.put("a").await];
                self.client.delete_object().bucket(&self.name).key("a").send().await.expect("a marker");
                self.delete("a", &first).await;
                let left = self.client.list_object_versions().bucket(&self.name).send().await.expect("a page");
                left.delete_markers().len() == 1 && left.versions().iter().all(|version| version.version_id() == Some(&second))
            }
            "a marker is 404 by key and 405 by id" => {
                self.make(false, true).await;
                self.put("a").await;
                let marker = self.client.delete_object().bucket(&self.name).key("a").send().await.expect("a marker");
                let by_key = self.client.head_object().bucket(&self.name).key("a").send().await;
                let by_id = self.client.head_object().bucket(&self.name).key("a").set_version_id(marker.version_id).send().await;
                let head = |answer: &Result<_, SdkError<_>>| {
                    answer.as_ref().err().and_then(|error| error.raw_response()).map(|raw| raw.status().as_u16())
                };
                head(&by_key) == Some(404) && head(&by_id) == Some(405)
            }
            "null is a version of a suspended bucket" => {
                self.make(false, false).await;
                self.put("a").await;
                self.versioning(BucketVersioningStatus::Enabled).await;
                let kept = self.put("a").await;
                self.versioning(BucketVersioningStatus::Suspended).await;
                let marker = self.client.delete_object().bucket(&self.name).key("a").send().await.expect("a marker");
                let left = self.client.list_object_versions().bucket(&self.name).send().await.expect("a page");
                marker.version_id() == Some("null") && left.versions().len() == 1 && left.versions()[0].version_id() == Some(&kept)
            }
            "versions of one key span pages" => {
                self.make(false, true).await;
                for key in ["a", "a", "a", "a", "a", "b"] {
                    self.put(key).await;
                }
                let first = self.client.list_object_versions().bucket(&self.name).max_keys(3).send().await.expect("a page");
                let rest = self.client.list_object_versions().bucket(&self.name).set_key_marker(first.next_key_marker.clone());
                let rest = rest.set_version_id_marker(first.next_version_id_marker.clone()).send().await.expect("a page");
                let ids = first.versions().iter().chain(rest.versions()).filter_map(|version| version.version_id());
                ids.collect::<std::collections::BTreeSet<_>>().len() == 6
            }
            "a batch refuses the held version alone" => {
                self.make(true, true).await;
                let free = self.put("free").await;
                let held = self.put_held("held").await;
                let batch = [("free", &free), ("held", &held)];
                let batch = batch.map(|(key, id)| ObjectIdentifier::builder().key(key).version_id(id).build().expect("complete"));
                let answer = self.delete_all(batch.to_vec()).await.expect("an answer");
                let refused: Vec<_> = answer.errors().iter().map(|error| (error.code(), error.version_id())).collect();
                refused == [(Some("AccessDenied"), Some(held.as_str()))] && answer.deleted().len() == 1
            }
            "a batch takes at most a thousand keys" => {
                self.make(false, true).await;
                let many = (0..=1000).map(|number| ObjectIdentifier::builder().key(format!("{number}")).build().expect("complete"));
                code(self.delete_all(many.collect()).await) == "MalformedXML"
            }
            "parts but the last have five mebibytes" => {
                self.make(false, false).await;
                let id = self.start_upload(None).await;
                let parts = [self.part(&id, 1, 5).await, self.part(&id, 2, 5).await];
                code(self.complete(&id, parts.to_vec()).await) == "EntityTooSmall"
            }
            "a hold asked for with an upload in parts is kept" => {
                self.make(true, true).await;
                let id = self.start_upload(Some(ObjectLockLegalHoldStatus::On)).await;
                let part = self.part(&id, 1, 5).await;
                self.complete(&id, vec![part]).await.expect("an object");
                let head = self.client.head_object().bucket(&self.name).key("a").send().await.expect("a head");
                head.object_lock_legal_hold_status == Some(ObjectLockLegalHoldStatus::On)
            }
            "a bucket's retention is on what is written" => {
                self.make(true, true).await;
                self.lock().await.expect("a rule");
                let id = self.put("a").await;
                let delete =
                    self.client.delete_object().bucket(&self.name).key("a").version_id(id).bypass_governance_retention(true);
                code(delete.send().await) == "AccessDenied"
            }
            "a lock needs a bucket with versions" => {
                self.make(false, false).await;
                code(self.lock().await) == "InvalidBucketState"
            }
            "a bucket that locks goes on keeping versions" => {
                self.make(true, true).await;
                let suspended = VersioningConfiguration::builder().status(BucketVersioningStatus::Suspended).build();
                let suspend = self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(suspended);
                code(suspend.send().await) == "InvalidBucketState"
            }
            "a stale condition is refused" => {
                self.make(false, true).await;
                self.put("a").await;
                let write = || self.client.put_object().bucket(&self.name).key("a").body(ByteStream::from_static(b"y"));
                let delete = self.client.delete_object().bucket(&self.name).key("a").if_match("\"stale\"").send().await;
                let codes =
                    [code(write().if_none_match("*").send().await), code(write().if_match("\"stale\"").send().await), code(delete)];
                codes == ["PreconditionFailed"; 3]
            }
            "a wrong digest is refused" => {
                self.make(false, false).await;
                let write = self.client.put_object().bucket(&self.name).key("a").body(ByteStream::from_static(b"x"));
                code(write.checksum_sha256("nQ+3gPvuVVa8pTEiK0A0p8CLeFk6p2hLPXPZqzQvVqg=").send().await) == "BadDigest"
            }
            "an archived object is not read" => {
                self.make(false, true).await;
                let write = self.client.put_object().bucket(&self.name).key("a").storage_class(StorageClass::Glacier);
                write.body(ByteStream::from_static(b"x")).send().await.expect("a version");
                code(self.client.get_object().bucket(&self.name).key("a").send().await) == "InvalidObjectState"
            }
            "a listing tells keys that XML cannot carry" => {
                self.make(false, true).await;
                self.put("a\u{1}b").await;
                let page = self.client.list_object_versions().bucket(&self.name).encoding_type(EncodingType::Url).send().await;
                // What XML cannot carry makes the whole page unreadable, if it is written as it is.
                page.is_ok_and(|page| page.versions().iter().map(|version| version.key()).eq([Some("a%01b")]))
            }
            "another owner is not served" => {
                self.make(false, true).await;
                code(self.client.list_objects_v2().bucket(&self.name).expected_bucket_owner("999988887777").send().await)
                    == "AccessDenied"
            }
            other => panic!("nobody knows how to ask: {other}"),
        }
    }

    async fn make(&self, lock: bool, versions: bool) {
        self.client
            .create_bucket()
            .bucket(&self.name)
            .create_bucket_configuration(here())
            .object_lock_enabled_for_bucket(lock)
            .send()
            .await
            .expect("a bucket");
        if versions && !lock {
            self.versioning(BucketVersioningStatus::Enabled).await;
        }
    }

    async fn versioning(&self, status: BucketVersioningStatus) {
        let versioning = VersioningConfiguration::builder().status(status).build();
        self.client.put_bucket_versioning().bucket(&self.name).versioning_configuration(versioning).send().await.expect("set");
    }

    async fn lock(
        &self,
    ) -> Result<impl std::fmt::Debug, SdkError<aws_sdk_s3::operation::put_object_lock_configuration::PutObjectLockConfigurationError>>
    {
        let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Compliance).days(1).build();
        let rule = ObjectLockRule::builder().default_retention(retention).build();
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build();
        self.client.put_object_lock_configuration().bucket(&self.name).object_lock_configuration(lock).send().await
    }

    async fn put(&self, key: &str) -> String {
        let put = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from_static(b"x"));
        put.send().await.expect("a version").version_id.unwrap_or_default()
    }

    async fn put_held(&self, key: &str) -> String {
        let put = self.client.put_object().bucket(&self.name).key(key).body(ByteStream::from_static(b"x"));
        let put = put.object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On);
        put.send().await.expect("a version").version_id.expect("an id")
    }

    async fn delete(&self, key: &str, id: &str) {
        self.client.delete_object().bucket(&self.name).key(key).version_id(id).send().await.expect("gone");
    }

    async fn delete_all(
        &self,
        objects: Vec<ObjectIdentifier>,
    ) -> Result<
        aws_sdk_s3::operation::delete_objects::DeleteObjectsOutput,
        SdkError<aws_sdk_s3::operation::delete_objects::DeleteObjectsError>,
    > {
        let delete = Delete::builder().set_objects(Some(objects)).build().expect("complete");
        self.client.delete_objects().bucket(&self.name).delete(delete).send().await
    }

    async fn start_upload(&self, hold: Option<ObjectLockLegalHoldStatus>) -> String {
        let upload = self.client.create_multipart_upload().bucket(&self.name).key("a").set_object_lock_legal_hold_status(hold);
        upload.send().await.expect("an upload").upload_id.expect("an id")
    }

    async fn part(&self, id: &str, number: i32, length: usize) -> CompletedPart {
        let part = self.client.upload_part().bucket(&self.name).key("a").upload_id(id).part_number(number);
        let tag = part.body(ByteStream::from(vec![b'x'; length])).send().await.expect("a part").e_tag;
        CompletedPart::builder().set_e_tag(tag).part_number(number).build()
    }

    async fn complete(
        &self,
        id: &str,
        parts: Vec<CompletedPart>,
    ) -> Result<impl std::fmt::Debug, SdkError<aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError>>
    {
        let parts = CompletedMultipartUpload::builder().set_parts(Some(parts)).build();
        self.client.complete_multipart_upload().bucket(&self.name).key("a").upload_id(id).multipart_upload(parts).send().await
    }
}

/// The error's code; nothing where there was none.
fn code<T, E: ProvideErrorMetadata>(answer: Result<T, SdkError<E>>) -> String {
    answer.err().and_then(|error| error.code().map(str::to_owned)).unwrap_or_default()
}
