//! Writes an archive: header, then tables with their rows, then the closing. Rows stream through; only counts and descriptions stay in memory.
//! The archive is made under a hidden name, read back, and only then given its own. After any error nothing of it remains.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use super::bag::Bag;
use super::completeness::{Completeness, adds_up, withheld_rows};
use super::files::{Files, ReadFile, StoredFile};
use super::html::{self, Frame};
use super::names::{LONGEST_PART, Names, archive_name};
use super::open_table::{OpenTable, Stores};
use super::outcome::Closing;
use super::storage::Workshop;
use super::table::{TableSpec, TableTally};
use super::written::{Written, WrittenData};
use super::{ArchiveError, ArchiveHeader, bagit, completeness, datapackage, dictionary, processing, readme, request_json, verify};
use crate::crypto::hex;
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
    written: Vec<Written>,
    open: Option<OpenTable>,
    finished: bool,
    // Dropped in this order: first the zip, then the file that it writes to.
    bag: Option<Bag>,
    handle: Option<File>,
    partial: Option<TempPath>,
}

/// A finished archive that has been read back and has not yet its name. Dropped, it is gone.
pub struct Finished {
    workshop: Workshop,
    /// Its file.
    pub file: FinishedFile,
}

/// A file of a finished archive, under a name that nobody takes for the archive.
pub struct FinishedFile {
    /// The name that it is to have.
    pub file_name: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest, in hex.
    pub sha256: String,
    handle: File,
    partial: TempPath,
}

impl FinishedFile {
    /// Opens it for reading from the beginning.
    pub fn open(&self) -> Result<File, ArchiveError> {
        Ok(File::open(&self.partial)?)
    }
}

impl Finished {
    /// Gives it its name, in the folder in which it was made.
    pub fn publish(self) -> Result<Published, ArchiveError> {
        let FinishedFile { file_name, bytes, sha256, handle, partial } = self.file;
        let path = self.workshop.publish(&handle, partial, &file_name)?;
        Ok(Published { path, bytes, sha256, parts: 1 })
    }
}

/// A finished archive under its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its digest, in hex.
    pub sha256: String,
    /// How many files it has been divided into.
    pub parts: u32,
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
            header,
            name,
            workshop,
            places: Places::default(),
            files: Files::default(),
            written: Vec::new(),
            open: None,
            finished: false,
            handle: Some(handle),
            partial: Some(partial),
        })
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
        let (Some(table), Some(bag)) = (&mut self.open, &mut self.bag) else {
            return Err(ArchiveError::OutOfOrder("a row came outside a table"));
        };
        let mut stores = Stores { bag, files: &mut self.files, workshop: &self.workshop };
        let result = table.row(cells, &mut stores);
        self.final_if_failed(result)
    }

    /// Puts a file that was read whole into the archive, for a row of the current table; its path there.
    pub fn keep_file(&mut self, file: ReadFile) -> Result<String, ArchiveError> {
        let (Some(table), Some(bag)) = (&self.open, &mut self.bag) else {
            return Err(ArchiveError::OutOfOrder("a file came outside a table"));
        };
        let place = (table.spec.source.as_str(), table.spec.table.as_str());
        let result = self.files.keep(bag, place, file);
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

    /// Writes everything else, reads the archive back, compares it with its manifests, and gives it its name.
    pub fn finish(self, closing: Closing) -> Result<Published, ArchiveError> {
        self.close(closing)?.publish()
    }

    /// The same, but the archive does not get its name yet.
    pub fn close(mut self, closing: Closing) -> Result<Finished, ArchiveError> {
        if self.open.is_some() {
            return Err(ArchiveError::OutOfOrder("the archive was closed inside a table"));
        }
        let Some(mut bag) = self.bag.take() else {
            return Err(ArchiveError::OutOfOrder("the archive was closed after an error"));
        };
        self.written.sort_by(|a, b| (&a.spec.source, &a.spec.table).cmp(&(&b.spec.source, &b.spec.table)));
        self.write_documents(&mut bag, &closing)?;
        bag.close()?;
        if self.workshop.is_broken() {
            return Err(ArchiveError::Write(std::io::Error::other("a write failed before the archive was closed")));
        }
        let (Some(partial), Some(handle)) = (self.partial.take(), self.handle.take()) else {
            return Err(ArchiveError::OutOfOrder("the archive was closed twice"));
        };
        verify::read_back(&partial, &self.name)?;
        let (bytes, sha256) = digest(&partial)?;
        self.finished = true;
        let file_name = format!("{}.zip", self.name);
        Ok(Finished { workshop: self.workshop.clone(), file: FinishedFile { file_name, bytes, sha256, handle, partial } })
    }

    fn write_documents(&self, bag: &mut Bag, closing: &Closing) -> Result<(), ArchiveError> {
        let (header, tables) = (&self.header, &self.written);
        let mut files: Vec<StoredFile> = self.files.stored().to_vec();
        files.sort_by(|a, b| (&a.path, &a.record).cmp(&(&b.path, &b.record)));
        let report = Completeness::build(header, closing, tables, files.len() as u64)?;

        bag.add(request_json::PATH, &pretty(&request_json::build(header, closing))?)?;
        bag.add(processing::PATH, &pretty(&processing::build(header, tables))?)?;
        bag.add(completeness::PATH, &pretty(&report)?)?;
        bag.add(dictionary::PATH, &dictionary::build(tables))?;
        self.files.write_index(bag)?;

        let frame = &self.frame;
        html::write_overview(bag, frame, header, &report, tables)?;
        html::write_processing(bag, frame, tables)?;
        html::write_left_out(bag, frame, header, &report)?;
        html::write_rights(bag, frame, header)?;
        html::write_files(bag, frame, &files)?;
        bag.add(readme::PATH, readme::build(header, &report.statement).as_bytes())?;

        let package = datapackage::build(header, &self.name, &report.statement, tables, &files, |path| bag.entries().get(path));
        bag.add(datapackage::PATH, &pretty(&package)?)?;
        bag.add(bagit::DECLARATION_PATH, bagit::DECLARATION.as_bytes())?;
        bag.add(bagit::INFO, bagit::info(header, bag.entries()).as_bytes())?;
        bag.add(bagit::MANIFEST, bagit::manifest(bag.entries(), true).as_bytes())?;
        bag.add(bagit::TAG_MANIFEST, bagit::manifest(bag.entries(), false).as_bytes())?;
        Ok(())
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

fn pretty(document: &impl serde::Serialize) -> Result<Vec<u8>, ArchiveError> {
    let mut text = serde_json::to_vec_pretty(document).map_err(|error| ArchiveError::Write(error.into()))?;
    text.push(b'\n');
    Ok(text)
}

fn digest(path: &Path) -> Result<(u64, String), ArchiveError> {
    let mut file = File::open(path)?;
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut chunk = vec![0; 256 * 1024];
    loop {
        match file.read(&mut chunk)? {
            0 => return Ok((bytes, hex(&hash.finalize()))),
            read => {
                hash.update(&chunk[..read]);
                bytes += read as u64;
            }
        }
    }
}
