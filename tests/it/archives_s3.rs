//! Archives in a bucket: sent in parts, read back, recorded only then; nothing left of what was cut or killed; and removed with every version
//! when their time is over, proved by a list. Archives in a folder live as long.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::objects_erase::{fill, objects_map, people};
use crate::support::laws::{ada, run};
use crate::support::s3::bucket::{DefaultRetention, Versioning};
use crate::support::s3::fault::Misbehaviour;
use crate::support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use crate::support::shop::{On, Shop, job};
use crate::support::skipped;
use crate::support::store::Store;
use crate::support::workspace::Workspace;

/// The bucket for archives.
pub const BUCKET: &str = "archives";

/// A server with that bucket.
pub fn server(versioning: Versioning) -> S3Server {
    let server = S3Server::start();
    server.make_bucket(BUCKET, versioning);
    server
}

/// The line of the configuration that sends archives there.
fn to_bucket(server: &S3Server) -> String {
    format!(
        "archives: {{s3: {{bucket: {BUCKET}, prefix: dsr/out, region: {REGION}, endpoint: '{}', path_style: true, \
         access_key_id: {ACCESS_KEY}, secret_access_key: {SECRET_KEY}}}}}",
        server.endpoint()
    )
}

/// Lets a workspace send its archives there.
pub fn send_to(workspace: &Workspace, server: &S3Server, more: &str) {
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("a configuration");
    let config = config.replace("archives: file:archives", &to_bucket(server));
    workspace.write("habeas.yaml", &format!("{config}{more}\n"));
}

fn shop(server: &S3Server, more: &str) -> Shop {
    let shop = Shop::open(On::Sqlite, 3, "").expect("SQLite is always there");
    send_to(&shop.workspace, server, more);
    shop
}

/// A person whose archive is larger than a part of an upload: an object of 20 MiB that does not shrink.
fn large(server: &S3Server) -> (Workspace, Store) {
    let (workspace, store) = Store::folder(&people(), &objects_map());
    fill(&store);
    let mut picture = b"\x89PNG".to_vec();
    picture.resize(20 * 1024 * 1024, 7);
    store.put("avatars/1/large.png", &picture);
    send_to(&workspace, server, "");
    (workspace, store)
}

/// The bytes under the path that an answer names.
fn fetched(server: &S3Server, done: &Value) -> Vec<u8> {
    let path = done["archive"]["path"].as_str().expect("a path");
    let key = path.strip_prefix(&format!("s3://{BUCKET}/")).expect("in the bucket");
    assert!(key.starts_with("dsr/out/"), "{key}");
    let world = server.world();
    let version = world.bucket(BUCKET).expect("the bucket").current(key).expect("an archive");
    let body = version.object.as_ref().expect("no marker").body.clone();
    body.slice(0..body.length()).to_vec()
}

/// Everything in the bucket: versions, markers, unfinished uploads.
pub fn everything(server: &S3Server) -> usize {
    let world = server.world();
    let bucket = world.bucket(BUCKET).expect("the bucket");
    bucket.keys.values().map(Vec::len).sum::<usize>() + bucket.uploads.len()
}

fn assert_is_whole(workspace: &Workspace, server: &S3Server, done: &Value) {
    let bytes = fetched(server, done);
    assert_eq!(Some(bytes.len() as u64), done["archive"]["bytes"].as_u64(), "{done}");
    let copy = workspace.home().join("fetched.zip");
    fs::write(&copy, &bytes).expect("a copy");
    workspace.habeas("archive verify").args([&copy]).run().code(0);
}

#[test]
fn what_lies_in_the_bucket_is_what_archive_verify_accepts() {
    for versioning in [Versioning::Never, Versioning::Enabled, Versioning::Suspended] {
        let server = server(versioning);
        let shop = shop(&server, "");
        let done = shop.habeas("run --no-input --json -").input(job("access").to_string()).run().code(0).json();
        assert_eq!(everything(&server), 1, "one version and nothing else");
        assert_is_whole(&shop.workspace, &server, &done);
        assert_eq!(done["archive"]["version"].is_string(), versioning == Versioning::Enabled, "{done}");
        assert!(done["archive"]["expires_at"].is_string(), "{done}");
        assert_eq!(shop.names_in("spool"), [] as [&str; 0], "nothing of it stays on this machine");
        assert_eq!(shop.names_in("archives"), [] as [&str; 0]);
    }
}

#[test]
fn a_large_archive_is_sent_in_parts_and_a_cut_in_the_middle_is_tried_again() {
    let server = server(Versioning::Enabled);
    let (workspace, _store) = large(&server);
    server.script().at("UploadPart").after(1).do_this(Misbehaviour::CutBefore);
    server.script().at("UploadPart").slow_down();
    let done = run(&workspace, &json!({"kind": "access", "subject": ada()})).code(0).json();
    assert!(server.script().is_done(), "both faults came");
    assert_eq!(server.journal().of("CompleteMultipartUpload").len(), 1);
    assert_eq!(everything(&server), 1);
    assert_is_whole(&workspace, &server, &done);
}

