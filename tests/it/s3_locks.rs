//! The S3 server for tests, asked through the official client: Object Lock, conditions, digests, archived and encrypted objects, policy, owner and
//! region are refused and allowed as AWS documents it.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::primitives::{ByteStream, DateTime};
use aws_sdk_s3::types::{
    ChecksumAlgorithm, ChecksumMode, DefaultRetention, MetadataDirective, ObjectLockConfiguration, ObjectLockEnabled,
    ObjectLockLegalHold, ObjectLockLegalHoldStatus, ObjectLockRetention, ObjectLockRetentionMode, ObjectLockRule, RestoreRequest,
    StorageClass, Tag, Tagging,
};

use crate::s3_versions::refused;
use crate::support::s3::bucket::Versioning;
use crate::support::s3::client::{client_setup, here, unsigned_setup};
use crate::support::s3::clock::machine;
use crate::support::s3::{ACCESS_KEY, OWNER, REGION, S3Server, SECRET_KEY};
use crate::support::wait_for;

const DAY: Duration = Duration::from_secs(86_400);

fn in_days(days: u32) -> DateTime {
    DateTime::from(machine() + DAY * days)
}

async fn put(client: &Client, key: &str) -> String {
    let put = client.put_object().bucket("data").key(key).body(ByteStream::from_static(b"x")).send();
    put.await.expect("a version").version_id.unwrap_or_default()
}

async fn is_refused(client: &Client, key: &str, id: &str, bypass: bool) -> bool {
    let delete = client.delete_object().bucket("data").key(key).version_id(id).bypass_governance_retention(bypass).send().await;
    if delete.is_ok() {
        return false;
    }
    assert_eq!(refused(delete), ("AccessDenied".to_owned(), 403));
    true
}

#[test]
fn a_legal_hold_keeps_its_version_until_it_is_lifted() {
    let server = S3Server::start();
    server.make_lock_bucket("data");
    wait_for(async {
        let client = server.client();
        let id = put(&client, "a").await;
        let unset = client.get_object_legal_hold().bucket("data").key("a").send().await;
        assert_eq!(refused(unset), ("NoSuchObjectLockConfiguration".to_owned(), 404));
        let hold = |status| ObjectLockLegalHold::builder().status(status).build();
        let place = |status| client.put_object_legal_hold().bucket("data").key("a").version_id(&id).legal_hold(hold(status)).send();
        place(ObjectLockLegalHoldStatus::On).await.expect("held");
        let head = client.head_object().bucket("data").key("a").send().await.expect("a head");
        assert_eq!(head.object_lock_legal_hold_status, Some(ObjectLockLegalHoldStatus::On));
        assert!(is_refused(&client, "a", &id, false).await);
        assert!(is_refused(&client, "a", &id, true).await, "no bypass for holds");
        let over = put(&client, "a").await;
        let unheld = client.head_object().bucket("data").key("a").version_id(&over).send().await.expect("a head");
        assert_eq!(unheld.object_lock_legal_hold_status, None, "a new version is not held");
        client.delete_object().bucket("data").key("a").send().await.expect("a marker is allowed");
        assert_eq!(server.left("data", "a").len(), 3);
        let tags =
            Tagging::builder().tag_set(Tag::builder().key("k").value("v").build().expect("complete")).build().expect("complete");
        client.put_object_tagging().bucket("data").key("a").version_id(&id).tagging(tags).send().await.expect("tags may change");
        place(ObjectLockLegalHoldStatus::Off).await.expect("lifted");
        assert!(!is_refused(&client, "a", &id, false).await);
        // Who may not see holds sees no header, and that proves nothing.
        let held = server.place_with("data", "blind", "x", |about| about.hold = true);
        server.deny("s3:GetObjectLegalHold", "data", "");
        let head = client.head_object().bucket("data").key("blind").send().await.expect("a head");
        assert_eq!(head.object_lock_legal_hold_status, None);
        assert!(is_refused(&client, "blind", &held, false).await);
    });
}

