//! Runs a program and measures it from outside: wall time, processor time with its children, peak memory. Linux only, through `/proc`,
//! because the project allows itself no unsafe code and the standard library has no `wait4`.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A stage of a run that told of its progress.
pub struct Stage {
    /// Its name.
    pub name: String,
    /// How long it took.
    pub wall: Duration,
}

/// What a run cost, and what it said.
pub struct Measured {
    /// From start to end.
    pub wall: Duration,
    /// User and system time, children included; a hundredth of a second fine.
    pub processor: Duration,
    /// Processor time of the server meanwhile, where there is one.
    pub server: Duration,
    /// The most memory in use at once by the process itself, in bytes.
    pub peak_memory: u64,
    /// Its stages in their order, as `--progress json` tells them; none for other programs.
    pub stages: Vec<Stage>,
    stdout: String,
}

impl Measured {
    /// The JSON document on standard output.
    pub fn document(&self) -> Result<Value, String> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("no JSON on standard output: {error}"))
    }
}

/// How long a server may take to reap the sessions of a program that has ended: only then are their times known.
const REAPING: Duration = Duration::from_millis(300);

/// Runs a program to its end. Any exit code but 0 is an error. `server` is the process whose children work for the program.
pub fn measure(command: &mut Command, server: Option<u32>) -> Result<Measured, String> {
    let server_ticks = || server.and_then(state_and_ticks).map_or(0, |(_, ticks)| ticks);
    sleep(REAPING);
    let server_before = server_ticks();
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("cannot start: {error}"))?;
    let stdout = read_aside(child.stdout.take().ok_or("no standard output")?);
    let stderr = read_aside(child.stderr.take().ok_or("no standard error")?);
    let (mut peak_memory, mut ticks) = (0, 0);
    // A process that has ended keeps its times until somebody waits for it: the last look sees all of them.
    while let Some((state, used)) = state_and_ticks(child.id()) {
        ticks = used;
        if state == 'Z' {
            break;
        }
        peak_memory = peak_of(child.id()).max(peak_memory);
        sleep(Duration::from_millis(2));
    }
    let wall = started.elapsed();
    let status = child.wait().map_err(|error| error.to_string())?;
    let stdout = stdout.join().map_err(|_| "the reader died")?.map_err(|error| error.to_string())?;
    let stderr = stderr.join().map_err(|_| "the reader died")?.map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("{} ended with {status}\n{stdout}\n{stderr}", command.get_program().display()));
    }
    sleep(REAPING);
    // Linux counts in hundredths of a second here on every architecture (USER_HZ).
    let time = |ticks: u64| Duration::from_millis(ticks * 10);
    let server = time(server_ticks() - server_before);
    let stages = stderr.lines().filter_map(stage_that_ended).collect();
    Ok(Measured { wall, processor: time(ticks), server, peak_memory, stages, stdout })
}

/// Reads a pipe on a thread of its own, so that a full pipe never holds the program up.
fn read_aside(mut pipe: impl Read + Send + 'static) -> JoinHandle<std::io::Result<String>> {
    spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    })
}

fn stage_that_ended(line: &str) -> Option<Stage> {
    let event: Value = serde_json::from_str(line).ok()?;
    (event["event"] == "end").then_some(())?;
    let wall = Duration::from_millis(event["elapsed_ms"].as_u64()?);
    Some(Stage { name: event["stage"].as_str()?.to_owned(), wall })
}

/// State letter and processor time of a process and its finished children.
fn state_and_ticks(pid: u32) -> Option<(char, u64)> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in brackets may hold anything; the third field comes after the last bracket.
    let fields: Vec<&str> = text.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks = fields.get(11..15)?.iter().filter_map(|field| field.parse::<u64>().ok()).sum();
    Some((fields.first()?.chars().next()?, ticks))
}

fn peak_of(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
    line.trim().trim_end_matches("kB").trim().parse::<u64>().map_or(0, |kib| kib * 1024)
}
