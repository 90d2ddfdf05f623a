//! Statements over a batch of keys from the manifest: delete, overwrite, clear, count. PostgreSQL takes the batch as arrays of text and
//! casts them back to the key's types; SQLite takes it from a temporary table that is filled first.

use super::{Builder, Statement, predicate, quote};
use crate::connector::sql::{Location, RowKey};
use crate::datamap::Predicate;
use crate::db::{Arg, Dialect, Sql};
use crate::plan::Referrer;
use crate::value::{ColumnType, KeyPart};

/// Rows of a batch: keys, owner fingerprints, and new values of masked columns.
#[derive(Debug, Clone, Default)]
pub struct BatchRows {
    /// Keys in manifest order.
    pub keys: Vec<Vec<KeyPart>>,
    /// Owner fingerprint of each; for masks, the fingerprint of the overwritten columns follows it.
    pub fingerprints: Vec<String>,
    /// New values per row, one per changed column (`None` is NULL); empty for deletions.
    pub values: Vec<Vec<Option<String>>>,
}

/// The temporary table of SQLite batches.
const SQLITE_BATCH: &str = "habeas_batch";

/// Creates SQLite's batch table for a location.
pub fn sqlite_create(width: usize, values: usize) -> Sql {
    let keys: Vec<String> = (1..=width).map(|part| format!("k{part}")).collect();
    let values: String = (1..=values).map(|at| format!(", v{at}")).collect();
    Sql::built(format!(
        "DROP TABLE IF EXISTS temp.{SQLITE_BATCH}; CREATE TEMPORARY TABLE {SQLITE_BATCH} ({keys}, fp{values}); \
         CREATE INDEX temp.{SQLITE_BATCH}_key ON {SQLITE_BATCH} ({keys});",
        keys = keys.join(", ")
    ))
}

/// Fills SQLite's batch table with rows `from..to`.
pub fn sqlite_fill(rows: &BatchRows, from: usize, to: usize) -> Statement {
    let mut builder = Builder::new(format!("INSERT INTO temp.{SQLITE_BATCH} VALUES "));
    for at in from..to {
        let mut places: Vec<String> = rows.keys[at].iter().map(|part| builder.bind(key_arg(part))).collect();
        places.push(builder.bind(rows.fingerprints[at].as_str()));
        for value in rows.values.get(at).into_iter().flatten() {
            places.push(builder.bind(value.clone()));
        }
        let glue = if at == from { "" } else { ", " };
        builder.push(&format!("{glue}({})", places.join(", ")));
    }
    builder.finish()
}

fn key_arg(part: &KeyPart) -> Arg {
    match part {
        KeyPart::Null => Arg::Text(None),
        KeyPart::Int(value) => Arg::from(*value),
        KeyPart::Real(bits) => Arg::from(f64::from_bits(*bits)),
        KeyPart::Text(text) => Arg::from(text.as_str()),
        KeyPart::Blob(bytes) => Arg::from(bytes.as_slice()),
    }
}

/// The batch as a table `k` inside a statement, and its key expressions.
fn source(
    builder: &mut Builder,
    location: &Location,
    rows: &BatchRows,
    value_count: usize,
    dialect: Dialect,
) -> (String, Vec<String>) {
    let width = location.key_width();
    if dialect == Dialect::Sqlite {
        return (format!("temp.{SQLITE_BATCH} k"), quote::reach_key(width, "k"));
    }
    let text_of = |part: &KeyPart| match part {
        KeyPart::Text(text) => Some(text.clone()),
        KeyPart::Int(number) => Some(number.to_string()),
        _ => None,
    };
    let mut arrays = Vec::new();
    let mut names = Vec::new();
    for part in 0..width {
        arrays.push(format!("{}::text[]", builder.bind(Arg::TextArray(rows.keys.iter().map(|key| text_of(&key[part])).collect()))));
        names.push(format!("k{}", part + 1));
    }
    arrays.push(format!("{}::text[]", builder.bind(Arg::TextArray(rows.fingerprints.iter().cloned().map(Some).collect()))));
    names.push("fp".to_owned());
    for value in 0..value_count {
        arrays
            .push(format!("{}::text[]", builder.bind(Arg::TextArray(rows.values.iter().map(|row| row[value].clone()).collect()))));
        names.push(format!("v{}", value + 1));
    }
    let keys = (0..width).map(|part| format!("k.k{}::{}", part + 1, location.key_type(part, dialect))).collect();
    (format!("unnest({}) AS k({})", arrays.join(", "), names.join(", ")), keys)
}

