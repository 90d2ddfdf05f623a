//! The catalogue of a PostgreSQL database, read with one set-based query per kind of thing. Partitions are folded into the table that
//! they are part of: their triggers, foreign keys and rows are its own. Statements are literals; nothing is interpolated.

use std::collections::{BTreeMap, HashMap};

use super::types::{self, PostgresType};
use super::{Catalogue, Column, ForeignKey, OnDelete, Rights, Table, TableKind, TableName, introspect_postgres_rules};
use crate::db::{DbError, Dialect, Handle, Record};

const SERVER: &str = "SELECT NOT pg_is_in_recovery() AND NOT EXISTS (
           SELECT 1 FROM pg_settings WHERE name = 'default_transaction_read_only' AND setting = 'on' AND source <> 'client') AS writable,
       d.oid::int8 AS database_oid, d.datname::text AS database_name,
       COALESCE(host(inet_server_addr()), 'local') || ':' || current_setting('port') AS address,
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS knows_identifier
  FROM pg_database d WHERE d.datname = current_database()";

const SYSTEM_IDENTIFIER: &str = "SELECT system_identifier::text AS identifier FROM pg_control_system()";

// Row security hides nothing where a policy that is always true lets our role see all and no other narrows it.
// A view that belongs to an extension shows the server's own state; a table of an extension may well hold data.
// Nobody analyses a small table: the server does not before 50 rows have changed. Its size tells that it is small, at rows of 60 bytes.
const RELATIONS: &str = "SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name, c.relkind::text AS kind,
       row_security_active(c.oid) AND NOT (
           EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND p.polpermissive AND p.polcmd = '*'
                      AND pg_get_expr(p.polqual, p.polrelid) = 'true' AND (p.polroles = '{0}'
                       OR EXISTS (SELECT 1 FROM unnest(p.polroles) role WHERE pg_has_role(current_user, role, 'USAGE'))))
           AND NOT EXISTS (SELECT 1 FROM pg_policy p WHERE p.polrelid = c.oid AND NOT p.polpermissive)) AS row_security,
       c.relispopulated AS is_populated,
       CASE WHEN c.relkind = 'p' THEN (
                SELECT CASE WHEN bool_or(leaf.reltuples < 0) THEN NULL ELSE sum(leaf.reltuples::float8)::int8 END
                  FROM pg_partition_tree(c.oid) tree JOIN pg_class leaf ON leaf.oid = tree.relid WHERE tree.isleaf)
            WHEN c.relkind IN ('r', 'm') AND c.reltuples < 0 AND pg_relation_size(c.oid) <= 20 * current_setting('block_size')::int8
                THEN pg_relation_size(c.oid) / current_setting('block_size')::int8 * 136
            WHEN c.relkind = 'v' OR c.reltuples < 0 THEN NULL
            WHEN c.reltuples = 0 AND c.relpages = 0 AND current_setting('server_version_num')::int < 140000 THEN NULL
            ELSE c.reltuples::int8 END AS estimated_rows,
       has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'SELECT') AS may_select,
       has_schema_privilege(n.oid, 'USAGE') AND has_any_column_privilege(c.oid, 'UPDATE') AS may_update,
       has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'DELETE') AS may_delete
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
   AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
   AND NOT (c.relkind = 'v' AND EXISTS (SELECT 1 FROM pg_depend e
            WHERE e.classid = 'pg_class'::regclass AND e.objid = c.oid AND e.deptype = 'e'))";

const COLUMNS: &str = "WITH RECURSIVE resolved AS (
    SELECT a.attrelid, a.attnum, a.atttypid AS type_oid, a.atttypmod AS modifier, a.attnotnull AS not_null
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL
    SELECT r.attrelid, r.attnum, t.typbasetype, CASE WHEN r.modifier >= 0 THEN r.modifier ELSE t.typtypmod END, r.not_null OR t.typnotnull
      FROM resolved r JOIN pg_type t ON t.oid = r.type_oid WHERE t.typtype = 'd')
SELECT r.attrelid::int8 AS oid, a.attname::text AS name, format_type(a.atttypid, a.atttypmod) AS declared_type, r.not_null,
       (a.attgenerated <> '' OR a.attidentity = 'a') AS generated, r.modifier::int8 AS modifier,
       has_column_privilege(r.attrelid, r.attnum, 'SELECT') AS may_select, has_column_privilege(r.attrelid, r.attnum, 'UPDATE') AS may_update,
       t.typname::text AS base_name, t.typtype::text AS base_kind, t.typcategory::text AS base_category
  FROM resolved r JOIN pg_type t ON t.oid = r.type_oid AND t.typtype <> 'd'
  JOIN pg_attribute a ON a.attrelid = r.attrelid AND a.attnum = r.attnum
 ORDER BY r.attrelid, r.attnum";

