//! The S3 server for tests, asked through the official client: tags, and what buckets are set up to do with objects.

use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketLifecycleConfiguration, DeleteMarkerReplication, DeleteMarkerReplicationStatus, Destination, ExpirationStatus,
    LifecycleRule, LifecycleRuleFilter, NoncurrentVersionExpiration, ReplicationConfiguration, ReplicationRule,
    ReplicationRuleStatus,
};

use crate::s3_versions::{put, refused};
use crate::support::s3::S3Server;
use crate::support::s3::bucket::Versioning;
use crate::support::wait_for;

#[test]
fn tags_belong_to_a_version() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    wait_for(async {
        let client = server.client();
        let write =
            client.put_object().bucket("data").key("a").tagging("subject=u-1&text=a%20b").body(ByteStream::from_static(b"x"));
        let first = write.send().await.expect("a version").version_id.expect("an id");
        put(&client, "data", "a", "y").await;
        let tags = async |id: Option<&str>| {
            let read = client.get_object_tagging().bucket("data").key("a").set_version_id(id.map(str::to_owned));
            let tags = read.send().await.expect("tags").tag_set;
            tags.into_iter().map(|tag| (tag.key, tag.value)).collect::<Vec<_>>()
        };
        let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(tags(None).await, []);
        assert_eq!(tags(Some(&first)).await, [pair("subject", "u-1"), pair("text", "a b")]);
        client.delete_object_tagging().bucket("data").key("a").version_id(&first).send().await.expect("gone");
        assert_eq!(tags(Some(&first)).await, []);
    });
}

#[test]
fn replication_and_lifecycle_are_told_as_they_were_set() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    wait_for(async {
        let client = server.client();
        let none = client.get_bucket_replication().bucket("data").send().await;
        assert_eq!(refused(none), ("ReplicationConfigurationNotFoundError".to_owned(), 404));
        let none = client.get_bucket_lifecycle_configuration().bucket("data").send().await;
        assert_eq!(refused(none), ("NoSuchLifecycleConfiguration".to_owned(), 404));
        let markers = DeleteMarkerReplication::builder().status(DeleteMarkerReplicationStatus::Disabled).build();
        let rule = ReplicationRule::builder()
            .status(ReplicationRuleStatus::Enabled)
            .destination(Destination::builder().bucket("arn:aws:s3:::copies").build().expect("complete"))
            .delete_marker_replication(markers)
            .build()
            .expect("complete");
        let replication = ReplicationConfiguration::builder().role("arn:aws:iam::1:role/r").rules(rule).build().expect("complete");
        client.put_bucket_replication().bucket("data").replication_configuration(replication.clone()).send().await.expect("set");
        let told = client.get_bucket_replication().bucket("data").send().await.expect("told");
        assert_eq!(told.replication_configuration, Some(replication));
        let rule = LifecycleRule::builder()
            .status(ExpirationStatus::Enabled)
            .filter(LifecycleRuleFilter::builder().prefix("archives/").build())
            .noncurrent_version_expiration(NoncurrentVersionExpiration::builder().noncurrent_days(7).build())
            .build()
            .expect("complete");
        let lifecycle = BucketLifecycleConfiguration::builder().rules(rule.clone()).build().expect("complete");
        client.put_bucket_lifecycle_configuration().bucket("data").lifecycle_configuration(lifecycle).send().await.expect("set");
        let told = client.get_bucket_lifecycle_configuration().bucket("data").send().await.expect("told");
        assert_eq!(told.rules(), [rule]);
    });
}
