//! Statements over a batch of keys from the manifest: delete, overwrite, clear, count. PostgreSQL takes the batch as arrays of text and
//! casts them back to the key's types; SQLite and MySQL take it from a temporary table that is filled first.

use super::{Builder, Statement, mysql, predicate, quote};
use crate::connector::sql::{Location, RowKey, TableName};
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

/// The temporary table of a batch.
const BATCH: &str = "habeas_batch";

/// Creates the batch table for a location, empty. PostgreSQL needs none.
pub fn create(location: &Location, values: usize, dialect: Dialect) -> Sql {
    let keys: Vec<String> = (1..=location.key_width()).map(|part| format!("k{part}")).collect();
    let keys = keys.join(", ");
    if dialect == Dialect::MySql {
        return mysql::create_keyed(
            BATCH,
            location,
            &mysql::text_columns(std::iter::once("fp".to_owned()).chain(value_names(values))),
        );
    }
    let values: String = value_names(values).map(|name| format!(", {name}")).collect();
    Sql::built(format!(
        "DROP TABLE IF EXISTS temp.{BATCH}; CREATE TEMPORARY TABLE {BATCH} ({keys}, fp{values}); \
         CREATE INDEX temp.{BATCH}_key ON {BATCH} ({keys});"
    ))
}

fn value_names(values: usize) -> impl Iterator<Item = String> {
    (1..=values).map(|at| format!("v{at}"))
}

/// Fills the batch table with rows `from..to`.
pub fn fill(location: &Location, rows: &BatchRows, from: usize, to: usize, dialect: Dialect) -> Statement {
    let width = location.key_width();
    let values = rows.values.first().map_or(0, Vec::len);
    let names: Vec<String> =
        (1..=width).map(|part| format!("k{part}")).chain(["fp".to_owned()]).chain(value_names(values)).collect();
    let table = if dialect == Dialect::Sqlite { format!("temp.{BATCH}") } else { BATCH.to_owned() };
    let mut builder = Builder::new(format!("INSERT INTO {table} ({}) VALUES ", names.join(", ")));
    for at in from..to {
        let mut places: Vec<String> = rows.keys[at].iter().map(|part| builder.bind(key_arg(part))).collect();
        if dialect == Dialect::MySql {
            places = places.iter().enumerate().map(|(part, place)| mysql::part_in(location, part, place)).collect();
        }
        places.push(builder.bind(rows.fingerprints[at].as_str()));
        for value in rows.values.get(at).into_iter().flatten() {
            places.push(builder.bind(value.clone()));
        }
        let glue = if at == from { "" } else { ", " };
        builder.push(&format!("{glue}({})", places.join(", ")));
    }
    builder.finish()
}

pub(super) fn key_arg(part: &KeyPart) -> Arg {
    match part {
        KeyPart::Null => Arg::Text(None),
        KeyPart::Int(value) => Arg::from(*value),
        KeyPart::Real(bits) => Arg::from(f64::from_bits(*bits)),
        KeyPart::Text(text) => Arg::from(text.as_str()),
        KeyPart::Blob(bytes) => Arg::from(bytes.as_slice()),
    }
}

