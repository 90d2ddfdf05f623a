//! Quoting of names, and comparisons that no collation can bend.

use crate::connector::sql::{Column, Location, RowKey, Table, TableName};
use crate::db::Dialect;
use crate::plan::Referrer;

/// A quoted identifier. Names come from the live catalogue, which refuses those with a NUL ([`crate::connector::sql::load_catalogue`]);
/// should one get here all the same, it neither ends the text early nor turns into the name of something else: it names nothing.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "\u{fffd}").replace('"', "\"\""))
}

/// A quoted, schema-qualified table.
pub fn table(name: &TableName) -> String {
    format!("{}.{}", ident(&name.schema), ident(&name.name))
}

/// `alias."column"`.
pub fn column(alias: &str, name: &str) -> String {
    format!("{alias}.{}", ident(name))
}

/// The expressions of a row's key under an alias.
pub fn key(location: &Location, alias: &str, dialect: Dialect) -> Vec<String> {
    match &location.key {
        RowKey::Primary(columns) => columns.iter().map(|c| column(alias, &c.name)).collect(),
        RowKey::Physical if dialect == Dialect::Postgres => vec![format!("{alias}.ctid")],
        RowKey::Physical => vec![format!("{alias}.rowid")],
    }
}

/// `k1, k2, …` under an alias.
pub fn reach_key(width: usize, alias: &str) -> Vec<String> {
    (1..=width).map(|part| format!("{alias}.k{part}")).collect()
}

/// `a = b AND …`, pairwise.
pub fn all_equal(left: &[String], right: &[String]) -> String {
    left.iter().zip(right).map(|(l, r)| format!("{l} = {r}")).collect::<Vec<_>>().join(" AND ")
}

/// Equality of two columns across an edge, bytewise where they hold text (I-1). Columns of types that do not compare are compared by
/// their text.
pub fn edge_equal(left: (&str, Option<&Column>), right: (&str, Option<&Column>), dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => format!("{} = {} COLLATE BINARY", left.0, right.0),
        Dialect::Postgres => {
            let (Some(left_column), Some(right_column)) = (left.1, right.1) else {
                return format!("{} = {}", left.0, right.0);
            };
            let family = |c: &Column| (c.column_type, c.column_type == crate::value::ColumnType::Other).0;
            let numeric =
                |c: &Column| matches!(c.column_type, crate::value::ColumnType::Integer | crate::value::ColumnType::Decimal);
            if left_column.column_type.is_text_like() && right_column.column_type.is_text_like() {
                // `=` finds the candidates by index; a collation or type that folds case does not decide.
                format!("({0} = {1} AND convert_to({0}::text, 'UTF8') = convert_to({1}::text, 'UTF8'))", left.0, right.0)
            } else if family(left_column) == family(right_column) || (numeric(left_column) && numeric(right_column)) {
                format!("{} = {}", left.0, right.0)
            } else {
                format!("{}::text = {}::text", left.0, right.0)
            }
        }
    }
}

/// The text of a value in the database's own output form, which reads back exactly.
pub fn as_text(expression: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => format!("CAST({expression} AS TEXT)"),
        Dialect::Postgres => format!("{expression}::text"),
    }
}

/// One text that stands for the values of several columns and can be mistaken for no other values: the owner fingerprint.
pub fn fingerprint(columns: &[String], alias: &str, dialect: Dialect) -> String {
    if columns.is_empty() {
        return "''".to_owned();
    }
    let quoted: Vec<String> = columns.iter().map(|name| column(alias, name)).collect();
    match dialect {
        Dialect::Postgres => format!("ROW({})::text", quoted.join(", ")),
        Dialect::Sqlite => quoted.iter().map(|c| format!("quote({c})")).collect::<Vec<_>>().join(" || ',' || "),
    }
}

/// The fingerprint with some counts behind it.
pub fn fingerprint_with_counts(columns: &[String], counts: &[String], alias: &str, dialect: Dialect) -> String {
    let mut text = fingerprint(columns, alias, dialect);
    for count in counts {
        text.push_str(&format!(" || '#' || {}", as_text(count, dialect)));
    }
    text
}

/// Table and condition of the rows under an alias that refer to the row under another.
pub fn referring(referrer: &Referrer, alias: &str, row: &str) -> String {
    let name = TableName { schema: referrer.schema.clone(), name: referrer.table.clone() };
    let columns: Vec<String> = referrer.columns.iter().map(|name| column(alias, name)).collect();
    let referred: Vec<String> = referrer.referred.iter().map(|name| column(row, name)).collect();
    format!("{} {alias} WHERE {}", table(&name), all_equal(&columns, &referred))
}

/// Whether all these columns are exactly the table's key, so that the reached keys can stand for them.
pub fn is_key(table: &Table, columns: &[String]) -> bool {
    table.primary_key == columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_leave_its_quotes() {
        assert_eq!(ident("a\"; DROP TABLE x; --"), "\"a\"\"; DROP TABLE x; --\"");
        assert_eq!(ident("nul\0l"), "\"nul\u{fffd}l\"", "not \"null\", which may be there");
    }
}
