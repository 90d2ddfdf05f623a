//! The S3 server for tests, asked through the official client: versions, markers, listings and uploads in parts are as AWS documents them.
//! A test of ours that runs against a server that is wrong proves nothing.

use std::collections::BTreeSet;

use aws_sdk_s3::Client;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{
    BucketVersioningStatus, CompletedMultipartUpload, CompletedPart, Delete, EncodingType, ObjectIdentifier,
    VersioningConfiguration,
};

use crate::support::s3::S3Server;
use crate::support::s3::bucket::Versioning;
use crate::support::s3::client::here;
use crate::support::s3::fault::Misbehaviour;
use crate::support::wait_for;

/// The code of the error, and the status it came with.
pub fn refused<T: std::fmt::Debug, E>(answer: Result<T, SdkError<E>>) -> (String, u16)
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    let error = answer.expect_err("an error");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (error.code().unwrap_or_default().to_owned(), status)
}

pub async fn put(client: &Client, bucket: &str, key: &str, text: &str) -> Option<String> {
    let put = client.put_object().bucket(bucket).key(key).body(ByteStream::from(text.as_bytes().to_vec())).send();
    put.await.expect("a version").version_id
}

pub async fn read(client: &Client, bucket: &str, key: &str, id: Option<&str>) -> String {
    let answer = client.get_object().bucket(bucket).key(key).set_version_id(id.map(str::to_owned)).send().await.expect("an object");
    String::from_utf8(answer.body.collect().await.expect("a body").to_vec()).expect("text")
}

#[test]
fn versions_stay_until_each_is_deleted_by_its_id() {
    let server = S3Server::start();
    wait_for(async {
        let client = server.client();
        let nowhere = client.create_bucket().bucket("kept").send().await;
        assert_eq!(refused(nowhere).0, "IllegalLocationConstraintException");
        client.create_bucket().bucket("kept").create_bucket_configuration(here()).send().await.expect("a bucket");
        let on = VersioningConfiguration::builder().status(BucketVersioningStatus::Enabled).build();
        client.put_bucket_versioning().bucket("kept").versioning_configuration(on).send().await.expect("versions");
        let first = put(&client, "kept", "a", "one").await.expect("an id");
        let second = put(&client, "kept", "a", "two").await.expect("an id");
        assert_eq!(read(&client, "kept", "a", Some(&first)).await, "one");
        assert_eq!(read(&client, "kept", "a", None).await, "two");

        let deleted = client.delete_object().bucket("kept").key("a").send().await.expect("a marker");
        let marker = deleted.version_id.expect("the marker's id");
        assert_eq!(deleted.delete_marker, Some(true));
        let by_key = client.get_object().bucket("kept").key("a").send().await;
        let told = by_key.as_ref().expect_err("hidden").raw_response().expect("an answer").headers().get("x-amz-delete-marker");
        assert_eq!(told, Some("true"));
        assert_eq!(refused(by_key), ("NoSuchKey".to_owned(), 404));
        assert_eq!(refused(client.get_object().bucket("kept").key("a").version_id(&marker).send().await).1, 405);
        assert_eq!(refused(client.head_object().bucket("kept").key("a").version_id(&marker).send().await).1, 405);
        assert_eq!(refused(client.head_object().bucket("kept").key("a").send().await).1, 404);

        // Deleting the marker brings the object back.
        let undone = client.delete_object().bucket("kept").key("a").version_id(&marker).send().await.expect("gone");
        assert_eq!((undone.delete_marker, undone.version_id), (Some(true), Some(marker)));
        assert_eq!(read(&client, "kept", "a", None).await, "two");
        for id in [&first, &second, &second] {
            client.delete_object().bucket("kept").key("a").version_id(id).send().await.expect("gone, also the second time");
        }
        assert_eq!(server.left("kept", "a"), []);
        assert_eq!(refused(client.get_object().bucket("kept").key("a").version_id(&first).send().await).0, "NoSuchVersion");
    });
}

