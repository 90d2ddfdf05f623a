//! Which entries are there. Asked of lists and never of single reads: a list also has markers and unfinished uploads, and what a store says in
//! answer to a delete is no proof.

use std::collections::BTreeMap;

use futures_util::{StreamExt, TryStreamExt, stream};

use super::{Entry, ObjectKey, ObjectStore, StoreError, Walk, entries_of_key};

/// Keys that are listed one by one at once.
const AT_ONCE: usize = 16;
/// Entries per page of a list.
const PAGE: usize = 1_000;

/// Whether each of these entries is there, in their order.
pub async fn present(store: &dyn ObjectStore, entries: &[Entry]) -> Result<Vec<bool>, StoreError> {
    let mut keys: BTreeMap<&ObjectKey, Vec<usize>> = BTreeMap::new();
    for (at, entry) in entries.iter().enumerate() {
        keys.entry(&entry.key).or_default().push(at);
    }
    let mut present = vec![false; entries.len()];
    if let Some(listed) = list_together(store, &keys, entries.len()).await? {
        mark(&mut present, &keys, entries, &listed);
        return Ok(present);
    }
    let asked: Vec<_> = keys.keys().map(|key| entries_of_key(store, key)).collect();
    let mut answers = stream::iter(asked).buffered(AT_ONCE);
    while let Some(listed) = answers.try_next().await? {
        mark(&mut present, &keys, entries, &listed);
    }
    Ok(present)
}

fn mark(present: &mut [bool], keys: &BTreeMap<&ObjectKey, Vec<usize>>, entries: &[Entry], listed: &[Entry]) {
    for found in listed {
        let Some(places) = keys.get(&found.key) else { continue };
        for at in places {
            present[*at] |= entries[*at].is_same(found);
        }
    }
}

/// Many keys under one prefix are listed together, as long as little else lies there; none when that would take longer than asking one by one.
async fn list_together(
    store: &dyn ObjectStore,
    keys: &BTreeMap<&ObjectKey, Vec<usize>>,
    entries: usize,
) -> Result<Option<Vec<Entry>>, StoreError> {
    if keys.len() <= AT_ONCE {
        return Ok(None);
    }
    let (Some(first), Some(last)) = (keys.keys().next(), keys.keys().last()) else { return Ok(None) };
    let common = first.bytes().iter().zip(last.bytes()).take_while(|(a, b)| a == b).count();
    if common == 0 {
        return Ok(None);
    }
    let mut walk = Walk::under(store, &first.bytes()[..common]);
    let mut listed = Vec::with_capacity(entries);
    // Versions and uploads each end with a page of their own.
    let mut pages = entries / PAGE + 4;
    while let Some(page) = walk.next().await? {
        listed.extend(page);
        pages -= 1;
        if pages == 0 {
            return Ok(None);
        }
    }
    Ok(Some(listed))
}
