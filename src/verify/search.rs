//! Looking for what nobody thought of: the identity search again, which must find nothing more to erase, and the value search over every
//! table, mapped or not. What is kept on a ground may name the person; everything else is residue.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use jiff::Timestamp;
use sha2::{Digest, Sha256};

use super::ValueSearch;
use super::control::LookError;
use super::kept::each_kept;
use super::residue::{Matcher, ResidueError, ResidueReport, Search, scan};
use crate::certify::{OpenPlace, ResiduePlace};
use crate::connector::sql::{SqlSource, TableName};
use crate::deployment::Deployment;
use crate::journal::Code;
use crate::ledger::execution::Execution;
use crate::plan::Step;
use crate::subject::Identifier;
use crate::value::{Key, KeyPart};

/// What the value search gave.
#[derive(Debug, Default)]
pub struct Searched {
    /// Per source.
    pub searches: BTreeMap<String, ValueSearch>,
    /// Where the identifiers were found.
    pub residue: Vec<ResiduePlace>,
    /// Where a person has to look: a match that may be somebody else's.
    pub uncertain: Vec<ResiduePlace>,
    /// Where records that are kept, on whichever ground, still name the person.
    pub kept: Vec<ResiduePlace>,
    /// What could not be searched.
    pub unsearched: Vec<OpenPlace>,
}

/// Keys of rows that may name the person, as short hashes: what is kept, and what a hold kept from being erased.
pub struct RetainedRows(HashSet<[u8; 16]>);

impl RetainedRows {
    /// Collects them from the manifests.
    pub fn of(
        deployment: &Deployment,
        sources: &BTreeMap<String, SqlSource>,
        passes: &[Execution],
    ) -> Result<RetainedRows, LookError> {
        let mut rows = HashSet::new();
        let is_of_database = |step: &Step| sources.contains_key(&step.source);
        each_kept(deployment, passes, is_of_database, |step, key| {
            let Some(source) = sources.get(&step.source) else { return };
            let Some(table) = source.catalogue.find(step.schema.as_deref(), &step.collection) else { return };
            rows.insert(short_hash(&step.source, &table.name, key));
        })?;
        Ok(RetainedRows(rows))
    }

    fn contains(&self, source: &str, table: &TableName, key: &Key) -> bool {
        !self.0.is_empty() && self.0.contains(&short_hash(source, table, key))
    }
}

fn short_hash(source: &str, table: &TableName, key: &Key) -> [u8; 16] {
    let mut hash = Sha256::new();
    for part in [source, &table.schema, &table.name] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    for part in key {
        let (tag, bytes) = match part {
            KeyPart::Null => (0_u8, Vec::new()),
            KeyPart::Int(value) => (1, value.to_le_bytes().to_vec()),
            KeyPart::Real(bits) => (2, bits.to_le_bytes().to_vec()),
            KeyPart::Text(text) => (3, text.as_bytes().to_vec()),
            KeyPart::Blob(blob) => (4, blob.clone()),
        };
        hash.update([tag]);
        hash.update((bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    }
    let digest = hash.finalize();
    let mut short = [0; 16];
    short.copy_from_slice(&digest[..16]);
    short
}

/// Searches every reached source for the identifiers. A source whose scan fails as a whole is listed as not searched.
pub async fn search(
    sources: &BTreeMap<String, SqlSource>,
    identifiers: &[Identifier],
    retained: &RetainedRows,
    now: Timestamp,
) -> Result<Searched, ResidueError> {
    let matcher = Matcher::build(&[identifiers])?;
    let mut searched = Searched::default();
    for (name, source) in sources {
        match scan_source(name, source, &matcher, retained).await {
            Ok(report) => searched.take(name, &report, identifiers.len() as u64, now),
            Err(_) => searched.unsearched.push(OpenPlace { source: name.clone(), place: None, code: Code::fitted("scan_failed") }),
        }
    }
    Ok(searched)
}

async fn scan_source(
    name: &str,
    source: &SqlSource,
    matcher: &Matcher,
    retained: &RetainedRows,
) -> Result<ResidueReport, ResidueError> {
    let mut session = source.verify_session().await?;
    let is_retained = |_: usize, table: &TableName, key: &Key| retained.contains(name, table, key);
    let search = Search { catalogue: source.sight(), matcher, exclude: &BTreeSet::new(), is_retained: &is_retained };
    scan(&mut session, &search).await
}

impl Searched {
    fn take(&mut self, source: &str, report: &ResidueReport, identifiers: u64, now: Timestamp) {
        for gap in &report.gaps {
            let place = Some(gap.place.clone());
            self.unsearched.push(OpenPlace { source: source.to_owned(), place, code: Code::fitted("not_searchable") });
        }
        let mut places: BTreeMap<(String, bool), u64> = BTreeMap::new();
        for hit in report.hits.iter().filter(|hit| hit.count > hit.retained) {
            *places.entry((format!("{}.{}", hit.table, hit.column), hit.certain)).or_default() += hit.count - hit.retained;
        }
        for ((place, certain), occurrences) in places {
            let found = ResiduePlace { source: source.to_owned(), place, occurrences };
            if certain { self.residue.push(found) } else { self.uncertain.push(found) }
        }
        let mut kept: BTreeMap<String, u64> = BTreeMap::new();
        for hit in report.hits.iter().filter(|hit| hit.retained > 0) {
            *kept.entry(format!("{}.{}", hit.table, hit.column)).or_default() += hit.retained;
        }
        let in_kept_records = kept.values().sum();
        let found = |(place, occurrences)| ResiduePlace { source: source.to_owned(), place, occurrences };
        self.kept.extend(kept.into_iter().map(found));
        let search = ValueSearch {
            identifiers,
            places: report.searched.iter().map(|table| table.columns.len() as u64).sum(),
            unsearchable: report.gaps.len() as u64,
            planted: report.control.planted,
            planted_found: report.control.found,
            residue: report.unexplained(0),
            in_kept_records,
            searched_at: now,
        };
        self.searches.insert(source.to_owned(), search);
    }
}
