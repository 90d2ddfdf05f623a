//! Reading a spool: the index is read and the end checked when it opens, each chunk when it is loaded; one chunk is in memory at a time.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::{FRAME_BYTES, Frame, MAGIC, NONCE_BYTES, SALT_BYTES, SpoolDigest, SpoolError, TAG_BYTES, at, cipher, damaged, printed};

/// Where a chunk lies in the file.
struct Entry {
    frame: Frame,
    offset: u64,
    sealed_bytes: u32,
}

/// Reads a finished spool, from the start or from any record.
pub struct SpoolReader {
    path: PathBuf,
    file: File,
    cipher: XChaCha20Poly1305,
    index: Vec<Entry>,
    digest: SpoolDigest,
    /// The chunk that comes after the one in memory.
    next_chunk: usize,
    chunk: Vec<u8>,
    at: usize,
}

impl SpoolReader {
    /// Opens a spool and checks that it is whole to its end; each chunk is checked when it is read.
    pub fn open(path: &Path, key: [u8; 32]) -> Result<SpoolReader, SpoolError> {
        let mut file = File::open(path).map_err(|source| at(path, source))?;
        let size = file.metadata().map_err(|source| at(path, source))?.len();
        let mut header = [0u8; MAGIC.len() + SALT_BYTES];
        read_whole(&mut file, path, &mut header)?;
        let (magic, salt) = header.split_at(MAGIC.len());
        let salt = <[u8; SALT_BYTES]>::try_from(salt).map_err(|_| damaged(path))?;
        if magic != MAGIC {
            return Err(damaged(path));
        }
        let index = read_index(&mut file, path, header.len() as u64, size)?;
        let Some(last) = index.last().filter(|last| last.frame.is_final) else { return Err(damaged(path)) };
        let records = last.frame.first_record;
        let digest = SpoolDigest { records, digest: String::new() };
        let mut reader = SpoolReader {
            path: path.into(),
            file,
            cipher: cipher(&key, &salt),
            index,
            digest,
            next_chunk: 0,
            chunk: Vec::new(),
            at: 0,
        };
        reader.load(reader.index.len() - 1)?;
        reader.digest.digest = printed(&reader.chunk);
        reader.seek(0)?;
        Ok(reader)
    }

    /// What the writer's [`super::SpoolWriter::finish`] gave. A plan that was bound to another digest belongs to another spool.
    pub fn digest(&self) -> &SpoolDigest {
        &self.digest
    }

    /// The next record; `None` at the end.
    pub fn next_record(&mut self) -> Result<Option<&[u8]>, SpoolError> {
        while self.at == self.chunk.len() {
            // The last chunk carries the digest and no records.
            if self.next_chunk + 1 >= self.index.len() {
                return Ok(None);
            }
            self.load(self.next_chunk)?;
        }
        let range = self.record_at(self.at)?;
        self.at = range.end;
        Ok(Some(&self.chunk[range]))
    }

    /// Goes to a record by its number, counted from 0; beyond the last one is the end.
    pub fn seek(&mut self, record: u64) -> Result<(), SpoolError> {
        let chunk = self.index.partition_point(|entry| entry.frame.first_record + u64::from(entry.frame.records) <= record);
        if chunk + 1 >= self.index.len() {
            self.chunk.clear();
            (self.at, self.next_chunk) = (0, self.index.len());
            return Ok(());
        }
        self.load(chunk)?;
        for _ in self.index[chunk].frame.first_record..record {
            self.at = self.record_at(self.at)?.end;
        }
        Ok(())
    }

    fn record_at(&self, start: usize) -> Result<std::ops::Range<usize>, SpoolError> {
        let length = self.chunk.get(start..).and_then(|rest| rest.first_chunk::<4>()).ok_or_else(|| damaged(&self.path))?;
        let range = start + 4..start + 4 + u32::from_le_bytes(*length) as usize;
        if range.end > self.chunk.len() {
            return Err(damaged(&self.path));
        }
        Ok(range)
    }

    fn load(&mut self, chunk: usize) -> Result<(), SpoolError> {
        let entry = &self.index[chunk];
        let mut sealed = vec![0u8; entry.sealed_bytes as usize];
        self.file.seek(SeekFrom::Start(entry.offset)).map_err(|source| at(&self.path, source))?;
        read_whole(&mut self.file, &self.path, &mut sealed)?;
        let (nonce, body) = sealed.split_first_chunk::<NONCE_BYTES>().ok_or_else(|| damaged(&self.path))?;
        self.chunk = self
            .cipher
            .decrypt(&XNonce::from(*nonce), Payload { msg: body, aad: &entry.frame.associated() })
            .map_err(|_| damaged(&self.path))?;
        (self.at, self.next_chunk) = (0, chunk + 1);
        Ok(())
    }
}

fn read_index(file: &mut File, path: &Path, start: u64, size: u64) -> Result<Vec<Entry>, SpoolError> {
    let mut index = Vec::new();
    let (mut offset, mut first_record) = (start, 0u64);
    while offset < size {
        let mut bytes = [0u8; FRAME_BYTES];
        file.seek(SeekFrom::Start(offset)).map_err(|source| at(path, source))?;
        read_whole(file, path, &mut bytes)?;
        let sealed_bytes = u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        let records = u32::from_le_bytes([bytes[4], bytes[5], bytes[6], bytes[7]]);
        let end = offset + FRAME_BYTES as u64 + u64::from(sealed_bytes);
        let is_final = bytes[8] == 1;
        let impossible = bytes[8] > 1 || is_final != (end == size) || end > size;
        if impossible || (sealed_bytes as usize) < NONCE_BYTES + TAG_BYTES {
            return Err(damaged(path));
        }
        let frame = Frame { number: index.len() as u64, first_record, records, is_final };
        index.push(Entry { frame, offset: offset + FRAME_BYTES as u64, sealed_bytes });
        first_record += u64::from(records);
        offset = end;
    }
    Ok(index)
}

fn read_whole(file: &mut File, path: &Path, bytes: &mut [u8]) -> Result<(), SpoolError> {
    file.read_exact(bytes).map_err(|source| match source.kind() {
        io::ErrorKind::UnexpectedEof => damaged(path),
        _ => at(path, source),
    })
}