/// That a row lies between the smallest and the largest key of the batch, which follows from its key being in the batch. It lets the server
/// read one stretch of the index where the subject's rows lie close together, instead of looking up ten thousand keys one by one; its
/// statistics tell which is better. Only for keys whose order is the same here and there.
fn span(builder: &mut Builder, location: &Location, rows: &BatchRows, dialect: Dialect) -> String {
    let (Dialect::Postgres, RowKey::Primary(columns)) = (dialect, &location.key) else { return String::new() };
    let [column] = columns.as_slice() else { return String::new() };
    if column.column_type != ColumnType::Integer {
        return String::new();
    }
    let number = |key: &Vec<KeyPart>| match key.as_slice() {
        [KeyPart::Text(digits)] => digits.parse::<i64>().ok(),
        _ => None,
    };
    let Some(numbers) = rows.keys.iter().map(number).collect::<Option<Vec<i64>>>() else { return String::new() };
    let (Some(least), Some(most)) = (numbers.iter().min(), numbers.iter().max()) else { return String::new() };
    let (least, most) = (builder.bind(*least), builder.bind(*most));
    format!(" AND {} BETWEEN {least} AND {most}", quote::column("t", &column.name))
}

/// How the rows of a batch are recognised as unchanged since they were frozen.
#[derive(Debug, Clone, Copy)]
pub struct Guard<'a> {
    /// Columns of the fingerprint.
    pub columns: &'a [String],
    /// Predicates of active holds: a row for which one is true or unknown is not touched (H-1).
    pub held: &'a [Predicate],
    /// Tables that must not refer to the row: whoever does owns it too (O-1).
    pub unreferenced: &'a [Referrer],
    /// Tables of which as many rows must refer to it as when it was frozen.
    pub counted: &'a [Referrer],
}

impl Guard<'_> {
    fn fingerprint(&self, dialect: Dialect) -> String {
        let counts: Vec<String> =
            self.counted.iter().map(|referrer| format!("(SELECT COUNT(*) FROM {})", quote::referring(referrer, "o", "t"))).collect();
        quote::fingerprint_with_counts(self.columns, &counts, "t", dialect)
    }

    fn condition(&self, builder: &mut Builder, location: &Location, dialect: Dialect) -> Result<String, String> {
        let mut text = format!("{} = k.fp", self.fingerprint(dialect));
        for held in self.held {
            let condition = predicate::condition(builder, held, &location.table, "t", dialect)?;
            text.push_str(&format!(" AND NOT ({condition} IS NOT FALSE)"));
        }
        for referrer in self.unreferenced {
            text.push_str(&format!(" AND NOT {}", refers(referrer)));
        }
        Ok(text)
    }
}

fn refers(referrer: &Referrer) -> String {
    format!("EXISTS (SELECT 1 FROM {})", quote::referring(referrer, "o", "t"))
}

/// How many rows of the batch are there, unchanged and free.
pub fn count_matching(location: &Location, rows: &BatchRows, guard: Guard<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let (batch, keys) = source(&mut builder, location, rows, 0, dialect);
    let meets = quote::all_equal(&quote::key(location, "t", dialect), &keys) + &span(&mut builder, location, rows, dialect);
    let condition = guard.condition(&mut builder, location, dialect)?;
    // CROSS JOIN keeps SQLite from scanning the table: the batch is the outer loop.
    let table = quote::table(&location.table.name);
    builder.text = match dialect {
        Dialect::Sqlite => format!("SELECT COUNT(*) AS n FROM {batch} CROSS JOIN {table} t WHERE {meets} AND {condition}"),
        Dialect::Postgres => format!("SELECT COUNT(*) AS n FROM {batch} JOIN {table} t ON {meets} WHERE {condition}"),
    };
    Ok(builder.finish())
}

/// How many rows of the batch are there at all.
pub fn count_present(location: &Location, rows: &BatchRows, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let (batch, keys) = source(&mut builder, location, rows, 0, dialect);
    let meets = quote::all_equal(&quote::key(location, "t", dialect), &keys) + &span(&mut builder, location, rows, dialect);
    let table = quote::table(&location.table.name);
    builder.text = match dialect {
        Dialect::Sqlite => format!("SELECT COUNT(*) AS n FROM {batch} CROSS JOIN {table} t WHERE {meets}"),
        Dialect::Postgres => format!("SELECT COUNT(*) AS n FROM {batch} JOIN {table} t ON {meets}"),
    };
    builder.finish()
}

