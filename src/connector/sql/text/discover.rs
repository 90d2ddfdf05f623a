//! Statements by which `habeas map discover` looks at a source: samples of rows with their values cut short, the ends of indexed columns,
//! and how many of some values another column has. Each reads a bounded number of rows; none writes.

use super::{Builder, Statement, mysql, quote};
use crate::connector::sql::{Column, TableName};
use crate::db::{Arg, Dialect, Sql};
use crate::value::ColumnType;

/// Characters of a value that are looked at.
const CUT: usize = 80;

/// Which rows of a table a sample takes.
#[derive(Debug, Clone, PartialEq)]
pub enum Rows {
    /// The first so many; of a small table, all.
    First(u64),
    /// A share of the blocks in percent, and so many rows at most (PostgreSQL). The same blocks each time.
    Blocks {
        /// Percent of the blocks.
        percent: f64,
        /// Rows at most.
        limit: u64,
    },
    /// So many rows from each of these numbers on.
    From {
        /// The column of whole numbers that has an index; of a SQLite table its `rowid` when absent.
        by: Option<String>,
        /// Where each stretch begins.
        starts: Vec<i64>,
        /// Rows of each.
        rows: u64,
    },
}

/// `SELECT` the text of each column, cut short. Bytes, and what our role may not read, come as NULL.
pub fn sample(table: &TableName, columns: &[Column], rows: &Rows, dialect: Dialect) -> Sql {
    let selected: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = quote::ident(&column.name);
            match (column.column_type, dialect) {
                _ if !column.may_select => "NULL".to_owned(),
                (ColumnType::Bytes, _) => "NULL".to_owned(),
                (_, Dialect::Postgres) => format!("left({name}::text, {CUT})"),
                (_, Dialect::Sqlite) => format!("substr(CAST({name} AS TEXT), 1, {CUT})"),
                (_, Dialect::MySql) => format!("LEFT({}, {CUT})", mysql::value_of(column, &name)),
            }
        })
        .collect();
    let (selected, table) = (selected.join(", "), quote::table(table));
    Sql::built(match rows {
        Rows::First(limit) => format!("SELECT {selected} FROM {table} LIMIT {limit}"),
        Rows::Blocks { percent, limit } => {
            format!("SELECT {selected} FROM {table} TABLESAMPLE SYSTEM ({percent:.6}) REPEATABLE (1) LIMIT {limit}")
        }
        Rows::From { by, starts, rows } => {
            let by = by.as_ref().map_or("rowid".to_owned(), |name| quote::ident(name));
            let select = |start: &i64| format!("SELECT {selected} FROM {table} WHERE {by} >= {start} ORDER BY {by} LIMIT {rows}");
            let stretch = |start: &i64| match dialect {
                Dialect::MySql => format!("({})", select(start)),
                _ => format!("SELECT * FROM ({})", select(start)),
            };
            starts.iter().map(stretch).collect::<Vec<_>>().join(" UNION ALL ")
        }
    })
}

/// The smallest and the largest `rowid` of a SQLite table as `low` and `high`.
pub fn rowids(table: &TableName) -> Sql {
    let table = quote::table(table);
    Sql::built(format!("SELECT (SELECT min(rowid) FROM {table}) AS low, (SELECT max(rowid) FROM {table}) AS high"))
}

/// The smallest and the largest value of a column of whole numbers as `low` and `high`: cheap where an index begins with it.
pub fn ends(table: &TableName, column: &str, dialect: Dialect) -> Sql {
    let (name, table) = (quote::ident(column), quote::table(table));
    let as_integer = |end: &str| match dialect {
        Dialect::Postgres => format!("(SELECT {end}({name}) FROM {table})::int8"),
        Dialect::Sqlite => format!("(SELECT CAST({end}({name}) AS INTEGER) FROM {table})"),
        Dialect::MySql => format!("CAST((SELECT {end}({name}) FROM {table}) AS SIGNED)"),
    };
    Sql::built(format!("SELECT {} AS low, {} AS high", as_integer("min"), as_integer("max")))
}

