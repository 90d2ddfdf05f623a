//! Files that a writer of ours was making in a folder when it died. A living writer holds a lock on its file, so that only what nobody works on any
//! more is ever removed.

use std::fs::{self, File, TryLockError};
use std::io;

use super::folder::FolderStore;
use super::{ObjectKey, ObjectStore, StoreError};

const BEGINS: &str = ".habeas-";
const ENDS: &str = ".partial";

/// Whether a key is that of a file which a writer of ours makes, until it is whole and has its own name.
pub fn is_unfinished_file(key: &ObjectKey) -> bool {
    let name = key.bytes().rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    name.starts_with(BEGINS.as_bytes()) && name.ends_with(ENDS.as_bytes())
}

/// A new file of such a name in a folder, locked for as long as it is open.
pub(super) fn begin(folder: &std::path::Path) -> Result<(File, tempfile::TempPath), StoreError> {
    let failed = |error: io::Error| StoreError::file("write a file", &error);
    let made = tempfile::Builder::new().prefix(BEGINS).suffix(ENDS).tempfile_in(folder).map_err(failed)?;
    let (file, partial) = made.into_parts();
    file.lock().map_err(failed)?;
    Ok((file, partial))
}

impl FolderStore {
    /// Removes what dead writers have left under a prefix.
    pub(super) async fn remove_leftovers(&self, prefix: &[u8]) -> Result<u64, StoreError> {
        let mut removed = 0;
        let mut after = None;
        loop {
            let page = self.list(prefix, after).await?;
            for entry in page.entries.iter().filter(|entry| is_unfinished_file(&entry.key)) {
                let (path, found) = match self.at(&entry.key) {
                    Ok(at) => at,
                    Err(StoreError::Gone) => continue,
                    Err(error) => return Err(error),
                };
                if found.is_file() && is_dead(&path)? {
                    fs::remove_file(&path).map_err(|error| StoreError::file("delete a file", &error))?;
                    removed += 1;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(removed),
            }
        }
    }
}

fn is_dead(path: &std::path::Path) -> Result<bool, StoreError> {
    let file = match File::open(path) {
        Ok(file) => file,
        // Its writer has just finished.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(StoreError::file("look at a file", &error)),
    };
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(StoreError::file("look at a file", &error)),
    }
}