#[test]
fn retention_keeps_a_version_until_its_date_and_only_governance_yields() {
    let server = S3Server::start();
    server.make_lock_bucket("data");
    wait_for(async {
        let client = server.client();
        let retain = async |key: &str, mode: ObjectLockRetentionMode, days: u32, bypass: bool| {
            let retention = ObjectLockRetention::builder().mode(mode).retain_until_date(in_days(days)).build();
            let put = client.put_object_retention().bucket("data").key(key).retention(retention);
            put.bypass_governance_retention(bypass).send().await.is_ok()
        };
        let (soft, hard) = (put(&client, "soft").await, put(&client, "hard").await);
        assert!(retain("soft", ObjectLockRetentionMode::Governance, 9, false).await);
        assert!(retain("hard", ObjectLockRetentionMode::Compliance, 9, false).await);
        assert!(!retain("soft", ObjectLockRetentionMode::Governance, 8, false).await, "shorter");
        assert!(retain("soft", ObjectLockRetentionMode::Governance, 8, true).await, "shorter, bypassed");
        assert!(!retain("hard", ObjectLockRetentionMode::Compliance, 8, true).await, "shorter, for nobody");
        assert!(!retain("hard", ObjectLockRetentionMode::Governance, 10, true).await, "weaker, for nobody");
        let kept =
            client.get_object_retention().bucket("data").key("hard").send().await.expect("retention").retention.expect("one");
        assert_eq!(kept.mode, Some(ObjectLockRetentionMode::Compliance));

        assert!(is_refused(&client, "soft", &soft, false).await);
        server.deny("s3:BypassGovernanceRetention", "data", "");
        assert!(is_refused(&client, "soft", &soft, true).await, "bypassing is a right of its own");
        server.world().denied.clear();
        assert!(is_refused(&client, "hard", &hard, true).await);
        server.journal().clear();
        assert!(!is_refused(&client, "soft", &soft, true).await);
        assert!(server.journal().of("DeleteObject")[0].bypasses_governance(), "{:?}", server.journal().all());
        server.clock().forward(DAY * 10);
        assert!(!is_refused(&client, "hard", &hard, false).await, "its time is over");
    });
}

#[test]
fn a_bucket_may_retain_whatever_is_written() {
    let server = S3Server::start();
    server.make_bucket("plain", Versioning::Never);
    wait_for(async {
        let client = server.client();
        let retention = DefaultRetention::builder().mode(ObjectLockRetentionMode::Compliance).days(3).build();
        let rule = ObjectLockRule::builder().default_retention(retention).build();
        let lock = ObjectLockConfiguration::builder().object_lock_enabled(ObjectLockEnabled::Enabled).rule(rule).build();
        let refusal = client.put_object_lock_configuration().bucket("plain").object_lock_configuration(lock.clone()).send().await;
        assert_eq!(refused(refusal).0, "InvalidBucketState");
        let missing = client.get_object_lock_configuration().bucket("plain").send().await;
        assert_eq!(refused(missing), ("ObjectLockConfigurationNotFoundError".to_owned(), 404));
        let held =
            client.put_object().bucket("plain").key("a").object_lock_legal_hold_status(ObjectLockLegalHoldStatus::On).send().await;
        assert_eq!(refused(held).0, "InvalidRequest");

        client
            .create_bucket()
            .bucket("data")
            .create_bucket_configuration(here())
            .object_lock_enabled_for_bucket(true)
            .send()
            .await
            .expect("a bucket");
        client.put_object_lock_configuration().bucket("data").object_lock_configuration(lock.clone()).send().await.expect("a rule");
        let read = client.get_object_lock_configuration().bucket("data").send().await.expect("the rule");
        assert_eq!(read.object_lock_configuration, Some(lock));
        let id = put(&client, "a").await;
        let head = client.head_object().bucket("data").key("a").send().await.expect("a head");
        assert_eq!(head.object_lock_mode.map(|mode| mode.as_str().to_owned()).as_deref(), Some("COMPLIANCE"));
        assert!(is_refused(&client, "a", &id, true).await);
    });
}

#[test]
fn conditions_are_weighed_against_the_newest_version() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    wait_for(async {
        let client = server.client();
        let failed = ("PreconditionFailed".to_owned(), 412);
        put(&client, "a").await;
        let tag = client.head_object().bucket("data").key("a").send().await.expect("a head").e_tag.expect("a tag");
        let write = || client.put_object().bucket("data").body(ByteStream::from_static(b"new"));
        assert_eq!(refused(write().key("a").if_none_match("*").send().await), failed);
        write().key("fresh").if_none_match("*").send().await.expect("nothing was there");
        assert_eq!(refused(write().key("a").if_match("\"stale\"").send().await), failed);
        assert_eq!(refused(write().key("none").if_match(&tag).send().await), ("NoSuchKey".to_owned(), 404));
        write().key("a").if_match(&tag).send().await.expect("it was still that");
        assert_eq!(refused(client.get_object().bucket("data").key("a").if_match(&tag).send().await), failed);
        assert_eq!(refused(client.delete_object().bucket("data").key("a").if_match(&tag).send().await), failed);
        assert_eq!(server.left("data", "a").len(), 2);
        let now = client.head_object().bucket("data").key("a").send().await.expect("a head").e_tag.expect("a tag");
        assert_eq!(refused(client.get_object().bucket("data").key("a").if_none_match(&now).send().await).1, 304);
        let wrong = client.get_object().bucket("data").key("a").range("bytes=9-10").send().await;
        assert_eq!(refused(wrong), ("InvalidRange".to_owned(), 416));
    });
}

