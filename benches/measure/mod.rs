//! Runs a program and measures it from outside: wall time, processor time with its children, peak memory. Linux only, through `/proc`,
//! because the project allows itself no unsafe code and the standard library has no `wait4`.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};
use std::thread::{sleep, spawn};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What a run cost, and what it said.
pub struct Measured {
    /// From start to end.
    pub wall: Duration,
    /// User and system time, children included; a hundredth of a second fine.
    pub processor: Duration,
    /// The most memory in use at once by the process itself, in bytes.
    pub peak_memory: u64,
    stdout: String,
}

impl Measured {
    /// The JSON document on standard output.
    pub fn document(&self) -> Result<Value, String> {
        serde_json::from_str(&self.stdout).map_err(|error| format!("no JSON on standard output: {error}"))
    }
}

/// Runs a program to its end. Any exit code but 0 is an error.
pub fn measure(command: &mut Command) -> Result<Measured, String> {
    let started = Instant::now();
    let mut child =
        command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().map_err(|error| format!("cannot start: {error}"))?;
    let mut pipe = child.stdout.take().ok_or("no standard output")?;
    let reader = spawn(move || {
        let mut text = String::new();
        pipe.read_to_string(&mut text).map(|_| text)
    });
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
    let stdout = reader.join().map_err(|_| "the reader died")?.map_err(|error| error.to_string())?;
    if !status.success() {
        return Err(format!("{} ended with {status}\n{stdout}", command.get_program().display()));
    }
    // Linux counts in hundredths of a second here on every architecture (USER_HZ).
    Ok(Measured { wall, processor: Duration::from_millis(ticks * 10), peak_memory, stdout })
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
