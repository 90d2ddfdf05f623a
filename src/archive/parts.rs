//! Where a file goes when an archive is divided. Part 1 holds everything else and is open from the first row to the last; files go into it
//! while it has room, and then into further parts, one after the other, each a bag of its own. A file is never divided: one that is larger
//! than a part gets a part to itself. In which part a file is, is known when it is put there; how many parts there are, only at the end: so
//! the folder inside a part names its number, and only the name of the zip says of how many.

use std::collections::BTreeMap;
use std::fs::File;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use tempfile::TempPath;

use super::ArchiveError;
use super::bag::{Bag, Entry};
use super::names::part_folder;
use super::storage::Workshop;
use crate::failpoint;

/// Path of the list of the other parts, in part 1.
pub(super) const PATH: &str = "data/parts.json";
/// What a file takes besides its content: its headers in the zip, its lines in the manifest and in the data package. Rather too much.
const PER_FILE: u64 = 1024;
/// What the documents of a further part take.
const DOCUMENTS: u64 = 16 * 1024;
/// Of part 1 this share is kept free of files, for tables and pages to come.
const KEPT_FREE: u64 = 8;

/// Which part of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) of: u32,
}

/// `data/parts.json`.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct PartsDocument {
    pub(super) schema_version: u32,
    /// What the bags of all parts have as their group: the request.
    pub(super) group_id: String,
    /// How many parts there are, part 1 among them.
    pub(super) of: u32,
    /// All but part 1, in which this stands.
    pub(super) parts: Vec<OtherPart>,
}

/// A part as part 1 tells of it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct OtherPart {
    pub(super) n: u32,
    /// The zip.
    pub(super) file_name: String,
    /// The folder in it.
    pub(super) folder: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// Files of the person in it.
    pub(super) files: u64,
}

/// The parts after the first.
pub(super) struct Parts {
    workshop: Workshop,
    name: String,
    created: Timestamp,
    /// Bytes that a part may have.
    limit: u64,
    full: Vec<FullPart>,
    open: Option<(Bag, TempPath)>,
}

/// A further part that takes no more files and has no documents yet.
struct FullPart {
    entries: BTreeMap<String, Entry>,
    partial: TempPath,
}

/// A further part, open for its documents.
pub(super) struct LastTouch {
    pub(super) bag: Bag,
    pub(super) handle: File,
    pub(super) partial: TempPath,
}

impl Parts {
    /// No further part yet. Without a limit there will be none.
    pub(super) fn new(workshop: &Workshop, name: &str, created: Timestamp) -> Parts {
        let (workshop, name) = (workshop.clone(), name.to_owned());
        Parts { workshop, name, created, limit: u64::MAX, full: Vec::new(), open: None }
    }

    /// No part is to be larger than this.
    pub(super) fn limit_to(&mut self, bytes: u64) {
        self.limit = bytes;
    }

    /// How many parts there are, part 1 among them.
    pub(super) fn count(&self) -> u32 {
        let further = self.full.len() + usize::from(self.open.is_some());
        u32::try_from(further).unwrap_or(u32::MAX).saturating_add(1)
    }

    /// The part for a file of so many bytes: its number, and its bag.
    pub(super) fn room_for<'a>(&'a mut self, first: &'a mut Bag, bytes: u64) -> Result<(u32, &'a mut Bag), ArchiveError> {
        if fits(first, bytes, self.limit - self.limit / KEPT_FREE) {
            return Ok((1, first));
        }
        if self.open.as_ref().is_some_and(|(bag, _)| !fits(bag, bytes, self.limit)) {
            self.put_away()?;
        }
        let number = self.count() + u32::from(self.open.is_none());
        if self.open.is_none() {
            let (file, partial) = self.workshop.further_part(&self.name, number)?;
            self.open = Some((Bag::new(file, &part_folder(&self.name, number), self.created), partial));
        } else {
            failpoint::hit("archive-while-filling-part");
        }
        match &mut self.open {
            Some((bag, _)) => Ok((number, bag)),
            None => Err(ArchiveError::OutOfOrder("a part was filled that was not open")),
        }
    }

    /// Every further part, one after the other, each open for its documents. There are as many as [`Parts::count`] says, less one.
    pub(super) fn finish(mut self, mut each: impl FnMut(u32, LastTouch) -> Result<(), ArchiveError>) -> Result<(), ArchiveError> {
        self.put_away()?;
        for (number, part) in (2..).zip(self.full) {
            let (file, handle) = self.workshop.reopen(&part.partial)?;
            let bag = Bag::reopen(file, &part_folder(&self.name, number), self.created, part.entries)?;
            each(number, LastTouch { bag, handle, partial: part.partial })?;
        }
        Ok(())
    }

    /// However many parts there are, only one of them besides the first keeps a file open.
    fn put_away(&mut self) -> Result<(), ArchiveError> {
        if let Some((bag, partial)) = self.open.take() {
            self.full.push(FullPart { entries: bag.close()?, partial });
        }
        Ok(())
    }
}

/// Whether a bag with a file of so many bytes more will stay below the limit, however badly that file is compressed.
fn fits(bag: &Bag, bytes: u64, limit: u64) -> bool {
    let overhead = (bag.entries().len() as u64 + 1) * PER_FILE + DOCUMENTS;
    bag.size().saturating_add(bytes).saturating_add(overhead) <= limit
}
