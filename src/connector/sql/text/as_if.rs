//! Rows as they would be after a mask, read and not written: so that a CHECK constraint can be asked before anything is touched. The
//! condition is the database's own text of the constraint; it reads the same columns as it would in the table.

use super::{Builder, Statement, quote};
use crate::connector::sql::{Check, Location};
use crate::db::Dialect;

/// How many rows that are to be overwritten would break a condition. `written` holds a sample of what each column would get.
pub fn breaking(location: &Location, written: &[(String, Option<String>)], condition: &str, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let mut columns = Vec::with_capacity(location.table.columns.len());
    // Only what the condition reads: the role may be kept from other columns.
    let asked = Check { name: String::new(), condition: condition.to_owned() };
    for column in location.table.columns.iter().filter(|column| asked.names(&column.name)) {
        let name = quote::ident(&column.name);
        columns.push(match written.iter().find(|(known, _)| *known == column.name) {
            None => format!("{} AS {name}", quote::column("t", &column.name)),
            Some((_, sample)) => {
                let place = builder.bind(sample.clone());
                match dialect {
                    Dialect::Postgres => format!("{place}::text::{} AS {name}", column.declared_type),
                    Dialect::Sqlite | Dialect::MySql => format!("{place} AS {name}"),
                }
            }
        });
    }
    let own = quote::same_key(location, &quote::key(location, "t", dialect), &quote::reach_key(location.key_width(), "r"), dialect);
    builder.text = format!(
        "SELECT COUNT(*) AS n FROM (SELECT {columns} FROM {reach} r JOIN {table} t ON {own} WHERE r.fate = {mask}) AS {alias} \
         WHERE ({condition}) IS FALSE",
        columns = columns.join(", "),
        reach = location.reach(),
        table = quote::table(&location.table.name),
        mask = super::fate::MASK,
        alias = quote::ident(&location.table.name.name),
    );
    builder.finish()
}

/// A condition that reads a column and says nothing: whether its type takes the sample at all.
pub fn takes(column: &str) -> String {
    format!("{}::text IS NOT NULL", quote::ident(column))
}
