//! The built program: run it, feed it, read what it said, kill it.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

/// A call of the program that is being put together.
pub struct Habeas {
    command: Command,
    input: Option<Vec<u8>>,
}

/// A call of the program, in no particular folder, with nothing of the caller's settings.
pub fn habeas() -> Habeas {
    let call = program(env!("CARGO_BIN_EXE_habeas"));
    call.env("NO_COLOR", "1").without_env("HABEAS_CONFIG").without_env("RUST_LOG")
}

/// A call of any other program: the stock tools that people check our work with.
pub fn program(name: impl AsRef<OsStr>) -> Habeas {
    Habeas { command: Command::new(name), input: None }
}

impl Habeas {
    /// Further arguments.
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// An environment variable.
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Without an environment variable of the caller's.
    pub fn without_env(mut self, name: &str) -> Self {
        self.command.env_remove(name);
        self
    }

    /// The folder to run in.
    pub fn folder(mut self, folder: &Path) -> Self {
        self.command.current_dir(folder);
        self
    }

    /// Standard input.
    pub fn input(mut self, text: impl Into<Vec<u8>>) -> Self {
        self.input = Some(text.into());
        self
    }

    /// Starts it and leaves it running.
    pub fn start(mut self) -> Running {
        let stdin = if self.input.is_some() { Stdio::piped() } else { Stdio::null() };
        let mut child =
            self.command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        if let Some(input) = self.input {
            // A program that ends before it has read everything is for the test to judge by its exit code.
            let _ = child.stdin.take().expect("standard input").write_all(&input);
        }
        Running { child: Some(child) }
    }

    /// Runs it to its end.
    pub fn run(self) -> Said {
        self.start().finish()
    }
}

/// The program while it runs. Dropped, it is killed.
pub struct Running {
    child: Option<Child>,
}

impl Running {
    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// `kill -9`: it cannot clean up.
    pub fn kill(mut self) -> Said {
        self.child.as_mut().expect("it runs").kill().expect("it can be killed");
        self.finish()
    }

    /// Waits for its end.
    pub fn finish(mut self) -> Said {
        let output = self.child.take().expect("it runs").wait_with_output().expect("it ends");
        Said {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Whether it has ended.
    pub fn has_ended(&mut self) -> bool {
        self.child.as_mut().expect("it was started").try_wait().expect("its state").is_some()
    }

    /// Waits until something is true, or the program has ended, or `patience` is over; whether it became true.
    pub fn until(&mut self, patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
        let deadline = Instant::now() + patience;
        loop {
            if condition() {
                return true;
            }
            if self.has_ended() || Instant::now() > deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The most memory that it has used so far, in bytes.
    pub fn peak_memory(&self) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid())).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        Some(line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok()? * 1024)
    }

    /// Its arguments as every user of the machine can see them.
    pub fn visible_arguments(&self) -> String {
        let raw = fs::read(format!("/proc/{}/cmdline", self.pid())).unwrap_or_default();
        String::from_utf8_lossy(&raw).replace('\0', " ")
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// What a finished program said.
#[derive(Debug, Clone)]
pub struct Said {
    /// Exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Said {
    /// Demands an exit code, and shows everything if it is another.
    #[track_caller]
    pub fn code(self, expected: i32) -> Said {
        assert_eq!(self.code, Some(expected), "\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr);
        self
    }

    /// The answer of a run that came to an end, whole or partial; anything else is the test's failure.
    #[track_caller]
    pub fn run_to_end(self) -> Value {
        assert!(matches!(self.code, Some(0 | 3)), "{:?}\n--- stdout\n{}\n--- stderr\n{}", self.code, self.stdout, self.stderr);
        self.json()
    }

    /// The one JSON document on standard output.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| {
            panic!("not one JSON document ({error})\n--- stdout\n{}\n--- stderr\n{}", self.stdout, self.stderr)
        })
    }
}