#[test]
fn nothing_is_left_of_an_archive_that_could_not_be_sent_and_no_answer_names_it() {
    for action in ["UploadPart", "CompleteMultipartUpload", "GetObject"] {
        let server = server(Versioning::Enabled);
        let (workspace, _store) = large(&server);
        server.script().at(action).times(10_000).do_this(Misbehaviour::Refuse(403, "AccessDenied"));
        let said = run(&workspace, &json!({"kind": "access", "subject": ada()}));
        assert!(!matches!(said.code, Some(0 | 3)), "{action}: {}", said.stdout);
        assert!(!said.stdout.contains("s3://"), "{action}: {}", said.stdout);
        assert_eq!(everything(&server), 0, "{action}");
    }
}

#[test]
fn what_the_store_changed_on_the_way_is_not_published() {
    let server = server(Versioning::Enabled);
    let shop = shop(&server, "");
    server.script().at("PutObject").do_this(Misbehaviour::After(std::sync::Arc::new(|world| {
        let bucket = world.bucket_mut(BUCKET).expect("the bucket");
        let version = bucket.keys.values_mut().flatten().next().expect("the archive");
        let object = version.object.as_mut().expect("no marker");
        let mut bytes = object.body.slice(0..object.body.length()).to_vec();
        bytes[100] ^= 1;
        object.body = crate::support::s3::body::Body::Kept(bytes.into());
    })));
    let said = shop.habeas("run --no-input --json -").input(job("access").to_string()).run();
    assert!(!matches!(said.code, Some(0 | 3)), "{}", said.stdout);
    assert!(server.script().is_done());
    assert_eq!(everything(&server), 0, "and nothing of it is left");
}

#[test]
fn a_name_that_somebody_else_has_taken_stays_as_it_is() {
    let server = server(Versioning::Enabled);
    let shop = shop(&server, "");
    let id = shop.submit(&job("access"));
    let code = shop.request(&id)["code"].as_str().expect("a code").to_lowercase();
    let done = shop.habeas("worker --once").run();
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let path = shop.request(&id)["archive"]["path"].as_str().expect("a path").to_owned();
    assert!(path.ends_with(&format!("-{code}.zip")), "{path}");
    // A second request whose name is taken before it runs.
    let other = shop.submit(&json!({"kind": "portability", "subject": job("access")["subject"]}));
    let other_code = shop.request(&other)["code"].as_str().expect("a code").to_lowercase();
    let taken = path.strip_prefix(&format!("s3://{BUCKET}/")).expect("a key").replace(&code, &other_code);
    let theirs = server.place(BUCKET, &taken, "theirs");
    shop.habeas("worker --once").run();
    assert_eq!(server.left(BUCKET, &taken), [(theirs, false)], "neither replaced nor removed");
    assert_eq!(shop.request(&other)["archive"], Value::Null);
}

#[test]
fn after_a_kill_in_the_middle_the_next_attempt_cleans_up_and_answers() {
    if !cfg!(feature = "failpoints") {
        return skipped("--features failpoints");
    }
    for (place, before) in [("archive-while-sending:18", 1), ("archive-sent", 1), ("export-before-publish", 1)] {
        let server = server(Versioning::Enabled);
        let (workspace, _store) = large(&server);
        let id = workspace
            .habeas("submit -")
            .input(json!({"kind": "access", "subject": ada()}).to_string())
            .run()
            .code(0)
            .stdout
            .trim()
            .to_owned();
        let killed = workspace.habeas("worker --once").env("HABEAS_FAILPOINT", place).run();
        assert_eq!(killed.code, None, "{place}: it was killed: {}", killed.stderr);
        assert_eq!(everything(&server), before, "{place}: what the killed attempt left");
        let answered = || workspace.habeas(&format!("request show {id} --json")).run().code(0).json();
        // The lease of the killed attempt has to run out first.
        let end = std::time::Instant::now() + Duration::from_secs(180);
        while answered()["status"] != "completed" && std::time::Instant::now() < end {
            workspace.habeas("worker --once").run();
            std::thread::sleep(Duration::from_millis(500));
        }
        let done = answered();
        assert_eq!(done["status"], "completed", "{place}: {done}");
        assert_eq!(everything(&server), 1, "{place}: one archive and nothing half-made");
        assert_is_whole(&workspace, &server, &done);
        assert_eq!(fs::read_dir(workspace.path("spool")).expect("the spool").count(), 0, "{place}");
    }
}