/// Of these tuples of texts (one list for each column), how many the columns of a table have, as `n`.
pub fn how_many_exist(table: &TableName, columns: &[&Column], tuples: &[Vec<String>], dialect: Dialect) -> Statement {
    let mut builder = Builder::new("SELECT count(*) AS n FROM ");
    let mut equal = Vec::new();
    match dialect {
        Dialect::Postgres => {
            let lists: Vec<String> = (0..columns.len())
                .map(|part| {
                    let list: Vec<Option<String>> = tuples.iter().map(|tuple| tuple.get(part).cloned()).collect();
                    format!("{}::text[]", builder.bind(Arg::TextArray(list)))
                })
                .collect();
            let names: Vec<String> = (1..=columns.len()).map(|part| format!("v{part}")).collect();
            builder.push(&format!("unnest({}) AS given({})", lists.join(", "), names.join(", ")));
            for (name, column) in names.iter().zip(columns) {
                equal.push(format!("{} = given.{name}::{}", quote::column("t", &column.name), comparable(column)));
            }
        }
        Dialect::MySql => {
            let mut rows = Vec::new();
            for tuple in tuples {
                let places: Vec<String> = tuple.iter().map(|part| builder.bind(part.as_str())).collect();
                let parts = places.iter().zip(columns).enumerate();
                let parts: Vec<String> =
                    parts.map(|(at, (place, column))| format!("{} AS v{}", mysql::as_comparable(place, column), at + 1)).collect();
                rows.push(format!("SELECT {}", parts.join(", ")));
            }
            builder.push(&format!("({}) AS given", rows.join(" UNION ALL ")));
            for (part, column) in columns.iter().enumerate() {
                equal.push(format!("{} = given.v{}", quote::column("t", &column.name), part + 1));
            }
        }
        Dialect::Sqlite => {
            let document = serde_json::Value::from(tuples.to_vec()).to_string();
            let place = builder.bind(document);
            builder.push(&format!("json_each({place}) AS given"));
            for (part, column) in columns.iter().enumerate() {
                equal.push(format!("{} = json_extract(given.value, '$[{part}]')", quote::column("t", &column.name)));
            }
        }
    }
    builder.push(&format!(" WHERE EXISTS (SELECT 1 FROM {} t WHERE {})", quote::table(table), equal.join(" AND ")));
    builder.finish()
}

/// The type in which a column meets the text of a value without refusing it for its width.
fn comparable(column: &Column) -> &'static str {
    match column.column_type {
        ColumnType::Integer => "int8",
        ColumnType::Decimal => "numeric",
        ColumnType::Uuid => "uuid",
        _ => "text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(name: &str, column_type: ColumnType) -> Column {
        Column {
            name: name.into(),
            declared_type: String::new(),
            column_type,
            not_null: false,
            generated: false,
            max_length: None,
            collation: None,
            may_select: true,
            may_update: true,
            computed_from: Vec::new(),
        }
    }

    fn notes() -> TableName {
        TableName { schema: "public".into(), name: "notes".into() }
    }

    #[test]
    fn a_sample_cuts_values_short_and_reads_no_bytes() {
        let columns = [column("body", ColumnType::Text), column("scan", ColumnType::Bytes)];
        let blocks = Rows::Blocks { percent: 0.5, limit: 9 };
        assert_eq!(
            sample(&notes(), &columns, &blocks, Dialect::Postgres).as_str(),
            "SELECT left(\"body\"::text, 80), NULL FROM \"public\".\"notes\" TABLESAMPLE SYSTEM (0.500000) REPEATABLE (1) LIMIT 9"
        );
    }

    #[test]
    fn s_1_values_that_are_looked_for_are_bound_and_never_text() {
        let id = column("id", ColumnType::Integer);
        for dialect in [Dialect::Postgres, Dialect::Sqlite] {
            let statement = how_many_exist(&notes(), &[&id], &[vec!["4711".into()]], dialect);
            assert!(!statement.sql.as_str().contains("4711"), "{}", statement.sql.as_str());
            assert_eq!(statement.args.len(), 1);
        }
    }
}
