//! Writes an archive: header, then tables with their rows, then the closing. Rows stream through; only counts and descriptions stay in memory.
//! The archive is made under a hidden name, read back, and only then given its own. After any error nothing of it remains.

use std::fs::File;
use std::path::Path;

use tempfile::TempPath;

use super::bag::Bag;
use super::completeness::{Completeness, adds_up, withheld_rows};
use super::files::{Bags, Files, ReadFile, StoredFile};
use super::finished::{Finished, FinishedFile, Published};
use super::html::{self, Frame};
use super::names::{LONGEST_PART, Names, archive_name, part_file_name};
use super::open_table::{OpenTable, Stores};
use super::outcome::Closing;
use super::parts::{self, OtherPart, Part, Parts, PartsDocument};
use super::storage::Workshop;
use super::table::{TableSpec, TableTally};
use super::written::{Written, WrittenData};
use super::{
    ArchiveError, ArchiveHeader, bagit, completeness, datapackage, dictionary, further_part, processing, readme, request_json,
};
use crate::value::Cell;

/// Longest `<source>.<table>` of a page, which further gets a number and `.html`.
const LONGEST_PAGE: usize = 70;

/// An archive in the making.
pub struct ArchiveWriter {
    header: ArchiveHeader,
    name: String,
    frame: Frame,
    workshop: Workshop,
    places: Places,
    files: Files,
    parts: Option<Parts>,
    written: Vec<Written>,
    open: Option<OpenTable>,
    finished: bool,
    // Dropped in this order: first the zips, then the files that they write to.
    bag: Option<Bag>,
    handle: Option<File>,
    partial: Option<TempPath>,
}

/// Safe names of sources, tables and pages.
#[derive(Default)]
struct Places {
    sources: Vec<(String, String, Names)>,
    source_names: Names,
    page_names: Names,
}

impl ArchiveWriter {
    /// Begins an archive in a folder, in a file that nobody else can read and that has not yet the archive's name.
    pub fn create(folder: &Path, header: ArchiveHeader) -> Result<ArchiveWriter, ArchiveError> {
        ArchiveWriter::create_in(Workshop::new(folder), header)
    }

    pub(super) fn create_in(workshop: Workshop, header: ArchiveHeader) -> Result<ArchiveWriter, ArchiveError> {
        let name = archive_name(&header.controller.name, header.created, &header.request.code);
        let (file, handle, partial) = workshop.partial(&name)?;
        Ok(ArchiveWriter {
            bag: Some(Bag::new(file, &name, header.created)),
            frame: Frame::new(&header),
            files: Files::new(&name),
            parts: Some(Parts::new(&workshop, &name, header.created)),
            header,
            name,
            workshop,
            places: Places::default(),
            written: Vec::new(),
            open: None,
            finished: false,
            handle: Some(handle),
            partial: Some(partial),
        })
    }

    /// Divides the archive: no part is larger than this, except part 1 if its tables alone are, and a part that holds one larger file.
    pub fn in_parts_of(mut self, bytes: u64) -> ArchiveWriter {
        if let Some(parts) = &mut self.parts {
            parts.limit_to(bytes);
        }
        self
    }

    /// Begins a table. Its rows follow, then [`ArchiveWriter::end_table`].
    pub fn begin_table(&mut self, spec: TableSpec) -> Result<(), ArchiveError> {
        if self.open.is_some() {
            return Err(ArchiveError::OutOfOrder("a table began before the one before it had ended"));
        }
        if self.written.iter().any(|table| table.spec.source == spec.source && table.spec.table == spec.table) {
            return Err(ArchiveError::OutOfOrder("a table came twice"));
        }
        self.open = Some(OpenTable::new(spec));
        Ok(())
    }

