//! A ledger, a source and the few people that the scenarios need, on SQLite or on a private PostgreSQL server.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use futures_util::future::BoxFuture;
use jiff::Timestamp;
use tempfile::TempDir;

use crate::args;
use crate::clock::FixedClock;
use crate::crypto::Keys;
use crate::datamap::DataMap;
use crate::db::{Db, Dialect, PoolOptions, Tx};
use crate::erase::{self, DrainReport, Permit, PermitError, PermitRequest, SessionError, SessionKiller};
use crate::hold::{HoldFile, HoldSet, NewHold, sample};
use crate::ledger::hold::{self, Placed};
use crate::ledger::hold_set::load_active;
use crate::ledger::permit::Attempt;
use crate::ledger::{Ledger, LedgerError};
use crate::subject::Identifier;

pub(super) const ADA: &str = r#"{"subject": {"email": "ada@example.com"}}"#;

pub(super) struct World {
    pub(super) ledger: Ledger,
    pub(super) source: Db,
    pub(super) keys: Keys,
    pub(super) map: DataMap,
    folder: TempDir,
}

impl World {
    pub(super) async fn on_sqlite() -> World {
        let folder = tempfile::tempdir().unwrap();
        let ledger = format!("sqlite:{}", folder.path().join("ledger.db").display());
        let source = format!("sqlite:{}", folder.path().join("source.db").display());
        World::open(folder, &ledger, &source).await
    }

    pub(super) async fn on_postgres(server: &Server, database: &str) -> World {
        let url = server.new_database(database).await;
        World::open(tempfile::tempdir().unwrap(), &url, &url).await
    }

    async fn open(folder: TempDir, ledger: &str, source: &str) -> World {
        let ledger = Ledger::open(ledger).await.unwrap();
        let options = PoolOptions { connections: 8, create: true, wal: true, ..PoolOptions::default() };
        let source = Db::open(source, options).await.unwrap();
        Keys::create_missing(folder.path()).unwrap();
        let keys = Keys::load(folder.path()).unwrap();
        let world = World { ledger, source, keys, map: sample::map(), folder };
        // A job at work, as permits look for it.
        world
            .script(
                "INSERT INTO job (id, duty, lane, state, format, priority, due_at, run_at, attempt, failures, max_attempts, lease_until,
                                  payload, cancel_requested, rerun, created_at)
                 VALUES ('job', 'answer', 'lane', 'running', 1, 0, 0, 0, 1, 0, 16, 9000000000000000, '{}', 0, 0, 0)",
            )
            .await;
        world
    }

    pub(super) async fn script(&self, sql: &'static str) {
        self.ledger.db().session().await.unwrap().on().execute_script(sql).await.unwrap();
    }

    pub(super) async fn tx(&self) -> Tx {
        self.ledger.begin().await.unwrap()
    }

    /// Other keys than those that sealed what is in the ledger.
    pub(super) fn other_keys(&self) -> Keys {
        let folder = self.folder.path().join("other");
        Keys::create_missing(&folder).unwrap();
        Keys::load(&folder).unwrap()
    }

    pub(super) fn aliases(&self, email: &str) -> Vec<String> {
        vec![self.keys.alias_ref(&Identifier::new("email", email))]
    }

    pub(super) async fn place(&self, matter: &str, scope: &str) -> Placed {
        let text = format!(r#"{{"matter": "{matter}", "reason": "litigation", "scope": {scope}}}"#);
        let new = NewHold::check(HoldFile::parse(&text).unwrap(), &self.map, &[]).unwrap();
        let mut tx = self.tx().await;
        let placed = hold::place(&mut tx, &self.keys, &new, "ines", noon()).await.unwrap();
        tx.commit().await.unwrap();
        placed
    }

    pub(super) async fn drain(&self, hold_id: &str, patience: Duration) -> DrainReport {
        erase::drain(&self.ledger, hold_id, self, patience, &FixedClock(noon())).await.unwrap()
    }

    pub(super) async fn holds(&self) -> HoldSet {
        load_active(&mut self.tx().await, &self.keys, &self.map).await.unwrap()
    }

    pub(super) async fn open_permit(&self, request: PermitRequest) -> Result<Permit, PermitError> {
        erase::open(self.tx().await, &self.keys, &self.map, request).await?.commit().await
    }

    pub(super) fn request(&self, request_id: &str) -> PermitRequest {
        PermitRequest {
            request_id: request_id.into(),
            attempt: Attempt { job_id: "job".into(), number: 1 },
            source: "app".into(),
            batch_no: 0,
            digest: "sha256:batch".into(),
            record_count: 3,
            aliases: self.aliases("ada@example.com"),
            ttl: Duration::from_secs(5),
        }
    }
}

