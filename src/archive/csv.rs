//! CSV for spreadsheets: RFC 4180 with a byte order mark, CRLF, and the convention of PostgreSQL's COPY that NULL is nothing and an empty
//! text is `""`. Text that a spreadsheet would run as a formula is led by an apostrophe, and so is text that starts with one, which makes
//! the guard reversible. The reader of this file takes back exactly what the writer put in.

use std::io::{self, BufRead};

use super::normal::Value;

/// The byte order mark that makes spreadsheets read UTF-8.
pub(super) const BYTE_ORDER_MARK: &[u8] = CSV_BYTE_ORDER_MARK;
/// The same for other documents.
pub const CSV_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";
/// What stands for NUL, which no spreadsheet takes.
pub(super) const SYMBOL_FOR_NUL: &str = "\u{2400}";

/// Appends one cell. Returns how many NULs were replaced.
pub(super) fn push_cell(out: &mut Vec<u8>, value: Value<'_>) -> u64 {
    match value {
        Value::Null => {}
        Value::Bool(true) => out.extend_from_slice(b"true"),
        Value::Bool(false) => out.extend_from_slice(b"false"),
        Value::Number { text, .. } => out.extend_from_slice(text.as_bytes()),
        Value::Coded(text) | Value::Json(text) => push_quoted_if_needed(out, "", text),
        Value::Text(text) => {
            let guard = if needs_guard(text) { "'" } else { "" };
            if text.contains('\0') {
                push_quoted_if_needed(out, guard, &text.replace('\0', SYMBOL_FOR_NUL));
                return text.bytes().filter(|byte| *byte == 0).count() as u64;
            }
            push_quoted_if_needed(out, guard, text);
        }
    }
    0
}

/// Appends a whole record with its line end.
pub(super) fn push_record<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = Value<'a>>) {
    for (place, cell) in cells.into_iter().enumerate() {
        if place > 0 {
            out.push(b',');
        }
        push_cell(out, cell);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends a record of plain texts with its line end, for other documents than archives: an empty text is an empty cell.
pub fn csv_record<'a>(out: &mut Vec<u8>, cells: impl IntoIterator<Item = &'a str>) {
    push_record(out, cells.into_iter().map(|text| if text.is_empty() { Value::Null } else { Value::Text(text) }));
}

/// Appends a name to the header line: a name is never guarded.
pub(super) fn push_name(out: &mut Vec<u8>, name: &str) {
    push_quoted_if_needed(out, "", name);
}

/// Whether a spreadsheet would take a text for a formula, or an apostrophe of its own for the guard.
pub(super) fn needs_guard(text: &str) -> bool {
    matches!(text.as_bytes().first(), Some(b'=' | b'+' | b'-' | b'@' | b'\t' | b'\r' | b'\n' | b'\''))
}

fn push_quoted_if_needed(out: &mut Vec<u8>, guard: &str, text: &str) {
    // `\.` alone on a line ends the data for PostgreSQL's COPY.
    let quote = text.is_empty() || text == "\\." || text.bytes().any(|byte| matches!(byte, b',' | b'"' | b'\r' | b'\n'));
    if !quote {
        out.extend_from_slice(guard.as_bytes());
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    out.extend_from_slice(guard.as_bytes());
    let mut pieces = text.split('"');
    out.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    for piece in pieces {
        out.extend_from_slice(b"\"\"");
        out.extend_from_slice(piece.as_bytes());
    }
    out.push(b'"');
}

/// The text of a cell as it was before the guard.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').unwrap_or(text)
}

/// Reads records back, telling NULL from an empty text.
pub(super) struct CsvReader<R> {
    input: R,
    line: Vec<u8>,
    cells: Vec<Option<String>>,
}

impl<R: BufRead> CsvReader<R> {
    /// Opens a CSV file; it must begin with the byte order mark.
    pub(super) fn new(mut input: R) -> io::Result<Self> {
        let mut mark = [0; 3];
        input.read_exact(&mut mark)?;
        if mark != BYTE_ORDER_MARK {
            return Err(broken("no byte order mark"));
        }
        Ok(CsvReader { input, line: Vec::new(), cells: Vec::new() })
    }

