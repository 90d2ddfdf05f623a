//! `habeas map discover` on a private PostgreSQL with 100 tables and 10 million rows, without a declared foreign key: how long it takes and
//! how much memory. `cargo bench --bench discover`; `HABEAS_BENCH_ROWS=200000` makes it small. It fails when an edge is missing or untrue, when it
//! takes longer than two minutes, or when memory grows with the rows.

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the harness of the integration tests has more than a benchmark needs")]
mod support;

#[expect(dead_code, reason = "the other benchmarks measure stages too")]
mod measure;

use std::fmt::Write;
use std::process::ExitCode;
use std::time::Duration;

use measure::measure;
use serde_json::Value;
use support::postgres::postgres;
use support::workspace::Workspace;

/// The longest that it may take.
const TIME_LIMIT: Duration = Duration::from_secs(120);
/// The most memory that the program may use.
const MEMORY_LIMIT: u64 = 150 * 1024 * 1024;
/// Tables beside that of the people.
const TABLES: u64 = 99;

fn main() -> ExitCode {
    // `cargo test --all-targets` and test listers start benchmarks without this word; then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let rows = std::env::var("HABEAS_BENCH_ROWS").ok().and_then(|rows| rows.parse().ok()).unwrap_or(10_000_000);
    match bench(rows) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("FAILED: {problem}");
            ExitCode::FAILURE
        }
    }
}

/// Each table names a person, a row of the table before it, and a code; every third has no index on them.
fn schema_and_rows(rows: u64) -> String {
    let each = rows / (TABLES + 1);
    let mut script = format!(
        "CREATE TABLE customers (customer_id BIGINT PRIMARY KEY, email TEXT NOT NULL, full_name TEXT, password_hash TEXT);
         INSERT INTO customers SELECT n, 'person-' || n || '@example.org', 'Person ' || n, md5(n::text) FROM generate_series(1, {each}::bigint) n;\n"
    );
    for table in 1..=TABLES {
        let before = if table == 1 { "customers".to_owned() } else { format!("parts{:02}", table - 1) };
        let column = if table == 1 { "parent_customer_id".to_owned() } else { format!("{before}_id") };
        write!(
            script,
            "CREATE TABLE parts{table:02} (id BIGINT PRIMARY KEY, customer_id BIGINT, {column} BIGINT, state SMALLINT NOT NULL,
                 amount NUMERIC(10, 2), note TEXT NOT NULL, happened_at TIMESTAMPTZ NOT NULL);
             INSERT INTO parts{table:02} SELECT n, CASE WHEN n % 17 = 0 THEN NULL ELSE 1 + (n * 7919 + {table}) % {each} END,
                 1 + (n * 104729 + {table}) % {each}, n % 5, n % 900 / 10.0, 'about thing ' || n % 9973, TIMESTAMPTZ '2020-01-01' + n * INTERVAL '1 minute'
                 FROM generate_series(1, {each}::bigint) n;\n"
        )
        .unwrap_or_default();
        if table % 3 != 0 {
            writeln!(script, "CREATE INDEX ON parts{table:02} (customer_id);").unwrap_or_default();
        }
    }
    script.push_str("ANALYZE;");
    script
}

fn bench(rows: u64) -> Result<(), String> {
    eprintln!("laying out {rows} rows in {} tables ...", TABLES + 1);
    let Some(workspace) = Workspace::postgres(&schema_and_rows(rows), "dataset: []\n") else {
        return Err("PostgreSQL is needed".into());
    };
    let Some(server) = postgres() else { return Err("PostgreSQL is needed".into()) };
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_habeas"));
    command.current_dir(workspace.root()).args(["--json", "map", "discover", "--source", "app"]);
    let run = measure(&mut command, Some(server.pid()))?;
    let document = run.document()?;
    let mib = run.peak_memory / (1024 * 1024);
    println!(
        "discover  {rows} rows  {:.2} s wall  {:.2} s cpu  {:.2} s server cpu  {mib} MiB peak",
        run.wall.as_secs_f64(),
        run.processor.as_secs_f64(),
        run.server.as_secs_f64(),
    );
    let active = document["edges"].as_array().into_iter().flatten().filter(|edge| edge["active"] == true).count() as u64;
    let to_people = |edge: &&Value| edge["active"] == true && edge["target"] == "customers";
    let people = document["edges"].as_array().into_iter().flatten().filter(to_people).count() as u64;
    if (active, people) != (TABLES * 2, TABLES + 1) {
        return Err(format!("{active} edges, {people} of them to people, instead of {} and {}", TABLES * 2, TABLES + 1));
    }
    if run.wall > TIME_LIMIT {
        return Err(format!("it took {:.0} s, more than {} s", run.wall.as_secs_f64(), TIME_LIMIT.as_secs()));
    }
    if run.peak_memory > MEMORY_LIMIT {
        return Err(format!("it used {mib} MiB of memory, more than {} MiB", MEMORY_LIMIT / (1024 * 1024)));
    }
    Ok(())
}