/// Ends source sessions as the contract says: PostgreSQL by name, SQLite by waiting for the write lock.
impl SessionKiller for World {
    fn end_session<'a>(
        &'a self,
        _source: &'a str,
        permit_id: &'a str,
        _left: std::time::Duration,
    ) -> BoxFuture<'a, Result<(), SessionError>> {
        let failed = |error: crate::db::DbError| SessionError(error.to_string());
        Box::pin(async move {
            let mut tx = self.source.begin().await.map_err(failed)?;
            if tx.dialect() == Dialect::Postgres {
                // With a timeout the function waits until the backend is gone.
                let sql =
                    "SELECT COUNT(pg_terminate_backend(pid, 5000)) AS ended FROM pg_stat_activity WHERE application_name = $1";
                tx.on().fetch_one(sql, args![permit_id]).await.map_err(failed)?;
            }
            tx.rollback().await.map_err(failed)
        })
    }
}

pub(super) fn noon() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

/// Days after [`noon`].
pub(super) fn noon_after(days: i64) -> Timestamp {
    noon() + jiff::SignedDuration::from_hours(24 * days)
}

pub(super) fn is_stale(error: &PermitError) -> bool {
    matches!(error, PermitError::Ledger(LedgerError::Stale))
}

/// A private PostgreSQL server that listens on a socket in a temporary folder only.
pub(super) struct Server {
    folder: TempDir,
}

impl Server {
    /// `None`, with a word on stderr, where PostgreSQL is not installed.
    pub(super) fn start() -> Option<Server> {
        if Command::new("initdb").arg("--version").output().is_err() {
            eprintln!("SKIPPED: needs initdb and pg_ctl (PostgreSQL)");
            return None;
        }
        let folder = tempfile::tempdir().unwrap();
        // The server refuses to run as root, and whoever runs it must be able to write here.
        let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
        std::fs::set_permissions(folder.path(), open).unwrap();
        let data = folder.path().join("data");
        let settings = format!("-c listen_addresses='' -c unix_socket_directories={} -c fsync=off", folder.path().display());
        run("initdb", &["-D".as_ref(), &data, "-U".as_ref(), "postgres".as_ref(), "-A".as_ref(), "trust".as_ref()]);
        let log = folder.path().join("log");
        let start: [&Path; 8] =
            ["-D".as_ref(), &data, "-l".as_ref(), &log, "-w".as_ref(), "-o".as_ref(), settings.as_ref(), "start".as_ref()];
        run("pg_ctl", &start);
        Some(Server { folder })
    }

    fn url(&self, database: &str) -> String {
        format!("postgres://postgres@localhost/{database}?host={}", self.folder.path().display())
    }

    async fn new_database(&self, name: &str) -> String {
        let server = Db::open(&self.url("postgres"), PoolOptions::default()).await.unwrap();
        let sql: &'static str = format!("CREATE DATABASE {name}").leak();
        server.session().await.unwrap().on().execute_script(sql).await.unwrap();
        self.url(name)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let data: PathBuf = self.folder.path().join("data");
        run("pg_ctl", &["-D".as_ref(), &data, "-m".as_ref(), "immediate".as_ref(), "stop".as_ref()]);
    }
}

fn run(program: &str, arguments: &[&Path]) {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|this| std::os::unix::fs::MetadataExt::uid(&this) == 0);
    let mut command = match is_root {
        true => Command::new("runuser"),
        false => Command::new(program),
    };
    if is_root {
        command.args(["-u", "postgres", "--", program]);
    }
    let status = command.args(arguments).current_dir("/").stdout(std::process::Stdio::null()).status().unwrap();
    assert!(status.success(), "{program} failed");
}
