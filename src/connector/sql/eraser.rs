//! Carries out one permit in a source: a single transaction that deletes, overwrites or clears rows by primary key, and only rows that are
//! as they were frozen and free of holds. It takes nothing but [`Authorised`] batches, and never commits by itself.

use std::time::Duration;

use thiserror::Error;

use super::text::Statement;
use super::text::batch::{self, BatchRows, Guard};
use super::text::mysql;
use super::{Location, SqlSource, Trigger, decode};
use crate::args;
use crate::datamap::Predicate;
use crate::db::{Conn, DbError, Dialect, Record, Sql};
use crate::erase::{Authorised, Batch, CoOwners};
use crate::json;
use crate::plan::{Action, Referrer};
use crate::value::KeyPart;

/// Rows of one step, under a permit or on the way to one.
#[derive(Debug, Clone)]
pub struct SqlBatch {
    /// Source in the configuration.
    pub source: String,
    /// The live table.
    pub location: Location,
    /// What is done.
    pub action: Action,
    /// Columns of the fingerprint.
    pub guard: Vec<String>,
    /// Tables that must not refer to the rows any more.
    pub unreferenced: Vec<Referrer>,
    /// Tables of which as many rows must refer to the rows as when they were frozen.
    pub counted: Vec<Referrer>,
    /// Keys, fingerprints, new values.
    pub rows: BatchRows,
    /// Whether the rows may belong to others as well: only clearing touches such rows.
    pub co_owned: bool,
    /// Whether the rows stay with others, who may have their own parts cleared at any time.
    pub stays_with_others: bool,
}

impl Batch for SqlBatch {
    fn source(&self) -> &str {
        &self.source
    }
    fn dataset(&self) -> &str {
        &self.location.dataset
    }
    fn collection(&self) -> &str {
        &self.location.collection
    }
    fn len(&self) -> usize {
        self.rows.keys.len()
    }
    fn key_as_text(&self, position: usize) -> Option<Vec<String>> {
        let part = |part: &KeyPart| match part {
            KeyPart::Null | KeyPart::Blob(_) => None,
            known => Some(decode::key_text(known)),
        };
        self.rows.keys[position].iter().map(part).collect()
    }
    fn co_owners(&self, _position: usize) -> CoOwners {
        if self.co_owned { CoOwners::Unknown } else { CoOwners::None }
    }
    fn keep(&mut self, keep: &[bool]) {
        self.rows = filtered(&self.rows, |position| keep[position]);
    }
}

/// What one batch came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Applied {
    /// Rows that this transaction changed.
    pub affected: u64,
    /// Rows that already were as the step leaves them: gone, overwritten or cleared.
    pub already_done: u64,
    /// Rows that a hold's condition covers.
    pub held: u64,
    /// Rows that are not as they were frozen (another owner, other contents): left alone, to be planned anew.
    pub changed: u64,
}

/// Why a batch was not applied. The transaction is to be rolled back.
#[derive(Debug, Error)]
pub enum EraseError {
    /// The source refused or was lost.
    #[error(transparent)]
    Database(#[from] DbError),
    /// The source changed more or fewer rows than were matched (E-1): a trigger, a rule or row security interferes.
    #[error(
        "`{table}`: {expected} rows were to change and {affected} did: something in the database swallows or widens the change"
    )]
    Miscounted {
        /// Table.
        table: String,
        /// Rows matched.
        expected: u64,
        /// Rows that the database says it changed.
        affected: u64,
    },
    /// A trigger or rule refused the change in words of its own. The words may quote the row and are not repeated (S-1).
    #[error("`{table}`: {triggers} refused to let rows be {doing} ({code})")]
    Raised {
        /// Table.
        table: String,
        /// The trigger, or those of which one did.
        triggers: String,
        /// Deleted, or changed.
        doing: &'static str,
        /// The database's code.
        code: String,
    },
    /// A trigger has undone the change in the same statement (E-1).
    #[error("`{table}`: {rows} rows are not as they were to be right after the statement: a trigger puts them back")]
    PutBack {
        /// Table.
        table: String,
        /// Rows.
        rows: u64,
    },
    /// A hold's predicate does not fit the table.
    #[error("a hold's condition cannot be evaluated: {0}")]
    Condition(String),
}

impl EraseError {
    /// Whether the same attempt a little later may succeed without anybody doing anything: not where the application's own rules say no.
    pub fn is_transient(&self) -> bool {
        !matches!(self, EraseError::Raised { .. } | EraseError::Database(DbError::Raised { .. }))
    }

