//! What PostgreSQL enforces or does by itself when rows are written: triggers, rules, CHECK constraints, narrow unique indexes, inheritance,
//! and which views keep copies. Statements are literals; nothing is interpolated.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::introspect_postgres::names;
use super::trigger::{Effect, Swallows, Trigger, rule_effect, swallows_by_return, writes_of};
use super::words::tokens;
use super::{Check, NarrowUnique, Table, TableName};
use crate::db::{DbError, Handle, Record};

// Bits of tgtype: 1 is FOR EACH ROW, 2 BEFORE, 8 DELETE, 16 UPDATE. What is disabled, or fires on replicas only, is left out.
const TRIGGERS: &str = "SELECT COALESCE(pg_partition_root(t.tgrelid)::oid, t.tgrelid)::int8 AS oid, t.tgname::text AS name,
       t.tgtype::int & 8 <> 0 AS on_delete, t.tgtype::int & 16 <> 0 AS on_update, t.tgtype::int & 3 = 3 AS may_swallow,
       t.tgqual IS NOT NULL OR cardinality(t.tgattr::int2[]) > 0 AS conditional, l.lanname::text AS language,
       n.nspname = 'pg_catalog' AS built_in, p.proname::text AS function, p.prosrc AS body,
       pg_get_triggerdef(t.oid) || ' ' || p.prosrc AS definition
  FROM pg_trigger t JOIN pg_proc p ON p.oid = t.tgfoid JOIN pg_language l ON l.oid = p.prolang JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled IN ('O', 'A') AND t.tgtype::int & 24 <> 0
 ORDER BY t.tgname";

// ev_type 2 is UPDATE, 4 is DELETE; ev_qual is an empty list where a rule has no condition.
const RULES: &str =
    "SELECT r.ev_class::int8 AS oid, 'rule ' || r.rulename AS name, r.ev_type = '4' AS on_delete, r.ev_type = '2' AS on_update,
       r.is_instead, r.ev_qual::text <> '<>' AS conditional, pg_get_ruledef(r.oid) AS definition
  FROM pg_rewrite r WHERE r.ev_type IN ('2', '4') AND r.ev_enabled IN ('O', 'A')
 ORDER BY r.rulename";

// Functions that an operator or an extension has made and that may do anything, by their name alone: a body names them so.
const FUNCTIONS: &str = "SELECT DISTINCT p.proname::text AS name FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
 WHERE p.provolatile = 'v' AND p.prokind <> 'a' AND n.nspname NOT IN ('pg_catalog', 'information_schema')";

const CHECKS: &str = "SELECT k.conrelid::int8 AS oid, k.conname::text AS name, pg_get_expr(k.conbin, k.conrelid) AS condition
  FROM pg_constraint k WHERE k.contype = 'c' AND k.conrelid <> 0
 ORDER BY k.conname";

// An index depends on every column that it looks at, in its expressions and its predicate too. NULLS NOT DISTINCT is newer than version 14.
const NARROW_UNIQUES: &str = "SELECT i.indrelid::int8 AS oid, x.relname::text AS name,
       COALESCE((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false) AS nulls_collide,
       (SELECT json_agg(DISTINCT a.attname)::text FROM pg_attribute a
         WHERE a.attrelid = i.indrelid AND a.attnum > 0 AND (a.attnum = ANY (i.indkey::int2[]) OR EXISTS (
               SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid
                  AND d.refclassid = 'pg_class'::regclass AND d.refobjid = i.indrelid AND d.refobjsubid = a.attnum))) AS columns
  FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid
 WHERE i.indislive AND NOT i.indisprimary AND (i.indisexclusion OR (i.indisunique
       AND (i.indpred IS NOT NULL OR i.indexprs IS NOT NULL OR COALESCE((to_jsonb(i) ->> 'indnullsnotdistinct')::bool, false))))
 ORDER BY x.relname";

const COMPUTED: &str = "SELECT g.adrelid::int8 AS oid, c.attname::text AS name, b.attname::text AS base
  FROM pg_attrdef g JOIN pg_attribute c ON c.attrelid = g.adrelid AND c.attnum = g.adnum AND c.attgenerated <> ''
  JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = g.adrelid AND d.refobjsubid <> g.adnum
   AND ((d.classid = 'pg_attrdef'::regclass AND d.objid = g.oid)
     OR (d.classid = 'pg_class'::regclass AND d.objid = g.adrelid AND d.objsubid = g.adnum))
  JOIN pg_attribute b ON b.attrelid = g.adrelid AND b.attnum = d.refobjsubid
 WHERE d.refobjsubid > 0";

const CHILDREN: &str =
    "SELECT COALESCE(pg_partition_root(h.inhparent)::oid, h.inhparent)::int8 AS oid, c.relispartition AS is_partition,
       n.nspname::text AS schema, c.relname::text AS name
  FROM pg_inherits h JOIN pg_class c ON c.oid = h.inhrelid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f')";

const VIEWS: &str = "WITH RECURSIVE reads AS (
    SELECT r.ev_class AS view, d.refobjid AS relation
      FROM pg_rewrite r JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
       AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class
     WHERE r.rulename = '_RETURN'
    UNION
    SELECT reads.view, d.refobjid
      FROM reads JOIN pg_rewrite r ON r.ev_class = reads.relation AND r.rulename = '_RETURN'
      JOIN pg_depend d ON d.classid = 'pg_rewrite'::regclass AND d.objid = r.oid
       AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> r.ev_class)
