//! Where a CSV record and its cells begin and end (RFC 4180, with LF or CRLF and any delimiter). Where readers would disagree, there is no
//! answer but an error: text after a closing quote, a carriage return alone, a quote that is never closed.

use std::borrow::Cow;

use super::LineProblem;

/// One cell, by its place in the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cell {
    start: usize,
    end: usize,
    /// Whether it stands in quotes; `start` and `end` are inside of them.
    pub(super) quoted: bool,
    /// Whether quotes in it are doubled.
    doubled: bool,
}

impl Cell {
    /// What the cell says.
    pub(super) fn text(self, record: &[u8]) -> Cow<'_, [u8]> {
        let raw = record.get(self.start..self.end).unwrap_or_default();
        if !self.doubled {
            return Cow::Borrowed(raw);
        }
        let mut text = Vec::with_capacity(raw.len());
        let mut bytes = raw.iter();
        while let Some(byte) = bytes.next() {
            text.push(*byte);
            if *byte == b'"' {
                bytes.next();
            }
        }
        Cow::Owned(text)
    }
}

/// Finds the first record in `bytes`, puts its cells into `cells` and says how long it is, with its line end. `None` if it has not come to
/// its end yet; when the object has `ended`, it does at the end of the bytes.
pub(super) fn first_record(bytes: &[u8], delimiter: u8, ended: bool, cells: &mut Vec<Cell>) -> Result<Option<usize>, LineProblem> {
    cells.clear();
    let mut at = 0;
    loop {
        let Some((cell, end)) = cell(bytes, at, delimiter, ended)? else { return Ok(None) };
        cells.push(cell);
        at = end;
        match bytes.get(at) {
            Some(b'\n') => return Ok(Some(at + 1)),
            Some(b'\r') => match bytes.get(at + 1) {
                Some(b'\n') => return Ok(Some(at + 2)),
                None if !ended => return Ok(None),
                _ => return Err(LineProblem::LoneCarriageReturn),
            },
            Some(_) => at += 1,
            None if ended => return Ok(Some(at)),
            None => return Ok(None),
        }
    }
}

/// The cell that begins at a place, and where what follows it stands: a delimiter, a line end, or the end.
fn cell(bytes: &[u8], start: usize, delimiter: u8, ended: bool) -> Result<Option<(Cell, usize)>, LineProblem> {
    let ends = |byte: &u8| *byte == delimiter || matches!(byte, b'\n' | b'\r');
    if bytes.get(start) != Some(&b'"') {
        let rest = bytes.get(start..).unwrap_or_default();
        let end = start + rest.iter().position(ends).unwrap_or(rest.len());
        return Ok(Some((Cell { start, end, quoted: false, doubled: false }, end)));
    }
    let start = start + 1;
    let mut at = start;
    let mut doubled = false;
    loop {
        let Some(quote) = memchr::memchr(b'"', bytes.get(at..).unwrap_or_default()) else {
            return if ended { Err(LineProblem::OpenQuote) } else { Ok(None) };
        };
        let end = at + quote;
        match bytes.get(end + 1) {
            Some(b'"') => {
                doubled = true;
                at = end + 2;
            }
            Some(byte) if ends(byte) => return Ok(Some((Cell { start, end, quoted: true, doubled }, end + 1))),
            Some(_) => return Err(LineProblem::AfterQuote),
            None if ended => return Ok(Some((Cell { start, end, quoted: true, doubled }, end + 1))),
            None => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(record: &str) -> Result<Option<(usize, Vec<String>)>, LineProblem> {
        let mut cells = Vec::new();
        let length = first_record(record.as_bytes(), b',', true, &mut cells)?;
        let text = |cell: &Cell| String::from_utf8(cell.text(record.as_bytes()).into_owned()).unwrap();
        Ok(length.map(|length| (length, cells.iter().map(text).collect())))
    }

    #[test]
    fn records_end_where_rfc_4180_says() {
        let of = |record, length, expected: &[&str]| {
            let expected = expected.iter().map(|cell| (*cell).to_owned()).collect();
            assert_eq!(cells(record), Ok(Some((length, expected))), "{record:?}");
        };
        of("a,b\r\nc", 5, &["a", "b"]);
        of("a,b\nc", 4, &["a", "b"]);
        of("a,", 2, &["a", ""]);
        of("\"a\r\nb,\"\"c\"\"\",d\n", 15, &["a\r\nb,\"c\"", "d"]);
        of("\"\",\"\"\"\"", 7, &["", "\""]);
        of("5\" pipe,b\n", 10, &["5\" pipe", "b"]);
        of("\n", 1, &[""]);
    }

    #[test]
    fn where_readers_disagree_there_is_an_error() {
        assert_eq!(cells("\"a\"b,c\n"), Err(LineProblem::AfterQuote));
        assert_eq!(cells("a\rb\n"), Err(LineProblem::LoneCarriageReturn));
        assert_eq!(cells("a\r"), Err(LineProblem::LoneCarriageReturn));
        assert_eq!(cells("a,\"b\n"), Err(LineProblem::OpenQuote));
    }

    #[test]
    fn a_record_cut_anywhere_is_not_ended() {
        let record = b"a,\"b\"\"\r\n\",c\r\n";
        for cut in 0..record.len() {
            assert_eq!(first_record(&record[..cut], b',', false, &mut Vec::new()), Ok(None), "cut at {cut}");
        }
    }
}
