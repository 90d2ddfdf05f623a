//! The one file that builds SQL text for sources, small enough to proof-read. Names come from the live catalogue and are quoted here;
//! values are never part of the text. A name that cannot be quoted safely is refused, not repaired.

use super::TableName;
use crate::db::{DbError, Dialect, Sql};

/// A quoted identifier: double quotes doubled, NUL refused.
pub(crate) fn quote_ident(name: &str) -> Result<String, DbError> {
    if name.is_empty() || name.contains('\0') {
        return Err(DbError::Refused { code: "a name is empty or holds a NUL character".into() });
    }
    Ok(format!("\"{}\"", name.replace('"', "\"\"")))
}

/// A quoted table name with its schema.
pub(crate) fn quote_table(table: &TableName) -> Result<String, DbError> {
    Ok(format!("{}.{}", quote_ident(&table.schema)?, quote_ident(&table.name)?))
}

/// A column that a search reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SearchedColumn<'a> {
    /// Its name.
    pub name: &'a str,
    /// Bytes are read as they are; everything else as the text that the database prints.
    pub is_bytes: bool,
}

/// `SELECT key…, column… FROM table`: every row, the key first. PostgreSQL gives text for all but bytes; SQLite gives each value as stored.
pub(crate) fn select_searched_columns(
    dialect: Dialect,
    table: &TableName,
    key: &[String],
    columns: &[SearchedColumn<'_>],
) -> Result<Sql, DbError> {
    let as_text = if dialect == Dialect::Postgres { "::text" } else { "" };
    let mut selected = Vec::with_capacity(key.len() + columns.len());
    for name in key {
        selected.push(format!("{}{as_text}", quote_ident(name)?));
    }
    for column in columns {
        let cast = if column.is_bytes { "" } else { as_text };
        selected.push(format!("{}{cast}", quote_ident(column.name)?));
    }
    Ok(Sql::built(format!("SELECT {} FROM {}", selected.join(", "), quote_table(table)?)))
}

/// Rows of a table, counted no further than a limit.
pub(crate) fn count_up_to(table: &TableName, limit: u32) -> Result<Sql, DbError> {
    Ok(Sql::built(format!("SELECT count(*) AS counted FROM (SELECT 1 FROM {} LIMIT {limit}) AS limited", quote_table(table)?)))
}

/// A statement that writes and touches no row: whether the session may write at all.
pub(crate) fn delete_nothing(table: &TableName) -> Result<Sql, DbError> {
    Ok(Sql::built(format!("DELETE FROM {} WHERE 0", quote_table(table)?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(quote_ident("a\" FROM x; --").unwrap(), "\"a\"\" FROM x; --\"");
        assert!(quote_ident("a\0b").is_err());
        assert!(quote_ident("").is_err());
    }

    #[test]
    fn a_search_reads_bytes_as_they_are_and_the_rest_as_text() {
        let table = TableName { schema: "public".into(), name: "notes".into() };
        let columns = [SearchedColumn { name: "body", is_bytes: false }, SearchedColumn { name: "scan", is_bytes: true }];
        let sql = select_searched_columns(Dialect::Postgres, &table, &["id".into()], &columns).unwrap();
        assert_eq!(sql.as_str(), "SELECT \"id\"::text, \"body\"::text, \"scan\" FROM \"public\".\"notes\"");
    }
}
