//! Databases of a private MariaDB server that runs from a temporary folder, listens on a socket in it and on no port, and ends with the last
//! test that uses it. The server's own defaults are as unlike ours as they can be: what a session means must not depend on them.

use std::path::{Path, PathBuf};
use std::process::Child;
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::{TestDatabase, User, chown, run_as, unprivileged_user};
use crate::crypto::{hex, random_bytes};
use crate::db::{Db, PoolOptions, Sql};

/// A new MariaDB database, then the script; nothing where MariaDB is not installed.
pub(crate) async fn mariadb(script: impl Into<Sql>) -> Option<TestDatabase> {
    let server = tokio::task::spawn_blocking(MariaDb::shared).await.unwrap()?;
    let name = format!("t{}", hex(&random_bytes::<6>().unwrap()));
    let create: &'static str = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci").leak();
    let admin = Db::open(&server.url("mysql"), PoolOptions::default()).await.unwrap();
    admin.session().await.unwrap().on().execute_script(create).await.unwrap();
    admin.close().await;
    let url = server.url(&name);
    let db = Db::open(&url, PoolOptions::default()).await.unwrap();
    db.session().await.unwrap().on().execute_script(script).await.unwrap();
    Some(TestDatabase { db, url, _folder: None, _server: None, _mariadb: Some(server) })
}

/// A running server.
pub(crate) struct MariaDb {
    folder: TempDir,
    process: Mutex<Child>,
}

impl MariaDb {
    /// The server that the tests of this process share, started when the first asks for it.
    fn shared() -> Option<Arc<MariaDb>> {
        static SHARED: Mutex<Weak<MariaDb>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap();
        if let Some(server) = shared.upgrade() {
            return Some(server);
        }
        let server = Arc::new(MariaDb::start()?);
        *shared = Arc::downgrade(&server);
        Some(server)
    }

    /// The address of one of its databases.
    fn url(&self, database: &str) -> String {
        format!("mysql://root@localhost/{database}?socket={}", self.folder.path().join("socket").display())
    }

    fn start() -> Option<MariaDb> {
        let (Some(install), Some(server)) = (program("mariadb-install-db"), program("mariadbd")) else {
            eprintln!("SKIPPED: needs mariadb");
            return None;
        };
        let folder = tempfile::Builder::new().prefix("maria").tempdir_in("/tmp").unwrap();
        let user = unprivileged_user();
        if let Some(User { uid, gid }) = user {
            chown(folder.path(), Some(uid), Some(gid)).unwrap();
        }
        let data = format!("--datadir={}", folder.path().join("data").display());
        let small = ["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M"];
        // Names in the common folder for temporary files are not unique there.
        let made = run_as(user, &install)
            .env("TMPDIR", folder.path())
            .args(["--no-defaults", "--auth-root-authentication-method=normal", "--skip-test-db", "--skip-name-resolve"])
            .arg(&data)
            .args(small)
            .output()
            .unwrap();
        assert!(made.status.success(), "mariadb-install-db: {}", String::from_utf8_lossy(&made.stderr));
        let socket = folder.path().join("socket");
        let process = run_as(user, &server)
            .args([
                "--no-defaults",
                &data,
                "--skip-networking",
                "--skip-name-resolve",
                "--skip-log-bin",
                "--performance-schema=off",
            ])
            .args(small)
            .arg(format!("--tmpdir={}", folder.path().display()))
            .args(["--innodb-flush-log-at-trx-commit=0", "--max-connections=200"])
            .args([
                "--sql-mode=",
                "--character-set-server=latin1",
                "--collation-server=latin1_swedish_ci",
                "--default-time-zone=+05:30",
            ])
            .arg(format!("--socket={}", socket.display()))
            .arg(format!("--pid-file={}", folder.path().join("pid").display()))
            .arg(format!("--log-error={}", folder.path().join("server.log").display()))
            .spawn()
            .unwrap();
        let server = MariaDb { folder, process: Mutex::new(process) };
        server.await_ready();
        Some(server)
    }

    fn await_ready(&self) {
        let log = self.folder.path().join("server.log");
        let give_up_at = Instant::now() + Duration::from_secs(60);
        while !std::fs::read_to_string(&log).is_ok_and(|text| text.contains("ready for connections")) {
            assert!(Instant::now() < give_up_at, "the MariaDB server did not start in time");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        // It is one process, and nobody needs what it has written.
        let process = self.process.get_mut().unwrap();
        let _ = process.kill();
        let _ = process.wait();
    }
}

/// On the path, or where Debian keeps what is for administrators.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")]);
    folders.map(|folder| folder.join(name)).find(|program: &PathBuf| Path::exists(program))
}
