//! `withheld.html`: everything that a person might expect and will not find, each with its reason. It is made from `completeness.json` alone,
//! so that both say the same.

use askama::Template;

use super::frame::Frame;
use crate::archive::bag::Bag;
use crate::archive::completeness::{Completeness, SourceReport, TableReport};
use crate::archive::outcome::SourceStatus;
use crate::archive::words::{name_in_words, reason_in_words};
use crate::archive::{ArchiveError, ArchiveHeader};
use crate::counted::counted;

#[derive(Template)]
#[template(path = "archive/withheld.html")]
struct Page<'a> {
    frame: Frame,
    statement: &'a str,
    withheld: Vec<Line>,
    unread: Vec<String>,
    held: Vec<String>,
    not_covered: Vec<String>,
    elsewhere: Vec<String>,
    contact: &'a str,
}

struct Line {
    title: String,
    place: String,
    what: String,
    why: String,
}

/// Writes the page.
pub(in crate::archive) fn write(
    bag: &mut Bag,
    frame: &Frame,
    header: &ArchiveHeader,
    completeness: &Completeness,
) -> Result<(), ArchiveError> {
    let sources = || completeness.sources.iter();
    let page = Page {
        frame: frame.clone(),
        statement: &completeness.statement,
        withheld: sources().flat_map(|source| source.tables.iter().flat_map(|table| lines_of(source, table))).collect(),
        unread: unread(completeness),
        held: sources().flat_map(held_in).collect(),
        not_covered: sources().flat_map(not_covered_in).collect(),
        elsewhere: completeness
            .not_held_here
            .iter()
            .map(|data| {
                let what = data.what.trim_end_matches('.');
                match &data.note {
                    Some(note) => format!("{what}: held by {}. {note}", data.held_by),
                    None => format!("{what}: held by {}.", data.held_by),
                }
            })
            .collect(),
        contact: header.controller.contact.as_deref().unwrap_or(&header.controller.name),
    };
    super::add(bag, "html/withheld.html", &page)
}

/// A sentence for everything that could not be read.
pub(super) fn unread(completeness: &Completeness) -> Vec<String> {
    let mut lines = Vec::new();
    for source in completeness.sources.iter().filter(|source| !source.was_read()) {
        let mut line = match source.status {
            SourceStatus::Failed => format!("The source {} could not be read.", source.name),
            SourceStatus::Waived => format!(
                "The source {} could not be read; that was accepted by {}.",
                source.name,
                source.waived_by.as_deref().unwrap_or("the controller")
            ),
            _ => format!("The source {} was read only in part.", source.name),
        };
        for error in &source.errors {
            line.push_str(&format!(" {}", error.text));
        }
        for table in source.tables.iter().filter(|table| table.failed > 0) {
            line.push_str(&format!(" In {}, {} could not be read.", table.name, rows(table.failed)));
        }
        lines.push(line);
    }
    lines
}

fn lines_of(source: &SourceReport, table: &TableReport) -> Vec<Line> {
    let place = format!("{}.{}", source.name, table.name);
    let title = name_in_words(&table.name);
    let of_rows = table.withheld.iter().map(|withheld| Line {
        title: title.clone(),
        place: place.clone(),
        what: rows(withheld.count),
        why: match &withheld.legal_ref {
            Some(law) => format!("{} ({law})", withheld.text),
            None => withheld.text.clone(),
        },
    });
    let of_columns = table.redacted_columns.iter().map(|redacted| Line {
        title: title.clone(),
        place: place.clone(),
        what: format!("the column {}{}", redacted.column, if redacted.in_some_rows { ", in some records" } else { "" }),
        why: reason_in_words(&redacted.reason_code).to_owned(),
    });
    of_rows.chain(of_columns).collect()
}

fn held_in(source: &SourceReport) -> Vec<String> {
    let of_hold = source.held.iter().map(|held| {
        let mut line = format!("{} in {} ({})", rows(held.count), source.name, held.hold_id_public);
        if let Some(law) = &held.legal_ref {
            line.push_str(&format!(", {law}"));
        }
        if let Some(review) = &held.review_on {
            line.push_str(&format!("; to be reviewed on {review}"));
        }
        line
    });
    of_hold.collect()
}

fn not_covered_in(source: &SourceReport) -> Vec<String> {
    let places = source.not_covered.iter().map(|place| match &place.column {
        Some(column) => format!("{}.{}.{column}", source.name, place.table),
        None => format!("{}.{}", source.name, place.table),
    });
    places.collect()
}

fn rows(count: u64) -> String {
    counted(count, "record", "records")
}
