//! The archive as a bag: every file against its digest, and both lists of files against each other. Unlike the stock validators this looks at
//! the root of the bag as well, where a file that nobody listed would otherwise go unseen.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;

use sha2::{Digest as _, Sha256};

use super::opened::Opened;
use super::{Check, VerifyReport};
use crate::archive::bagit::{self, DECLARATION, DECLARATION_PATH, INFO, MANIFEST, TAG_MANIFEST};
use crate::archive::names::is_safe_path;
use crate::crypto::hex;

/// Checks names, digests and lists.
pub(super) fn check(opened: &mut Opened, report: &mut VerifyReport) {
    check_names(opened, report);
    check_declaration(opened, report);
    let mut listed = BTreeMap::new();
    for (manifest, lists_payload) in [(MANIFEST, true), (TAG_MANIFEST, false)] {
        let Some(text) = opened.text(manifest, report) else { continue };
        let Some(digests) = bagit::read_manifest(&text) else {
            report.add(Check::Document, manifest, "is not a list of digests and paths");
            continue;
        };
        for (path, digest) in digests {
            if bagit::is_payload(path) == lists_payload {
                listed.insert(path.to_owned(), digest.to_owned());
            } else {
                report.add(Check::Document, manifest, format!("lists {path}, which belongs into the other manifest"));
            }
        }
    }
    let (bytes, files) = check_digests(opened, &listed, report);
    report.payload_bytes = bytes;
    check_info(opened, &format!("{bytes}.{files}"), report);
}

fn check_names(opened: &Opened, report: &mut VerifyReport) {
    for name in &opened.ambiguous {
        report.add(Check::Name, name.clone(), "is called otherwise in front of its content than in the zip's list");
    }
    for stray in &opened.strays {
        report.add(Check::Unlisted, stray, "lies outside the archive's folder, comes twice or is a link");
    }
    let mut seen = BTreeSet::new();
    for path in opened.files.keys() {
        if !is_safe_path(&format!("{}/{path}", opened.folder)) {
            report.add(Check::Name, path, "is a name that some system cannot take");
        }
        if !seen.insert(path.to_ascii_lowercase()) {
            report.add(Check::Name, path, "differs from another name in case alone");
        }
    }
}

fn check_declaration(opened: &mut Opened, report: &mut VerifyReport) {
    if let Some(text) = opened.text(DECLARATION_PATH, report)
        && text != DECLARATION
    {
        report.add(Check::Document, DECLARATION_PATH, "is not the declaration of a BagIt 1.0 bag");
    }
}

/// Compares every file with its digest. Returns bytes and number of the payload.
fn check_digests(opened: &mut Opened, listed: &BTreeMap<String, String>, report: &mut VerifyReport) -> (u64, u64) {
    for path in listed.keys().filter(|path| !opened.files.contains_key(*path)) {
        report.add(Check::Missing, path, "is listed but not there");
    }
    let (mut payload_bytes, mut payload_files) = (0, 0);
    let paths: Vec<String> = opened.files.keys().cloned().collect();
    for path in paths.iter().filter(|path| *path != TAG_MANIFEST) {
        let Some(expected) = listed.get(path) else {
            report.add(Check::Unlisted, path, "is there but in no manifest");
            continue;
        };
        match opened.read(path, digest) {
            Some(Ok((bytes, found))) => {
                if found != *expected {
                    report.add(Check::Changed, path, "is not what its manifest says");
                }
                if bagit::is_payload(path) {
                    payload_bytes += bytes;
                    payload_files += 1;
                }
            }
            _ => report.add(Check::Changed, path, "is damaged"),
        }
    }
    (payload_bytes, payload_files)
}

fn check_info(opened: &mut Opened, oxum: &str, report: &mut VerifyReport) {
    let Some(info) = opened.text(INFO, report) else { return };
    match info.lines().find_map(|line| line.strip_prefix("Payload-Oxum: ")) {
        None => report.add(Check::Document, INFO, "has no Payload-Oxum"),
        Some(said) if said != oxum => report.add(Check::Changed, INFO, "has another Payload-Oxum than the payload"),
        Some(_) => {}
    }
}

fn digest(entry: &mut dyn Read) -> std::io::Result<(u64, String)> {
    let mut hash = Sha256::new();
    let mut chunk = vec![0; 128 * 1024];
    let mut bytes = 0;
    loop {
        match entry.read(&mut chunk)? {
            0 => return Ok((bytes, hex(&hash.finalize()))),
            read => {
                hash.update(&chunk[..read]);
                bytes += read as u64;
            }
        }
    }
}
