//! Statements that a finding of `map check` suggests, for a person to read and run. They are never run by this program.

use super::quote::{ident, table};
use crate::connector::sql::TableName;

/// `CREATE INDEX ON "public"."orders" ("user_id");`
pub fn create_index(name: &TableName, columns: &[String], is_sqlite: bool) -> String {
    let list = columns.iter().map(|column| ident(column)).collect::<Vec<_>>().join(", ");
    match is_sqlite {
        // SQLite wants a name for the index and takes no schema in front of the table's.
        true => {
            format!("CREATE INDEX {} ON {} ({list});", ident(&format!("{}_{}", name.name, columns.join("_"))), ident(&name.name))
        }
        false => format!("CREATE INDEX ON {} ({list});", table(name)),
    }
}

/// A constraint by which one of the columns is always there. SQLite cannot add one to a table that exists.
pub fn one_is_there(name: &TableName, columns: &[&str]) -> String {
    let conditions = columns.iter().map(|column| format!("{} IS NOT NULL", ident(column))).collect::<Vec<_>>().join(" OR ");
    format!("ALTER TABLE {} ADD CHECK ({conditions});", table(name))
}

/// `GRANT SELECT, DELETE ON "public"."orders" TO ROLE;`
pub fn grant(rights: &str, name: &TableName) -> String {
    format!("GRANT USAGE ON SCHEMA {} TO ROLE;\nGRANT {rights} ON {} TO ROLE;", ident(&name.schema), table(name))
}

/// `REFRESH MATERIALIZED VIEW "public"."addresses";`
pub fn refresh(name: &TableName) -> String {
    format!("REFRESH MATERIALIZED VIEW {};", table(name))
}
