//! The tag files of a BagIt bag (RFC 8493): what the bag is, who made it, and a digest for every file of it.

use std::collections::BTreeMap;

use super::bag::{Bag, Entry};
use super::parts::Part;
use super::{ArchiveError, ArchiveHeader};
use crate::counted::counted;

/// The digests of the payload.
pub(super) const MANIFEST: &str = "manifest-sha256.txt";
/// The digests of everything else; only this file itself is in no manifest.
pub(super) const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
/// What the bag says of itself.
pub(super) const INFO: &str = "bag-info.txt";
/// The declaration.
pub(super) const DECLARATION_PATH: &str = "bagit.txt";
/// Its content.
pub(super) const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";

/// Whether a path is in the payload.
pub(super) fn is_payload(path: &str) -> bool {
    path.starts_with("data/")
}

/// Writes the tag files, last of all.
pub(super) fn write(bag: &mut Bag, header: &ArchiveHeader, part: Part) -> Result<(), ArchiveError> {
    bag.add(DECLARATION_PATH, DECLARATION.as_bytes())?;
    bag.add(INFO, info(header, bag.entries(), part).as_bytes())?;
    bag.add(MANIFEST, manifest(bag.entries(), true).as_bytes())?;
    bag.add(TAG_MANIFEST, manifest(bag.entries(), false).as_bytes())?;
    Ok(())
}

/// `bag-info.txt`.
fn info(header: &ArchiveHeader, entries: &BTreeMap<String, Entry>, part: Part) -> String {
    let payload = || entries.iter().filter(|(path, _)| is_payload(path));
    let bytes: u64 = payload().map(|(_, entry)| entry.bytes).sum();
    let controller = &header.controller;
    let mut out = String::new();
    let mut line = |label: &str, value: &str| {
        // A line end in a value would begin another label.
        let value: String = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        out.push_str(&format!("{label}: {value}\n"));
    };
    line("Source-Organization", &controller.name);
    if let Some(address) = &controller.address {
        line("Organization-Address", address);
    }
    if let Some(contact) = &controller.contact {
        line("Contact-Email", contact);
    }
    line("External-Identifier", &header.request.code);
    line("Bag-Group-Identifier", &header.request.id);
    line("Bag-Count", &format!("{} of {}", part.number, part.of));
    line("Bagging-Date", &header.created.strftime("%Y-%m-%d").to_string());
    line("Bag-Size", &size_in_words(bytes));
    line("Payload-Oxum", &format!("{bytes}.{}", payload().count()));
    line("Bag-Software-Agent", &format!("habeas-data {}", header.software_version));
    out
}

/// Which part a bag says that it is; `None` when it does not say so in the form that [`info`] writes.
pub(super) fn part_in(info: &str) -> Option<Part> {
    let (number, of) = info.lines().find_map(|line| line.strip_prefix("Bag-Count: "))?.split_once(" of ")?;
    let part = Part { number: number.parse().ok()?, of: of.parse().ok()? };
    (1..=part.of).contains(&part.number).then_some(part)
}

/// A manifest of the payload, or of the rest.
fn manifest(entries: &BTreeMap<String, Entry>, payload: bool) -> String {
    let listed = entries.iter().filter(|(path, _)| is_payload(path) == payload);
    listed.map(|(path, entry)| format!("{}  {path}\n", entry.sha256)).collect()
}

/// Reads a manifest: digest by path. `None` if a line is not of that form or a path comes twice.
pub(super) fn read_manifest(text: &str) -> Option<BTreeMap<&str, &str>> {
    let mut digests = BTreeMap::new();
    for line in text.lines() {
        let (digest, path) = line.split_once("  ")?;
        if digest.len() != 64 || digests.insert(path, digest).is_some() {
            return None;
        }
    }
    Some(digests)
}

/// A size for people: `1.4 MB`.
pub(super) fn size_in_words(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if bytes < 1000 {
        return counted(bytes, "byte", "bytes");
    }
    let mut tenths = bytes / 100;
    let mut unit = 0;
    while tenths >= 10_000 && unit + 1 < UNITS.len() {
        tenths /= 1000;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_read_like_sizes() {
        let sizes = [0, 1, 999, 1000, 1_449, 999_999, 1_000_000, 2_500_000_000].map(size_in_words);
        assert_eq!(sizes, ["0 bytes", "1 byte", "999 bytes", "1.0 kB", "1.4 kB", "999.9 kB", "1.0 MB", "2.5 GB"]);
    }

    #[test]
    fn a_manifest_reads_back() {
        let entry = |fill: &str| Entry { bytes: 1, sha256: fill.repeat(64) };
        let entries = BTreeMap::from([
            ("data/a".to_owned(), entry("a")),
            ("data/b".to_owned(), entry("b")),
            ("bagit.txt".to_owned(), entry("c")),
        ]);
        let text = manifest(&entries, true);
        let read = read_manifest(&text).expect("a manifest");
        assert_eq!(read.keys().copied().collect::<Vec<_>>(), ["data/a", "data/b"]);
        assert_eq!(read_manifest(&manifest(&entries, false)).expect("a manifest").len(), 1);
        assert!(read_manifest("nonsense").is_none());
        assert!(read_manifest(&format!("{text}{text}")).is_none());
    }
}
