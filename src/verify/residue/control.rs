//! The positive control (V-3): values that nobody has are planted, one per form and kind of column, in a temporary table of the same
//! session, and read by the same code that reads the source. A search that does not find all of them has proved nothing. The table
//! goes with the transaction; no table of the source is touched.

use std::collections::BTreeMap;

use super::ResidueError;
use super::matcher::{Found, Matcher};
use super::patterns::Form;
use super::report::Control;
use super::scan::read_through;
use crate::args;
use crate::connector::sql::{Column, Table, TableKind, TableName};
use crate::db::{Conn, DbError};
use crate::value::{ColumnType, Key, KeyPart};

struct Statements {
    schema: &'static str,
    begin: &'static str,
    create: &'static str,
    text: &'static str,
    bytes: &'static str,
    json: &'static str,
    list: &'static str,
}

const POSTGRES: Statements = Statements {
    schema: "pg_temp",
    begin: "BEGIN READ WRITE",
    create: "CREATE TEMPORARY TABLE habeas_control (n bigint PRIMARY KEY, as_text text, as_bytes bytea, as_json jsonb, as_list text[]) ON COMMIT DROP",
    text: "INSERT INTO pg_temp.habeas_control (n, as_text) VALUES ($1, $2)",
    bytes: "INSERT INTO pg_temp.habeas_control (n, as_bytes) VALUES ($1, $2)",
    json: "INSERT INTO pg_temp.habeas_control (n, as_json) VALUES ($1, CAST($2 AS jsonb))",
    list: "INSERT INTO pg_temp.habeas_control (n, as_list) VALUES ($1, ARRAY[$2])",
};

const SQLITE: Statements = Statements {
    schema: "temp",
    begin: "BEGIN",
    create: "CREATE TEMPORARY TABLE habeas_control (n INTEGER PRIMARY KEY, as_text TEXT, as_bytes BLOB, as_json JSON, as_list TEXT)",
    text: "INSERT INTO temp.habeas_control (n, as_text) VALUES ($1, $2)",
    bytes: "INSERT INTO temp.habeas_control (n, as_bytes) VALUES ($1, $2)",
    json: "INSERT INTO temp.habeas_control (n, as_json) VALUES ($1, $2)",
    list: "INSERT INTO temp.habeas_control (n, as_list) VALUES ($1, $2)",
};

// The table has no schema of its own, and outlives the transaction.
const MYSQL: Statements = Statements {
    schema: "",
    begin: "DROP TEMPORARY TABLE IF EXISTS habeas_control; BEGIN",
    create: "CREATE TEMPORARY TABLE habeas_control (n BIGINT PRIMARY KEY, as_text LONGTEXT CHARACTER SET utf8mb4, as_bytes LONGBLOB, as_json JSON, as_list LONGTEXT CHARACTER SET utf8mb4)",
    text: "INSERT INTO habeas_control (n, as_text) VALUES ($1, $2)",
    bytes: "INSERT INTO habeas_control (n, as_bytes) VALUES ($1, $2)",
    json: "INSERT INTO habeas_control (n, as_json) VALUES ($1, $2)",
    list: "INSERT INTO habeas_control (n, as_list) VALUES ($1, $2)",
};

/// Plants, reads and counts. That nothing could be planted is a result, not an error: the level that needs it is then not reached.
pub(super) async fn run(conn: &mut Conn, matcher: &Matcher) -> Result<Control, ResidueError> {
    let statements = match conn {
        Conn::Postgres(_) => &POSTGRES,
        Conn::Sqlite(_) => &SQLITE,
        Conn::MySql(_) => &MYSQL,
    };
    let plants = plants(matcher);
    let planted = plants.len() as u64;
    conn.on().execute_script(statements.begin).await?;
    let outcome = plant_and_find(conn, statements, &plants, matcher).await;
    conn.on().execute_script("ROLLBACK").await?;
    match outcome {
        Ok(found) => Ok(Control { planted, found, problem: None }),
        Err(DbError::Lost(problem)) => Err(DbError::Lost(problem).into()),
        Err(refusal) => Ok(Control { planted, found: 0, problem: Some(refusal.to_string()) }),
    }
}

