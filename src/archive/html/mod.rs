//! The pages of an archive, for people: no script, nothing from a network, readable without styles, on paper and by a screen reader. They
//! show what the data files hold and add nothing to it. Every page is a template under `templates/archive/`; what is shown in it is here.

mod cell;
mod escape;
mod frame;
mod left_out;
mod overview;
mod rows;
mod simple_pages;
mod table_pages;

pub(super) use frame::Frame;
pub(super) use left_out::write as write_left_out;
pub(super) use overview::write as write_overview;
pub(super) use rows::{PageRows, Rows};
pub(super) use simple_pages::{write_files, write_processing, write_rights};
pub(super) use table_pages::write as write_table;

use askama::Template;

use super::ArchiveError;
use super::bag::Bag;

/// Renders a page into the bag.
fn add(bag: &mut Bag, path: &str, page: &impl Template) -> Result<(), ArchiveError> {
    bag.add(path, render(page)?.as_bytes())?;
    Ok(())
}

fn render(page: &impl Template) -> Result<String, ArchiveError> {
    page.render().map_err(|error| ArchiveError::Write(std::io::Error::other(error)))
}
