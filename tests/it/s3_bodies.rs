//! The S3 server for tests, asked through the official client and by hand: how bodies come and go. Streams, links that anybody may open,
//! uploads that break off.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use aws_sdk_s3::presigning::PresigningConfig;
use aws_sdk_s3::primitives::ByteStream;

use crate::s3_versions::read;
use crate::support::s3::S3Server;
use crate::support::s3::bucket::Versioning;
use crate::support::s3::clock::machine;
use crate::support::wait_for;

#[test]
fn bodies_may_come_as_streams_with_their_digest_behind_them() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Enabled);
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("body");
    std::fs::write(&file, vec![b'x'; 300_000]).expect("a file");
    wait_for(async {
        let client = server.client();
        let stream = async || ByteStream::from_path(&file).await.expect("a stream");
        client.put_object().bucket("data").key("a").body(stream().await).send().await.expect("a version");
        assert_eq!(read(&client, "data", "a", None).await.len(), 300_000);
        let sent = server.journal().of("PutObject").remove(0).headers;
        assert!(sent.contains_key("x-amz-trailer"), "the client sends no digest behind the body: {sent:?}");
        let started = client.create_multipart_upload().bucket("data").key("a").send().await.expect("an upload");
        let part = client.upload_part().bucket("data").key("a").set_upload_id(started.upload_id).part_number(1);
        part.body(stream().await).send().await.expect("a part");
    });
}

#[test]
fn a_presigned_link_reads_one_key_until_it_expires() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Never);
    server.place("data", "a", "linked");
    server.place("data", "b", "other");
    wait_for(async {
        let expires = PresigningConfig::expires_in(Duration::from_secs(60)).expect("a time");
        let link = server.client().get_object().bucket("data").key("a").presigned(expires).await.expect("a link");
        let path = link.uri().strip_prefix(&server.endpoint()).expect("ours").to_owned();
        assert!(fetch(&server, &path).ends_with("linked"));
        assert!(fetch(&server, &path.replace("/a?", "/b?")).contains("SignatureDoesNotMatch"));
        assert!(fetch(&server, &path.replace("X-Amz-Expires=60", "X-Amz-Expires=61")).contains("SignatureDoesNotMatch"));
        assert!(fetch(&server, "/data/a").contains("AccessDenied"));
        let long_ago = machine() - Duration::from_secs(120);
        let over = PresigningConfig::builder().start_time(long_ago).expires_in(Duration::from_secs(60)).build().expect("a time");
        let link = server.client().get_object().bucket("data").key("a").presigned(over).await.expect("a link");
        assert!(fetch(&server, link.uri().strip_prefix(&server.endpoint()).expect("ours")).contains("AccessDenied"));
    });
}

/// What a browser would get.
fn fetch(server: &S3Server, path: &str) -> String {
    let host = server.endpoint().trim_start_matches("http://").to_owned();
    let mut connection = TcpStream::connect(&host).expect("a connection");
    write!(connection, "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    answer
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let server = S3Server::start();
    server.make_bucket("data", Versioning::Never);
    wait_for(async {
        let expires = PresigningConfig::expires_in(Duration::from_secs(60)).expect("a time");
        let link = server.client().put_object().bucket("data").key("a").presigned(expires).await.expect("a link");
        let path = link.uri().strip_prefix(&server.endpoint()).expect("ours").to_owned();
        let host = server.endpoint().trim_start_matches("http://").to_owned();
        let mut connection = TcpStream::connect(&host).expect("a connection");
        let head = format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: 100\r\n\r\nonly this");
        connection.write_all(head.as_bytes()).expect("sent");
        connection.shutdown(Shutdown::Write).expect("broken off");
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).expect("the end");
    });
    assert_eq!(server.journal().of("PutObject").len(), 1);
    assert_eq!(server.left("data", "a"), []);
}
