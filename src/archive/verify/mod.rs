//! Checks a finished archive against itself: that every file is there, unchanged and listed, that no file is there which is not listed, that
//! the twins say the same, that the counts add up. It needs neither ledger nor network, and it names places and never quotes a value (S-1).

mod bag_check;
mod documents;
mod opened;
mod package;
mod parts;
mod twins;

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::ArchiveError;
use opened::Opened;

/// Problems that a report lists; more are only counted.
const MOST_LISTED: usize = 100;

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// Name of the archive, as its own folder has it.
    pub archive: String,
    /// Which part it is.
    pub part: u32,
    /// Of how many. Part 1 was checked with all the others.
    pub parts: u32,
    /// Files inside, those of the parts that were checked with it among them.
    pub files: u64,
    /// Bytes under `data/`, likewise.
    pub payload_bytes: u64,
    /// Tables whose two files were compared.
    pub tables: u64,
    /// Rows compared.
    pub rows: u64,
    /// What is wrong; empty when the archive is sound.
    pub problems: Vec<Problem>,
    /// Further problems that are not listed.
    pub further_problems: u64,
    /// Where the parts are that were checked with it.
    #[serde(skip)]
    pub others: Vec<PathBuf>,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// Which check found it.
    pub check: Check,
    /// Where: a path, perhaps with a line and a column.
    pub place: String,
    /// What is wrong there.
    pub text: String,
}

/// The checks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// A file that must be there is not, or cannot be read.
    Missing,
    /// A file is there that no manifest lists.
    Unlisted,
    /// A file is not what its manifest says.
    Changed,
    /// A name that some system cannot take, or two that differ in case alone.
    Name,
    /// A document cannot be understood, or contradicts another.
    Document,
    /// Counts do not add up, or are not the rows that are there.
    Counts,
    /// CSV and JSON Lines of a table differ.
    Twins,
    /// A time without its zone.
    Zone,
}

impl VerifyReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }

    fn add(&mut self, check: Check, place: impl Into<String>, text: impl Into<String>) {
        if self.problems.len() == MOST_LISTED {
            self.further_problems += 1;
            return;
        }
        self.problems.push(Problem { check, place: place.into(), text: text.into() });
    }
}

/// Checks everything. Of an archive in several parts, part 1 is checked with all the others, which lie beside it, and any other part by
/// itself. An `Err` means that the file is no archive that could be checked at all.
pub fn verify(path: &Path) -> Result<VerifyReport, ArchiveError> {
    verify_among(path, &[])
}

/// The same, where the other parts may also be among files that were given.
pub fn verify_among(path: &Path, given: &[PathBuf]) -> Result<VerifyReport, ArchiveError> {
    let mut opened = Opened::open(path)?;
    let mut report = opened.empty_report();
    bag_check::check(&mut opened, &mut report);
    let part = parts::part_of(&mut opened, &mut report);
    (report.part, report.parts) = (part.number, part.of);
    let fields = package::check(&mut opened, &mut report);
    documents::check_times(&mut opened, part.number == 1, &mut report);
    if part.number > 1 {
        return Ok(report);
    }
    let ways = parts::check(&mut opened, part, given, &mut report);
    if let Some(completeness) = documents::check_sums(&mut opened, &mut report) {
        twins::check(&mut opened, &completeness, &fields, &mut report);
        if let Some(ways) = ways {
            parts::check_index(&mut opened, ways, &completeness, &mut report);
        }
    }
    Ok(report)
}

/// Compares a file that was just written with its own manifests.
pub(super) fn read_back(path: &Path, name: &str) -> Result<(), ArchiveError> {
    let mut opened = Opened::open(path)?;
    let mut report = opened.empty_report();
    bag_check::check(&mut opened, &mut report);
    if report.archive != name {
        report.add(Check::Name, report.archive.clone(), "is not the folder that was written");
    }
    match report.problems.first() {
        None => Ok(()),
        Some(problem) => Err(ArchiveError::NotAsWritten(format!("{} {}", problem.place, problem.text))),
    }
}
