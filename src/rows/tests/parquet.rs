//! Parquet files written by the crate and read back by it; `tests/it/rows_parquet` asks pyarrow.

use std::fs::File;
use std::io::{Seek, Write};
use std::sync::Arc;

use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, Int64Type, Int96, Int96Type};
use parquet::file::metadata::{KeyValue, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use proptest::prelude::*;
use proptest::sample::select;

use crate::rows::{Content, Look, Matcher, RowsError, Tally, erase_parquet, find_parquet};
use crate::subject::NormalForm;

const SCHEMA: &str = "message rows {
    required binary every (STRING);
    optional int64 id;
    optional group tags (LIST) { repeated group list { optional binary element (STRING); } }
    required int96 at;
}";

/// One row of the schema.
#[derive(Debug, Clone)]
struct Row {
    id: Option<i64>,
    tags: Option<Vec<Option<&'static str>>>,
}

impl Row {
    fn json(&self, number: usize) -> String {
        let id = self.id.map_or("null".to_owned(), |id| id.to_string());
        let tag = |tag: &Option<&str>| tag.map_or("null".to_owned(), |tag| format!("\"{tag}\""));
        let tags = self
            .tags
            .as_ref()
            .map_or("null".to_owned(), |tags| format!("[{}]", tags.iter().map(tag).collect::<Vec<_>>().join(",")));
        let fraction = format!(".{number:09}");
        let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
        format!("{{\"every\":\"x\",\"id\":{id},\"tags\":{tags},\"at\":\"1970-01-01T00:00:00{fraction}\"}}")
    }
}

/// Writes rows with the library's own column writers, level by level.
fn written(rows: &[Row], group: usize, settings: WriterPropertiesBuilder) -> File {
    let mut file = tempfile::tempfile().unwrap();
    let schema = Arc::new(parse_message_type(SCHEMA).unwrap());
    let mut writer = SerializedFileWriter::new(file.try_clone().unwrap(), schema, Arc::new(settings.build())).unwrap();
    let mut number = 0;
    for rows in rows.chunks(group) {
        let mut to = writer.next_row_group().unwrap();
        let mut column = to.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&vec![ByteArray::from("x"); rows.len()], None, None).unwrap();
        column.close().unwrap();
        let mut column = to.next_column().unwrap().unwrap();
        let ids: Vec<i64> = rows.iter().filter_map(|row| row.id).collect();
        let levels: Vec<i16> = rows.iter().map(|row| i16::from(row.id.is_some())).collect();
        column.typed::<Int64Type>().write_batch(&ids, Some(&levels), None).unwrap();
        column.close().unwrap();
        let (mut values, mut defs, mut reps) = (Vec::new(), Vec::new(), Vec::new());
        for row in rows {
            match row.tags.as_deref() {
                None | Some([]) => {
                    defs.push(i16::from(row.tags.is_some()));
                    reps.push(0);
                }
                Some(tags) => {
                    for (place, tag) in tags.iter().enumerate() {
                        reps.push(i16::from(place > 0));
                        defs.push(if tag.is_some() { 3 } else { 2 });
                        values.extend(tag.map(ByteArray::from));
                    }
                }
            }
        }
        let mut column = to.next_column().unwrap().unwrap();
        column.typed::<ByteArrayType>().write_batch(&values, Some(&defs), Some(&reps)).unwrap();
        column.close().unwrap();
        let at: Vec<Int96> = (number..number + rows.len() as u32)
            .map(|number| {
                let mut at = Int96::new();
                at.set_data(number, 0, 2_440_588);
                at
            })
            .collect();
        number += rows.len() as u32;
        let mut column = to.next_column().unwrap().unwrap();
        column.typed::<Int96Type>().write_batch(&at, None, None).unwrap();
        column.close().unwrap();
        to.close().unwrap();
    }
    writer.close().unwrap();
    file.rewind().unwrap();
    file
}

fn matcher(path: &[&str], identifiers: &[(usize, &str)]) -> Matcher {
    let mut matcher = Matcher::new();
    let field = matcher.field(path, NormalForm::Exact).unwrap();
    identifiers.iter().for_each(|(subject, identifier)| matcher.add(field, *subject, identifier).unwrap());
    matcher
}

