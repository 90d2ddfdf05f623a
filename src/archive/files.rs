//! Bytes too large for a cell: each becomes a file under `data/files/<table>/`, named after its digest and its column, and the cell says
//! where it is: in part 1, or in a part whose folder lies beside that of part 1. `data/files/index.csv` lists them with the record that
//! each belongs to. Equal content of one column is stored once.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};

use super::ArchiveError;
use super::bag::Bag;
use super::csv::{self, BYTE_ORDER_MARK};
use super::names::{Names, part_folder, safe};
use super::normal::Value;
use super::parts::Parts;
use super::timestamp;
use crate::crypto::hex;

/// Up to this many bytes a value stays in its cell.
pub(super) const LARGEST_CELL: usize = 64 * 1024;
/// Begins a cell whose value is a file; no base64 has a colon.
pub(super) const FILE_PREFIX: &str = "file:";
/// The list of all files.
pub(super) const INDEX_PATH: &str = "data/files/index.csv";

/// Names of its columns.
pub(super) const INDEX_COLUMNS: [&str; 8] =
    ["path", "source", "original_name", "media_type", "bytes", "sha256", "record", "modified_at"];

const LONGEST_FOLDER: usize = 36;
const LONGEST_STEM: usize = 32;

/// A file that came out of a cell.
#[derive(Debug, Clone)]
pub(super) struct StoredFile {
    /// The part that it is in.
    pub(super) part: u32,
    /// Path inside that part.
    pub(super) path: String,
    /// The way to it from the folder of part 1: the path, or `../<folder of the part>/<path>`.
    pub(super) way: String,
    pub(super) source: String,
    pub(super) table: String,
    pub(super) column: String,
    pub(super) media_type: &'static str,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// Primary key of the row it belongs to.
    pub(super) record: String,
    /// Its name where it came from, if it had one.
    pub(super) original_name: Option<String>,
    /// When it was stored there.
    pub(super) modified: Option<Timestamp>,
}

/// A file that was read whole and lies in a nameless file of its own.
pub struct ReadFile {
    /// Its bytes, from the beginning.
    pub file: File,
    /// How many.
    pub bytes: u64,
    /// Their digest, in hex.
    pub sha256: String,
    /// Its name where it came from.
    pub original_name: String,
    /// What it is called in `index.csv`.
    pub record: String,
    /// When it was stored there.
    pub modified: Option<Timestamp>,
}

/// Part 1, and the parts that take the files for which it has no room.
pub(super) struct Bags<'a> {
    pub(super) first: &'a mut Bag,
    pub(super) parts: &'a mut Parts,
}

/// All files of an archive.
pub(super) struct Files {
    /// Name of the archive.
    archive: String,
    stored: Vec<StoredFile>,
    paths: BTreeMap<(String, String), (u32, String)>,
    folders: BTreeMap<(String, String), String>,
    folder_names: Names,
    file_names: Names,
}

impl Files {
    /// None yet.
    pub(super) fn new(archive: &str) -> Files {
        Files {
            archive: archive.to_owned(),
            stored: Vec::new(),
            paths: BTreeMap::new(),
            folders: BTreeMap::new(),
            folder_names: Names::default(),
            file_names: Names::default(),
        }
    }

    /// Every file so far.
    pub(super) fn stored(&self) -> &[StoredFile] {
        &self.stored
    }

    /// Stores bytes and returns what the cell says instead: `file:data/files/…`.
    pub(super) fn store(
        &mut self,
        bags: &mut Bags<'_>,
        (source, table, column): (&str, &str, &str),
        bytes: &[u8],
        record: String,
    ) -> Result<String, ArchiveError> {
        let sha256 = hex(&Sha256::digest(bytes));
        let (media_type, extension) = media_type(bytes);
        let place = (source.to_owned(), table.to_owned());
        let folder_names = &mut self.folder_names;
        let folder = self.folders.entry(place).or_insert_with(|| folder_names.unique(table, LONGEST_FOLDER)).clone();
        let stem = format!("data/files/{folder}/{}-{}", &sha256[..8], safe(column, LONGEST_STEM));
        let (part, path) = match self.paths.get(&(stem.clone(), sha256.clone())) {
            Some(place) => place.clone(),
            None => {
                let path = format!("{}.{extension}", self.file_names.unique_path(&stem));
                let (part, bag) = bags.parts.room_for(bags.first, bytes.len() as u64)?;
                bag.add(&path, bytes)?;
                self.paths.insert((stem, sha256.clone()), (part, path.clone()));
                (part, path)
            }
        };
        let way = self.way_to(part, &path);
        let cell = format!("{FILE_PREFIX}{way}");
        let (source, table, column) = (source.to_owned(), table.to_owned(), column.to_owned());
        self.stored.push(StoredFile {
            part,
            path,
            way,
            source,
            table,
            column,
            media_type,
            bytes: bytes.len() as u64,
            sha256,
            record,
            original_name: None,
            modified: None,
        });
        Ok(cell)
    }