    /// The same error, with the table and the triggers that may have raised it.
    fn of_batch(self, batch: &SqlBatch) -> EraseError {
        let EraseError::Database(DbError::Raised { code }) = self else { return self };
        let deletes = batch.action == Action::Delete;
        let runs = |trigger: &&Trigger| if deletes { trigger.on_delete } else { trigger.on_update };
        let names: Vec<String> =
            batch.location.table.triggers.iter().filter(runs).map(|trigger| format!("`{}`", trigger.name)).collect();
        let triggers = match names.as_slice() {
            [] => "a trigger of a table that changes with it".to_owned(),
            [only] => format!("its trigger {only}"),
            [first @ .., last] => format!("one of its triggers {} or {last}", first.join(", ")),
        };
        let doing = if deletes { "deleted" } else { "changed" };
        EraseError::Raised { table: batch.location.table.name.name.clone(), triggers, doing, code }
    }
}

/// A session whose transaction has committed. Connecting anew for each batch would cost more than a small batch itself.
pub struct Idle(Conn);

/// The open transaction of a permit.
pub struct EraseSession {
    conn: Conn,
    dialect: Dialect,
}

impl EraseSession {
    /// Begins the transaction under the permit's name, with the source's own limits inside the permit's time. `idle` is the session of the
    /// permit before, which has committed: it takes the new name. Who ends sessions by the name of a permit that is settled finds none.
    pub async fn begin(source: &SqlSource, idle: Option<Idle>, permit_id: &str, ttl: Duration) -> Result<EraseSession, EraseError> {
        let mut conn = match idle {
            Some(Idle(conn)) => conn,
            None => source.work_session().await?,
        };
        let dialect = source.dialect();
        match dialect {
            Dialect::Postgres => {
                let settings = "SELECT set_config('application_name', $1, false), set_config('statement_timeout', $2, false), \
                                set_config('lock_timeout', $2, false), set_config('idle_in_transaction_session_timeout', $2, false), \
                                set_config('plan_cache_mode', 'force_custom_plan', false)";
                let limit = (ttl.as_millis() * 9 / 10).max(100).to_string();
                conn.on().execute(settings, args![session_name(permit_id), limit]).await?;
                conn.on().execute("BEGIN ISOLATION LEVEL READ COMMITTED", args![]).await?;
            }
            Dialect::Sqlite => {
                conn.on().execute("BEGIN IMMEDIATE", args![]).await?;
            }
            Dialect::MySql => conn = begin_mysql(source, conn, permit_id, ttl).await?,
        }
        Ok(EraseSession { conn, dialect })
    }

    /// Lets the database check its references only at the end of the transaction, where they allow it.
    pub async fn defer_checks(&mut self) -> Result<(), EraseError> {
        match self.dialect {
            Dialect::Postgres => self.conn.on().execute("SET CONSTRAINTS ALL DEFERRED", args![]).await?,
            Dialect::Sqlite => self.conn.on().execute("PRAGMA defer_foreign_keys = ON", args![]).await?,
            // None of its references can wait, so that no plan asks for it.
            Dialect::MySql => 0,
        };
        Ok(())
    }

    /// Applies one batch. When every row is as frozen and free, that is one statement; otherwise the rows are looked at one by one.
    pub async fn apply(&mut self, authorised: &Authorised<SqlBatch>) -> Result<Applied, EraseError> {
        let held: Vec<Predicate> = authorised.must_not_match().iter().map(|(_, condition)| condition.clone()).collect();
        let batch = authorised.batch();
        self.apply_rows(batch, &held).await.map_err(|problem| problem.of_batch(batch))
    }

    async fn apply_rows(&mut self, batch: &SqlBatch, held: &[Predicate]) -> Result<Applied, EraseError> {
        if batch.rows.keys.is_empty() || batch.action == Action::Keep {
            return Ok(Applied::default());
        }
        if batch.action == Action::Look {
            let (_, seen) = self.inspect(batch, held).await?;
            return Ok(Applied { held: seen.held, changed: seen.changed, ..Applied::default() });
        }
        if let Some(affected) = self.apply_whole(batch, held).await? {
            return Ok(Applied { affected, ..Applied::default() });
        }
        let (free, mut applied) = self.inspect(batch, held).await?;
        if free.rows.keys.is_empty() {
            return Ok(applied);
        }
        let expected = free.rows.keys.len() as u64;
        self.load(&free).await?;
        let affected = self.change(&free, held).await?;
        if affected != expected {
            return Err(EraseError::Miscounted { table: batch.location.table.name.name.clone(), expected, affected });
        }
        self.refuse_what_is_put_back(&free).await?;
        applied.affected = affected;
        Ok(applied)
    }

