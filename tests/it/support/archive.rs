//! A finished archive as a test reads it: its entries, its tables. It uses nothing of the library, so that a mistake
//! in how archives are written cannot hide in how they are read.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

/// Entries of a zip file by their path below the archive's base folder.
pub struct Archive {
    /// The file.
    pub path: PathBuf,
    entries: BTreeMap<String, Vec<u8>>,
}

impl Archive {
    /// Reads all entries.
    pub fn open(path: &Path) -> Archive {
        let mut zip = zip::ZipArchive::new(File::open(path).expect("the archive")).expect("a zip file");
        let mut entries = BTreeMap::new();
        for at in 0..zip.len() {
            let mut entry = zip.by_index(at).expect("an entry");
            let path = entry.name().expect("a readable name").into_owned();
            let (_, name) = path.split_once('/').expect("a base folder");
            let name = name.to_owned();
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).expect("the entry's bytes");
            entries.insert(name, bytes);
        }
        Archive { path: path.to_owned(), entries }
    }

    /// The one archive in a folder.
    pub fn only_in(folder: &Path) -> Archive {
        let mut found: Vec<PathBuf> =
            fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path()).collect();
        found.retain(|path| path.extension().is_some_and(|extension| extension == "zip"));
        assert_eq!(found.len(), 1, "one archive in {}", folder.display());
        Archive::open(&found[0])
    }

    /// An entry as it is.
    #[track_caller]
    pub fn bytes(&self, name: &str) -> &[u8] {
        self.entries.get(name).unwrap_or_else(|| panic!("no entry {name}; there are {:?}", self.names()))
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// An entry as text.
    #[track_caller]
    pub fn text(&self, name: &str) -> &str {
        let bytes = self.entries.get(name).unwrap_or_else(|| panic!("no entry {name}; there are {:?}", self.names()));
        std::str::from_utf8(bytes).expect("UTF-8")
    }

    /// An entry as JSON.
    #[track_caller]
    pub fn json(&self, name: &str) -> Value {
        serde_json::from_str(self.text(name)).expect("JSON")
    }

    /// Paths of all entries.
    pub fn names(&self) -> Vec<&str> {
        self.entries.keys().map(String::as_str).collect()
    }

    /// The rows of every table, by `source/table`, as the JSON Lines have them.
    pub fn tables(&self) -> BTreeMap<String, Vec<Value>> {
        let tables = self.names().into_iter().filter_map(|name| name.strip_prefix("data/tables/")?.strip_suffix(".jsonl"));
        tables.map(|table| (table.to_owned(), self.rows(table))).collect()
    }

    /// The rows of one table.
    #[track_caller]
    pub fn rows(&self, table: &str) -> Vec<Value> {
        let text = self.text(&format!("data/tables/{table}.jsonl"));
        text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
    }

    /// For every entry, the place in the zip file of the byte in the middle of its packed content.
    pub fn middles(&self) -> Vec<(String, usize)> {
        let mut zip = zip::ZipArchive::new(File::open(&self.path).expect("the archive")).expect("a zip file");
        let middles = (0..zip.len()).map(|at| {
            let entry = zip.by_index_raw(at).expect("an entry");
            let start = entry.data_start().expect("its content");
            (
                String::from_utf8_lossy(entry.name_raw()).into_owned(),
                usize::try_from(start + entry.compressed_size() / 2).expect("a place"),
            )
        });
        middles.collect()
    }
}
