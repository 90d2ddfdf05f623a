//! One half of a table's twin on its way: bytes are hashed and deflated on a thread of their own into a nameless file, and later copied into
//! the archive as they are. So both halves compress at the same time, from one pass over the rows, in memory that does not grow.

use std::io::{BufReader, BufWriter, Write as _};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

use sha2::{Digest as _, Sha256};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

use super::ArchiveError;
use super::storage::{Latch, Workshop};
use crate::crypto::hex;

/// Bytes that travel to the thread at once.
const CHUNK: usize = 128 * 1024;
/// Chunks that may wait: a slow disk slows the reader down instead of filling memory.
const WAITING_CHUNKS: usize = 4;

/// A stream being compressed.
pub(super) struct Spool {
    buffer: Vec<u8>,
    chunks: SyncSender<Vec<u8>>,
    thread: JoinHandle<Result<Spooled, ArchiveError>>,
}

/// A compressed stream: a zip with one entry.
pub(super) struct Spooled {
    pub(super) zip: ZipArchive<BufReader<Latch>>,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

impl Spool {
    /// Starts the thread.
    pub(super) fn start(workshop: &Workshop, options: SimpleFileOptions) -> Result<Spool, ArchiveError> {
        let file = workshop.scratch()?;
        let (sender, receiver) = sync_channel(WAITING_CHUNKS);
        let thread =
            std::thread::Builder::new().name("archive-deflate".to_owned()).spawn(move || compress(file, options, receiver))?;
        Ok(Spool { buffer: Vec::with_capacity(CHUNK + CHUNK / 8), chunks: sender, thread })
    }

    /// Where to append bytes; call [`Spool::pass_on`] after every row.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Hands the buffer to the thread when it is full. An error of the thread itself surfaces in [`Spool::finish`].
    pub(super) fn pass_on(&mut self) -> Result<(), ArchiveError> {
        if self.buffer.len() < CHUNK {
            return Ok(());
        }
        let chunk = std::mem::replace(&mut self.buffer, Vec::with_capacity(CHUNK + CHUNK / 8));
        self.chunks.send(chunk).map_err(|_| stopped())
    }

    /// Waits for the thread.
    pub(super) fn finish(self) -> Result<Spooled, ArchiveError> {
        // When the thread has stopped early, its own error says why.
        let _ = self.chunks.send(self.buffer);
        drop(self.chunks);
        self.thread.join().map_err(|_| stopped())?
    }
}

fn stopped() -> ArchiveError {
    ArchiveError::Write(std::io::Error::other("compressing stopped before the end"))
}

fn compress(file: Latch, options: SimpleFileOptions, chunks: Receiver<Vec<u8>>) -> Result<Spooled, ArchiveError> {
    let mut zip = ZipWriter::new(BufWriter::with_capacity(CHUNK, file));
    let mut hash = Sha256::new();
    let mut bytes = 0;
    zip.start_file("spool", options)?;
    for chunk in chunks {
        hash.update(&chunk);
        bytes += chunk.len() as u64;
        zip.write_all(&chunk)?;
    }
    let file = zip.finish()?.into_inner().map_err(|failed| failed.into_error())?;
    Ok(Spooled { zip: ZipArchive::new(BufReader::with_capacity(CHUNK, file))?, bytes, sha256: hex(&hash.finalize()) })
}
