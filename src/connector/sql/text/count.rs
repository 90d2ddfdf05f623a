//! Counting the live rows that a hold covers.

use super::{Builder, Statement, mysql_reach, predicate, quote};
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
    let mut builder = Builder::new(format!("SELECT COUNT(*) AS n FROM {} t WHERE ", quote::table(&location.table.name)));
    let condition = condition(&mut builder, location, which, dialect)?;
    builder.push(&condition);
    Ok(builder.finish())
}

/// Puts these rows into the reach, as if they were somebody's: what belongs to them can be followed from there.
pub fn begin_with(location: &Location, which: Which<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let keys = quote::key(location, "t", dialect);
    let condition = condition(&mut builder, location, which, dialect)?;
    let body = format!("FROM {} t WHERE {condition}", quote::table(&location.table.name));
    if dialect == Dialect::MySql {
        return Ok(mysql_reach::arrive(builder, location, &keys, ["2", "0", "1"], &body, false));
    }
    let names: Vec<String> = (1..=location.key_width()).map(|part| format!("k{part}")).collect();
    let (names, keys) = (names.join(", "), keys.join(", "));
    builder.text = format!(
        "INSERT INTO {} ({names}, rights, round, seeded, shared) SELECT {keys}, 2, 0, 1, 0 {body} ON CONFLICT ({names}) DO NOTHING",
        location.reach()
    );
    Ok(builder.finish())
}

fn condition(builder: &mut Builder, location: &Location, which: Which<'_>, dialect: Dialect) -> Result<String, String> {
    match which {
        Which::All => Ok("1 = 1".to_owned()),
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
            Ok(equal.join(" AND "))
        }
        Which::Unless(condition) => {
            let condition = predicate::condition(builder, condition, &location.table, "t", dialect)?;
            Ok(format!("COALESCE({condition}, TRUE)"))
        }
    }
}
