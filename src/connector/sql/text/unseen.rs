//! Rows that merely name the subject over a reference that gives nothing and is cut on erasure (`right: none, on_erasure: unlink`). They are
//! in nobody's archive and never erased: they come with the right 0, are kept, and lose the column that names the subject.

use super::{Builder, Statement, mysql_reach, quote, reach};
use crate::connector::sql::Location;
use crate::datamap::Edge;
use crate::db::Dialect;

/// Adds the rows at an edge's end that name a row which is this subject's alone; those that are known already stay as they are.
pub fn arrive(edge: &Edge, from: &Location, to: &Location, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let keys = quote::key(to, "b", dialect);
    let join = reach::joined(&mut builder, edge, from, to, dialect)?;
    let body = format!("{join} WHERE r.rights = 2 AND r.shared = 0 GROUP BY {}", keys.join(", "));
    if dialect == Dialect::MySql {
        return Ok(mysql_reach::arrive(builder, to, &keys, ["0", "0", "0"], &body, false));
    }
    let names: Vec<String> = (1..=to.key_width()).map(|part| format!("k{part}")).collect();
    let names = names.join(", ");
    builder.text = format!(
        "INSERT INTO {reach} ({names}, rights, round, seeded, shared) SELECT {keys}, 0, 0, 0, 0 {body} ON CONFLICT ({names}) DO NOTHING",
        reach = to.reach(),
        keys = keys.join(", "),
    );
    Ok(builder.finish())
}
