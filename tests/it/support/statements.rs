//! Counts what a program asks of a server, from the server's own log: nothing in the program has to be believed.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::database::Database;
use super::postgres::Postgres;
use super::workspace::Workspace;

/// A workspace on a server of its own, whose log has every statement with its time.
pub struct Logged {
    /// The folder of the operator.
    pub workspace: Workspace,
    log: PathBuf,
    // Last, so that the server outlives those who use it.
    _server: Postgres,
}

/// What a server was asked.
#[derive(Debug, Clone, Copy)]
pub struct Asked {
    /// Statements carried out.
    pub statements: usize,
    /// What the server took for them: parsing, planning and carrying out.
    pub time: Duration,
}

impl Logged {
    /// `None`, after saying so, where PostgreSQL is not installed.
    pub fn open(script: &str, map: &str) -> Option<Logged> {
        let server = Postgres::start()?;
        let database = server.create_database();
        database.script(script);
        let Database::Postgres(url) = &database else { unreachable!("it was made by PostgreSQL") };
        let name = url.split(['/', '?']).find(|part| part.starts_with("test_")).expect("the name of the database");
        database.script(&format!("ALTER DATABASE {name} SET log_min_duration_statement = 0"));
        let log = server.log();
        Some(Logged { workspace: Workspace::on(database, map), log, _server: server })
    }

    /// Runs something, and tells what the server was asked meanwhile.
    pub fn asked<T>(&self, run: impl FnOnce(&Workspace) -> T) -> (T, Asked) {
        let before = read(&self.log).len();
        let result = run(&self.workspace);
        (result, asked_in(&read(&self.log)[before..]))
    }
}

fn read(log: &Path) -> String {
    std::fs::read_to_string(log).expect("the server's log")
}

/// A statement sent with arguments is logged three times: as it is parsed, bound and carried out.
fn asked_in(log: &str) -> Asked {
    let mut asked = Asked { statements: 0, time: Duration::ZERO };
    for line in log.lines() {
        let Some((_, told)) = line.split_once("LOG:  duration: ") else { continue };
        let Some((milliseconds, what)) = told.split_once(" ms  ") else { continue };
        asked.time += Duration::from_secs_f64(milliseconds.parse::<f64>().expect("a number") / 1e3);
        asked.statements += usize::from(what.starts_with("execute") || what.starts_with("statement"));
    }
    asked
}
