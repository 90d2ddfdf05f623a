//! The files under an archive in the making. Every one of them goes through a [`Latch`]: after the first error nothing more is written, and
//! the error is remembered, because the zip layer can lose one on its way and still report success.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tempfile::TempPath;

use super::ArchiveError;

/// What an archive is written to.
pub(super) trait Target: Read + Write + Seek + Send {}
impl<T: Read + Write + Seek + Send> Target for T {}

/// Puts something between the writer and a file: nothing in production, a full disk in tests.
pub(super) type Wrap = Arc<dyn Fn(File) -> Box<dyn Target> + Send + Sync>;

/// A folder in which one archive is being made.
#[derive(Clone)]
pub(super) struct Workshop {
    folder: PathBuf,
    wrap: Wrap,
    broken: Arc<AtomicBool>,
}

impl Workshop {
    /// Work in this folder, on real files.
    pub(super) fn new(folder: &Path) -> Workshop {
        Workshop::with(folder, Arc::new(|file| Box::new(file)))
    }

    /// Work in this folder, on files wrapped by the caller.
    pub(super) fn with(folder: &Path, wrap: Wrap) -> Workshop {
        Workshop { folder: folder.to_owned(), wrap, broken: Arc::default() }
    }

    /// Whether any write has failed, or the archive was given up.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::Acquire)
    }

    /// Gives the archive up: nothing more is written.
    pub(super) fn give_up(&self) {
        self.broken.store(true, Ordering::Release);
    }

    /// A file without a name, gone when it is closed or the process dies.
    pub(super) fn scratch(&self) -> Result<Latch, ArchiveError> {
        let file = tempfile::tempfile_in(&self.folder).map_err(|error| self.cannot("make a temporary file in", error))?;
        Ok(self.latch(file))
    }

    /// The archive's own file under a name that nobody takes for the archive, readable by us alone. What an interrupted attempt at the same
    /// archive left behind is removed first; should that attempt still run, it can then publish nothing.
    pub(super) fn partial(&self, name: &str) -> Result<(Latch, File, TempPath), ArchiveError> {
        self.remove_leftovers(name).map_err(|error| self.cannot("look into", error))?;
        let (file, path) = self.hidden(&format!(".{name}."))?;
        let handle = file.try_clone().map_err(|error| self.cannot("make a file in", error))?;
        Ok((self.latch(file), handle, path))
    }

    /// The file of a further part, as hidden as the archive's own.
    pub(super) fn further_part(&self, name: &str, number: u32) -> Result<(Latch, TempPath), ArchiveError> {
        // What follows the first dot does not count as the request's code: leftovers are told by it.
        let (file, path) = self.hidden(&format!(".{name}.{number}."))?;
        Ok((self.latch(file), path))
    }

    /// Such a file again.
    pub(super) fn reopen(&self, partial: &TempPath) -> Result<(Latch, File), ArchiveError> {
        let file = File::options().read(true).write(true).open(partial).map_err(|error| self.cannot("open a part in", error))?;
        let handle = file.try_clone().map_err(|error| self.cannot("open a part in", error))?;
        Ok((self.latch(file), handle))
    }

    fn hidden(&self, prefix: &str) -> Result<(File, TempPath), ArchiveError> {
        let made = tempfile::Builder::new().prefix(prefix).suffix(".partial").tempfile_in(&self.folder);
        Ok(made.map_err(|error| self.cannot("make a file in", error))?.into_parts())
    }

    /// Whatever day an earlier attempt at the same request began on.
    fn remove_leftovers(&self, name: &str) -> io::Result<()> {
        let code = code_in(name);
        for entry in std::fs::read_dir(&self.folder)? {
            let entry = entry?;
            let file_name = entry.file_name();
            let is_leftover = file_name
                .to_str()
                .is_some_and(|n| n.starts_with('.') && n.ends_with(".partial") && code.is_some() && code_in(n) == code);
            if is_leftover {
                std::fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }

    /// Gives a finished file, which is safe on disk, its name and makes sure that this outlives a power cut too.
    pub(super) fn publish(&self, partial: TempPath, file_name: &str) -> Result<PathBuf, ArchiveError> {
        let path = self.folder.join(file_name);
        partial.persist(&path).map_err(|failed| ArchiveError::File {
            doing: "publish",
            path: path.clone(),
            error: failed.error,
        })?;
        File::open(&self.folder).and_then(|folder| folder.sync_all()).map_err(|error| self.cannot("sync", error))?;
        Ok(path)
    }

    fn latch(&self, file: File) -> Latch {
        Latch { target: (self.wrap)(file), broken: Arc::clone(&self.broken) }
    }

    fn cannot(&self, doing: &'static str, error: io::Error) -> ArchiveError {
        ArchiveError::File { doing, path: self.folder.clone(), error }
    }
}

/// The request's code in `<controller>-personal-data-<YYYY-MM-DD>-<code>`, whatever follows a dot.
fn code_in(name: &str) -> Option<&str> {
    let (_, dated) = name.split_once("-personal-data-")?;
    dated.get("2026-11-24-".len()..)?.split('.').next()
}

/// A file that takes nothing more after the first failure. Later writes are swallowed: the failure was reported, the archive is lost, and
/// layers that tidy up when dropped must not complain about it again.
pub(super) struct Latch {
    target: Box<dyn Target>,
    broken: Arc<AtomicBool>,
}

impl Latch {
    fn noting_failure<T>(&self, result: io::Result<T>) -> io::Result<T> {
        if let Err(error) = &result
            && error.kind() != io::ErrorKind::Interrupted
        {
            self.broken.store(true, Ordering::Release);
        }
        result
    }
}

impl Write for Latch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.broken.load(Ordering::Acquire) {
            return Ok(bytes.len());
        }
        let result = self.target.write(bytes);
        self.noting_failure(result)
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.broken.load(Ordering::Acquire) {
            return Ok(());
        }
        let result = self.target.flush();
        self.noting_failure(result)
    }
}

impl Read for Latch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let result = self.target.read(buffer);
        self.noting_failure(result)
    }
}

impl Seek for Latch {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let result = self.target.seek(to);
        self.noting_failure(result)
    }
}