    /// The next record; `None` at the end.
    pub(super) fn next_record(&mut self) -> io::Result<Option<&[Option<String>]>> {
        self.line.clear();
        // A record ends at the first line end that is outside quotes, which is when the number of quotes so far is even.
        let mut quotes = 0;
        loop {
            let start = self.line.len();
            if self.input.read_until(b'\n', &mut self.line)? == 0 {
                return if self.line.is_empty() { Ok(None) } else { Err(broken("the last record does not end")) };
            }
            quotes += self.line[start..].iter().filter(|byte| **byte == b'"').count();
            if quotes % 2 == 0 && self.line.ends_with(b"\r\n") {
                break;
            }
        }
        let record = std::str::from_utf8(&self.line[..self.line.len() - 2]).map_err(|_| broken("not UTF-8"))?;
        self.cells.clear();
        let mut rest = record;
        loop {
            let (cell, after) = take_cell(rest)?;
            self.cells.push(cell);
            match after.strip_prefix(',') {
                Some(more) => rest = more,
                None if after.is_empty() => return Ok(Some(&self.cells)),
                None => return Err(broken("text after a closing quote")),
            }
        }
    }
}

fn take_cell(text: &str) -> io::Result<(Option<String>, &str)> {
    let Some(mut rest) = text.strip_prefix('"') else {
        let (cell, after) = text.split_at(text.find(',').unwrap_or(text.len()));
        if cell.contains('"') {
            return Err(broken("a quote inside an unquoted cell"));
        }
        return Ok(((!cell.is_empty()).then(|| cell.to_owned()), after));
    };
    let mut cell = String::new();
    loop {
        let (before, after) = rest.split_once('"').ok_or_else(|| broken("a quote that does not close"))?;
        cell.push_str(before);
        match after.strip_prefix('"') {
            Some(more) => {
                cell.push('"');
                rest = more;
            }
            None => return Ok((Some(cell), after)),
        }
    }
}

fn broken(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(value: Value<'_>) -> String {
        let mut out = Vec::new();
        push_cell(&mut out, value);
        String::from_utf8(out).expect("UTF-8")
    }

    fn read_all(text: &str) -> io::Result<Vec<Vec<Option<String>>>> {
        let bytes = [BYTE_ORDER_MARK, text.as_bytes()].concat();
        let mut reader = CsvReader::new(bytes.as_slice())?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            records.push(record.to_vec());
        }
        Ok(records)
    }

    #[test]
    fn null_is_nothing_and_an_empty_text_is_two_quotes() {
        assert_eq!(cell(Value::Null), "");
        assert_eq!(cell(Value::Text("")), "\"\"");
        assert_eq!(read_all(",\"\"\r\n").expect("reads"), [[None, Some(String::new())]]);
    }

    #[test]
    fn formulas_are_guarded_and_numbers_are_not() {
        assert_eq!(cell(Value::Text("=1+1")), "'=1+1");
        assert_eq!(cell(Value::Text("+43 1 555")), "'+43 1 555");
        assert_eq!(cell(Value::Text("@a")), "'@a");
        assert_eq!(cell(Value::Text("\tx")), "'\tx");
        assert_eq!(cell(Value::Text("\r=x")), "\"'\r=x\"");
        assert_eq!(cell(Value::Text("'quoted'")), "''quoted'");
        assert_eq!(cell(Value::Number { text: "-5", quoted_in_json: false }), "-5");
        assert_eq!(cell(Value::Coded("+AAA")), "+AAA");
    }

    #[test]
    fn quotes_double_and_line_ends_stay() {
        assert_eq!(cell(Value::Text("a\"b")), "\"a\"\"b\"");
        let records = read_all("\"a\"\"b\",\"x\r\ny\"\r\nc,\r\n").expect("reads");
        assert_eq!(records, [[Some("a\"b".to_owned()), Some("x\r\ny".to_owned())], [Some("c".to_owned()), None]]);
    }

    #[test]
    fn nul_becomes_its_symbol_and_is_counted() {
        let mut out = Vec::new();
        assert_eq!(push_cell(&mut out, Value::Text("a\0b\0")), 2);
        assert_eq!(out, "a\u{2400}b\u{2400}".as_bytes());
    }

    #[test]
    fn an_empty_line_is_one_null() {
        assert_eq!(read_all("\r\n").expect("reads"), [[None]]);
    }

    #[test]
    fn damaged_files_are_refused() {
        assert!(read_all("a").is_err());
        assert!(read_all("a\"b\"\r\n").is_err());
        assert!(read_all("\"a\"b\r\n").is_err());
        assert!(read_all("\"a\r\n").is_err());
        assert!(CsvReader::new(b"a,b\r\n".as_slice()).is_err());
    }
}
