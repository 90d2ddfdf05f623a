//! A person of ordinary size: 200 rows over 20 tables among a thousand other people, on a private PostgreSQL. How much time the program
//! itself takes to plan and to gather, beyond what the server says that it worked.
//! `cargo bench --bench typical_person`. It fails when the program uses more than 100 ms of processor time for a plan.

#[path = "../tests/it/support/mod.rs"]
#[expect(dead_code, reason = "the harness of the integration tests has more than a benchmark needs")]
mod support;

#[expect(dead_code, reason = "stages and memory are for the larger benchmark")]
mod measure;

use std::process::ExitCode;
use std::time::Duration;

use measure::{Measured, measure};
use serde_json::json;
use support::statements::{Asked, Logged};
use support::typical;

/// The most processor time that a plan may take of the program itself.
const LIMIT: Duration = Duration::from_millis(100);

/// Of so many runs the median is told.
const RUNS: usize = 9;

fn main() -> ExitCode {
    // `cargo test --all-targets` and test listers start benchmarks without this word; then there is nothing to do.
    if !std::env::args().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    match bench() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("FAILED: {problem}");
            ExitCode::FAILURE
        }
    }
}

fn bench() -> Result<(), String> {
    let script = typical::schema_and_rows();
    let Some(logged) = Logged::open(&script, &typical::map()) else { return Err("PostgreSQL is needed".into()) };
    for (rows, email) in [(191, typical::TYPICAL), (1901, typical::BUSY)] {
        for (verb, kind) in [("plan", "erasure"), ("run", "access")] {
            let (run, asked) = median(&logged, verb, kind, email)?;
            let beyond = run.wall.saturating_sub(asked.time);
            println!(
                "{verb:<4} {kind:<8} {rows:>5} rows  {:>6.1} ms wall  {:>6.1} ms server  {:>6.1} ms beyond it  {:>3} ms cpu  {} statements",
                milliseconds(run.wall),
                milliseconds(asked.time),
                milliseconds(beyond),
                run.processor.as_millis(),
                asked.statements,
            );
            if verb == "plan" && run.processor > LIMIT {
                return Err(format!("a plan for {rows} rows takes {} ms of processor time", run.processor.as_millis()));
            }
        }
    }
    Ok(())
}

fn median(logged: &Logged, verb: &str, kind: &str, email: &str) -> Result<(Measured, Asked), String> {
    let job = json!({"kind": kind, "subject": {"email": email}, "approval": "none"});
    logged.workspace.job(kind, &job);
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_habeas"));
        command.current_dir(logged.workspace.root()).args(["--json", "--no-input", verb]).arg(format!("jobs/{kind}.json"));
        let (run, asked) = logged.asked(|_| measure(&mut command, None));
        runs.push((run?, asked));
    }
    runs.sort_by_key(|(run, _)| run.wall);
    Ok(runs.swap_remove(RUNS / 2))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
