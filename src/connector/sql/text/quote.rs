//! Quoting of names, and comparisons that no collation can bend.

use super::mysql;
use crate::connector::sql::{Column, Location, RowKey, Table, TableName};
use crate::db::Dialect;
use crate::plan::Referrer;

/// A quoted identifier. Names come from the live catalogue, which refuses those with a NUL ([`crate::connector::sql::load_catalogue`]);
/// should one get here all the same, it neither ends the text early nor turns into the name of something else: it names nothing.
pub fn ident(name: &str) -> String {
    format!("\"{}\"", name.replace('\0', "\u{fffd}").replace('"', "\"\""))
}

/// A quoted, schema-qualified table; by its name alone where no schema is known (a temporary table of the session).
pub fn table(name: &TableName) -> String {
    if name.schema.is_empty() {
        return ident(&name.name);
    }
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
        RowKey::Physical if location.is_known_by_content() && dialect != Dialect::MySql => {
            let names: Vec<String> = location.table.columns.iter().map(|column| column.name.clone()).collect();
            vec![fingerprint(&location.table, &names, alias, dialect)]
        }
        RowKey::Physical => match dialect {
            Dialect::Postgres => vec![format!("{alias}.ctid")],
            Dialect::Sqlite => vec![format!("{alias}.rowid")],
            // MySQL shows no address of a row: all its columns together have to do. Equal rows are then one.
            Dialect::MySql => vec![mysql::whole_row(&location.table, alias)],
        },
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

/// Equality of stored keys with keys at hand, pairwise; on MySQL also of the bytes of text, because its `=` folds what is not the same key.
pub fn same_key(location: &Location, stored: &[String], at_hand: &[String], dialect: Dialect) -> String {
    let mut text = all_equal(stored, at_hand);
    if let (Dialect::MySql, RowKey::Primary(columns)) = (dialect, &location.key) {
        for ((column, stored), given) in columns.iter().zip(stored).zip(at_hand) {
            if column.column_type.is_text_like() {
                text.push_str(&format!(" AND {} = {}", mysql::bytes_of(stored), mysql::bytes_of(given)));
            }
        }
    }
    text
}

/// Equality of two columns across an edge, bytewise where they hold text (I-1). Columns of types that do not compare are compared by
/// their text.
pub fn edge_equal(left: (&str, Option<&Column>), right: (&str, Option<&Column>), dialect: Dialect) -> String {
    match dialect {
        Dialect::Sqlite => format!("{} = {} COLLATE BINARY", left.0, right.0),
        Dialect::MySql => mysql::edge_equal(left, right),
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
        Dialect::MySql => mysql::bytes_of(expression),
    }
}

/// The same for a column of a table. MySQL's text of bits, bytes and short floats would not read back, so that they are written out.
pub fn column_text(table: &Table, alias: &str, name: &str, dialect: Dialect) -> String {
    let expression = column(alias, name);
    match (dialect, table.column(name)) {
        (Dialect::MySql, Some(live)) => mysql::text_of(live, &expression),
        _ => as_text(&expression, dialect),
    }
}

/// The text of a part of a reached row's key.
pub fn key_text(location: &Location, part: usize, dialect: Dialect) -> String {
    let stored = format!("k{}", part + 1);
    match (dialect, &location.key) {
        (Dialect::MySql, RowKey::Primary(columns)) => mysql::text_of(&columns[part], &stored),
        _ => as_text(&stored, dialect),
    }
}

/// A whole number of 64 bits.
pub fn as_integer(expression: &str, dialect: Dialect) -> String {
    let kind = if dialect == Dialect::MySql { "signed" } else { "bigint" };
    format!("CAST({expression} AS {kind})")
}

/// The parts of a key on their way out, named `k1…`: as text that reads back, in SQLite as they are stored.
pub fn key_out(location: &Location, parts: &[String], dialect: Dialect) -> Vec<String> {
    let parts = match dialect {
        Dialect::Postgres => parts.iter().map(|part| format!("{part}::text")).collect(),
        Dialect::Sqlite => parts.to_vec(),
        Dialect::MySql => mysql::key_out(location, parts),
    };
    parts.iter().enumerate().map(|(at, part)| format!("{part} AS k{}", at + 1)).collect()
}

/// That a value is NULL. MySQL's IS NULL takes a date of zeros for NULL where the column is NOT NULL.
pub fn is_null(expression: &str, dialect: Dialect) -> String {
    match dialect {
        Dialect::MySql => format!("{expression} <=> NULL"),
        Dialect::Postgres | Dialect::Sqlite => format!("{expression} IS NULL"),
    }
}

/// Text that is NULL.
pub fn null_text(dialect: Dialect) -> &'static str {
    if dialect == Dialect::MySql { "CAST(NULL AS char)" } else { "CAST(NULL AS text)" }
}

/// One text that stands for the values of several columns and can be mistaken for no other values: the owner fingerprint.
pub fn fingerprint(table: &Table, columns: &[String], alias: &str, dialect: Dialect) -> String {
    if columns.is_empty() {
        return "''".to_owned();
    }
    let quoted: Vec<String> = columns.iter().map(|name| column(alias, name)).collect();
    match dialect {
        Dialect::Postgres => format!("ROW({})::text", quoted.join(", ")),
        Dialect::Sqlite => quoted.iter().map(|c| format!("quote({c})")).collect::<Vec<_>>().join(" || ',' || "),
        Dialect::MySql => mysql::fingerprint(table, columns, alias),
    }
}

/// The fingerprint with some counts behind it.
pub fn fingerprint_with_counts(table: &Table, columns: &[String], counts: &[String], alias: &str, dialect: Dialect) -> String {
    let text = fingerprint(table, columns, alias, dialect);
    if counts.is_empty() {
        return text;
    }
    let counts: Vec<String> = counts.iter().map(|count| as_text(count, dialect)).collect();
    match dialect {
        Dialect::MySql => format!("CONCAT({text}, '#', {})", counts.join(", '#', ")),
        Dialect::Postgres | Dialect::Sqlite => format!("{text} || '#' || {}", counts.join(" || '#' || ")),
    }
}

/// Table and condition of the rows under an alias that refer to the row under another.
pub fn referring(referrer: &Referrer, alias: &str, row: &str) -> String {
    let name = TableName { schema: referrer.schema.clone(), name: referrer.table.clone() };
    let columns: Vec<String> = referrer.columns.iter().map(|name| column(alias, name)).collect();
    let referred: Vec<String> = referrer.referred.iter().map(|name| column(row, name)).collect();
    format!("{} {alias} WHERE {}", table(&name), all_equal(&referred, &columns))
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
