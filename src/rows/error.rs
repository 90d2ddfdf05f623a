//! Why rows of an object could not be found or erased. Names lines, records, columns and row groups, never what stands in them (S-1): the
//! messages of libraries are left out where they may quote a value. After any of these nothing of the new object may be used.

use std::io;

use thiserror::Error;

/// Why the rows of an object were not found or not erased. Each is final for the object; reading or writing may be tried again.
#[derive(Debug, Error)]
pub enum RowsError {
    /// The object cannot be read to its end: a broken download, a cut or damaged compressed stream.
    #[error("cannot read the object as {codec}: {error}")]
    Read {
        /// As what it was read.
        codec: &'static str,
        /// Why not.
        #[source]
        error: io::Error,
    },
    /// The new object cannot be written.
    #[error("cannot write the new object: {0}")]
    Write(#[source] io::Error),
    /// Whoever takes the found rows refused.
    #[error("cannot hand over a row: {0}")]
    HandOver(#[source] io::Error),
    /// A line is not what the format says.
    #[error("line {line}: {problem}")]
    Line {
        /// Counted from 1; of a record that spans several, the first.
        line: u64,
        /// What is wrong.
        problem: LineProblem,
    },
    /// A field by which rows are matched is in no column: nothing can be said about the object (V-2).
    #[error("no column `{field}` in the object; hint: compare the field's path in the data map with the object's header or schema")]
    NoSuchField {
        /// The path, with dots.
        field: String,
    },
    /// A field by which rows are matched has a type whose values cannot be compared with an identifier.
    #[error("column `{field}` is of type {found}, which cannot be compared with an identifier")]
    NotComparable {
        /// The path, with dots.
        field: String,
        /// Its type.
        found: String,
    },
    /// Rows before, erased and after do not add up: the new object must not be used.
    #[error("the rows do not add up: {before} before, {erased} erased, {after} after")]
    Miscounted {
        /// Rows read.
        before: u64,
        /// Rows left out.
        erased: u64,
        /// Rows counted in what was written.
        after: u64,
    },
    /// A Parquet file that is damaged, or uses what is not supported.
    #[error("the Parquet file cannot be {doing}: {problem}")]
    Parquet {
        /// What was being done, with its place.
        doing: String,
        /// What is known without quoting values.
        problem: &'static str,
    },
    /// A part of this module stopped without an answer.
    #[error("the {0} stopped without an answer")]
    Stopped(&'static str),
}

/// What is wrong with a line or a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum LineProblem {
    /// Not a JSON value (RFC 8259), or not one alone.
    #[error("not one JSON value; hint: the format is JSON Lines, one value on each line")]
    NotJson,
    /// Bytes that are not UTF-8 in JSON.
    #[error("not UTF-8")]
    NotUtf8,
    /// Arrays inside arrays on the way to a field.
    #[error("arrays are nested more than {0} deep")]
    TooDeep(usize),
    /// Longer than anybody writes.
    #[error("longer than {0} bytes")]
    TooLong(usize),
    /// A quoted cell goes on to the end of the object.
    #[error("a quoted cell is not closed")]
    OpenQuote,
    /// Something stands between a closing quote and the next delimiter.
    #[error("text after a closing quote")]
    AfterQuote,
    /// A carriage return without a line feed: readers disagree whether the record ends there.
    #[error("a carriage return stands alone")]
    LoneCarriageReturn,
    /// More or fewer cells than the header has names.
    #[error("the record has another number of cells than the header")]
    CellCount,
}
