//! What an archive promises as a whole.

use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_sample_with_everything_is_sound() {
    let folder = tempfile::tempdir().expect("a folder");
    // For other people's validators: ARCHIVE_SAMPLE=<folder> keeps the file.
    let kept = std::env::var_os("ARCHIVE_SAMPLE");
    let published = write_sample(kept.as_ref().map_or(folder.path(), |kept| Path::new(kept)));
    let report = verify(&published.path).expect("verifies");
    assert_eq!(report.problems, []);
    assert_eq!((report.tables, report.rows), (3, 2_509));
    assert_eq!(report.archive, "tempo-time-tracking-ltd-personal-data-2026-11-24-r7k2m9");
    assert_eq!(published.path.file_name().expect("a name"), "tempo-time-tracking-ltd-personal-data-2026-11-24-r7k2m9.zip");
    assert_eq!(published.bytes, std::fs::metadata(&published.path).expect("is there").len());
}

#[test]
fn equal_input_gives_equal_bytes() {
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    assert_eq!(write_sample(first.path()).sha256, write_sample(second.path()).sha256);
}

#[test]
fn x_1_rows_that_do_not_add_up_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    writer.begin_table(TableSpec::new("app", "t", vec![ColumnSpec::new("id", ColumnType::Integer)])).expect("begins");
    writer.row(&[Cell::Number("1".into())]).expect("writes");
    let error = writer.end_table(TableTally { found: 3, failed: 1, ..TableTally::default() }).expect_err("1 + 0 + 1 is not 3");
    assert!(matches!(error, ArchiveError::Unbalanced { found: 3, exported: 1, withheld: 0, failed: 1, .. }));
    assert!(writer.finish(closing(vec![outcome("app", SourceStatus::Ok)])).is_err(), "there is no archive after an error");
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
}

#[test]
fn v_2_an_outcome_that_contradicts_its_counts_is_refused() {
    let write = |outcomes: Vec<SourceOutcome>, failed: u64| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
        writer.begin_table(TableSpec::new("app", "t", vec![ColumnSpec::new("id", ColumnType::Integer)])).expect("begins");
        writer.row(&[Cell::Number("1".into())]).expect("writes");
        writer.end_table(TableTally { found: 1 + failed, failed, ..TableTally::default() }).expect("ends");
        let result = writer.finish(closing(outcomes));
        assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), usize::from(result.is_ok()));
        result
    };
    assert!(write(vec![outcome("app", SourceStatus::Ok)], 0).is_ok());
    assert!(write(vec![outcome("app", SourceStatus::Partial)], 1).is_ok());
    for (outcomes, failed) in [
        (vec![outcome("app", SourceStatus::Ok)], 1),
        (vec![outcome("app", SourceStatus::Empty)], 0),
        (vec![outcome("app", SourceStatus::Partial)], 0),
        (vec![outcome("app", SourceStatus::Failed)], 1),
        (vec![outcome("app", SourceStatus::Waived)], 1),
        (vec![outcome("other", SourceStatus::Ok)], 0),
        (vec![outcome("app", SourceStatus::Ok), outcome("app", SourceStatus::Ok)], 0),
    ] {
        assert!(matches!(write(outcomes, failed), Err(ArchiveError::Contradiction { .. })));
    }
}

#[test]
fn v_2_a_source_that_was_not_reached_is_on_the_first_page() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = unpack(&write_sample(folder.path()).path);
    let first_page = text_of(&files, "index.html");
    assert!(first_page.contains("This archive is not complete."));
    assert!(first_page.contains("The source lake could not be read."));
    let completeness: serde_json::Value = serde_json::from_str(text_of(&files, "data/completeness.json")).expect("JSON");
    assert_eq!(completeness["complete"], false);
    assert_eq!(completeness["totals"]["found"], 2_515);
    assert_eq!(completeness["totals"]["exported"], 2_509);
    assert_eq!(completeness["totals"]["withheld"], 4);
    assert_eq!(completeness["totals"]["failed"], 2);
}

#[test]
fn s_1_identifiers_are_inside_the_archive_and_in_no_name() {
    let folder = tempfile::tempdir().expect("a folder");
    let published = write_sample(folder.path());
    let files = unpack(&published.path);
    assert!(text_of(&files, "data/request.json").contains("ada@example.com"));
    assert!(files.keys().all(|path| !path.contains("example.com")));
    assert!(!published.path.to_string_lossy().contains("example.com"));
}