/// A value to plant, by the statement that takes it.
enum Plant {
    Text(Form, String),
    Bytes(Form, Vec<u8>),
    Json(Form, String),
    List(Form, String),
}

impl Plant {
    fn form(&self) -> Form {
        match self {
            Plant::Text(form, _) | Plant::Bytes(form, _) | Plant::Json(form, _) | Plant::List(form, _) => *form,
        }
    }
}

/// What is planted, as bytes.
pub(super) fn planted_bytes(matcher: &Matcher) -> Vec<(Form, Vec<u8>)> {
    let bytes = |plant: Plant| match plant {
        Plant::Text(form, text) | Plant::Json(form, text) | Plant::List(form, text) => (form, text.into_bytes()),
        Plant::Bytes(form, bytes) => (form, bytes),
    };
    plants(matcher).into_iter().map(bytes).collect()
}

fn plants(matcher: &Matcher) -> Vec<Plant> {
    let mut plants = Vec::new();
    for (form, pattern) in matcher.control_forms() {
        let surrounded = [b"<", pattern.as_slice(), b">"].concat();
        if let Ok(text) = String::from_utf8(surrounded.clone()) {
            plants.push(Plant::Text(form, text));
        }
        if form == Form::Exact
            && let Ok(value) = String::from_utf8(pattern)
        {
            plants.push(Plant::Json(form, serde_json::json!({ "notes": [value] }).to_string()));
            plants.push(Plant::List(form, value));
        }
        plants.push(Plant::Bytes(form, surrounded));
    }
    plants
}

async fn plant_and_find(conn: &mut Conn, statements: &Statements, plants: &[Plant], matcher: &Matcher) -> Result<u64, DbError> {
    conn.on().execute(statements.create, Vec::new()).await?;
    let mut expected = BTreeMap::new();
    for (number, plant) in (0_i64..).zip(plants) {
        let (sql, args) = match plant {
            Plant::Text(_, value) => (statements.text, args![number, value.as_str()]),
            Plant::Bytes(_, value) => (statements.bytes, args![number, value.as_slice()]),
            Plant::Json(_, value) => (statements.json, args![number, value.as_str()]),
            Plant::List(_, value) => (statements.list, args![number, value.as_str()]),
        };
        conn.on().execute(sql, args).await?;
        expected.insert(number, plant.form());
    }
    let table = control_table(statements.schema);
    let columns: Vec<&Column> = table.columns.iter().collect();
    let mut on_found = |key: Key, _column: usize, found: &[Found]| {
        let Some(number) = number_of(&key) else {
            return;
        };
        let is_expected = |form: &Form| found.iter().any(|one| one.person == matcher.people() && one.form == *form && one.certain);
        if expected.get(&number).is_some_and(is_expected) {
            expected.remove(&number);
        }
    };
    read_through(conn.on(), &table, &columns, matcher, &mut on_found).await?;
    Ok((plants.len() - expected.len()) as u64)
}

fn number_of(key: &Key) -> Option<i64> {
    match key.as_slice() {
        [KeyPart::Int(number)] => Some(*number),
        [KeyPart::Text(digits)] => digits.parse().ok(),
        _ => None,
    }
}

fn control_table(schema: &str) -> Table {
    let name = TableName { schema: schema.into(), name: "habeas_control".into() };
    let columns = vec![
        Column::new("as_text", "", ColumnType::Text),
        Column::new("as_bytes", "", ColumnType::Bytes),
        Column::new("as_json", "", ColumnType::Json),
        Column::new("as_list", "", ColumnType::Array),
    ];
    Table { columns, primary_key: vec!["n".into()], ..Table::new(name, TableKind::Table) }
}
