//! The value search in stores of objects, for the certificate: what the search of a store found becomes residue, what it did not open is listed.

use std::collections::HashSet;

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::ValueSearch;
use super::control::LookError;
use super::kept::each_kept;
use super::residue::{Matcher, ObjectLimits, ObjectReport, ResidueError, scan_store};
use super::rows::versions_with_shared_rows;
use super::search::Searched;
use crate::certify::{OpenPlace, ResiduePlace};
use crate::connector::objects::Stores;
use crate::deployment::Deployment;
use crate::journal::Code;
use crate::ledger::execution::Execution;
use crate::plan::{ManifestRecord, Step};
use crate::subject::Identifier;
use crate::value::Key;

/// Entries that may name the person, because they are kept on a ground.
pub struct RetainedObjects(HashSet<Vec<u8>>);

impl RetainedObjects {
    /// Collects them from the manifests.
    pub async fn of(deployment: &Deployment, stores: &Stores, passes: &[Execution]) -> Result<RetainedObjects, LookError> {
        let mut kept = HashSet::new();
        let is_of_store = |step: &Step| stores.contains_key(&step.source);
        each_kept(deployment, passes, is_of_store, |step, key| {
            kept.insert(name_of(&step.source, key));
        })?;
        for (source, key) in versions_with_shared_rows(deployment, stores, passes).await? {
            kept.insert(name_of(&source, &key));
        }
        Ok(RetainedObjects(kept))
    }
}

fn name_of(source: &str, key: &Key) -> Vec<u8> {
    let nameless = ManifestRecord { step: 0, key: key.clone(), fingerprint: source.to_owned(), values: Vec::new() };
    Sha256::digest(nameless.identity_bytes()).to_vec()
}

/// Searches every reached store. One whose search fails as a whole is listed as not searched.
pub async fn search_stores(
    stores: &Stores,
    identifiers: &[Identifier],
    retained: &RetainedObjects,
    limits: ObjectLimits,
    now: Timestamp,
    searched: &mut Searched,
) -> Result<(), ResidueError> {
    if stores.is_empty() {
        return Ok(());
    }
    let matcher = Matcher::build(&[identifiers])?;
    for (name, store) in stores {
        let is_retained = |key: &Key| retained.0.contains(&name_of(name, key));
        match scan_store(store, &matcher, limits, &is_retained).await {
            Ok(report) => take(searched, name, &report, identifiers.len() as u64, now),
            Err(_) => searched.unsearched.push(OpenPlace { source: name.clone(), place: None, code: Code::fitted("scan_failed") }),
        }
    }
    Ok(())
}

fn take(searched: &mut Searched, source: &str, report: &ObjectReport, identifiers: u64, now: Timestamp) {
    for (why, count) in &report.unsearched {
        let place = Some(format!("{count} objects: {why}"));
        searched.unsearched.push(OpenPlace { source: source.to_owned(), place, code: Code::fitted("not_searchable") });
    }
    let found =
        |part: &str, occurrences: u64| ResiduePlace { source: source.to_owned(), place: format!("{part} of objects"), occurrences };
    let mut in_kept_records = 0;
    for hit in &report.hits {
        let outside = hit.count - hit.retained;
        if outside > 0 {
            let list = if hit.certain { &mut searched.residue } else { &mut searched.uncertain };
            list.push(found(hit.part, outside));
        }
        if hit.certain && hit.retained > 0 {
            in_kept_records += hit.retained;
            searched.kept.push(found(hit.part, hit.retained));
        }
    }
    let search = ValueSearch {
        identifiers,
        places: report.places.max(1),
        unsearchable: report.unsearched.iter().map(|(_, count)| count).sum(),
        planted: report.control.planted,
        planted_found: report.control.found,
        residue: report.unexplained(),
        in_kept_records,
        searched_at: now,
    };
    searched.searches.insert(source.to_owned(), search);
}
