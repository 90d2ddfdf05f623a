//! What MySQL and MariaDB need said otherwise. Their text compares by a collation that takes `Ada` for `ada`, `a` for `a ` and `i` for `ı`:
//! here text is always turned into the bytes of its UTF-8 form first, beside an `=` that can use an index where both sides have one
//! collation. Values leave the server as text that reads back exactly.

use std::time::Duration;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use serde_json::Value;

use super::Builder;
use super::quote::column;
use crate::connector::sql::{Column, ForeignKey, Location, RowKey, Table};
use crate::db::{Dialect, Sql};
use crate::subject::NormalForm;
use crate::value::ColumnType;

/// The bytes of a value's text in UTF-8, whatever its character set: compared byte by byte, and never padded.
pub fn bytes_of(expression: &str) -> String {
    format!("CAST(CONVERT({expression} USING utf8mb4) AS BINARY)")
}

/// Whether a column holds bits: its text would be the bytes of the number.
fn is_bits(live: &Column) -> bool {
    live.declared_type.starts_with("bit")
}

/// Whether a column holds floats of 32 bits, which the server prints to six digits.
fn is_short_float(live: &Column) -> bool {
    live.declared_type.starts_with("float")
}

/// The text of a column's value, as bytes. Bytes are written as hexadecimal digits.
pub fn text_of(live: &Column, expression: &str) -> String {
    match live.column_type {
        ColumnType::Bytes => bytes_of(&format!("LOWER(HEX({expression}))")),
        _ => bytes_of(&printable(live, expression)),
    }
}

/// An expression whose text is exact.
fn printable(live: &Column, expression: &str) -> String {
    if is_bits(live) || is_short_float(live) {
        let zero = if is_bits(live) { "0" } else { "0e0" };
        return format!("({expression} + {zero})");
    }
    expression.to_owned()
}

/// The value for the archive: bytes as they are, anything else as text. Several bits are shown as digits.
pub fn value_of(live: &Column, expression: &str) -> String {
    match live.column_type {
        // Text is not cast: the server makes NULL of a cast that is longer than a packet.
        ColumnType::Bytes | ColumnType::Text | ColumnType::Json => expression.to_owned(),
        ColumnType::Other if is_bits(live) => {
            let width = live.max_length.unwrap_or(1);
            format!("CAST(LPAD(BIN({expression} + 0), {width}, '0') AS CHAR)")
        }
        _ => format!("CAST({} AS CHAR)", printable(live, expression)),
    }
}

/// A part of a key on its way out: bytes as they are, anything else as text.
fn part_out(live: &Column, expression: &str) -> String {
    match live.column_type {
        ColumnType::Bytes => expression.to_owned(),
        _ => format!("CAST({} AS CHAR)", printable(live, expression)),
    }
}

/// The parts of a key on their way out, from expressions that stand for them.
pub fn key_out(location: &Location, parts: &[String]) -> Vec<String> {
    match &location.key {
        RowKey::Primary(columns) => columns.iter().zip(parts).map(|(live, part)| part_out(live, part)).collect(),
        RowKey::Physical => parts.iter().map(|part| format!("CAST({part} AS CHAR)")).collect(),
    }
}

/// A part of a key on its way in: bits take numbers only.
pub fn part_in(location: &Location, part: usize, place: &str) -> String {
    match &location.key {
        RowKey::Primary(columns) if is_bits(&columns[part]) => format!("CAST({place} AS UNSIGNED)"),
        _ => place.to_owned(),
    }
}

