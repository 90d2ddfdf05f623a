//! CSV with a header. Records that stay are copied as they are: quotes, delimiters, line ends, blank lines, byte order mark, a missing last
//! line end. Cells have no types, so they are compared as bytes: `1.0` is not `1`. An empty cell without quotes is the empty text if that is
//! looked for, and otherwise no identifier of anybody.

use std::borrow::Cow;
use std::io::{Read, Write};

use super::claims::Claims;
use super::csv_record::{Cell, first_record};
use super::found::Taker;
use super::stream::{self, Sieve};
use super::{Codec, Content, Found, LineProblem, Matcher, Rewritten, RowsError, Tally};

/// A longer record is refused, so that memory stays bounded.
const LONGEST_RECORD: usize = 16 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How a CSV file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between cells: a comma, a semicolon, a tab. Neither a quote nor a line end.
    pub delimiter: u8,
}

impl Default for Dialect {
    fn default() -> Self {
        Dialect { delimiter: b',' }
    }
}

/// Writes the object without the rows that are one subject's alone. The output comes back only inside [`Rewritten`]: what was written before
/// an error must be thrown away.
///
/// # Errors
/// When the object cannot be read to its end, a field is no column, a record cannot be told apart, the output cannot be written, or the
/// counts do not add up.
pub fn erase_csv<W: Write + Send>(
    input: impl Read + Send,
    codec: Codec,
    dialect: Dialect,
    matcher: &Matcher,
    output: W,
) -> Result<Rewritten<W>, RowsError> {
    let mut records = Records::new(matcher, dialect, None);
    let output = stream::rewrite(input, codec, &mut records, output)?;
    Rewritten::new(output, records.tally)
}

/// Hands over every row that names a subject, and counts: `erased` of the tally are the rows that [`erase_csv`] would erase.
///
/// # Errors
/// As of [`erase_csv`], and what the taker says.
pub fn find_csv(
    input: impl Read + Send,
    codec: Codec,
    dialect: Dialect,
    matcher: &Matcher,
    taker: &mut Taker<'_>,
) -> Result<Tally, RowsError> {
    let mut records = Records::new(matcher, dialect, Some(taker));
    stream::look(input, codec, &mut records)?;
    Ok(records.tally)
}

struct Records<'m, 't, 'f> {
    matcher: &'m Matcher,
    dialect: Dialect,
    taker: Option<&'t mut Taker<'f>>,
    /// The beginning of a record whose end has not come yet.
    begun: Vec<u8>,
    /// Line on which the next record begins.
    line: u64,
    /// Whether the byte order mark, if there is one, is behind us.
    started: bool,
    header: Option<Header>,
    cells: Vec<Cell>,
    claims: Claims,
    tally: Tally,
    written: WrittenRecords,
}

/// The names of the columns, and which of them are fields.
struct Header {
    names: Vec<String>,
    /// Place of the column and number of the field.
    fields: Vec<(usize, usize)>,
}

impl Header {
    fn of(record: &[u8], cells: &[Cell], matcher: &Matcher) -> Result<Header, RowsError> {
        let names: Vec<String> = cells.iter().map(|cell| String::from_utf8_lossy(&cell.text(record)).into_owned()).collect();
        let mut fields = Vec::new();
        for (number, field) in matcher.fields().iter().enumerate() {
            let wanted = field.name();
            // A name that comes twice stands for both columns.
            let columns = names.iter().enumerate().filter(|(_, name)| **name == wanted).map(|(column, _)| (column, number));
            let before = fields.len();
            fields.extend(columns);
            if fields.len() == before {
                return Err(RowsError::NoSuchField { field: wanted });
            }
        }
        Ok(Header { names, fields })
    }
}

impl<'m, 't, 'f> Records<'m, 't, 'f> {
    fn new(matcher: &'m Matcher, dialect: Dialect, taker: Option<&'t mut Taker<'f>>) -> Self {
        Records {
            matcher,
            dialect,
            taker,
            begun: Vec::new(),
            line: 1,
            started: false,
            header: None,
            cells: Vec::new(),
            claims: Claims::default(),
            tally: Tally::of(matcher.subjects()),
            written: WrittenRecords::new(dialect.delimiter),
        }
    }

    /// Takes whole records from the beginning of `content` and says how many bytes they are.
    fn records(&mut self, content: &[u8], ended: bool, kept: &mut Vec<u8>) -> Result<usize, RowsError> {
        let mut done = 0;
        if !self.started && (content.len() >= BYTE_ORDER_MARK.len() || ended) {
            self.started = true;
            if content.starts_with(BYTE_ORDER_MARK) {
                kept.extend_from_slice(BYTE_ORDER_MARK);
                done = BYTE_ORDER_MARK.len();
            }
        }
        while self.started && done < content.len() {
            let rest = &content[done..];
            let mut cells = std::mem::take(&mut self.cells);
            let length = first_record(rest, self.dialect.delimiter, ended, &mut cells).map_err(|problem| self.wrong(problem))?;
            let Some(length) = length else {
                self.cells = cells;
                break;
            };
            let record = &rest[..length];
            if self.stays(record, &cells)? {
                kept.extend_from_slice(record);
            }
            self.cells = cells;
            self.line += memchr::memchr_iter(b'\n', record).count() as u64;
            done += length;
        }
        Ok(done)
    }

