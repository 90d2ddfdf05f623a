//! Damage of every kind that `verify` promises to see.

use sha2::{Digest as _, Sha256};

use super::*;
use crate::crypto::hex;

const CSV: &str = "data/tables/app_db/time_entries.csv";
const JSONL: &str = "data/tables/app_db/time_entries.jsonl";
const COMPLETENESS: &str = "data/completeness.json";

/// Changes the sample's files and says which checks found something.
fn checks_after(change: impl FnOnce(&mut BTreeMap<String, Vec<u8>>)) -> Vec<Check> {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_sample(folder.path());
    let mut files = unpack(&published.path);
    change(&mut files);
    let name = published.path.file_stem().expect("a name").to_str().expect("UTF-8").to_owned();
    pack(&published.path, &name, &files);
    let report = verify(&published.path).expect("verifies");
    report.problems.iter().map(|problem| problem.check).collect()
}

fn replace(files: &mut BTreeMap<String, Vec<u8>>, path: &str, from: &str, to: &str) {
    let text = text_of(files, path);
    assert!(text.contains(from), "{path} has no {from}");
    let text = text.replacen(from, to, 1);
    files.insert(path.to_owned(), text.into_bytes());
}

/// Makes digests right again, as a forger would.
fn reseal(files: &mut BTreeMap<String, Vec<u8>>) {
    let digest = |content: &Vec<u8>| hex(&Sha256::digest(content));
    let mut package: serde_json::Value = serde_json::from_str(text_of(files, "datapackage.json")).expect("JSON");
    for resource in package["resources"].as_array_mut().expect("a list") {
        let path = resource["path"].as_str().expect("a path").to_owned();
        if let Some(content) = files.get(&path) {
            resource["hash"] = format!("sha256:{}", digest(content)).into();
        }
    }
    files.insert("datapackage.json".to_owned(), package.to_string().into_bytes());
    let list = |files: &BTreeMap<String, Vec<u8>>, payload: bool| -> Vec<u8> {
        let listed = files.iter().filter(|(path, _)| path.starts_with("data/") == payload && *path != "tagmanifest-sha256.txt");
        listed.map(|(path, content)| format!("{}  {path}\n", digest(content))).collect::<String>().into_bytes()
    };
    let payload = || files.iter().filter(|(path, _)| path.starts_with("data/"));
    let oxum = format!("{}.{}", payload().map(|(_, content)| content.len()).sum::<usize>(), payload().count());
    let info: String = text_of(files, "bag-info.txt")
        .lines()
        .map(|line| if line.starts_with("Payload-Oxum") { format!("Payload-Oxum: {oxum}\n") } else { format!("{line}\n") })
        .collect();
    files.insert("bag-info.txt".to_owned(), info.into_bytes());
    files.insert("manifest-sha256.txt".to_owned(), list(files, true));
    files.insert("tagmanifest-sha256.txt".to_owned(), list(files, false));
}

#[test]
fn unchanged_files_are_sound_after_repacking() {
    assert_eq!(checks_after(|_| {}), []);
    assert_eq!(checks_after(reseal), []);
}

#[test]
fn a_changed_byte_of_the_payload_is_seen() {
    assert!(checks_after(|files| files.get_mut(CSV).expect("is there")[40] ^= 1).contains(&Check::Changed));
}

#[test]
fn a_changed_page_is_seen() {
    assert_eq!(checks_after(|files| files.get_mut("index.html").expect("is there").push(b'\n')), [Check::Changed]);
}

#[test]
fn a_removed_file_is_seen() {
    assert!(checks_after(|files| drop(files.remove(JSONL))).contains(&Check::Missing));
    assert!(checks_after(|files| drop(files.remove("html/rights.html"))).contains(&Check::Missing));
    assert!(checks_after(|files| drop(files.remove("tagmanifest-sha256.txt"))).contains(&Check::Missing));
}

#[test]
fn an_extra_file_is_seen_in_the_payload_and_at_the_root() {
    assert!(checks_after(|files| drop(files.insert("data/extra.txt".to_owned(), b"x".to_vec()))).contains(&Check::Unlisted));
    assert_eq!(checks_after(|files| drop(files.insert("extra.txt".to_owned(), b"x".to_vec()))), [Check::Unlisted]);
}

#[test]
fn a_file_that_the_data_package_does_not_know_is_seen_though_the_bag_lists_it() {
    let checks = checks_after(|files| {
        files.insert("data/extra.txt".to_owned(), b"x".to_vec());
        reseal(files);
    });
    assert_eq!(checks, [Check::Unlisted]);
}

