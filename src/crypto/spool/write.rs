//! Writing a spool: records are gathered into a chunk, a full chunk is sealed and written at once, the end is sealed as such.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::super::{CryptoError, random_bytes};
use super::{
    CHUNK_BYTES, FRAME_BYTES, Frame, MAGIC, NONCE_BYTES, RECORD_BYTES_AT_MOST, SALT_BYTES, SpoolDigest, SpoolError, at, cipher,
    digest_mac, printed, sync_folder_of,
};

/// Writes a spool. Dropped without [`SpoolWriter::finish`], it leaves a file that never opens.
pub struct SpoolWriter {
    path: PathBuf,
    file: File,
    cipher: XChaCha20Poly1305,
    mac: Hmac<Sha256>,
    chunk: Vec<u8>,
    frame: Frame,
}

impl SpoolWriter {
    /// Begins a new spool that only its owner can read; an existing file is an error.
    pub fn create(path: &Path, key: [u8; 32]) -> Result<SpoolWriter, SpoolError> {
        let salt = random_bytes::<SALT_BYTES>()?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|source| at(path, source))?;
        file.write_all(&[&MAGIC[..], &salt[..]].concat()).map_err(|source| at(path, source))?;
        let frame = Frame { number: 0, first_record: 0, records: 0, is_final: false };
        let chunk = Vec::with_capacity(CHUNK_BYTES + 1024);
        Ok(SpoolWriter { path: path.into(), file, cipher: cipher(&key, &salt), mac: digest_mac(&key), chunk, frame })
    }

    /// Adds one record.
    pub fn append(&mut self, record: &[u8]) -> Result<(), SpoolError> {
        if record.len() > RECORD_BYTES_AT_MOST {
            return Err(SpoolError::TooLong { bytes: record.len() });
        }
        if !self.chunk.is_empty() && self.chunk.len() + 4 + record.len() > CHUNK_BYTES {
            self.seal(false)?;
        }
        let length = (record.len() as u32).to_le_bytes();
        self.chunk.extend(length);
        self.chunk.extend(record);
        self.frame.records += 1;
        self.mac.update(&length);
        self.mac.update(record);
        Ok(())
    }

    /// Seals the end and makes the file durable.
    pub fn finish(mut self) -> Result<SpoolDigest, SpoolError> {
        if !self.chunk.is_empty() {
            self.seal(false)?;
        }
        let records = self.frame.first_record;
        let mac: [u8; 32] = self.mac.clone().finalize().into_bytes().into();
        self.chunk.extend(mac);
        self.seal(true)?;
        self.file.sync_all().map_err(|source| at(&self.path, source))?;
        sync_folder_of(&self.path).map_err(|source| at(&self.path, source))?;
        Ok(SpoolDigest { records, digest: printed(&mac) })
    }

    fn seal(&mut self, is_final: bool) -> Result<(), SpoolError> {
        self.frame.is_final = is_final;
        let nonce = random_bytes::<NONCE_BYTES>()?;
        let body = self
            .cipher
            .encrypt(&XNonce::from(nonce), Payload { msg: &self.chunk, aad: &self.frame.associated() })
            .map_err(|_| CryptoError::Sealed { purpose: "spool" })?;
        let mut frame = Vec::with_capacity(FRAME_BYTES + NONCE_BYTES + body.len());
        frame.extend(((NONCE_BYTES + body.len()) as u32).to_le_bytes());
        frame.extend(self.frame.records.to_le_bytes());
        frame.push(u8::from(is_final));
        frame.extend(nonce);
        frame.extend(body);
        self.file.write_all(&frame).map_err(|source| at(&self.path, source))?;
        self.chunk.clear();
        self.frame.number += 1;
        self.frame.first_record += u64::from(self.frame.records);
        self.frame.records = 0;
        Ok(())
    }
}
