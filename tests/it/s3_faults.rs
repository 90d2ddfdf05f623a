//! The S3 server for tests misbehaves as ordered, and only so: what a client meets when a store is busy, breaks off, or lies.

use std::sync::Arc;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::error::SdkError;
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete, ObjectIdentifier};

use crate::s3_versions::refused;
use crate::support::s3::S3Server;
use crate::support::s3::bucket::Versioning;
use crate::support::s3::fault::{Misbehaviour, Seen};
use crate::support::s3::world::BatchRefusal;
use crate::support::wait_for;

fn server() -> S3Server {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    server
}

#[test]
fn a_busy_server_is_busy_as_often_as_ordered_and_a_client_gets_through() {
    let server = server();
    server.place("data", "a", "x");
    server.script().at("GetObject").times(2).slow_down();
    server.script().at("HeadObject").clock_skew();
    wait_for(async {
        assert_eq!(refused(server.client().get_object().bucket("data").key("a").send().await), ("SlowDown".to_owned(), 503));
        let retrying = Client::from_conf(server.client_setup().retry_config(RetryConfig::standard()).build());
        retrying.get_object().bucket("data").key("a").send().await.expect("the second try of this client");
        assert_eq!(refused(server.client().head_object().bucket("data").key("a").send().await).1, 403);
    });
    let statuses: Vec<_> = server.journal().of("GetObject").into_iter().map(|received| received.status).collect();
    assert_eq!(statuses, [Some(503), Some(503), Some(200)]);
    assert!(server.script().is_done());
}

#[test]
fn a_cut_connection_leaves_the_effect_undone_or_done_as_ordered() {
    let server = server();
    let first = server.place("data", "a", "x");
    let second = server.place("data", "a", "y");
    server.script().at("DeleteObject").after(1).do_this(Misbehaviour::CutAfter);
    server.script().at("DeleteObject").do_this(Misbehaviour::CutBefore);
    wait_for(async {
        let client = server.client();
        let delete = |id: &str| client.delete_object().bucket("data").key("a").version_id(id).send();
        assert!(matches!(delete(&first).await, Err(SdkError::DispatchFailure(_))));
        assert_eq!(server.left("data", "a").len(), 2);
        assert!(matches!(delete(&second).await, Err(SdkError::DispatchFailure(_))));
        assert_eq!(server.left("data", "a"), [(first, false)]);
    });
    assert_eq!(server.journal().of("DeleteObject")[1].status, None);
}

#[test]
fn a_body_ends_early_where_ordered() {
    let server = server();
    server.place("data", "a", vec![b'x'; 300_000]);
    server.script().at("GetObject").key("a").do_this(Misbehaviour::TruncateBody(100_000));
    wait_for(async {
        let read = async || server.client().get_object().bucket("data").key("a").send().await.expect("a head").body.collect().await;
        assert!(read().await.is_err());
        assert_eq!(read().await.expect("whole").to_vec().len(), 300_000);
    });
}

#[test]
fn an_error_may_hide_in_a_200() {
    let server = server();
    let id = server.place("data", "a", "x");
    server.script().at("DeleteObjects").do_this(Misbehaviour::ErrorInside200("InternalError"));
    server.script().at("CopyObject").do_this(Misbehaviour::ErrorInside200AfterEffect("InternalError"));
    server.world().batch_refusals.push(BatchRefusal { key: "a".to_owned(), code: "SlowDown".to_owned(), times: 1 });
    wait_for(async {
        let client = server.client();
        let named = ObjectIdentifier::builder().key("a").version_id(&id).build().expect("complete");
        let delete = || Delete::builder().objects(named.clone()).build().expect("complete");
        let lie = client.delete_objects().bucket("data").delete(delete()).send().await;
        assert!(lie.is_err() || lie.is_ok_and(|answer| answer.deleted().is_empty()), "nothing is said to be deleted");
        assert_eq!(server.left("data", "a").len(), 1);
        let busy = client.delete_objects().bucket("data").delete(delete()).send().await.expect("an answer");
        assert_eq!(busy.errors()[0].code(), Some("SlowDown"));
        let done = client.delete_objects().bucket("data").delete(delete()).send().await.expect("an answer");
        assert_eq!((done.errors().len(), done.deleted().len()), (0, 1));
        server.place("data", "a", "x");
        assert!(client.copy_object().bucket("data").key("copy").copy_source("data/a").send().await.is_err());
        assert_eq!(server.left("data", "copy").len(), 1);
    });
}

