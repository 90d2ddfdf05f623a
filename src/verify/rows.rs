//! The verifier's looks at rows inside objects, through a client of its own: every version of a key is read to its end, and every row of it is
//! compared, whatever a Parquet file says of its own parts. That a version is gone proves nothing, because its rows may stand in another one.

use std::collections::BTreeMap;
use std::path::Path;

use super::control::LookError;
use crate::connector::objects::{Entry, EntryKind, ObjectKey, ObjectSource, ObjectStore, StoreError, Stores, Walk, entries_of_key};
use crate::connector::sql::{Reader, Seen};
use crate::datamap::{RowFormat, RowPlace};
use crate::deployment::Deployment;
use crate::erase::manifest::{Group, ManifestError, groups_of};
use crate::ledger::execution::Execution;
use crate::plan::{Action, DamagedRecord};
use crate::row_objects::{Looked, RowField, RowNames, RowOrder, RowsFailure, bring, is_as_planned, look_in};
use crate::value::Key;

/// What one version of a key shows.
struct VersionSeen {
    entry: Entry,
    /// None where it cannot be read: nobody knows what is in it (V-2).
    looked: Option<Looked>,
}

/// Looks at the versions of a group. One is present if it is there as it was planned and its rows are seen; it is done if it is not, and no version of
/// its key has a row that is the person's alone.
pub(super) async fn look_at_rows(
    group: &Group,
    store: &ObjectSource,
    by: Reader,
    folder: &Path,
    seen: &mut Seen,
) -> Result<(), LookError> {
    let client = match by {
        Reader::Verify => store.verify.as_ref(),
        Reader::Work => store.work.as_ref(),
    };
    let mut keys: BTreeMap<ObjectKey, Vec<VersionSeen>> = BTreeMap::new();
    for at in 0..group.rows.keys.len() {
        let (planned, order) = record_of(group, at).map_err(ManifestError::from)?;
        if !keys.contains_key(&planned.key) {
            // Records of one key stand together: what was seen of another one is not needed any more.
            keys.clear();
            let versions = versions_of(client, &planned.key, &order, folder).await;
            keys.insert(planned.key.clone(), versions.map_err(|problem| failed(store, problem))?);
        }
        let versions = keys.get(&planned.key).map(Vec::as_slice).unwrap_or_default();
        let is_it = |version: &&VersionSeen| is_as_planned(&version.entry, &planned, &group.rows.fingerprints[at], order.rows);
        let own = |version: &VersionSeen| version.looked.map_or(1, |looked| looked.own);
        match versions.iter().find(is_it) {
            Some(version) => seen.present += u64::from(version.looked.is_some_and(|looked| looked.own > 0)),
            None => seen.done += u64::from(versions.iter().all(|version| own(version) == 0)),
        }
    }
    Ok(())
}

fn record_of(group: &Group, at: usize) -> Result<(Entry, RowOrder), DamagedRecord> {
    let entry = Entry::from_manifest_key(&group.rows.keys[at]).ok_or(DamagedRecord)?;
    Ok((entry, RowOrder::from_values(&group.rows.values[at])?))
}

async fn versions_of(
    client: &dyn ObjectStore,
    key: &ObjectKey,
    order: &RowOrder,
    folder: &Path,
) -> Result<Vec<VersionSeen>, StoreError> {
    let mut versions = Vec::new();
    for entry in entries_of_key(client, key).await?.into_iter().filter(|entry| entry.kind == EntryKind::Version) {
        match look(client, &entry, order.format, &order.names, folder).await? {
            Some(looked) => versions.push(VersionSeen { entry, looked }),
            None => continue,
        }
    }
    Ok(versions)
}

/// What a version shows; none of it where it went away meanwhile.
async fn look(
    client: &dyn ObjectStore,
    entry: &Entry,
    format: RowFormat,
    names: &RowNames,
    folder: &Path,
) -> Result<Option<Option<Looked>>, StoreError> {
    let looked = match bring(client, entry, folder).await {
        Ok(file) => look_in(file, format, names, false).await,
        Err(problem) => Err(problem.into()),
    };
    match looked {
        Ok(looked) => Ok(Some(Some(looked))),
        Err(RowsFailure::Store(StoreError::Gone)) => Ok(None),
        Err(RowsFailure::Store(problem)) => Err(problem),
        Err(failure) if failure.is_transient() => Err(failure.into_store_error()),
        Err(_) => Ok(Some(None)),
    }
}