// Only indexes that serve equality on whole columns, in every row.
const INDEXES: &str = "SELECT i.indrelid::int8 AS oid, i.indisprimary AS is_primary, i.indisunique AS is_unique,
       (SELECT json_agg(a.attname ORDER BY k.position)::text
          FROM unnest(i.indkey::int2[]) WITH ORDINALITY AS k(attnum, position)
          JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum
         WHERE k.position <= i.indnkeyatts) AS columns
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid JOIN pg_am m ON m.oid = x.relam
 WHERE i.indisvalid AND i.indislive AND i.indpred IS NULL AND i.indexprs IS NULL AND m.amname IN ('btree', 'hash')
 ORDER BY x.relname";

const FOREIGN_KEYS: &str = "SELECT COALESCE(pg_partition_root(k.conrelid)::oid, k.conrelid)::int8 AS oid,
       COALESCE(pg_partition_root(k.confrelid)::oid, k.confrelid)::int8 AS referenced_oid,
       k.conname::text AS name, k.confdeltype::text AS on_delete, k.confupdtype::text AS on_update,
       k.condeferrable AS deferrable,
       (SELECT json_agg(a.attname ORDER BY c.position)::text FROM unnest(k.conkey) WITH ORDINALITY AS c(attnum, position)
          JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = c.attnum) AS columns,
       (SELECT json_agg(a.attname ORDER BY c.position)::text FROM unnest(k.confkey) WITH ORDINALITY AS c(attnum, position)
          JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = c.attnum) AS referenced_columns
  FROM pg_constraint k WHERE k.contype = 'f' AND k.conparentid = 0
 ORDER BY k.conname";

// Changes with anything that planning has read. What a session makes for itself alone does not count.
const VERSION: &str = "SELECT md5(COALESCE(string_agg(line, ' ' ORDER BY line), '')) AS version FROM (
    SELECT 'a' || a.attrelid || '.' || a.attnum || '.' || a.xmin AS line
      FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE a.attnum > 0 AND c.relkind IN ('r', 'p', 'f')
       AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL SELECT 'k' || k.oid || '.' || k.xmin FROM pg_constraint k JOIN pg_namespace n ON n.oid = k.connamespace
     WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'
    UNION ALL SELECT 't' || t.oid || '.' || t.xmin FROM pg_trigger t WHERE NOT t.tgisinternal
    UNION ALL SELECT 'f' || p.oid || '.' || p.xmin FROM pg_proc p WHERE p.oid IN (SELECT tgfoid FROM pg_trigger WHERE NOT tgisinternal)
    UNION ALL SELECT 'r' || r.oid || '.' || r.xmin FROM pg_rewrite r WHERE r.ev_type IN ('2', '4')
    UNION ALL SELECT 'p' || p.oid || '.' || p.xmin FROM pg_policy p
    UNION ALL SELECT 'h' || h.inhrelid || '.' || h.inhparent FROM pg_inherits h) AS lines";

/// The word by which a change of the schema is noticed.
pub(super) async fn version(handle: Handle<'_>) -> Result<String, DbError> {
    handle.fetch_one(VERSION, Vec::new()).await?.text("version")
}

pub(super) async fn load(mut handle: Handle<'_>) -> Result<Catalogue, DbError> {
    let server = handle.again().fetch_one(SERVER, Vec::new()).await?;
    let system_identity = system_identity(&mut handle, &server).await?;
    // First: a change while the rest is read must not pass for one that was seen.
    let version = version(handle.again()).await?;
    let mut tables = relations(&mut handle).await?;
    add_columns(&mut handle, &mut tables).await?;
    add_indexes(&mut handle, &mut tables).await?;
    add_foreign_keys(&mut handle, &mut tables).await?;
    introspect_postgres_rules::add(&mut handle, &mut tables).await?;
    let tables: BTreeMap<TableName, Table> = tables.into_values().map(|table| (table.name.clone(), table)).collect();
    Ok(Catalogue {
        dialect: Dialect::Postgres,
        system_identity,
        writable: server.flag("writable")?,
        default_schema: "public".into(),
        tables,
        version,
    })
}

