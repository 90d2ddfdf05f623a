//! The shelf: where finished archives are published, and from where they are removed. In a folder an archive gets its name; into a bucket it is
//! sent, hashed on its way, and read back before anybody hears of it; of several parts the first comes last. Removing takes every version, marker and unfinished upload of exactly
//! this name, as far as it is ours, and counts only what a list no longer shows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use thiserror::Error;
use tokio::io::AsyncReadExt;

use crate::archive::{ArchiveError, Finished, FinishedFile, Published};
use crate::config::{ArchivePlace, Archives};
use crate::connector::objects::{
    Condition, Details, Entry, EntryKind, FolderStore, Lock, ObjectAddress, ObjectKey, ObjectStore, StoreError, Writing,
    entries_of_key, open_store,
};
use crate::crypto::hex;
use crate::failpoint;

/// Bytes that are read and sent at once.
const CHUNK: usize = 1024 * 1024;
/// Name of the metadata by which a version is known to be ours.
const OWNER: &str = "habeas-request";
/// Uploads may have to be aborted more than once, and others may be writing.
const ROUNDS: u32 = 4;
/// How long one round of deleting may take.
const ROUND: Duration = Duration::from_secs(60);

/// Why an archive was not published or removed.
#[derive(Debug, Error)]
pub enum ShelfError {
    /// The store.
    #[error("the store of archives: {0}")]
    Store(#[from] StoreError),
    /// The file from which it comes, or the folder into which it goes.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// What came back is something else.
    #[error("the archive that the store hands out is not the one that was sent to it")]
    Differs,
}

impl ShelfError {
    /// Whether trying again a little later may succeed without anybody doing anything.
    pub fn is_transient(&self) -> bool {
        matches!(self, ShelfError::Store(error) if error.is_transient())
    }
}

/// A file of an archive that is where people get it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shelved {
    /// A path, or `s3://bucket/key`.
    pub path: String,
    /// Its size.
    pub bytes: u64,
    /// Its digest, in hex.
    pub sha256: String,
    /// The version that the store made of it.
    pub version: Option<String>,
    /// Until when the store keeps it, whatever we want.
    pub locked_until: Option<Timestamp>,
}

/// What came of removing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removal {
    /// A list shows nothing of it.
    Gone {
        /// What was deleted: versions, markers, uploads.
        entries: u64,
    },
    /// Something of it is still there.
    Kept {
        /// Why: `locked`, `legal_hold`, `not_ours`, `refused`, `archives_moved`.
        code: &'static str,
        /// Until when a lock keeps it, where it says so.
        until: Option<Timestamp>,
    },
}

/// The place for archives.
pub enum Shelf {
    /// A folder.
    Folder(PathBuf),
    /// A bucket.
    Bucket(Box<Bucket>),
}

/// A bucket and what is said about it.
pub struct Bucket {
    name: String,
    prefix: String,
    work: Box<dyn ObjectStore>,
    verify: Box<dyn ObjectStore>,
}

impl Shelf {
    /// Opens the configured place; nothing is sent yet.
    pub async fn open(archives: &Archives) -> Result<Shelf, ShelfError> {
        match &archives.place {
            ArchivePlace::Folder(folder) => Ok(Shelf::Folder(folder.clone())),
            ArchivePlace::S3 { address, prefix } => {
                let address = ObjectAddress::S3(address.clone());
                let (work, verify) = (open_store(&address, false).await?, open_store(&address, true).await?);
                let ObjectAddress::S3(address) = address else { return Err(StoreError::Missing("bucket").into()) };
                Ok(Shelf::Bucket(Box::new(Bucket { name: address.bucket, prefix: prefix.clone(), work, verify })))
            }
        }
    }

    /// The bucket's own store.
    pub fn store(&self) -> Option<&dyn ObjectStore> {
        match self {
            Shelf::Folder(_) => None,
            Shelf::Bucket(bucket) => Some(bucket.work.as_ref()),
        }
    }

    /// Where a file of this name will be.
    pub fn path_of(&self, file_name: &str) -> String {
        match self {
            Shelf::Folder(folder) => folder.join(file_name).display().to_string(),
            Shelf::Bucket(bucket) => format!("s3://{}/{}{file_name}", bucket.name, bucket.prefix),
        }
    }

    /// Publishes the files of an archive, part 1 last; they are returned in their order. `known` are paths that the ledger has for this request
    /// already; a name that is taken by anything else stays as it is, and the archive is not published.
    pub async fn publish(&self, finished: Finished, request_id: &str, known: &[String]) -> Result<Vec<Shelved>, ShelfError> {
        match self {
            Shelf::Folder(_) => Ok(finished.publish()?.into_iter().map(in_folder).collect()),
            Shelf::Bucket(bucket) => {
                let mut shelved = Vec::with_capacity(finished.files.len());
                for file in finished.files.iter().rev() {
                    let path = self.path_of(&file.file_name);
                    let condition = (!known.contains(&path)).then_some(Condition::Absent);
                    shelved.push(bucket.publish(file, path, request_id, condition).await?);
                    failpoint::hit("archive-file-published");
                }
                shelved.reverse();
                Ok(shelved)
            }
        }
    }

    /// Removes a file of this request's archive, and looks whether it is gone.
    pub async fn remove(&self, path: &str, request_id: &str, now: Timestamp) -> Result<Removal, StoreError> {
        const MOVED: Removal = Removal::Kept { code: "archives_moved", until: None };
        let Some(place) = path.strip_prefix("s3://") else { return remove_file(Path::new(path), now).await };
        let Shelf::Bucket(bucket) = self else { return Ok(MOVED) };
        let Some(key) = place.strip_prefix(&bucket.name).and_then(|rest| rest.strip_prefix('/')) else { return Ok(MOVED) };
        let key = ObjectKey::new(key);
        remove_all(bucket.work.as_ref(), bucket.verify.as_ref(), &key, Some(request_id), now).await
    }
}