/// Given text as something that a column can be compared with by its index: a number, or text in the column's own character set and
/// collation, without which two texts may not be compared at all.
pub fn as_comparable(place: &str, live: &Column) -> String {
    let of_column = live.collation.as_deref().filter(|name| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'));
    match (live.column_type, of_column) {
        (ColumnType::Integer, _) if live.declared_type.contains("unsigned") => format!("CAST({place} AS UNSIGNED)"),
        (ColumnType::Integer, _) => format!("CAST({place} AS SIGNED)"),
        (_, Some(collation)) => {
            let charset = collation.split('_').next().unwrap_or(collation);
            format!("CONVERT({place} USING {charset}) COLLATE {collation}")
        }
        _ => format!("CAST({place} AS CHAR)"),
    }
}

/// New text for a column.
pub fn value_in(live: Option<&Column>, expression: &str) -> String {
    match live {
        Some(live) if is_bits(live) => format!("CAST({expression} AS UNSIGNED)"),
        Some(live) if live.column_type == ColumnType::Bytes => format!("UNHEX({expression})"),
        _ => expression.to_owned(),
    }
}

/// A digest of all values of a row, for tables whose rows have no key.
pub fn whole_row(table: &Table, alias: &str) -> String {
    let names: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
    format!("SHA2({}, 256)", fingerprint(table, &names, alias))
}

/// One text that stands for the values of several columns and can be mistaken for no other values.
pub fn fingerprint(table: &Table, columns: &[String], alias: &str) -> String {
    let parts: Vec<String> = columns
        .iter()
        .map(|name| {
            let expression = column(alias, name);
            let bytes = table.column(name).map_or_else(|| bytes_of(&expression), |live| text_of(live, &expression));
            format!("COALESCE(SHA2({bytes}, 256), 'NULL')")
        })
        .collect();
    format!("CONCAT_WS(',', {})", parts.join(", "))
}

/// Equality of two columns across an edge, bytewise where they hold text (I-1).
pub fn edge_equal(left: (&str, Option<&Column>), right: (&str, Option<&Column>)) -> String {
    let as_bytes =
        |(expression, live): (&str, Option<&Column>)| live.map_or_else(|| bytes_of(expression), |live| text_of(live, expression));
    let bytewise = format!("{} = {}", as_bytes(left), as_bytes(right));
    let (Some(left_column), Some(right_column)) = (left.1, right.1) else { return bytewise };
    let numeric = |live: &Column| {
        matches!(live.column_type, ColumnType::Integer | ColumnType::Decimal | ColumnType::Boolean) && !is_bits(live)
    };
    if left_column.column_type.is_text_like() && right_column.column_type.is_text_like() {
        // `=` finds the candidates by index where the two can be compared at all; the bytes decide.
        return match left_column.collation == right_column.collation {
            true => format!("({} = {} AND {bytewise})", left.0, right.0),
            false => format!("({bytewise})"),
        };
    }
    let same = left_column.column_type == right_column.column_type && left_column.column_type != ColumnType::Other;
    if same || (numeric(left_column) && numeric(right_column)) {
        return format!("{} = {}", left.0, right.0);
    }
    bytewise
}

/// ASCII capitals of some bytes as small letters, and nothing else changed: `LOWER` would fold letters of all alphabets.
pub fn ascii_lower(bytes: &str) -> String {
    (b'A'..=b'Z').fold(bytes.to_owned(), |text, letter| {
        format!("REPLACE({text}, '{}', '{}')", char::from(letter), char::from(letter.to_ascii_lowercase()))
    })
}

/// The left side of a comparison with a value of the map: text is compared by its bytes, as everywhere else.
pub fn compared(live: &Column, expression: &str) -> String {
    match live.column_type {
        ColumnType::Text | ColumnType::Uuid | ColumnType::Json | ColumnType::Other => text_of(live, expression),
        _ => printable(live, expression),
    }
}

/// A value of the map as the right side of a comparison with a column.
pub fn operand(builder: &mut Builder, live: &Column, value: &Value) -> Result<String, String> {
    let text = match value {
        Value::Bool(flag) => return Ok(builder.bind(*flag)),
        Value::Number(number) if number.is_i64() => return Ok(builder.bind(number.as_i64())),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        _ => return Err(format!("`{}` is compared with something that is not a plain value", live.name)),
    };
    match live.column_type {
        ColumnType::Integer | ColumnType::Decimal | ColumnType::Boolean => {
            Ok(format!("CAST({} AS DECIMAL(65, 30))", builder.bind(text)))
        }
        ColumnType::Float => Ok(format!("({} + 0e0)", builder.bind(text))),
        ColumnType::Date | ColumnType::TimestampUtc | ColumnType::TimestampLocal => {
            let moment =
                moment(&text).ok_or_else(|| format!("`{}` is compared with something that is no date or time", live.name))?;
            Ok(format!("CAST({} AS DATETIME(6))", builder.bind(moment)))
        }
        ColumnType::Text | ColumnType::Uuid | ColumnType::Json | ColumnType::Other => Ok(bytes_of(&builder.bind(text))),
        _ => Ok(builder.bind(text)),
    }
}

/// A date or time as the server reads it, in UTC: the session's time zone.
fn moment(text: &str) -> Option<String> {
    if let Ok(date) = text.parse::<Date>() {
        return Some(date.to_string());
    }
    let instant = text.parse::<Timestamp>().map(|instant| jiff::tz::Offset::UTC.to_datetime(instant));
    let civil = instant.or_else(|_| text.parse::<DateTime>()).ok()?;
    Some(civil.strftime("%Y-%m-%d %H:%M:%S%.6f").to_string())
}

/// The server's own limits for a session that works under a permit: how long a statement waits for a lock, how long it may run, how long the
/// transaction may stand idle. MariaDB and MySQL know different ones, and each reads its own.
pub fn session_limits(limit: Duration) -> Sql {
    let (seconds, millis) = (limit.as_secs().max(1), limit.as_millis().max(100));
    Sql::built(format!(
        "SET SESSION innodb_lock_wait_timeout = {seconds}, SESSION lock_wait_timeout = {seconds} \
         /*M!100000 , SESSION max_statement_time = {exact}, SESSION idle_transaction_timeout = {seconds} */ \
         /*!80000 , SESSION max_execution_time = {millis}, SESSION wait_timeout = {idle} */",
        exact = limit.as_secs_f64().max(0.1),
        // MySQL has no limit for idle transactions alone; a session that is closed between permits is opened anew.
        idle = seconds + 1,
    ))
}

/// Ends a session.
pub fn kill(session: i64) -> Sql {
    Sql::built(format!("KILL CONNECTION {session}"))
}

/// Text columns of a temporary table.
pub fn text_columns(names: impl Iterator<Item = String>) -> Vec<String> {
    names.map(|name| format!("{name} LONGTEXT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")).collect()
}

/// Creates an empty temporary table with the key columns of a location, of the very types that they have there, and further columns.
pub fn create_keyed(name: &str, location: &Location, further: &[String]) -> Sql {
    let parts = super::quote::key(location, "t", Dialect::MySql);
    let keys: Vec<String> = parts.iter().enumerate().map(|(at, part)| format!("{part} AS k{}", at + 1)).collect();
    let mut columns = further.to_vec();
    // A key of unlimited text is one by its first letters only, and cannot be one here.
    let indexable = match &location.key {
        RowKey::Primary(parts) => {
            parts.iter().all(|live| !live.declared_type.contains("text") && !live.declared_type.contains("blob"))
        }
        RowKey::Physical => true,
    };
    if indexable {
        let names: Vec<String> = (1..=parts.len()).map(|part| format!("k{part}")).collect();
        columns.push(format!("PRIMARY KEY ({})", names.join(", ")));
    }
    Sql::built(format!(
        "DROP TEMPORARY TABLE IF EXISTS {name}; CREATE TEMPORARY TABLE {name} ({columns}) AS SELECT {keys} FROM {table} t WHERE 1 = 0",
        columns = columns.join(", "),
        keys = keys.join(", "),
        table = super::quote::table(&location.table.name),
    ))
}

/// Joins and conditions that leave out rows to which other rows of their own table refer. Foreign keys are checked there row by row and in
/// no particular order, so that a tree has to be deleted from its leaves on, one level at a time.
pub fn without_children(location: &Location) -> (String, String) {
    let (mut joins, mut conditions) = (String::new(), String::new());
    let table = super::quote::table(&location.table.name);
    for (at, key) in own_references(location).enumerate() {
        let alias = format!("c{at}");
        let names = |alias: &str, columns: &[String]| columns.iter().map(|name| column(alias, name)).collect::<Vec<_>>();
        let meets = super::quote::all_equal(&names(&alias, &key.columns), &names("t", &key.referenced_columns));
        let own = super::quote::all_equal(&names(&alias, &location.table.primary_key), &names("t", &location.table.primary_key));
        joins.push_str(&format!(" LEFT JOIN {table} {alias} ON {meets} AND NOT ({own})"));
        conditions.push_str(&format!(" AND {} <=> NULL", column(&alias, &key.columns[0])));
    }
    (joins, conditions)
}

/// Foreign keys of a table onto itself.
pub fn own_references(location: &Location) -> impl Iterator<Item = &ForeignKey> {
    location.table.foreign_keys.iter().filter(|key| key.referenced == location.table.name && !key.columns.is_empty())
}

/// The bytewise condition under which an identity column holds a value (I-1). `None` when the column's type cannot hold it.
pub fn identity_condition(builder: &mut Builder, live: &Column, stored: &str, form: NormalForm, normal: String) -> Option<String> {
    match live.column_type {
        ColumnType::Integer => {
            let is_plain = normal.parse::<i64>().is_ok_and(|number| number.to_string() == normal)
                || normal.parse::<u64>().is_ok_and(|number| number.to_string() == normal);
            return is_plain.then(|| format!("{stored} = CAST({} AS DECIMAL(20, 0))", builder.bind(normal)));
        }
        ColumnType::Bytes if live.declared_type == "binary(16)" => {
            if let Ok(parsed) = uuid::Uuid::parse_str(&normal) {
                return Some(format!("{stored} = {}", builder.bind(parsed.as_bytes().as_slice())));
            }
        }
        ColumnType::Uuid => {
            let parsed = uuid::Uuid::parse_str(&normal).ok()?;
            return Some(format!("{} = {}", bytes_of(stored), bytes_of(&builder.bind(parsed.to_string()))));
        }
        _ => {}
    }
    let place = builder.bind(normal);
    let text = if live.column_type == ColumnType::Bytes { stored.to_owned() } else { text_of(live, stored) };
    Some(match form {
        // `=` finds the candidates by index, the comparison of bytes decides.
        NormalForm::Exact if live.column_type.is_text_like() => format!("{stored} = {place} AND {text} = {}", bytes_of(&place)),
        NormalForm::Exact => format!("{text} = {}", bytes_of(&place)),
        NormalForm::AsciiLower => format!("{} = {}", ascii_lower(&text), bytes_of(&place)),
        NormalForm::E164 => format!("{} = {}", super::reach::e164_expression(&text), bytes_of(&place)),
    })
}
