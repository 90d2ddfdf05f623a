//! Whole archives, written and taken apart again.

mod full_disk;
mod laws;
mod mutations;
mod pages;
mod parts;
mod round_trip;

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::path::Path;

use super::*;
use crate::datamap::{Provided, Role};
use crate::request::Kind;
use crate::subject::Identifier;
use crate::value::{Cell, ColumnType};

fn at(text: &str) -> jiff::Timestamp {
    text.parse().expect("a timestamp")
}

fn header() -> ArchiveHeader {
    ArchiveHeader {
        controller: Controller {
            name: "Tempo Time Tracking Ltd".to_owned(),
            address: Some("1 Clock Lane, 1010 Vienna".to_owned()),
            contact: Some("privacy@tempo.example".to_owned()),
            dpo: Some("dpo@tempo.example".to_owned()),
            supervisory_authority: Some(SupervisoryAuthority {
                name: "Österreichische Datenschutzbehörde".to_owned(),
                url: Some("https://www.dsb.gv.at".to_owned()),
            }),
        },
        request: RequestInfo {
            id: "01970000-0000-7000-8000-000000000001".to_owned(),
            code: "R7K2M9".to_owned(),
            kind: Kind::Access,
            received_at: at("2026-11-20T09:00:00Z"),
            as_of: at("2026-11-24T03:40:00Z"),
            due_at: Some(at("2026-12-21T23:00:00Z")),
            extended_until: None,
            identifiers_used: vec![Identifier::new("email", "ada@example.com"), Identifier::new("user_id", "42")],
            identity_method: Some("signed in to the account".to_owned()),
            answer_language: "en".to_owned(),
        },
        created: at("2026-11-24T03:41:10Z"),
        software_version: "0.1.0".to_owned(),
    }
}

fn outcome(name: &str, status: SourceStatus) -> SourceOutcome {
    SourceOutcome {
        name: name.to_owned(),
        kind: SourceKind::Sql,
        status,
        started_at: at("2026-11-24T03:40:00Z"),
        finished_at: at("2026-11-24T03:40:05Z"),
        snapshot: Some(Snapshot { kind: "lsn".to_owned(), value: "0/16B3748".to_owned() }),
        held: Vec::new(),
        errors: Vec::new(),
        not_covered: Vec::new(),
        query_digest: None,
        waived_by: None,
    }
}

fn closing(sources: Vec<SourceOutcome>) -> Closing {
    Closing { completed_at: None, sources, not_held_here: Vec::new() }
}

fn tally(found: u64) -> TableTally {
    TableTally { found, ..TableTally::default() }
}

/// One column of every type, with rows that fit, rows that do not, and rows that would hurt a careless reader.
fn every_type() -> (TableSpec, Vec<Vec<Cell<'static>>>) {
    let types = [
        ("id", ColumnType::Integer),
        ("wide", ColumnType::Integer),
        ("price", ColumnType::Decimal),
        ("ratio", ColumnType::Float),
        ("active", ColumnType::Boolean),
        ("note", ColumnType::Text),
        ("seen_at", ColumnType::TimestampUtc),
        ("local_at", ColumnType::TimestampLocal),
        ("born_on", ColumnType::Date),
        ("alarm", ColumnType::Time),
        ("every", ColumnType::Interval),
        ("token", ColumnType::Uuid),
        ("settings", ColumnType::Json),
        ("tags", ColumnType::Array),
        ("photo", ColumnType::Bytes),
        ("address", ColumnType::Other),
        ("odd_date", ColumnType::Date),
    ];
    let mut spec = TableSpec::new("app_db", "profiles", types.iter().map(|(name, kind)| ColumnSpec::new(*name, *kind)).collect());
    spec.primary_key = vec!["id".to_owned()];
    spec.label = Some("Your profile".to_owned());
    spec.description = Some("What you told us about yourself.".to_owned());
    spec.purpose = Some("to run your account".to_owned());
    spec.legal_basis = Some("art6_1_b".to_owned());
    spec.categories = vec!["user.contact".to_owned()];
    spec.recipients = vec!["Hosting Ltd".to_owned()];
    spec.retention = Some("until 90 days after the account is closed".to_owned());
    spec.origin = Some(Provided::BySubject);
    spec.columns[5].label = Some("Note".to_owned());
    spec.columns[5].description = Some("Free text that you wrote.".to_owned());
    let full = vec![
        Cell::Number("1".into()),
        Cell::Number("9007199254740993".into()),
        Cell::Number("-12.50".into()),
        Cell::Number("1e-7".into()),
        Cell::Bool(true),
        Cell::Text("=HYPERLINK(\"http://x\",\"a\"),\r\nsecond line \u{202e}😀 <script>alert(1)</script>".into()),
        Cell::Text("2021-01-01T01:00:00.5+05:30".into()),
        Cell::Text("2021-01-01T01:00:00".into()),
        Cell::Text("1990-02-28".into()),
        Cell::Text("07:30:00".into()),
        Cell::Text("P1Y2M3DT4H5M6S".into()),
        Cell::Text("A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11".into()),
        Cell::Json("{ \"theme\" : \"dark\", \"sizes\": [1, 2.50] }".into()),
        Cell::Json("[\"a\", null]".into()),
        Cell::Bytes(vec![0xFB, 0, 1, 2].into()),
        Cell::Text("192.168.0.1/24".into()),
        Cell::Text("0000-00-00".into()),
    ];
    let empty = std::iter::once(Cell::Number("2".into())).chain(std::iter::repeat_n(Cell::Null, types.len() - 1)).collect();
    let mut extreme = full.clone();
    extreme[0] = Cell::Number("3".into());
    extreme[2] = Cell::Number("NaN".into());
    extreme[3] = Cell::Number("-Infinity".into());
    extreme[5] = Cell::Text("".into());
    extreme[16] = Cell::Text("infinity".into());
    let mut nul = full.clone();
    nul[0] = Cell::Number("4".into());
    nul[5] = Cell::Text("a\0b".into());
    nul[14] = Cell::Bytes(vec![7; super::files::LARGEST_CELL + 1].into());
    (spec, vec![full, empty, extreme, nul])
}

