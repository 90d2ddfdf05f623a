//! Counting the live rows that a hold covers.

use super::{Builder, Statement, predicate, quote};
use crate::connector::sql::{Location, RowKey};
use crate::datamap::Predicate;
use crate::db::Dialect;

/// Which rows of a table.
#[derive(Clone, Copy)]
pub enum Which<'a> {
    /// All of them.
    All,
    /// The one with this key, written as text.
    Key(&'a [String]),
    /// All but those for which the condition is false: where it is unknown, the row counts.
    Unless(&'a Predicate),
}

/// How many rows, as `n`. An error text when the table cannot answer.
pub fn rows(location: &Location, which: Which<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(format!("SELECT COUNT(*) AS n FROM {} t", quote::table(&location.table.name)));
    match which {
        Which::All => {}
        Which::Key(key) => {
            let columns = match &location.key {
                RowKey::Primary(columns) if columns.len() == key.len() => columns,
                RowKey::Primary(columns) => return Err(format!("its key has {} parts", columns.len())),
                RowKey::Physical => return Err("it has no primary key".to_owned()),
            };
            let mut equal = Vec::new();
            for (column, part) in columns.iter().zip(key) {
                let place = builder.bind(part.as_str());
                equal.push(format!("{} = {place}", quote::column_text(&location.table, "t", &column.name, dialect)));
            }
            builder.push(&format!(" WHERE {}", equal.join(" AND ")));
        }
        Which::Unless(condition) => {
            let condition = predicate::condition(&mut builder, condition, &location.table, "t", dialect)?;
            builder.push(&format!(" WHERE COALESCE({condition}, TRUE)"));
        }
    }
    Ok(builder.finish())
}