    /// Writes a row of the current table: one cell per column, in their order.
    pub fn row(&mut self, cells: &[Cell<'_>]) -> Result<(), ArchiveError> {
        let (Some(table), Some(first), Some(parts)) = (&mut self.open, &mut self.bag, &mut self.parts) else {
            return Err(ArchiveError::OutOfOrder("a row came outside a table"));
        };
        let mut stores = Stores { bags: Bags { first, parts }, files: &mut self.files, workshop: &self.workshop };
        let result = table.row(cells, &mut stores);
        self.final_if_failed(result)
    }

    /// Puts a file that was read whole into the archive, for a row of the current table; the way to it from the folder of part 1.
    pub fn keep_file(&mut self, file: ReadFile) -> Result<String, ArchiveError> {
        let (Some(table), Some(first), Some(parts)) = (&self.open, &mut self.bag, &mut self.parts) else {
            return Err(ArchiveError::OutOfOrder("a file came outside a table"));
        };
        let place = (table.spec.source.as_str(), table.spec.table.as_str());
        let result = self.files.keep(&mut Bags { first, parts }, place, file);
        self.final_if_failed(result)
    }

    /// Ends the current table. Its rows and the tally must add up.
    pub fn end_table(&mut self, tally: TableTally) -> Result<(), ArchiveError> {
        let result = self.try_end_table(tally);
        self.final_if_failed(result)
    }

    fn try_end_table(&mut self, tally: TableTally) -> Result<(), ArchiveError> {
        let (Some(mut table), Some(bag)) = (self.open.take(), &mut self.bag) else {
            return Err(ArchiveError::OutOfOrder("a table ended that had not begun"));
        };
        let withheld = withheld_rows(&tally.withheld);
        if !adds_up(tally.found, table.rows, withheld, tally.failed) {
            return Err(ArchiveError::Unbalanced {
                source_key: table.spec.source,
                table: table.spec.table,
                found: tally.found,
                exported: table.rows,
                withheld,
                failed: tally.failed,
            });
        }
        let (data_path, page_path) = self.places.of(&table.spec);
        let files = table.finish(&data_path, bag, &self.workshop)?;
        let mut written =
            Written { spec: table.spec, tally, columns: table.columns, rows: table.rows, keys: table.keys, data: None };
        if let Some(files) = files {
            let data = WrittenData {
                csv_path: format!("{data_path}.csv"),
                jsonl_path: format!("{data_path}.jsonl"),
                page_path,
                csv: files.csv,
                jsonl: files.jsonl,
            };
            html::write_table(bag, &self.frame, &written, &data, files.pages)?;
            written.data = Some(data);
        }
        self.written.push(written);
        Ok(())
    }

    /// Writes everything else, reads the archive back, compares it with its manifests, and gives it its name. Returns part 1.
    pub fn finish(self, closing: Closing) -> Result<Published, ArchiveError> {
        let published = self.close(closing)?.publish()?;
        published.into_iter().next().ok_or(ArchiveError::OutOfOrder("an archive without a file was published"))
    }

    /// The same, but the archive does not get its name yet.
    pub fn close(mut self, closing: Closing) -> Result<Finished, ArchiveError> {
        if self.open.is_some() {
            return Err(ArchiveError::OutOfOrder("the archive was closed inside a table"));
        }
        let (Some(mut bag), Some(parts)) = (self.bag.take(), self.parts.take()) else {
            return Err(ArchiveError::OutOfOrder("the archive was closed after an error"));
        };
        self.written.sort_by(|a, b| (&a.spec.source, &a.spec.table).cmp(&(&b.spec.source, &b.spec.table)));
        let mut stored: Vec<StoredFile> = self.files.stored().to_vec();
        stored.sort_by(|a, b| (a.part, &a.path, &a.record).cmp(&(b.part, &b.path, &b.record)));
        let (further, others) = further_part::finish_all(parts, &self.header, &self.name, &stored)?;
        self.write_documents(&mut bag, &closing, &stored, others)?;
        bag.close()?;
        if self.workshop.is_broken() {
            return Err(ArchiveError::Write(std::io::Error::other("a write failed before the archive was closed")));
        }
        let (Some(partial), Some(handle)) = (self.partial.take(), self.handle.take()) else {
            return Err(ArchiveError::OutOfOrder("the archive was closed twice"));
        };
        let file_name = part_file_name(&self.name, Part { number: 1, of: count(&further) + 1 });
        let mut files = vec![FinishedFile::read_back(file_name, &self.name, &handle, partial)?];
        files.extend(further);
        self.finished = true;
        Ok(Finished { workshop: self.workshop.clone(), files })
    }

    fn write_documents(
        &self,
        bag: &mut Bag,
        closing: &Closing,
        files: &[StoredFile],
        others: Vec<OtherPart>,
    ) -> Result<(), ArchiveError> {
        let (header, tables) = (&self.header, &self.written);
        let report = Completeness::build(header, closing, tables, files.len() as u64)?;
        let part = Part { number: 1, of: count(&others) + 1 };

        bag.add(request_json::PATH, &pretty(&request_json::build(header, closing, part.of))?)?;
        bag.add(processing::PATH, &pretty(&processing::build(header, tables))?)?;
        bag.add(completeness::PATH, &pretty(&report)?)?;
        bag.add(dictionary::PATH, &dictionary::build(tables))?;
        self.files.write_index(bag)?;
        let others = PartsDocument { schema_version: 1, group_id: header.request.id.clone(), of: part.of, parts: others };
        if part.of > 1 {
            bag.add(parts::PATH, &pretty(&others)?)?;
        }

        let frame = &self.frame;
        html::write_overview(bag, frame, header, &report, tables, files, &others.parts)?;
        html::write_processing(bag, frame, tables)?;
        html::write_left_out(bag, frame, header, &report)?;
        html::write_rights(bag, frame, header)?;
        html::write_files(bag, frame, files)?;
        bag.add(readme::PATH, readme::build(header, &report.statement, &others.parts).as_bytes())?;

        let package = datapackage::build(header, &self.name, &report.statement, tables, files, |path| bag.entries().get(path));
        bag.add(datapackage::PATH, &pretty(&package)?)?;
        bagit::write(bag, header, part)
    }

    /// After an error there is no archive any more: nothing else can be written to it.
    fn final_if_failed<T>(&mut self, result: Result<T, ArchiveError>) -> Result<T, ArchiveError> {
        if result.is_err() {
            self.abandon();
        }
        result
    }

    fn abandon(&mut self) {
        self.workshop.give_up();
        self.open = None;
        self.bag = None;
        self.parts = None;
        self.partial = None;
    }
}

impl Drop for ArchiveWriter {
    fn drop(&mut self) {
        if !self.finished {
            self.abandon();
        }
    }
}

impl Places {
    /// Where the files of a table go, without their ending, and its first page.
    fn of(&mut self, spec: &TableSpec) -> (String, String) {
        let index = match self.sources.iter().position(|(source, ..)| *source == spec.source) {
            Some(index) => index,
            None => {
                let folder = self.source_names.unique(&spec.source, LONGEST_PART);
                self.sources.push((spec.source.clone(), folder, Names::default()));
                self.sources.len() - 1
            }
        };
        let (_, folder, tables) = &mut self.sources[index];
        let table = tables.unique(&spec.table, LONGEST_PART);
        // With no further dots, the second page of `a` cannot take the name of the first page of `a.2`.
        let page = self.page_names.unique(&format!("{}.{}", folder.replace('.', "_"), table.replace('.', "_")), LONGEST_PAGE);
        (format!("data/tables/{folder}/{table}"), format!("html/{page}.html"))
    }
}

fn count<T>(further: &[T]) -> u32 {
    u32::try_from(further.len()).unwrap_or(u32::MAX)
}

pub(super) fn pretty(document: &impl serde::Serialize) -> Result<Vec<u8>, ArchiveError> {
    let mut text = serde_json::to_vec_pretty(document).map_err(|error| ArchiveError::Write(error.into()))?;
    text.push(b'\n');
    Ok(text)
}