    /// Looks at one record and says whether it stays.
    fn stays(&mut self, record: &[u8], cells: &[Cell]) -> Result<bool, RowsError> {
        let is_blank = matches!(cells, [only] if !only.quoted && only.text(record).is_empty());
        if is_blank {
            return Ok(true);
        }
        let Some(header) = &self.header else {
            self.header = Some(Header::of(record, cells, self.matcher)?);
            return Ok(true);
        };
        if cells.len() != header.names.len() {
            return Err(self.wrong(LineProblem::CellCount));
        }
        self.claims.clear();
        for (column, field) in &header.fields {
            let cell = cells[*column];
            let text = cell.text(record);
            let subject = self.matcher.text(*field, &text);
            if subject.is_some() || cell.quoted || !text.is_empty() {
                self.claims.add(subject);
            }
        }
        let verdict = self.claims.verdict();
        let erase = self.tally.count(verdict);
        if let (Some(taker), Some((subjects, shared))) = (&mut self.taker, verdict.subjects()) {
            let cells: Vec<Cow<'_, [u8]>> = cells.iter().map(|cell| cell.text(record)).collect();
            let content = Content::Cells { names: &header.names, cells: &cells };
            taker(Found { row: self.tally.before, subjects, shared, content }).map_err(RowsError::HandOver)?;
        }
        Ok(!erase)
    }

    fn wrong(&self, problem: LineProblem) -> RowsError {
        RowsError::Line { line: self.line, problem }
    }
}

impl Sieve for Records<'_, '_, '_> {
    fn stretch(&mut self, content: &[u8], kept: &mut Vec<u8>) -> Result<(), RowsError> {
        let before = kept.len();
        if self.begun.is_empty() {
            let done = self.records(content, false, kept)?;
            self.begun.extend_from_slice(&content[done..]);
        } else {
            let mut begun = std::mem::take(&mut self.begun);
            begun.extend_from_slice(content);
            let done = self.records(&begun, false, kept)?;
            begun.drain(..done);
            self.begun = begun;
        }
        if self.begun.len() > LONGEST_RECORD {
            return Err(self.wrong(LineProblem::TooLong(LONGEST_RECORD)));
        }
        self.written.count(&kept[before..]);
        Ok(())
    }

    fn end(&mut self, kept: &mut Vec<u8>) -> Result<(), RowsError> {
        let before = kept.len();
        let begun = std::mem::take(&mut self.begun);
        self.records(&begun, true, kept)?;
        self.written.count(&kept[before..]);
        self.tally.after = self.written.rows();
        Ok(())
    }
}

/// Counts the records of what is written byte by byte, without knowing what was meant to be written.
#[derive(Debug)]
struct WrittenRecords {
    delimiter: u8,
    records: u64,
    place: Place,
    /// Whether the record that has not ended yet has something in it.
    begun: bool,
    /// Bytes of the byte order mark seen so far, or `None` when it is behind us.
    mark: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    CellStart,
    Unquoted,
    Quoted,
    QuoteInQuoted,
}

impl WrittenRecords {
    fn new(delimiter: u8) -> WrittenRecords {
        WrittenRecords { delimiter, records: 0, place: Place::CellStart, begun: false, mark: Some(0) }
    }

    fn count(&mut self, written: &[u8]) {
        for byte in written {
            if let Some(seen) = self.mark {
                self.mark = BYTE_ORDER_MARK.get(seen).is_some_and(|mark| mark == byte).then_some(seen + 1);
                if self.mark.is_some() {
                    continue;
                }
            }
            self.place = match (self.place, *byte) {
                (Place::Quoted, b'"') => Place::QuoteInQuoted,
                (Place::Quoted, _) | (Place::CellStart | Place::QuoteInQuoted, b'"') => Place::Quoted,
                (_, b'\n') => {
                    self.records += u64::from(self.begun);
                    self.begun = false;
                    Place::CellStart
                }
                (place, b'\r') => place,
                (_, byte) if byte == self.delimiter => Place::CellStart,
                (_, _) => Place::Unquoted,
            };
            self.begun |= !matches!(byte, b'\r' | b'\n') || self.place == Place::Quoted;
        }
    }

    /// Records without the header.
    fn rows(&self) -> u64 {
        (self.records + u64::from(self.begun)).saturating_sub(1)
    }
}
