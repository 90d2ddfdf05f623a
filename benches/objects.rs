//! 50,000 versions in a bucket of the S3 server that tests start: listed and deleted by bare calls of the SDK, by our store, and by a whole
//! erasure. `cargo bench --bench objects`; `HABEAS_BENCH_OBJECTS=5000` for a tenth. It fails when a count is wrong.

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the harness of the integration tests has more than a benchmark needs")]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use aws_sdk_s3::types::{Delete, ObjectIdentifier};
use habeas_data::connector::objects::{Checksums, Entry, Fate, S3Address, S3Credentials, S3Store, Walk};
use habeas_data::connector::objects::{ObjectStore, present};
use secrecy::SecretString;
use support::s3::bucket::Versioning;
use support::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use support::store::{BUCKET, Store};

/// As many as one call may delete.
const AT_ONCE: usize = 1_000;

fn main() -> ExitCode {
    // `cargo test --all-targets` and test listers start benchmarks without this word; then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let objects = std::env::var("HABEAS_BENCH_OBJECTS").ok().and_then(|text| text.parse().ok()).unwrap_or(50_000);
    match bench(objects) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("FAILED: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn bench(objects: usize) -> Result<(), String> {
    let (bare_list, bare_delete) = support::wait_for(bare(objects));
    let (list, delete, look) = support::wait_for(ours(objects))?;
    println!("| {objects} versions | list | delete | together | beside |");
    println!("|---|---|---|---|---|");
    let row = |name: &str, list: Duration, delete: Duration| {
        let ratio = (list + delete).as_secs_f64() / (bare_list + bare_delete).as_secs_f64();
        println!("| {name} | {list:.2?} | {delete:.2?} | {:.2?} | {ratio:.2} |", list + delete);
    };
    row("bare calls of the SDK", bare_list, bare_delete);
    row("our store", list, delete);
    println!("| our store, looking again afterwards | | | {look:.2?} | |");
    let whole = whole_job(objects)?;
    println!("| a whole erasure (plan, look before, delete, look after, search) | | | {whole:.2?} | |");
    Ok(())
}

fn server(objects: usize) -> S3Server {
    let server = S3Server::start();
    server.make_bucket(BUCKET, Versioning::Enabled);
    for n in 0..objects {
        server.place(BUCKET, &format!("avatars/1/{n:06}"), b"x".to_vec());
    }
    server
}

async fn bare(objects: usize) -> (Duration, Duration) {
    let server = server(objects);
    let client = server.client();
    let started = Instant::now();
    let mut names = Vec::with_capacity(objects);
    let (mut key, mut id) = (None, None);
    loop {
        let page = client
            .list_object_versions()
            .bucket(BUCKET)
            .prefix("avatars/1/")
            .set_key_marker(key)
            .set_version_id_marker(id)
            .send()
            .await
            .expect("a page");
        for version in page.versions() {
            let name = ObjectIdentifier::builder().key(version.key().expect("a key"));
            names.push(name.set_version_id(version.version_id().map(str::to_owned)).build().expect("a name"));
        }
        if page.is_truncated() != Some(true) {
            break;
        }
        (key, id) = (page.next_key_marker().map(str::to_owned), page.next_version_id_marker().map(str::to_owned));
    }
    let listed = started.elapsed();
    let started = Instant::now();
    for chunk in names.chunks(AT_ONCE) {
        let delete = Delete::builder().set_objects(Some(chunk.to_vec())).build().expect("a deletion");
        client.delete_objects().bucket(BUCKET).delete(delete).send().await.expect("an answer");
    }
    assert!(server.left(BUCKET, "avatars/1/000000").is_empty());
    (listed, started.elapsed())
}

async fn ours(objects: usize) -> Result<(Duration, Duration, Duration), String> {
    let server = server(objects);
    let address = S3Address {
        bucket: BUCKET.into(),
        region: Some(REGION.into()),
        endpoint: Some(server.endpoint()),
        path_style: true,
        expected_bucket_owner: None,
        requester_pays: false,
        checksums: Checksums::WhenRequired,
        encryption: None,
        credentials: Some(S3Credentials {
            access_key_id: ACCESS_KEY.into(),
            secret_access_key: SecretString::from(SECRET_KEY.to_owned()),
            session_token: None,
        }),
        verify: None,
    };
    let store = S3Store::connect(&address, false).await;
    let started = Instant::now();
    let entries: Vec<Entry> = Walk::under(&store, b"avatars/1/").all().await.map_err(|error| error.to_string())?;
    let listed = started.elapsed();
    if entries.len() != objects {
        return Err(format!("{} of {objects} versions were listed", entries.len()));
    }
    let started = Instant::now();
    for chunk in entries.chunks(AT_ONCE) {
        let fates = store.delete(chunk, Duration::from_secs(60)).await.map_err(|error| error.to_string())?;
        if fates.iter().any(|fate| *fate != Fate::Acknowledged) {
            return Err("something was not deleted".into());
        }
    }
    let deleted = started.elapsed();
    let started = Instant::now();
    for chunk in entries.chunks(AT_ONCE) {
        if present(&store, chunk).await.map_err(|error| error.to_string())?.contains(&true) {
            return Err("something is still there".into());
        }
    }
    Ok((listed, deleted, started.elapsed()))
}

fn whole_job(objects: usize) -> Result<Duration, String> {
    use support::laws::{PEOPLE, collection, erase_ada, item, map, users};
    let avatars = collection("avatars", "on_erasure: delete, objects: {source: uploads, prefix: 'avatars/{users.id}/'}", &[]);
    let (workspace, store) = Store::bucket(PEOPLE, &map(&[users(), avatars]), Versioning::Enabled);
    for n in 0..objects {
        store.put(&format!("avatars/1/{n:06}"), b"x");
    }
    let started = Instant::now();
    let done = erase_ada(&workspace).code(0).json();
    let took = started.elapsed();
    match item(&done, "avatars")["affected"].as_u64() == Some(objects as u64) {
        true => Ok(took),
        false => Err(done.to_string()),
    }
}
