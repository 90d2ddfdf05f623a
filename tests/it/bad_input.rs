//! Bad input, each kind once: a clear message, the documented exit code, nothing touched and nothing half-made.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::support::archive::Archive;
use super::support::binary::program;
use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::sqlite;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (13, 2, 5);"
    )
}

fn shop() -> String {
    map(&[collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]), users()])
}

fn access() -> Value {
    json!({"kind": "access", "subject": ada()})
}

fn archives(workspace: &Workspace) -> Vec<String> {
    let Ok(entries) = fs::read_dir(workspace.path("archives")) else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[test]
fn a_mistake_in_the_data_map_is_told_with_its_line_before_anything_is_read() {
    let good = shop();
    let cases = [
        (good.replace("on_erasure", "on_erasur"), "on_erasur", "on_erasure"),
        (good.replace("        fields:", "        feilds:"), "feilds", "fields"),
        (good.replace("name: total", "name: total, data_categories: [user.finanical]"), "user.finanical", "user.financial"),
        (good.replace("field: users.id", "field: user.id"), "user", "users"),
        (good.replace("field: users.id", "field: users.idd"), "idd", "id"),
        (good.replace("dataset: app, field", "dataset: ap, field"), "ap", "app"),
        (format!("{good}{}", users()), "users", "twice"),
        (good.replace("on_erasure: delete", "on_erasure: destroy"), "destroy", "delete"),
        (good.replace("direction: from", "direction: form"), "form", "from"),
        (
            good.replace("name: email, fides_meta: {identity: email}", "name: email, fides_meta: {identity: [email]}"),
            "identity",
            "",
        ),
    ];
    for (map, wrong, right) in cases {
        assert_ne!(map, good, "{wrong}");
        let workspace = Workspace::sqlite(&script(), &map);
        let before = workspace.database.dump();
        for job in [erasure_of(&ada()), access()] {
            let said = run(&workspace, &job).code(2);
            let text = said.stderr;
            let line =
                text.split("datamap/app.yml:").nth(1).and_then(|rest| rest.split(':').next()).and_then(|n| n.parse::<u32>().ok());
            assert!(line.is_some_and(|line| line > 0), "a line: {text}");
            assert!(text.contains(wrong) && text.contains(right), "`{wrong}`, `{right}`: {text}");
        }
        workspace.habeas("map check").run().code(2);
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
        assert_eq!(archives(&workspace), [] as [&str; 0]);
    }
}

#[test]
fn a_table_or_column_that_is_not_there_stops_an_erasure_before_anything_is_touched() {
    for (right, wrong) in [("name: orders", "name: order"), ("name: total", "name: totl")] {
        for workspace in Workspace::on_each(&script(), &shop().replace(right, wrong)) {
            let before = workspace.database.dump();
            let said = erase_ada(&workspace).code(2);
            assert!(said.stderr.contains("hint:"), "{}", said.stderr);
            assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
            let said = run(&workspace, &access());
            assert_ne!(said.code, Some(0), "an archive that silently lacks it: {}", said.stdout);
        }
    }
}

#[test]
fn a_job_with_a_mistake_is_told_with_its_line_and_without_its_values() {
    let workspace = Workspace::sqlite(&script(), &shop());
    let before = workspace.database.dump();
    for (text, names) in [
        (r#"{"kind": "erasure", "subjekt": {"email": "hedy@example.com"}}"#, "subjekt"),
        (r#"{"kind": "erase", "subject": {"email": "hedy@example.com"}}"#, "kind"),
        (r#"{"kind": "erasure"}"#, "subject"),
        (r#"{"kind": "erasure", "subject": {}}"#, "subject"),
        (r#"{"kind": "erasure", "subject": {"email": ""}}"#, "email"),
        (r#"{"kind": "erasure", "subject": {"email": ["hedy@example.com"]}}"#, "email"),
        (r#"{"kind": "erasure", "subject": {"phone": "hedy@example.com"}}"#, "phone"),
        (r#"{"kind": "erasure", "subject": {"email": "hedy@example.com"}, "policy": "none"}"#, "policy"),
        (r#"{"kind": "erasure", "subject": {"email": "hedy@example.com"}, "approval": "three"}"#, "approval"),
        (r#"{"kind": "access", "subject": {"email": "hedy@example.com"}, "categories": ["user.contakt"]}"#, "user.contakt"),
        (r#"{"kind": "erasure", "subject": {"email": "hedy@example.com"}"#, "is not JSON"),
        ("", "standard input"),
        ("[]", ""),
    ] {
        for verb in ["run - --no-input", "submit -", "plan -"] {
            let said = workspace.habeas(verb).input(text).run().code(2);
            assert!(said.stderr.contains(names), "{verb} {text}: {}", said.stderr);
            assert!(!said.stderr.contains("hedy@"), "S-1: {}", said.stderr);
        }
    }
    workspace.habeas("run none.json").run().code(2);
    workspace.habeas("run jobs").run().code(2);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    assert_eq!(workspace.habeas("request list --json").run().code(0).json(), json!([]));
}

#[test]
fn a_misspelt_kind_of_identifier_is_refused_with_the_kind_that_was_meant() {
    let workspace = Workspace::sqlite(&script(), &shop());
    for (subject, wrong, right) in [
        (json!({"emial": "ada@example.com"}), "`emial`", "did you mean `email`?"),
        (json!({"email": "ada@example.com", "userid": "1"}), "`userid`", "did you mean `user_id`?"),
    ] {
        for verb in ["run - --no-input", "submit -", "plan -"] {
            let said = workspace.habeas(verb).input(erasure_of(&subject).to_string()).run().code(2);
            let text = said.stderr;
            assert!(text.contains(wrong) && text.contains(right) && text.contains("email, user_id"), "{verb}: {text}");
            assert!(!text.contains("ada@"), "S-1: {text}");
        }
        let hold = json!({"matter": "M-1", "reason": "litigation", "scope": {"subject": subject}});
        let said = workspace.habeas("hold place - --by grace").input(hold.to_string()).run().code(2);
        assert!(said.stderr.contains(wrong) && said.stderr.contains(right), "H-1: it would keep nobody's: {}", said.stderr);
    }
    let swapped = json!({"matter": "M-1", "reason": "litigation", "scope": {"subject": {"ada@example.com": "email"}}});
    let said = workspace.habeas("hold place - --by grace").input(swapped.to_string()).run().code(2);
    assert!(!said.stderr.contains("ada@"), "S-1: {}", said.stderr);
    let job = json!({"kind": "access", "subject": {"email": "ada@example.com", "passport": "X1"}});
    let said = workspace.habeas("plan -").input(job.to_string()).run().code(0);
    assert!(said.stderr.contains("`subject.passport`") && said.stderr.contains("email, user_id"), "{}", said.stderr);
}

#[test]
fn i_1_a_space_in_an_identifier_is_told_and_names_somebody_else() {
    let script = format!("{} INSERT INTO users (id, email) VALUES (77, 'ada@example.com ');", script());
    let workspace = Workspace::sqlite(&script, &shop());
    let plan = |email: &str| {
        let said = workspace.habeas("plan - --json").input(erasure_of(&json!({"email": email})).to_string()).run();
        (said.json()["found"].as_u64(), said.stderr)
    };
    let (plain, told) = plan("ada@example.com");
    assert!(plain > Some(1) && !told.contains("space"), "{told}");
    let (spaced, told) = plan("ada@example.com ");
    assert_eq!(spaced, Some(1), "the other person, and not the one without the space: {told}");
    assert!(told.contains("`subject.email` ends with a space") && !told.contains("ada@"), "{told}");
    let job = erasure_of(&json!({"email": "ada @example.com"})).to_string();
    assert!(workspace.habeas("submit -").input(job).run().code(0).stderr.contains("an address with a space in it"));
}

#[test]
fn the_only_source_unreachable_is_partial_and_says_which() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
        let nowhere = match &workspace.database {
            Database::Sqlite(_) => config.replace("app.db", "away.db"),
            Database::Postgres(_) | Database::MariaDb { .. } => config.replace("/test_", "/none_"),
        };
        assert_ne!(nowhere, config);
        workspace.write("habeas.yaml", &nowhere);
        let before = workspace.database.dump();
        for job in [access(), erasure_of(&ada())] {
            let said = run(&workspace, &job);
            assert!(matches!(said.code, Some(1 | 3)), "{:?} {}", said.code, said.stderr);
            assert!(format!("{}{}", said.stdout, said.stderr).contains("app"), "{}", said.stderr);
            assert_ne!(said.json()["status"], "completed", "V-2: {}", said.stdout);
            assert_ne!(said.json()["certificate"]["outcome"], "complete");
        }
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
}

#[test]
fn a_role_without_the_right_to_delete_is_told_so_by_the_plan() {
    let Some(workspace) = Workspace::postgres(&script(), &shop()) else { return };
    let Database::Postgres(url) = workspace.database.clone() else { unreachable!() };
    let role = format!("reader_{}", std::process::id());
    workspace.database.script(&format!(
        "DROP ROLE IF EXISTS {role}; CREATE ROLE {role} LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role};
         GRANT DELETE, UPDATE ON users TO {role};"
    ));
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    let as_reader = url.replace("user=habeas_test", &format!("user={role}"));
    assert_ne!(as_reader, url);
    workspace.write("habeas.yaml", &config.replace(&url, &as_reader));
    let before = workspace.database.dump();
    run(&workspace, &access()).code(0);
    let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
    let problem = plan["problems"].as_array().unwrap().iter().find(|problem| problem["subject"].to_string().contains("orders"));
    assert!(problem.is_some_and(|problem| problem.to_string().to_lowercase().contains("delete")), "{plan}");
    let said = erase_ada(&workspace).code(2);
    assert!(said.stderr.contains("orders"), "{}", said.stderr);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "not even the part that it may delete");
    workspace.database.script(&format!("DROP OWNED BY {role}; DROP ROLE {role}"));
}

#[test]
fn a_source_that_is_read_only_gives_an_archive_and_no_erasure() {
    let workspaces = Workspace::on_each(&script(), &shop());
    for workspace in workspaces {
        let before = workspace.database.dump();
        match &workspace.database {
            Database::MariaDb { .. } => workspace.database.script("SET GLOBAL read_only = 1"),
            Database::Sqlite(path) => fs::set_permissions(path, fs::Permissions::from_mode(0o444)).unwrap(),
            Database::Postgres(_) => {
                let name = workspace.database.psql("SELECT current_database()");
                workspace.database.script(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", name.trim()));
            }
        }
        if is_root() && matches!(workspace.database, Database::Sqlite(_)) {
            // Root may write what nobody may: a file system that is read-only tells root as well, but needs a mount.
            continue;
        }
        run(&workspace, &access()).code(0);
        let said = erase_ada(&workspace);
        assert!(matches!(said.code, Some(1 | 2)), "{:?} {}", said.code, said.stderr);
        assert_eq!(Database::Sqlite(workspace.path("habeas.db")).count("certificate"), 0);
        assert_eq!(before, workspace.database.dump(), "{}", said.stderr);
    }
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").expect("/proc").uid() == 0
}

#[test]
fn a_ledger_of_a_newer_version_is_left_alone_by_every_verb() {
    let workspace = Workspace::sqlite(&script(), &shop());
    workspace.habeas("request list").run().code(0);
    sqlite::script(&workspace.path("habeas.db"), "INSERT INTO schema_version (version) VALUES (4711)");
    let before = workspace.database.dump();
    let ledger = fs::read(workspace.path("habeas.db")).unwrap();
    for job in [erasure_of(&ada()), access()] {
        let said = run(&workspace, &job).code(1);
        assert!(said.stderr.contains("4711") && said.stderr.contains("hint:"), "{}", said.stderr);
    }
    workspace.habeas("worker --once").run().code(1);
    workspace.habeas("sweep").run().code(1);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    assert_eq!(fs::read(workspace.path("habeas.db")).unwrap(), ledger, "not a byte of it changes");
}

#[test]
fn a_locked_ledger_loses_no_request_and_tells_who_asked() {
    let workspace = Workspace::sqlite(&script(), &shop());
    workspace.habeas("request list").run().code(0);
    let ledger = workspace.path("habeas.db");
    let lock = Lock::take(&ledger);
    let mut asking = workspace.habeas("submit -").input(access().to_string()).start();
    // It waits its turn for a while, and then says that it could not have it.
    let ended = asking.until(Duration::from_secs(120), || false) || asking.has_ended();
    assert!(ended, "it does not wait for ever");
    let said = asking.finish().code(1);
    assert_eq!(said.stdout, "", "Q-1: nothing is acknowledged");
    assert!(said.stderr.contains("busy") && said.stderr.contains("hint:"), "{}", said.stderr);
    drop(lock);
    assert_eq!(Database::Sqlite(ledger).count("request"), 0);
    workspace.habeas("submit -").input(access().to_string()).run().code(0);
    workspace.habeas("worker --once").run().code(0);
    assert_eq!(archives(&workspace).len(), 1);
}

/// Somebody who holds the ledger's write lock, and lets it go when dropped.
struct Lock {
    release: Option<std::sync::mpsc::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Lock {
    fn take(path: &Path) -> Lock {
        use habeas_data::db::{Db, PoolOptions};
        let url = format!("sqlite:{}", path.display());
        let (release, released) = std::sync::mpsc::channel::<()>();
        let (taken, is_taken) = std::sync::mpsc::channel::<()>();
        let thread = std::thread::spawn(move || {
            super::support::wait_for(async {
                let db = Db::open(&url, PoolOptions { connections: 1, ..PoolOptions::default() }).await.expect("the lock");
                let mut session = db.session().await.expect("the lock");
                session.on().execute_script("BEGIN IMMEDIATE").await.expect("the lock");
                taken.send(()).expect("the lock");
                let _ = released.recv();
                session.on().execute_script("ROLLBACK").await.expect("the lock");
            });
        });
        is_taken.recv().expect("the lock");
        Lock { release: Some(release), thread: Some(thread) }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        drop(self.release.take());
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// A person with so much data that a small disk does not take their archive.
fn large() -> Workspace {
    let rows = "INSERT INTO orders WITH RECURSIVE n (i) AS (SELECT 100 UNION ALL SELECT i + 1 FROM n WHERE i < 60000) SELECT i, 1, abs(random()) FROM n;";
    Workspace::sqlite(&format!("{} {rows}", script()), &shop())
}

/// What is true after an export that ran out of room: nothing is published, and with room it is done after all.
fn assert_nothing_half_made(workspace: &Workspace, room: impl FnOnce()) {
    let finished: Vec<String> = archives(workspace).into_iter().filter(|name| name.ends_with(".zip")).collect();
    assert_eq!(finished, [] as [&str; 0], "no half archive is ever published");
    let request = workspace.habeas("request list --json").run().code(0).json()[0].clone();
    assert_ne!(request["status"], "completed");
    assert_eq!(workspace.habeas("journal show --json").run().code(0).json().to_string().matches("archive_published").count(), 0);
    room();
    let code = request["code"].as_str().expect("text");
    // Dead or waiting for another try, both are taken up again.
    workspace.habeas(&format!("request retry {code} --by grace")).run();
    sqlite::script(&workspace.path("habeas.db"), "UPDATE job SET run_at = 0 WHERE state = 'ready'");
    workspace.habeas("worker --once").run().code(0);
    let done = workspace.habeas(&format!("request show {code} --json")).run().code(0).json();
    assert_eq!(done["status"], "completed", "{done}");
    let path = done["archive"]["path"].as_str().expect("text");
    workspace.habeas(&format!("archive verify {path}")).run().code(0);
    assert!(Archive::open(&workspace.path(path)).rows("app/orders").len() > 50_000);
    assert_eq!(archives(workspace).len(), 1, "and nothing is left of the first try");
}

#[test]
fn x_1_a_disk_that_is_full_publishes_no_archive() {
    let workspace = large();
    let folder = workspace.path("archives");
    fs::create_dir_all(&folder).unwrap();
    let mounted =
        is_root() && program("mount").args(["-t", "tmpfs", "-o", "size=256k", "none"]).args([&folder]).run().code == Some(0);
    if !mounted {
        // The limit of a file's size fails in the same way, at the same call.
        let habeas = env!("CARGO_BIN_EXE_habeas");
        let script = format!("trap '' XFSZ; ulimit -f 512; exec {habeas} run - --no-input --json");
        let said = program("sh").args(["-c", &script]).folder(workspace.root()).input(access().to_string()).run();
        assert_eq!(said.code, Some(1), "{}", said.stderr);
        return assert_nothing_half_made(&workspace, || {});
    }
    let said = run(&workspace, &access());
    let unmount = || assert_eq!(program("umount").args([&folder]).run().code, Some(0));
    if said.code != Some(1) {
        unmount();
        panic!("{:?}\n{}", said.code, said.stderr);
    }
    let names = archives(&workspace);
    let checked = std::panic::catch_unwind(|| assert!(!names.iter().any(|name| name.ends_with(".zip")), "{names:?}"));
    unmount();
    checked.expect("nothing is published");
    assert!(said.stderr.contains("space") || said.stderr.contains("archive"), "{}", said.stderr);
    assert!(!said.stderr.contains("ada@"), "S-1");
    assert_nothing_half_made(&workspace, || {});
}
