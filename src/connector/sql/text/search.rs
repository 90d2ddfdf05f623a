//! The statement of the value search: every row of a table, its key first, then the columns that are looked through.

use super::quote;
use crate::connector::sql::TableName;
use crate::db::{Dialect, Sql};

/// A column that a search reads.
#[derive(Debug, Clone, Copy)]
pub struct SearchedColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// Bytes are read as they are; everything else as the text that the database prints.
    pub is_bytes: bool,
}

/// `SELECT key…, column… FROM table`. PostgreSQL gives text for all but bytes; SQLite gives each value as stored; MySQL sends a statement
/// without arguments back as text by itself.
pub fn every_row(dialect: Dialect, table: &TableName, key: &[String], columns: &[SearchedColumn<'_>]) -> Sql {
    let as_text = if dialect == Dialect::Postgres { "::text" } else { "" };
    let key = key.iter().map(|name| format!("{}{as_text}", quote::ident(name)));
    let searched = columns.iter().map(|column| {
        let cast = if column.is_bytes { "" } else { as_text };
        format!("{}{cast}", quote::ident(column.name))
    });
    let selected: Vec<String> = key.chain(searched).collect();
    Sql::built(format!("SELECT {} FROM {}", selected.join(", "), quote::table(table)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_reads_bytes_as_they_are_and_the_rest_as_text() {
        let table = TableName { schema: "public".into(), name: "notes".into() };
        let columns = [SearchedColumn { name: "body", is_bytes: false }, SearchedColumn { name: "scan", is_bytes: true }];
        let sql = every_row(Dialect::Postgres, &table, &["id".into()], &columns);
        assert_eq!(sql.as_str(), "SELECT \"id\"::text, \"body\"::text, \"scan\" FROM \"public\".\"notes\"");
    }
}