/// A second source as SQLite might have it: values of any kind in any column, and nothing but its key known.
fn loose_table() -> (TableSpec, Vec<Vec<Cell<'static>>>) {
    let columns = vec![
        ColumnSpec::new("id", ColumnType::Integer),
        ColumnSpec::new("title", ColumnType::Text),
        ColumnSpec::new("at", ColumnType::TimestampLocal),
    ];
    let mut spec = TableSpec::new("old_db", "Entries", columns);
    spec.primary_key = vec!["id".to_owned()];
    spec.role = Role::Processor;
    let row = |id: &'static str, title: Cell<'static>, at: Cell<'static>| vec![Cell::Number(id.into()), title, at];
    let rows = vec![
        row("1", Cell::Text("plain".into()), Cell::Text("2020-01-01 10:00:00".into())),
        row("2", Cell::Bytes(vec![0xFF, 0xFE].into()), Cell::Number("1577872800".into())),
        row("3", Cell::Number("-7".into()), Cell::Bytes(vec![0xC3].into())),
        row("4", Cell::Text("'quoted'".into()), Cell::Null),
        row("5", Cell::Bytes(vec![1; super::files::LARGEST_CELL + 5].into()), Cell::Bytes(vec![0x80].into())),
    ];
    (spec, rows)
}