#[test]
fn a_listing_may_name_the_same_next_page_for_ever() {
    let server = server();
    for number in 0..9 {
        server.place("data", &format!("{number}"), "x");
    }
    server.script().at("ListObjectVersions").times(99).do_this(Misbehaviour::RepeatToken(Seen::default()));
    wait_for(async {
        let client = server.client();
        let mut key = None;
        let mut next = Vec::new();
        for _ in 0..5 {
            let page = client.list_object_versions().bucket("data").max_keys(2).set_key_marker(key).send().await.expect("a page");
            assert_eq!(page.is_truncated, Some(true));
            key = page.next_key_marker;
            next.push(key.clone().expect("a marker"));
        }
        assert_eq!(next, ["1"; 5]);
    });
}

#[test]
fn deleting_may_only_mark_do_nothing_or_need_to_be_repeated() {
    let server = server();
    let id = server.place("data", "a", "x");
    wait_for(async {
        let client = server.client();
        let delete = async || client.delete_object().bucket("data").key("a").version_id(&id).send().await.expect("it says so");
        server.world().lies.deleting_only_marks = true;
        delete().await;
        assert_eq!(server.left("data", "a").iter().map(|(_, marker)| *marker).collect::<Vec<_>>(), [true, false]);
        server.world().lies.deleting_only_marks = false;
        server.world().lies.deleting_does_nothing = true;
        delete().await;
        assert_eq!(server.left("data", "a").len(), 2);
        server.world().lies.aborts_without_effect = 1;
        let started = client.create_multipart_upload().bucket("data").key("a").send().await.expect("an upload");
        let abort =
            async || client.abort_multipart_upload().bucket("data").key("a").set_upload_id(started.upload_id.clone()).send().await;
        abort().await.expect("it says so");
        abort().await.expect("and now it is so");
        assert_eq!(refused(abort().await).0, "NoSuchUpload");
    });
}

#[test]
fn an_object_can_be_replaced_between_a_read_and_the_write_that_follows() {
    let server = server();
    server.place("data", "a", "old");
    let replace = Arc::new(|world: &mut crate::support::s3::world::World| {
        let versions = world.bucket_mut("data").expect("a bucket").keys.get_mut("a").expect("a key");
        versions[0].object.as_mut().expect("an object").etag = "replaced".to_owned();
    });
    server.script().at("GetObject").do_this(Misbehaviour::After(replace.clone()));
    server
        .script()
        .at("DeleteObject")
        .do_this(Misbehaviour::Before(Arc::new(|world| world.bucket_mut("data").expect("a bucket").mfa_delete = true)));
    server.script().at("ListBuckets").do_this(Misbehaviour::RefuseAfterEffect(500, "InternalError"));
    wait_for(async {
        let client = server.client();
        let tag = client.get_object().bucket("data").key("a").send().await.expect("an object").e_tag.expect("a tag");
        let write = client.put_object().bucket("data").key("a").if_match(tag).body(ByteStream::from_static(b"new")).send().await;
        assert_eq!(refused(write), ("PreconditionFailed".to_owned(), 412));
        let id = server.left("data", "a")[0].0.clone();
        assert_eq!(refused(client.delete_object().bucket("data").key("a").version_id(id).send().await).0, "AccessDenied");
        assert_eq!(refused(client.list_buckets().send().await), ("InternalError".to_owned(), 500));
    });
}
