//! SQLite files through the library's own database layer, so that no further program has to be installed.

use std::path::Path;

use habeas_data::args;
use habeas_data::db::{Db, PoolOptions, Record};
use serde_json::Value;

use super::wait_for;

async fn open(path: &Path) -> Db {
    let options = PoolOptions { connections: 1, create: true, ..PoolOptions::default() };
    Db::open(&format!("sqlite:{}", path.display()), options).await.expect("the database opens")
}

/// The layer takes literals only; a test makes its text at run time and may leak it, since its process ends soon.
fn literal(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

/// Runs statements, creating the file when it is missing.
pub fn script(path: &Path, sql: &str) {
    wait_for(async {
        let db = open(path).await;
        let mut session = db.session().await.expect("a session");
        session.on().execute_script(literal(sql)).await.expect("the script runs");
        drop(session);
        db.close().await;
    });
}

/// The rows of a query.
pub fn rows(path: &Path, sql: &str) -> Vec<Record> {
    wait_for(async {
        let db = open(path).await;
        let mut session = db.session().await.expect("a session");
        let rows = session.on().fetch_all(literal(sql), args![]).await.expect("the query runs");
        drop(session);
        db.close().await;
        rows
    })
}

/// Names of all tables, sorted.
pub fn tables(path: &Path) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name";
    rows(path, sql).iter().map(|row| row.text("name").expect("a name")).collect()
}

/// All rows of a table as JSON objects; bytes in hex.
pub fn table(path: &Path, table: &str) -> Vec<Value> {
    let columns = rows(path, &format!("SELECT name FROM pragma_table_info('{table}')"));
    let columns: Vec<String> = columns.iter().map(|row| row.text("name").expect("a name")).collect();
    let pairs: Vec<String> = columns
        .iter()
        .map(|column| format!(r#"'{column}', CASE typeof("{column}") WHEN 'blob' THEN hex("{column}") ELSE "{column}" END"#))
        .collect();
    let sql = format!(r#"SELECT json_object({}) AS row FROM "{table}""#, pairs.join(", "));
    rows(path, &sql).iter().map(|row| serde_json::from_str(&row.text("row").expect("text")).expect("JSON")).collect()
}
