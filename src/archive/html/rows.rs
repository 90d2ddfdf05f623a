//! Rows waiting for their page. How a page looks depends on how many rows there will be, so the cells of the first pages are kept in a
//! nameless file until the table ends. Everything beyond is in the CSV only.

use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};

use super::cell;
use crate::archive::ArchiveError;
use crate::archive::normal::Value;
use crate::archive::storage::{Latch, Workshop};
use crate::value::ColumnType;

/// Rows on one page.
pub(in crate::archive) const ROWS_PER_PAGE: u64 = 1_000;
/// Pages of one table. A table with more rows is complete in its CSV and JSON Lines files only; its pages say so.
pub(in crate::archive) const MOST_PAGES: u64 = 10;

/// Ends a cell in the file. Neither mark can come out of [`cell::push`], which shows control characters by number.
const CELL_END: u8 = 0x1F;
/// Ends a row in the file.
const ROW_END: u8 = 0x1E;

/// The cells of a table's first pages, as markup.
pub(in crate::archive) struct Rows {
    file: BufWriter<Latch>,
    markup: String,
    written: u64,
    /// Where each page begins, and the end.
    bounds: Vec<u64>,
    position: u64,
}

impl Rows {
    /// No rows yet.
    pub(in crate::archive) fn new(workshop: &Workshop) -> Result<Rows, ArchiveError> {
        Ok(Rows { file: BufWriter::new(workshop.scratch()?), markup: String::new(), written: 0, bounds: vec![0], position: 0 })
    }

    /// Whether further rows will be shown.
    pub(in crate::archive) fn has_room(&self) -> bool {
        self.written < ROWS_PER_PAGE * MOST_PAGES
    }

    /// Adds a cell to the current row.
    pub(in crate::archive) fn push_cell(&mut self, value: Value<'_>, column_type: ColumnType) {
        cell::push(&mut self.markup, value, column_type);
        self.markup.push(char::from(CELL_END));
    }

    /// Adds a cell that leads to a file of the archive.
    pub(in crate::archive) fn push_file(&mut self, way: &str) {
        cell::push_file(&mut self.markup, way);
        self.markup.push(char::from(CELL_END));
    }

    /// Ends the current row.
    pub(in crate::archive) fn end_row(&mut self) -> Result<(), ArchiveError> {
        self.markup.push(char::from(ROW_END));
        self.file.write_all(self.markup.as_bytes())?;
        self.position += self.markup.len() as u64;
        self.markup.clear();
        self.written += 1;
        if self.written.is_multiple_of(ROWS_PER_PAGE) {
            self.bounds.push(self.position);
        }
        Ok(())
    }

    /// No more rows: the pages can be read.
    pub(in crate::archive) fn finish(mut self) -> Result<PageRows, ArchiveError> {
        if self.bounds.last() != Some(&self.position) {
            self.bounds.push(self.position);
        }
        let file = self.file.into_inner().map_err(|failed| failed.into_error())?;
        Ok(PageRows { file: BufReader::new(file), bounds: self.bounds })
    }
}

/// The rows, page by page.
pub(in crate::archive) struct PageRows {
    file: BufReader<Latch>,
    bounds: Vec<u64>,
}

impl PageRows {
    /// How many pages there are.
    pub(in crate::archive) fn pages(&self) -> usize {
        self.bounds.len() - 1
    }

    /// Hands the rows of a page (from 0) to `each`, as lists of markup.
    pub(in crate::archive) fn read_page(
        &mut self,
        page: usize,
        mut each: impl FnMut(&[&str]) -> Result<(), ArchiveError>,
    ) -> Result<(), ArchiveError> {
        let (Some(start), Some(end)) = (self.bounds.get(page), self.bounds.get(page + 1)) else { return Ok(()) };
        self.file.seek(SeekFrom::Start(*start))?;
        let mut rows = BufReader::new((&mut self.file).take(end - start));
        let mut row = Vec::new();
        loop {
            row.clear();
            if std::io::BufRead::read_until(&mut rows, ROW_END, &mut row)? == 0 {
                return Ok(());
            }
            let text = String::from_utf8_lossy(&row);
            let cells: Vec<&str> = text.trim_end_matches(char::from(ROW_END)).split_terminator(char::from(CELL_END)).collect();
            each(&cells)?;
        }
    }
}