/// The batch as a table inside a statement, and its key expressions.
fn source_as(
    alias: &str,
    builder: &mut Builder,
    location: &Location,
    rows: &BatchRows,
    value_count: usize,
    dialect: Dialect,
) -> (String, Vec<String>) {
    let width = location.key_width();
    match dialect {
        Dialect::Sqlite => return (format!("temp.{BATCH} {alias}"), quote::reach_key(width, alias)),
        Dialect::MySql => return (format!("{BATCH} {alias}"), quote::reach_key(width, alias)),
        Dialect::Postgres => {}
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
    let keys = (0..width).map(|part| format!("{alias}.k{}::{}", part + 1, location.key_type(part, dialect))).collect();
    (format!("unnest({}) AS {alias}({})", arrays.join(", "), names.join(", ")), keys)
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

/// The rows of a batch met by those of its table.
struct Met {
    /// The batch as a table `k`.
    batch: String,
    /// That a row `t` of the table is in it.
    meets: String,
}

fn met(builder: &mut Builder, location: &Location, rows: &BatchRows, value_count: usize, dialect: Dialect) -> Met {
    let (batch, keys) = source_as("k", builder, location, rows, value_count, dialect);
    let meets =
        quote::same_key(location, &quote::key(location, "t", dialect), &keys, dialect) + &span(builder, location, rows, dialect);
    Met { batch, meets }
}

impl Met {
    /// `FROM` and what comes behind it, up to a condition that further ones may follow.
    fn from(&self, location: &Location, dialect: Dialect) -> String {
        let (table, Met { batch, meets }) = (quote::table(&location.table.name), self);
        match dialect {
            // CROSS JOIN keeps SQLite from scanning the table: the batch is the outer loop.
            Dialect::Sqlite => format!("FROM {batch} CROSS JOIN {table} t WHERE {meets}"),
            Dialect::Postgres | Dialect::MySql => format!("FROM {batch} JOIN {table} t ON {meets}"),
        }
    }
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
    fn fingerprint(&self, location: &Location, dialect: Dialect) -> String {
        let counts: Vec<String> = self
            .counted
            .iter()
            .map(|referrer| format!("(SELECT COUNT(*) FROM {})", quote::referring(referrer, "o", "t")))
            .collect();
        quote::fingerprint_with_counts(&location.table, self.columns, &counts, "t", dialect)
    }

    fn condition(&self, builder: &mut Builder, location: &Location, rows: &BatchRows, dialect: Dialect) -> Result<String, String> {
        let mut text = format!("{} = k.fp", self.fingerprint(location, dialect));
        for held in self.held {
            let condition = predicate::condition(builder, held, &location.table, "t", dialect)?;
            text.push_str(&format!(" AND NOT ({condition} IS NOT FALSE)"));
        }
        for referrer in self.unreferenced {
            if dialect == Dialect::MySql && is_own(referrer, location) {
                continue; // Rows to which others of the table refer are left out of the deletion altogether.
            }
            text.push_str(&format!(" AND NOT {}", refers(builder, referrer, location, rows, dialect)));
        }
        Ok(text)
    }
}

/// Whether a row of another table refers to the row; of the same table, whether one that is not in the batch does.
fn refers(builder: &mut Builder, referrer: &Referrer, location: &Location, rows: &BatchRows, dialect: Dialect) -> String {
    let name = TableName { schema: referrer.schema.clone(), name: referrer.table.clone() };
    let columns: Vec<String> = referrer.columns.iter().map(|name| quote::column("o", name)).collect();
    let referred: Vec<String> = referrer.referred.iter().map(|name| quote::column("t", name)).collect();
    // The referred column stands on the left: SQLite compares by its collation, as its foreign keys do.
    let mut on = quote::all_equal(&referred, &columns);
    if is_own(referrer, location) {
        let (batch, keys) = source_as("z", builder, location, rows, 0, dialect);
        let same = quote::same_key(location, &quote::key(location, "o", dialect), &keys, dialect);
        on.push_str(&format!(" AND NOT EXISTS (SELECT 1 FROM {batch} WHERE {same})"));
    }
    format!("EXISTS (SELECT 1 FROM {} o WHERE {on})", quote::table(&name))
}

fn is_own(referrer: &Referrer, location: &Location) -> bool {
    referrer.schema == location.table.name.schema && referrer.table == location.table.name.name
}

/// Locks the rows of the batch, so that from then on no row of anybody can come to refer to them; their number. Not for SQLite, where a
/// writing transaction is alone.
pub fn lock(location: &Location, rows: &BatchRows, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let Met { batch, meets } = met(&mut builder, location, rows, 0, dialect);
    let table = quote::table(&location.table.name);
    builder.text = match dialect {
        Dialect::Postgres | Dialect::Sqlite => {
            format!("SELECT COUNT(*) AS n FROM (SELECT 1 FROM {table} t JOIN {batch} ON {meets} FOR UPDATE OF t) locked")
        }
        Dialect::MySql => format!("SELECT COUNT(*) AS n FROM {batch} JOIN {table} t ON {meets} FOR UPDATE"),
    };
    builder.finish()
}

/// Deletes one row of SQLite's batch table, by its position in it: where deleting a row touches others of the same table, the order counts.
pub fn sqlite_delete_nth(location: &Location, position: usize) -> Statement {
    let mut builder = Builder::new(String::new());
    let keys = quote::reach_key(location.key_width(), "k").join(", ");
    let nth = builder.bind(i64::try_from(position).unwrap_or(i64::MAX).saturating_add(1));
    builder.text = format!(
        "DELETE FROM {table} WHERE {columns} IN (SELECT {keys} FROM temp.{BATCH} k WHERE k.rowid = {nth})",
        table = quote::table(&location.table.name),
        columns = key_list(location),
    );
    builder.finish()
}

/// How many rows of the batch are there, unchanged and free.
pub fn count_matching(location: &Location, rows: &BatchRows, guard: Guard<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let from = met(&mut builder, location, rows, 0, dialect).from(location, dialect);
    let condition = guard.condition(&mut builder, location, rows, dialect)?;
    builder.text = format!("SELECT COUNT(*) AS n {from} AND {condition}");
    Ok(builder.finish())
}

/// How many rows of the batch are there at all.
pub fn count_present(location: &Location, rows: &BatchRows, dialect: Dialect) -> Statement {
    let mut builder = Builder::new(String::new());
    let from = met(&mut builder, location, rows, 0, dialect).from(location, dialect);
    builder.text = format!("SELECT COUNT(*) AS n {from}");
    builder.finish()
}

/// How many rows of the batch have no value in any of these columns and no row that refers to them.
pub fn count_ownerless(
    location: &Location,
    rows: &BatchRows,
    columns: &[String],
    referrers: &[Referrer],
    dialect: Dialect,
) -> Statement {
    let mut builder = Builder::new(String::new());
    let from = met(&mut builder, location, rows, 0, dialect).from(location, dialect);
    let empty = columns.iter().map(|name| format!(" AND {} IS NULL", quote::column("t", name)));
    let alone =
        referrers.iter().map(|referrer| format!(" AND NOT EXISTS (SELECT 1 FROM {})", quote::referring(referrer, "o", "t")));
    builder.text = format!("SELECT COUNT(*) AS n {from}{}", empty.chain(alone).collect::<String>());
    builder.finish()
}

/// Deletes the rows of the batch by primary key, if they are unchanged and free.
pub fn delete(location: &Location, rows: &BatchRows, guard: Guard<'_>, dialect: Dialect) -> Result<Statement, String> {
    let mut builder = Builder::new(String::new());
    let table = quote::table(&location.table.name);
    if dialect == Dialect::Sqlite {
        // The caller has counted the matching rows in the same exclusive transaction.
        let (batch, keys) = source_as("k", &mut builder, location, rows, 0, dialect);
        let columns = key_list(location);
        builder.text = format!("DELETE FROM {table} WHERE {columns} IN (SELECT {keys} FROM {batch})", keys = keys.join(", "));
        return Ok(builder.finish());
    }
    let Met { batch, meets } = met(&mut builder, location, rows, 0, dialect);
    let condition = guard.condition(&mut builder, location, rows, dialect)?;
    builder.text = match dialect {
        Dialect::MySql => {
            let (join, leaf) = mysql::without_children(location);
            format!("DELETE t FROM {batch} JOIN {table} t ON {meets}{join} WHERE {condition}{leaf}")
        }
        Dialect::Postgres | Dialect::Sqlite => format!("DELETE FROM {table} t USING {batch} WHERE {meets} AND {condition}"),
    };
    Ok(builder.finish())
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
    let Met { batch, meets } = met(&mut builder, location, rows, columns.len(), dialect);
    let condition = guard.condition(&mut builder, location, rows, dialect)?;
    let sets: Vec<String> = columns
        .iter()
        .enumerate()
        .map(|(at, name)| match dialect {
            Dialect::Postgres => {
                let cast = location.table.column(name).map_or("text", |column| column.declared_type.as_str());
                format!("{} = k.v{}::{cast}", quote::ident(name), at + 1)
            }
            Dialect::Sqlite => format!("{} = k.v{}", quote::ident(name), at + 1),
            Dialect::MySql => {
                format!(
                    "{} = {}",
                    quote::column("t", name),
                    mysql::value_in(location.table.column(name), &format!("k.v{}", at + 1))
                )
            }
        })
        .collect();
    builder.text = update(&location.table.name, &sets, &batch, &meets, &condition, dialect);
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
    let Met { batch, meets } = met(&mut builder, location, rows, 0, dialect);
    let condition = guard.condition(&mut builder, location, rows, dialect)?;
    let sets: Vec<String> = columns.iter().map(|name| format!("{} = NULL", set_name(name, dialect))).collect();
    builder.text = update(&location.table.name, &sets, &batch, &meets, &condition, dialect);
    Ok(builder.finish())
}

fn set_name(name: &str, dialect: Dialect) -> String {
    if dialect == Dialect::MySql { quote::column("t", name) } else { quote::ident(name) }
}

fn update(table: &TableName, sets: &[String], batch: &str, meets: &str, condition: &str, dialect: Dialect) -> String {
    let (table, sets) = (quote::table(table), sets.join(", "));
    match dialect {
        Dialect::MySql => format!("UPDATE {batch} JOIN {table} t ON {meets} SET {sets} WHERE {condition}"),
        Dialect::Postgres | Dialect::Sqlite => {
            format!("UPDATE {table} AS t SET {sets} FROM {batch} WHERE {meets} AND {condition}")
        }
    }
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
    let from = met(&mut builder, location, rows, 0, dialect).from(location, dialect);
    let mut list = quote::key_out(location, &quote::key(location, "t", dialect), dialect);
    list.push(format!("{} AS fp", guard.fingerprint(location, dialect)));
    let mut held = Vec::new();
    for condition in guard.held {
        held.push(format!("{} IS NOT FALSE", predicate::condition(&mut builder, condition, &location.table, "t", dialect)?));
    }
    let held = if held.is_empty() { "0".to_owned() } else { format!("CASE WHEN {} THEN 1 ELSE 0 END", held.join(" OR ")) };
    list.push(format!("{} AS held", quote::as_integer(&held, dialect)));
    let owned: Vec<String> = guard.unreferenced.iter().map(|r| refers(&mut builder, r, location, rows, dialect)).collect();
    let owned = if owned.is_empty() { "0".to_owned() } else { format!("CASE WHEN {} THEN 1 ELSE 0 END", owned.join(" OR ")) };
    list.push(format!("{} AS referred_to", quote::as_integer(&owned, dialect)));
    for (at, name) in columns.iter().enumerate() {
        list.push(format!("{} AS c{}", quote::column_text(&location.table, "t", name, dialect), at + 1));
    }
    builder.text = format!("SELECT {list} {from}", list = list.join(", "));
    Ok(builder.finish())
}

fn key_list(location: &Location) -> String {
    let columns: Vec<String> = location.key_columns().iter().map(|name| quote::ident(name)).collect();
    if columns.len() == 1 { columns.concat() } else { format!("({})", columns.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connector::sql::{Column, Table, TableKind};
    use crate::datamap::NodeId;

    fn keyed_by(column_type: ColumnType) -> Location {
        let mut table = Table::new(TableName { schema: "public".into(), name: "t".into() }, TableKind::Table);
        table.columns = vec![Column { not_null: true, ..Column::new("id", "bigint", column_type) }];
        table.primary_key = vec!["id".into()];
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
