//! Bytes in a column that was declared as something else: text that is no UTF-8, or a blob that SQLite lets stand anywhere. Such a value goes
//! into a further column `<name>_b64`, of which nobody knew when the header of the CSV was written; so the CSV is written once more, with
//! that column at its end. This happens rarely, and nothing is lost or guessed when it does.

use std::io::{BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};

use super::ArchiveError;
use super::csv;
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

    /// Puts a value (base64 or the path of a file) aside. Rows come in order.
    pub(super) fn put(&mut self, row: u64, slot: usize, value: &str) -> Result<(), ArchiveError> {
        Ok(writeln!(self.file, "{row} {slot} {value}")?)
    }

    /// The same CSV with the further columns at the end of every record.
    pub(super) fn widen(self, mut narrow: Spooled, mut wide: Spool) -> Result<Spooled, ArchiveError> {
        let mut late = self.file.into_inner().map_err(|failed| failed.into_error())?;
        late.seek(SeekFrom::Start(0))?;
        let mut late = LateReader::new(late)?;
        let mut input = BufReader::with_capacity(64 * 1024, narrow.zip.by_index(0)?);
        let mut record = Vec::new();
        let mut number = 0_u64;
        while read_record(&mut input, &mut record)? {
            let out = wide.buffer();
            out.extend_from_slice(&record[..record.len() - 2]);
            let values = late.values_of(number, self.names.len())?;
            for (name, value) in self.names.iter().zip(values) {
                out.push(b',');
                match number {
                    0 => csv::push_name(out, name),
                    _ => out.extend_from_slice(value.as_bytes()),
                }
            }
            out.extend_from_slice(b"\r\n");
            wide.pass_on()?;
            number += 1;
        }
        drop(input);
        wide.finish()
    }
}

/// One record with its line end; our own CSV always has one.
fn read_record(csv: &mut impl BufRead, record: &mut Vec<u8>) -> Result<bool, ArchiveError> {
    record.clear();
    let mut quotes = 0;
    loop {
        let start = record.len();
        if csv.read_until(b'\n', record)? == 0 {
            return Ok(false);
        }
        quotes += record[start..].iter().filter(|byte| **byte == b'"').count();
        if quotes % 2 == 0 && record.ends_with(b"\r\n") {
            return Ok(true);
        }
    }
}

struct LateReader {
    input: BufReader<Latch>,
    next: Option<(u64, usize, String)>,
}

impl LateReader {
    fn new(file: Latch) -> Result<LateReader, ArchiveError> {
        let mut reader = LateReader { input: BufReader::new(file), next: None };
        reader.advance()?;
        Ok(reader)
    }

    /// The further cells of a row; rows are asked for in order.
    fn values_of(&mut self, row: u64, columns: usize) -> Result<Vec<String>, ArchiveError> {
        let mut values = vec![String::new(); columns];
        while let Some((_, slot, value)) = self.next.take_if(|(at_row, ..)| *at_row == row) {
            values[slot] = value;
            self.advance()?;
        }
        Ok(values)
    }

    fn advance(&mut self) -> Result<(), ArchiveError> {
        let mut line = String::new();
        self.input.read_line(&mut line)?;
        let mut parts = line.trim_end().splitn(3, ' ');
        let row = parts.next().and_then(|part| part.parse().ok());
        let slot = parts.next().and_then(|part| part.parse().ok());
        self.next = match (row, slot, parts.next()) {
            (Some(row), Some(slot), Some(value)) => Some((row, slot, value.to_owned())),
            _ => None,
        };
        Ok(())
    }
}