    /// The whole batch at once; `None`, and nothing changed, when some row is not as frozen.
    async fn apply_whole(&mut self, batch: &SqlBatch, held: &[Predicate]) -> Result<Option<u64>, EraseError> {
        let expected = batch.rows.keys.len() as u64;
        if self.dialect == Dialect::Sqlite {
            self.load(batch).await?;
            let guard = Guard { columns: &batch.guard, held, unreferenced: &batch.unreferenced, counted: &batch.counted };
            let matching =
                batch::count_matching(&batch.location, &batch.rows, guard, self.dialect).map_err(EraseError::Condition)?;
            if self.count(matching).await? != expected {
                return Ok(None);
            }
            let affected = self.change(batch, held).await?;
            if affected != expected {
                return Err(EraseError::Miscounted { table: batch.location.table.name.name.clone(), expected, affected });
            }
            self.refuse_what_is_put_back(batch).await?;
            return Ok(Some(affected));
        }
        self.load(batch).await?;
        if batch.action == Action::Delete && batch.unreferenced.iter().any(|referrer| referrer.acts) {
            // Whoever wants to refer to a row has to lock it. With ours locked first, what the next statement sees is all there is.
            self.count(batch::lock(&batch.location, &batch.rows, self.dialect)).await?;
        }
        self.conn.on().execute("SAVEPOINT habeas_batch", args![]).await?;
        let affected = self.change(batch, held).await?;
        if affected == expected {
            self.refuse_what_is_put_back(batch).await?;
            self.conn.on().execute("RELEASE SAVEPOINT habeas_batch", args![]).await?;
            return Ok(Some(affected));
        }
        self.conn.on().execute("ROLLBACK TO SAVEPOINT habeas_batch", args![]).await?;
        Ok(None)
    }

    /// E-1 beyond the count: where triggers run, the rows are looked at before anything is committed.
    async fn refuse_what_is_put_back(&mut self, batch: &SqlBatch) -> Result<(), EraseError> {
        let deletes = batch.action == Action::Delete;
        let runs = |trigger: &Trigger| if deletes { trigger.on_delete } else { trigger.on_update };
        if !batch.location.table.triggers.iter().any(runs) {
            return Ok(());
        }
        let rows = match deletes {
            true => self.count(batch::count_present(&batch.location, &batch.rows, self.dialect)).await?,
            false => {
                let guard = Guard { columns: &[], held: &[], unreferenced: &[], counted: &[] };
                let columns = changed_columns(&batch.action);
                let statement = batch::inspect(&batch.location, &batch.rows, columns, guard, self.dialect);
                let statement = statement.map_err(EraseError::Condition)?;
                let width = batch.location.key_width();
                let mut states = std::collections::BTreeMap::new();
                for record in self.conn.on().fetch_all(statement.sql, statement.args).await? {
                    states.insert(decode::key(&record, width)?, RowState::read(&record, width, columns.len())?);
                }
                let is_undone = |at: &usize| states.get(&batch.rows.keys[*at]).is_some_and(|state| !state.is_done(batch, *at));
                (0..batch.rows.keys.len()).filter(is_undone).count() as u64
            }
        };
        match rows {
            0 => Ok(()),
            rows => Err(EraseError::PutBack { table: batch.location.table.name.name.clone(), rows }),
        }
    }

    /// Sorts the rows of a batch: those that may be changed, and the tally of the rest.
    async fn inspect(&mut self, batch: &SqlBatch, held: &[Predicate]) -> Result<(SqlBatch, Applied), EraseError> {
        self.load(batch).await?;
        let columns = changed_columns(&batch.action);
        let guard = Guard { columns: &batch.guard, held, unreferenced: &batch.unreferenced, counted: &batch.counted };
        let statement =
            batch::inspect(&batch.location, &batch.rows, columns, guard, self.dialect).map_err(EraseError::Condition)?;
        let present = self.conn.on().fetch_all(statement.sql, statement.args).await?;
        let width = batch.location.key_width();
        let mut states = std::collections::BTreeMap::new();
        for record in &present {
            states.insert(decode::key(record, width)?, RowState::read(record, width, columns.len())?);
        }
        let mut applied = Applied::default();
        let mut free = vec![false; batch.rows.keys.len()];
        for (position, key) in batch.rows.keys.iter().enumerate() {
            match states.get(key) {
                // A row that should only be changed and is gone is as good as done: nothing of the person is left in it.
                None => applied.already_done += 1,
                Some(state) if state.held => applied.held += 1,
                // Somebody else has come to own it since the plan was made.
                Some(state) if state.referred_to => applied.changed += 1,
                Some(state) if state.fingerprint == batch.rows.fingerprints[position] => free[position] = true,
                Some(state) if state.is_done(batch, position) => applied.already_done += 1,
                Some(_) => applied.changed += 1,
            }
        }
        let rows = filtered(&batch.rows, |position| free[position]);
        Ok((SqlBatch { rows, ..batch.clone() }, applied))
    }

