//! The pages of one table. A few records are laid out one below the other, as a person reads a form; more of them as a table, a thousand rows
//! to a page. Rows are copied from their file to the page one at a time.

use askama::Template;

use super::escape;
use super::frame::Frame;
use super::rows::{MOST_PAGES, PageRows, ROWS_PER_PAGE};
use crate::archive::ArchiveError;
use crate::archive::bag::Bag;
use crate::archive::completeness::withheld_rows;
use crate::archive::written::{Written, WrittenData};
use crate::counted::{counted, grouped};
use crate::value::ColumnType;

/// Up to this many records are laid out as forms.
const MOST_FORMS: u64 = 3;
/// Where the rows go in the template.
const ROWS_GO_HERE: &str = "<!-- rows -->";

#[derive(Template)]
#[template(path = "archive/table.html")]
struct Page<'a> {
    frame: &'a Frame,
    title: &'a str,
    description: Option<&'a str>,
    summary: &'a str,
    csv: &'a str,
    jsonl: &'a str,
    cap: Option<&'a str>,
    left_out: &'a str,
    page: usize,
    pages: &'a [(usize, String)],
    marker: &'static str,
}

/// Writes all pages of a table.
pub(in crate::archive) fn write(
    bag: &mut Bag,
    frame: &Frame,
    table: &Written,
    data: &WrittenData,
    mut rows: PageRows,
) -> Result<(), ArchiveError> {
    let stem = data.page_path.strip_suffix(".html").unwrap_or(&data.page_path);
    let path_of = |page: usize| if page == 1 { format!("{stem}.html") } else { format!("{stem}.{page}.html") };
    let link_of = |page: usize| path_of(page).trim_start_matches("html/").to_owned();
    let pages: Vec<(usize, String)> = (1..=rows.pages()).map(|page| (page, link_of(page))).collect();
    let cap = (table.rows > ROWS_PER_PAGE * MOST_PAGES).then(|| {
        format!(
            "Pages show the first {} records only; the CSV and JSON Lines files have all of them.",
            grouped(ROWS_PER_PAGE * MOST_PAGES)
        )
    });
    for (page, _) in &pages {
        let rendered = super::render(&Page {
            frame,
            title: &table.title(),
            description: table.spec.description.as_deref(),
            summary: &match table.rows {
                1 => "1 record. It is also in".to_owned(),
                rows => format!("{}. All of them are in", counted(rows, "record", "records")),
            },
            csv: &data.csv_path,
            jsonl: &data.jsonl_path,
            cap: cap.as_deref(),
            left_out: &left_out(table),
            page: *page,
            pages: &pages,
            marker: ROWS_GO_HERE,
        })?;
        let (head, tail) = rendered.split_once(ROWS_GO_HERE).unwrap_or((&rendered, ""));
        bag.add_with(&path_of(*page), |out| {
            out.write_all(head.as_bytes())?;
            match table.rows <= MOST_FORMS {
                true => write_forms(out, table, &mut rows)?,
                false => write_rows(out, table, &mut rows, *page)?,
            }
            Ok(out.write_all(tail.as_bytes())?)
        })?;
    }
    Ok(())
}

fn write_forms(out: &mut dyn std::io::Write, table: &Written, rows: &mut PageRows) -> Result<(), ArchiveError> {
    let mut number = 0;
    rows.read_page(0, |cells| {
        number += 1;
        if table.rows > 1 {
            writeln!(out, "<h2>Record {number}</h2>")?;
        }
        out.write_all(b"<dl>\n")?;
        for (column, cell) in table.columns.iter().zip(cells) {
            writeln!(out, "<dt>{}</dt><dd>{cell}</dd>", heading(column.spec.label.as_deref(), &column.spec.name))?;
        }
        Ok(out.write_all(b"</dl>\n")?)
    })
}

fn write_rows(out: &mut dyn std::io::Write, table: &Written, rows: &mut PageRows, page: usize) -> Result<(), ArchiveError> {
    let first = (page as u64 - 1) * ROWS_PER_PAGE + 1;
    let last = table.rows.min(page as u64 * ROWS_PER_PAGE);
    let title = escape::text(&table.title());
    write!(out, "<div class=\"scroll\" role=\"region\" aria-label=\"{title}\" tabindex=\"0\">\n<table class=\"rows\">")?;
    write!(out, "<caption>Records {} to {} of {}</caption>\n<thead><tr>", grouped(first), grouped(last), grouped(table.rows))?;
    // Columns that were added after the rows came in have no cells on pages.
    let columns = &table.columns[..table.spec.columns.len()];
    for column in columns {
        let class = class_of(column.spec.column_type);
        write!(out, "<th scope=\"col\"{class}>{}</th>", heading(column.spec.label.as_deref(), &column.spec.name))?;
    }
    out.write_all(b"</tr></thead>\n<tbody>\n")?;
    rows.read_page(page - 1, |cells| {
        out.write_all(b"<tr>")?;
        for (index, (column, cell)) in columns.iter().zip(cells).enumerate() {
            let class = class_of(column.spec.column_type);
            match index {
                0 => write!(out, "<th scope=\"row\"{class}>{cell}</th>")?,
                _ => write!(out, "<td{class}>{cell}</td>")?,
            }
        }
        Ok(out.write_all(b"</tr>\n")?)
    })?;
    Ok(out.write_all(b"</tbody>\n</table>\n</div>\n")?)
}

fn heading(label: Option<&str>, name: &str) -> String {
    match label {
        Some(label) if label != name => format!("{}<span class=\"name\">{}</span>", escape::text(label), escape::text(name)),
        _ => escape::text(name),
    }
}

fn class_of(column_type: ColumnType) -> &'static str {
    match column_type {
        ColumnType::Integer | ColumnType::Decimal | ColumnType::Float => " class=\"number\"",
        ColumnType::TimestampUtc | ColumnType::TimestampLocal | ColumnType::Date | ColumnType::Time | ColumnType::Uuid => {
            " class=\"moment\""
        }
        _ => "",
    }
}

fn left_out(table: &Written) -> String {
    let mut parts = Vec::new();
    match withheld_rows(&table.tally.withheld) {
        0 => {}
        rows => parts.push(counted(rows, "record", "records")),
    }
    let names = table.tally.redacted_columns.iter().map(|(column, _)| column.as_str());
    let (in_some_rows, everywhere): (Vec<&str>, Vec<&str>) = names.partition(|name| table.has_column(name));
    for (columns, rows) in [(everywhere, ""), (in_some_rows, " in some records")] {
        if !columns.is_empty() {
            parts.push(format!("the column{} {}{rows}", if columns.len() == 1 { "" } else { "s" }, columns.join(", ")));
        }
    }
    match table.tally.failed {
        0 => {}
        rows => parts.push(format!("{} that could not be read", counted(rows, "record", "records"))),
    }
    match parts.is_empty() {
        true => String::new(),
        false => format!("{}.", parts.join("; ")),
    }
}