/// Deletes the rows of the batch by primary key, if they are unchanged and free.
pub fn delete(location: &Location, rows: &BatchRows, guard: Guard<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let (batch, keys) = source(&mut builder, location, rows, 0, dialect);
    let table = quote::table(&location.table.name);
    builder.text = match dialect {
        Dialect::Postgres => {
            let meets = quote::all_equal(&quote::key(location, "t", dialect), &keys) + &span(&mut builder, location, rows, dialect);
            let condition = guard.condition(&mut builder, location, dialect)?;
            format!("DELETE FROM {table} t USING {batch} WHERE {meets} AND {condition}")
        }
        // The caller has counted the matching rows in the same exclusive transaction.
        Dialect::Sqlite => {
            let columns = key_list(location);
            format!("DELETE FROM {table} WHERE {columns} IN (SELECT {keys} FROM {batch})", keys = keys.join(", "))
        }
    };
    Ok(builder.finish())
}

/// Deletes one row of SQLite's batch table: the one that was put into it at this position. The caller has counted the matching rows in the
/// same exclusive transaction.
pub fn sqlite_delete_one(location: &Location, position: usize) -> Statement {
    let mut builder = Builder::new(String::new());
    // The table is filled row by row in one go: its row ids count from 1.
    let row = builder.bind(i64::try_from(position).unwrap_or(i64::MAX).saturating_add(1));
    let keys = quote::reach_key(location.key_width(), "k").join(", ");
    builder.text = format!(
        "DELETE FROM {table} WHERE {columns} IN (SELECT {keys} FROM temp.{SQLITE_BATCH} k WHERE k.rowid = {row})",
        table = quote::table(&location.table.name),
        columns = key_list(location),
    );
    builder.finish()
}

/// Overwrites `columns` of the rows of the batch with their new values.
pub fn overwrite(
    location: &Location,
    rows: &BatchRows,
    columns: &[String],
    guard: Guard<'_>,
    dialect: Dialect,
) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let (batch, keys) = source(&mut builder, location, rows, columns.len(), dialect);
    let meets = quote::all_equal(&quote::key(location, "t", dialect), &keys) + &span(&mut builder, location, rows, dialect);
    let condition = guard.condition(&mut builder, location, dialect)?;
    let sets: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, name)| match dialect {
            Dialect::Postgres => {
                let cast = location.table.column(name).map_or("text", |column| column.declared_type.as_str());
                format!("{} = k.v{}::{cast}", quote::ident(name), at + 1)
            }
            Dialect::Sqlite => format!("{} = k.v{}", quote::ident(name), at + 1),
        })
        .collect();
    let table = quote::table(&location.table.name);
    builder.text = format!("UPDATE {table} AS t SET {} FROM {batch} WHERE {meets} AND {condition}", sets.join(", "));
    Ok(builder.finish())
}

/// Sets `columns` of the rows of the batch to NULL.
pub fn clear(
    location: &Location,
    rows: &BatchRows,
    columns: &[String],
    guard: Guard<'_>,
    dialect: Dialect,
) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let (batch, keys) = source(&mut builder, location, rows, 0, dialect);
    let meets = quote::all_equal(&quote::key(location, "t", dialect), &keys) + &span(&mut builder, location, rows, dialect);
    let condition = guard.condition(&mut builder, location, dialect)?;
    let sets: Vec<String> = columns.iter().map(|name| format!("{} = NULL", quote::ident(name))).collect();
    let table = quote::table(&location.table.name);
    builder.text = format!("UPDATE {table} AS t SET {} FROM {batch} WHERE {meets} AND {condition}", sets.join(", "));
    Ok(builder.finish())
}