#[test]
fn where_versions_are_suspended_null_is_replaced_and_older_ones_stay() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Never);
    wait_for(async {
        let client = server.client();
        assert_eq!(put(&client, "data", "a", "before").await, None);
        assert_eq!(client.get_bucket_versioning().bucket("data").send().await.expect("a state").status, None);
        server.shape("data", |bucket| bucket.versioning = Versioning::Enabled);
        let kept = put(&client, "data", "a", "kept").await.expect("an id");
        server.shape("data", |bucket| bucket.versioning = Versioning::Suspended);
        assert_eq!(put(&client, "data", "a", "after").await.as_deref(), Some("null"));
        assert_eq!(server.left("data", "a"), [("null".to_owned(), false), (kept.clone(), false)], "the first null is gone");
        let deleted = client.delete_object().bucket("data").key("a").send().await.expect("a marker");
        assert_eq!(deleted.version_id.as_deref(), Some("null"));
        assert_eq!(server.left("data", "a"), [("null".to_owned(), true), (kept.clone(), false)]);
        client.delete_object().bucket("data").key("a").version_id("null").send().await.expect("gone");
        assert_eq!(read(&client, "data", "a", None).await, "kept");
    });
}

#[test]
fn deleting_a_key_that_never_was_leaves_a_marker_where_versions_are_kept() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    server.make_bucket("plain", Versioning::Never);
    wait_for(async {
        for bucket in ["data", "plain"] {
            server.client().delete_object().bucket(bucket).key("never").send().await.expect("no error");
        }
    });
    assert_eq!(server.left("data", "never").len(), 1);
    assert_eq!(server.left("plain", "never"), []);
}

#[test]
fn the_versions_of_one_key_span_pages_and_a_page_goes_on_behind_a_deleted_version() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    let mut expected = BTreeSet::new();
    for key in ["a", "b", "b/1", "b/2", "c"] {
        expected.extend((0..5).map(|_| server.place("data", key, "x")));
    }
    wait_for(async {
        let client = server.client();
        let (mut key, mut id) = (None, None);
        let mut found = Vec::new();
        loop {
            let page = client.list_object_versions().bucket("data").max_keys(3);
            let page = page.set_key_marker(key).set_version_id_marker(id).send().await.expect("a page");
            found.extend(page.versions().iter().map(|version| version.version_id.clone().expect("an id")));
            if page.is_truncated != Some(true) {
                break;
            }
            (key, id) = (page.next_key_marker, page.next_version_id_marker);
            // What an eraser does between pages.
            let last = id.clone().expect("an id");
            let of = key.clone().expect("a key");
            client.delete_object().bucket("data").key(of).version_id(last).send().await.expect("gone");
        }
        assert_eq!(found.len(), expected.len(), "each once");
        assert_eq!(found.into_iter().collect::<BTreeSet<_>>(), expected);
        let rolled = client.list_object_versions().bucket("data").delimiter("/").send().await.expect("a page");
        assert_eq!(rolled.common_prefixes().iter().map(|prefix| prefix.prefix()).collect::<Vec<_>>(), [Some("b/")]);
    });
}

#[test]
fn keys_of_any_bytes_are_listed_and_deleted_with_url_encoding() {
    let long = "ö".repeat(512);
    let keys = ["a b", "a+b", "a%2Fb", "ctl\u{1}x", "tab\tnl\nx", "../up", "//double", "trailing/", "😀", "Case", "case", &long];
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    wait_for(async {
        let client = server.client();
        for key in keys {
            put(&client, "data", key, key).await;
            assert_eq!(read(&client, "data", key, None).await, key);
        }
        let page = client.list_object_versions().bucket("data").encoding_type(EncodingType::Url).send().await.expect("a page");
        let written: BTreeSet<_> = page.versions().iter().filter_map(|version| version.key()).collect();
        assert!(written.is_superset(&["a+b", "a%2Bb", "a%252Fb", "ctl%01x", "tab%09nl%0Ax", "//double"].into()), "{written:?}");
        let told = page.versions().iter().map(|version| decode(version.key().expect("a key")));
        assert_eq!(told.collect::<BTreeSet<_>>(), keys.iter().map(|key| (*key).to_owned()).collect());
        let page = client.list_objects_v2().bucket("data").encoding_type(EncodingType::Url).send().await.expect("a page");
        assert_eq!(page.contents().len(), keys.len());
        for version in
            client.list_object_versions().bucket("data").encoding_type(EncodingType::Url).send().await.expect("a page").versions()
        {
            let key = decode(version.key().expect("a key"));
            let id = version.version_id().expect("an id");
            client.delete_object().bucket("data").key(key).version_id(id).send().await.expect("gone");
        }
        assert!(server.world().bucket("data").expect("a bucket").keys.is_empty());
    });
}

