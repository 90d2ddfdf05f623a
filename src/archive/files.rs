//! Bytes too large for a cell: each becomes a file under `data/files/<table>/`, named after its digest and its column, and the cell says
//! where it is. `data/files/index.csv` lists them with the record that each belongs to. Equal content of one column is stored once.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::ArchiveError;
use super::bag::Bag;
use super::csv::{self, BYTE_ORDER_MARK};
use super::names::{Names, safe};
use super::normal::Value;
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
    /// Path inside the bag.
    pub(super) path: String,
    pub(super) source: String,
    pub(super) table: String,
    pub(super) column: String,
    pub(super) media_type: &'static str,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// Primary key of the row it belongs to.
    pub(super) record: String,
}

/// All files of an archive.
#[derive(Default)]
pub(super) struct Files {
    stored: Vec<StoredFile>,
    paths: BTreeMap<(String, String), String>,
    folders: BTreeMap<(String, String), String>,
    folder_names: Names,
    file_names: Names,
}

impl Files {
    /// Every file so far.
    pub(super) fn stored(&self) -> &[StoredFile] {
        &self.stored
    }

    /// Stores bytes and returns what the cell says instead: `file:data/files/…`.
    pub(super) fn store(
        &mut self,
        bag: &mut Bag,
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
        let path = match self.paths.get(&(stem.clone(), sha256.clone())) {
            Some(path) => path.clone(),
            None => {
                let path = format!("{}.{extension}", self.file_names.unique_path(&stem));
                bag.add(&path, bytes)?;
                self.paths.insert((stem, sha256.clone()), path.clone());
                path
            }
        };
        let cell = format!("{FILE_PREFIX}{path}");
        let (source, table, column) = (source.to_owned(), table.to_owned(), column.to_owned());
        self.stored.push(StoredFile { path, source, table, column, media_type, bytes: bytes.len() as u64, sha256, record });
        Ok(cell)
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
            let source = format!("{}.{}.{}", file.source, file.table, file.column);
            let cells = [
                Value::Text(&file.path),
                Value::Text(&source),
                Value::Null,
                Value::Text(file.media_type),
                Value::Number { text: &bytes, quoted_in_json: false },
                Value::Text(&file.sha256),
                Value::Text(&file.record),
                Value::Null,
            ];
            csv::push_record(&mut out, cells);
        }
        bag.add(INDEX_PATH, &out)?;
        Ok(())
    }
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
        _ => ("application/octet-stream", "bin"),
    }
}
