//! The catalogue of a MySQL or MariaDB database, read from `information_schema` with one set-based query per kind of thing: the tables of
//! the database that the address names, and those of other databases on the server that refer to them, because a cascade does not stop
//! at a database. Statements are literals; only the probe for rights names a table. It reads no row of data.

use std::collections::BTreeMap;

use super::text::probe;
use super::{Catalogue, Column, ForeignKey, Obstacle, OnDelete, Rights, Table, TableKind, TableName};
use super::{introspect_mysql_rules, types};
use crate::args;
use crate::db::{DbError, Dialect, Handle, Record};

const SERVER: &str = "SELECT VERSION() AS version, DATABASE() AS database_name, CURRENT_USER() AS role,
       @@global.read_only <> 0 OR @@global.innodb_read_only <> 0 AS read_only";

const VARIABLES: &str = "SHOW VARIABLES WHERE Variable_name IN
       ('server_uuid', 'server_uid', 'hostname', 'port', 'server_id', 'tx_read_only', 'transaction_read_only')";

/// Tables of other databases count as far as they refer to this one.
macro_rules! in_scope {
    ($alias:literal) => {
        concat!(
            "(",
            $alias,
            ".TABLE_SCHEMA = DATABASE() OR EXISTS (SELECT 1 FROM information_schema.KEY_COLUMN_USAGE inbound
              WHERE inbound.REFERENCED_TABLE_SCHEMA = DATABASE() AND inbound.TABLE_SCHEMA = ",
            $alias,
            ".TABLE_SCHEMA
                AND inbound.TABLE_NAME = ",
            $alias,
            ".TABLE_NAME))"
        )
    };
}

const TABLES: &str = concat!(
    "SELECT t.TABLE_SCHEMA AS table_schema, t.TABLE_NAME AS table_name, t.TABLE_TYPE AS table_type, t.ENGINE AS engine,
            e.TRANSACTIONS AS transactions, t.TABLE_ROWS AS estimated_rows
       FROM information_schema.TABLES t LEFT JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE
      WHERE t.TABLE_TYPE <> 'SEQUENCE' AND ",
    in_scope!("t")
);

const COLUMNS: &str = concat!(
    "SELECT c.TABLE_SCHEMA AS table_schema, c.TABLE_NAME AS table_name, c.COLUMN_NAME AS name, c.DATA_TYPE AS data_type,
            c.COLUMN_TYPE AS column_type, c.IS_NULLABLE = 'NO' AS not_null, c.COLLATION_NAME AS collation_name,
            c.EXTRA LIKE '%VIRTUAL GENERATED%' OR c.EXTRA LIKE '%STORED GENERATED%' AS is_generated,
            COALESCE(c.CHARACTER_MAXIMUM_LENGTH, c.NUMERIC_PRECISION) AS max_length
       FROM information_schema.COLUMNS c WHERE ",
    in_scope!("c"),
    " ORDER BY c.TABLE_SCHEMA, c.TABLE_NAME, c.ORDINAL_POSITION"
);

// What is indexed by an expression is no column.
const INDEXES: &str = concat!(
    "SELECT s.TABLE_SCHEMA AS table_schema, s.TABLE_NAME AS table_name, s.INDEX_NAME AS name, s.NON_UNIQUE = 0 AS is_unique,
            s.COLUMN_NAME AS column_name
       FROM information_schema.STATISTICS s WHERE s.INDEX_TYPE IN ('BTREE', 'HASH') AND ",
    in_scope!("s"),
    " ORDER BY s.TABLE_SCHEMA, s.TABLE_NAME, s.INDEX_NAME, s.SEQ_IN_INDEX"
);

const FOREIGN_KEYS: &str = concat!(
    "SELECT k.TABLE_SCHEMA AS table_schema, k.TABLE_NAME AS table_name, k.CONSTRAINT_NAME AS name, k.COLUMN_NAME AS column_name,
            k.REFERENCED_TABLE_SCHEMA AS referenced_schema, k.REFERENCED_TABLE_NAME AS referenced_table,
            k.REFERENCED_COLUMN_NAME AS referenced_column, r.DELETE_RULE AS on_delete, r.UPDATE_RULE AS on_update
       FROM information_schema.KEY_COLUMN_USAGE k
       JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA
            AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
      WHERE k.REFERENCED_TABLE_NAME IS NOT NULL AND ",
    in_scope!("k"),
    " ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION"
);

/// Rights on everything in the database, given to the role itself. A pattern may stand for the name of the database.
const BROAD_RIGHTS: &str = "SELECT PRIVILEGE_TYPE AS privilege FROM information_schema.USER_PRIVILEGES WHERE GRANTEE = $1
       UNION SELECT PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES WHERE GRANTEE = $1 AND DATABASE() LIKE TABLE_SCHEMA";

pub(super) type Tables = BTreeMap<TableName, Table>;