#[test]
fn an_archive_whose_time_is_over_is_removed_in_every_version_and_the_answer_says_so() {
    for versioning in [Versioning::Never, Versioning::Enabled, Versioning::Suspended] {
        let server = server(versioning);
        let shop = shop(&server, "archives_expire_after: 2s");
        let done = shop.habeas("run --no-input --json -").input(job("access").to_string()).run().code(0).json();
        let key = done["archive"]["path"].as_str().expect("a path").strip_prefix("s3://archives/").expect("a key").to_owned();
        // Another key begins with the same bytes.
        let neighbour = format!("{key}.sig");
        server.place(BUCKET, &neighbour, "a neighbour");
        shop.habeas("sweep --json").run().code(0);
        std::thread::sleep(Duration::from_secs(2));
        let swept = shop.habeas("sweep --json").run().code(0).json();
        assert_eq!((&swept["archives_removed"], &swept["archives_kept"]), (&json!(1), &json!([])), "{swept}");
        assert_eq!(server.left(BUCKET, &key), []);
        assert_eq!(everything(&server), 1, "the neighbour alone");
        let answer = shop.request(done["request_id"].as_str().expect("an id"));
        assert!(answer["archive"]["removed_at"].is_string(), "{answer}");
        assert_eq!(shop.journal().iter().filter(|kind| *kind == "archive_removed").count(), 1);
        shop.habeas("journal verify").run().code(0);
        let shown = shop.habeas(&format!("request show {}", done["code"].as_str().expect("a code"))).run().code(0).stdout;
        assert!(shown.contains("(removed "), "{shown}");
        let again = shop.habeas("sweep --json").run().code(0).json();
        assert_eq!(again["archives_removed"], 0, "{again}");
    }
}

#[test]
fn an_archive_in_a_folder_is_removed_when_its_time_is_over() {
    let shop = Shop::open(On::Sqlite, 3, "archives_expire_after: 2s\n").expect("SQLite is always there");
    let done = shop.habeas("run --no-input --json -").input(job("access").to_string()).run().code(0).json();
    fs::write(shop.workspace.path("archives/mine.txt"), "not an archive").expect("a file");
    assert_eq!(shop.names_in("archives").len(), 2);
    std::thread::sleep(Duration::from_secs(2));
    let swept = shop.habeas("sweep --json").run().code(0).json();
    assert_eq!(swept["archives_removed"], 1, "{swept}");
    assert_eq!(shop.names_in("archives"), ["mine.txt"]);
    assert!(shop.request(done["request_id"].as_str().expect("an id"))["archive"]["removed_at"].is_string());
}

#[test]
fn h_1_a_bucket_that_retains_everything_keeps_the_archive_and_everybody_is_told() {
    let server = S3Server::start();
    server.make_lock_bucket(BUCKET);
    server.shape(BUCKET, |bucket| bucket.default_retention = Some(DefaultRetention { compliance: false, days: 30 }));
    let shop = shop(&server, "archives_expire_after: 2s");
    let doctor = shop.habeas("doctor --json").run().json();
    assert!(doctor["findings"].to_string().contains("archives_retained"), "{doctor}");
    let done = shop.habeas("run --no-input --json -").input(job("access").to_string()).run().code(0).json();
    assert!(done["archive"]["locked_until"].is_string(), "{done}");
    std::thread::sleep(Duration::from_secs(2));
    let swept = shop.habeas("sweep --json").run().code(0).json();
    assert_eq!(swept["archives_removed"], 0, "{swept}");
    assert!(swept["archives_kept"][0]["why"].as_str().expect("why").starts_with("locked until"), "{swept}");
    let answer = shop.request(done["request_id"].as_str().expect("an id"));
    assert_eq!((&answer["archive"]["still_there"], &answer["archive"]["removed_at"]), (&json!("locked"), &Value::Null), "{answer}");
    assert_eq!(everything(&server), 1);
    assert!(server.journal().all().iter().all(|request| !request.bypasses_governance()));
    // When the retention is over, the next sweep takes it.
    server.shape(BUCKET, |bucket| {
        let versions = bucket.keys.values_mut().flatten();
        versions.filter_map(|version| version.object.as_mut()).for_each(|object| object.about.retention = None);
    });
    assert_eq!(shop.habeas("sweep --json").run().code(0).json()["archives_removed"], 1);
    assert_eq!(everything(&server), 0);
}

#[test]
fn e_2_what_a_store_only_claims_to_have_deleted_does_not_count_as_removed() {
    let server = server(Versioning::Enabled);
    let shop = shop(&server, "archives_expire_after: 2s");
    let done = shop.habeas("run --no-input --json -").input(job("access").to_string()).run().code(0).json();
    server.deny("s3:DeleteObjectVersion", BUCKET, "");
    std::thread::sleep(Duration::from_secs(2));
    let swept = shop.habeas("sweep --json").run().code(0).json();
    assert_eq!(swept["archives_kept"][0]["why"], "refused", "{swept}");
    let answer = shop.request(done["request_id"].as_str().expect("an id"));
    assert_eq!(
        (&answer["archive"]["still_there"], &answer["archive"]["removed_at"]),
        (&json!("refused"), &Value::Null),
        "{answer}"
    );
}

#[test]
fn a_bucket_for_archives_that_does_not_answer_is_a_finding_and_no_archive_is_published() {
    let server = server(Versioning::Enabled);
    let shop = shop(&server, "");
    shop.habeas("doctor --json").run();
    server.deny("s3:ListBucketVersions", BUCKET, "");
    let doctor = shop.habeas("doctor --json").run().code(1).json();
    assert!(doctor["findings"].to_string().contains("archives_unreachable"), "{doctor}");
}
