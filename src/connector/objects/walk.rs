//! Walking through everything under a prefix, page after page, versions first and then unfinished uploads. A store that hands out the same
//! page again and again is caught; one that says "no more" too early cannot be, which is why deleting is followed by listing again.

use super::{Entry, ObjectKey, ObjectStore, Page, PageMark, StoreError};

/// A walk under way.
pub struct Walk<'a> {
    store: &'a dyn ObjectStore,
    prefix: Vec<u8>,
    at: At,
}

enum At {
    Versions(Option<PageMark>),
    Uploads(Option<PageMark>),
    End,
}

impl<'a> Walk<'a> {
    /// Everything whose key begins with these bytes. A prefix is no folder: `user/1` also begins `user/10`.
    pub fn under(store: &'a dyn ObjectStore, prefix: &[u8]) -> Walk<'a> {
        Walk { store, prefix: prefix.to_vec(), at: At::Versions(None) }
    }

    /// The next entries; none at the end. Entries that do not begin with the prefix are a contradiction: nothing outside is ever handed on.
    pub async fn next(&mut self) -> Result<Option<Vec<Entry>>, StoreError> {
        loop {
            let (page, mark, uploads) = match &self.at {
                At::Versions(mark) => (self.store.list(&self.prefix, mark.clone()).await?, mark.clone(), false),
                At::Uploads(mark) => match self.store.list_uploads(&self.prefix, mark.clone()).await {
                    // A store without multipart uploads has none that is unfinished.
                    Err(StoreError::NotSupported { .. }) => (Page::default(), None, true),
                    answer => (answer?, mark.clone(), true),
                },
                At::End => return Ok(None),
            };
            if page.next.is_some() && page.next == mark {
                return Err(StoreError::Contradiction("the list goes on where it began"));
            }
            if page.entries.iter().any(|entry| !entry.key.bytes().starts_with(&self.prefix)) {
                return Err(StoreError::Contradiction("the list has keys that were not asked for"));
            }
            self.at = match (page.next, uploads) {
                (Some(next), false) => At::Versions(Some(next)),
                (Some(next), true) => At::Uploads(Some(next)),
                (None, false) => At::Uploads(None),
                (None, true) => At::End,
            };
            if !page.entries.is_empty() {
                return Ok(Some(page.entries));
            }
        }
    }

    /// All of them, where that is known to be few.
    pub async fn all(mut self) -> Result<Vec<Entry>, StoreError> {
        let mut entries = Vec::new();
        while let Some(mut more) = self.next().await? {
            entries.append(&mut more);
        }
        Ok(entries)
    }
}

/// Everything under exactly this key. The store lists by prefix, so that longer keys come along and are left out here.
pub async fn entries_of_key(store: &dyn ObjectStore, key: &ObjectKey) -> Result<Vec<Entry>, StoreError> {
    let mut walk = Walk::under(store, key.bytes());
    let mut entries = Vec::new();
    while let Some(page) = walk.next().await? {
        let beyond = page.last().is_some_and(|last| last.key != *key);
        entries.extend(page.into_iter().filter(|entry| entry.key == *key));
        if beyond {
            // Keys come in order, this one first.
            walk.skip_to_uploads();
        }
    }
    Ok(entries)
}

impl Walk<'_> {
    fn skip_to_uploads(&mut self) {
        self.at = match &self.at {
            At::Versions(_) => At::Uploads(None),
            At::Uploads(_) | At::End => At::End,
        };
    }
}
