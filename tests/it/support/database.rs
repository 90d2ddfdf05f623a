//! A database of either kind as a test sees it: fill it, look at all of it, compare two looks.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::{mariadb, sqlite};

/// Where the data of a test lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Database {
    /// A SQLite file.
    Sqlite(PathBuf),
    /// URL of a database on the private server.
    Postgres(String),
    /// A database of the private MariaDB server.
    MariaDb {
        /// Where the server listens.
        socket: PathBuf,
        /// The database.
        name: String,
    },
}

/// All rows of all tables, each row as JSON, in no particular order. Tables outside the default schema carry its name in front.
pub type Dump = BTreeMap<String, Vec<Value>>;

impl Database {
    /// Runs statements; the first failure is the test's failure, and PostgreSQL then keeps nothing of the script.
    pub fn script(&self, sql: &str) {
        match self {
            Database::Sqlite(path) => sqlite::script(path, sql),
            Database::Postgres(_) => drop(self.psql(sql)),
            Database::MariaDb { socket, name } => drop(mariadb::client(socket, name, sql)),
        }
    }

    /// What `psql` prints for a script, unaligned and without headers.
    pub fn psql(&self, sql: &str) -> String {
        use std::io::Write;
        let Database::Postgres(url) = self else { panic!("psql is for PostgreSQL") };
        let mut psql = Command::new("psql")
            .args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1", "--dbname", url, "--file=-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("psql starts");
        // A thread feeds it, since a long script and a long answer would otherwise wait for each other.
        let mut input = psql.stdin.take().expect("standard input");
        let script = sql.to_owned();
        let feeder = std::thread::spawn(move || input.write_all(script.as_bytes()));
        let output = psql.wait_with_output().expect("psql ends");
        let _ = feeder.join();
        assert!(output.status.success(), "psql: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// All rows of all tables outside the system's own schemas.
    pub fn dump(&self) -> Dump {
        match self {
            Database::Sqlite(path) => {
                sqlite::tables(path).into_iter().map(|name| (name.clone(), sqlite::table(path, &name))).collect()
            }
            Database::Postgres(_) => self.dump_postgres(),
            Database::MariaDb { socket, name } => dump_mariadb(|sql| mariadb::client(socket, name, sql)),
        }
    }

    fn dump_postgres(&self) -> Dump {
        let names = self.psql(
            "SELECT schemaname, tablename FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1, 2",
        );
        let mut dump = Dump::new();
        for line in names.lines() {
            let (schema, table) = line.split_once('|').expect("two columns");
            let rows = self.psql(&format!(r#"SELECT row_to_json(t)::text FROM "{schema}"."{table}" t"#));
            let rows = rows.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect();
            let name = if schema == "public" { table.to_owned() } else { format!("{schema}.{table}") };
            dump.insert(name, rows);
        }
        dump
    }

    /// Number of rows of a query's answer, such as `time_entries WHERE user_id = 1`.
    pub fn count(&self, from: &str) -> u64 {
        let sql = format!("SELECT count(*) AS n FROM {from}");
        match self {
            Database::Sqlite(path) => {
                let rows = sqlite::rows(path, &sql);
                u64::try_from(rows[0].int("n").expect("a number")).expect("not negative")
            }
            Database::Postgres(_) => self.psql(&sql).trim().parse().expect("a number"),
            Database::MariaDb { socket, name } => mariadb::client(socket, name, &sql).trim().parse().expect("a number"),
        }
    }

    /// The one text `value` of a query's one row, exactly.
    pub fn text(&self, sql: &str) -> String {
        match self {
            Database::Sqlite(path) => sqlite::rows(path, sql)[0].text("value").expect("text"),
            Database::Postgres(_) => self.psql(sql).strip_suffix('\n').expect("a line").to_owned(),
            Database::MariaDb { socket, name } => mariadb::client(socket, name, sql).strip_suffix('\n').expect("a line").to_owned(),
        }
    }

    /// The entry under `sources:` in `habeas.yaml`.
    pub fn source(&self) -> String {
        match self {
            Database::Sqlite(path) => format!("{{sqlite: \"{}\"}}", path.display()),
            Database::Postgres(url) => format!("{{postgres: \"{url}\"}}"),
            Database::MariaDb { socket, name } => {
                format!("{{mysql: \"mysql://root@localhost/{name}?socket={}\"}}", socket.display())
            }
        }
    }
}

/// Bytes and bits are shown by their digits, so that every row is JSON.
fn dump_mariadb(ask: impl Fn(&str) -> String) -> Dump {
    let columns =
        ask("SELECT t.TABLE_NAME, c.COLUMN_NAME, c.DATA_TYPE FROM information_schema.TABLES t JOIN information_schema.COLUMNS c
         ON c.TABLE_SCHEMA = t.TABLE_SCHEMA AND c.TABLE_NAME = t.TABLE_NAME
         WHERE t.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE <> 'VIEW' ORDER BY t.TABLE_NAME, c.ORDINAL_POSITION");
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in columns.lines() {
        let [table, column, kind] = line.split('\t').collect::<Vec<_>>().try_into().expect("three columns");
        let value = match kind {
            "blob" | "longblob" | "binary" | "varbinary" | "bit" => format!("HEX(\"{column}\")"),
            "json" | "longtext" => format!("CONCAT(\"{column}\")"),
            _ => format!("\"{column}\""),
        };
        tables.entry(table.to_owned()).or_default().push(format!("'{column}', {value}"));
    }
    let rows = |table: &str, fields: &[String]| {
        let text = ask(&format!("SELECT JSON_COMPACT(JSON_OBJECT({})) FROM \"{table}\"", fields.join(", ")));
        text.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect()
    };
    tables.iter().map(|(table, fields)| (table.clone(), rows(table, fields))).collect()
}

/// What changed between two looks: per table the rows that are no longer there as they were, and the rows that were not there before.
/// Tables without a change are left out. Both lists are sorted by their text, so that equal changes compare equal.
pub fn difference(before: &Dump, after: &Dump) -> Value {
    let mut changes = serde_json::Map::new();
    let nothing = Vec::new();
    let names: std::collections::BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for name in names {
        let (old, new) = (before.get(name).unwrap_or(&nothing), after.get(name).unwrap_or(&nothing));
        let (gone, come) = (without(old, new), without(new, old));
        if !(gone.is_empty() && come.is_empty()) {
            changes.insert(name.clone(), json!({"rows_before": gone, "rows_after": come}));
        }
    }
    Value::Object(changes)
}

/// The rows of one list that have no equal in the other, each counted as often as it stands there.
fn without(rows: &[Value], others: &[Value]) -> Vec<Value> {
    let mut unmatched: BTreeMap<String, usize> = BTreeMap::new();
    for other in others {
        *unmatched.entry(other.to_string()).or_default() += 1;
    }
    let mut left: Vec<&Value> = Vec::new();
    for row in rows {
        match unmatched.get_mut(&row.to_string()) {
            Some(count) if *count > 0 => *count -= 1,
            _ => left.push(row),
        }
    }
    left.sort_by_key(|row| row.to_string());
    left.into_iter().cloned().collect()
}
