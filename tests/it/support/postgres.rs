//! A private PostgreSQL server for one test process: its own folder, a socket in it and no port, stopped when the process ends, however
//! it ends. The cluster is made once per version and copied, because making one takes seconds and a copy takes a moment.

use std::fs::{self, File};
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::database::Database;
use super::skipped;

/// The superuser of the private server.
const SUPERUSER: &str = "habeas_test";

/// Settings for a server whose data nobody needs tomorrow. Commits stay synchronous, since a ledger insists on it; without fsync they are fast.
const SETTINGS: [&str; 9] = [
    "listen_addresses=",
    "fsync=off",
    "full_page_writes=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "shared_buffers=64MB",
    "max_connections=60",
    "autovacuum=off",
    "unix_socket_permissions=0777",
];

/// A running server.
pub struct Postgres {
    folder: PathBuf,
    // The keeper stops the server when this end of its standard input closes, which also happens when we are killed.
    keeper: Child,
    databases: AtomicU32,
}

/// The server of this test process; `None`, after saying so, where PostgreSQL is not installed.
pub fn postgres() -> Option<&'static Postgres> {
    static SERVER: OnceLock<Option<Postgres>> = OnceLock::new();
    let server = SERVER.get_or_init(|| programs().map(|programs| Postgres::start_with(&programs)));
    if server.is_none() {
        skipped("postgres");
    }
    server.as_ref()
}

/// Folder of `initdb` and `postgres`: the newest that Debian installed, else whatever is on the path.
fn programs() -> Option<PathBuf> {
    let mut installed: Vec<(u32, PathBuf)> = fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    installed.sort();
    let on_path = std::env::var_os("PATH").map(|path| std::env::split_paths(&path).collect::<Vec<_>>()).unwrap_or_default();
    let candidates = installed.into_iter().rev().map(|(_, folder)| folder).chain(on_path);
    candidates.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("postgres").exists())
}

impl Postgres {
    /// Starts a server of its own, beside the one of the process: for tests that stop it or change its settings.
    pub fn start() -> Option<Postgres> {
        let Some(programs) = programs() else {
            skipped("postgres");
            return None;
        };
        Some(Postgres::start_with(&programs))
    }

    fn start_with(programs: &Path) -> Postgres {
        let template = template(programs);
        let folder = tempfile::Builder::new().prefix("habeas-pg-").tempdir().expect("a folder for the server").keep();
        own(&folder);
        run(Command::new("cp").arg("-a").arg(&template).arg(folder.join("data")));
        let log = File::create(folder.join("server.log")).expect("the server's log");
        let mut server = as_server_user("sh");
        // `read` returns when our end of the pipe closes; then the server goes, by its own pid, and its folder with it.
        server.arg("-c").arg(r#""$@" < /dev/null & pid=$!; read -r _; kill -QUIT $pid; wait $pid; rm -rf "$0""#);
        server.arg(&folder).arg(programs.join("postgres"));
        server.arg("-D").arg(folder.join("data")).arg("-k").arg(&folder);
        for setting in SETTINGS {
            server.arg("-c").arg(setting);
        }
        server.stdin(Stdio::piped()).stdout(log.try_clone().expect("the server's log")).stderr(log).process_group(0);
        let keeper = server.spawn().expect("the server starts");
        let server = Postgres { folder, keeper, databases: AtomicU32::new(0) };
        server.await_ready();
        server
    }

    fn await_ready(&self) {
        let deadline = Instant::now() + Duration::from_secs(60);
        let status_file = self.folder.join("data/postmaster.pid");
        // The eighth line of this file says when the server takes connections.
        while !fs::read_to_string(&status_file).is_ok_and(|text| text.lines().nth(7).is_some_and(|line| line.trim() == "ready")) {
            let log = || fs::read_to_string(self.log()).unwrap_or_default();
            assert!(Instant::now() < deadline, "the server did not start:\n{}", log());
            sleep(Duration::from_millis(10));
        }
    }

    /// A fresh, empty database.
    pub fn create_database(&self) -> Database {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        Database::Postgres(self.url("postgres")).script(&format!("CREATE DATABASE {name}"));
        Database::Postgres(self.url(&name))
    }

    /// URL of a database of this server, for sqlx and for libpq alike.
    pub fn url(&self, database: &str) -> String {
        format!("postgres:///{database}?host={}&user={SUPERUSER}", self.folder.display())
    }

    /// The file that the server writes its log into.
    pub fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }

    /// Process id of the server itself.
    pub fn pid(&self) -> u32 {
        let status = fs::read_to_string(self.folder.join("data/postmaster.pid")).expect("the server runs");
        status.lines().next().and_then(|line| line.parse().ok()).expect("a process id")
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        let _ = self.keeper.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// An initialised cluster to copy from, made by whichever test process comes first.
fn template(programs: &Path) -> PathBuf {
    let version = Command::new(programs.join("postgres")).arg("--version").output().expect("postgres --version").stdout;
    let version: String = String::from_utf8_lossy(&version).split_whitespace().nth(2).unwrap_or("unknown").to_owned();
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let template = cache.join(format!("postgres-{version}"));
    let lock = File::create(cache.join(format!("postgres-{version}.lock"))).expect("a lock file");
    lock.lock().expect("the lock");
    if template.join("PG_VERSION").exists() {
        return template;
    }
    // Made elsewhere: the server's user may not be allowed to enter the folder of this project.
    let made = tempfile::Builder::new().prefix("habeas-pg-template-").tempdir().expect("a folder for the template");
    own(made.path());
    let mut initdb = as_server_user(programs.join("initdb"));
    initdb.arg("-D").arg(made.path().join("data")).args([
        "-U",
        SUPERUSER,
        "-A",
        "trust",
        "-E",
        "UTF8",
        "--locale=C.UTF-8",
        "--no-sync",
    ]);
    run(&mut initdb);
    let half = cache.join(format!("postgres-{version}.part"));
    let _ = fs::remove_dir_all(&half);
    run(Command::new("cp").arg("-a").arg(made.path().join("data")).arg(&half));
    fs::rename(&half, &template).expect("the template in place");
    template
}

/// PostgreSQL refuses to run as root; then it runs as `postgres`, or as `nobody` where there is no such user.
pub(super) fn as_server_user(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = match server_user() {
        None => Command::new(program),
        Some(user) => {
            let mut command = Command::new("setpriv");
            command.args(["--reuid", &user, "--regid", &group_of(&user), "--clear-groups"]).arg(program);
            command
        }
    };
    command.current_dir("/").env("LC_ALL", "C");
    command
}

fn server_user() -> Option<String> {
    let we_are_root = fs::metadata("/proc/self").expect("/proc").uid() == 0;
    let known = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let user = if known.lines().any(|line| line.starts_with("postgres:")) { "postgres" } else { "nobody" };
    we_are_root.then(|| user.to_owned())
}

fn group_of(user: &str) -> String {
    let output = Command::new("id").args(["-g", user]).output().expect("id");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

pub(super) fn own(folder: &Path) {
    if let Some(user) = server_user() {
        run(Command::new("chown").arg(user).arg(folder));
    }
}

/// Runs a helper program; its failure is the test's failure.
pub(super) fn run(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    if !output.status.success() {
        let _ = std::io::stderr().write_all(&output.stderr);
        panic!("{command:?} failed: {}", output.status);
    }
}
