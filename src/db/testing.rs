//! Databases for tests: SQLite files in a temporary folder, and databases of a private PostgreSQL server that runs from a temporary
//! folder, listens on a socket in it and on no port, and ends with the last test that uses it. It never touches a server that was
//! there before.

mod mariadb;

use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub(crate) use mariadb::mariadb;

use super::{Db, PoolOptions, Sql};
use crate::crypto::{hex, random_bytes};

/// An open database and what it lives in.
pub(crate) struct TestDatabase {
    /// The pool.
    pub db: Db,
    /// How to open it again.
    pub url: String,
    _folder: Option<TempDir>,
    _server: Option<Arc<Server>>,
    _mariadb: Option<Arc<mariadb::MariaDb>>,
}

impl TestDatabase {
    /// Opens it again as another role, which may connect without a password.
    pub(crate) async fn as_role(&self, role: &str, options: PoolOptions) -> Db {
        Db::open(&self.url.replace("postgres@", &format!("{role}@")).replace("root@", &format!("{role}@")), options).await.unwrap()
    }
}

/// A new SQLite file, then the script.
pub(crate) async fn sqlite(script: impl Into<Sql>) -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::open(&url, PoolOptions { create: true, ..PoolOptions::default() }).await.unwrap();
    db.session().await.unwrap().on().execute_script(script).await.unwrap();
    TestDatabase { db, url, _folder: Some(folder), _server: None, _mariadb: None }
}

/// A new PostgreSQL database, then the script; nothing where PostgreSQL is not installed.
pub(crate) async fn postgres(script: impl Into<Sql>) -> Option<TestDatabase> {
    let (server, url) = Server::new_database().await?;
    let db = Db::open(&url, PoolOptions::default()).await.unwrap();
    db.session().await.unwrap().on().execute_script(script).await.unwrap();
    Some(TestDatabase { db, url, _folder: None, _server: Some(server), _mariadb: None })
}

/// A running server.
pub(crate) struct Server {
    folder: TempDir,
    process: Mutex<Child>,
}

/// The user that the server runs as; PostgreSQL refuses to run as root.
#[derive(Clone, Copy)]
struct User {
    uid: u32,
    gid: u32,
}

impl Server {
    /// An empty database on the shared server, and its address.
    pub(crate) async fn new_database() -> Option<(Arc<Server>, String)> {
        let server = tokio::task::spawn_blocking(Server::shared).await.unwrap()?;
        let name = format!("t{}", hex(&random_bytes::<6>().unwrap()));
        let create: &'static str = format!("CREATE DATABASE {name}").leak();
        let admin = Db::open(&server.url("postgres"), PoolOptions::default()).await.unwrap();
        admin.session().await.unwrap().on().execute_script(create).await.unwrap();
        admin.close().await;
        let url = server.url(&name);
        Some((server, url))
    }

    /// The server that the tests of this process share, started when the first asks for it.
    fn shared() -> Option<Arc<Server>> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(Server::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// The address of one of its databases.
    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.path().display())
    }

    fn start() -> Option<Server> {
        let Some(programs) = programs() else {
            eprintln!("SKIPPED: needs postgres");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("pg").tempdir_in("/tmp").unwrap();
        let user = unprivileged_user();
        if let Some(User { uid, gid }) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = folder.path().join("data");
        let made = run_as(user, &programs.join("initdb"))
            .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync", "-D"])
            .arg(&data)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let process = run_as(user, &programs.join("postgres"))
            .arg("-D")
            .arg(&data)
            .arg("-k")
            .arg(folder.path())
            .args(["-c", "listen_addresses=", "-c", "max_connections=300", "-c", "fsync=off"])
            .spawn()
            .unwrap();
        wait_until_ready(folder.path());
        Some(Server { folder, process: Mutex::new(process) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGQUIT is PostgreSQL's immediate shutdown; it takes its children along, which SIGKILL would not.
        let process = self.process.get_mut().unwrap();
        let told = Command::new("kill").args(["-QUIT", &process.id().to_string()]).status();
        if !told.is_ok_and(|status| status.success()) {
            let _ = process.kill();
        }
        let _ = process.wait();
    }
}

fn wait_until_ready(folder: &Path) {
    // The last line of the file says so once connections are accepted.
    let pid_file = folder.join("data/postmaster.pid");
    let give_up_at = Instant::now() + Duration::from_secs(60);
    while !std::fs::read_to_string(&pid_file).is_ok_and(|text| text.contains("ready")) {
        assert!(Instant::now() < give_up_at, "the PostgreSQL server did not start in time");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn run_as(user: Option<User>, program: &Path) -> Command {
    let mut command = Command::new(program);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).current_dir("/tmp");
    if let Some(User { uid, gid }) = user {
        command.uid(uid).gid(gid);
    }
    command
}

/// Somebody else, if we are root.
fn unprivileged_user() -> Option<User> {
    if std::fs::metadata("/proc/self").unwrap().uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let find = |name: &str| {
        let fields: Vec<&str> = users.lines().find(|line| line.starts_with(&format!("{name}:")))?.split(':').collect();
        Some(User { uid: fields.get(2)?.parse().ok()?, gid: fields.get(3)?.parse().ok()? })
    };
    Some(find("postgres").or_else(|| find("nobody")).expect("a user other than root"))
}

/// The folder with the server's programs: on PATH, or where Debian keeps them.
fn programs() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut versions: Vec<PathBuf> =
        std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path().join("bin")).collect();
    versions.sort();
    folders.extend(versions.into_iter().rev());
    folders.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}
