//! Edges that lead from one source to another. No database can join them: values are read at the edge's start as text, and looked for at its
//! end, many at a time, so that the number of statements grows with batches and not with rows. Bytes decide, as everywhere (I-1).

use super::{Builder, Statement, mysql_reach, predicate, quote, reach, reached};
use crate::connector::sql::{Column, Location, Table};
use crate::datamap::{Edge, Right};
use crate::db::Dialect;
use crate::value::ColumnType;

/// Values that one statement looks for. SQLite takes 32,766 arguments, PostgreSQL and MySQL 65,535.
pub const VALUES_AT_ONCE: usize = 500;

/// The values of an edge's columns in one row, as text.
pub type Values = Vec<String>;

/// Distinct values at the start of an edge that leads to another source, from rows of one round, as text.
pub fn outgoing(edge: &Edge, from: &Location, round: i64, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(from, "a", dialect), &quote::reach_key(from.key_width(), "r"));
    let values: Vec<String> = edge
        .from_columns
        .iter()
        .enumerate()
        .map(|(at, name)| format!("{} AS v{}", quote::column_text(&from.table, "a", name, dialect), at + 1))
        .collect();
    let mut builder = Builder::new(String::new());
    let current = builder.bind(round);
    builder.text = format!(
        "SELECT DISTINCT {values}, {rights} AS rights FROM {reach} r JOIN {table} a ON {own} WHERE r.round = {current}{own_people} AND {present}",
        values = values.join(", "),
        own_people = reach::of_own_people(edge, "r"),
        rights = quote::as_integer("r.rights", dialect),
        reach = from.reach(),
        table = quote::table(&from.table.name),
        present = present("a", &edge.from_columns),
    );
    builder.finish()
}

/// Rows at the end of an edge that comes from another source, with one of these values.
pub fn arrive(
    edge: &Edge,
    to: &Location,
    values: &[Values],
    rights: i64,
    round: i64,
    dialect: Dialect,
) -> Result<Statement, String> {
    let names: Vec<String> = (1..=to.key_width()).map(|part| format!("k{part}")).collect();
    let keys = quote::key(to, "b", dialect);
    let granted = match edge.right {
        Right::Owns => rights,
        Right::Accesses => 1,
        Right::None => 0,
    };
    let mut builder = Builder::new(String::new());
    let next = builder.bind(round + 1);
    let right = builder.bind(granted);
    let mut on = one_of(&mut builder, &to.table, "b", &edge.to_columns, values, dialect);
    on.push_str(&filter(&mut builder, edge, to, dialect)?);
    if dialect == Dialect::MySql {
        let body = format!("FROM {} b WHERE {on}", quote::table(&to.table.name));
        return Ok(mysql_reach::arrive(builder, to, &keys, [&right, &next, "0"], &body, true));
    }
    builder.text = format!(
        "INSERT INTO {reach} ({names}, rights, round, seeded, shared) \
         SELECT {keys}, CAST({right} AS bigint), CAST({next} AS bigint), 0, 0 FROM {table} b WHERE {on} \
         ON CONFLICT ({names}) DO UPDATE SET rights = excluded.rights, round = excluded.round WHERE {rises}",
        rises = reach::rises("excluded.rights", &to.reach()),
        reach = to.reach(),
        names = names.join(", "),
        keys = keys.join(", "),
        table = quote::table(&to.table.name),
    );
    Ok(builder.finish())
}

/// Values at an edge's start that rows of this subject alone have, as text, and no row of anybody else: over a column that is no key, a
/// stranger's row may lead to the same end (O-1).
pub fn owned_values(edge: &Edge, from: &Location, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(from, "a", dialect), &quote::reach_key(from.key_width(), "r"));
    let values: Vec<String> = edge.from_columns.iter().map(|name| quote::column_text(&from.table, "a", name, dialect)).collect();
    let mut builder = Builder::new(String::new());
    let strangers = match quote::is_key(&from.table, &edge.from_columns) {
        true => String::new(),
        false => {
            let ours = reached::beside(&mut builder, from, from, dialect);
            format!(" AND NOT {}", reach::strangers_like(edge, "a", from, &ours, dialect))
        }
    };
    builder.text = format!(
        "SELECT DISTINCT {values} FROM {reach} r JOIN {table} a ON {own} WHERE r.rights = 2 AND r.shared = 0 AND {present}{strangers}",
        values = values.join(", "),
        reach = from.reach(),
        table = quote::table(&from.table.name),
        present = present("a", &edge.from_columns),
    );
    builder.finish()
}

