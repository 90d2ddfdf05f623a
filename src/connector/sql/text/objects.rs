//! Statements about rows that name objects: the values that fill a template, and whether rows of somebody else name the same objects.

use super::{Builder, Statement, fate, quote};
use crate::connector::sql::Location;
use crate::datamap::{Piece, Template};
use crate::db::Dialect;

/// The distinct values of `columns` in the rows that are this person's own, as text `c1…`, with whether any of these rows is `shared`, and once it is
/// decided whether all of them go (`goes`) and on which ground one stays. Rows that are only accessed name nothing, nor do those that
/// lead nowhere: what they name is somebody else's.
pub fn names(location: &Location, columns: &[&str], is_decided: bool, masks_name: bool, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let own = quote::all_equal(&quote::key(location, "b", dialect), &quote::reach_key(location.key_width(), "r"));
    let values: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{} AS c{}", quote::column_text(&location.table, "b", name, dialect), at + 1))
        .collect();
    let groups: Vec<String> = (1..=columns.len()).map(|at| at.to_string()).collect();
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
        "SELECT {values}, {shared} AS shared{decision} FROM {reach} r JOIN {table} b ON {own} WHERE r.rights = 2 AND r.round >= 0 \
         GROUP BY {groups} ORDER BY {groups}",
        values = values.join(", "),
        shared = integer("MAX(r.shared)"),
        reach = location.reach(),
        table = quote::table(&location.table.name),
        groups = groups.join(", "),
    );
    builder.finish()
}

/// Those of the keys that a row names which is not this person's own: exactly, or as what the key begins with.
pub fn named_by_others(location: &Location, template: &Template, keys: &[String], is_prefix: bool, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let asked: Vec<String> = keys
        .iter()
        .map(|key| {
            let place = builder.bind(key.as_str());
            match dialect {
                Dialect::Postgres => format!("SELECT {place}::text AS k"),
                Dialect::Sqlite => format!("SELECT {place} AS k"),
                Dialect::MySql => format!("SELECT CAST({place} AS BINARY) AS k"),
            }
        })
        .collect();
    let (name, present) = filled(&mut builder, location, template, dialect);
    let meets = match (is_prefix, dialect) {
        (false, _) => format!("{name} = v.k"),
        (true, Dialect::Postgres) => format!("starts_with(v.k, {name})"),
        (true, Dialect::Sqlite) => format!("substr(v.k, 1, length({name})) = {name}"),
        (true, Dialect::MySql) => format!("LEFT(v.k, LENGTH({name})) = {name}"),
    };
    builder.text = format!(
        "SELECT v.k FROM ({asked}) v WHERE EXISTS (SELECT 1 FROM {table} o WHERE {present} AND {meets} AND {others})",
        asked = asked.join(" UNION ALL "),
        table = quote::table(&location.table.name),
        others = of_others(location, dialect),
    );
    builder.finish()
}

/// Names that rows of others have and that are not written plainly as a path.
pub fn spelt_otherwise(location: &Location, template: &Template, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let (name, present) = filled(&mut builder, location, template, dialect);
    let odd: Vec<String> = ["%//%", "./%", "%/./%", "../%", "%/../%", "%/", "%/.", "%/..", "/%"]
        .into_iter()
        .map(|pattern| format!("{name} LIKE {}", builder.bind(pattern.to_owned())))
        .collect();
    builder.text = format!(
        "SELECT {name} AS k FROM {table} o WHERE {present} AND ({odd}) AND {others}",
        table = quote::table(&location.table.name),
        odd = odd.join(" OR "),
        others = of_others(location, dialect),
    );
    builder.finish()
}

/// The filled template of a row `o` as text, and that nothing in it is missing.
fn filled(builder: &mut Builder, location: &Location, template: &Template, dialect: Dialect) -> (String, String) {
    let mut parts = Vec::new();
    let mut present = Vec::new();
    for piece in template.pieces() {
        match piece {
            Piece::Text(text) => {
                let place = builder.bind(text.as_str());
                parts.push(match dialect {
                    Dialect::Postgres => format!("{place}::text"),
                    Dialect::Sqlite | Dialect::MySql => place,
                });
            }
            Piece::Value { column, .. } => {
                let value = quote::column_text(&location.table, "o", column, dialect);
                present.push(format!("{value} <> ''"));
                parts.push(value);
            }
        }
    }
    let name = match dialect {
        Dialect::MySql => format!("CAST(CONCAT({}) AS BINARY)", parts.join(", ")),
        Dialect::Postgres | Dialect::Sqlite => format!("({})", parts.join(" || ")),
    };
    (name, present.join(" AND "))
}

/// That a row `o` is not this person's own.
fn of_others(location: &Location, dialect: Dialect) -> String {
    let is_ours = quote::all_equal(&quote::key(location, "o", dialect), &quote::reach_key(location.key_width(), "x"));
    format!("NOT EXISTS (SELECT 1 FROM {} x WHERE {is_ours} AND x.rights = 2 AND x.round >= 0)", location.reach())
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
