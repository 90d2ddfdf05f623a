//! The way to a held record: the rows through which the person's identifiers lead to it. While the record is kept they are kept as well,
//! because after them nobody could find it any more, and what a hold kept would be left over when the hold is released.

use super::across::{self, Values};
use super::{Builder, Statement, inside, quote, reached};
use crate::connector::sql::Location;
use crate::datamap::{Edge, Predicate};
use crate::db::{Arg, Dialect};

/// Held rows at an edge's end that are the subject's, or of which something is to be cleared when the hold is released.
fn held(edge: &Edge, alias: &str) -> String {
    let theirs = if edge.unlink { "1 = 1".to_owned() } else { format!("{alias}.rights = 2") };
    format!("{alias}.fate = 3 AND {alias}.ground = 'hold' AND {theirs}")
}

/// How many rows of a location are held.
pub fn held_count(location: &Location) -> Statement {
    Builder::new(format!("SELECT COUNT(*) AS n FROM {} WHERE fate = 3 AND ground = 'hold'", location.reach())).finish()
}

/// Fates that take away a row's place on the way: deleting and clearing always, overwriting only where it touches what leads on.
fn given_up(overwritten_too: bool) -> &'static str {
    if overwritten_too { "1, 2, 4" } else { "1, 4" }
}

/// Keeps rows from which an edge leads to a held row, under the same hold. The number of rows changed is 0 at the fix-point.
pub fn keep(edge: &Edge, from: &Location, to: &Location, overwritten_too: bool, dialect: Dialect) -> Result<Statement, String> {
    let reach = from.reach();
    let start = quote::all_equal(&quote::key(from, "a", dialect), &quote::reach_key(from.key_width(), &reach));
    let end = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), "rc"));
    let mut on = vec![start, end, held(edge, "rc")];
    let mut builder = Builder::new(String::new());
    let starts: Vec<String> = edge.from_columns.iter().map(|name| quote::column("a", name)).collect();
    on.extend(inside::pairs(&mut builder, edge, from, to, &starts, dialect));
    if let Some(filter) = &edge.filter {
        on.push(condition(&mut builder, filter, to, dialect)?);
    }
    let ends = reached::beside(&mut builder, from, to, dialect);
    let body = format!(
        "FROM {ends} rc, {to} b, {from} a WHERE {on}",
        to = quote::table(&to.table.name),
        from = quote::table(&from.table.name),
        on = on.join(" AND "),
    );
    let reference = format!("(SELECT MAX(rc.reference) {body})");
    let condition = format!("fate IN ({fates}) AND rights = 2 AND EXISTS (SELECT 1 {body})", fates = given_up(overwritten_too));
    let sets = [("cut", "0"), ("ground", "'hold'"), ("reference", reference.as_str()), ("fate", "3")];
    Ok(reached::update(builder, from, &sets, &condition, dialect))
}

fn condition(builder: &mut Builder, filter: &Predicate, to: &Location, dialect: Dialect) -> Result<String, String> {
    super::predicate::condition(builder, filter, &to.table, "b", dialect)
}

/// Values at the end of an edge in held rows, as text, each with the matter: for a start in another source.
pub fn held_ends(edge: &Edge, to: &Location, dialect: Dialect) -> Statement {
    let own = quote::all_equal(&quote::key(to, "b", dialect), &quote::reach_key(to.key_width(), "rc"));
    let values: Vec<String> = edge.to_columns.iter().map(|name| quote::column_text(&to.table, "b", name, dialect)).collect();
    let present: Vec<String> = edge.to_columns.iter().map(|name| format!("{} IS NOT NULL", quote::column("b", name))).collect();
    Builder::new(format!(
        "SELECT DISTINCT {values}, rc.reference FROM {reach} rc JOIN {table} b ON {own} WHERE {held} AND {present}",
        values = values.join(", "),
        reach = to.reach(),
        table = quote::table(&to.table.name),
        held = held(edge, "rc"),
        present = present.join(" AND "),
    ))
    .finish()
}

/// Keeps rows with one of those value lists at the edge's start.
pub fn keep_with(
    edge: &Edge,
    from: &Location,
    values: &[Values],
    matter: Arg,
    overwritten_too: bool,
    dialect: Dialect,
) -> Statement {
    let reach = from.reach();
    let mut on = vec![quote::all_equal(&quote::key(from, "a", dialect), &quote::reach_key(from.key_width(), &reach))];
    let mut builder = Builder::new(String::new());
    let matter = builder.bind(matter);
    on.push(across::one_of(&mut builder, &from.table, "a", &edge.from_columns, values, dialect));
    let condition = format!(
        "fate IN ({fates}) AND rights = 2 AND EXISTS (SELECT 1 FROM {table} a WHERE {on})",
        fates = given_up(overwritten_too),
        table = quote::table(&from.table.name),
        on = on.join(" AND "),
    );
    let sets = [("cut", "0"), ("ground", "'hold'"), ("reference", matter.as_str()), ("fate", "3")];
    reached::update(builder, from, &sets, &condition, dialect)
}
