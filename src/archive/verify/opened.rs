//! An archive opened for checking: its one folder, and its files by their path in it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use zip::ZipArchive;

use super::{Check, VerifyReport};
use crate::archive::{ArchiveError, bagit};

/// The zip of an archive.
pub(super) type Zip = ZipArchive<BufReader<File>>;

/// Bytes of a zip's local header before the name.
const LOCAL_HEADER: usize = 30;

/// An archive being checked.
pub(super) struct Opened {
    path: PathBuf,
    zip: Zip,
    /// Name of the folder.
    pub(super) folder: String,
    /// Index of every file in the folder, by path.
    pub(super) files: BTreeMap<String, usize>,
    /// What lies outside the folder, is no file, or comes twice.
    pub(super) strays: Vec<String>,
    /// What the zip's list of contents calls otherwise than the place of the content itself: two readers would see two archives.
    pub(super) ambiguous: Vec<String>,
}

impl Opened {
    /// Opens a file.
    pub(super) fn open(path: &Path) -> Result<Opened, ArchiveError> {
        let mut zip = open_zip(path)?;
        let mut names = Vec::with_capacity(zip.len());
        let mut ambiguous = Vec::new();
        let mut headers = open_file(path)?;
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|error| unreadable(path, error))?;
            if !has_header_of(&mut headers, entry.header_start(), entry.name_raw()) {
                ambiguous.push(String::from_utf8_lossy(entry.name_raw()).into_owned());
            }
            names.push((String::from_utf8_lossy(entry.name_raw()).into_owned(), entry.is_dir(), entry.is_symlink()));
        }
        let declaration = format!("/{}", bagit::DECLARATION_PATH);
        let folders = names.iter().filter_map(|(name, ..)| name.strip_suffix(&declaration)).filter(|folder| !folder.contains('/'));
        let folder = folders.min().unwrap_or_default().to_owned();
        let mut files = BTreeMap::new();
        let mut strays = Vec::new();
        for (index, (name, is_folder, is_link)) in names.into_iter().enumerate() {
            if is_folder {
                continue;
            }
            match name.strip_prefix(&folder).and_then(|rest| rest.strip_prefix('/')) {
                Some(inside) if !is_link && !files.contains_key(inside) => {
                    files.insert(inside.to_owned(), index);
                }
                _ => strays.push(name),
            }
        }
        Ok(Opened { path: path.to_owned(), zip, folder, files, strays, ambiguous })
    }

    /// A report that knows the archive and has no problems.
    pub(super) fn empty_report(&self) -> VerifyReport {
        VerifyReport {
            archive: self.folder.clone(),
            part: 1,
            parts: 1,
            files: self.files.len() as u64,
            payload_bytes: 0,
            tables: 0,
            rows: 0,
            problems: Vec::new(),
            further_problems: 0,
            others: Vec::new(),
        }
    }

    /// Where it lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file with a function; `None` when it is not there. What goes wrong in the function is the file's fault.
    pub(super) fn read<T>(
        &mut self,
        path: &str,
        read: impl FnOnce(&mut dyn Read) -> std::io::Result<T>,
    ) -> Option<std::io::Result<T>> {
        let index = *self.files.get(path)?;
        Some(match self.zip.by_index(index) {
            Ok(mut entry) => read(&mut entry),
            Err(error) => Err(std::io::Error::other(error)),
        })
    }

    /// A whole document as text; a problem in the report, and `None`, when it cannot be had.
    pub(super) fn text(&mut self, path: &str, report: &mut VerifyReport) -> Option<String> {
        let mut text = String::new();
        match self.read(path, |entry| entry.read_to_string(&mut text)) {
            None => report.add(Check::Missing, path, "is not there"),
            Some(Err(_)) => report.add(Check::Document, path, "cannot be read as text"),
            Some(Ok(_)) => return Some(text),
        }
        None
    }

    /// A whole document as JSON, likewise.
    pub(super) fn json<T: serde::de::DeserializeOwned>(&mut self, path: &str, report: &mut VerifyReport) -> Option<T> {
        let text = self.text(path, report)?;
        match serde_json::from_str(&text) {
            Ok(document) => Some(document),
            Err(error) => {
                report.add(Check::Document, path, format!("is not the document it should be (line {})", error.line()));
                None
            }
        }
    }

    /// A second handle on the same archive, to read two files side by side.
    pub(super) fn second_handle(&self) -> Result<Zip, ArchiveError> {
        open_zip(&self.path)
    }

    /// The first handle.
    pub(super) fn zip(&mut self) -> &mut Zip {
        &mut self.zip
    }
}

/// Whether the header before a file's content bears the file's name. Most readers go by the list at the end, some by these headers.
fn has_header_of(file: &mut File, start: u64, name: &[u8]) -> bool {
    let mut read = || -> std::io::Result<bool> {
        let mut header = [0; LOCAL_HEADER];
        file.seek(SeekFrom::Start(start))?;
        file.read_exact(&mut header)?;
        let mut own_name = vec![0; usize::from(u16::from_le_bytes([header[26], header[27]]))];
        file.read_exact(&mut own_name)?;
        Ok(own_name == name)
    };
    read().unwrap_or(false)
}

fn open_zip(path: &Path) -> Result<Zip, ArchiveError> {
    ZipArchive::new(BufReader::with_capacity(128 * 1024, open_file(path)?)).map_err(|error| unreadable(path, error))
}

fn open_file(path: &Path) -> Result<File, ArchiveError> {
    File::open(path).map_err(|error| ArchiveError::File { doing: "open", path: path.to_owned(), error })
}

fn unreadable(path: &Path, error: zip::result::ZipError) -> ArchiveError {
    ArchiveError::Unreadable { path: path.to_owned(), error }
}
