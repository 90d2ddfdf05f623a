//! A sealed, append-only file of records: the frozen manifest of an erasure, from which read-back knows where to look after the path
//! to a row is gone. Records are packed into chunks of about 64 KiB, each sealed (XChaCha20-Poly1305) with its number, its counts and a
//! final flag bound to it, so that a truncated, reordered, swapped or altered spool does not open. Memory holds one chunk and an index
//! of a few bytes per chunk. Nothing of a record is readable without the key, and a spool that was not finished never opens.

mod read;
mod write;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::KeyInit;
use hmac::Hmac;
use sha2::Sha256;
use thiserror::Error;

pub use read::SpoolReader;
pub use write::SpoolWriter;

use super::{CryptoError, hex, hmac_sha256};

const MAGIC: &[u8; 8] = b"HABSPL01";
const SALT_BYTES: usize = 16;
const NONCE_BYTES: usize = 24;
const TAG_BYTES: usize = 16;
/// Plain bytes after which a chunk is sealed.
const CHUNK_BYTES: usize = 64 * 1024;
/// A chunk holds at least one record, and a record may be longer than a chunk.
const RECORD_BYTES_AT_MOST: usize = 16 * 1024 * 1024;
const FRAME_BYTES: usize = 9;

/// What can go wrong with a spool.
#[derive(Debug, Error)]
pub enum SpoolError {
    /// The file system refused.
    #[error("spool `{}`: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Another key, a missing end, or altered bytes.
    #[error("spool `{}` does not open: it is unfinished, altered, or sealed with another key", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// A record longer than a spool takes.
    #[error("a record of {bytes} bytes is longer than a spool takes ({RECORD_BYTES_AT_MOST})")]
    TooLong {
        /// Its length.
        bytes: usize,
    },
    /// No random bytes.
    #[error(transparent)]
    Crypto(#[from] CryptoError),
}

/// What a finished spool holds, in a form that may be printed and bound into a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolDigest {
    /// How many records.
    pub records: u64,
    /// `hmac-sha256:` and hex over all records in order: equal for equal records under the same key. Keyed, because a plain hash of
    /// guessable keys would tell which they are.
    pub digest: String,
}

/// The part of a chunk that is bound to it without being secret.
#[derive(Clone, Copy)]
struct Frame {
    number: u64,
    first_record: u64,
    records: u32,
    is_final: bool,
}

impl Frame {
    fn associated(&self) -> [u8; 29] {
        let mut bytes = [0u8; 29];
        bytes[..8].copy_from_slice(MAGIC);
        bytes[8..16].copy_from_slice(&self.number.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.first_record.to_le_bytes());
        bytes[24..28].copy_from_slice(&self.records.to_le_bytes());
        bytes[28] = u8::from(self.is_final);
        bytes
    }
}

/// Each spool has its own keys, so that chunks of two spools under one key cannot be exchanged. The digest's key is that of the caller
/// alone: equal records must give equal digests.
fn cipher(key: &[u8; 32], salt: &[u8; SALT_BYTES]) -> XChaCha20Poly1305 {
    let mut purpose = b"spool chunks ".to_vec();
    purpose.extend(salt);
    XChaCha20Poly1305::new(&hmac_sha256(key, &purpose).into())
}

fn digest_mac(key: &[u8; 32]) -> Hmac<Sha256> {
    let mut block = [0u8; 64];
    block[..32].copy_from_slice(&hmac_sha256(key, b"spool digest"));
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

/// Removes a spool; one that is already gone is no error. What was in it is unreadable without its key in any case.
pub fn destroy_spool(path: &Path) -> Result<(), SpoolError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|source| at(path, source))?,
    }
    sync_folder_of(path).map_err(|source| at(path, source))
}

/// A file's name is durable only once its folder is.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => File::open(folder)?.sync_all(),
        _ => File::open(".")?.sync_all(),
    }
}

fn printed(mac: &[u8]) -> String {
    format!("hmac-sha256:{}", hex(mac))
}

fn at(path: &Path, source: io::Error) -> SpoolError {
    SpoolError::File { path: path.into(), source }
}

fn damaged(path: &Path) -> SpoolError {
    SpoolError::Damaged { path: path.into() }
}

#[cfg(test)]
mod tests {

    use super::*;

    const KEY: [u8; 32] = [7; 32];

    fn written(path: &Path, records: impl Iterator<Item = Vec<u8>>) -> SpoolDigest {
        let mut writer = SpoolWriter::create(path, KEY).unwrap();
        for record in records {
            writer.append(&record).unwrap();
        }
        writer.finish().unwrap()
    }

    fn numbered(count: u32) -> impl Iterator<Item = Vec<u8>> {
        (0..count).map(|number| format!("record {number:032}").into_bytes())
    }

