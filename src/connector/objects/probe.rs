//! What a store lets us do, found out without changing anything in it, and how much lies in it that no template of the map can name. Whether
//! something may be deleted is not found out: only deleting tells.

use super::{EntryKind, Lock, ObjectKey, ObjectSource, ObjectStore, StoreError, Walk};

/// Pages of a list that are looked through for keys without a name.
const PAGES: usize = 10;
/// Versions whose locks are asked for on trial.
const LOCKS: usize = 3;

/// What was found out.
#[derive(Debug, Default)]
pub struct Probe {
    /// What it does not let us do, though gathering and erasing need it.
    pub refused: Vec<StoreError>,
    /// It has locks, and does not say which versions are locked.
    pub hides_locks: bool,
    /// Why the client that verifies cannot list it.
    pub verifier: Option<StoreError>,
}

/// Keys of a store beside those that the map can name.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unnamed {
    /// Keys that no template can name.
    pub keys: u64,
    /// Keys that were looked at.
    pub looked_at: u64,
    /// Whether these were all.
    pub all: bool,
}

/// Tries everything that reading needs.
pub async fn probe(source: &ObjectSource) -> Probe {
    let mut found = Probe::default();
    let store = source.work.as_ref();
    match store.list(b"", None).await {
        Ok(page) => {
            let some: Vec<_> = page.entries.into_iter().filter(|entry| entry.kind == EntryKind::Version).take(LOCKS).collect();
            match store.locks(&some).await {
                Ok(locks) => found.hides_locks = locks.contains(&Lock::Unknown),
                Err(error) => found.refused.push(error),
            }
        }
        Err(error) => found.refused.push(error),
    }
    match store.list_uploads(b"", None).await {
        Ok(_) | Err(StoreError::NotSupported { .. }) => {}
        Err(error) => found.refused.push(error),
    }
    found.verifier = source.verify.list(b"", None).await.err();
    found
}

/// Looks through the first keys of a store for those that nothing names.
pub async fn unnamed(store: &dyn ObjectStore, is_named: impl Fn(&ObjectKey) -> bool) -> Result<Unnamed, StoreError> {
    let mut found = Unnamed::default();
    let mut walk = Walk::under(store, b"");
    let mut last: Option<ObjectKey> = None;
    for _ in 0..PAGES {
        let Some(page) = walk.next().await? else { return Ok(Unnamed { all: true, ..found }) };
        for entry in page {
            // Versions of one key come together; an unfinished upload may count its key once more.
            if last.as_ref() == Some(&entry.key) {
                continue;
            }
            found.looked_at += 1;
            found.keys += u64::from(!is_named(&entry.key));
            last = Some(entry.key);
        }
    }
    Ok(found)
}
