//! The catalogue of a SQLite file, read through the pragma functions. SQLite compares names without regard to case, so that what a
//! foreign key or a trigger names is brought back to the spelling of the table itself.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::text::probe;
use super::{Catalogue, Column, ForeignKey, OnDelete, Rights, Table, TableKind, TableName, introspect_sqlite_text, types};
use crate::args;
use crate::db::{DbError, Dialect, Handle, Record};

/// Tables are counted up to here: an estimate needs no more.
const COUNT_AT_MOST: u32 = 5_000_000;

const RELATIONS: &str =
    "SELECT name, type AS kind FROM pragma_table_list WHERE schema = 'main' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";
const COLUMNS: &str =
    "SELECT name, type AS declared_type, \"notnull\" AS not_null, pk, hidden FROM pragma_table_xinfo($1, 'main') ORDER BY cid";
const INDEXES: &str =
    "SELECT name, \"unique\" AS is_unique, origin FROM pragma_index_list($1, 'main') WHERE partial = 0 ORDER BY name";
// `cid` is -2 for an expression; `key` is 0 for columns that are only stored along.
const INDEX_COLUMNS: &str = "SELECT cid, name FROM pragma_index_xinfo($1, 'main') WHERE \"key\" = 1 ORDER BY seqno";
const FOREIGN_KEYS: &str = "SELECT id, \"table\" AS referenced, \"from\" AS from_column, \"to\" AS to_column, on_delete, on_update
      FROM pragma_foreign_key_list($1, 'main') ORDER BY id, seq";
const TEXTS: &str = "SELECT type, name, tbl_name, sql FROM main.sqlite_schema WHERE sql IS NOT NULL ORDER BY name";

pub(super) async fn load(mut handle: Handle<'_>) -> Result<Catalogue, DbError> {
    let system_identity = system_identity(&mut handle).await?;
    // First: a change while the rest is read must not pass for one that was seen.
    let version = version(handle.again()).await?;
    let relations = relations(&mut handle).await?;
    let ordinary: Vec<TableName> =
        relations.iter().filter(|(_, kind)| *kind == TableKind::Table).map(|(name, _)| name.clone()).collect();
    let writable = is_writable(&mut handle, &ordinary).await?;
    let mut tables = BTreeMap::new();
    for (name, kind) in relations {
        let table = read_table(&mut handle, name.clone(), kind, writable).await?;
        tables.insert(name, table);
    }
    resolve_references(&mut tables);
    for row in handle.again().fetch_all(TEXTS, Vec::new()).await? {
        let on = row.text("tbl_name")?;
        if let Some(table) = tables.values_mut().find(|table| table.name.name.eq_ignore_ascii_case(&on)) {
            introspect_sqlite_text::add(table, &row.text("type")?, &row.text("name")?, &row.text("sql")?);
        }
    }
    Ok(Catalogue { dialect: Dialect::Sqlite, system_identity, writable, default_schema: "main".into(), tables, version })
}

/// SQLite counts the changes of its schema.
pub(super) async fn version(handle: Handle<'_>) -> Result<String, DbError> {
    Ok(handle.fetch_one("PRAGMA schema_version", Vec::new()).await?.int("schema_version")?.to_string())
}

async fn relations(handle: &mut Handle<'_>) -> Result<Vec<(TableName, TableKind)>, DbError> {
    let mut relations = Vec::new();
    for row in handle.again().fetch_all(RELATIONS, Vec::new()).await? {
        let kind = match row.text("kind")?.as_str() {
            "view" => TableKind::View,
            "table" => TableKind::Table,
            // Virtual tables, and the shadow tables in which they keep their content.
            _ => TableKind::Foreign,
        };
        relations.push((TableName { schema: "main".into(), name: row.text("name")? }, kind));
    }
    Ok(relations)
}

/// A digest of the canonical path: the path itself may name a person or a customer.
async fn system_identity(handle: &mut Handle<'_>) -> Result<String, DbError> {
    let sql = "SELECT file FROM pragma_database_list WHERE name = 'main'";
    let file = handle.again().fetch_one(sql, Vec::new()).await?.opt_text("file")?.unwrap_or_default();
    if file.is_empty() {
        return Ok("sqlite:memory".into());
    }
    let canonical = tokio::fs::canonicalize(&file).await.unwrap_or_else(|_| file.into());
    let digest = Sha256::digest(canonical.as_os_str().as_encoded_bytes());
    let hex: String = digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("sqlite:{hex}"))
}

/// Begins to write without a row to write: the one thing that tells a read-only session and leaves no trace. Opening the file to see
/// would be wrong: closing it again would drop the locks that SQLite holds on it in this process.
async fn is_writable(handle: &mut Handle<'_>, tables: &[TableName]) -> Result<bool, DbError> {
    for table in tables {
        match handle.again().execute(probe::delete_nothing(table), Vec::new()).await {
            // Busy: somebody else writes, so that it can be written.
            Ok(_) | Err(DbError::Busy(_)) => return Ok(true),
            Err(DbError::Denied(_)) => return Ok(false),
            // A reference to it that points nowhere: any other table tells as well.
            Err(DbError::Refused { .. }) => {}
            Err(other) => return Err(other),
        }
    }
    Ok(true)
}

