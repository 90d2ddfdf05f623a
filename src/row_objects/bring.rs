//! Brings a version of an object to a file without a name, where it can be read as often as it takes. One that arrives with another length than
//! the list said is no copy of it.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::connector::objects::{Entry, ObjectStore, StoreError};

/// Bytes that are copied at once.
const CHUNK: usize = 256 * 1024;
/// How often a copy that broke off is begun again.
const TRIES: u32 = 3;

/// The bytes of a version, in a nameless file in `folder`, read from its beginning on.
///
/// # Errors
/// What the store says; [`StoreError::Lost`] when the bytes end early again and again.
pub async fn bring(store: &dyn ObjectStore, entry: &Entry, folder: &Path) -> Result<File, StoreError> {
    let mut tries = 1;
    loop {
        match copy(store, entry, folder).await {
            Err(problem) if problem.is_transient() && tries < TRIES => tries += 1,
            answer => return answer,
        }
    }
}

async fn copy(store: &dyn ObjectStore, entry: &Entry, folder: &Path) -> Result<File, StoreError> {
    let failed = |error: std::io::Error| StoreError::file("keep a copy of an object", &error);
    let mut out = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(failed)?);
    let mut input = store.read(entry).await?;
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        // A connection that breaks off in the middle ends with an error, or early.
        let read = input.read(&mut chunk).await.map_err(|_| StoreError::Lost)?;
        if read == 0 {
            break;
        }
        out.write_all(&chunk[..read]).await.map_err(failed)?;
        bytes += read as u64;
    }
    if bytes != entry.size {
        return Err(StoreError::Lost);
    }
    out.flush().await.map_err(failed)?;
    let mut file = out.into_std().await;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok(file)
}