#[test]
fn nothing_is_visible_before_the_end_and_nothing_remains_of_an_unfinished_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    writer.begin_table(TableSpec::new("app", "t", vec![ColumnSpec::new("id", ColumnType::Integer)])).expect("begins");
    writer.row(&[Cell::Number("1".into())]).expect("writes");
    let there: Vec<_> = std::fs::read_dir(folder.path()).expect("lists").map(|entry| entry.expect("an entry")).collect();
    assert_eq!(there.len(), 1);
    let name = there[0].file_name().into_string().expect("UTF-8");
    assert!(name.starts_with('.') && name.ends_with(".partial"), "{name}");
    assert_eq!(there[0].metadata().expect("is there").permissions().mode() & 0o777, 0o600);
    drop(writer);
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 0);
}

#[test]
fn q_1_a_stale_attempt_publishes_nothing_once_a_new_one_has_begun() {
    let folder = tempfile::tempdir().expect("a folder");
    let stale = ArchiveWriter::create(folder.path(), header()).expect("creates");
    let fresh = ArchiveWriter::create(folder.path(), header()).expect("creates");
    assert!(stale.finish(closing(vec![outcome("app", SourceStatus::Empty)])).is_err());
    let published = fresh.finish(closing(vec![outcome("app", SourceStatus::Empty)])).expect("publishes");
    assert!(verify(&published.path).expect("verifies").is_sound());
    assert_eq!(std::fs::read_dir(folder.path()).expect("lists").count(), 1);
}

#[test]
fn nothing_held_is_an_honest_archive() {
    let folder = tempfile::tempdir().expect("a folder");
    let writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    let published = writer.finish(closing(vec![outcome("app", SourceStatus::Empty)])).expect("publishes");
    let report = verify(&published.path).expect("verifies");
    assert_eq!(report.problems, []);
    assert!(text_of(&unpack(&published.path), "README.txt").contains("Nothing about you was found"));
}

#[test]
fn only_references_that_hold_inside_the_archive_are_declared_as_foreign_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = unpack(&write_sample(folder.path()).path);
    let package: serde_json::Value = serde_json::from_str(text_of(&files, "datapackage.json")).expect("JSON");
    let resources = package["resources"].as_array().expect("a list");
    let entries = resources.iter().find(|resource| resource["name"] == "csv/app_db/time_entries").expect("is there");
    let expected =
        serde_json::json!([{"fields": ["profile_id"], "reference": {"resource": "csv/app_db/profiles", "fields": ["id"]}}]);
    assert_eq!(entries["schema"]["foreignKeys"], expected);
    assert_eq!(entries["schema"]["x-references"].as_array().map(Vec::len), Some(3));
    assert_eq!(entries["schema"]["primaryKey"], serde_json::json!(["id"]));
}

#[test]
fn calls_out_of_order_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let spec = || TableSpec::new("app", "t", vec![ColumnSpec::new("id", ColumnType::Integer)]);
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    assert!(matches!(writer.row(&[Cell::Null]), Err(ArchiveError::OutOfOrder(_))));
    writer.begin_table(spec()).expect("begins");
    assert!(matches!(writer.begin_table(spec()), Err(ArchiveError::OutOfOrder(_))));
    assert!(matches!(writer.row(&[Cell::Null, Cell::Null]), Err(ArchiveError::RowWidth { cells: 2, columns: 1, .. })));

    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    writer.begin_table(spec()).expect("begins");
    writer.end_table(tally(0)).expect("ends");
    assert!(matches!(writer.begin_table(spec()), Err(ArchiveError::OutOfOrder(_))));
}

#[test]
fn a_table_whose_columns_are_all_withheld_is_counted_without_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    writer.begin_table(TableSpec::new("app", "secrets", Vec::new())).expect("begins");
    let withheld =
        Withheld { count: 5, reason_code: "credential".to_owned(), legal_ref: None, text: "They protect your account.".to_owned() };
    writer.end_table(TableTally { found: 5, withheld: vec![withheld], ..TableTally::default() }).expect("ends");
    let published = writer.finish(closing(vec![outcome("app", SourceStatus::Ok)])).expect("publishes");
    assert_eq!(verify(&published.path).expect("verifies").problems, []);
    let files = unpack(&published.path);
    assert!(files.keys().all(|path| !path.starts_with("data/tables/")));
    assert!(text_of(&files, "html/withheld.html").contains("They protect your account."));
}
