//! One person with a million rows in one table and a fifth as many in another, on a private PostgreSQL: how long handing over and erasing
//! take, and how much memory, beside the plainest tools on the same server: `psql COPY | gzip -6`, and one `DELETE` of the same rows.
//! `cargo bench --bench million_rows`; `HABEAS_BENCH_ROWS=50000` makes it small. It fails when a result is wrong or memory grows.

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the harness of the integration tests has more than a benchmark needs")]
mod support;

mod measure;

use std::process::ExitCode;
use std::time::Duration;

use measure::{Measured, measure};
use serde_json::{Value, json};
use support::database::Database;
use support::postgres::postgres;
use support::workspace::Workspace;

/// The most memory that the program may use, whatever the person's size.
const MEMORY_LIMIT: u64 = 150 * 1024 * 1024;

/// The subject among other people, so that looking rows up by person is worth an index.
const SUBJECT: &str = "subject@example.com";

const MAP: &str = "
dataset:
  - fides_key: app
    collections:
      - name: people
        habeas: {on_erasure: delete, purpose: account, legal_basis: art6_1_b, provided: by_subject}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email, data_type: string}}
      - name: entries
        habeas: {on_erasure: delete, purpose: time tracking, legal_basis: art6_1_b, provided: by_subject}
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - name: person_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: app, field: people.id, direction: from}]}
          - {name: started_at, data_categories: [user.behavior]}
          - {name: ended_at, data_categories: [user.behavior]}
          - {name: description, data_categories: [user.content.private]}
          - {name: billable, data_categories: [user.workplace]}
          - {name: rate, data_categories: [user.workplace]}
      - name: positions
        habeas: {on_erasure: delete, purpose: proof of work, legal_basis: art6_1_b, provided: observed}
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - name: person_id
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: app, field: people.id, direction: from}]}
          - {name: recorded_at, data_categories: [user.location]}
          - {name: latitude, data_categories: [user.location.precise]}
          - {name: longitude, data_categories: [user.location.precise]}
";

/// Person 1 is the subject; a thousand others share a tenth as many rows.
fn schema_and_rows(rows: u64) -> String {
    let (others, positions, other_positions) = (rows / 10, rows / 5, rows / 50);
    format!(
        "CREATE TABLE people (id BIGINT PRIMARY KEY, email TEXT NOT NULL UNIQUE);
         CREATE TABLE entries (
             id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ,
             description TEXT NOT NULL, billable BOOLEAN NOT NULL, rate NUMERIC(10, 2) NOT NULL);
         CREATE TABLE positions (
             id BIGINT PRIMARY KEY, person_id BIGINT NOT NULL, recorded_at TIMESTAMPTZ NOT NULL,
             latitude DOUBLE PRECISION NOT NULL, longitude DOUBLE PRECISION NOT NULL);
         INSERT INTO people SELECT n, CASE n WHEN 1 THEN '{SUBJECT}' ELSE 'person-' || n || '@example.org' END
             FROM generate_series(1, 1001) AS n;
         INSERT INTO entries SELECT n, CASE WHEN n <= {rows} THEN 1 ELSE 2 + n % 1000 END,
                 TIMESTAMPTZ '2020-01-01 08:00:00Z' + n * INTERVAL '3 minutes', TIMESTAMPTZ '2020-01-01 09:00:00Z' + n * INTERVAL '3 minutes',
                 'Worked on item ' || n % 9973 || ', \"' || md5(n::text) || '\"', n % 3 = 0, (n % 200)::numeric + 0.50
             FROM generate_series(1, {rows} + {others}) AS n;
         INSERT INTO positions SELECT n, CASE WHEN n <= {positions} THEN 1 ELSE 2 + n % 1000 END,
                 TIMESTAMPTZ '2020-01-01 08:00:00Z' + n * INTERVAL '5 minutes', 48.2 + n % 1000 / 1e4, 16.3 + n % 777 / 1e4
             FROM generate_series(1, {positions} + {other_positions}) AS n;
         CREATE INDEX entries_person ON entries (person_id);
         CREATE INDEX positions_person ON positions (person_id);
         ALTER TABLE entries ADD FOREIGN KEY (person_id) REFERENCES people (id);
         ALTER TABLE positions ADD FOREIGN KEY (person_id) REFERENCES people (id);
         VACUUM ANALYZE;
         CHECKPOINT;"
    )
}