pub(super) async fn load(mut handle: Handle<'_>) -> Result<Catalogue, DbError> {
    let server = handle.again().fetch_one(SERVER, Vec::new()).await?;
    let no_database =
        || DbError::Unreachable("the mysql:// URL names no database; write mysql://USER:PASSWORD@HOST/DATABASE".into());
    let database = server.opt_text("database_name")?.ok_or_else(no_database)?;
    let variables = variables(&mut handle).await?;
    let is_on = |name: &str| variables.get(name).is_some_and(|value| value == "ON" || value == "1");
    let writable = !server.flag("read_only")? && !is_on("tx_read_only") && !is_on("transaction_read_only");
    let is_mariadb = server.text("version")?.contains("MariaDB");
    // First: a change while the rest is read must not pass for one that was seen.
    let version = introspect_mysql_rules::version(handle.again()).await?;
    let mut tables = relations(&mut handle).await?;
    add_columns(&mut handle, &mut tables).await?;
    add_indexes(&mut handle, &mut tables).await?;
    add_foreign_keys(&mut handle, &mut tables).await?;
    introspect_mysql_rules::add(&mut handle, &mut tables, is_mariadb).await?;
    add_rights(&mut handle, &mut tables, &database, &server.text("role")?).await?;
    let system_identity = system_identity(&variables, &database);
    Ok(Catalogue { dialect: Dialect::MySql, system_identity, writable, default_schema: database, tables, version })
}

async fn variables(handle: &mut Handle<'_>) -> Result<BTreeMap<String, String>, DbError> {
    let rows = handle.again().fetch_all(VARIABLES, Vec::new()).await?;
    rows.iter()
        .map(|row| Ok((row.text_at(0)?.unwrap_or_default().to_owned(), row.text_at(1)?.unwrap_or_default().to_owned())))
        .collect()
}

/// The identifier that the server made for itself, and the database; where it has none, what else is stable.
fn system_identity(variables: &BTreeMap<String, String>, database: &str) -> String {
    let known = |name: &str| variables.get(name).filter(|value| !value.is_empty()).map(String::as_str);
    match known("server_uuid").or_else(|| known("server_uid")) {
        Some(identifier) => format!("mysql:{identifier}/{database}"),
        None => {
            let [host, port, number] = ["hostname", "port", "server_id"].map(|name| known(name).unwrap_or("?"));
            format!("mysql:{host}:{port}/{number}/{database}")
        }
    }
}

pub(super) fn table_of(row: &Record) -> Result<TableName, DbError> {
    Ok(TableName { schema: row.text("table_schema")?, name: row.text("table_name")? })
}

async fn relations(handle: &mut Handle<'_>) -> Result<Tables, DbError> {
    let mut tables = Tables::new();
    for row in handle.again().fetch_all(TABLES, Vec::new()).await? {
        let name = table_of(&row)?;
        let kind = match (row.text("table_type")?.as_str(), row.opt_text("engine")?.as_deref()) {
            ("VIEW" | "SYSTEM VIEW", _) => TableKind::View,
            (_, Some("FEDERATED" | "CONNECT" | "SPIDER")) => TableKind::Foreign,
            _ => TableKind::Table,
        };
        let table = Table {
            estimated_rows: row.opt_int("estimated_rows")?.and_then(|rows| u64::try_from(rows).ok()),
            obstacle: if kind == TableKind::Table { obstacle(&row)? } else { None },
            ..Table::new(name.clone(), kind)
        };
        tables.insert(name, table);
    }
    Ok(tables)
}

/// What is erased must be erased as a whole or not at all, and not live on in a history that the server keeps.
fn obstacle(row: &Record) -> Result<Option<Obstacle>, DbError> {
    let name = row.text("table_name")?;
    if row.text("table_type")? == "SYSTEM VERSIONED" {
        return Ok(Some(Obstacle {
            problem: "it is system-versioned: what is deleted or overwritten stays in its history".into(),
            hint: format!(
                "ALTER TABLE {name} DROP SYSTEM VERSIONING, or keep the rows on a ground and delete its history (DELETE HISTORY) by hand"
            ),
        }));
    }
    let engine = row.opt_text("engine")?.unwrap_or_else(|| "unknown".into());
    if row.opt_text("transactions")?.is_some_and(|answer| answer.eq_ignore_ascii_case("yes")) {
        return Ok(None);
    }
    Ok(Some(Obstacle {
        problem: format!("its engine {engine} has no transactions: a batch that fails half-way could not be undone"),
        hint: format!("ALTER TABLE {name} ENGINE = InnoDB"),
    }))
}