#[test]
fn another_number_of_rows_is_seen() {
    let checks = checks_after(|files| {
        for path in [CSV, JSONL] {
            let mut content = files.remove(path).expect("is there");
            let end = content[..content.len() - 2].iter().rposition(|byte| *byte == b'\n').expect("lines");
            content.truncate(end + 1);
            files.insert(path.to_owned(), content);
        }
        reseal(files);
    });
    assert_eq!(checks, [Check::Counts, Check::Counts]);
}

#[test]
fn a_row_that_only_one_twin_has_is_seen() {
    let checks = checks_after(|files| {
        files.get_mut(JSONL).expect("is there").extend_from_slice(b"{\"id\":1}\n");
        reseal(files);
    });
    assert_eq!(checks, [Check::Counts]);
}

#[test]
fn twins_that_differ_are_seen() {
    for (from, to) in [
        ("\"hours\":\"7.50\"", "\"hours\":\"7.5\""),
        ("\"id\":7,", "\"id\":\"8\","),
        ("\"id\":7,", ""),
        ("Meeting", "meeting"),
        ("{\"id\":7,", "{\"extra\":1,\"id\":7,"),
    ] {
        let checks = checks_after(|files| {
            replace(files, JSONL, from, to);
            reseal(files);
        });
        assert!(!checks.is_empty() && checks.iter().all(|check| *check == Check::Twins), "{from}: {checks:?}");
    }
}

#[test]
fn a_formula_without_its_guard_is_seen() {
    let checks = checks_after(|files| {
        replace(files, "data/tables/app_db/profiles.csv", "'=HYPERLINK", "=HYPERLINK");
        reseal(files);
    });
    assert_eq!(checks, [Check::Twins]);
}

#[test]
fn a_time_without_zone_is_seen() {
    let checks = checks_after(|files| {
        replace(files, CSV, "2026-01-01T08:30:00.000000Z", "2026-01-01T08:30:00.000000");
        replace(files, JSONL, "2026-01-01T08:30:00.000000Z", "2026-01-01T08:30:00.000000");
        reseal(files);
    });
    assert_eq!(checks, [Check::Zone]);
    let checks = checks_after(|files| {
        replace(files, "data/request.json", "2026-11-20T09:00:00.000000Z", "2026-11-20 09:00");
        reseal(files);
    });
    assert_eq!(checks, [Check::Zone]);
}

#[test]
fn x_1_counts_that_do_not_add_up_are_seen() {
    for (from, to) in [
        ("\"found\": 2515", "\"found\": 2516"),
        ("\"failed\": 1,", "\"failed\": 0,"),
        ("\"complete\": false", "\"complete\": true"),
    ] {
        let checks = checks_after(|files| {
            replace(files, COMPLETENESS, from, to);
            reseal(files);
        });
        assert!(!checks.is_empty() && checks.iter().all(|check| *check == Check::Counts), "{from}: {checks:?}");
    }
}

#[test]
fn names_that_hurt_are_seen() {
    let checks = checks_after(|files| {
        files.insert("html/a%20b.html".to_owned(), b"x".to_vec());
        files.insert("html/RIGHTS.html".to_owned(), b"x".to_vec());
        reseal(files);
    });
    assert_eq!(checks, [Check::Name, Check::Name]);
}

#[test]
fn a_file_outside_the_folder_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_sample(folder.path());
    let file = std::fs::File::options().read(true).write(true).open(&published.path).expect("opens");
    let mut zip = zip::ZipWriter::new_append(file).expect("a zip");
    zip.start_file("elsewhere.txt", zip::write::SimpleFileOptions::default()).expect("starts");
    zip.finish().expect("finishes");
    let report = verify(&published.path).expect("verifies");
    assert_eq!(report.problems.iter().map(|problem| problem.check).collect::<Vec<_>>(), [Check::Unlisted]);
}

#[test]
fn a_file_with_two_names_is_seen() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_sample(folder.path());
    let mut content = std::fs::read(&published.path).expect("reads");
    let name = b"html/rights.html";
    // The first time in front of the content; the list of contents comes last.
    let at = content.windows(name.len()).position(|window| window == name).expect("is there");
    content[at..at + name.len()].copy_from_slice(b"html/wrongs.html");
    std::fs::write(&published.path, content).expect("writes");
    let report = verify(&published.path).expect("verifies");
    assert_eq!(report.problems.iter().map(|problem| problem.check).collect::<Vec<_>>(), [Check::Name]);
}

#[test]
fn a_cut_off_file_is_no_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_sample(folder.path());
    let content = std::fs::read(&published.path).expect("reads");
    std::fs::write(&published.path, &content[..content.len() / 2]).expect("writes");
    assert!(matches!(verify(&published.path), Err(ArchiveError::Unreadable { .. })));
    assert!(matches!(verify(&folder.path().join("none.zip")), Err(ArchiveError::File { .. })));
}