    async fn load(&mut self, batch: &SqlBatch) -> Result<(), DbError> {
        load_batch(&mut self.conn, &batch.location, &batch.rows).await
    }

    /// Makes the change to a batch; how many rows it changed. A table that refers to itself is deleted from in the order of the plan: MySQL
    /// level by level, SQLite row by row, because both act on each row as they go.
    async fn change(&mut self, batch: &SqlBatch, held: &[Predicate]) -> Result<u64, EraseError> {
        let statement = change(batch, held, self.dialect)?;
        let refers_to_itself = batch.action == Action::Delete && mysql::own_references(&batch.location).next().is_some();
        if !refers_to_itself || self.dialect == Dialect::Postgres {
            return Ok(self.execute(statement).await?);
        }
        let mut deleted = 0;
        if self.dialect == Dialect::Sqlite {
            for position in 0..batch.rows.keys.len() {
                deleted += self.execute(batch::sqlite_delete_nth(&batch.location, position)).await?;
            }
            return Ok(deleted);
        }
        let expected = batch.rows.keys.len() as u64;
        loop {
            let level = self.execute(statement.clone()).await?;
            deleted += level;
            if level == 0 || deleted >= expected {
                return Ok(deleted);
            }
        }
    }

    async fn execute(&mut self, statement: Statement) -> Result<u64, DbError> {
        self.conn.on().execute(statement.sql, statement.args).await
    }

    async fn count(&mut self, statement: Statement) -> Result<u64, DbError> {
        let record = self.conn.on().fetch_one(statement.sql, statement.args).await?;
        Ok(u64::try_from(record.int("n")?).unwrap_or(0))
    }

    /// Whether the schema is the one that the catalogue was read from. To be asked when everything has been written: by then the tables are
    /// locked against changes until the end of the transaction.
    pub async fn sees_schema(&mut self, version: &str) -> Result<bool, DbError> {
        Ok(super::schema_version(self.conn.on()).await? == version)
    }

    /// Makes the changes durable, and gives the session back for the next permit. An error here means that nobody knows whether they are
    /// (E-2).
    pub async fn commit(mut self) -> Result<Idle, DbError> {
        match self.conn.on().execute("COMMIT", args![]).await {
            Ok(_) => Ok(Idle(self.conn)),
            Err(refusal) if refusal.is_answer() => {
                // What a deferred constraint refuses is undone; SQLite leaves the transaction open.
                if self.dialect == Dialect::Sqlite {
                    self.conn.on().execute("ROLLBACK", args![]).await?;
                }
                Err(refusal)
            }
            Err(unknown) => Err(unknown),
        }
    }

    /// Undoes the changes; ending the session undoes them just as well.
    pub async fn rollback(mut self) -> Result<(), DbError> {
        self.conn.on().execute("ROLLBACK", args![]).await?;
        Ok(())
    }
}

/// The same on MySQL, where a session has no name that can change: it takes the permit's name as a lock that belongs to nobody else, and who
/// has the lock is the session. A session that the server has closed in the meantime is replaced.
async fn begin_mysql(source: &SqlSource, idle: Conn, permit_id: &str, ttl: Duration) -> Result<Conn, EraseError> {
    let mut conn = idle;
    if conn.on().execute("SELECT RELEASE_ALL_LOCKS()", args![]).await.is_err() {
        conn = source.work_session().await?;
    }
    let named = conn.on().fetch_one("SELECT GET_LOCK($1, 0) AS taken", args![session_name(permit_id)]).await?;
    if named.opt_int("taken")? != Some(1) {
        return Err(DbError::Busy("another session works under this permit".into()).into());
    }
    conn.on().execute_script(mysql::session_limits(ttl.mul_f64(0.9))).await?;
    conn.on().execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", args![]).await?;
    conn.on().execute("BEGIN", args![]).await?;
    Ok(conn)
}

/// What the server shows as the name of the session that works under a permit.
pub fn session_name(permit_id: &str) -> String {
    format!("habeas:{permit_id}")
}

/// Rows per INSERT into the batch table; SQLite's statements take 32,766 arguments.
const CHUNK: usize = 400;