async fn add_columns(handle: &mut Handle<'_>, tables: &mut Tables) -> Result<(), DbError> {
    for row in handle.again().fetch_all(COLUMNS, Vec::new()).await? {
        let Some(table) = tables.get_mut(&table_of(&row)?) else { continue };
        let (data_type, declared_type) = (row.text("data_type")?.to_ascii_lowercase(), row.text("column_type")?);
        let column_type = types::from_mysql(&data_type, &declared_type);
        let has_limit = matches!(data_type.as_str(), "char" | "varchar" | "binary" | "varbinary" | "bit");
        table.columns.push(Column {
            not_null: row.flag("not_null")?,
            generated: row.flag("is_generated")?,
            max_length: row.opt_int("max_length")?.filter(|_| has_limit).and_then(|length| usize::try_from(length).ok()),
            collation: row.opt_text("collation_name")?,
            ..Column::new(row.text("name")?, declared_type, column_type)
        });
    }
    Ok(())
}

async fn add_indexes(handle: &mut Handle<'_>, tables: &mut Tables) -> Result<(), DbError> {
    let mut indexes: Vec<(TableName, String, bool, Vec<Option<String>>)> = Vec::new();
    for row in handle.again().fetch_all(INDEXES, Vec::new()).await? {
        let (table, name, column) = (table_of(&row)?, row.text("name")?, row.opt_text("column_name")?);
        match indexes.last_mut() {
            Some(last) if last.0 == table && last.1 == name => last.3.push(column),
            _ => indexes.push((table, name, row.flag("is_unique")?, vec![column])),
        }
    }
    for (name, index, is_unique, columns) in indexes {
        let (Some(table), Some(columns)) = (tables.get_mut(&name), columns.into_iter().collect::<Option<Vec<String>>>()) else {
            continue;
        };
        table.indexes.push(columns.clone());
        if index == "PRIMARY" {
            table.primary_key = columns;
        } else if is_unique {
            table.uniques.push(columns);
        }
    }
    Ok(())
}

async fn add_foreign_keys(handle: &mut Handle<'_>, tables: &mut Tables) -> Result<(), DbError> {
    for row in handle.again().fetch_all(FOREIGN_KEYS, Vec::new()).await? {
        let Some(table) = tables.get_mut(&table_of(&row)?) else { continue };
        let (name, column, referenced_column) = (row.text("name")?, row.text("column_name")?, row.text("referenced_column")?);
        if let Some(key) = table.foreign_keys.iter_mut().find(|key| key.name == name) {
            key.columns.push(column);
            key.referenced_columns.push(referenced_column);
            continue;
        }
        table.foreign_keys.push(ForeignKey {
            name,
            columns: vec![column],
            referenced: TableName { schema: row.text("referenced_schema")?, name: row.text("referenced_table")? },
            referenced_columns: vec![referenced_column],
            on_delete: action(&row.text("on_delete")?),
            on_update: action(&row.text("on_update")?),
            deferrable: false,
        });
    }
    Ok(())
}

fn action(rule: &str) -> OnDelete {
    match rule {
        "RESTRICT" => OnDelete::Restrict,
        "CASCADE" => OnDelete::Cascade,
        "SET NULL" => OnDelete::SetNull,
        "SET DEFAULT" => OnDelete::SetDefault,
        _ => OnDelete::NoAction,
    }
}

/// What the role may do. Rights come from many places (the account, roles, patterns, single columns): where they are not given for the whole
/// database, the server is asked how it would carry out a statement, which it refuses to tell whom it would refuse the statement.
async fn add_rights(handle: &mut Handle<'_>, tables: &mut Tables, database: &str, role: &str) -> Result<(), DbError> {
    let (user, host) = role.rsplit_once('@').unwrap_or((role, "%"));
    let rows = handle.again().fetch_all(BROAD_RIGHTS, args![format!("'{user}'@'{host}'")]).await?;
    let broad = rows.iter().map(|row| row.text("privilege")).collect::<Result<Vec<_>, _>>()?;
    let has = |right: &str| broad.iter().any(|given| given == right);
    for table in tables.values_mut() {
        let is_covered = table.name.schema == database;
        let written: Vec<String> =
            table.columns.iter().filter(|column| !column.generated).map(|column| column.name.clone()).collect();
        table.rights = Rights {
            select: (is_covered && table.kind != TableKind::View && has("SELECT"))
                || is_allowed(handle, probe::mysql_select(&table.name)).await?,
            update: table.kind != TableKind::View
                && ((is_covered && has("UPDATE")) || is_allowed(handle, probe::mysql_update(&table.name, &written)).await?),
            delete: table.kind != TableKind::View
                && ((is_covered && has("DELETE")) || is_allowed(handle, probe::mysql_delete(&table.name)).await?),
        };
    }
    Ok(())
}

async fn is_allowed(handle: &mut Handle<'_>, probe: crate::db::Sql) -> Result<bool, DbError> {
    match handle.again().fetch_all(probe, Vec::new()).await {
        Ok(_) => Ok(true),
        // Views that show nothing any more are refused with numbers of their own.
        Err(DbError::Denied(_) | DbError::Refused { .. }) => Ok(false),
        Err(other) => Err(other),
    }
}
