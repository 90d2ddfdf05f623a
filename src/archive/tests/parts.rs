//! Archives in several parts: what goes where, what the first part tells of the others, and what `verify` sees when they do not fit.

use super::*;

/// Photos of so many bytes, which do not shrink, in an archive with parts of 100,000 bytes.
fn write_photos(folder: &Path, sizes: &[usize]) -> Vec<Published> {
    let mut writer = ArchiveWriter::create(folder, header()).expect("creates").in_parts_of(100_000);
    let columns = vec![ColumnSpec::new("id", ColumnType::Integer), ColumnSpec::new("photo", ColumnType::Bytes)];
    let mut spec = TableSpec::new("app", "photos", columns);
    spec.primary_key = vec!["id".to_owned()];
    writer.begin_table(spec).expect("begins");
    for (number, size) in sizes.iter().enumerate() {
        let photo = Cell::Bytes(noise(number as u64, *size).into());
        writer.row(&[Cell::Number(number.to_string().into()), photo]).expect("writes");
    }
    writer.end_table(tally(sizes.len() as u64)).expect("ends");
    writer.close(closing(vec![outcome("app", SourceStatus::Ok)])).expect("closes").publish().expect("publishes")
}

/// Bytes that do not shrink.
pub(super) fn noise(seed: u64, size: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    };
    (0..size).map(|_| next()).collect()
}

fn names(published: &[Published]) -> Vec<&str> {
    published.iter().map(|file| file.path.file_name().and_then(|name| name.to_str()).expect("a name")).collect()
}

fn problems(path: &Path) -> Vec<(Check, String)> {
    let report = verify(path).expect("verifies");
    report.problems.into_iter().map(|problem| (problem.check, problem.place)).collect()
}

#[test]
fn what_fits_into_one_part_is_one_archive_without_a_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_photos(folder.path(), &[66_000]);
    assert_eq!(names(&published), ["tempo-time-tracking-ltd-personal-data-2026-11-24-r7k2m9.zip"]);
    let files = unpack(&published[0].path);
    assert!(text_of(&files, "bag-info.txt").contains("Bag-Count: 1 of 1\n"));
    assert!(!files.contains_key("data/parts.json") && !text_of(&files, "index.html").contains("The other parts"));
    assert_eq!(problems(&published[0].path), []);
}

#[test]
fn files_go_on_in_further_parts_and_none_of_them_is_larger_than_it_may_be() {
    let folder = tempfile::tempdir().expect("a folder");
    // One beside the tables, then too large for any part, then two that share none.
    let published = write_photos(folder.path(), &[66_000, 300_000, 70_000, 68_000]);
    let stem = "tempo-time-tracking-ltd-personal-data-2026-11-24-r7k2m9";
    let expected: Vec<String> = (1..=4).map(|number| format!("{stem}-part0{number}of04.zip")).collect();
    assert_eq!(names(&published), expected);
    for (number, file) in published.iter().enumerate() {
        assert!(file.bytes <= 100_000 || number == 1, "part {} has {} bytes", number + 1, file.bytes);
        assert_eq!(problems(&file.path), [], "part {}", number + 1);
        let info = unpack(&file.path);
        assert!(text_of(&info, "bag-info.txt").contains(&format!("Bag-Count: {} of 4\n", number + 1)));
    }
    let first = unpack(&published[0].path);
    let document: serde_json::Value = serde_json::from_str(text_of(&first, "data/parts.json")).expect("JSON");
    assert_eq!(document["parts"][1]["sha256"], published[2].sha256);
    assert_eq!(document["parts"][1]["bytes"], published[2].bytes);
    let request: serde_json::Value = serde_json::from_str(text_of(&first, "data/request.json")).expect("JSON");
    assert_eq!((&request["parts"]["n"], &request["parts"]["of"]), (&1.into(), &4.into()));
    let report = verify(&published[0].path).expect("verifies");
    assert_eq!((report.part, report.parts, report.others.len()), (1, 4, 3));
}

#[test]
fn equal_content_is_stored_once_whichever_part_it_is_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates").in_parts_of(100_000);
    let columns = vec![ColumnSpec::new("id", ColumnType::Integer), ColumnSpec::new("photo", ColumnType::Bytes)];
    writer.begin_table(TableSpec::new("app", "photos", columns)).expect("begins");
    for id in ["1", "2"] {
        writer.row(&[Cell::Number(id.into()), Cell::Bytes(noise(7, 120_000).into())]).expect("writes");
    }
    writer.end_table(tally(2)).expect("ends");
    let finished = writer.close(closing(vec![outcome("app", SourceStatus::Ok)])).expect("closes");
    let published = finished.publish().expect("publishes");
    assert_eq!(published.len(), 2);
    assert_eq!(problems(&published[0].path), []);
    let cells: Vec<String> = text_of(&unpack(&published[0].path), "data/tables/app/photos.csv")
        .lines()
        .skip(1)
        .filter_map(|line| line.split_once(",file:").map(|(_, way)| way.to_owned()))
        .collect();
    assert_eq!(cells.len(), 2);
    assert_eq!(cells[0], cells[1]);
    assert!(cells[0].starts_with("../tempo-time-tracking-ltd-personal-data-2026-11-24-r7k2m9-part02/data/files/"), "{}", cells[0]);
}

#[test]
fn a_part_that_is_missing_or_another_one_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_photos(folder.path(), &[120_000, 130_000]);
    let all = names(&published);
    let (second, third) = (all[1].to_owned(), all[2].to_owned());
    let aside = folder.path().join("aside.zip");
    std::fs::rename(&published[2].path, &aside).expect("renames");
    assert_eq!(problems(&published[0].path), [(Check::Missing, third.clone())]);
    // Under another name, but named to us.
    let report = verify_among(&published[0].path, std::slice::from_ref(&aside)).expect("verifies");
    assert_eq!(report.problems, []);
    // The other part under its name.
    std::fs::copy(&published[1].path, &published[2].path).expect("copies");
    let found = problems(&published[0].path);
    assert!(found.contains(&(Check::Changed, third.clone())), "{found:?}");
    assert!(found.contains(&(Check::Document, format!("{third}: bag-info.txt"))), "{found:?}");
    // No archive at all.
    std::fs::rename(&aside, &published[2].path).expect("renames");
    std::fs::write(&published[1].path, "nothing").expect("writes");
    assert_eq!(problems(&published[0].path), [(Check::Changed, second)]);
}

#[test]
fn nothing_of_any_part_is_left_of_an_archive_that_is_given_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates").in_parts_of(100_000);
    let columns = vec![ColumnSpec::new("photo", ColumnType::Bytes)];
    writer.begin_table(TableSpec::new("app", "photos", columns)).expect("begins");
    for seed in 0..4 {
        writer.row(&[Cell::Bytes(noise(seed, 120_000).into())]).expect("writes");
    }
    let there: Vec<String> = std::fs::read_dir(folder.path())
        .expect("lists")
        .map(|entry| entry.expect("an entry").file_name().into_string().expect("UTF-8"))
        .collect();
    assert_eq!(there.len(), 5, "{there:?}");
    assert!(there.iter().all(|name| name.starts_with('.') && name.ends_with(".partial")), "{there:?}");
    // A process that was killed could remove nothing: the next attempt does.
    let fresh = ArchiveWriter::create(folder.path(), header()).expect("creates");
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 1);
    drop(fresh);
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
}
