//! The pages that only lay out what the data map and the configuration say: processing, rights, files.

use askama::Template;

use super::escape;
use super::frame::Frame;
use super::rows::ROWS_PER_PAGE;
use crate::archive::bag::Bag;
use crate::archive::bagit::size_in_words;
use crate::archive::files::StoredFile;
use crate::archive::processing::categories;
use crate::archive::words::{NOT_RECORDED, category_in_words, legal_basis_in_words, origin_in_words};
use crate::archive::written::Written;
use crate::archive::{ArchiveError, ArchiveHeader};
use crate::counted::{counted, grouped};
use crate::datamap::Role;

#[derive(Template)]
#[template(path = "archive/processing.html")]
struct ProcessingPage<'a> {
    frame: Frame,
    processes: Vec<Process<'a>>,
}

struct Process<'a> {
    title: String,
    place: String,
    description: &'a str,
    purpose: &'a str,
    legal_basis: String,
    categories: String,
    recipients: String,
    retention: &'a str,
    origin: &'static str,
    is_processor: bool,
}

/// `html/processing.html`.
pub(in crate::archive) fn write_processing(bag: &mut Bag, frame: &Frame, tables: &[Written]) -> Result<(), ArchiveError> {
    let about_the_person = tables.iter().filter(|table| table.tally.found > 0);
    let processes = about_the_person.map(|table| Process {
        title: table.title(),
        place: format!("{}.{}", table.spec.source, table.spec.table),
        description: table.spec.description.as_deref().unwrap_or(NOT_RECORDED),
        purpose: table.spec.purpose.as_deref().unwrap_or(NOT_RECORDED),
        legal_basis: table.spec.legal_basis.as_deref().map_or(NOT_RECORDED.to_owned(), legal_basis_in_words),
        categories: joined(&categories(table).iter().map(|label| category_in_words(label)).collect::<Vec<_>>()),
        recipients: joined(&table.spec.recipients),
        retention: table.spec.retention.as_deref().unwrap_or(NOT_RECORDED),
        origin: table.spec.origin.map_or(NOT_RECORDED, origin_in_words),
        is_processor: table.spec.role == Role::Processor,
    });
    super::add(bag, "html/processing.html", &ProcessingPage { frame: frame.clone(), processes: processes.collect() })
}

fn joined(labels: &[String]) -> String {
    if labels.is_empty() { NOT_RECORDED.to_owned() } else { labels.join(", ") }
}

#[derive(Template)]
#[template(path = "archive/rights.html")]
struct RightsPage<'a> {
    frame: Frame,
    address: Option<&'a str>,
    contact: &'a str,
    dpo: &'a str,
    authority: String,
}

/// `html/rights.html`.
pub(in crate::archive) fn write_rights(bag: &mut Bag, frame: &Frame, header: &ArchiveHeader) -> Result<(), ArchiveError> {
    let controller = &header.controller;
    let authority = controller.supervisory_authority.as_ref();
    let page = RightsPage {
        frame: frame.clone(),
        address: controller.address.as_deref(),
        contact: controller.contact.as_deref().unwrap_or(NOT_RECORDED),
        dpo: controller.dpo.as_deref().unwrap_or(NOT_RECORDED),
        authority: authority.map_or(NOT_RECORDED.to_owned(), |authority| match &authority.url {
            Some(url) => format!("{}\n{url}", authority.name),
            None => authority.name.clone(),
        }),
    };
    super::add(bag, "html/rights.html", &page)
}

#[derive(Template)]
#[template(path = "archive/files.html")]
struct FilesPage<'a> {
    frame: Frame,
    summary: String,
    caption: String,
    in_parts: bool,
    files: Vec<FileLine<'a>>,
}

struct FileLine<'a> {
    part: u32,
    way: &'a str,
    name: &'a str,
    from: String,
    record: String,
    media_type: &'static str,
    size: String,
}

/// How many files there are, and why they are files.
pub(super) fn files_in_words(files: &[StoredFile]) -> String {
    let total = counted(files.len() as u64, "file", "files");
    // What was a file where it came from has its name from there.
    let were_files = files.iter().filter(|file| file.original_name.is_some()).count();
    match files.len() - were_files {
        0 => format!("{total} that {} stored about you.", if files.len() == 1 { "was" } else { "were" }),
        1 if were_files == 0 => format!("{total}: a value that was too large for a table."),
        _ if were_files == 0 => format!("{total}: values that were too large for a table."),
        _ => format!("{total}: some were stored as files, others are values that were too large for a table."),
    }
}

/// `html/files.html`; nothing when there are no files.
pub(in crate::archive) fn write_files(bag: &mut Bag, frame: &Frame, files: &[StoredFile]) -> Result<(), ArchiveError> {
    if files.is_empty() {
        return Ok(());
    }
    let most = usize::try_from(ROWS_PER_PAGE).unwrap_or(usize::MAX);
    let total = grouped(files.len() as u64);
    let page = FilesPage {
        frame: frame.clone(),
        summary: files_in_words(files),
        in_parts: files.iter().any(|file| file.part > 1),
        caption: match files.len() > most {
            true => format!("The first {} of {total} files", grouped(ROWS_PER_PAGE)),
            false => "All files, with the record that each belongs to".to_owned(),
        },
        files: files
            .iter()
            .take(most)
            .map(|file| FileLine {
                part: file.part,
                way: &file.way,
                name: file.path.rsplit('/').next().unwrap_or(&file.path),
                from: file.place(),
                record: escape::text(&file.record),
                media_type: file.media_type,
                size: size_in_words(file.bytes),
            })
            .collect(),
    };
    super::add(bag, "html/files.html", &page)
}