    /// Puts a file that was read whole into a bag; the way to it. Compressed media are stored as they are.
    pub(super) fn keep(
        &mut self,
        bags: &mut Bags<'_>,
        (source, table): (&str, &str),
        mut read: ReadFile,
    ) -> Result<String, ArchiveError> {
        let mut head = [0; 16];
        let known = read_head(&mut read.file, &mut head)?;
        let (media_type, extension) = media_type(&head[..known]);
        let folder_names = &mut self.folder_names;
        let place = (source.to_owned(), table.to_owned());
        let folder = self.folders.entry(place).or_insert_with(|| folder_names.unique(table, LONGEST_FOLDER)).clone();
        let last = read.original_name.rsplit('/').find(|part| !part.is_empty()).unwrap_or("object");
        let (stem, own_extension) = split_extension(last);
        let extension = if extension == "bin" { own_extension.unwrap_or_else(|| "bin".to_owned()) } else { extension.to_owned() };
        let stem = format!("data/files/{folder}/{}-{}", &read.sha256[..8], safe(stem, LONGEST_STEM));
        let (part, path) = match self.paths.get(&(stem.clone(), read.sha256.clone())) {
            Some(place) => place.clone(),
            None => {
                let path = format!("{}.{extension}", self.file_names.unique_path(&stem));
                let (part, bag) = bags.parts.room_for(bags.first, read.bytes)?;
                let entry = bag.add_file(&path, &mut read.file, !is_compressed(media_type))?;
                if entry.sha256 != read.sha256 || entry.bytes != read.bytes {
                    return Err(ArchiveError::OutOfOrder("a file changed while it was put into the archive"));
                }
                self.paths.insert((stem, read.sha256.clone()), (part, path.clone()));
                (part, path)
            }
        };
        let way = self.way_to(part, &path);
        self.stored.push(StoredFile {
            part,
            path,
            way: way.clone(),
            source: source.to_owned(),
            table: table.to_owned(),
            column: String::new(),
            media_type,
            bytes: read.bytes,
            sha256: read.sha256,
            record: read.record,
            original_name: Some(read.original_name),
            modified: read.modified,
        });
        Ok(way)
    }

    fn way_to(&self, part: u32, path: &str) -> String {
        match part {
            1 => path.to_owned(),
            part => format!("../{}/{path}", part_folder(&self.archive, part)),
        }
    }

    /// Writes `index.csv`, when there is something to list.
    pub(super) fn write_index(&self, bag: &mut Bag) -> Result<(), ArchiveError> {
        if self.stored.is_empty() {
            return Ok(());
        }
        let mut out = BYTE_ORDER_MARK.to_vec();
        csv::push_record(&mut out, INDEX_COLUMNS.map(Value::Text));
        for file in &self.stored {
            let bytes = file.bytes.to_string();
            let source = file.place();
            let modified = file.modified.map(timestamp::of);
            let cells = [
                Value::Text(&file.way),
                Value::Text(&source),
                file.original_name.as_deref().map_or(Value::Null, Value::Text),
                Value::Text(file.media_type),
                Value::Number { text: &bytes, quoted_in_json: false },
                Value::Text(&file.sha256),
                Value::Text(&file.record),
                modified.as_deref().map_or(Value::Null, Value::Text),
            ];
            csv::push_record(&mut out, cells);
        }
        bag.add(INDEX_PATH, &out)?;
        Ok(())
    }
}

impl StoredFile {
    /// Where it came from: `source.table.column`, or `source.table` for an object.
    pub(super) fn place(&self) -> String {
        match self.column.is_empty() {
            true => format!("{}.{}", self.source, self.table),
            false => format!("{}.{}.{}", self.source, self.table, self.column),
        }
    }
}

fn read_head(file: &mut File, head: &mut [u8]) -> Result<usize, ArchiveError> {
    let mut known = 0;
    while known < head.len() {
        match file.read(&mut head[known..])? {
            0 => break,
            read => known += read,
        }
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(known)
}

/// `portrait.jpg` as `portrait` and `jpg`. An extension is short and plain, or it is part of the name.
fn split_extension(name: &str) -> (&str, Option<String>) {
    let is_plain = |end: &str| (1..=8).contains(&end.len()) && end.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match name.rsplit_once('.') {
        Some((stem, end)) if !stem.is_empty() && is_plain(end) => (stem, Some(end.to_ascii_lowercase())),
        _ => (name, None),
    }
}

fn is_compressed(media_type: &str) -> bool {
    matches!(
        media_type,
        "image/png" | "image/jpeg" | "image/gif" | "image/webp" | "application/zip" | "application/gzip" | "video/mp4"
    )
}

/// What the first bytes say; never what a name claims.
fn media_type(bytes: &[u8]) -> (&'static str, &'static str) {
    match bytes {
        [0x89, b'P', b'N', b'G', ..] => ("image/png", "png"),
        [0xFF, 0xD8, 0xFF, ..] => ("image/jpeg", "jpg"),
        [b'G', b'I', b'F', b'8', ..] => ("image/gif", "gif"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => ("image/webp", "webp"),
        [b'%', b'P', b'D', b'F', b'-', ..] => ("application/pdf", "pdf"),
        [b'P', b'K', 3, 4, ..] => ("application/zip", "zip"),
        [0x1F, 0x8B, ..] => ("application/gzip", "gz"),
        [_, _, _, _, b'f', b't', b'y', b'p', ..] => ("video/mp4", "mp4"),
        _ => ("application/octet-stream", "bin"),
    }
}
