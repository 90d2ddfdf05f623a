//! A row that was found, on its way to the archive. Where it stands, whose it is, and its content as it is stored.

use std::borrow::Cow;
use std::io;

/// One row that names a subject.
pub struct Found<'r> {
    /// Place of the row among the rows of the object, from 1. Header, blank lines and erased rows of earlier runs do not count.
    pub row: u64,
    /// The subjects that it names, by their numbers; one, unless it is shared.
    pub subjects: &'r [usize],
    /// Whether somebody else is named as well. Such a row is not erased (O-1).
    pub shared: bool,
    /// Its content.
    pub content: Content<'r>,
}

impl std::fmt::Debug for Found<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Found(row {}, ..)", self.row)
    }
}

/// What a row says.
#[derive(Clone, PartialEq)]
pub enum Content<'r> {
    /// JSON text: a line of JSON Lines exactly as stored without its line end, or a row of Parquet as an object.
    Json(Cow<'r, str>),
    /// The cells of a CSV record, with the names of their columns.
    Cells {
        /// Names, as in the header.
        names: &'r [String],
        /// Cells without their quotes; bytes, because CSV has no declared encoding.
        cells: &'r [Cow<'r, [u8]>],
    },
}

/// Takes found rows, one after the other. An error ends the search.
pub type Taker<'t> = dyn FnMut(Found<'_>) -> io::Result<()> + 't;