/// The rows of the batch that are there: key, fingerprint of the guard's columns, whether a hold's predicate covers it, and the text of
/// `columns`. For a batch that did not match as a whole, row by row.
pub fn inspect(
    location: &Location,
    rows: &BatchRows,
    columns: &[String],
    guard: Guard<'_>,
    dialect: Dialect,
) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let (batch, keys) = source(&mut builder, location, rows, 0, dialect);
    let own = quote::key(location, "t", dialect);
    let meets = quote::all_equal(&own, &keys) + &span(&mut builder, location, rows, dialect);
    let mut list: Vec<String> = own
        .iter()
        .enumerate()
        .map(|(at, key)| match dialect {
            Dialect::Postgres => format!("{key}::text AS k{}", at + 1),
            Dialect::Sqlite => format!("{key} AS k{}", at + 1),
        })
        .collect();
    list.push(format!("{} AS fp", guard.fingerprint(dialect)));
    let mut held = Vec::new();
    for condition in guard.held {
        held.push(format!("{} IS NOT FALSE", predicate::condition(&mut builder, condition, &location.table, "t", dialect)?));
    }
    let held = if held.is_empty() { "0".to_owned() } else { format!("CASE WHEN {} THEN 1 ELSE 0 END", held.join(" OR ")) };
    list.push(format!("CAST({held} AS bigint) AS held"));
    let owned: Vec<String> = guard.unreferenced.iter().map(refers).collect();
    let owned = if owned.is_empty() { "0".to_owned() } else { format!("CASE WHEN {} THEN 1 ELSE 0 END", owned.join(" OR ")) };
    list.push(format!("CAST({owned} AS bigint) AS referred_to"));
    for (at, name) in columns.iter().enumerate() {
        list.push(format!("{} AS c{}", quote::as_text(&quote::column("t", name), dialect), at + 1));
    }
    let table = quote::table(&location.table.name);
    let join = if dialect == Dialect::Sqlite { "CROSS JOIN" } else { "JOIN" };
    let on = if dialect == Dialect::Sqlite { "WHERE" } else { "ON" };
    builder.text = format!("SELECT {list} FROM {batch} {join} {table} t {on} {meets}", list = list.join(", "));
    Ok(builder.finish())
}

fn key_list(location: &Location) -> String {
    let columns: Vec<String> = location.key_columns().iter().map(|name| quote::ident(name)).collect();
    if columns.len() == 1 { columns.concat() } else { format!("({})", columns.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::sql::{Column, Rights, Table, TableKind, TableName};
    use crate::datamap::NodeId;

    fn keyed_by(column_type: ColumnType) -> Location {
        let id = Column {
            name: "id".into(),
            declared_type: "bigint".into(),
            column_type,
            not_null: true,
            generated: false,
            max_length: None,
        };
        let table = Table {
            name: TableName { schema: "public".into(), name: "t".into() },
            kind: TableKind::Table,
            columns: vec![id],
            primary_key: vec!["id".into()],
            uniques: Vec::new(),
            indexes: Vec::new(),
            foreign_keys: Vec::new(),
            delete_triggers: Vec::new(),
            row_security: false,
            estimated_rows: None,
            rights: Rights { select: true, update: true, delete: true },
        };
        Location::new(NodeId(0), "app", "t", &table)
    }

    fn present(location: &Location, keys: &[&str], dialect: Dialect) -> Statement {
        let keys: Vec<Vec<KeyPart>> = keys.iter().map(|key| vec![KeyPart::Text((*key).into())]).collect();
        let fingerprints = vec![String::new(); keys.len()];
        count_present(location, &BatchRows { keys, fingerprints, values: Vec::new() }, dialect)
    }

    #[test]
    fn a_batch_of_numbers_names_its_smallest_and_largest_by_value_and_not_by_their_digits() {
        let statement = present(&keyed_by(ColumnType::Integer), &["9", "-20", "100"], Dialect::Postgres);
        assert!(statement.sql.as_str().ends_with("t.\"id\" = k.k1::bigint AND t.\"id\" BETWEEN $3 AND $4"));
        assert!(statement.args[2..] == [Arg::from(-20_i64), Arg::from(100_i64)]);
    }

    #[test]
    fn only_numbers_have_a_span_because_a_collation_may_order_anything_else_otherwise() {
        for (column_type, keys) in [(ColumnType::Text, ["9", "10"]), (ColumnType::Integer, ["9", "ten"])] {
            let statement = present(&keyed_by(column_type), &keys, Dialect::Postgres);
            assert!(!statement.sql.as_str().contains("BETWEEN"));
        }
        assert!(!present(&keyed_by(ColumnType::Integer), &["9"], Dialect::Sqlite).sql.as_str().contains("BETWEEN"));
    }
}
