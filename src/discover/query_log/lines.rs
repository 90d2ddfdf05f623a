//! Cuts a log into statements. A line of a server's log says where a statement begins; in plain SQL a semicolon ends one. At most one
//! statement is in memory, and a bounded part of it.

use std::io::{self, BufRead, Read};

/// Bytes of a statement that are looked at; what is longer is data being loaded, not a question.
const LONGEST: usize = 64 * 1024;

/// Where a statement begins in a line of a server's log.
const MARKS: [&str; 5] = ["statement: ", " Query\t", " Prepare\t", " Execute\t", "\tQuery\t"];

/// Calls `take` with each statement; returns how many were too long.
pub fn statements(mut log: impl BufRead, mut take: impl FnMut(&str)) -> io::Result<u64> {
    let mut current = Current::default();
    let mut is_server_log = false;
    let mut bytes = Vec::new();
    loop {
        bytes.clear();
        if (&mut log).take(LONGEST as u64).read_until(b'\n', &mut bytes)? == 0 {
            break;
        }
        let line = String::from_utf8_lossy(&bytes);
        if let Some(start) = statement_start(&line) {
            current.finish(&mut take);
            is_server_log = true;
            current.add(&line[start..]);
        } else if is_server_log && begins_with_a_time(&line) {
            current.finish(&mut take);
        } else if is_server_log {
            current.add(&line);
        } else {
            plain(&line, &mut current, &mut take);
        }
    }
    current.finish(&mut take);
    Ok(current.too_long)
}

#[derive(Default)]
struct Current {
    text: String,
    overflows: bool,
    too_long: u64,
}

impl Current {
    fn add(&mut self, text: &str) {
        if self.text.len() + text.len() > LONGEST {
            self.overflows = true;
        } else {
            self.text.push_str(text);
        }
    }

    fn finish(&mut self, take: &mut impl FnMut(&str)) {
        if self.overflows {
            self.too_long += 1;
        } else if !self.text.trim().is_empty() {
            take(&self.text);
        }
        self.text.clear();
        self.overflows = false;
    }
}

fn statement_start(line: &str) -> Option<usize> {
    if !begins_with_a_time(line) && !line.contains("LOG:") {
        return None;
    }
    let marked = MARKS.iter().filter_map(|mark| Some(line.find(mark)? + mark.len())).min();
    marked.or_else(|| {
        // `execute <unnamed>: SELECT`, `execute fetch_posts/C_3: SELECT`
        let at = line.find("execute ")?;
        let colon = line[at..].find(": ")?;
        Some(at + colon + 2)
    })
}

fn begins_with_a_time(line: &str) -> bool {
    let digits = line.bytes().take(6).filter(u8::is_ascii_digit).count();
    digits >= 4 && line.as_bytes().first().is_some_and(u8::is_ascii_digit)
}

/// A semicolon outside quotes ends a statement; a dump has several in one line.
fn plain(line: &str, current: &mut Current, take: &mut impl FnMut(&str)) {
    let mut rest = line;
    while let Some(end) = semicolon(rest) {
        current.add(&rest[..end]);
        current.finish(take);
        rest = &rest[end + 1..];
    }
    current.add(rest);
}

fn semicolon(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b';') => return Some(at),
            (None, b'-') if text[at..].starts_with("--") => return None,
            (None, b'\'' | b'"' | b'`') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}
