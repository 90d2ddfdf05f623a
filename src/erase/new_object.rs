//! An object on its way to being written anew without the rows of a person. Everything that takes long happens before the permit: the version is
//! copied, its rows are taken out and counted, and the new bytes are sent. Nothing appears under the key before [`publish`].

use std::path::Path;
use std::time::Instant;

use tokio::io::AsyncReadExt;

use crate::connector::objects::{Condition, Entry, EntryKind, ObjectStore, StoreError, Writing, entries_of_key};
use crate::row_objects::{RowOrder, RowsFailure, bring, is_as_planned, look_in, remake};

/// Bytes that are sent at once.
const CHUNK: usize = 256 * 1024;

/// One version of the manifest.
pub(super) struct Planned {
    /// Its name.
    pub(super) entry: Entry,
    /// What tells its content from any other.
    pub(super) fingerprint: String,
    /// What is to go.
    pub(super) order: RowOrder,
}

/// How far it is.
pub(super) enum Prepared {
    /// It is not there any more.
    Gone,
    /// It is an older version, which is deleted as it is.
    Older,
    /// It is what readers get; the new object waits for its last call.
    New(Box<dyn Writing>),
}

impl Planned {
    /// The version as the store lists it now, if it still is the one that was planned.
    pub(super) async fn listed(&self, store: &dyn ObjectStore) -> Result<Option<(Entry, Vec<Entry>)>, StoreError> {
        let listed = entries_of_key(store, &self.entry.key).await?;
        let is_it = |entry: &&Entry| is_as_planned(entry, &self.entry, &self.fingerprint, self.order.rows);
        let found = listed.iter().find(is_it).cloned();
        Ok(found.map(|found| (found, listed)))
    }

    /// Whether rows that are the person's alone stand under the key in a version that was not planned. That the planned one is gone says
    /// nothing then: somebody else has written them again, with what else they had to write.
    pub(super) async fn is_written_again(&self, store: &dyn ObjectStore, folder: &Path) -> Result<bool, RowsFailure> {
        for entry in entries_of_key(store, &self.entry.key).await?.into_iter().filter(|entry| entry.kind == EntryKind::Version) {
            // It is still to go itself, and other planned versions have records of their own.
            let is_planned = match entry.id == self.entry.id {
                true => is_as_planned(&entry, &self.entry, &self.fingerprint, self.order.rows),
                false => self.order.versions.contains(&entry.id),
            };
            if is_planned {
                continue;
            }
            let file = match bring(store, &entry, folder).await {
                Ok(file) => file,
                Err(StoreError::Gone) => continue,
                Err(problem) => return Err(problem.into()),
            };
            if look_in(file, self.order.format, &self.order.names, false).await?.own > 0 {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Does what takes long.
    pub(super) async fn prepare(&self, store: &dyn ObjectStore, folder: &Path) -> Result<Prepared, RowsFailure> {
        let Some((found, _)) = self.listed(store).await? else { return Ok(Prepared::Gone) };
        if !found.is_latest {
            return Ok(Prepared::Older);
        }
        let Some(etag) = found.etag.clone() else {
            return Err(StoreError::Contradiction("a version without a tag cannot be replaced safely").into());
        };
        let file = bring(store, &found, folder).await?;
        let details = store.details(&found).await?;
        if details.etag.as_ref() != Some(&etag) {
            return Err(StoreError::Changed.into());
        }
        let remade = remake(file, self.order.format, &self.order.names, folder).await?;
        if (remade.looked.own, remade.looked.shared) != (self.order.rows, self.order.shared) {
            // The same bytes had other rows when the plan was made (E-1).
            return Err(StoreError::Contradiction("an object has other rows than when the plan was made").into());
        }
        let mut writing = store.write(&self.entry.key, &details, Some(Condition::Matches(etag))).await?;
        match send(remade.file, writing.as_mut()).await {
            Ok(()) => Ok(Prepared::New(writing)),
            Err(problem) => {
                give_up(Prepared::New(writing)).await;
                Err(problem.into())
            }
        }
    }
}

async fn send(file: std::fs::File, writing: &mut dyn Writing) -> Result<(), StoreError> {
    let mut input = tokio::fs::File::from_std(file);
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk).await.map_err(|error| StoreError::file("read the new object", &error))? {
            0 => return Ok(()),
            read => writing.write(&chunk[..read]).await?,
        }
    }
}

/// Takes away what has been sent in vain.
pub(super) async fn give_up(prepared: Prepared) {
    if let Prepared::New(writing) = prepared
        && let Err(left) = writing.abort().await
    {
        tracing::warn!("parts of an object that was to be written anew are still in the store: {left}");
    }
}

/// The last call: the new object appears in the place of exactly the version that was read. No call goes on after `end`.
pub(super) async fn publish(writing: Box<dyn Writing>, end: Instant) -> Result<Entry, StoreError> {
    let left = end.saturating_duration_since(Instant::now());
    tokio::time::timeout(left, writing.finish()).await.unwrap_or(Err(StoreError::Lost))
}

/// Whether a refusal of the last call says for certain that nothing was written.
pub(super) fn is_answer(problem: &StoreError) -> bool {
    matches!(
        problem,
        StoreError::Changed | StoreError::Denied { .. } | StoreError::NotSupported { .. } | StoreError::Refused { .. }
    )
}
