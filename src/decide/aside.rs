//! Entries of stores on their way from the decision to the manifest: put aside in a sealed file, so that memory does not grow with them.

use std::path::Path;

use tempfile::TempPath;

use crate::connector::objects::Entry;
use crate::crypto::{SpoolReader, SpoolWriter, random_bytes, random_code};
use crate::gather::GatherError;
use crate::plan::ManifestRecord;

/// Where entries are put aside: beside the manifests, under the request's own name, so that what an attempt that died has left is removed by the
/// next one.
#[derive(Clone, Copy)]
pub struct AsidePlace<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// Id of the request; empty for a rehearsal.
    pub request: &'a str,
}

/// Entries put aside in a sealed file of their own, whose key is in memory alone.
pub(super) struct AsideWriter {
    path: TempPath,
    key: [u8; 32],
    spool: SpoolWriter,
    records: u64,
}

/// The same, closed.
pub(super) struct Aside {
    path: TempPath,
    key: [u8; 32],
    /// How many entries.
    pub(super) records: u64,
}

impl AsideWriter {
    pub(super) fn create(place: AsidePlace<'_>) -> Result<AsideWriter, GatherError> {
        let code = random_code(12).map_err(spool_error)?.to_lowercase();
        let path = place.folder.join(format!("{}-{code}.found", place.request));
        let key = random_bytes().map_err(spool_error)?;
        let spool = SpoolWriter::create(&path, key).map_err(spool_error)?;
        Ok(AsideWriter { path: TempPath::try_from_path(path).map_err(spool_error)?, key, spool, records: 0 })
    }

    pub(super) fn put(&mut self, entry: &Entry) -> Result<(), GatherError> {
        let fingerprint = format!("{} {}", entry.size, entry.etag.as_deref().unwrap_or_default());
        self.put_record(&ManifestRecord { step: 0, key: entry.manifest_key(), fingerprint, values: Vec::new() })
    }

    /// Puts a record aside; its step is said when it is taken out again.
    pub(super) fn put_record(&mut self, record: &ManifestRecord) -> Result<(), GatherError> {
        self.records += 1;
        self.spool.append(&record.to_bytes()).map_err(spool_error)
    }

    pub(super) fn finish(self) -> Result<Aside, GatherError> {
        self.spool.finish().map_err(spool_error)?;
        Ok(Aside { path: self.path, key: self.key, records: self.records })
    }
}

impl Aside {
    /// The records, for the manifest; how many.
    pub(super) fn each(
        &self,
        position: u16,
        mut put: impl FnMut(&ManifestRecord) -> Result<(), GatherError>,
    ) -> Result<u64, GatherError> {
        let mut reader = SpoolReader::open(&self.path, self.key).map_err(spool_error)?;
        let mut records = 0;
        while let Some(bytes) = reader.next_record().map_err(spool_error)? {
            let record = ManifestRecord::from_bytes(bytes).map_err(spool_error)?;
            put(&ManifestRecord { step: position, ..record })?;
            records += 1;
        }
        Ok(records)
    }
}

fn spool_error(error: impl std::fmt::Display) -> GatherError {
    GatherError::Spool(error.to_string())
}
