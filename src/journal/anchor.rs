//! The folder outside the ledger to which every checkpoint is copied: `checkpoint-<size>.txt`, and `latest`. A ledger that was rolled
//! back or rewritten cannot take these copies with it, and that is how it is noticed. Copies are never overwritten and never removed.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::JournalError;
use super::checkpoint::{Checkpoint, Origin, decimal};
use super::note::verifier_key;
use crate::crypto::{PublicKey, SigningKey};

/// A note is a few hundred bytes; witnesses may add some.
const NOTE_BYTES_AT_MOST: u64 = 64 * 1024;
const LATEST: &str = "latest";

/// What it takes to check a journal: its name, its public key, and where the copies of its checkpoints lie.
#[derive(Debug, Clone)]
pub struct Anchor {
    origin: Origin,
    key: PublicKey,
    outside: PathBuf,
}

/// What it takes to sign for a journal. Code that erases is given an [`Anchor`] only.
#[derive(Debug)]
pub struct Notary {
    key: SigningKey,
    anchor: Anchor,
}

/// A copy of a checkpoint outside: the file, the size in its name, and what it holds if it is to be believed.
pub(super) struct Copy {
    pub file: String,
    pub checkpoint: Option<Checkpoint>,
}

impl Anchor {
    /// Names a journal; the folder is made when the first checkpoint is copied.
    pub fn new(origin: Origin, key: PublicKey, outside: impl Into<PathBuf>) -> Anchor {
        Anchor { origin, key, outside: outside.into() }
    }

    /// The journal's name.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The key that signs its checkpoints.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The key in the form that other C2SP verifiers take.
    pub fn verifier_key(&self) -> String {
        verifier_key(self.origin.as_str(), &self.key)
    }

    /// All copies, smallest first, `latest` last.
    pub(super) fn copies(&self) -> Result<Vec<Copy>, JournalError> {
        let mut sizes = self.sizes()?;
        sizes.sort_unstable();
        let mut copies = Vec::with_capacity(sizes.len() + 1);
        for size in sizes {
            copies.push(self.copy(size)?);
        }
        copies.extend(self.latest()?);
        Ok(copies)
    }

    /// The copies that say how far the journal had come: the largest, and `latest`.
    pub(super) fn last_copies(&self) -> Result<Vec<Copy>, JournalError> {
        let mut copies = Vec::new();
        if let Some(size) = self.sizes()?.into_iter().max() {
            copies.push(self.copy(size)?);
        }
        copies.extend(self.latest()?);
        Ok(copies)
    }

    /// Copies a signed checkpoint outside and makes it durable. A copy of the same size that is there already must be equal.
    pub(super) fn copy_outside(&self, checkpoint: &Checkpoint, note: &str) -> Result<(), JournalError> {
        fs::create_dir_all(&self.outside).map_err(|error| self.outside_error(error))?;
        let name = format!("checkpoint-{}.txt", checkpoint.size);
        let path = self.outside.join(&name);
        match self.read(&path)? {
            Some(there) if there == note => {}
            Some(_) => return Err(JournalError::CopyDiffers { path }),
            None => self.write(&path, note)?,
        }
        let newer = |latest: Copy| latest.checkpoint.is_some_and(|latest| latest.size > checkpoint.size);
        if !self.latest()?.is_some_and(newer) {
            self.write(&self.outside.join(LATEST), note)?;
        }
        Ok(())
    }

    fn copy(&self, size: u64) -> Result<Copy, JournalError> {
        let file = format!("checkpoint-{size}.txt");
        let note = self.read(&self.outside.join(&file))?.unwrap_or_default();
        let checkpoint = Checkpoint::open(&note, &self.origin, &self.key).ok().filter(|checkpoint| checkpoint.size == size);
        Ok(Copy { file, checkpoint })
    }

    fn latest(&self) -> Result<Option<Copy>, JournalError> {
        let note = self.read(&self.outside.join(LATEST))?;
        let copy = |note: String| Copy { file: LATEST.into(), checkpoint: Checkpoint::open(&note, &self.origin, &self.key).ok() };
        Ok(note.map(copy))
    }

    fn sizes(&self) -> Result<Vec<u64>, JournalError> {
        let folder = match fs::read_dir(&self.outside) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(|error| self.outside_error(error))?,
        };
        let mut sizes = Vec::new();
        for entry in folder {
            let name = entry.map_err(|error| self.outside_error(error))?.file_name();
            let size = name.to_str().and_then(|name| name.strip_prefix("checkpoint-")?.strip_suffix(".txt"));
            sizes.extend(size.and_then(decimal));
        }
        Ok(sizes)
    }

    /// The text of a copy; `None` if there is no such file. What is not text is no note and reads as an empty one.
    fn read(&self, path: &Path) -> Result<Option<String>, JournalError> {
        let file = match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| self.outside_error(error))?,
        };
        let mut bytes = Vec::new();
        file.take(NOTE_BYTES_AT_MOST).read_to_end(&mut bytes).map_err(|error| self.outside_error(error))?;
        Ok(Some(String::from_utf8(bytes).unwrap_or_default()))
    }

    /// Written beside and renamed, so that a copy is whole or not there.
    fn write(&self, path: &Path, note: &str) -> Result<(), JournalError> {
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(&self.outside)?;
            file.write_all(note.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map_err(|error| error.error)?;
            File::open(&self.outside)?.sync_all()
        };
        write().map_err(|error| self.outside_error(error))
    }

    fn outside_error(&self, source: io::Error) -> JournalError {
        JournalError::Outside { path: self.outside.clone(), source }
    }
}

impl Notary {
    /// Joins the signing key with the journal that it signs for.
    pub fn new(key: SigningKey, origin: Origin, outside: impl Into<PathBuf>) -> Notary {
        let anchor = Anchor::new(origin, key.public(), outside);
        Notary { key, anchor }
    }

    /// What others need to check.
    pub fn anchor(&self) -> &Anchor {
        &self.anchor
    }

    /// The raw signature of these bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        self.key.sign(bytes)
    }

    pub(super) fn sign_checkpoint(&self, checkpoint: &Checkpoint) -> String {
        checkpoint.sign(&self.anchor.origin, &self.key)
    }
}
