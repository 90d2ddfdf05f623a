//! Whatever the cells are: CSV, decoded, is JSON Lines, and both are what the source held.

use proptest::prelude::*;

use super::super::csv::{CsvReader, SYMBOL_FOR_NUL, unguarded};
use super::super::jsonl::Line;
use super::*;

const TYPES: [ColumnType; 15] = [
    ColumnType::Integer,
    ColumnType::Decimal,
    ColumnType::Float,
    ColumnType::Boolean,
    ColumnType::Text,
    ColumnType::TimestampUtc,
    ColumnType::TimestampLocal,
    ColumnType::Date,
    ColumnType::Time,
    ColumnType::Interval,
    ColumnType::Uuid,
    ColumnType::Json,
    ColumnType::Bytes,
    ColumnType::Array,
    ColumnType::Other,
];

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[=+\\-@'\t\r\n\",;\\\\ a-z0-9.\u{0}]{0,12}",
        Just(String::new()),
        Just("\\.".to_owned()),
        Just("'".to_owned()),
        Just("null".to_owned()),
        Just("שלום \u{202e}abc\u{202c}".to_owned()),
        Just("👩‍👩‍👧\u{feff}\u{2028}".to_owned()),
        Just("2021-01-01T01:00:00.123456+02:00".to_owned()),
        Just("2021-01-01 01:00:00".to_owned()),
        Just("infinity".to_owned()),
        Just("0044-03-15 BC".to_owned()),
        "[0-9]{4}-[01][0-9]-[0-3][0-9]([T ][0-2][0-9]:[0-5][0-9](:[0-9]{2}(\\.[0-9]{1,8})?)?(Z|[+-][0-9]{2}(:[0-9]{2})?)?)?",
    ]
}

fn any_number() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string()),
        any::<f64>().prop_map(|number| format!("{number:e}").replace("inf", "Infinity")),
        "-?(0|[1-9][0-9]{0,40})(\\.[0-9]{1,30})?",
        "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,5})?[eE][+-]?[0-9]{1,3}",
        Just("NaN".to_owned()),
        Just("-Infinity".to_owned()),
    ]
}

fn any_json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("null".to_owned()),
        Just("true".to_owned()),
        any_text().prop_map(|text| serde_json::to_string(&text).expect("JSON")),
        "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,20})?([eE][+-]?[0-9]{1,2})?",
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(|items| format!("[ {} ]", items.join(" ,\n"))),
            prop::collection::vec(inner, 0..3).prop_map(|items| {
                let pairs: Vec<String> =
                    items.iter().enumerate().map(|(number, item)| format!("\"k {number}\" : {item}")).collect();
                format!("{{{}}}", pairs.join(", "))
            }),
        ]
    })
}

fn any_cell() -> impl Strategy<Value = Cell<'static>> {
    prop_oneof![
        1 => Just(Cell::Null),
        1 => any::<bool>().prop_map(Cell::Bool),
        3 => any_number().prop_map(|number| Cell::Number(number.into())),
        5 => any_text().prop_map(|text| Cell::Text(text.into())),
        2 => any_json().prop_map(|json| Cell::Json(json.into())),
        1 => any_text().prop_map(|text| Cell::Json(text.into())),
        1 => prop::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Cell::Bytes(bytes.into())),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn csv_decoded_is_json_lines_for_cells_of_any_kind(
        rows in prop::collection::vec(prop::collection::vec(any_cell(), TYPES.len()), 1..8)
    ) {
        let folder = tempfile::tempdir().expect("a folder");
        let mut writer = ArchiveWriter::create(folder.path(), header()).expect("creates");
        let columns = TYPES.iter().enumerate().map(|(number, kind)| ColumnSpec::new(format!("c{number}"), *kind));
        writer.begin_table(TableSpec::new("app", "t", columns.collect())).expect("begins");
        for row in &rows {
            writer.row(row).expect("writes");
        }
        writer.end_table(tally(rows.len() as u64)).expect("ends");
        let published = writer.finish(closing(vec![outcome("app", SourceStatus::Ok)])).expect("publishes");

        let report = verify(&published.path).expect("verifies");
        prop_assert_eq!(&report.problems, &vec![]);
        prop_assert_eq!(report.rows, rows.len() as u64);
        let files = unpack(&published.path);
        what_the_source_held_is_in_both(&rows, &files)?;
    }
}

/// Text columns against the cells themselves: a second opinion, which shares no code with `verify`'s comparison.
fn what_the_source_held_is_in_both(rows: &[Vec<Cell<'static>>], files: &BTreeMap<String, Vec<u8>>) -> Result<(), TestCaseError> {
    const TEXT: usize = 4;
    const BYTES: usize = 12;
    let mut csv = CsvReader::new(files["data/tables/app/t.csv"].as_slice()).expect("CSV");
    csv.next_record().expect("reads");
    for (row, line) in rows.iter().zip(text_of(files, "data/tables/app/t.jsonl").split_terminator('\n')) {
        let record = csv.next_record().expect("reads").expect("a record").to_vec();
        let Line(pairs) = serde_json::from_str(line).expect("JSON");
        if let Cell::Text(text) = &row[TEXT] {
            prop_assert_eq!(&serde_json::from_str::<String>(pairs[TEXT].1.get()).expect("a string"), text.as_ref());
            let shown = text.replace('\0', SYMBOL_FOR_NUL);
            prop_assert_eq!(record[TEXT].as_deref().map(unguarded), Some(shown.as_str()));
        }
        if let Cell::Bytes(bytes) = &row[BYTES] {
            use base64::Engine as _;
            let decoded = base64::engine::general_purpose::STANDARD.decode(record[BYTES].as_deref().expect("bytes"));
            prop_assert_eq!(&decoded.expect("base64"), bytes.as_ref());
        }
        for (cell, shown) in row.iter().zip(&record) {
            if *cell == Cell::Null {
                prop_assert_eq!(shown.as_deref(), None);
            }
        }
    }
    Ok(())
}

#[test]
fn bytes_where_none_were_declared_get_a_column_of_their_own() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = unpack(&write_sample(folder.path()).path);
    let csv = text_of(&files, "data/tables/old_db/Entries.csv");
    let lines: Vec<&str> = csv.trim_start_matches('\u{feff}').split_terminator("\r\n").collect();
    assert_eq!(lines[0], "id,title,at,title_b64,at_b64");
    assert_eq!(lines[1], "1,plain,2020-01-01T10:00:00.000000,,");
    assert_eq!(lines[2], "2,,1577872800,//4=,");
    assert_eq!(lines[3], "3,-7,,,ww==");
    assert_eq!(lines[4], "4,''quoted',,,");
    assert!(lines[5].starts_with("5,,,file:data/files/Entries/") && lines[5].ends_with("-title.bin,gA=="), "{}", lines[5]);
    let json: Vec<&str> = text_of(&files, "data/tables/old_db/Entries.jsonl").lines().collect();
    assert_eq!(json[1], "{\"id\":2,\"title\":null,\"at\":1577872800,\"title_b64\":\"//4=\",\"at_b64\":null}");
}

#[test]
fn large_bytes_become_files_that_the_index_lists() {
    let folder = tempfile::tempdir().expect("a folder");
    let files = unpack(&write_sample(folder.path()).path);
    let stored: Vec<&String> = files.keys().filter(|path| path.starts_with("data/files/") && path.ends_with(".bin")).collect();
    assert_eq!(stored.len(), 2);
    let index = text_of(&files, "data/files/index.csv");
    assert!(stored.iter().all(|path| index.contains(path.as_str())));
    assert!(index.contains("id=4"));
}
