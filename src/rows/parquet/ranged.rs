//! A file that several threads read at places of their own. Reading never moves a shared position, which `File` itself would.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::Bytes;
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};

/// A file by ranges.
#[derive(Debug, Clone)]
pub(super) struct Ranged {
    file: Arc<File>,
    length: u64,
}

impl Ranged {
    pub(super) fn new(file: File) -> io::Result<Ranged> {
        let length = file.metadata()?.len();
        Ok(Ranged { file: Arc::new(file), length })
    }
}

impl Length for Ranged {
    fn len(&self) -> u64 {
        self.length
    }
}

impl ChunkReader for Ranged {
    type T = BufReader<From>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        Ok(BufReader::new(From { file: Arc::clone(&self.file), at: start }))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let beyond = || ParquetError::EOF("a range beyond the end".to_owned());
        // Asked before memory is taken: a damaged length may be anything.
        if start.checked_add(length as u64).is_none_or(|end| end > self.length) {
            return Err(beyond());
        }
        let mut bytes = vec![0; length];
        self.file.read_exact_at(&mut bytes, start)?;
        Ok(Bytes::from(bytes))
    }
}

/// Reads on from a place.
#[derive(Debug)]
pub(super) struct From {
    file: Arc<File>,
    at: u64,
}

impl Read for From {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(buffer, self.at)?;
        self.at += length as u64;
        Ok(length)
    }
}
