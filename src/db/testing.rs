//! Databases for tests: SQLite files in a temporary folder, and a private PostgreSQL server, shared by the tests that run at the same
//! time and stopped when the last of them is done. It listens on the loopback address only and keeps nothing.

use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tempfile::TempDir;

use super::{Db, PoolOptions, Sql};

static RUNNING: Mutex<Weak<Server>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// An open database and what it lives in.
pub(crate) struct TestDatabase {
    /// The pool.
    pub db: Db,
    /// How to open it again.
    pub url: String,
    _home: Home,
}

enum Home {
    Folder { _folder: TempDir },
    Server { _server: Arc<Server> },
}

struct Server {
    folder: TempDir,
    port: u16,
}

/// An empty SQLite file, then the script.
pub(crate) async fn sqlite(script: &'static str) -> TestDatabase {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let db = Db::open(&url, PoolOptions { create: true, ..PoolOptions::default() }).await.unwrap();
    db.session().await.unwrap().on().execute_script(script).await.unwrap();
    TestDatabase { db, url, _home: Home::Folder { _folder: folder } }
}

/// A new database on the private server, then the script.
pub(crate) async fn postgres(script: &'static str) -> TestDatabase {
    let server = Server::shared();
    let name = format!("test_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
    let admin = Db::open(&server.url("postgres", "habeas"), PoolOptions::default()).await.unwrap();
    admin.session().await.unwrap().on().execute_script(Sql::built(format!("CREATE DATABASE {name}"))).await.unwrap();
    admin.close().await;
    let url = server.url(&name, "habeas");
    let db = Db::open(&url, PoolOptions::default()).await.unwrap();
    db.session().await.unwrap().on().execute_script(script).await.unwrap();
    TestDatabase { db, url, _home: Home::Server { _server: server } }
}

impl Server {
    fn shared() -> Arc<Server> {
        let mut running = RUNNING.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(server) = running.upgrade() {
            return server;
        }
        let server = Arc::new(Server::start());
        *running = Arc::downgrade(&server);
        server
    }

    fn start() -> Server {
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            let owned = Command::new("chown").arg("postgres").arg(folder.path()).output().unwrap();
            expect_success("chown", &owned);
        }
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server { folder, port };
        let data = server.data();
        run("initdb", &["-D", &data, "-U", "habeas", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"], server.folder.path());
        let options = format!("-p {port} -k {} -c listen_addresses=127.0.0.1 -c fsync=off -c max_connections=200", server.home());
        let log = format!("{}/log", server.home());
        run("pg_ctl", &["-D", &data, "-w", "-l", &log, "-o", &options, "start"], server.folder.path());
        server
    }

    fn home(&self) -> String {
        self.folder.path().display().to_string()
    }

    fn data(&self) -> String {
        format!("{}/data", self.home())
    }

    fn url(&self, database: &str, role: &str) -> String {
        format!("postgres://{role}@127.0.0.1:{}/{database}", self.port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        run("pg_ctl", &["-D", &self.data(), "-m", "immediate", "stop"], self.folder.path());
    }
}

fn is_root() -> bool {
    let output = Command::new("id").arg("-u").output().unwrap();
    output.stdout.starts_with(b"0\n")
}

/// PostgreSQL refuses to run as root.
fn run(program: &str, arguments: &[&str], folder: &Path) {
    let mut command = if is_root() { Command::new("runuser") } else { Command::new(program) };
    if is_root() {
        command.args(["-u", "postgres", "--", program]);
    }
    expect_success(program, &command.args(arguments).current_dir(folder).output().unwrap());
}

fn expect_success(program: &str, output: &Output) {
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}