/// The same people and rows in a SQLite file.
fn sqlite_schema_and_rows(rows: u64) -> String {
    let (others, positions, other_positions) = (rows / 10, rows / 5, rows / 50);
    let count_to = |last: u64| format!("WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < {last})");
    format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
         CREATE TABLE entries (
             id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id), started_at TEXT NOT NULL, ended_at TEXT,
             description TEXT NOT NULL, billable BOOLEAN NOT NULL, rate NUMERIC NOT NULL);
         CREATE TABLE positions (
             id INTEGER PRIMARY KEY, person_id INTEGER NOT NULL REFERENCES people (id), recorded_at TEXT NOT NULL,
             latitude REAL NOT NULL, longitude REAL NOT NULL);
         INSERT INTO people {people} SELECT n, CASE n WHEN 1 THEN '{SUBJECT}' ELSE 'person-' || n || '@example.org' END FROM s;
         INSERT INTO entries {entries} SELECT n, CASE WHEN n <= {rows} THEN 1 ELSE 2 + n % 1000 END,
                 datetime(1577865600 + n * 180, 'unixepoch'), datetime(1577869200 + n * 180, 'unixepoch'),
                 'Worked on item ' || n % 9973 || ', \"' || hex(randomblob(16)) || '\"', n % 3 = 0, n % 200 + 0.5 FROM s;
         INSERT INTO positions {fixes} SELECT n, CASE WHEN n <= {positions} THEN 1 ELSE 2 + n % 1000 END,
                 datetime(1577865600 + n * 300, 'unixepoch'), 48.2 + n % 1000 / 1e4, 16.3 + n % 777 / 1e4 FROM s;
         CREATE INDEX entries_person ON entries (person_id);
         CREATE INDEX positions_person ON positions (person_id);",
        people = count_to(1001),
        entries = count_to(rows + others),
        fixes = count_to(positions + other_positions),
    )
}

