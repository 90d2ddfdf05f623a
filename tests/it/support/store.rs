//! A store of objects beside a workspace: a folder, or a bucket of the S3 server that tests start. One body of tests runs on both.

use std::fs;
use std::path::PathBuf;

use super::s3::bucket::Versioning;
use super::s3::{ACCESS_KEY, REGION, S3Server, SECRET_KEY};
use super::workspace::Workspace;

/// The bucket.
pub const BUCKET: &str = "uploads";

/// A store.
pub enum Store {
    /// A folder of the workspace.
    Folder(PathBuf),
    /// A bucket.
    S3(Box<S3Server>),
}

impl Store {
    /// A folder and a bucket that keeps versions, each with a workspace of its own.
    pub fn each(script: &str, map: &str) -> Vec<(Workspace, Store)> {
        vec![Store::folder(script, map), Store::bucket(script, map, Versioning::Enabled)]
    }

    /// A folder.
    pub fn folder(script: &str, map: &str) -> (Workspace, Store) {
        let workspace = Workspace::sqlite(script, map);
        let folder = workspace.path("uploads");
        fs::create_dir_all(&folder).expect("a folder");
        add_source(&workspace, "{folder: uploads}");
        (workspace, Store::Folder(folder))
    }

    /// A bucket.
    pub fn bucket(script: &str, map: &str, versioning: Versioning) -> (Workspace, Store) {
        let server = S3Server::start();
        server.make_bucket(BUCKET, versioning);
        Store::on(script, map, server)
    }

    /// A bucket that can lock what it keeps.
    pub fn lockable(script: &str, map: &str) -> (Workspace, Store) {
        let server = S3Server::start();
        server.make_lock_bucket(BUCKET);
        Store::on(script, map, server)
    }

    fn on(script: &str, map: &str, server: S3Server) -> (Workspace, Store) {
        let workspace = Workspace::sqlite(script, map);
        let source = format!(
            "{{s3: {{bucket: {BUCKET}, region: {REGION}, endpoint: '{}', path_style: true, access_key_id: {ACCESS_KEY}, \
             secret_access_key: {SECRET_KEY}}}}}",
            server.endpoint()
        );
        add_source(&workspace, &source);
        (workspace, Store::S3(Box::new(server)))
    }

    /// The server of a bucket.
    pub fn server(&self) -> &S3Server {
        match self {
            Store::S3(server) => server,
            Store::Folder(_) => panic!("a folder has no server"),
        }
    }

    /// Puts an object there, or a further version of it.
    pub fn put(&self, key: &str, bytes: &[u8]) {
        match self {
            Store::Folder(folder) => {
                let path = folder.join(key);
                fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
                fs::write(path, bytes).expect("a file");
            }
            Store::S3(server) => {
                server.place(BUCKET, key, bytes.to_vec());
            }
        }
    }

    /// What readers of a key get.
    pub fn bytes(&self, key: &str) -> Vec<u8> {
        self.versions(key).into_iter().next().unwrap_or_else(|| panic!("nothing under {key}"))
    }

    /// The bytes of every version of a key, newest first.
    pub fn versions(&self, key: &str) -> Vec<Vec<u8>> {
        match self {
            Store::Folder(folder) => fs::read(folder.join(key)).into_iter().collect(),
            Store::S3(server) => {
                let world = server.world();
                let versions = world.bucket(BUCKET).expect("the bucket").keys.get(key).into_iter().flatten();
                let objects = versions.filter_map(|version| version.object.as_ref());
                objects.map(|object| object.body.slice(0..object.body.length()).to_vec()).collect()
            }
        }
    }

    /// Keys under which anything at all is left: a version, a marker, an unfinished upload.
    pub fn keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        match self {
            Store::Folder(folder) => walk(folder, "", &mut keys),
            Store::S3(server) => {
                let world = server.world();
                let bucket = world.bucket(BUCKET).expect("the bucket");
                keys.extend(bucket.keys.iter().filter(|(_, versions)| !versions.is_empty()).map(|(key, _)| key.clone()));
                keys.extend(bucket.uploads.keys().map(|(key, _)| key.clone()));
            }
        }
        keys.sort();
        keys.dedup();
        keys
    }
}

fn walk(folder: &std::path::Path, below: &str, keys: &mut Vec<String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let entry = entry.expect("an entry");
        let name = format!("{below}{}", entry.file_name().to_string_lossy());
        match entry.file_type().expect("a kind").is_dir() {
            true => walk(&entry.path(), &format!("{name}/"), keys),
            false => keys.push(name),
        }
    }
}

fn add_source(workspace: &Workspace, source: &str) {
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it is there");
    workspace.write("habeas.yaml", &config.replace("sources:\n", &format!("sources:\n  uploads: {source}\n")));
}
