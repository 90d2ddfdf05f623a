//! An archive in several parts: that part 1 and the others agree which part each is, that every part which part 1 tells of is there and is
//! the one that it means, and that the list of files leads to every file, wherever it is.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::opened::Opened;
use super::{Check, VerifyReport, bag_check, package};
use crate::archive::bagit::{self, INFO, MANIFEST};
use crate::archive::completeness::Completeness;
use crate::archive::csv::CsvReader;
use crate::archive::files::INDEX_PATH;
use crate::archive::parts::{OtherPart, PATH, Part, PartsDocument};
use crate::archive::{finished, request_json};

/// Digests of all files of the person, by the way to them from the folder of part 1.
pub(super) type Ways = BTreeMap<String, String>;

/// Which part this is; the whole where it does not say.
pub(super) fn part_of(opened: &mut Opened, report: &mut VerifyReport) -> Part {
    let whole = Part { number: 1, of: 1 };
    let Some(info) = said_once(opened, INFO, report) else { return whole };
    bagit::part_in(&info).unwrap_or_else(|| {
        report.add(Check::Document, INFO, "does not say which part of how many this is");
        whole
    })
}

/// Checks the other parts of part 1, in its own folder or among those that were given. Returns where all files are; `None` if that is not
/// known because a part is missing.
pub(super) fn check(opened: &mut Opened, part: Part, given: &[PathBuf], report: &mut VerifyReport) -> Option<Ways> {
    if opened.files.contains_key(request_json::PATH)
        && let Some(request) = opened.json::<Value>(request_json::PATH, report)
        && request["parts"]["of"] != part.of
    {
        report.add(Check::Document, request_json::PATH, "has another number of parts than bag-info.txt");
    }
    let mut ways = Ways::new();
    add_ways(opened, "", report, &mut ways);
    if part.of == 1 {
        if opened.files.contains_key(PATH) {
            report.add(Check::Document, PATH, "tells of other parts, and bag-info.txt of none");
        }
        return Some(ways);
    }
    let document = opened.json::<PartsDocument>(PATH, report)?;
    if !(2..=part.of).eq(document.parts.iter().map(|part| part.n)) || document.of != part.of {
        report.add(Check::Document, PATH, "does not tell of every other part, each once and in order");
    }
    let group = group_in(opened, report);
    if group.as_deref() != Some(document.group_id.as_str()) {
        report.add(Check::Document, PATH, "belongs to another request than the bag");
    }
    let mut is_whole = true;
    for other in &document.parts {
        is_whole &= check_one(opened, other, part.of, group.as_deref(), given, report, &mut ways);
    }
    is_whole.then_some(ways)
}

/// `false` when the part is not there or cannot be read.
fn check_one(
    first: &Opened,
    other: &OtherPart,
    of: u32,
    group: Option<&str>,
    given: &[PathBuf],
    report: &mut VerifyReport,
    ways: &mut Ways,
) -> bool {
    let Some(path) = find(first.path(), other, given) else {
        let text = format!("is part {} of {of}, and it is not there: put it beside part 1, or name it as well", other.n);
        report.add(Check::Missing, &other.file_name, text);
        return false;
    };
    report.others.push(path.clone());
    let (read, opened) = (finished::digest(&path), Opened::open(&path));
    let (Ok((bytes, sha256)), Ok(mut opened)) = (read, opened) else {
        report.add(Check::Changed, &other.file_name, "cannot be read as an archive");
        return false;
    };
    if (bytes, sha256.as_str()) != (other.bytes, other.sha256.as_str()) {
        report.add(Check::Changed, &other.file_name, "is not the file that part 1 tells of");
    }
    let mut of_part = opened.empty_report();
    bag_check::check(&mut opened, &mut of_part);
    package::check(&mut opened, &mut of_part);
    let part = part_of(&mut opened, &mut of_part);
    let same_group = group_in(&mut opened, &mut of_part).as_deref() == group;
    if part != (Part { number: other.n, of }) || !same_group || opened.folder != other.folder {
        of_part.add(Check::Document, INFO, format!("is not that of part {} of this archive", other.n));
    }
    add_ways(&mut opened, &format!("../{}/", other.folder), &mut of_part, ways);
    report.files += of_part.files;
    report.payload_bytes += of_part.payload_bytes;
    report.further_problems += of_part.further_problems;
    for problem in of_part.problems {
        report.add(problem.check, format!("{}: {}", other.file_name, problem.place), problem.text);
    }
    true
}