fn main() -> ExitCode {
    // `cargo test --all-targets` and test listers start benchmarks without this word; then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let rows = std::env::var("HABEAS_BENCH_ROWS").ok().and_then(|text| text.parse().ok()).unwrap_or(1_000_000);
    match bench(rows).and_then(|()| bench_sqlite(rows / 6)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("FAILED: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn bench(rows: u64) -> Result<(), String> {
    let total = rows + rows / 5 + 1;
    eprintln!("laying out {total} rows of one person ...");
    let script = schema_and_rows(rows);
    let Some(workspace) = Workspace::postgres(&script, MAP) else { return Err("PostgreSQL is needed".into()) };
    let Some(server) = postgres() else { return Err("PostgreSQL is needed".into()) };
    // The plain tools work on a database of their own with the same rows, so that each meets tables that nothing has changed yet.
    let plain = server.create_database();
    plain.script(&script);

    let copied = measure(&mut plain_export(&plain, &workspace), Some(server.pid()))?;
    report("psql COPY | gzip -6", &copied, total, None);
    let exported = habeas(&workspace, "portability", Some(server.pid()))?;
    report("habeas portability", &exported, total, Some(&copied));
    expect("exported rows", sum(&exported.document()?, "exported"), total)?;

    let deleted = measure(&mut plain_delete(&plain), Some(server.pid()))?;
    report("psql DELETE", &deleted, total, None);
    let erased = habeas(&workspace, "erasure", Some(server.pid()))?;
    report("habeas erasure", &erased, total, Some(&deleted));
    expect("erased rows", sum(&erased.document()?, "affected"), total)?;
    expect("rows left", workspace.database.count("entries WHERE person_id = 1"), 0)?;
    expect("rows of others", workspace.database.count("entries"), rows / 10)?;

    for (what, run) in [("portability", &exported), ("erasure", &erased)] {
        if run.peak_memory > MEMORY_LIMIT {
            return Err(format!("{what} used {} MiB of memory, more than {} MiB", mib(run.peak_memory), mib(MEMORY_LIMIT)));
        }
    }
    Ok(())
}

/// A sixth of the rows, in a file: there is no plain tool to compare with, only the demand that it takes seconds.
fn bench_sqlite(rows: u64) -> Result<(), String> {
    let total = rows + rows / 5 + 1;
    let workspace = Workspace::sqlite(&sqlite_schema_and_rows(rows), MAP);
    for (kind, column) in [("portability", "exported"), ("erasure", "affected")] {
        let run = habeas(&workspace, kind, None)?;
        report(&format!("SQLite {kind}"), &run, total, None);
        expect(column, sum(&run.document()?, column), total)?;
    }
    expect("rows left", workspace.database.count("entries WHERE person_id = 1"), 0)
}

fn habeas(workspace: &Workspace, kind: &str, server: Option<u32>) -> Result<Measured, String> {
    let mut job = json!({"kind": kind, "subject": {"email": SUBJECT}, "approval": "none"});
    if kind == "erasure" {
        job["ground"] = "art17_1_a".into();
    }
    workspace.job(kind, &job);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_habeas"));
    command
        .current_dir(workspace.root())
        .args(["--json", "--progress", "json", "--no-input", "run"])
        .arg(format!("jobs/{kind}.json"));
    measure(&mut command, server)
}

fn plain_export(database: &Database, workspace: &Workspace) -> std::process::Command {
    let script = r#"
        psql -X -q -d "$0" -c "COPY (SELECT * FROM entries WHERE person_id = 1) TO STDOUT (FORMAT csv, HEADER)" | gzip -6 > "$1/entries.csv.gz"
        psql -X -q -d "$0" -c "COPY (SELECT * FROM positions WHERE person_id = 1) TO STDOUT (FORMAT csv, HEADER)" | gzip -6 > "$1/positions.csv.gz"
    "#;
    let mut command = std::process::Command::new("sh");
    command.args(["-e", "-c", script, url(database)]).arg(workspace.home());
    command
}

fn plain_delete(database: &Database) -> std::process::Command {
    let mut command = std::process::Command::new("psql");
    command.args(["-X", "-q", "-1", "-v", "ON_ERROR_STOP=1", "-d", url(database)]);
    for statement in
        ["DELETE FROM entries WHERE person_id = 1", "DELETE FROM positions WHERE person_id = 1", "DELETE FROM people WHERE id = 1"]
    {
        command.args(["-c", statement]);
    }
    command
}

fn url(database: &Database) -> &str {
    match database {
        Database::Postgres(url) => url,
        Database::Sqlite(_) | Database::MariaDb { .. } => unreachable!("the benchmark is about PostgreSQL"),
    }
}

fn sum(document: &Value, column: &str) -> u64 {
    document["items"].as_array().into_iter().flatten().filter_map(|item| item[column].as_u64()).sum()
}

fn expect(what: &str, found: u64, expected: u64) -> Result<(), String> {
    if found == expected { Ok(()) } else { Err(format!("{what}: {found} instead of {expected}")) }
}

fn mib(bytes: u64) -> u64 {
    bytes / (1024 * 1024)
}

/// One line of the table. Where there is something to compare with: how many times its wall time, and how many times its processor time
/// in program and server together, which other work on the machine does not change.
fn report(name: &str, run: &Measured, rows: u64, plain: Option<&Measured>) {
    let seconds = [run.wall, run.processor, run.server].map(|time| time.as_secs_f64());
    let [wall, own, server] = seconds;
    print!("{name:<20} {wall:>7.2} s wall  {own:>6.2} s cpu  {server:>6.2} s server cpu  {:>8.0} rows/s", rows as f64 / wall);
    print!("  {:>3} MiB peak", mib(run.peak_memory));
    if let Some(plain) = plain {
        let times = |ours: Duration, theirs: Duration| ours.as_secs_f64() / theirs.as_secs_f64();
        let work = times(run.processor + run.server, plain.processor + plain.server);
        print!("  {:.2} x wall  {work:.2} x cpu", times(run.wall, plain.wall));
    }
    println!();
    stages(run);
}

fn stages(run: &Measured) {
    for stage in &run.stages {
        println!("    {:<16} {:>7.2} s", stage.name, stage.wall.as_secs_f64());
    }
}
