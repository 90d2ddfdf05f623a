//! The frozen manifest on disk: an encrypted spool beside the ledger, named by request and pass. The verifier works from it, because after
//! the erasure the way to a row may be gone; it is destroyed after the last look.

use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::connector::sql::text::batch::BatchRows;
use crate::crypto::{Keys, SpoolError, SpoolReader, SpoolWriter, hex};
use crate::decide::ManifestSink;
use crate::deployment::Deployment;
use crate::ledger::execution::Execution;
use crate::plan::{DamagedRecord, ManifestRecord, Step};

/// What can go wrong with a manifest.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// The spool.
    #[error("manifest: {0}")]
    Spool(#[from] SpoolError),
    /// A record.
    #[error(transparent)]
    Damaged(#[from] DamagedRecord),
    /// The manifest was destroyed, and something still needs it.
    #[error("the manifest has been destroyed")]
    Destroyed,
}

/// Takes records, keeps their digest, and writes them to a spool where there is one.
pub struct ManifestWriter {
    spool: Option<SpoolWriter>,
    digest: Hmac<Sha256>,
    people: Hmac<Sha256>,
    records: u64,
}

impl ManifestWriter {
    /// Only counts and digests: for a plan that is shown and not carried out.
    pub fn digest_only(keys: &Keys) -> ManifestWriter {
        ManifestWriter { spool: None, digest: keyed(keys), people: keyed(keys), records: 0 }
    }

    /// Writes to a new spool file.
    pub fn create(keys: &Keys, path: &Path, request_id: &str) -> Result<ManifestWriter, ManifestError> {
        let spool = SpoolWriter::create(path, spool_key(keys, request_id))?;
        Ok(ManifestWriter { spool: Some(spool), digest: keyed(keys), people: keyed(keys), records: 0 })
    }

    /// For a request that has been carried out so many times before. The same rows may be left after a hold on all of them: then their digest
    /// must differ, so that each round has a plan, passes and a certificate of its own.
    pub fn after_rounds(mut self, rounds: u64) -> ManifestWriter {
        if rounds > 0 {
            self.digest.update(b"rounds");
            self.digest.update(&rounds.to_be_bytes());
        }
        self
    }

    /// Closes the spool: written out, synced to disk.
    pub fn finish(self) -> Result<u64, ManifestError> {
        if let Some(spool) = self.spool {
            spool.finish()?;
        }
        Ok(self.records)
    }
}

impl ManifestSink for ManifestWriter {
    fn put(&mut self, record: &ManifestRecord) -> std::io::Result<()> {
        self.digest.update(&record.identity_bytes());
        self.records += 1;
        match &mut self.spool {
            None => Ok(()),
            Some(spool) => spool.append(&record.to_bytes()).map_err(std::io::Error::other),
        }
    }

    fn put_person(&mut self, place: &str, record: &ManifestRecord) {
        // Without the step, whose number changes with what else the plan holds.
        let nameless = ManifestRecord { step: 0, fingerprint: String::new(), values: Vec::new(), key: record.key.clone() };
        self.people.update(place.as_bytes());
        self.people.update(&nameless.identity_bytes());
    }

    fn digest(&self) -> String {
        format!("hmac-sha256:{}", hex(&self.digest.clone().finalize().into_bytes()))
    }

    fn people_digest(&self) -> String {
        format!("hmac-sha256:{}", hex(&self.people.clone().finalize().into_bytes()))
    }
}

/// The same rows give the same digest on every run, and nobody can test a guess of a key against it without ours.
fn keyed(keys: &Keys) -> Hmac<Sha256> {
    let mut block = [0_u8; 64];
    block[..32].copy_from_slice(&keys.mac("manifest digest", b""));
    <Hmac<Sha256> as KeyInit>::new(&block.into())
}

fn spool_key(keys: &Keys, request_id: &str) -> [u8; 32] {
    keys.mac("manifest spool", request_id.as_bytes())
}

/// Where the manifest of a pass lies.
pub fn path_of(folder: &Path, file: &str) -> PathBuf {
    folder.join(file)
}

/// Reads a manifest from some record on, in batches.
pub struct ManifestReader {
    spool: SpoolReader,
    steps: Vec<Step>,
    position: u64,
    waiting: Option<ManifestRecord>,
}

/// Records of one step that stand together in a manifest.
#[derive(Debug, Clone)]
pub struct Group {
    /// Position of the step.
    pub step: usize,
    /// Its rows.
    pub rows: BatchRows,
}

impl ManifestReader {
    /// Opens the manifest of a pass at a record.
    pub fn open(keys: &Keys, folder: &Path, execution: &Execution, position: u64) -> Result<ManifestReader, ManifestError> {
        let file = execution.manifest_file.as_deref().ok_or(ManifestError::Destroyed)?;
        let mut spool = SpoolReader::open(&path_of(folder, file), spool_key(keys, &execution.request_id))?;
        spool.seek(position)?;
        Ok(ManifestReader { spool, steps: execution.steps.clone(), position, waiting: None })
    }

    /// How many records have been handed out, counted from the manifest's beginning.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// The next records of one source, at most `limit` and none at or beyond record `end`; grouped by step. Empty at the end. The records of
    /// steps that share a transaction come all at once.
    pub fn next_batch(&mut self, limit: u64, end: u64) -> Result<Vec<Group>, ManifestError> {
        let mut groups: Vec<Group> = Vec::new();
        let mut taken = 0;
        let mut source: Option<String> = None;
        let mut deferred = false;
        while (taken < limit || deferred) && self.position < end {
            let Some(record) = self.next_record()? else { break };
            let step = usize::from(record.step);
            let (here, is_deferred) = self.steps.get(step).map(|step| (step.source.clone(), step.deferred)).ok_or(DamagedRecord)?;
            // A circle of references is a batch of its own, however long.
            if source.as_ref().is_some_and(|first| *first != here || is_deferred != deferred) {
                self.waiting = Some(record);
                break;
            }
            source = Some(here);
            deferred = is_deferred;
            if groups.last().is_none_or(|group| group.step != step) {
                groups.push(Group { step, rows: BatchRows::default() });
            }
            if let Some(group) = groups.last_mut() {
                group.rows.keys.push(record.key);
                group.rows.fingerprints.push(record.fingerprint);
                group.rows.values.push(record.values);
            }
            taken += 1;
            self.position += 1;
        }
        Ok(groups)
    }

    fn next_record(&mut self) -> Result<Option<ManifestRecord>, ManifestError> {
        if let Some(record) = self.waiting.take() {
            return Ok(Some(record));
        }
        match self.spool.next_record()? {
            None => Ok(None),
            Some(bytes) => Ok(Some(ManifestRecord::from_bytes(bytes)?)),
        }
    }
}

/// Everything that the manifest of a pass lists, for those who only look: group after group, batch by batch.
pub fn groups_of(
    deployment: &Deployment,
    pass: &Execution,
) -> Result<impl Iterator<Item = Result<Group, ManifestError>>, ManifestError> {
    let mut reader = ManifestReader::open(&deployment.keys, &deployment.config.spool, pass, 0)?;
    let (limit, end) = (deployment.config.limits.batch_rows, pass.end());
    let batches = std::iter::from_fn(move || match reader.next_batch(limit, end) {
        Ok(groups) if groups.is_empty() => None,
        Ok(groups) => Some(groups.into_iter().map(Ok).collect::<Vec<_>>()),
        Err(error) => Some(vec![Err(error)]),
    });
    Ok(batches.flatten())
}