fn erase(file: &File, matcher: &Matcher, look: Look) -> Result<(File, Tally), RowsError> {
    let output = tempfile::tempfile().unwrap();
    erase_parquet(file.try_clone().unwrap(), matcher, look, output).map(|rewritten| rewritten.into_parts())
}

/// All rows, as JSON.
fn all(file: &File) -> Vec<String> {
    let mut rows = Vec::new();
    let tally = find_parquet(file.try_clone().unwrap(), &matcher(&["every"], &[(0, "x")]), Look::Pruned, &mut |row| {
        let Content::Json(text) = row.content else { panic!("no JSON") };
        rows.push(text.into_owned());
        Ok(())
    });
    assert_eq!(tally.unwrap().before, rows.len() as u64);
    rows
}

fn footer(file: &File) -> ParquetMetaData {
    ParquetMetaDataReader::new().parse_and_finish(file).unwrap()
}

fn ids(ids: impl IntoIterator<Item = i64>) -> Vec<Row> {
    ids.into_iter().map(|id| Row { id: Some(id), tags: None }).collect()
}

fn settings() -> WriterPropertiesBuilder {
    WriterProperties::builder().set_compression(Compression::SNAPPY)
}

#[test]
fn row_groups_that_cannot_match_are_copied_and_an_emptied_one_goes() {
    let file =
        written(&ids(0..40), 10, settings().set_key_value_metadata(Some(vec![KeyValue::new("a".to_owned(), "b".to_owned())])));
    let all_of_one: Vec<String> = (10..20).map(|id: i64| id.to_string()).collect();
    let wanted: Vec<(usize, &str)> = all_of_one.iter().map(|id| (0, id.as_str())).chain([(1, "25")]).collect();
    let (output, tally) = erase(&file, &matcher(&["id"], &wanted), Look::Pruned).unwrap();
    assert_eq!((tally.before, &tally.erased[..], tally.after), (40, &[10, 1][..], 29));
    let (before, after) = (footer(&file), footer(&output));
    let rows: Vec<i64> = after.row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(rows, [10, 9, 10]);
    assert_eq!(after.file_metadata().key_value_metadata(), before.file_metadata().key_value_metadata());
    assert_eq!(after.file_metadata().column_orders(), before.file_metadata().column_orders());
    assert_eq!(after.row_group(0).columns()[1].statistics(), before.row_group(0).columns()[1].statistics());
}

#[test]
fn a_value_of_an_erased_row_is_nowhere_in_the_new_file() {
    let secret = "the-secret-identifier-of-ada";
    let rows: Vec<Row> =
        (0..100).map(|row| Row { id: Some(row), tags: Some(vec![Some(if row == 50 { secret } else { "other" })]) }).collect();
    for builder in [
        settings().set_compression(Compression::UNCOMPRESSED),
        settings().set_compression(Compression::UNCOMPRESSED).set_dictionary_enabled(false),
    ] {
        let builder = builder
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_statistics_truncate_length(None)
            .set_bloom_filter_enabled(true);
        let file = written(&rows, 100, builder);
        let wanted = matcher(&["tags"], &[(0, secret)]);
        let (output, tally) = erase(&file, &wanted, Look::Pruned).unwrap();
        assert_eq!(tally.erased, [1]);
        let bytes = |mut file: &File| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            std::io::copy(&mut file, &mut bytes).unwrap();
            bytes
        };
        let has = |bytes: &[u8]| memchr::memmem::find(bytes, secret.as_bytes()).is_some();
        assert!(has(&bytes(&file)), "the file has it, so that looking for it is worth something");
        assert!(!has(&bytes(&output)), "dictionary, statistics, page index");
        let filter =
            parquet::bloom_filter::Sbbf::read_from_column_chunk(footer(&output).row_group(0).column(2), &output).unwrap().unwrap();
        assert!(filter.check("other") && !filter.check(secret));
    }
}

