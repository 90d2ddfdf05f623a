//! Reads a source again, by key and in a session that never erased: the only thing it shares with the eraser is the manifest.

use std::collections::BTreeMap;

use super::eraser::{RowState, SqlBatch, changed_columns, load_batch};
use super::text::batch::{self, Guard};
use super::{Reader, SqlSource, decode};
use crate::args;
use crate::db::{Conn, DbError, Dialect};
use crate::plan::Action;

/// A verifying session.
pub struct ReadBack {
    conn: Conn,
    dialect: Dialect,
}

/// What a batch of the manifest looks like now.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// Rows of the batch that are there.
    pub present: u64,
    /// Rows that are as the step leaves them: gone, overwritten, cleared, or, for kept rows, still there.
    pub done: u64,
    /// Records for which a later pass answers: neither looked at nor counted here.
    pub superseded: u64,
}

impl ReadBack {
    /// Opens a session from the verifying pool, on the primary: a standby or a replica may lag, so it proves nothing.
    pub async fn open(source: &SqlSource) -> Result<ReadBack, DbError> {
        Self::open_by(source, Reader::Verify).await
    }

    /// The same with the pool of one's choice: to tell rows that are gone from rows that the verifier may not see.
    pub async fn open_by(source: &SqlSource, reader: Reader) -> Result<ReadBack, DbError> {
        let mut conn = match reader {
            Reader::Work => source.work_session().await?,
            Reader::Verify => source.verify_session().await?,
        };
        let dialect = source.dialect();
        if dialect == Dialect::Postgres {
            let record = conn.on().fetch_one("SELECT pg_is_in_recovery() AS standby", args![]).await?;
            if record.flag("standby")? {
                return Err(DbError::Denied("this is a standby: verification reads the primary".into()));
            }
            // Each batch is planned for its own keys: whether they lie close together decides how they are looked up.
            conn.on().execute("SELECT set_config('plan_cache_mode', 'force_custom_plan', false)", args![]).await?;
        }
        if dialect == Dialect::MySql {
            let record = conn.on().fetch_one("SELECT @@global.read_only AS standby", args![]).await?;
            if record.flag("standby")? {
                return Err(DbError::Denied("this server is read-only, as replicas are: verification reads the primary".into()));
            }
        }
        Ok(ReadBack { conn, dialect })
    }

    /// How many rows of a batch are there.
    pub async fn present(&mut self, batch: &SqlBatch) -> Result<u64, DbError> {
        load_batch(&mut self.conn, &batch.location, &batch.rows).await?;
        let statement = batch::count_present(&batch.location, &batch.rows, self.dialect);
        let record = self.conn.on().fetch_one(statement.sql, statement.args).await?;
        Ok(u64::try_from(record.int("n")?).unwrap_or(0))
    }

    /// Whether the rows of a batch are as its step leaves them.
    pub async fn look(&mut self, batch: &SqlBatch) -> Result<Seen, DbError> {
        let total = batch.rows.keys.len() as u64;
        let present = self.present(batch).await?;
        let done = match &batch.action {
            Action::Delete => total - present,
            // Objects are no rows of a table: nothing is known of them here.
            Action::Rewrite => 0,
            Action::Keep => present,
            Action::Look => total,
            Action::Overwrite { .. } | Action::Clear { .. } => self.count_done(batch).await?,
        };
        Ok(Seen { present, done, superseded: 0 })
    }

    async fn count_done(&mut self, batch: &SqlBatch) -> Result<u64, DbError> {
        Ok((batch.rows.keys.len() - self.not_done(batch).await?.len()) as u64)
    }

    /// How many rows of a batch nobody owns: no column names an owner, and no row refers to them.
    pub async fn ownerless(&mut self, batch: &SqlBatch, owner_columns: &[String]) -> Result<u64, DbError> {
        load_batch(&mut self.conn, &batch.location, &batch.rows).await?;
        let statement = batch::count_ownerless(&batch.location, &batch.rows, owner_columns, &batch.counted, self.dialect);
        let record = self.conn.on().fetch_one(statement.sql, statement.args).await?;
        Ok(u64::try_from(record.int("n")?).unwrap_or(0))
    }

    /// Positions of rows that are there and not as an overwriting or clearing step leaves them.
    pub async fn not_done(&mut self, batch: &SqlBatch) -> Result<Vec<usize>, DbError> {
        load_batch(&mut self.conn, &batch.location, &batch.rows).await?;
        let columns = changed_columns(&batch.action);
        let guard = Guard { columns: &batch.guard, held: &[], unreferenced: &[], counted: &[] };
        let statement = batch::inspect(&batch.location, &batch.rows, columns, guard, self.dialect)
            .map_err(|problem| DbError::Column { column: batch.location.table.name.name.clone(), problem })?;
        let width = batch.location.key_width();
        let mut states = BTreeMap::new();
        for record in self.conn.on().fetch_all(statement.sql, statement.args).await? {
            states.insert(decode::key(&record, width)?, RowState::read(&record, width, columns.len())?);
        }
        let done = |position: usize| states.get(&batch.rows.keys[position]).is_none_or(|state| state.is_done(batch, position));
        Ok((0..batch.rows.keys.len()).filter(|position| !done(*position)).collect())
    }

    /// The session itself, for the searches that follow the read-back.
    pub fn session(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
