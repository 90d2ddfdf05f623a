//! Changing the temporary tables of reached rows. PostgreSQL and SQLite do it in one statement. MySQL would read the real tables in such a
//! statement as they are at that moment and lock what it reads: there the rows are selected in the snapshot first, and the change follows.

use super::mysql_reach;
use super::{Builder, Statement};
use crate::connector::sql::Location;
use crate::db::{Dialect, Sql};

/// Gives columns of reached rows new values where a condition holds that looks at real tables. The row's own columns are named by the name
/// of the table (`location.reach()`).
pub fn update(mut builder: Builder, location: &Location, sets: &[(&str, &str)], condition: &str, dialect: Dialect) -> Statement {
    if dialect == Dialect::MySql {
        return mysql_reach::update(builder, location, sets, condition);
    }
    let sets: Vec<String> = sets.iter().map(|(name, value)| format!("{name} = {value}")).collect();
    builder.text = format!("UPDATE {} SET {} WHERE {condition}", location.reach(), sets.join(", "));
    builder.finish()
}

/// Under which name the reached rows of `other` can be read in a statement that reads those of `first` too.
pub fn beside(builder: &mut Builder, first: &Location, other: &Location, dialect: Dialect) -> String {
    if dialect != Dialect::MySql || first.node != other.node {
        return other.reach();
    }
    let copy = format!("habeas_again_{}", other.node.0);
    builder.before = Some(Sql::built(format!(
        "DROP TEMPORARY TABLE IF EXISTS {copy}; CREATE TEMPORARY TABLE {copy} LIKE {reach}; INSERT INTO {copy} SELECT * FROM {reach}",
        reach = other.reach()
    )));
    copy
}