#[test]
fn digests_are_checked_kept_and_told() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    wait_for(async {
        let client = server.client();
        let write = || client.put_object().bucket("data").key("a").body(ByteStream::from_static(b"hello"));
        assert_eq!(refused(write().checksum_sha256("nQ+3gPvuVVa8pTEiK0A0p8CLeFk6p2hLPXPZqzQvVqg=").send().await).0, "BadDigest");
        assert_eq!(refused(write().content_md5("1B2M2Y8AsgTpgAmY7PhCfg==").send().await).0, "BadDigest");
        assert_eq!(server.left("data", "a"), [], "nothing was kept");
        for (algorithm, told) in
            [(ChecksumAlgorithm::Sha256, "LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ="), (ChecksumAlgorithm::Crc32, "NhCmhg==")]
        {
            write().checksum_algorithm(algorithm).send().await.expect("a version");
            let head =
                client.head_object().bucket("data").key("a").checksum_mode(ChecksumMode::Enabled).send().await.expect("a head");
            assert_eq!(head.checksum_sha256.or(head.checksum_crc32).as_deref(), Some(told));
        }
        write().checksum_algorithm(ChecksumAlgorithm::Crc64Nvme).send().await.expect("a version");
        let head = client.head_object().bucket("data").key("a").checksum_mode(ChecksumMode::Enabled).send().await.expect("a head");
        assert!(head.checksum_crc64_nvme.is_some());
        let quiet = client.head_object().bucket("data").key("a").send().await.expect("a head");
        assert_eq!(quiet.checksum_crc64_nvme, None);
    });
}

#[test]
fn copies_take_metadata_and_tags_along_but_no_lock() {
    let server = S3Server::start();
    server.make_lock_bucket("data");
    let id = server.place_with("data", "a b+ü", "x", |about| {
        about.hold = true;
        about.metadata = Some([("subject".to_owned(), "u-1".to_owned())].into());
    });
    server.place("data", "a b+ü", "newer");
    wait_for(async {
        let client = server.client();
        let source = format!("data/a%20b%2B%C3%BC?versionId={id}");
        client.copy_object().bucket("data").key("copy").copy_source(&source).tagging("x=1&y=a%20b").send().await.expect("a copy");
        let copy = client.head_object().bucket("data").key("copy").send().await.expect("a head");
        assert_eq!(copy.metadata.expect("metadata").get("subject").map(String::as_str), Some("u-1"));
        assert_eq!(copy.object_lock_legal_hold_status, None);
        assert_eq!(copy.content_length, Some(1));
        let other =
            client.copy_object().bucket("data").key("bare").copy_source(&source).metadata_directive(MetadataDirective::Replace);
        other.send().await.expect("a copy");
        let bare = client.head_object().bucket("data").key("bare").send().await.expect("a head");
        assert_eq!(bare.metadata.unwrap_or_default().len(), 0);

        let upload =
            client.create_multipart_upload().bucket("data").key("part").send().await.expect("an upload").upload_id.expect("an id");
        let part = client.upload_part_copy().bucket("data").key("part").upload_id(upload).part_number(1);
        let copied = part.copy_source("data/a%20b%2B%C3%BC").copy_source_range("bytes=0-2").send().await.expect("a part");
        assert!(copied.copy_part_result.and_then(|result| result.e_tag).is_some());
    });
}