fn in_folder(Published { path, bytes, sha256 }: Published) -> Shelved {
    Shelved { path: path.display().to_string(), bytes, sha256, version: None, locked_until: None }
}

impl Bucket {
    async fn publish(
        &self,
        file: &FinishedFile,
        path: String,
        request_id: &str,
        condition: Option<Condition>,
    ) -> Result<Shelved, ShelfError> {
        let key = ObjectKey::new(format!("{}{}", self.prefix, file.file_name));
        let details = Details {
            size: file.bytes,
            media_type: Some("application/zip".to_owned()),
            metadata: BTreeMap::from([(OWNER.to_owned(), request_id.to_owned())]),
            ..Details::default()
        };
        let mut writing = self.work.write(&key, &details, condition).await?;
        let entry = match send(file, writing.as_mut()).await {
            Ok(()) => writing.finish().await?,
            Err(error) => {
                // The reason why it could not be sent is the one to tell; what is left is taken away again by whoever noted the file.
                if let Err(left) = writing.abort().await {
                    tracing::warn!("parts of an archive that could not be sent are still in the store: {left}");
                }
                return Err(error);
            }
        };
        failpoint::hit("archive-sent");
        let there = self.read_back(&entry).await?;
        if there != (file.bytes, file.sha256.clone()) {
            return Err(ShelfError::Differs);
        }
        let locked_until = match self.work.locks(std::slice::from_ref(&entry)).await?.first() {
            Some(Lock::Until(until)) => Some(*until),
            _ => None,
        };
        let version = entry.id.filter(|id| id != "null");
        Ok(Shelved { path, bytes: file.bytes, sha256: file.sha256.clone(), version, locked_until })
    }

    /// Size and digest of what the store hands out under the version that was written.
    async fn read_back(&self, entry: &Entry) -> Result<(u64, String), ShelfError> {
        let mut tries = 0;
        loop {
            tries += 1;
            match hash_of(self.verify.read(entry).await?).await {
                Err(StoreError::Lost) if tries < ROUNDS => {}
                answer => return Ok(answer?),
            }
        }
    }
}

async fn hash_of(mut reading: crate::connector::objects::Reading) -> Result<(u64, String), StoreError> {
    let mut hash = Sha256::new();
    let mut bytes = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        match reading.read(&mut chunk).await.map_err(|_| StoreError::Lost)? {
            0 => return Ok((bytes, hex(&hash.finalize()))),
            read => {
                hash.update(&chunk[..read]);
                bytes += read as u64;
            }
        }
    }
}

/// Sends a file's bytes, which must still be those that were read back when it was finished.
async fn send(file: &FinishedFile, writing: &mut dyn Writing) -> Result<(), ShelfError> {
    let mut input = tokio::fs::File::from_std(file.open()?);
    let mut hash = Sha256::new();
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk).await.map_err(ArchiveError::from)? {
            0 => break,
            read => {
                hash.update(&chunk[..read]);
                writing.write(&chunk[..read]).await?;
                failpoint::hit("archive-while-sending");
            }
        }
    }
    if hex(&hash.finalize()) != file.sha256 {
        return Err(ShelfError::Differs);
    }
    Ok(())
}

async fn remove_file(path: &Path, now: Timestamp) -> Result<Removal, StoreError> {
    let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else { return Err(StoreError::Missing("folder")) };
    let store = FolderStore::open(folder)?;
    remove_all(&store, &store, &ObjectKey::new(name.as_encoded_bytes()), None, now).await
}

/// Deletes everything under a key by its ids. What is locked stays, and markers stay with it: without them it would be seen again.
async fn remove_all(
    work: &dyn ObjectStore,
    verify: &dyn ObjectStore,
    key: &ObjectKey,
    owner: Option<&str>,
    now: Timestamp,
) -> Result<Removal, StoreError> {
    let mut kept = None;
    let mut asked = 0;
    for _ in 0..ROUNDS {
        let entries = entries_of_key(work, key).await?;
        let locks = work.locks(&entries).await?;
        let mut free = Vec::with_capacity(entries.len());
        kept = None;
        for (entry, lock) in entries.into_iter().zip(locks) {
            match lock {
                Lock::LegalHold => kept = Some(("legal_hold", None)),
                Lock::Until(until) if until > now => kept = Some(("locked", Some(until))),
                // The store refuses what is locked; we have no way to bypass that.
                Lock::Free | Lock::Until(_) | Lock::Unknown => match is_ours(work, &entry, owner).await? {
                    true => free.push(entry),
                    false => kept = Some(("not_ours", None)),
                },
            }
        }
        free.retain(|entry| kept.is_none() || entry.kind != EntryKind::Marker);
        if free.is_empty() {
            break;
        }
        asked = asked.max(free.len() as u64);
        work.delete(&free, ROUND).await?;
    }
    if entries_of_key(verify, key).await?.is_empty() {
        return Ok(Removal::Gone { entries: asked });
    }
    let (code, until) = kept.unwrap_or(("refused", None));
    Ok(Removal::Kept { code, until })
}

/// Whether a version says that it was written for this request. Markers and uploads hold no such word, and lie under our name.
async fn is_ours(store: &dyn ObjectStore, entry: &Entry, owner: Option<&str>) -> Result<bool, StoreError> {
    let Some(owner) = owner.filter(|_| entry.kind == EntryKind::Version) else { return Ok(true) };
    match store.details(entry).await {
        Ok(details) => Ok(details.metadata.get(OWNER).map(String::as_str) == Some(owner)),
        Err(StoreError::Gone) => Ok(true),
        Err(error) => Err(error),
    }
}