#[test]
fn v_2_a_field_that_cannot_be_compared_is_an_error_and_not_no_rows() {
    let file = written(&ids(0..5), 5, settings());
    assert!(matches!(erase(&file, &matcher(&["nobody"], &[(0, "1")]), Look::Pruned), Err(RowsError::NoSuchField { .. })));
    let error = erase(&file, &matcher(&["at"], &[(0, "1")]), Look::Pruned).unwrap_err();
    assert_eq!(error.to_string(), "column `at` is of type int96, which cannot be compared with an identifier");
}

#[test]
fn a_damaged_file_is_an_error_and_never_the_end_of_the_program() {
    let rows: Vec<Row> = (0..300).map(|row| Row { id: Some(row % 7), tags: Some(vec![Some("a"); (row % 3) as usize]) }).collect();
    let file = written(&rows, 100, settings().set_bloom_filter_enabled(true));
    let mut bytes = Vec::new();
    (&file).rewind().unwrap();
    std::io::copy(&mut &file, &mut bytes).unwrap();
    let wanted = matcher(&["id"], &[(0, "3")]);
    let attempt = |bytes: &[u8]| {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        erase(&file, &wanted, Look::Everything)
    };
    assert!(attempt(&bytes).is_ok());
    for length in [0, 4, 8, 11, bytes.len() / 2, bytes.len() - 1] {
        assert!(attempt(&bytes[..length]).is_err(), "cut to {length}");
    }
    let mut state = 7u64;
    for _ in 0..300 {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mut damaged = bytes.clone();
        let at = (state >> 33) as usize % damaged.len();
        damaged[at] ^= 1 << (state >> 61);
        // A changed value cannot be told from another value; what counts is that there is an answer, and that it adds up.
        if let Ok((_, tally)) = attempt(&damaged) {
            assert_eq!(tally.before - tally.erased_in_all(), tally.after);
        }
    }
}

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let tag = select(vec![Some("a"), Some("b"), Some(""), Some("0"), None]);
    let row = (proptest::option::weighted(0.8, -3i64..12), proptest::option::weighted(0.8, proptest::collection::vec(tag, 0..4)));
    proptest::collection::vec(row.prop_map(|(id, tags)| Row { id, tags }), 0..120)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn o_1_exactly_the_rows_of_one_subject_go(
        rows in rows(),
        group in 1usize..50,
        by_tag in any::<bool>(),
        look in select(vec![Look::Pruned, Look::Everything]),
        bloom in any::<bool>(),
        dictionary in any::<bool>(),
        page in 1usize..40,
    ) {
        let settings = settings().set_bloom_filter_enabled(bloom).set_dictionary_enabled(dictionary).set_data_page_row_count_limit(page).set_write_batch_size(3);
        let file = written(&rows, group, settings);
        let everything: Vec<String> = rows.iter().enumerate().map(|(number, row)| row.json(number)).collect();
        prop_assert_eq!(&all(&file), &everything);
        let wanted = if by_tag { matcher(&["tags"], &[(0, "a"), (1, ""), (1, "0")]) } else { matcher(&["id"], &[(0, "0"), (1, "-2"), (1, "5e0")]) };
        let owner = |row: &Row| -> Vec<Option<usize>> {
            let tag = |tag: &str| match tag { "a" => Some(0), "" | "0" => Some(1), _ => None };
            if by_tag {
                row.tags.iter().flatten().flatten().map(|text| tag(text)).collect()
            } else {
                row.id.iter().map(|id| match id { 0 => Some(0), -2 | 5 => Some(1), _ => None }).collect()
            }
        };
        let mut erased = vec![0, 0];
        let mut left = Vec::new();
        for (row, json) in rows.iter().zip(everything) {
            let mut owners = owner(row);
            owners.dedup();
            match owners.as_slice() {
                [Some(subject)] => erased[*subject] += 1,
                _ => left.push(json),
            }
        }
        let (output, tally) = erase(&file, &wanted, look).unwrap();
        prop_assert_eq!(all(&output), left);
        prop_assert_eq!((tally.before, &tally.erased), (rows.len() as u64, &erased));
        let before = footer(&file);
        let after = footer(&output);
        prop_assert_eq!(before.file_metadata().schema(), after.file_metadata().schema());
    }
}
