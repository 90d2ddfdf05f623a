//! Brings a ledger to the version that this program knows, or refuses one that is newer. Each migration is one transaction.

use super::LedgerError;
use crate::args;
use crate::db::{Db, Dialect};

/// All migrations in order; the position is the version. Text runs on both databases.
const MIGRATIONS: &[&str] = &[
    include_str!("migrations/0001_requests.sql"),
    include_str!("migrations/0002_holds.sql"),
    include_str!("migrations/0003_journal.sql"),
    include_str!("migrations/0004_execution.sql"),
    include_str!("migrations/0005_requested_by.sql"),
    include_str!("migrations/0006_archives.sql"),
    include_str!("migrations/0007_store_locks.sql"),
];

pub(super) async fn migrate(db: &Db) -> Result<(), LedgerError> {
    let mut tx = db.begin().await?;
    if tx.dialect() == Dialect::Postgres {
        // Two workers may start at once; the second waits here and then finds nothing to do.
        tx.on().execute("SELECT pg_advisory_xact_lock(7091976)", args![]).await?;
    }
    tx.on().execute("CREATE TABLE IF NOT EXISTS schema_version (version BIGINT PRIMARY KEY)", args![]).await?;
    let row = tx.on().fetch_one("SELECT COALESCE(MAX(version), 0) AS version FROM schema_version", args![]).await?;
    let found = row.int("version")?;
    let known = MIGRATIONS.len() as i64;
    if found > known {
        return Err(LedgerError::Newer { found, known });
    }
    for (index, migration) in MIGRATIONS.iter().enumerate().skip(found as usize) {
        tx.on().execute_script(*migration).await?;
        tx.on().execute("INSERT INTO schema_version (version) VALUES ($1)", args![index as i64 + 1]).await?;
    }
    tx.commit().await?;
    Ok(())
}