/// Versions of rewritten keys that still name the person, in rows that name somebody else as well: these are kept on that ground, and what the
/// value search finds in them is no residue.
pub(super) async fn versions_with_shared_rows(
    deployment: &Deployment,
    stores: &Stores,
    passes: &[Execution],
) -> Result<Vec<(String, Key)>, LookError> {
    let mut kept = Vec::new();
    for pass in passes.iter().filter(|pass| pass.manifest_file.is_some()) {
        if !pass.steps.iter().any(|step| step.action == Action::Rewrite) {
            continue;
        }
        for group in groups_of(deployment, pass)? {
            let group = group?;
            if pass.steps[group.step].action != Action::Rewrite {
                continue;
            }
            let source = &pass.steps[group.step].source;
            let Some(store) = stores.get(source) else { continue };
            for at in 0..group.rows.keys.len() {
                let (planned, order) = record_of(&group, at).map_err(ManifestError::from)?;
                if order.shared == 0 {
                    continue;
                }
                let versions = versions_of(store.verify.as_ref(), &planned.key, &order, &deployment.config.spool).await;
                let versions = versions.map_err(|problem| failed(store, problem))?;
                let has_shared = |version: &&VersionSeen| version.looked.is_some_and(|looked| looked.shared > 0);
                kept.extend(versions.iter().filter(has_shared).map(|version| (source.clone(), version.entry.manifest_key())));
            }
        }
    }
    Ok(kept)
}

/// How many rows of anybody the verifier sees in the first object of a place that has any: that shows that it can see there (V-3). None where it
/// could read no object at all though there are some.
pub async fn rows_of_others(place: &RowPlace, store: &ObjectSource, folder: &Path) -> Result<Option<u64>, LookError> {
    let fields = place.names.iter().map(|field| RowField { path: field.path.clone(), form: field.form, values: Vec::new() });
    let names = RowNames { fields: fields.collect() };
    let client = store.verify.as_ref();
    let mut walk = Walk::under(client, place.at.as_bytes());
    let mut unread = false;
    while let Some(page) = walk.next().await.map_err(|problem| failed(store, problem))? {
        let is_version = |entry: &&Entry| entry.kind == EntryKind::Version && place.has_key(entry.key.bytes());
        for entry in page.iter().filter(is_version) {
            match look(client, entry, place.format, &names, folder).await {
                Ok(Some(Some(looked))) if looked.rows > 0 => return Ok(Some(looked.rows)),
                Ok(Some(Some(_)) | None) => {}
                Ok(Some(None)) => unread = true,
                Err(problem) if problem.is_transient() => return Err(failed(store, problem)),
                Err(_) => unread = true,
            }
        }
    }
    Ok((!unread).then_some(0))
}

fn failed(store: &ObjectSource, problem: StoreError) -> LookError {
    LookError::Store { source_name: store.name.clone(), problem }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::objects::{FolderStore, StoreFacts};
    use crate::connector::sql::text::batch::BatchRows;
    use crate::row_objects::fingerprint;
    use crate::subject::NormalForm;

    async fn source(folder: &Path) -> ObjectSource {
        let open = || Box::new(FolderStore::open(folder).unwrap());
        let facts: StoreFacts = open().facts().await.unwrap();
        ObjectSource { name: "lake".into(), kind: "folder", work: open(), verify: open(), facts }
    }

    async fn seen(store: &ObjectSource, group: &Group, folder: &Path) -> (u64, u64) {
        let mut seen = Seen::default();
        look_at_rows(group, store, Reader::Verify, folder, &mut seen).await.unwrap();
        (seen.present, seen.done)
    }

    #[tokio::test]
    async fn v_1_rows_that_stand_in_another_version_of_the_key_are_not_gone() {
        let (folder, scratch) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let file = folder.path().join("a.jsonl");
        std::fs::write(&file, "{\"id\":1}\n{\"id\":2}\n").unwrap();
        let store = source(folder.path()).await;
        let [entry] = entries_of_key(store.work.as_ref(), &ObjectKey::new("a.jsonl")).await.unwrap().try_into().unwrap();
        let names =
            RowNames { fields: vec![RowField { path: vec!["id".into()], form: NormalForm::Exact, values: vec!["1".into()] }] };
        let order = RowOrder { format: RowFormat::JsonLines, names, rows: 1, shared: 0, versions: vec![None], with_others: false };
        let rows = BatchRows {
            keys: vec![entry.manifest_key()],
            fingerprints: vec![fingerprint(&entry, 1)],
            values: vec![order.to_values().unwrap()],
        };
        let group = Group { step: 0, rows };
        assert_eq!(seen(&store, &group, scratch.path()).await, (1, 0), "as planned");
        for (content, done) in
            [("{\"id\":2}\n{\"id\":3}\n{\"id\":1}\n", 0), ("no json\n", 0), ("{\"id\":2}\n", 1), ("{\"id\":[1,2]}\n", 1), ("", 1)]
        {
            std::fs::write(&file, content).unwrap();
            assert_eq!(seen(&store, &group, scratch.path()).await, (0, done), "{content}");
        }
        std::fs::remove_file(&file).unwrap();
        assert_eq!(seen(&store, &group, scratch.path()).await, (0, 1), "the whole object is gone");
    }
}
