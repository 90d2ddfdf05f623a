//! Reads the live catalogue of a source, in the dialect that the session speaks. What is read here is what really is there: planning
//! and `map check` trust it over the map. It reads the schema alone, never a row of personal data.

use super::{Catalogue, chained, introspect_mysql, introspect_mysql_rules, introspect_postgres, introspect_sqlite};
use crate::db::{DbError, Handle};

/// The catalogue as it is now. On SQLite the session should be one that may write: `writable` tells what this session can do.
pub async fn load_catalogue(mut handle: Handle<'_>) -> Result<Catalogue, DbError> {
    let mut catalogue = match &handle {
        Handle::Postgres(_) => introspect_postgres::load(handle.again()).await,
        Handle::Sqlite(_) => introspect_sqlite::load(handle.again()).await,
        Handle::MySql(_) => introspect_mysql::load(handle.again()).await,
    }?;
    chained::mark(handle, &mut catalogue).await?;
    refuse_unquotable(&catalogue)?;
    Ok(catalogue)
}

/// A word that differs from [`Catalogue::version`] as soon as the schema has changed.
pub async fn schema_version(handle: Handle<'_>) -> Result<String, DbError> {
    match handle {
        Handle::Postgres(_) => introspect_postgres::version(handle).await,
        Handle::Sqlite(_) => introspect_sqlite::version(handle).await,
        Handle::MySql(_) => introspect_mysql_rules::version(handle).await,
    }
}

/// Everything that is ever put into a statement's text comes from here. A name with a NUL could end such a text early: no database has
/// one, and whatever reports one is refused, not repaired.
fn refuse_unquotable(catalogue: &Catalogue) -> Result<(), DbError> {
    let mut names = catalogue.tables.values().flat_map(|table| {
        let columns = table.columns.iter().map(|column| &column.name);
        [&table.name.schema, &table.name.name].into_iter().chain(columns)
    });
    match names.any(|name| name.contains('\0')) {
        true => Err(DbError::Refused { code: "a name in the schema holds a NUL character".into() }),
        false => Ok(()),
    }
}
