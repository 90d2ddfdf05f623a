//! Values inside JSON columns, for identities and references that stand in sub-fields: every scalar at a path, arrays on the way gone through
//! element by element, however deep they are nested. Keys and values are compared as the text that JSON says, never by a collation.

use super::{Builder, quote, reach};
use crate::connector::sql::{Location, Table};
use crate::datamap::{Edge, Spot};
use crate::db::{Arg, Dialect};

/// A subquery with the one column `v`: the scalar values at a spot of a row of `alias`, as text, JSON's null left out. Nothing where the
/// column is no JSON; nothing on MySQL, for which the map is refused.
pub fn values(builder: &mut Builder, table: &Table, alias: &str, spot: &Spot, dialect: Dialect) -> String {
    let column = quote::column(alias, &spot.column);
    let length = spot.path.len();
    match dialect {
        Dialect::Postgres => {
            let is_binary = table.column(&spot.column).is_some_and(|live| live.declared_type == "jsonb");
            let json = if is_binary { "jsonb" } else { "json" };
            let path = format!("{}::text[]", builder.bind(Arg::TextArray(spot.path.iter().cloned().map(Some).collect())));
            format!(
                "(WITH RECURSIVE w(v, at) AS (SELECT {column}::{json}, 0 UNION ALL SELECT n.v, n.at FROM w CROSS JOIN LATERAL (\
                 SELECT e.value AS v, w.at AS at FROM {json}_array_elements(CASE WHEN {json}_typeof(w.v) = 'array' THEN w.v ELSE '[]' END) e \
                 UNION ALL SELECT e.value, w.at + 1 FROM {json}_each(CASE WHEN {json}_typeof(w.v) = 'object' THEN w.v ELSE '{{}}' END) e \
                 WHERE convert_to(e.key, 'UTF8') = convert_to(({path})[w.at + 1], 'UTF8')) n) \
                 SELECT v #>> '{{}}' AS v FROM w WHERE at = {length} AND {json}_typeof(v) NOT IN ('array', 'object', 'null'))"
            )
        }
        Dialect::Sqlite => {
            let key = keys(builder, spot);
            format!(
                "(WITH RECURSIVE n AS MATERIALIZED (SELECT id, parent, key, type, atom FROM json_tree(CASE WHEN json_valid({column}) THEN {column} END)), \
                 w(id, type, atom, at) AS (SELECT id, type, atom, 0 FROM n WHERE parent IS NULL \
                 UNION ALL SELECT n.id, n.type, n.atom, CASE WHEN w.type = 'array' THEN w.at ELSE w.at + 1 END FROM w JOIN n ON n.parent = w.id \
                 WHERE w.type = 'array' OR (w.type = 'object' AND n.key = {key} COLLATE BINARY)) \
                 SELECT CAST(atom AS TEXT) AS v FROM w WHERE at = {length} AND type NOT IN ('array', 'object', 'null'))"
            )
        }
        Dialect::MySql => "(SELECT NULL AS v FROM DUAL WHERE 1 = 0)".to_owned(),
    }
}

/// The key that leads on from each depth. A value beside the path has none, and leads nowhere.
fn keys(builder: &mut Builder, spot: &Spot) -> String {
    if spot.path.is_empty() {
        return "NULL".to_owned();
    }
    let cases: Vec<String> =
        spot.path.iter().enumerate().map(|(at, key)| format!("WHEN {at} THEN {}", builder.bind(key.as_str()))).collect();
    format!("CASE w.at {} END", cases.join(" "))
}

/// Whether one of the values at a spot equals an expression, by its text.
pub fn has(builder: &mut Builder, table: &Table, alias: &str, spot: &Spot, expression: &str, dialect: Dialect) -> String {
    let values = values(builder, table, alias, spot, dialect);
    format!("EXISTS (SELECT 1 FROM {values} j WHERE {})", same("j.v", &quote::as_text(expression, dialect), dialect))
}

/// Equality of two texts by their bytes.
pub fn same(left: &str, right: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Postgres => format!("convert_to({left}, 'UTF8') = convert_to({right}, 'UTF8')"),
        Dialect::Sqlite | Dialect::MySql => format!("{left} = {right} COLLATE BINARY"),
    }
}

/// Whether there is any value at a spot.
pub fn any(builder: &mut Builder, table: &Table, alias: &str, spot: &Spot, dialect: Dialect) -> String {
    format!("EXISTS (SELECT 1 FROM {} j)", values(builder, table, alias, spot, dialect))
}

/// The conditions under which a start of an edge, given by its expressions, meets the end `b`.
pub fn pairs(
    builder: &mut Builder,
    edge: &Edge,
    from: &Location,
    to: &Location,
    starts: &[String],
    dialect: Dialect,
) -> Vec<String> {
    if let (Some(spot), Some(start)) = (edge.inside(), starts.first()) {
        return vec![has(builder, &to.table, "b", &spot, start, dialect)];
    }
    reach::edge_pairs(edge, from, to, starts, dialect)
}

/// The text of the values at a spot, what has to be joined to the row for it, and when there is one.
pub fn joined_values(builder: &mut Builder, table: &Table, alias: &str, spot: &Spot, dialect: Dialect) -> (String, String, String) {
    let values = values(builder, table, alias, spot, dialect);
    let always = "1 = 1".to_owned();
    match dialect {
        Dialect::Postgres | Dialect::MySql => ("j.v".to_owned(), format!("CROSS JOIN LATERAL {values} j"), always),
        // A subquery in FROM sees no other table there; an argument of a function does.
        Dialect::Sqlite => {
            let list = format!("CROSS JOIN json_each((SELECT json_group_array(g.v) FROM {values} g)) j");
            ("CAST(j.value AS TEXT)".to_owned(), list, always)
        }
    }
}

/// Whether the row has exactly one value at a spot, as 1 or 0.
pub fn is_single(builder: &mut Builder, table: &Table, alias: &str, spot: &Spot, dialect: Dialect) -> String {
    format!("CASE WHEN (SELECT COUNT(*) FROM {} c) = 1 THEN 1 ELSE 0 END", values(builder, table, alias, spot, dialect))
}
