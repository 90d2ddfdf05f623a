//! Copies a version of an object to a file without a name, where it can be read as often as it takes. One that arrives with another length than
//! it is said to have is no copy of it.

use std::fs::File;
use std::io::{Seek, SeekFrom};
use std::path::Path;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{Entry, ObjectStore, StoreError};

/// Bytes that are copied at once.
const CHUNK: usize = 256 * 1024;
/// How often a copy that broke off is begun again.
const TRIES: u32 = 3;

/// The `size` bytes of a version, in a nameless file in `folder`, read from its beginning on; and what `see` has made of them on the way, in a state
/// that begins anew with every try.
///
/// # Errors
/// What the store says; [`StoreError::Lost`] when the bytes end early again and again.
pub async fn copy_to_file<S: Default>(
    store: &dyn ObjectStore,
    entry: &Entry,
    size: u64,
    folder: &Path,
    see: impl Fn(&mut S, &[u8]),
) -> Result<(File, S), StoreError> {
    let mut tries = 1;
    loop {
        match try_copy(store, entry, size, folder, &see).await {
            Err(problem) if problem.is_transient() && tries < TRIES => tries += 1,
            answer => return answer,
        }
    }
}

async fn try_copy<S: Default>(
    store: &dyn ObjectStore,
    entry: &Entry,
    size: u64,
    folder: &Path,
    see: &impl Fn(&mut S, &[u8]),
) -> Result<(File, S), StoreError> {
    let failed = |error: std::io::Error| StoreError::file("keep a copy of an object", &error);
    let mut out = tokio::fs::File::from_std(tempfile::tempfile_in(folder).map_err(failed)?);
    let mut input = store.read(entry).await?;
    let mut seen = S::default();
    let mut chunk = vec![0; CHUNK];
    let mut bytes = 0;
    loop {
        // A connection that breaks off in the middle ends with an error, or early.
        let read = input.read(&mut chunk).await.map_err(|_| StoreError::Lost)?;
        if read == 0 {
            break;
        }
        see(&mut seen, &chunk[..read]);
        out.write_all(&chunk[..read]).await.map_err(failed)?;
        bytes += read as u64;
    }
    if bytes != size {
        return Err(StoreError::Lost);
    }
    out.flush().await.map_err(failed)?;
    let mut file = out.into_std().await;
    file.seek(SeekFrom::Start(0)).map_err(failed)?;
    Ok((file, seen))
}
