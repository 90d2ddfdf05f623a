//! What a person sees.

use super::*;

fn pages() -> BTreeMap<String, Vec<u8>> {
    let folder = tempfile::tempdir().expect("a folder");
    unpack(&write_sample(folder.path()).path)
}

#[test]
fn no_page_has_a_script_or_loads_anything() {
    for (path, content) in pages().iter().filter(|(path, _)| path.ends_with(".html")) {
        let page = std::str::from_utf8(content).expect("UTF-8");
        for forbidden in ["<script", "<img", "<link", "<iframe", "url(", "javascript:"] {
            assert!(!page.contains(forbidden), "{path} has {forbidden}");
        }
        assert!(page.starts_with("<!DOCTYPE html>\n<html lang=\"en\">"), "{path}");
        assert!(page.contains("default-src 'none'"), "{path}");
    }
}

#[test]
fn every_link_leads_to_a_file_of_the_archive() {
    let files = pages();
    for (path, content) in files.iter().filter(|(path, _)| path.ends_with(".html")) {
        let page = std::str::from_utf8(content).expect("UTF-8");
        for link in page.split("href=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default()) {
            let target = match (link.strip_prefix("../"), path.starts_with("html/")) {
                _ if link.starts_with('#') => continue,
                (Some(up), true) => up.to_owned(),
                (None, true) => format!("html/{link}"),
                (_, false) => link.to_owned(),
            };
            assert!(files.contains_key(&target), "{path} links to {link}");
        }
    }
}

#[test]
fn markup_and_hidden_characters_in_data_are_shown_as_text() {
    let files = pages();
    let page = text_of(&files, "html/app_db.profiles.html");
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    assert!(page.contains("U+202E") && !page.contains('\u{202e}'));
}

#[test]
fn a_long_table_has_a_page_for_every_thousand_rows() {
    let files = pages();
    assert!(text_of(&files, "html/app_db.time_entries.html").contains("Records 1 to 1,000 of 2,500"));
    assert!(text_of(&files, "html/app_db.time_entries.3.html").contains("Records 2,001 to 2,500 of 2,500"));
    assert!(!files.contains_key("html/app_db.time_entries.4.html"));
}

#[test]
fn areas_have_names_in_words_and_their_own_beside() {
    let files = pages();
    // Nobody has given this one a name.
    assert!(text_of(&files, "index.html").contains("Screenshots"));
    assert!(
        text_of(&files, "html/processing.html").contains("<h2>Time entries <span class=\"name\">app_db.time_entries</span></h2>")
    );
}

#[test]
fn a_column_that_only_some_records_lack_is_not_told_as_left_out_everywhere() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    let columns = vec![ColumnSpec::new("id", ColumnType::Integer), ColumnSpec::new("note", ColumnType::Text)];
    writer.begin_table(TableSpec::new("app", "t", columns)).expect("begins");
    for note in [Cell::Text("mine".into()), Cell::Null] {
        writer.row(&[Cell::Number("1".into()), note]).expect("writes");
    }
    let redacted_columns =
        vec![("note".to_owned(), "third_party".to_owned()), ("password_hash".to_owned(), "credential".to_owned())];
    writer.end_table(TableTally { found: 2, redacted_cells: 3, redacted_columns, ..TableTally::default() }).expect("ends");
    let files = unpack(&writer.finish(closing(vec![outcome("app", SourceStatus::Ok)])).expect("publishes").path);
    let left_out = "the column password_hash; the column note in some records";
    assert!(text_of(&files, "html/app.t.html").contains(left_out), "{}", text_of(&files, "html/app.t.html"));
    assert!(text_of(&files, "html/withheld.html").contains("the column note, in some records"));
    assert!(text_of(&files, "html/withheld.html").contains("the column password_hash<"));
}

#[test]
fn pages_of_a_very_long_table_end_and_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    writer.begin_table(TableSpec::new("app", "t", vec![ColumnSpec::new("id", ColumnType::Integer)])).expect("begins");
    for id in 0..10_001 {
        writer.row(&[Cell::Number(id.to_string().into())]).expect("writes");
    }
    writer.end_table(tally(10_001)).expect("ends");
    let published = writer.finish(closing(vec![outcome("app", SourceStatus::Ok)])).expect("publishes");
    let files = unpack(&published.path);
    assert!(files.contains_key("html/app.t.10.html") && !files.contains_key("html/app.t.11.html"));
    assert!(text_of(&files, "html/app.t.html").contains("the first 10,000 records only"));
    assert_eq!(verify(&published.path).expect("verifies").rows, 10_001);
}

#[test]
fn few_records_are_laid_out_as_forms() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
    let (spec, rows) = every_type();
    writer.begin_table(spec).expect("begins");
    writer.row(&rows[0]).expect("writes");
    writer.end_table(tally(1)).expect("ends");
    let published = writer.finish(closing(vec![outcome("app_db", SourceStatus::Ok)])).expect("publishes");
    let files = unpack(&published.path);
    let page = text_of(&files, "html/app_db.profiles.html");
    assert!(page.contains("<dt>Note<span class=\"name\">note</span></dt>") && !page.contains("<table"));
    assert!(page.contains("31 December 2020, 19:30:00.5 UTC"));
}

#[test]
fn the_readme_has_windows_line_ends() {
    let files = pages();
    let readme = text_of(&files, "README.txt");
    assert_eq!(readme.matches('\n').count(), readme.matches("\r\n").count());
    assert!(readme.contains("R7K2M9"));
}