/// Puts a batch into the temporary table of SQLite and MySQL; PostgreSQL takes it as arguments.
pub(super) async fn load_batch(conn: &mut Conn, location: &Location, rows: &BatchRows) -> Result<(), DbError> {
    let dialect = conn.on().dialect();
    if dialect == Dialect::Postgres {
        return Ok(());
    }
    let values = rows.values.first().map_or(0, Vec::len);
    conn.on().execute_script(batch::create(location, values, dialect)).await?;
    let mut from = 0;
    while from < rows.keys.len() {
        let to = (from + CHUNK).min(rows.keys.len());
        let statement = batch::fill(location, rows, from, to, dialect);
        conn.on().execute(statement.sql, statement.args).await?;
        from = to;
    }
    Ok(())
}

fn change(batch: &SqlBatch, held: &[Predicate], dialect: Dialect) -> Result<Statement, EraseError> {
    let guard = Guard { columns: &batch.guard, held, unreferenced: &batch.unreferenced, counted: &batch.counted };
    let built = match &batch.action {
        Action::Delete => batch::delete(&batch.location, &batch.rows, guard, dialect),
        Action::Overwrite { columns, .. } => batch::overwrite(&batch.location, &batch.rows, columns, guard, dialect),
        Action::Clear { columns } => batch::clear(&batch.location, &batch.rows, columns, guard, dialect),
        Action::Look | Action::Keep | Action::Rewrite => Ok(Statement::from(Sql::from("SELECT 1"))),
    };
    built.map_err(EraseError::Condition)
}

/// Columns whose present text tells whether a step has been done before.
pub(super) fn changed_columns(action: &Action) -> &[String] {
    match action {
        Action::Overwrite { columns, .. } | Action::Clear { columns } => columns,
        Action::Delete | Action::Look | Action::Keep | Action::Rewrite => &[],
    }
}

/// A row of a batch as it is now.
pub(super) struct RowState {
    fingerprint: String,
    held: bool,
    referred_to: bool,
    values: Vec<Option<String>>,
}

impl RowState {
    pub(super) fn read(record: &Record, width: usize, columns: usize) -> Result<RowState, DbError> {
        let text = |at: usize| record.text_at(at).map(|value| value.map(str::to_owned));
        Ok(RowState {
            fingerprint: text(width)?.unwrap_or_default(),
            held: record.int("held")? == 1,
            referred_to: record.int("referred_to")? == 1,
            values: (0..columns).map(|column| text(width + 3 + column)).collect::<Result<_, _>>()?,
        })
    }

    /// Whether the row is as the step leaves it. A deletion leaves none.
    pub(super) fn is_done(&self, batch: &SqlBatch, position: usize) -> bool {
        match &batch.action {
            Action::Overwrite { columns, paths } => (0..columns.len()).all(|column| {
                let inside = paths.get(column).map(Vec::as_slice).unwrap_or_default();
                let written = batch.rows.values[position][column].as_deref();
                is_as_written(self.values[column].as_deref(), written, inside, batch.stays_with_others)
            }),
            Action::Clear { .. } => self.values.iter().all(Option::is_none),
            Action::Delete | Action::Look | Action::Keep | Action::Rewrite => false,
        }
    }
}

/// Whether a column is as an overwriting step leaves it: all of it, or the values at these paths of its JSON. Where others have values there
/// too, theirs may be gone by now; any that did not stand there after the step is a reason to look.
fn is_as_written(present: Option<&str>, written: Option<&str>, inside: &[Vec<String>], stays_with_others: bool) -> bool {
    match (present, written) {
        (None, Some(_)) if !inside.is_empty() && stays_with_others => true,
        (Some(present), Some(written)) if !inside.is_empty() => {
            match (json::values_below(present, inside), json::values_below(written, inside)) {
                (Ok(present), Ok(written)) if stays_with_others => {
                    present.iter().all(|value| value == "null" || written.contains(value))
                }
                (Ok(present), Ok(written)) => present == written,
                // What cannot be read is not known to be done (V-1).
                _ => false,
            }
        }
        _ => present == written,
    }
}

fn filtered(rows: &BatchRows, keep: impl Fn(usize) -> bool) -> BatchRows {
    let mut kept = BatchRows::default();
    for position in (0..rows.keys.len()).filter(|position| keep(*position)) {
        kept.keys.push(rows.keys[position].clone());
        kept.fingerprints.push(rows.fingerprints[position].clone());
        kept.values.extend(rows.values.get(position).cloned());
    }
    kept
}

#[cfg(test)]
mod tests;