/// As a form: `+` is a space.
fn decode(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        (bytes, rest) = match (first, tail) {
            (b'%', [high, low, tail @ ..]) => {
                let digits = [*high, *low];
                let byte = u8::from_str_radix(std::str::from_utf8(&digits).expect("digits"), 16).expect("digits");
                ([bytes, vec![byte]].concat(), tail)
            }
            (b'+', tail) => ([bytes, vec![b' ']].concat(), tail),
            (byte, tail) => ([bytes, vec![*byte]].concat(), tail),
        };
    }
    String::from_utf8(bytes).expect("text")
}

#[test]
fn a_batch_answers_per_key_and_takes_at_most_a_thousand() {
    let server = S3Server::start();
    server.make_lock_bucket("data");
    let free = server.place("data", "free", "x");
    let held = server.place_with("data", "held", "x", |about| about.hold = true);
    wait_for(async {
        let client = server.client();
        let named = |key: &str, id: &str| ObjectIdentifier::builder().key(key).version_id(id).build().expect("complete");
        let batch = vec![named("free", &free), named("held", &held), named("held", &free), named("free", &free)];
        let delete = Delete::builder().set_objects(Some(batch)).build().expect("complete");
        let answer = client.delete_objects().bucket("data").delete(delete).send().await.expect("an answer");
        let errors: Vec<_> = answer.errors().iter().map(|error| (error.key(), error.code(), error.version_id())).collect();
        assert_eq!(errors, [(Some("held"), Some("AccessDenied"), Some(held.as_str()))]);
        assert_eq!(answer.deleted().len(), 3, "what is not there counts as deleted");
        assert_eq!(server.left("data", "held"), [(held.clone(), false)]);

        let many = (0..=1000).map(|number| ObjectIdentifier::builder().key(format!("{number}")).build().expect("complete"));
        let delete = Delete::builder().set_objects(Some(many.collect())).build().expect("complete");
        assert_eq!(refused(client.delete_objects().bucket("data").delete(delete).send().await), ("MalformedXML".to_owned(), 400));
    });
}

