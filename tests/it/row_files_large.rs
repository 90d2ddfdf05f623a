//! Rows inside Parquet, and inside objects that are sent in parts.

use serde_json::json;

use crate::row_files::{OTHERS, events_map};
use crate::support::laws::{PEOPLE, ada, erase_ada, item};
use crate::support::s3::bucket::Versioning;
use crate::support::s3::fault::Misbehaviour;
use crate::support::store::{BUCKET, Store};

/// Longer than one part.
fn large() -> (Vec<u8>, Vec<u8>) {
    let filler = format!("{{\"email\":\"grace@example.com\",\"user\":2,\"what\":\"{}\"}}\n", "x".repeat(64 * 1024));
    let mut before = Vec::new();
    let mut after = Vec::new();
    for n in 0..270 {
        before.extend_from_slice(filler.as_bytes());
        after.extend_from_slice(filler.as_bytes());
        if n % 100 == 7 {
            before.extend_from_slice(b"{\"email\":\"ada@example.com\",\"user\":1}\n");
        }
    }
    (before, after)
}

#[test]
fn an_object_that_is_sent_in_parts_appears_whole_or_not_at_all() {
    let (before, after) = large();
    for another_writer in [false, true] {
        let (workspace, store) = Store::bucket(PEOPLE, &events_map("format: jsonl"), Versioning::Enabled);
        store.put("events/a.jsonl", &before);
        let newer = [before.as_slice(), OTHERS.as_bytes()].concat();
        let write = move |world: &mut crate::support::s3::world::World| {
            crate::support::s3::prepare::put_into(world, BUCKET, "events/a.jsonl", newer.clone());
        };
        if another_writer {
            let what = Misbehaviour::Before(std::sync::Arc::new(write));
            store.server().script().at("CompleteMultipartUpload").do_this(what);
        }
        let done = erase_ada(&workspace).json();
        assert!(store.server().script().is_done());
        assert_eq!(done["status"], "completed", "{done}");
        let expected = if another_writer { [after.as_slice(), OTHERS.as_bytes()].concat() } else { after.clone() };
        assert!(store.versions("events/a.jsonl") == [expected], "another writer: {another_writer}");
        assert!(
            store.server().world().bucket(BUCKET).expect("the bucket").uploads.is_empty(),
            "what was sent in vain is taken away"
        );
    }
}

#[cfg(feature = "parquet")]
mod in_parquet {
    use std::sync::Arc;

    use parquet::data_type::{ByteArray, ByteArrayType, Int64Type};
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::file::writer::SerializedFileWriter;
    use parquet::record::RowAccessor;
    use parquet::schema::parser::parse_message_type;

    use super::*;
    use crate::support::archive::Archive;
    use crate::support::laws::run;

    const ROWS: [(&str, i64); 5] = [
        ("ada@example.com", 1),
        ("grace@example.com", 2),
        ("ada@example.com", 2),
        ("linus@example.com", 3),
        ("Ada@example.com", 1),
    ];

    fn written(rows: &[(&str, i64)]) -> Vec<u8> {
        let schema = "message rows { required binary email (STRING); required int64 user; required binary what (STRING); required binary token (STRING); }";
        let schema = Arc::new(parse_message_type(schema).expect("a schema"));
        let mut bytes = Vec::new();
        let mut writer = SerializedFileWriter::new(&mut bytes, schema, Default::default()).expect("a writer");
        for some in rows.chunks(2) {
            let mut group = writer.next_row_group().expect("a group");
            for column in 0..4 {
                let mut to = group.next_column().expect("a column").expect("a column");
                match column {
                    1 => {
                        let users: Vec<i64> = some.iter().map(|row| row.1).collect();
                        to.typed::<Int64Type>().write_batch(&users, None, None).expect("values");
                    }
                    _ => {
                        let texts: Vec<ByteArray> =
                            some.iter().map(|row| ByteArray::from(if column == 0 { row.0 } else { "text" })).collect();
                        to.typed::<ByteArrayType>().write_batch(&texts, None, None).expect("values");
                    }
                }
                to.close().expect("a column");
            }
            group.close().expect("a group");
        }
        writer.close().expect("a file");
        bytes
    }

    fn read(bytes: Vec<u8>) -> Vec<(String, i64)> {
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).expect("a Parquet file");
        let rows = reader.get_row_iter(None).expect("rows").map(|row| row.expect("a row"));
        rows.map(|row| (row.get_string(0).expect("text").clone(), row.get_long(1).expect("a number"))).collect()
    }

    #[test]
    fn x_1_rows_of_parquet_are_handed_over() {
        for (workspace, store) in Store::each(PEOPLE, &events_map("format: parquet")) {
            store.put("events/a.parquet", &written(&ROWS));
            store.put("events/_SUCCESS", b"");
            let done = run(&workspace, &json!({"kind": "access", "subject": ada()})).code(0).json();
            assert_eq!(item(&done, "events")["exported"], 3, "{done}");
            let rows = Archive::only_in(&workspace.path("archives")).rows("uploads/events");
            assert_eq!((&rows[2]["email"], &rows[2]["user"]), (&json!("Ada@example.com"), &json!(1)), "{rows:?}");
        }
    }

    #[test]
    fn o_1_rows_of_parquet_go_and_every_other_row_stays() {
        for (workspace, store) in Store::each(PEOPLE, &events_map("format: parquet")) {
            store.put("events/a.parquet", &written(&ROWS));
            store.put("events/b.parquet", &written(&ROWS[3..4]));
            store.put("events/c.parquet", &written(&ROWS[..1]));
            let done = erase_ada(&workspace).json();
            assert_eq!((&item(&done, "events")["rows"], &done["status"]), (&json!(3), &json!("completed")), "{done}");
            let left: Vec<(String, i64)> = [1, 2, 3].map(|at| (ROWS[at].0.to_owned(), ROWS[at].1)).into();
            assert_eq!(read(store.bytes("events/a.parquet")), left);
            assert_eq!(store.bytes("events/b.parquet"), written(&ROWS[3..4]));
            assert_eq!(read(store.bytes("events/c.parquet")), []);
            assert_eq!(store.versions("events/a.parquet").len(), 1);
        }
    }
}
