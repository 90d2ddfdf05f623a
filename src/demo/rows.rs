//! The rows of the demo's database, in the order in which foreign keys allow them to be written. Pure: the same rows every time.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime, Weekday, date};

use super::{account_rows, uploads, workspace_rows};
use crate::db::Arg;

/// One row: an INSERT and its values.
pub(super) struct Row {
    /// The statement.
    pub(super) insert: &'static str,
    /// Its arguments.
    pub(super) values: Vec<Arg>,
}

/// The last day for which there is data.
pub(super) const LAST_DAY: Date = date(2026, 11, 20);

/// All rows of all tables.
pub(super) fn all() -> Vec<Row> {
    let mut rows = Vec::new();
    account_rows::users(&mut rows);
    workspace_rows::workspaces(&mut rows);
    workspace_rows::bookings(&mut rows);
    uploads::rows(&mut rows);
    account_rows::sessions(&mut rows);
    account_rows::bills(&mut rows);
    account_rows::support(&mut rows);
    account_rows::addresses(&mut rows);
    account_rows::leftovers(&mut rows);
    rows
}

/// The last `count` working days up to [`LAST_DAY`], newest first.
pub(super) fn working_days(count: u16) -> impl Iterator<Item = Date> {
    let weekend = |day: &Date| matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
    std::iter::successors(Some(LAST_DAY), |day| day.yesterday().ok()).filter(move |day| !weekend(day)).take(usize::from(count))
}

/// `minutes` after midnight of a day.
pub(super) fn at(day: Date, minutes: i64) -> DateTime {
    day.to_datetime(jiff::civil::Time::midnight()).saturating_add(SignedDuration::from_mins(minutes))
}

/// How the application stores an instant: UTC without saying so, as many do.
pub(super) fn stamp(instant: DateTime) -> String {
    instant.strftime("%Y-%m-%d %H:%M:%S").to_string()
}
