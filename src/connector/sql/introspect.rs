//! Reads the live catalogue of a source, in the dialect that the session speaks. What is read here is what really is there: planning
//! and `map check` trust it over the map. It reads the schema alone, never a row of personal data.

use super::{Catalogue, introspect_postgres, introspect_sqlite};
use crate::db::{DbError, Handle};

/// The catalogue as it is now. On SQLite the session should be one that may write: `writable` tells what this session can do.
pub async fn load_catalogue(handle: Handle<'_>) -> Result<Catalogue, DbError> {
    match handle {
        Handle::Postgres(_) => introspect_postgres::load(handle).await,
        Handle::Sqlite(_) => introspect_sqlite::load(handle).await,
    }
}
