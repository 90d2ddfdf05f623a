//! JSON Lines: one value on each line. Lines that stay are copied as they are: white space, order of keys, keys that come twice, spelling of
//! numbers, CRLF or LF, blank lines, byte order mark, a missing last line end. Every line is checked to be JSON; one that is not ends the
//! work with its number, because nobody can say whose it is.

use std::borrow::Cow;
use std::io::{Read, Write};

use memchr::memchr;

use super::claims::Claims;
use super::found::Taker;
use super::json_row::JsonRow;
use super::stream::{self, Sieve};
use super::{Codec, Content, Found, LineProblem, Matcher, Rewritten, RowsError, Tally};

/// A longer line is refused, so that memory stays bounded.
const LONGEST_LINE: usize = 64 * 1024 * 1024;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Writes the object without the rows that are one subject's alone. The output comes back only inside [`Rewritten`]: what was written before
/// an error must be thrown away.
///
/// # Errors
/// When the object cannot be read to its end, a line is not JSON, the output cannot be written, or the counts do not add up.
pub fn erase_json_lines<W: Write + Send>(
    input: impl Read + Send,
    codec: Codec,
    matcher: &Matcher,
    output: W,
) -> Result<Rewritten<W>, RowsError> {
    let mut lines = Lines::new(matcher, None);
    let output = stream::rewrite(input, codec, &mut lines, output)?;
    Rewritten::new(output, lines.tally)
}

/// Hands over every row that names a subject, and counts: `erased` of the tally are the rows that [`erase_json_lines`] would erase.
///
/// # Errors
/// As of [`erase_json_lines`], and what the taker says.
pub fn find_json_lines(
    input: impl Read + Send,
    codec: Codec,
    matcher: &Matcher,
    taker: &mut Taker<'_>,
) -> Result<Tally, RowsError> {
    let mut lines = Lines::new(matcher, Some(taker));
    stream::look(input, codec, &mut lines)?;
    Ok(lines.tally)
}

struct Lines<'m, 't, 'f> {
    matcher: &'m Matcher,
    taker: Option<&'t mut Taker<'f>>,
    /// The beginning of a line whose end has not come yet.
    begun: Vec<u8>,
    line: u64,
    reader: JsonRow,
    claims: Claims,
    tally: Tally,
    written: WrittenLines,
}

impl<'m, 't, 'f> Lines<'m, 't, 'f> {
    fn new(matcher: &'m Matcher, taker: Option<&'t mut Taker<'f>>) -> Self {
        Lines {
            matcher,
            taker,
            begun: Vec::new(),
            line: 0,
            reader: JsonRow::default(),
            claims: Claims::default(),
            tally: Tally::of(matcher.subjects()),
            written: WrittenLines::default(),
        }
    }

    /// Looks at one line with its end, and says whether it stays.
    fn stays(&mut self, line: &[u8]) -> Result<bool, RowsError> {
        self.line += 1;
        let number = self.line;
        let wrong = |problem| RowsError::Line { line: number, problem };
        let line = if number == 1 { line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line) } else { line };
        if is_blank(line) {
            return Ok(true);
        }
        let line = std::str::from_utf8(line).map_err(|_| wrong(LineProblem::NotUtf8))?;
        self.claims.clear();
        self.reader.read(line, self.matcher, &mut self.claims).map_err(wrong)?;
        let verdict = self.claims.verdict();
        let erase = self.tally.count(verdict);
        if let (Some(taker), Some((subjects, shared))) = (&mut self.taker, verdict.subjects()) {
            let content =
                Content::Json(Cow::Borrowed(line.strip_suffix('\n').map_or(line, |line| line.strip_suffix('\r').unwrap_or(line))));
            taker(Found { row: self.tally.before, subjects, shared, content }).map_err(RowsError::HandOver)?;
        }
        Ok(!erase)
    }

    fn one(&mut self, line: &[u8], kept: &mut Vec<u8>) -> Result<(), RowsError> {
        if self.stays(line)? {
            kept.extend_from_slice(line);
        } else if self.line == 1 && line.starts_with(BYTE_ORDER_MARK) {
            // The mark is the object's, not the row's.
            kept.extend_from_slice(BYTE_ORDER_MARK);
        }
        Ok(())
    }
}

impl Sieve for Lines<'_, '_, '_> {
    fn stretch(&mut self, content: &[u8], kept: &mut Vec<u8>) -> Result<(), RowsError> {
        let before = kept.len();
        let mut rest = content;
        while let Some(end) = memchr(b'\n', rest) {
            let (line, after) = rest.split_at(end + 1);
            rest = after;
            if self.begun.is_empty() {
                self.one(line, kept)?;
            } else {
                self.begun.extend_from_slice(line);
                let line = std::mem::take(&mut self.begun);
                self.one(&line, kept)?;
            }
        }
        self.begun.extend_from_slice(rest);
        if self.begun.len() > LONGEST_LINE {
            return Err(RowsError::Line { line: self.line + 1, problem: LineProblem::TooLong(LONGEST_LINE) });
        }
        self.written.count(&kept[before..]);
        Ok(())
    }

    fn end(&mut self, kept: &mut Vec<u8>) -> Result<(), RowsError> {
        let before = kept.len();
        let line = std::mem::take(&mut self.begun);
        if !line.is_empty() {
            self.one(&line, kept)?;
        }
        self.written.count(&kept[before..]);
        self.tally.after = self.written.rows();
        Ok(())
    }
}

/// Space, tab and carriage return around a line feed: no value.
fn is_blank(line: &[u8]) -> bool {
    line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Counts the lines of what is written, without knowing what was meant to be written.
#[derive(Debug, Default)]
struct WrittenLines {
    rows: u64,
    /// Whether the line that has not ended yet has something on it.
    begun: bool,
    /// Whether anything was written at all.
    seen: bool,
}

impl WrittenLines {
    fn count(&mut self, mut written: &[u8]) {
        if !self.seen && !written.is_empty() {
            self.seen = true;
            written = written.strip_prefix(BYTE_ORDER_MARK).unwrap_or(written);
        }
        while let Some(end) = memchr(b'\n', written) {
            if self.begun || !is_blank(&written[..end]) {
                self.rows += 1;
            }
            self.begun = false;
            written = &written[end + 1..];
        }
        self.begun |= !is_blank(written);
    }

    fn rows(&self) -> u64 {
        self.rows + u64::from(self.begun)
    }
}