async fn read_table(handle: &mut Handle<'_>, name: TableName, kind: TableKind, writable: bool) -> Result<Table, DbError> {
    let may_change = writable && kind != TableKind::View;
    let rights = Rights { select: true, update: may_change, delete: may_change };
    let mut table = Table { rights, ..Table::new(name, kind) };
    match read_columns(handle, &mut table).await {
        Ok(()) => {}
        // A view over a dropped table, a virtual table whose module is missing: it is there, and nothing can be read from it.
        Err(DbError::Refused { .. }) if kind != TableKind::Table => {
            table.rights = Rights { select: false, update: false, delete: false };
            return Ok(table);
        }
        Err(other) => return Err(other),
    }
    if kind == TableKind::Table {
        read_indexes(handle, &mut table).await?;
        read_foreign_keys(handle, &mut table).await?;
        let counted = handle.again().fetch_one(probe::count_up_to(&table.name, COUNT_AT_MOST), Vec::new()).await?;
        table.estimated_rows = u64::try_from(counted.int("counted")?).ok();
    }
    Ok(table)
}

async fn read_columns(handle: &mut Handle<'_>, table: &mut Table) -> Result<(), DbError> {
    let mut key: Vec<(i64, String)> = Vec::new();
    for row in handle.again().fetch_all(COLUMNS, args![table.name.name.as_str()]).await? {
        let hidden = row.int("hidden")?;
        if hidden == 1 {
            continue; // A hidden column of a virtual table is an argument, not data.
        }
        let (name, declared_type, position) = (row.text("name")?, row.text("declared_type")?, row.int("pk")?);
        if position > 0 {
            key.push((position, name.clone()));
        }
        let column_type = types::from_sqlite(&declared_type);
        table.columns.push(Column {
            max_length: types::sqlite_max_length(&declared_type),
            not_null: row.int("not_null")? != 0 || position > 0,
            generated: hidden >= 2,
            ..Column::new(name, declared_type, column_type)
        });
    }
    key.sort();
    table.primary_key = key.into_iter().map(|(_, name)| name).collect();
    Ok(())
}

async fn read_indexes(handle: &mut Handle<'_>, table: &mut Table) -> Result<(), DbError> {
    for row in handle.again().fetch_all(INDEXES, args![table.name.name.as_str()]).await? {
        let parts = handle.again().fetch_all(INDEX_COLUMNS, args![row.text("name")?]).await?;
        let Some(columns) = plain_columns(&parts)? else {
            continue;
        };
        if row.int("is_unique")? != 0 && row.text("origin")? != "pk" {
            table.uniques.push(columns.clone());
        }
        table.indexes.push(columns);
    }
    // INTEGER PRIMARY KEY is the table itself and is not listed.
    if !table.primary_key.is_empty() && !table.indexes.contains(&table.primary_key) {
        table.indexes.push(table.primary_key.clone());
    }
    Ok(())
}

/// The columns of an index, or `None` where it is on an expression.
fn plain_columns(parts: &[Record]) -> Result<Option<Vec<String>>, DbError> {
    let mut columns = Vec::with_capacity(parts.len());
    for part in parts {
        match part.opt_text("name")? {
            Some(name) if part.int("cid")? >= 0 => columns.push(name),
            _ => return Ok(None),
        }
    }
    Ok(Some(columns))
}

async fn read_foreign_keys(handle: &mut Handle<'_>, table: &mut Table) -> Result<(), DbError> {
    let mut last_id = None;
    for row in handle.again().fetch_all(FOREIGN_KEYS, args![table.name.name.as_str()]).await? {
        let id = row.int("id")?;
        if last_id != Some(id) {
            last_id = Some(id);
            table.foreign_keys.push(ForeignKey {
                name: format!("fk_{id}"),
                columns: Vec::new(),
                referenced: TableName { schema: "main".into(), name: row.text("referenced")? },
                referenced_columns: Vec::new(),
                on_delete: action(&row.text("on_delete")?),
                on_update: action(&row.text("on_update")?),
                // Whatever is declared, `PRAGMA defer_foreign_keys` defers every constraint of a transaction.
                deferrable: true,
            });
        }
        if let Some(foreign_key) = table.foreign_keys.last_mut() {
            foreign_key.columns.push(row.text("from_column")?);
            foreign_key.referenced_columns.extend(row.opt_text("to_column")?);
        }
    }
    Ok(())
}

fn action(words: &str) -> OnDelete {
    match words {
        "RESTRICT" => OnDelete::Restrict,
        "CASCADE" => OnDelete::Cascade,
        "SET NULL" => OnDelete::SetNull,
        "SET DEFAULT" => OnDelete::SetDefault,
        _ => OnDelete::NoAction,
    }
}

/// Gives foreign keys the spelling of the tables and columns that they point to, and the primary key where they name no column.
fn resolve_references(tables: &mut BTreeMap<TableName, Table>) {
    let targets: Vec<(TableName, Vec<String>, Vec<String>)> = tables
        .values()
        .map(|table| (table.name.clone(), table.primary_key.clone(), table.columns.iter().map(|c| c.name.clone()).collect()))
        .collect();
    for table in tables.values_mut() {
        let own: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        for foreign_key in &mut table.foreign_keys {
            foreign_key.columns.iter_mut().for_each(|name| respell(name, &own));
            let wanted = foreign_key.referenced.name.clone();
            let Some((target, key, columns)) = targets.iter().find(|(target, ..)| target.name.eq_ignore_ascii_case(&wanted)) else {
                continue;
            };
            foreign_key.referenced = target.clone();
            if foreign_key.referenced_columns.is_empty() {
                foreign_key.referenced_columns = key.clone();
            }
            foreign_key.referenced_columns.iter_mut().for_each(|name| respell(name, columns));
        }
    }
}

fn respell(name: &mut String, known: &[String]) {
    if let Some(spelling) = known.iter().find(|candidate| candidate.eq_ignore_ascii_case(name)) {
        name.clone_from(spelling);
    }
}
