//! The faces of progress on stderr: bars on a terminal, plain lines in logs, JSON lines for programs, nothing. Log lines and bars share
//! the screen through [`LogWriter`].

use std::io::{self, IsTerminal, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use clap::ValueEnum;
use indicatif::{HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressState, ProgressStyle};
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::observe::progress::{Progress, Silent};

/// `--progress`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ProgressMode {
    /// Bars on a terminal, plain lines elsewhere.
    Auto,
    /// Lines about stages that take longer than two seconds: while they last, and when they end.
    Plain,
    /// One JSON object per line; log lines too.
    Json,
    /// Nothing.
    None,
}

/// What a command listens with, and where its log lines go.
pub fn choose(mode: ProgressMode, quiet: bool) -> (Arc<dyn Progress>, LogWriter) {
    let animated = io::stderr().is_terminal() && std::env::var("TERM").is_ok_and(|term| term != "dumb");
    match mode {
        _ if quiet && mode != ProgressMode::Json => (Arc::new(Silent), LogWriter(None)),
        ProgressMode::None => (Arc::new(Silent), LogWriter(None)),
        ProgressMode::Auto if animated => {
            let screen = MultiProgress::new();
            (Arc::new(Bars { screen: screen.clone(), current: Mutex::default() }), LogWriter(Some(screen)))
        }
        ProgressMode::Auto | ProgressMode::Plain => (Arc::new(Lines::new(Form::Plain, io::stderr(), LONG)), LogWriter(None)),
        ProgressMode::Json => (Arc::new(Lines::new(Form::Json, io::stderr(), LONG)), LogWriter(None)),
    }
}

/// What takes less is over before anybody reads of it.
const LONG: Duration = Duration::from_secs(2);

/// A bar per stage, cleared when it ends; of a long one a line stays.
struct Bars {
    screen: MultiProgress,
    current: Mutex<Option<(ProgressBar, String)>>,
}

impl Bars {
    fn finish(&self, current: Option<(ProgressBar, String)>) {
        if let Some((bar, stage)) = current {
            bar.finish_and_clear();
            self.screen.remove(&bar);
            if bar.elapsed() >= LONG {
                // A terminal that went away shows nothing any more.
                drop(self.screen.println(finished(&stage, bar.position(), bar.elapsed())));
            }
        }
    }
}

impl Progress for Bars {
    fn begin(&self, stage: &str, total: Option<u64>) {
        let mut current = locked(&self.current);
        self.finish(current.take());
        let (bar, template) = match total {
            Some(total) => (ProgressBar::new(total), "{msg}  {bar:30.cyan/dim}  {human_pos} of {human_len}  {rest}"),
            None => (ProgressBar::new_spinner(), "{spinner} {msg}  {human_pos}  {elapsed}"),
        };
        let bar = self.screen.add(bar);
        if let Ok(style) = ProgressStyle::with_template(template) {
            bar.set_style(style.with_key("rest", pace));
        }
        bar.set_message(stage.to_owned());
        bar.enable_steady_tick(Duration::from_millis(120));
        *current = Some((bar, stage.to_owned()));
    }

    fn advance(&self, steps: u64) {
        if let Some((bar, _)) = locked(&self.current).as_ref() {
            bar.inc(steps);
        }
    }

    fn end(&self) {
        let current = locked(&self.current).take();
        self.finish(current);
    }

    fn note(&self, text: &str) {
        drop(self.screen.println(text));
    }
}

/// How fast, and how long still: nothing as long as nothing is done, since nobody can know.
fn pace(state: &ProgressState, out: &mut dyn std::fmt::Write) {
    if state.pos() > 0 {
        let per_second = HumanCount(state.per_sec() as u64);
        // What cannot be written is not missed: the bar itself cannot be drawn either.
        write!(out, "{per_second}/s  {} left", HumanDuration(state.eta())).unwrap_or_default();
    }
}

#[derive(Clone, Copy)]
enum Form {
    Plain,
    Json,
}

/// A line for each event; `advance` speaks at most once in `every`. In plain form, stages that last no longer than that are passed over.
struct Lines<W> {
    form: Form,
    every: Duration,
    out: Mutex<W>,
    current: Mutex<Option<Stage>>,
}

struct Stage {
    name: String,
    total: Option<u64>,
    done: u64,
    begun: Instant,
    spoke: Instant,
}