    fn read_all(path: &Path) -> Result<Vec<Vec<u8>>, SpoolError> {
        let mut reader = SpoolReader::open(path, KEY)?;
        let mut records = Vec::new();
        while let Some(record) = reader.next_record()? {
            records.push(record.to_vec());
        }
        Ok(records)
    }

    #[test]
    fn records_come_back_in_order_and_from_any_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        let count = 20_000;
        let digest = written(&path, numbered(count));
        assert_eq!(digest.records, u64::from(count));
        assert!(read_all(&path).unwrap().into_iter().eq(numbered(count)));

        let mut reader = SpoolReader::open(&path, KEY).unwrap();
        assert_eq!(*reader.digest(), digest);
        for number in [19_999u32, 0, 1_637, 1_638, 12_345] {
            reader.seek(u64::from(number)).unwrap();
            assert_eq!(reader.next_record().unwrap().unwrap(), format!("record {number:032}").as_bytes());
        }
        reader.seek(20_000).unwrap();
        assert!(reader.next_record().unwrap().is_none());
    }

    #[test]
    fn empty_spools_empty_records_and_records_longer_than_a_chunk_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(written(&folder.path().join("none"), std::iter::empty()).records, 0);
        assert!(read_all(&folder.path().join("none")).unwrap().is_empty());
        let odd = [vec![], vec![1; 300_000], vec![], vec![2]];
        written(&folder.path().join("odd"), odd.clone().into_iter());
        assert_eq!(read_all(&folder.path().join("odd")).unwrap(), odd);
    }

    #[test]
    fn s_1_the_file_is_unreadable_without_its_key_and_private_to_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        written(&path, std::iter::once(b"ada@example.com".to_vec()));
        let bytes = fs::read(&path).unwrap();
        assert!(!bytes.windows(15).any(|window| window == b"ada@example.com"));
        assert!(matches!(SpoolReader::open(&path, [8; 32]), Err(SpoolError::Damaged { .. })));
        assert!(SpoolWriter::create(&path, KEY).is_err(), "never overwrites");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn equal_records_give_equal_digests_and_other_records_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let one = written(&folder.path().join("one"), numbered(5));
        assert_eq!(one, written(&folder.path().join("two"), numbered(5)));
        let joined = written(&folder.path().join("three"), [b"ab".to_vec(), b"c".to_vec()].into_iter());
        assert_ne!(joined.digest, written(&folder.path().join("four"), [b"a".to_vec(), b"bc".to_vec()].into_iter()).digest);
    }

    #[test]
    fn an_unfinished_spool_never_opens() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        let mut writer = SpoolWriter::create(&path, KEY).unwrap();
        numbered(5_000).for_each(|record| writer.append(&record).unwrap());
        drop(writer);
        assert!(matches!(SpoolReader::open(&path, KEY), Err(SpoolError::Damaged { .. })));
        destroy_spool(&path).unwrap();
        destroy_spool(&path).unwrap();
        assert!(!path.exists());
    }

    #[test]
    fn every_altered_byte_and_every_truncation_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("manifest");
        written(&path, numbered(3));
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            let mut altered = whole.clone();
            altered[at] ^= 1;
            fs::write(&path, &altered).unwrap();
            assert!(read_all(&path).is_err(), "byte {at}");
            fs::write(&path, &whole[..at]).unwrap();
            assert!(read_all(&path).is_err(), "cut at {at}");
        }
    }

    #[test]
    fn chunks_cannot_change_places_nor_come_from_another_spool() {
        let folder = tempfile::tempdir().unwrap();
        let (path, other) = (folder.path().join("one"), folder.path().join("two"));
        // Records that fill a chunk each, so that all chunks have the same length.
        let records = |byte: u8| (0..3).map(move |_| vec![byte; CHUNK_BYTES - 4]);
        written(&path, records(1));
        written(&other, records(2));
        let whole = fs::read(&path).unwrap();
        let foreign = fs::read(&other).unwrap();
        let start = MAGIC.len() + SALT_BYTES;
        let length = FRAME_BYTES + NONCE_BYTES + CHUNK_BYTES + TAG_BYTES;
        let (first, second) = (start..start + length, start + length..start + 2 * length);

        let mut reordered = whole.clone();
        reordered[first.clone()].copy_from_slice(&whole[second.clone()]);
        reordered[second].copy_from_slice(&whole[first.clone()]);
        let mut swapped = whole.clone();
        swapped[first.clone()].copy_from_slice(&foreign[first]);
        let mut dropped = whole[..start].to_vec();
        dropped.extend(&whole[start + length..]);
        for altered in [reordered, swapped, dropped] {
            fs::write(&path, altered).unwrap();
            assert!(matches!(read_all(&path), Err(SpoolError::Damaged { .. })));
        }
    }
}
