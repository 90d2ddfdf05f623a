//! Statements that ask a database about itself, or tell it to, and read no personal data.

use super::quote;
use crate::connector::sql::{Location, TableName};
use crate::db::Sql;

/// Rows of a table as `counted`, counted no further than a limit.
pub fn count_up_to(table: &TableName, limit: u32) -> Sql {
    Sql::built(format!("SELECT count(*) AS counted FROM (SELECT 1 FROM {} LIMIT {limit}) AS limited", quote::table(table)))
}

/// A statement that writes and touches no row: whether the session may write at all.
pub fn delete_nothing(table: &TableName) -> Sql {
    Sql::built(format!("DELETE FROM {} WHERE 0", quote::table(table)))
}

/// Whether MySQL lets this role read a table. It reads no row.
pub fn mysql_select(table: &TableName) -> Sql {
    Sql::built(format!("SELECT * FROM {} LIMIT 0", quote::table(table)))
}

/// How MySQL would change all these columns in no row: it tells only whom it would let.
pub fn mysql_update(table: &TableName, columns: &[String]) -> Sql {
    let sets: Vec<String> = columns.iter().map(|name| format!("{0} = {0}", quote::ident(name))).collect();
    Sql::built(format!("EXPLAIN UPDATE {} SET {} WHERE 0", quote::table(table), sets.join(", ")))
}

/// How MySQL would delete no row.
pub fn mysql_delete(table: &TableName) -> Sql {
    Sql::built(format!("EXPLAIN DELETE FROM {} WHERE 0", quote::table(table)))
}

/// Refreshes PostgreSQL's statistics of a location's temporary table, so that joins with it are planned well.
pub fn refresh_statistics(location: &Location) -> Sql {
    Sql::built(format!("ANALYZE {}", location.reach()))
}
