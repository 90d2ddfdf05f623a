//! `index.html`, the page that a person opens first: what is here, what is not, and where to go on.

use askama::Template;

use super::escape;
use super::frame::Frame;
use crate::archive::bag::Bag;
use crate::archive::bagit::size_in_words;
use crate::archive::completeness::{Completeness, withheld_rows};
use crate::archive::files::StoredFile;
use crate::archive::parts::OtherPart;
use crate::archive::timestamp;
use crate::archive::written::Written;
use crate::archive::{ArchiveError, ArchiveHeader};
use crate::counted::{counted, grouped};
use crate::request::Kind;

#[derive(Template)]
#[template(path = "archive/index.html")]
struct Page<'a> {
    frame: Frame,
    statement: &'a str,
    unread: Vec<String>,
    areas: Vec<Area<'a>>,
    kind: &'static str,
    received: String,
    as_of: String,
    due: Option<String>,
    identifiers: Vec<(&'a str, String)>,
    identity_method: Option<&'a str>,
    address: Option<&'a str>,
    contact: Option<&'a str>,
    files: Option<String>,
    /// How many parts there are, where there are several.
    of: usize,
    others: Vec<PartLine<'a>>,
}

struct PartLine<'a> {
    number: u32,
    file_name: &'a str,
    folder: &'a str,
    files: String,
    size: String,
}

struct Area<'a> {
    title: String,
    description: Option<&'a str>,
    source: &'a str,
    records: String,
    left_out: String,
    page: Option<&'a str>,
    csv: Option<&'a str>,
    jsonl: Option<&'a str>,
}

/// Writes the page.
pub(in crate::archive) fn write(
    bag: &mut Bag,
    frame: &Frame,
    header: &ArchiveHeader,
    completeness: &Completeness,
    tables: &[Written],
    files: &[StoredFile],
    others: &[OtherPart],
) -> Result<(), ArchiveError> {
    let request = &header.request;
    let page = Page {
        frame: frame.at_root(),
        statement: &completeness.statement,
        unread: super::left_out::unread(completeness),
        areas: tables.iter().map(Area::of).collect(),
        kind: match request.kind {
            Kind::Portability => "your data in a portable form (Art. 20 GDPR)",
            _ => "a copy of your data (Art. 15 GDPR)",
        },
        received: timestamp::for_people(request.received_at),
        as_of: timestamp::for_people(request.as_of),
        due: request.extended_until.or(request.due_at).map(timestamp::day_for_people),
        identifiers: request.identifiers_used.iter().map(|i| (i.kind.as_str(), escape::text(i.expose()))).collect(),
        identity_method: request.identity_method.as_deref(),
        address: header.controller.address.as_deref(),
        contact: header.controller.contact.as_deref(),
        files: (!files.is_empty()).then(|| super::simple_pages::files_in_words(files)),
        of: others.len() + 1,
        others: others.iter().map(PartLine::of).collect(),
    };
    super::add(bag, "index.html", &page)
}

impl Area<'_> {
    fn of(table: &Written) -> Area<'_> {
        let data = table.data.as_ref();
        Area {
            title: table.title(),
            description: table.spec.description.as_deref(),
            source: &table.spec.source,
            records: grouped(table.rows),
            left_out: left_out(table),
            page: data.map(|data| data.page_path.as_str()),
            csv: data.map(|data| data.csv_path.as_str()),
            jsonl: data.map(|data| data.jsonl_path.as_str()),
        }
    }
}

impl PartLine<'_> {
    fn of(part: &OtherPart) -> PartLine<'_> {
        PartLine {
            number: part.n,
            file_name: &part.file_name,
            folder: &part.folder,
            files: grouped(part.files),
            size: size_in_words(part.bytes),
        }
    }
}

/// Rows and columns left out of a table, in a few words; `0` for none.
fn left_out(table: &Written) -> String {
    let rows = withheld_rows(&table.tally.withheld) + table.tally.failed;
    let columns = table.tally.redacted_columns.len();
    let columns = match columns {
        0 => None,
        count => Some(counted(count, "column", "columns")),
    };
    match (rows, columns) {
        (0, None) if table.tally.redacted_cells > 0 => counted(table.tally.redacted_cells, "value", "values"),
        (0, None) => "0".to_owned(),
        (0, Some(columns)) => columns,
        (rows, None) => grouped(rows),
        (rows, Some(columns)) => format!("{} and {columns}", grouped(rows)),
    }
}
