//! The harness itself: what other tests trust without looking.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use habeas_data::args;
use habeas_data::db::{Db, PoolOptions};
use serde_json::json;

use super::support::binary::{habeas, program};
use super::support::database::difference;
use super::support::postgres::{Postgres, postgres};
use super::support::wait_for;
use super::support::workspace::Workspace;

const SCRIPT: &str =
    "CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT); INSERT INTO notes VALUES (1, 'one'), (2, NULL), (3, 'three');";

#[test]
fn both_kinds_of_database_look_the_same() {
    for workspace in Workspace::on_each(SCRIPT, "dataset: []\n") {
        let before = workspace.database.dump();
        assert_eq!(before["notes"].len(), 3, "{:?}", workspace.database);
        workspace.database.script("DELETE FROM notes WHERE id = 1; UPDATE notes SET body = '' WHERE id = 2");
        let expected = json!({"notes": {
            "rows_before": [{"id": 1, "body": "one"}, {"id": 2, "body": null}],
            "rows_after": [{"id": 2, "body": ""}],
        }});
        let mut changed = difference(&before, &workspace.database.dump());
        // SQLite writes the columns in their order, PostgreSQL too, but the sort is by text: compare as sets.
        changed["notes"]["rows_before"].as_array_mut().unwrap().sort_by_key(|row| row["id"].as_i64());
        assert_eq!(changed, expected);
        assert_eq!(workspace.database.count("notes WHERE body IS NULL"), 0);
    }
}

#[test]
fn the_library_reaches_the_private_server_by_its_url() {
    let Some(server) = postgres() else { return };
    let db = server.create_database();
    let super::support::database::Database::Postgres(url) = &db else { unreachable!("it is PostgreSQL") };
    let one = wait_for(async {
        let db = Db::open(url, PoolOptions::default()).await.unwrap();
        let mut session = db.session().await.unwrap();
        session.on().fetch_one("SELECT $1 AS n", args![41i64]).await.unwrap().int("n").unwrap()
    });
    assert_eq!(one, 41);
    assert_ne!(db, server.create_database(), "each test has its own");
}

#[test]
fn a_dropped_server_is_gone_with_its_folder() {
    let Some(server) = Postgres::start() else { return };
    let pid = server.pid();
    let url = server.url("postgres");
    let folder = url.split("host=").nth(1).unwrap().split('&').next().unwrap().to_owned();
    assert!(Path::new(&folder).exists());
    drop(server);
    assert!(!Path::new(&folder).exists());
    let deadline = Instant::now() + Duration::from_secs(10);
    while Path::new(&format!("/proc/{pid}")).exists() {
        assert!(Instant::now() < deadline, "the server is still there");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_built_program_runs_and_is_listened_to() {
    let said = habeas().args(["--help"]).run().code(0);
    assert!(said.stderr.is_empty(), "{}", said.stderr);
    let workspace = Workspace::sqlite(SCRIPT, "dataset: []\n");
    assert!(workspace.job("nothing", &json!({"kind": "access"})).starts_with(workspace.root().join("jobs")));
    assert!(workspace.root().starts_with(workspace.home()));
    workspace.habeas("--help").run().code(0);
    assert_eq!(program("cat").input(r#"{"heard": "ää"}"#).run().code(0).json()["heard"], "ää");
    assert_eq!(program("sh").args(["-c", "echo out; echo err >&2; exit 3"]).run().code(3).stderr, "err\n");
}

#[test]
fn a_running_program_can_be_watched_and_killed() {
    let folder = tempfile::tempdir().unwrap();
    let sign = folder.path().join("sign");
    let mut running = program("sh").args(["-c", "touch \"$0\"; exec sleep 600"]).args([&sign]).start();
    assert!(running.until(Duration::from_secs(30), || sign.exists()));
    assert!(running.until(Duration::from_secs(30), || Path::new("/proc/self").exists()) && !running.has_ended());
    assert!(running.peak_memory().is_some_and(|bytes| bytes > 0));
    assert!(!running.visible_arguments().is_empty());
    assert!(!running.until(Duration::from_millis(20), || false));
    assert_eq!(running.kill().code, None, "a signal ended it");
}

#[test]
fn nothing_of_the_project_points_at_this_machine() {
    // A path of the machine that the tests run on must not have slipped into a file that is checked in.
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let found = Command::new("git").current_dir(root).args(["grep", "-l", "-F", &root.display().to_string()]).output();
    let Ok(found) = found else { return };
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
}
