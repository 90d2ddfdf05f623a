//! What MySQL and MariaDB enforce or do by themselves when rows are written: triggers, CHECK constraints, computed columns, and which tables a
//! view shows; and the word by which a change of any of it is noticed. Statements are literals; nothing is interpolated.

use std::collections::BTreeMap;

use super::introspect_mysql::{Tables, table_of};
use super::trigger::{Effect, Trigger, writes_of};
use super::words::tokens;
use super::{Check, Column, TableKind, TableName};
use crate::db::{DbError, Handle};
use crate::value::ColumnType;

// A role without the right TRIGGER sees none. Triggers do not run for what a foreign key's cascade does.
const TRIGGERS: &str = "SELECT EVENT_OBJECT_SCHEMA AS table_schema, EVENT_OBJECT_TABLE AS table_name, TRIGGER_NAME AS name,
       EVENT_MANIPULATION = 'DELETE' AS on_delete, EVENT_MANIPULATION = 'UPDATE' AS on_update, ACTION_STATEMENT AS body
  FROM information_schema.TRIGGERS WHERE EVENT_MANIPULATION IN ('DELETE', 'UPDATE') ORDER BY TRIGGER_NAME";

const MARIADB_CHECKS: &str =
    "SELECT CONSTRAINT_SCHEMA AS table_schema, TABLE_NAME AS table_name, CONSTRAINT_NAME AS name, CHECK_CLAUSE AS clause
  FROM information_schema.CHECK_CONSTRAINTS ORDER BY TABLE_NAME, CONSTRAINT_NAME";

const MYSQL_CHECKS: &str = "SELECT t.TABLE_SCHEMA AS table_schema, t.TABLE_NAME AS table_name, k.CONSTRAINT_NAME AS name, k.CHECK_CLAUSE AS clause
  FROM information_schema.CHECK_CONSTRAINTS k JOIN information_schema.TABLE_CONSTRAINTS t ON t.CONSTRAINT_TYPE = 'CHECK'
   AND t.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND t.CONSTRAINT_NAME = k.CONSTRAINT_NAME ORDER BY t.TABLE_NAME, k.CONSTRAINT_NAME";

const COMPUTED: &str =
    "SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, COLUMN_NAME AS name, GENERATION_EXPRESSION AS expression
  FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() AND GENERATION_EXPRESSION <> ''";

const VIEWS: &str = "SELECT TABLE_SCHEMA AS table_schema, TABLE_NAME AS table_name, VIEW_DEFINITION AS definition
  FROM information_schema.VIEWS WHERE TABLE_SCHEMA = DATABASE()";

// One number for all lines, in whatever order they come: each line's digest, taken together bit by bit.
const VERSION: &str = "SELECT CONCAT(COUNT(*), '-', HEX(BIT_XOR(CAST(CONV(LEFT(MD5(line), 16), 16, 10) AS UNSIGNED)))) AS version FROM (
    SELECT CONCAT_WS(0x00, 'c', TABLE_NAME, COLUMN_NAME, ORDINAL_POSITION, COLUMN_TYPE, IS_NULLABLE, EXTRA, COLUMN_KEY, COLLATION_NAME) AS line
      FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE()
    UNION ALL SELECT CONCAT_WS(0x00, 'e', TABLE_NAME, TABLE_TYPE, ENGINE) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()
    UNION ALL SELECT CONCAT_WS(0x00, 'k', CONSTRAINT_SCHEMA, TABLE_NAME, CONSTRAINT_NAME, REFERENCED_TABLE_NAME, DELETE_RULE, UPDATE_RULE)
      FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE UNIQUE_CONSTRAINT_SCHEMA = DATABASE() OR CONSTRAINT_SCHEMA = DATABASE()
    UNION ALL SELECT CONCAT_WS(0x00, 'u', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME)
      FROM information_schema.STATISTICS WHERE TABLE_SCHEMA = DATABASE()
    UNION ALL SELECT CONCAT_WS(0x00, 't', EVENT_OBJECT_TABLE, TRIGGER_NAME, EVENT_MANIPULATION, ACTION_STATEMENT)
      FROM information_schema.TRIGGERS WHERE EVENT_OBJECT_SCHEMA = DATABASE()) described";