#[test]
fn archived_objects_are_read_once_they_are_restored() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    wait_for(async {
        let client = server.client();
        let write =
            client.put_object().bucket("data").key("a").storage_class(StorageClass::Glacier).body(ByteStream::from_static(b"cold"));
        let id = write.send().await.expect("a version").version_id.expect("an id");
        assert_eq!(refused(client.get_object().bucket("data").key("a").send().await), ("InvalidObjectState".to_owned(), 403));
        let restore = || {
            client
                .restore_object()
                .bucket("data")
                .key("a")
                .version_id(&id)
                .restore_request(RestoreRequest::builder().days(1).build())
        };
        restore().send().await.expect("begun");
        assert_eq!(refused(restore().send().await), ("RestoreAlreadyInProgress".to_owned(), 409));
        let head = client.head_object().bucket("data").key("a").send().await.expect("a head");
        assert_eq!(head.restore.as_deref(), Some("ongoing-request=\"true\""));
        assert_eq!(refused(client.get_object().bucket("data").key("a").send().await).0, "InvalidObjectState");
        server.finish_restores();
        let body = client.get_object().bucket("data").key("a").send().await.expect("an object").body;
        assert_eq!(body.collect().await.expect("a body").to_vec(), b"cold");
        client.delete_object().bucket("data").key("a").version_id(&id).send().await.expect("deleting needs no restore");
    });
}

#[test]
fn objects_under_a_disabled_or_a_foreign_key_cannot_be_read_but_deleted() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    let kms = server.place_with("data", "kms", "x", |about| about.kms_key = Some("key-1".to_owned()));
    server.world().disabled_kms_keys.insert("key-1".to_owned());
    let own = server.place_with("data", "own", "x", |about| about.customer_key = Some(("AES256".to_owned(), "md5".to_owned())));
    wait_for(async {
        let client = server.client();
        assert_eq!(refused(client.get_object().bucket("data").key("kms").send().await), ("KMS.DisabledException".to_owned(), 400));
        assert_eq!(refused(client.get_object().bucket("data").key("own").send().await), ("InvalidRequest".to_owned(), 400));
        assert!(!is_refused(&client, "kms", &kms, false).await);
        assert!(!is_refused(&client, "own", &own, false).await);
    });
}

#[test]
fn policy_owner_region_payer_mfa_and_signature_are_checked() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    let id = server.place("data", "closed/a", "x");
    wait_for(async {
        let client = server.client();
        let denied = ("AccessDenied".to_owned(), 403);
        server.deny("s3:DeleteObjectVersion", "data", "closed/");
        server.deny("s3:ListBucketVersions", "data", "");
        assert!(is_refused(&client, "closed/a", &id, false).await);
        assert_eq!(refused(client.list_object_versions().bucket("data").send().await), denied);
        server.world().denied.clear();
        server.deny("s3:ListBucket", "data", "");
        assert_eq!(refused(client.get_object().bucket("data").key("none").send().await), denied, "nor whether it is there");
        server.world().denied.clear();

        client.list_objects_v2().bucket("data").expected_bucket_owner(OWNER).send().await.expect("ours");
        assert_eq!(refused(client.list_objects_v2().bucket("data").expected_bucket_owner("444455556666").send().await), denied);
        server.shape("data", |bucket| bucket.mfa_delete = true);
        assert!(is_refused(&client, "closed/a", &id, false).await);
        server.shape("data", |bucket| bucket.requester_pays = true);
        assert_eq!(refused(client.list_objects_v2().bucket("data").send().await), denied);
        client.list_objects_v2().bucket("data").request_payer("requester".into()).send().await.expect("paid");

        server.shape("data", |bucket| bucket.region = "eu-west-3".to_owned());
        let elsewhere = client.list_objects_v2().bucket("data").send().await;
        let region =
            elsewhere.as_ref().expect_err("elsewhere").raw_response().expect("an answer").headers().get("x-amz-bucket-region");
        assert_eq!(region, Some("eu-west-3"));
        assert_eq!(refused(elsewhere), ("PermanentRedirect".to_owned(), 301));
        let with = |key: &str, secret: &str, region: &str| {
            Client::from_conf(client_setup(&server.endpoint(), key, secret, region).build())
        };
        let far = with(ACCESS_KEY, SECRET_KEY, "us-west-2").list_buckets().send().await;
        assert_eq!(refused(far), ("AuthorizationHeaderMalformed".to_owned(), 400));
        assert_eq!(
            refused(with(ACCESS_KEY, "wrong", REGION).list_buckets().send().await),
            ("SignatureDoesNotMatch".to_owned(), 403)
        );
        assert_eq!(refused(with("nobody", SECRET_KEY, REGION).list_buckets().send().await), ("InvalidAccessKeyId".to_owned(), 403));
        let unsigned = Client::from_conf(unsigned_setup(&server.endpoint(), REGION).allow_no_auth().build());
        assert_eq!(refused(unsigned.list_buckets().send().await), denied);
        let signed = server.journal().all().iter().filter(|received| received.action == "ListBuckets").count();
        assert_eq!(signed, 2, "of four: what is not signed or for another region is noted, a wrong signature is not");
    });
}