/// Under the name that it should have, or under another one if it was named to us: browsers add numbers to names.
fn find(first: &Path, other: &OtherPart, given: &[PathBuf]) -> Option<PathBuf> {
    let named = given.iter().find(|path| path.file_name().is_some_and(|name| name == other.file_name.as_str()));
    let inside = |path: &Path| Opened::open(path).is_ok_and(|opened| opened.folder == other.folder);
    let renamed = || given.iter().find(|path| path.as_path() != first && inside(path));
    let beside = first.with_file_name(&other.file_name);
    named.cloned().or_else(|| beside.is_file().then_some(beside)).or_else(|| renamed().cloned())
}

/// A document of the bag; that it is missing was said when the bag was checked.
fn said_once(opened: &mut Opened, path: &str, report: &mut VerifyReport) -> Option<String> {
    if opened.files.contains_key(path) { opened.text(path, report) } else { None }
}

fn group_in(opened: &mut Opened, report: &mut VerifyReport) -> Option<String> {
    let info = said_once(opened, INFO, report)?;
    info.lines().find_map(|line| line.strip_prefix("Bag-Group-Identifier: ")).map(str::to_owned)
}

fn add_ways(opened: &mut Opened, to: &str, report: &mut VerifyReport, ways: &mut Ways) {
    let Some(manifest) = said_once(opened, MANIFEST, report) else { return };
    let files = bagit::read_manifest(&manifest).unwrap_or_default();
    let files = files.into_iter().filter(|(path, _)| path.starts_with("data/files/") && *path != INDEX_PATH);
    ways.extend(files.map(|(path, digest)| (format!("{to}{path}"), digest.to_owned())));
}

/// Checks that the list of files names each, with its digest, and nothing else.
pub(super) fn check_index(opened: &mut Opened, mut ways: Ways, completeness: &Completeness, report: &mut VerifyReport) {
    let mut listed = 0;
    if opened.files.contains_key(INDEX_PATH) {
        let mut problems = Vec::new();
        let seen = std::mem::take(&mut ways);
        let mut named = BTreeSet::new();
        let read = opened.read(INDEX_PATH, |entry| {
            let mut records = CsvReader::new(BufReader::new(entry))?;
            records.next_record()?;
            while let Some(record) = records.next_record()? {
                listed += 1;
                let cell = |at: usize| record.get(at).and_then(Option::as_deref).unwrap_or_default();
                match seen.get(cell(0)) {
                    None => problems.push((Check::Missing, format!("leads to {}, which is not there", cell(0)))),
                    Some(digest) if digest != cell(5) => {
                        problems.push((Check::Document, format!("has another digest for {} than its bag", cell(0))));
                    }
                    Some(_) => {}
                }
                named.insert(cell(0).to_owned());
            }
            Ok(())
        });
        if !matches!(read, Some(Ok(()))) {
            return report.add(Check::Document, INDEX_PATH, "cannot be read as a list");
        }
        for (check, text) in problems {
            report.add(check, INDEX_PATH, text);
        }
        ways = seen.into_iter().filter(|(way, _)| !named.contains(way)).collect();
    }
    for way in ways.into_keys() {
        report.add(Check::Unlisted, way, "is a file that files/index.csv does not list");
    }
    if completeness.totals.files != listed {
        report.add(Check::Counts, INDEX_PATH, "lists another number of files than completeness.json has");
    }
}