impl<W: Write + Send> Lines<W> {
    fn new(form: Form, out: W, every: Duration) -> Self {
        Lines { form, every, out: Mutex::new(out), current: Mutex::default() }
    }

    fn say(&self, plain: impl FnOnce() -> Option<String>, json: impl FnOnce() -> serde_json::Value) {
        let line = match self.form {
            Form::Plain => plain(),
            Form::Json => Some(json().to_string()),
        };
        if let Some(line) = line {
            // Progress that nobody can read is no reason to stop working.
            drop(writeln!(locked(&self.out), "{line}"));
        }
    }

    fn finish(&self, stage: Stage) {
        let elapsed = stage.begun.elapsed();
        self.say(
            || (elapsed >= self.every).then(|| finished(&stage.name, stage.done, elapsed)),
            || json!({"event": "end", "stage": stage.name, "done": stage.done, "elapsed_ms": elapsed.as_millis() as u64}),
        );
    }
}

impl<W: Write + Send> Progress for Lines<W> {
    fn begin(&self, stage: &str, total: Option<u64>) {
        self.end();
        self.say(|| None, || json!({"event": "begin", "stage": stage, "total": total}));
        let now = Instant::now();
        *locked(&self.current) = Some(Stage { name: stage.to_owned(), total, done: 0, begun: now, spoke: now });
    }

    fn advance(&self, steps: u64) {
        let mut current = locked(&self.current);
        let Some(stage) = current.as_mut() else { return };
        stage.done += steps;
        if stage.spoke.elapsed() < self.every {
            return;
        }
        stage.spoke = Instant::now();
        let of = stage.total.map(|total| format!(" of {}", HumanCount(total))).unwrap_or_default();
        self.say(
            || Some(format!("{}: {}{of}", stage.name, HumanCount(stage.done))),
            || json!({"event": "advance", "stage": stage.name, "done": stage.done, "total": stage.total}),
        );
    }

    fn end(&self) {
        if let Some(stage) = locked(&self.current).take() {
            self.finish(stage);
        }
    }

    fn note(&self, text: &str) {
        self.say(|| Some(text.to_owned()), || json!({"event": "note", "text": text}));
    }
}

fn finished(stage: &str, done: u64, elapsed: Duration) -> String {
    let count = if done == 0 { String::new() } else { format!("{}, ", HumanCount(done)) };
    format!("{stage}: {count}{:.1} s", elapsed.as_secs_f64())
}

/// A panic elsewhere leaves counts that are still good enough to show.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// stderr for log lines, which steps around bars.
#[derive(Clone)]
pub struct LogWriter(Option<MultiProgress>);

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &self.0 {
            Some(screen) => screen.suspend(|| io::stderr().write_all(bytes))?,
            None => io::stderr().write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

impl MakeWriter<'_> for LogWriter {
    type Writer = LogWriter;

    fn make_writer(&self) -> LogWriter {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spoken(form: Form, every: Duration) -> String {
        let lines = Lines::new(form, Vec::new(), every);
        lines.begin("gather app.orders", Some(1_200));
        lines.advance(1_200);
        lines.begin("write archive", None);
        lines.note("one part");
        lines.end();
        lines.end();
        String::from_utf8(lines.out.into_inner().unwrap()).unwrap()
    }

    #[test]
    fn plain_lines_pass_over_stages_that_are_over_at_once() {
        assert_eq!(spoken(Form::Plain, Duration::from_secs(3600)), "one part\n");
    }

    #[test]
    fn plain_lines_tell_how_far_a_long_stage_is_and_that_it_has_ended() {
        let text = spoken(Form::Plain, Duration::ZERO);
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 4, "{text}");
        assert_eq!(lines[0], "gather app.orders: 1,200 of 1,200");
        assert!(lines[1].starts_with("gather app.orders: 1,200, "), "{text}");
        assert!(lines[3].starts_with("write archive: 0."), "{text}");
    }

    #[test]
    fn json_lines_are_one_object_each() {
        let text = spoken(Form::Json, Duration::from_secs(3600));
        let events: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let names: Vec<_> = events.iter().map(|event| event["event"].as_str().unwrap()).collect();
        assert_eq!(names, ["begin", "end", "begin", "note", "end"]);
        assert_eq!((&events[0]["total"], &events[1]["done"]), (&json!(1_200), &json!(1_200)));
    }
}