SELECT DISTINCT view::int8 AS oid, COALESCE(pg_partition_root(relation)::oid, relation)::int8 AS relation FROM reads";

/// Adds everything to the tables that are known by now.
pub(super) async fn add(handle: &mut Handle<'_>, tables: &mut HashMap<i64, Table>) -> Result<(), DbError> {
    add_triggers(handle, tables).await?;
    for row in handle.again().fetch_all(CHECKS, Vec::new()).await? {
        let check = Check { name: row.text("name")?, condition: row.opt_text("condition")?.unwrap_or_default() };
        of(tables, &row)?.into_iter().for_each(|table| table.checks.push(check.clone()));
    }
    for row in handle.again().fetch_all(NARROW_UNIQUES, Vec::new()).await? {
        let unique = NarrowUnique {
            name: row.text("name")?,
            columns: names(&row, "columns")?.into_iter().collect(),
            nulls_collide: row.flag("nulls_collide")?,
        };
        of(tables, &row)?.into_iter().for_each(|table| table.narrow_uniques.push(unique.clone()));
    }
    for row in handle.again().fetch_all(COMPUTED, Vec::new()).await? {
        let (name, base) = (row.text("name")?, row.text("base")?);
        let column = of(tables, &row)?.and_then(|table| table.columns.iter_mut().find(|column| column.name == name));
        column.into_iter().for_each(|column| column.computed_from.push(base.clone()));
    }
    for row in handle.again().fetch_all(CHILDREN, Vec::new()).await? {
        let child = TableName { schema: row.text("schema")?, name: row.text("name")? };
        let is_partition = row.flag("is_partition")?;
        if let Some(table) = of(tables, &row)? {
            if is_partition {
                table.partitions.insert(child)
            } else {
                table.inherited_by.insert(child)
            };
        }
    }
    add_what_views_read(handle, tables).await
}

fn of<'t>(tables: &'t mut HashMap<i64, Table>, row: &Record) -> Result<Option<&'t mut Table>, DbError> {
    Ok(tables.get_mut(&row.int("oid")?))
}

async fn add_what_views_read(handle: &mut Handle<'_>, tables: &mut HashMap<i64, Table>) -> Result<(), DbError> {
    let known: HashMap<i64, TableName> = tables.iter().map(|(oid, table)| (*oid, table.name.clone())).collect();
    for row in handle.again().fetch_all(VIEWS, Vec::new()).await? {
        let read = known.get(&row.int("relation")?).cloned();
        if let (Some(view), Some(read)) = (of(tables, &row)?, read) {
            view.reads.insert(read);
        }
    }
    Ok(())
}

async fn add_triggers(handle: &mut Handle<'_>, tables: &mut HashMap<i64, Table>) -> Result<(), DbError> {
    let triggers = handle.again().fetch_all(TRIGGERS, Vec::new()).await?;
    let mut functions = HashSet::new();
    if !triggers.is_empty() {
        for row in handle.again().fetch_all(FUNCTIONS, Vec::new()).await? {
            functions.insert(row.text("name")?.to_ascii_lowercase());
        }
    }
    for row in triggers {
        if let Some(table) = of(tables, &row)? {
            let trigger = trigger(&row, &table.name.name, &functions)?;
            table.triggers.push(trigger);
        }
    }
    for row in handle.again().fetch_all(RULES, Vec::new()).await? {
        if let Some(table) = of(tables, &row)? {
            let definition = row.text("definition")?;
            let effect = rule_effect(&definition, &table.name.name, row.flag("is_instead")?, row.flag("conditional")?);
            let (on_delete, on_update) = (row.flag("on_delete")?, row.flag("on_update")?);
            table.triggers.push(Trigger { name: row.text("name")?, on_delete, on_update, definition, effect });
        }
    }
    Ok(())
}

fn trigger(row: &Record, table: &str, functions: &HashSet<String>) -> Result<Trigger, DbError> {
    let (on_delete, on_update) = (row.flag("on_delete")?, row.flag("on_update")?);
    let body = row.text("body")?;
    let words = tokens(&body);
    let mut effect = match (row.text("language")?.as_str(), row.flag("built_in")?) {
        ("plpgsql", _) => writes_of(&words, table, &|name| functions.contains(&name.to_ascii_lowercase())),
        (_, true) => built_in(&row.text("function")?),
        _ => Effect { is_opaque: true, ..Effect::default() },
    };
    if row.flag("may_swallow")? && row.text("language")? == "plpgsql" {
        let conditional = row.flag("conditional")?;
        effect.swallows_delete = swallows_by_return(&words, conditional, true);
        effect.swallows_update = swallows_by_return(&words, conditional, false);
    }
    Ok(Trigger { name: row.text("name")?, on_delete, on_update, definition: row.text("definition")?, effect })
}

/// PostgreSQL's own trigger functions fill columns of the row; one lets changes that change nothing fall through.
fn built_in(function: &str) -> Effect {
    let swallows_update = if function == "suppress_redundant_updates_trigger" { Swallows::Perhaps } else { Swallows::Never };
    Effect { swallows_update, rewrites: true, inserts_into: BTreeSet::new(), ..Effect::default() }
}
