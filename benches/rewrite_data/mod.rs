//! Objects for the benchmark, the same on every machine: rows of events, each of one of 200,000 subjects drawn by a fixed generator.

#[cfg(feature = "parquet")]
mod parquet;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

/// Subjects in all.
pub const SUBJECTS: u64 = 200_000;

/// SplitMix64 (public domain): small, and the same everywhere.
pub struct Random(u64);

impl Random {
    /// The one that all objects are drawn from.
    pub fn seeded() -> Random {
        Random(0x4861_6265_6173)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The identifier of a subject.
pub fn subject(number: u64) -> String {
    format!("user-{number:06}")
}

/// One row.
pub struct Event {
    pub number: u64,
    pub subject: u64,
    pub session: u64,
    pub token: u64,
    pub device: u64,
    pub milliseconds: u64,
    pub cents: u64,
    pub action: &'static str,
    pub page: u64,
}

const ACTIONS: [&str; 8] = ["login", "logout", "view", "search", "add_to_basket", "pay", "return", "rate"];

/// The rows in their order.
pub fn events(rows: u64) -> impl Iterator<Item = Event> {
    let mut random = Random::seeded();
    (0..rows).map(move |number| Event {
        number,
        subject: random.next() % SUBJECTS,
        session: random.next(),
        token: random.next(),
        device: random.next(),
        milliseconds: random.next() % 60_000,
        cents: random.next() % 100_000,
        action: ACTIONS[(random.next() % 8) as usize],
        page: random.next() % 500,
    })
}

/// How many rows belong to so many subjects, evenly taken.
pub fn rows_of_the_first(subjects: u64, rows: u64) -> u64 {
    events(rows).filter(|event| event.subject.is_multiple_of(SUBJECTS / subjects)).count() as u64
}

/// Writes an object.
pub fn make(case: &str, rows: u64, path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let file = BufWriter::new(File::create(path)?);
    match case {
        "json.gz" => {
            let mut output = flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
            json_lines(rows, &mut output)?;
            output.finish()?.flush()?;
        }
        "json.zst" => {
            let mut output = zstd::stream::write::Encoder::new(file, 3)?;
            json_lines(rows, &mut output)?;
            output.finish()?.flush()?;
        }
        "csv.gz" => {
            let mut output = flate2::write::GzEncoder::new(file, flate2::Compression::new(6));
            csv(rows, &mut output)?;
            output.finish()?.flush()?;
        }
        #[cfg(feature = "parquet")]
        "parquet" => parquet::write(rows, file)?,
        _ => return Err(format!("no such case: {case}").into()),
    }
    Ok(())
}

fn json_lines(rows: u64, output: &mut impl Write) -> std::io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 20, output);
    for event in events(rows) {
        writeln!(
            output,
            "{{\"event_id\": \"{:016x}\", \"user_id\": \"{}\", \"time\": \"2026-11-{:02}T{:02}:{:02}:{:02}.{:03}Z\", \"action\": \"{}\", \
             \"page\": \"/catalogue/section/{}\", \"session\": \"{:016x}\", \"device\": \"{:014x}\", \"duration_ms\": {}, \"amount\": {}.{:02}, \"currency\": \"EUR\"}}",
            event.token,
            subject(event.subject),
            1 + event.number / 200_000,
            event.number / 8_000 % 24,
            event.number / 133 % 60,
            event.number / 2 % 60,
            event.milliseconds % 1000,
            event.action,
            event.page,
            event.session,
            event.device >> 8,
            event.milliseconds,
            event.cents / 100,
            event.cents % 100,
        )?;
    }
    output.flush()
}

fn csv(rows: u64, output: &mut impl Write) -> std::io::Result<()> {
    let mut output = BufWriter::with_capacity(1 << 20, output);
    output.write_all(b"event_id,user_id,action,page,session,duration_ms,amount\r\n")?;
    for event in events(rows) {
        write!(
            output,
            "{:016x},{},\"{}\",/catalogue/section/{},{:016x},{},\"{},{:02}\"\r\n",
            event.token,
            subject(event.subject),
            event.action,
            event.page,
            event.session,
            event.milliseconds,
            event.cents / 100,
            event.cents % 100,
        )?;
    }
    output.flush()
}
