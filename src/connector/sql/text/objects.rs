//! Statements about rows that name objects: the values that fill a template, and whether somebody else's row has the same.

use super::{Builder, Statement, fate, quote, reached};
use crate::connector::sql::Location;
use crate::db::Dialect;

/// The distinct values of `columns` in the reached rows as text `c1…`, with what is known of all rows that have them: the least `rights`, whether
/// any is `shared`, whether others have the same (`elsewhere`: rows that were not reached, or are not owned, O-1), and once it is decided
/// whether all of them go (`goes`) and on which ground one stays.
pub fn names(location: &Location, columns: &[&str], is_decided: bool, masks_name: bool, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let reach = location.reach();
    let table = quote::table(&location.table.name);
    let width = location.key_width();
    let own = quote::all_equal(&quote::key(location, "b", dialect), &quote::reach_key(width, "r"));
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{} AS c{}", quote::column_text(&location.table, "b", name, dialect), at + 1))
        .collect();
    let groups: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
    let alike: Vec<String> =
        columns.iter().map(|name| format!("{} = {}", quote::column("o", name), quote::column("b", name))).collect();
    let again = reached::beside(&mut builder, location, location, dialect);
    let is_ours = quote::all_equal(&quote::key(location, "o", dialect), &quote::reach_key(width, "x"));
    let elsewhere = format!(
        "EXISTS (SELECT 1 FROM {table} o WHERE {alike} AND NOT EXISTS (SELECT 1 FROM {again} x WHERE {is_ours} AND x.rights = 2))",
        alike = alike.join(" AND ")
    );
    let integer = |expression: &str| quote::as_integer(expression, dialect);
    let decision = match is_decided {
        false => String::new(),
        true => {
            let goes = match masks_name {
                true => format!("r.fate IN ({}, {})", fate::ERASE, fate::MASK),
                false => format!("r.fate = {}", fate::ERASE),
            };
            let stays = |column: &str| format!("MIN(CASE WHEN {goes} THEN NULL ELSE r.{column} END) AS {column}");
            format!(
                ", {} AS goes, {}, {}, {}",
                integer(&format!("MIN(CASE WHEN {goes} THEN 1 ELSE 0 END)")),
                stays("ground"),
                stays("reference"),
                stays("review_on")
            )
        }
    };
    builder.text = format!(
        "SELECT {values}, {rights} AS rights, {shared} AS shared, {elsewhere} AS elsewhere{decision} \
         FROM {reach} r JOIN {table} b ON {own} GROUP BY {groups} ORDER BY {groups}",
        values = values.join(", "),
        rights = integer("MIN(r.rights)"),
        shared = integer("MAX(r.shared)"),
        elsewhere = integer(&format!("MAX(CASE WHEN {elsewhere} THEN 1 ELSE 0 END)")),
        groups = groups.join(", "),
    );
    builder.finish()
}

/// How many rows of the table, anybody's, have a value with this separator in it: then what one row names may lie inside what another does.
pub fn with_separator(location: &Location, column: &str, separator: &str, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(format!("SELECT COUNT(*) AS n FROM {} b WHERE ", quote::table(&location.table.name)));
    let text = quote::column_text(&location.table, "b", column, dialect);
    let place = builder.bind(separator.to_owned());
    let condition = match dialect {
        Dialect::Postgres => format!("position({place} IN {text}) > 0"),
        Dialect::Sqlite | Dialect::MySql => format!("INSTR({text}, {place}) > 0"),
    };
    builder.push(&condition);
    builder.finish()
}