/// Adds everything to the tables that are known by now.
pub(super) async fn add(handle: &mut Handle<'_>, tables: &mut Tables, is_mariadb: bool) -> Result<(), DbError> {
    for row in handle.again().fetch_all(TRIGGERS, Vec::new()).await? {
        let Some(table) = tables.get_mut(&table_of(&row)?) else { continue };
        // The body is hidden from a role that may not make triggers: then it may do anything. A function of the database's own cannot be told
        // from a built-in one by its name; procedures are seen by their CALL.
        let definition = row.opt_text("body")?;
        let effect = match &definition {
            Some(body) => writes_of(&tokens(body), &table.name.name, &|_| false),
            None => Effect { is_opaque: true, ..Effect::default() },
        };
        let definition = definition.unwrap_or_default();
        let (on_delete, on_update) = (row.flag("on_delete")?, row.flag("on_update")?);
        table.triggers.push(Trigger { name: row.text("name")?, on_delete, on_update, definition, effect });
    }
    let checks = if is_mariadb { MARIADB_CHECKS } else { MYSQL_CHECKS };
    for row in handle.again().fetch_all(checks, Vec::new()).await? {
        let (name, condition) = (row.text("name")?, row.text("clause")?);
        let Some(table) = tables.get_mut(&table_of(&row)?) else { continue };
        // MariaDB's JSON is text with a check of this form.
        let words = tokens(&condition);
        let checked = match words.as_slice() {
            [valid, open, name, close] if valid.is("json_valid") && open.is_sign("(") && close.is_sign(")") => name.as_name(),
            _ => None,
        };
        let is_json = |column: &Column| checked.is_some_and(|name| name.eq_ignore_ascii_case(&column.name));
        match table.columns.iter_mut().find(|column| is_mariadb && is_json(column)) {
            Some(column) => column.column_type = ColumnType::Json,
            None => table.checks.push(Check { name, condition }),
        }
    }
    for row in handle.again().fetch_all(COMPUTED, Vec::new()).await? {
        let (name, expression) = (row.text("name")?, row.text("expression")?);
        let Some(table) = tables.get_mut(&table_of(&row)?) else { continue };
        let words = tokens(&expression);
        let is_named =
            |known: &&String| words.iter().any(|word| word.as_name().is_some_and(|name| name.eq_ignore_ascii_case(known)));
        let known: Vec<String> = table.columns.iter().map(|column| column.name.clone()).collect();
        let base: Vec<String> = known.iter().filter(is_named).cloned().collect();
        table.columns.iter_mut().filter(|column| column.name == name).for_each(|column| column.computed_from = base.clone());
    }
    add_what_views_read(handle, tables).await
}

/// The stored text of a view names every table by database and name; a view over views reads what those read.
async fn add_what_views_read(handle: &mut Handle<'_>, tables: &mut Tables) -> Result<(), DbError> {
    let known: Vec<TableName> = tables.keys().cloned().collect();
    let mut named: BTreeMap<TableName, Vec<TableName>> = BTreeMap::new();
    for row in handle.again().fetch_all(VIEWS, Vec::new()).await? {
        let definition = row.opt_text("definition")?.unwrap_or_default();
        let words = tokens(&definition);
        let is_named = |table: &&TableName| {
            words.windows(3).any(|three| {
                three[1].is_sign(".")
                    && three[0].as_name() == Some(table.schema.as_str())
                    && three[2].as_name() == Some(table.name.as_str())
            })
        };
        named.insert(table_of(&row)?, known.iter().filter(is_named).cloned().collect());
    }
    for view in named.keys() {
        let mut reads = std::collections::BTreeSet::new();
        let mut to_follow = vec![view.clone()];
        while let Some(next) = to_follow.pop() {
            for table in named.get(&next).into_iter().flatten().filter(|table| *table != view) {
                if reads.insert(table.clone()) && tables.get(table).is_some_and(|table| table.kind == TableKind::View) {
                    to_follow.push(table.clone());
                }
            }
        }
        if let Some(view) = tables.get_mut(view) {
            view.reads = reads;
        }
    }
    Ok(())
}

/// The word by which a change of the schema is noticed.
pub(super) async fn version(handle: Handle<'_>) -> Result<String, DbError> {
    handle.fetch_one(VERSION, Vec::new()).await?.text("version")
}
