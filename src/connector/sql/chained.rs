//! Triggers whose writing does more than they say: a new row in a table that has triggers for new rows sets those off, and in a table of SQLite
//! whose key says `ON CONFLICT REPLACE` it takes the place of another. Neither stands in the trigger's own text. It reads the schema alone.

use std::collections::BTreeSet;

use super::Catalogue;
use super::introspect_sqlite_text::fires_on_insert;
use crate::db::{DbError, Handle};

const POSTGRES: &str = "SELECT c.relname::text AS name FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') AND t.tgtype::int & 4 <> 0
  UNION SELECT c.relname::text FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class WHERE r.ev_type = '3'";

const SQLITE: &str = "SELECT tbl_name AS name, sql FROM main.sqlite_schema WHERE type = 'trigger'";

const MYSQL: &str = "SELECT EVENT_OBJECT_TABLE AS name FROM information_schema.TRIGGERS WHERE EVENT_MANIPULATION = 'INSERT'";

/// Notes at each trigger which of the tables it writes into replace rows, and which have triggers of their own for new rows.
pub(super) async fn mark(handle: Handle<'_>, catalogue: &mut Catalogue) -> Result<(), DbError> {
    mark_replacing(catalogue);
    let writes_rows = |catalogue: &Catalogue| {
        catalogue.tables.values().flat_map(|table| &table.triggers).any(|trigger| !trigger.effect.inserts_into.is_empty())
    };
    if !writes_rows(catalogue) {
        return Ok(());
    }
    let watched = tables_with_triggers_for_new_rows(handle).await?;
    for trigger in catalogue.tables.values_mut().flat_map(|table| &mut table.triggers) {
        let is_watched = |name: &&String| watched.contains(&name.to_lowercase());
        trigger.effect.sets_off = trigger.effect.inserts_into.iter().filter(is_watched).cloned().collect();
    }
    Ok(())
}

fn mark_replacing(catalogue: &mut Catalogue) {
    let replacing: BTreeSet<String> =
        catalogue.tables.values().filter(|table| !table.replacing.is_empty()).map(|table| table.name.name.to_lowercase()).collect();
    for table in catalogue.tables.values_mut() {
        let own = table.name.name.clone();
        for effect in table.triggers.iter_mut().map(|trigger| &mut trigger.effect) {
            // Tables of which it changes rows are refused as such; only of its own it may.
            let rewritten = effect.rewrites.then_some(&own);
            let written = effect.inserts_into.iter().chain(rewritten).filter(|name| replacing.contains(&name.to_lowercase()));
            effect.replaces = written.cloned().collect();
        }
    }
}

/// Their names in small letters: which spelling the text of a trigger uses is up to whoever wrote it.
async fn tables_with_triggers_for_new_rows(handle: Handle<'_>) -> Result<BTreeSet<String>, DbError> {
    let (statement, is_sqlite) = match &handle {
        Handle::Postgres(_) => (POSTGRES, false),
        Handle::Sqlite(_) => (SQLITE, true),
        Handle::MySql(_) => (MYSQL, false),
    };
    let mut names = BTreeSet::new();
    for row in handle.fetch_all(statement, Vec::new()).await? {
        if !is_sqlite || fires_on_insert(&row.text("sql")?) {
            names.insert(row.text("name")?.to_lowercase());
        }
    }
    Ok(names)
}