#[test]
fn uploads_in_parts_are_listed_in_pages_finished_and_given_up() {
    let server = S3Server::start();
    server.make_lock_bucket("data");
    wait_for(async {
        let client = server.client();
        let mut ids = BTreeSet::new();
        for key in ["a", "a", "a", "b", "c"] {
            let started = client.create_multipart_upload().bucket("data").key(key).send().await.expect("an upload");
            ids.insert(started.upload_id.expect("an id"));
        }
        let (mut key, mut id) = (None, None);
        let mut found = BTreeSet::new();
        loop {
            let page = client.list_multipart_uploads().bucket("data").max_uploads(2);
            let page = page.set_key_marker(key).set_upload_id_marker(id).send().await.expect("a page");
            found.extend(page.uploads().iter().map(|upload| upload.upload_id.clone().expect("an id")));
            if page.is_truncated != Some(true) {
                break;
            }
            (key, id) = (page.next_key_marker, page.next_upload_id_marker);
        }
        assert_eq!(found, ids);

        let id = ids.first().expect("an upload");
        let part = |number: i32, length: usize| {
            let part = client.upload_part().bucket("data").key("a").upload_id(id).part_number(number);
            async move { part.body(ByteStream::from(vec![b'x'; length])).send().await.expect("a part").e_tag.expect("a tag") }
        };
        let small = [part(1, 7).await, part(2, 7).await];
        assert_eq!(refused(complete(&client, id, &small).await).0, "EntityTooSmall");
        let tags = [part(1, 5 << 20).await, part(2, 7).await];
        assert_eq!(refused(complete(&client, id, &[tags[1].clone(), tags[0].clone()]).await).0, "InvalidPart");
        let listed = client.list_parts().bucket("data").key("a").upload_id(id).max_parts(1).send().await.expect("parts");
        assert_eq!(
            (listed.parts().len(), listed.is_truncated, listed.next_part_number_marker.as_deref()),
            (1, Some(true), Some("1"))
        );
        let done = complete(&client, id, &tags).await.expect("an object");
        assert!(done.e_tag().is_some_and(|tag| tag.ends_with("-2\"")), "{done:?}");
        let head = client.head_object().bucket("data").key("a").send().await.expect("a head");
        assert_eq!((head.content_length, head.e_tag), (Some((5 << 20) + 7), done.e_tag));
        let second = client.head_object().bucket("data").key("a").part_number(2).send().await.expect("a head");
        assert_eq!((second.content_length, second.parts_count), (Some(7), Some(2)));

        let given_up = ids.iter().nth(1).expect("an upload");
        client.abort_multipart_upload().bucket("data").key("a").upload_id(given_up).send().await.expect("gone");
        let again = client.abort_multipart_upload().bucket("data").key("a").upload_id(given_up).send().await;
        assert_eq!(refused(again), ("NoSuchUpload".to_owned(), 404));
        // Deleting the object leaves the uploads of its key.
        client.delete_object().bucket("data").key("a").send().await.expect("a marker");
        let rest = client.list_multipart_uploads().bucket("data").prefix("a").send().await.expect("a page");
        assert_eq!(rest.uploads().len(), 1);
    });
}

async fn complete(
    client: &Client,
    id: &str,
    tags: &[String],
) -> Result<
    aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadOutput,
    SdkError<aws_sdk_s3::operation::complete_multipart_upload::CompleteMultipartUploadError>,
> {
    let parts = tags.iter().zip(1..).map(|(tag, number)| CompletedPart::builder().e_tag(tag).part_number(number).build());
    let parts = CompletedMultipartUpload::builder().set_parts(Some(parts.collect())).build();
    client.complete_multipart_upload().bucket("data").key("a").upload_id(id).multipart_upload(parts).send().await
}

#[test]
fn an_object_of_gigabytes_can_be_read_without_being_kept() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Never);
    server.place_repeated("data", "large", b"0123456789", 5 << 30);
    wait_for(async {
        let client = server.client();
        let head = client.head_object().bucket("data").key("large").send().await.expect("a head");
        assert_eq!(head.content_length, Some(5 << 30));
        let tail = client.get_object().bucket("data").key("large").range("bytes=-3").send().await.expect("a range");
        assert_eq!(tail.body.collect().await.expect("a body").to_vec(), b"789");
        let start = client.get_object().bucket("data").key("large").range("bytes=3-100000002").send().await.expect("a range");
        assert_eq!(start.body.collect().await.expect("a body").to_vec(), b"3456789012".repeat(10_000_000));
    });
}

#[test]
fn a_listing_in_pages_of_the_servers_choice_is_complete() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Never);
    server.world().page = 4;
    for number in 0..10 {
        server.place("data", &format!("{number}"), "x");
    }
    wait_for(async {
        let client = server.client();
        let mut pages = client.list_objects_v2().bucket("data").into_paginator().send();
        let mut sizes = Vec::new();
        while let Some(page) = pages.next().await {
            sizes.push(page.expect("a page").contents().len());
        }
        assert_eq!(sizes, [4, 4, 2]);
        server.script().at("ListObjectsV2").do_this(Misbehaviour::CutListing);
        let cut = client.list_objects_v2().bucket("data").send().await.expect("a page");
        assert_eq!((cut.contents().len(), cut.is_truncated, cut.next_continuation_token), (4, Some(false), None));
    });
}
