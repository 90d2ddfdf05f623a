//! A private MariaDB server for one test process: its own folder, a socket in it and no port, stopped when the process ends, however it ends.
//! Its defaults are as unlike ours as they can be, because what a session of ours means must not depend on them.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::database::Database;
use super::postgres::{as_server_user, own, run};
use super::skipped;

const SETTINGS: [&str; 14] = [
    "--no-defaults",
    "--skip-networking",
    "--skip-name-resolve",
    "--skip-log-bin",
    "--performance-schema=off",
    "--innodb-log-file-size=4M",
    "--innodb-buffer-pool-size=64M",
    "--innodb-flush-log-at-trx-commit=0",
    "--innodb-fast-shutdown=2",
    "--max-connections=100",
    "--sql-mode=",
    "--character-set-server=latin1",
    "--collation-server=latin1_swedish_ci",
    "--default-time-zone=+05:30",
];

/// A running server.
pub struct MariaDb {
    folder: PathBuf,
    // The keeper stops the server when this end of its standard input closes, which also happens when we are killed.
    keeper: Child,
    databases: AtomicU32,
}

/// The server of this test process; `None`, after saying so, where MariaDB is not installed.
pub fn mariadb() -> Option<&'static MariaDb> {
    static SERVER: OnceLock<Option<MariaDb>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let programs = (program("mariadb-install-db")?, program("mariadbd")?);
        program("mariadb")?;
        Some(MariaDb::start_with(&programs.0, &programs.1))
    });
    if server.is_none() {
        skipped("mariadb");
    }
    server.as_ref()
}

/// On the path, or where Debian keeps what is for administrators.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/bin")]);
    folders.map(|folder| folder.join(name)).find(|program| program.exists())
}

impl MariaDb {
    fn start_with(install: &Path, server: &Path) -> MariaDb {
        let folder = tempfile::Builder::new().prefix("habeas-maria-").tempdir().expect("a folder for the server").keep();
        own(&folder);
        let data = format!("--datadir={}", folder.join("data").display());
        let mut make = as_server_user(install);
        // Names in the common folder for temporary files are not unique there.
        make.env("TMPDIR", &folder).args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--skip-name-resolve",
        ]);
        run(make.args(["--innodb-log-file-size=4M", "--innodb-buffer-pool-size=32M"]).arg(&data));
        let log = File::create(folder.join("server.log")).expect("the server's log");
        let mut keeper = as_server_user("sh");
        // `read` returns when our end of the pipe closes; then the server goes, by its own pid, and its folder with it.
        keeper.arg("-c").arg(r#""$@" < /dev/null & pid=$!; read -r _; kill -KILL $pid; wait $pid; rm -rf "$0""#);
        keeper.arg(&folder).arg(server).args(SETTINGS).arg(&data);
        keeper.arg(format!("--tmpdir={}", folder.display()));
        keeper.arg(format!("--socket={}", folder.join("socket").display()));
        keeper.arg(format!("--pid-file={}", folder.join("pid").display()));
        keeper.stdin(Stdio::piped()).stdout(log.try_clone().expect("the server's log")).stderr(log).process_group(0);
        let keeper = keeper.spawn().expect("the server starts");
        let server = MariaDb { folder, keeper, databases: AtomicU32::new(0) };
        server.await_ready();
        server
    }

    fn await_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let log = || fs::read_to_string(self.folder.join("server.log")).unwrap_or_default();
        while !log().contains("ready for connections") {
            assert!(Instant::now() < deadline, "the server did not start:\n{}", log());
            sleep(Duration::from_millis(10));
        }
    }

    /// A fresh, empty database whose text compares as it does by default: without regard to case.
    pub fn create_database(&self) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let create = format!("CREATE DATABASE {name} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci");
        Database::MariaDb { socket: self.socket(), name: "mysql".into() }.script(&create);
        Database::MariaDb { socket: self.socket(), name }
    }

    fn socket(&self) -> PathBuf {
        self.folder.join("socket")
    }
}

impl Drop for MariaDb {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// What the client prints for a script: a line for each row, its columns apart by tabs, nothing escaped.
pub(super) fn client(socket: &Path, database: &str, sql: &str) -> String {
    use std::io::Write;
    let mut client = Command::new("mariadb")
        .args(["--no-defaults", "--user=root", "--batch", "--raw", "--skip-column-names", "--default-character-set=utf8mb4"])
        .arg("--init-command=SET sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES', time_zone = '+00:00'")
        .arg(format!("--socket={}", socket.display()))
        .arg(database)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    // A thread feeds it, since a long script and a long answer would otherwise wait for each other.
    let mut input = client.stdin.take().expect("standard input");
    let script = sql.to_owned();
    let feeder = std::thread::spawn(move || input.write_all(script.as_bytes()));
    let output = client.wait_with_output().expect("the client ends");
    let _ = feeder.join();
    assert!(output.status.success(), "mariadb: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).expect("UTF-8")
}
