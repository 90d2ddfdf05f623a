//! Bytes in a column that was declared as something else: text that is no UTF-8, or a blob that SQLite lets stand anywhere. Such a value goes
//! into a further column `<name>_b64`, of which nobody knew when the first rows were written; so both files are written once more, with
//! that column at the end of every row. This happens rarely, and nothing is lost or guessed when it does.

use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use super::ArchiveError;
use super::csv;
use super::jsonl;
use super::normal::Value;
use super::spool::{Spool, Spooled};
use super::storage::{Latch, Workshop};

/// The values that came late, in the order of their rows.
pub(super) struct LateBytes {
    file: BufWriter<Latch>,
    /// Index of the column that each further column belongs to, in the order of their appearance.
    pub(super) columns: Vec<usize>,
    /// Names of the further columns.
    pub(super) names: Vec<String>,
}

impl LateBytes {
    /// Nothing yet.
    pub(super) fn new(workshop: &Workshop) -> Result<LateBytes, ArchiveError> {
        Ok(LateBytes { file: BufWriter::new(workshop.scratch()?), columns: Vec::new(), names: Vec::new() })
    }

    /// Puts a value (base64 or the path of a file) aside for a row, counted from 1. Rows come in order.
    pub(super) fn put(&mut self, row: u64, slot: usize, value: &str) -> Result<(), ArchiveError> {
        Ok(writeln!(self.file, "{row} {slot} {value}")?)
    }

    /// Both files again, with the further columns.
    pub(super) fn widen(
        self,
        narrow_csv: Spooled,
        narrow_jsonl: Spooled,
        wide_csv: Spool,
        wide_jsonl: Spool,
    ) -> Result<(Spooled, Spooled), ArchiveError> {
        let names = self.names;
        let mut late = LateReader::new(self.file.into_inner().map_err(|failed| failed.into_error())?);

        late.rewind()?;
        let csv = rewrite(narrow_csv, wide_csv, b"\r\n", |row, out| {
            if row == 1 {
                for name in &names {
                    out.push(b',');
                    csv::push_name(out, name);
                }
                return Ok(());
            }
            // The header is a record too.
            for value in late.values_of(row - 1, names.len())? {
                out.push(b',');
                csv::push_cell(out, value.as_deref().map_or(Value::Null, Value::Coded));
            }
            Ok(())
        })?;

        late.rewind()?;
        let keys: Vec<Vec<u8>> = names.iter().map(|name| jsonl::key(name)).collect();
        let jsonl = rewrite(narrow_jsonl, wide_jsonl, b"}\n", |row, out| {
            for (key, value) in keys.iter().zip(late.values_of(row, keys.len())?) {
                out.push(b',');
                out.extend_from_slice(key);
                jsonl::push_value(out, value.as_deref().map_or(Value::Null, Value::Coded));
            }
            Ok(())
        })?;
        Ok((csv, jsonl))
    }
}

/// Copies records, and lets `add` append to each before its end. Records are counted from 1.
fn rewrite(
    mut narrow: Spooled,
    mut wide: Spool,
    end: &[u8],
    mut add: impl FnMut(u64, &mut Vec<u8>) -> Result<(), ArchiveError>,
) -> Result<Spooled, ArchiveError> {
    let mut input = BufReader::with_capacity(64 * 1024, narrow.zip.by_index(0)?);
    let mut record = Vec::new();
    let mut number = 0;
    while read_record(&mut input, end, &mut record)? {
        number += 1;
        let out = wide.buffer();
        out.extend_from_slice(&record[..record.len() - end.len()]);
        add(number, out)?;
        out.extend_from_slice(end);
        wide.pass_on()?;
    }
    drop(input);
    wide.finish()
}

/// One record with its end. In both formats a record ends at the first such end outside quotes, and JSON has no line ends in strings.
fn read_record(input: &mut impl BufRead, end: &[u8], record: &mut Vec<u8>) -> Result<bool, ArchiveError> {
    record.clear();
    let mut quotes = 0;
    loop {
        let start = record.len();
        if input.read_until(b'\n', record)? == 0 {
            return Ok(false);
        }
        quotes += record[start..].iter().filter(|byte| **byte == b'"').count();
        if end == b"}\n" || (quotes % 2 == 0 && record.ends_with(end)) {
            return Ok(true);
        }
    }
}

struct LateReader {
    input: BufReader<Latch>,
    next: Option<(u64, usize, String)>,
}

impl LateReader {
    fn new(file: Latch) -> LateReader {
        LateReader { input: BufReader::new(file), next: None }
    }

    fn rewind(&mut self) -> Result<(), ArchiveError> {
        self.input.seek(SeekFrom::Start(0))?;
        self.advance()
    }

    /// The further cells of a row; rows are asked for in order.
    fn values_of(&mut self, row: u64, columns: usize) -> Result<Vec<Option<String>>, ArchiveError> {
        let mut values = vec![None; columns];
        while let Some((_, slot, value)) = self.next.take_if(|(at_row, ..)| *at_row == row) {
            values[slot] = Some(value);
            self.advance()?;
        }
        Ok(values)
    }

    fn advance(&mut self) -> Result<(), ArchiveError> {
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        let mut parts = line.strip_suffix('\n').unwrap_or(&line).splitn(3, ' ');
        let row = parts.next().and_then(|part| part.parse().ok());
        let slot = parts.next().and_then(|part| part.parse().ok());
        self.next = match (row, slot, parts.next()) {
            (Some(row), Some(slot), Some(value)) => Some((row, slot, value.to_owned())),
            _ => None,
        };
        Ok(())
    }
}
