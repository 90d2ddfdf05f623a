//! A finished archive that has been read back: its files, of which each gets its name when it is published, the first part last. What is
//! dropped before that is gone.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tempfile::TempPath;

use super::storage::Workshop;
use super::{ArchiveError, verify};
use crate::crypto::hex;
use crate::failpoint;

/// A finished archive that has not yet its name. Dropped, it is gone.
pub struct Finished {
    pub(super) workshop: Workshop,
    /// Its files: one, or the parts in their order. Part 1 leads to the others and must be published last.
    pub files: Vec<FinishedFile>,
}

/// A file of a finished archive, under a name that nobody takes for the archive.
pub struct FinishedFile {
    /// The name that it is to have.
    pub file_name: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest, in hex.
    pub sha256: String,
    partial: TempPath,
}

/// A file of a finished archive under its own name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// Where it is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// Its digest, in hex.
    pub sha256: String,
}

impl FinishedFile {
    /// Makes what was written outlive a power cut and reads it back: it must be the folder that was written, and what its manifests say.
    pub(super) fn read_back(
        file_name: String,
        folder: &str,
        handle: &File,
        partial: TempPath,
    ) -> Result<FinishedFile, ArchiveError> {
        handle.sync_all()?;
        verify::read_back(&partial, folder)?;
        let (bytes, sha256) = digest(&partial)?;
        Ok(FinishedFile { file_name, bytes, sha256, partial })
    }

    /// Opens it for reading from the beginning.
    pub fn open(&self) -> Result<File, ArchiveError> {
        Ok(File::open(&self.partial)?)
    }
}

impl Finished {
    /// Gives every file its name, in the folder in which it was made. They are returned in their order.
    pub fn publish(self) -> Result<Vec<Published>, ArchiveError> {
        let mut published = Vec::with_capacity(self.files.len());
        for FinishedFile { file_name, bytes, sha256, partial } in self.files.into_iter().rev() {
            let path = self.workshop.publish(partial, &file_name)?;
            published.push(Published { path, bytes, sha256 });
            failpoint::hit("archive-file-published");
        }
        published.reverse();
        Ok(published)
    }
}

/// Size of a file and its digest, in hex.
pub(super) fn digest(path: &Path) -> Result<(u64, String), ArchiveError> {
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