/// Marks rows as shared whose columns at the edge's end hold values other than ours: first all that hold any, then frees those that hold
/// one of ours and are not shared for another reason (`shared` is 2 in between).
pub fn mark_shared(edge: &Edge, to: &Location, ours: &[Values], dialect: Dialect) -> Result<Vec<Statement>, String> {
    let table = quote::table(&to.table.name);
    let own = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), &to.reach()));
    let mut builder = Builder::new(String::new());
    let filter = filter(&mut builder, edge, to, dialect)?;
    let holds_any = format!(
        "rights = 2 AND shared = 0 AND EXISTS (SELECT 1 FROM {table} b WHERE {own} AND {}{filter})",
        present("b", &edge.to_columns)
    );
    let mut statements = vec![reached::update(builder, to, &[("shared", "2")], &holds_any, dialect)];
    for some in ours.chunks(VALUES_AT_ONCE) {
        let mut builder = Builder::new(String::new());
        let same = one_of(&mut builder, &to.table, "b", &edge.to_columns, some, dialect);
        let holds_ours = format!("shared = 2 AND EXISTS (SELECT 1 FROM {table} b WHERE {own} AND {same})");
        statements.push(reached::update(builder, to, &[("shared", "0")], &holds_ours, dialect));
    }
    statements.push(Builder::new(format!("UPDATE {} SET shared = 1 WHERE shared = 2", to.reach())).finish());
    Ok(statements)
}

/// The condition that columns hold one of these value lists. PostgreSQL finds the candidates by index where the type allows it.
pub fn one_of(
    builder: &mut Builder,
    table: &Table,
    alias: &str,
    columns: &[String],
    values: &[Values],
    dialect: Dialect,
) -> String {
    let [column] = columns else {
        let lists = values.iter().map(|list| {
            let same = columns.iter().zip(list).map(|(name, value)| {
                let place = builder.bind(value.as_str());
                format!("{} = {place}", quote::column_text(table, alias, name, dialect))
            });
            format!("({})", same.collect::<Vec<_>>().join(" AND "))
        });
        return format!("({})", lists.collect::<Vec<_>>().join(" OR "));
    };
    let text = quote::column_text(table, alias, column, dialect);
    let places = |builder: &mut Builder| -> String {
        values.iter().filter_map(|list| list.first()).map(|value| builder.bind(value.as_str())).collect::<Vec<_>>().join(", ")
    };
    match (dialect, table.column(column)) {
        (Dialect::Postgres, Some(live)) => {
            let stored = quote::column(alias, column);
            match candidates(builder, live, &stored, values) {
                Some(condition) => condition,
                None => format!("convert_to({text}, 'UTF8') IN ({})", as_bytes(&places(builder))),
            }
        }
        _ => format!("{text} IN ({})", places(builder)),
    }
}

/// A condition that an index can answer: for text with a comparison of bytes beside it, for numbers and UUIDs by value. Values that the type
/// cannot hold are in no row. `None` for types whose text may not read back.
fn candidates(builder: &mut Builder, live: &Column, stored: &str, values: &[Values]) -> Option<String> {
    let given = values.iter().filter_map(|list| list.first());
    let places: Vec<String> = match live.column_type {
        ColumnType::Integer => given
            .filter_map(|value| value.parse::<i64>().ok().filter(|number| number.to_string() == *value))
            .map(|number| builder.bind(number))
            .collect(),
        ColumnType::Uuid => given
            .filter_map(|value| uuid::Uuid::parse_str(value).ok())
            .map(|parsed| format!("{}::text::uuid", builder.bind(parsed.to_string())))
            .collect(),
        kind if kind.is_text_like() => {
            let places = given.map(|value| builder.bind(value.as_str())).collect::<Vec<_>>().join(", ");
            return Some(format!("({stored} IN ({places}) AND convert_to({stored}::text, 'UTF8') IN ({}))", as_bytes(&places)));
        }
        _ => return None,
    };
    Some(if places.is_empty() { "(1 = 0)".to_owned() } else { format!("{stored} IN ({})", places.join(", ")) })
}

/// `convert_to($1, 'UTF8'), …` of a list of placeholders.
fn as_bytes(places: &str) -> String {
    places.split(", ").map(|place| format!("convert_to({place}, 'UTF8')")).collect::<Vec<_>>().join(", ")
}

fn present(alias: &str, columns: &[String]) -> String {
    columns.iter().map(|name| format!("{} IS NOT NULL", quote::column(alias, name))).collect::<Vec<_>>().join(" AND ")
}

fn filter(builder: &mut Builder, edge: &Edge, to: &Location, dialect: Dialect) -> Result<String, String> {
    match &edge.filter {
        Some(filter) => Ok(format!(" AND {}", predicate::condition(builder, filter, &to.table, "b", dialect)?)),
        None => Ok(String::new()),
    }
}