/// Writes an archive with everything that an archive can have.
fn write_sample(folder: &Path) -> Published {
    let mut writer = ArchiveWriter::create(folder, header()).expect("creates");
    for (spec, rows) in [every_type(), loose_table()] {
        writer.begin_table(spec).expect("begins");
        for row in &rows {
            writer.row(row).expect("writes");
        }
        let mut tally = tally(rows.len() as u64 + 3);
        tally.withheld.push(Withheld {
            count: 2,
            reason_code: "third_party".to_owned(),
            legal_ref: Some("Art. 15(4) GDPR".to_owned()),
            text: "They are about another person.".to_owned(),
        });
        tally.failed = 1;
        tally.redacted_cells = rows.len() as u64;
        tally.redacted_columns.push(("password_hash".to_owned(), "credential".to_owned()));
        writer.end_table(tally).expect("ends");
    }
    let columns = vec![
        ColumnSpec::new("id", ColumnType::Integer),
        ColumnSpec { label: Some("Description".to_owned()), ..ColumnSpec::new("description", ColumnType::Text) },
        ColumnSpec { label: Some("Started".to_owned()), ..ColumnSpec::new("started_at", ColumnType::TimestampUtc) },
        ColumnSpec { label: Some("Hours".to_owned()), ..ColumnSpec::new("hours", ColumnType::Decimal) },
        ColumnSpec::new("profile_id", ColumnType::Integer),
        ColumnSpec::new("approver_id", ColumnType::Integer),
    ];
    let mut entries = TableSpec::new("app_db", "time_entries", columns);
    entries.label = Some("Time entries".to_owned());
    entries.primary_key = vec!["id".to_owned()];
    entries.foreign_keys.push(ForeignKeySpec {
        columns: vec!["id".to_owned()],
        source: "app_db".to_owned(),
        table: "projects".to_owned(),
        referenced: vec!["id".to_owned()],
    });
    let to_profile = |column: &str| ForeignKeySpec {
        columns: vec![column.to_owned()],
        source: "app_db".to_owned(),
        table: "profiles".to_owned(),
        referenced: vec!["id".to_owned()],
    };
    entries.foreign_keys.extend([to_profile("profile_id"), to_profile("approver_id")]);
    writer.begin_table(entries).expect("begins");
    for id in 0..2_500 {
        let (id, day) = (id.to_string(), format!("2026-01-{:02}T08:30:00+00:00", id % 28 + 1));
        let cells = [
            Cell::Number(id.as_str().into()),
            Cell::Text("Meeting with the team about the spring release".into()),
            Cell::Text(day.as_str().into()),
            Cell::Number("7.50".into()),
            if day.contains("-01-13") { Cell::Null } else { Cell::Number("3".into()) },
            Cell::Number("99".into()),
        ];
        writer.row(&cells).expect("writes");
    }
    writer.end_table(tally(2_500)).expect("ends");
    writer.begin_table(TableSpec::new("app_db", "screenshots", vec![ColumnSpec::new("id", ColumnType::Integer)])).expect("begins");
    writer.end_table(tally(0)).expect("ends");

    let error = SourceError { code: "undecodable".to_owned(), count: 1, text: "One value could not be decoded.".to_owned() };
    let mut app = SourceOutcome { errors: vec![error.clone()], ..outcome("app_db", SourceStatus::Partial) };
    app.held.push(Held {
        count: 3,
        hold_id_public: "M-2026-7".to_owned(),
        legal_ref: Some("Art. 17(3)(e) GDPR".to_owned()),
        review_on: Some("2027-01-01".to_owned()),
    });
    app.not_covered.push(NotCovered { table: "profiles".to_owned(), column: Some("shadow".to_owned()) });
    let old = SourceOutcome { errors: vec![error], ..outcome("old_db", SourceStatus::Partial) };
    let lake = SourceOutcome {
        errors: vec![SourceError { code: "unreachable".to_owned(), count: 1, text: "The system did not answer.".to_owned() }],
        snapshot: None,
        ..outcome("lake", SourceStatus::Failed)
    };
    let mut closing = closing(vec![old, app, lake, outcome("mail", SourceStatus::Empty)]);
    closing.not_held_here.push(NotHeldHere {
        what: "Applications and sites seen by the automatic tracker".to_owned(),
        held_by: "your own device".to_owned(),
        note: Some("Entries that you made of them are in this archive.".to_owned()),
    });
    writer.finish(closing).expect("publishes")
}

/// The files of an archive, by path inside its folder.
fn unpack(path: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut zip = zip::ZipArchive::new(std::fs::File::open(path).expect("opens")).expect("a zip");
    let mut files = BTreeMap::new();
    for index in 0..zip.len() {
        let mut entry = zip.by_index(index).expect("an entry");
        let name = String::from_utf8(entry.name_raw().to_vec()).expect("UTF-8");
        let mut content = Vec::new();
        entry.read_to_end(&mut content).expect("reads");
        let (_, inside) = name.split_once('/').expect("in a folder");
        files.insert(inside.to_owned(), content);
    }
    files
}

fn pack(path: &Path, folder: &str, files: &BTreeMap<String, Vec<u8>>) {
    let mut zip = zip::ZipWriter::new(std::fs::File::create(path).expect("creates"));
    for (name, content) in files {
        zip.start_file(format!("{folder}/{name}"), zip::write::SimpleFileOptions::default()).expect("starts");
        zip.write_all(content).expect("writes");
    }
    zip.finish().expect("finishes");
}

fn text_of<'a>(files: &'a BTreeMap<String, Vec<u8>>, path: &str) -> &'a str {
    std::str::from_utf8(files.get(path).unwrap_or_else(|| panic!("no {path}"))).expect("UTF-8")
}