/// The identifier that initdb gave the cluster, with the database's own number; where the role may not read it, what else is stable.
async fn system_identity(handle: &mut Handle<'_>, server: &Record) -> Result<String, DbError> {
    let database = server.int("database_oid")?;
    if server.flag("knows_identifier")? {
        let identifier = handle.again().fetch_one(SYSTEM_IDENTIFIER, Vec::new()).await?.text("identifier")?;
        return Ok(format!("postgres:{identifier}/{database}"));
    }
    Ok(format!("postgres:{}/{database}/{}", server.text("address")?, server.text("database_name")?))
}

async fn relations(handle: &mut Handle<'_>) -> Result<HashMap<i64, Table>, DbError> {
    let mut tables = HashMap::new();
    for row in handle.again().fetch_all(RELATIONS, Vec::new()).await? {
        let kind = match row.text("kind")?.as_str() {
            "v" => TableKind::View,
            "m" => TableKind::MaterialisedView,
            "f" => TableKind::Foreign,
            _ => TableKind::Table,
        };
        let name = TableName { schema: row.text("schema")?, name: row.text("name")? };
        let table = Table {
            row_security: row.flag("row_security")?,
            is_populated: row.flag("is_populated")?,
            estimated_rows: row.opt_int("estimated_rows")?.and_then(|rows| u64::try_from(rows).ok()),
            rights: Rights { select: row.flag("may_select")?, update: row.flag("may_update")?, delete: row.flag("may_delete")? },
            ..Table::new(name, kind)
        };
        tables.insert(row.int("oid")?, table);
    }
    Ok(tables)
}

async fn add_columns(handle: &mut Handle<'_>, tables: &mut HashMap<i64, Table>) -> Result<(), DbError> {
    for row in handle.again().fetch_all(COLUMNS, Vec::new()).await? {
        let Some(table) = tables.get_mut(&row.int("oid")?) else {
            continue;
        };
        let (name, kind, category) = (row.text("base_name")?, row.text("base_kind")?, row.text("base_category")?);
        let base = PostgresType { name: &name, kind: &kind, category: &category };
        let column_type = types::from_postgres(&base);
        table.columns.push(Column {
            not_null: row.flag("not_null")?,
            generated: row.flag("generated")?,
            max_length: types::postgres_max_length(&base, row.int("modifier")?),
            may_select: row.flag("may_select")?,
            may_update: row.flag("may_update")?,
            ..Column::new(row.text("name")?, row.text("declared_type")?, column_type)
        });
    }
    Ok(())
}

async fn add_indexes(handle: &mut Handle<'_>, tables: &mut HashMap<i64, Table>) -> Result<(), DbError> {
    for row in handle.again().fetch_all(INDEXES, Vec::new()).await? {
        let Some(table) = tables.get_mut(&row.int("oid")?) else {
            continue;
        };
        let columns = names(&row, "columns")?;
        table.indexes.push(columns.clone());
        if row.flag("is_primary")? {
            table.primary_key = columns;
        } else if row.flag("is_unique")? {
            table.uniques.push(columns);
        }
    }
    Ok(())
}

async fn add_foreign_keys(handle: &mut Handle<'_>, tables: &mut HashMap<i64, Table>) -> Result<(), DbError> {
    for row in handle.again().fetch_all(FOREIGN_KEYS, Vec::new()).await? {
        let Some(referenced) = tables.get(&row.int("referenced_oid")?).map(|table| table.name.clone()) else {
            continue;
        };
        let Some(table) = tables.get_mut(&row.int("oid")?) else {
            continue;
        };
        table.foreign_keys.push(ForeignKey {
            name: row.text("name")?,
            columns: names(&row, "columns")?,
            referenced,
            referenced_columns: names(&row, "referenced_columns")?,
            on_delete: action(&row.text("on_delete")?),
            on_update: action(&row.text("on_update")?),
            deferrable: row.flag("deferrable")?,
        });
    }
    Ok(())
}

fn action(letter: &str) -> OnDelete {
    match letter {
        "r" => OnDelete::Restrict,
        "c" => OnDelete::Cascade,
        "n" => OnDelete::SetNull,
        "d" => OnDelete::SetDefault,
        _ => OnDelete::NoAction,
    }
}

/// Names come as a JSON list: they may hold any character that a separator could be.
pub(super) fn names(row: &Record, column: &str) -> Result<Vec<String>, DbError> {
    serde_json::from_str(&row.text(column)?)
        .map_err(|_| DbError::Column { column: column.to_owned(), problem: "is not a list of names".into() })
}
