//! Looks at a source: one snapshot that can only read, one bounded statement a table, index ends, and how many of some values another
//! column has. Statements have a time limit; a table that cannot be read is named, not passed over in silence.

use futures_util::TryStreamExt;

use super::profile::{ColumnProfile, Family, TableProfile, Tuples};
use crate::args;
use crate::connector::sql::text::discover::{self as text, Rows};
use crate::connector::sql::{Catalogue, Column, SqlSource, Table};
use crate::db::{Conn, DbError, Dialect};

/// Rows of a table that are looked at.
const SAMPLE_ROWS: u64 = 3_000;
/// Rows that a block of PostgreSQL holds at least, when the server has no estimate: more are read then, never fewer.
const ROWS_OF_A_BLOCK: f64 = 20.0;
/// Stretches of a SQLite table.
const STRETCHES: i64 = 30;
/// The most that one statement may take.
const STATEMENT_TIME: &str = "15s";

/// A read-only look at a source.
pub struct Look {
    conn: Conn,
    dialect: Dialect,
}

impl Look {
    /// Begins. On SQLite `query_only` keeps the session from writing; on PostgreSQL the transaction is READ ONLY.
    pub async fn open(source: &SqlSource) -> Result<Look, DbError> {
        let mut conn = source.work_session().await?;
        let dialect = source.dialect();
        begin(&mut conn, dialect).await?;
        Ok(Look { conn, dialect })
    }

    /// Ends.
    pub async fn close(mut self) -> Result<(), DbError> {
        self.conn.on().execute("ROLLBACK", args![]).await?;
        Ok(())
    }

    /// Samples a table, or says why it cannot be read. `tuples` are lists of columns whose values are wanted together.
    pub async fn profile(&mut self, table: &Table, tuples: &[Vec<usize>]) -> Result<Result<TableProfile, DbError>, DbError> {
        match self.try_profile(table, tuples).await {
            Ok(profile) => Ok(Ok(profile)),
            Err(problem) => self.go_on_after(problem).await.map(Err),
        }
    }

    async fn try_profile(&mut self, table: &Table, tuples: &[Vec<usize>]) -> Result<TableProfile, DbError> {
        let rows = match table.estimated_rows {
            Some(rows) if rows > SAMPLE_ROWS => self.rows_of_a_large_table(table, Some(rows)).await?,
            _ => Rows::First(SAMPLE_ROWS + 1),
        };
        let mut profile = self.read(table, &rows, tuples).await?;
        let is_first = matches!(rows, Rows::First(_));
        let sampled = profile.columns.first().map_or(0, |column| column.sampled);
        if is_first && sampled > SAMPLE_ROWS {
            // Larger than it was thought to be: the first rows are the oldest, and say little about the others.
            let rows = self.rows_of_a_large_table(table, table.estimated_rows.filter(|rows| *rows > SAMPLE_ROWS)).await?;
            profile = self.read(table, &rows, tuples).await?;
        } else {
            profile.whole = is_first;
        }
        let sampled = profile.columns.first().map_or(0, |column| column.sampled);
        profile.rows = if profile.whole { sampled } else { table.estimated_rows.unwrap_or(0).max(sampled) };
        if !profile.whole {
            self.add_ends(table, &mut profile).await?;
        }
        Ok(profile)
    }

    async fn rows_of_a_large_table(&mut self, table: &Table, estimate: Option<u64>) -> Result<Rows, DbError> {
        if self.dialect == Dialect::Postgres {
            let blocks = "SELECT COALESCE(sum(pg_relation_size(c.oid)), 0)::int8 / current_setting('block_size')::int8 AS blocks
                FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace, pg_partition_tree(c.oid) AS part
               WHERE n.nspname = $1 AND c.relname = $2";
            let percent = match estimate {
                Some(rows) => 110.0 * SAMPLE_ROWS as f64 / rows as f64,
                None => {
                    let found =
                        self.conn.on().fetch_one(blocks, args![table.name.schema.as_str(), table.name.name.as_str()]).await?;
                    100.0 * SAMPLE_ROWS as f64 / (ROWS_OF_A_BLOCK * found.int("blocks")?.max(1) as f64)
                }
            };
            return Ok(Rows::Blocks { percent: percent.clamp(0.000_01, 100.0), limit: SAMPLE_ROWS * 2 });
        }
        // A table WITHOUT ROWID, or without a key of one number, has nothing to begin at: its first rows have to do.
        let by = self.number_to_go_by(table);
        let ends = match (&by, self.dialect) {
            (Some(column), _) => text::ends(&table.name, column, self.dialect),
            (None, Dialect::Sqlite) => text::rowids(&table.name),
            (None, _) => return Ok(Rows::First(SAMPLE_ROWS)),
        };
        let ends = match self.conn.on().fetch_one(ends, args![]).await {
            Ok(ends) => ends,
            Err(problem) => {
                self.go_on_after(problem).await?;
                return Ok(Rows::First(SAMPLE_ROWS));
            }
        };
        let (low, high) = (ends.opt_int("low")?.unwrap_or(0), ends.opt_int("high")?.unwrap_or(0));
        let step = high.saturating_sub(low) / STRETCHES + 1;
        let starts = (0..STRETCHES).map(|stretch| low.saturating_add(stretch.saturating_mul(step))).collect();
        Ok(Rows::From { by, starts, rows: SAMPLE_ROWS / STRETCHES.unsigned_abs() })
    }

    /// On MySQL, the primary key where it is one whole number.
    fn number_to_go_by(&self, table: &Table) -> Option<String> {
        let [key] = table.primary_key.as_slice() else { return None };
        let is_number = table.column(key).is_some_and(|column| Family::of(column.column_type) == Some(Family::Integer));
        (self.dialect == Dialect::MySql && is_number).then(|| key.clone())
    }

    async fn read(&mut self, table: &Table, rows: &Rows, tuples: &[Vec<usize>]) -> Result<TableProfile, DbError> {
        let mut columns: Vec<ColumnProfile> = table.columns.iter().map(|column| ColumnProfile::new(column.column_type)).collect();
        let mut taken: Vec<Tuples> =
            tuples.iter().map(|columns| Tuples { columns: columns.clone(), values: Default::default() }).collect();
        let sql = text::sample(&table.name, &table.columns, rows, self.dialect);
        let mut records = self.conn.on().stream(sql, args![])?;
        while let Some(record) = records.try_next().await? {
            let mut texts = Vec::with_capacity(columns.len());
            for at in 0..columns.len() {
                texts.push(record.raw_at(at)?.map(String::from_utf8_lossy));
            }
            let row: Vec<Option<&str>> = texts.iter().map(Option::as_deref).collect();
            columns.iter_mut().zip(&row).for_each(|(column, value)| column.take(*value));
            taken.iter_mut().for_each(|tuples| tuples.take(&row));
        }
        columns.iter_mut().for_each(ColumnProfile::close);
        Ok(TableProfile { rows: 0, whole: false, columns, tuples: taken })
    }

    /// Of a large table, an index knows the ends of its first column without reading the rest.
    async fn add_ends(&mut self, table: &Table, profile: &mut TableProfile) -> Result<(), DbError> {
        for (column, seen) in table.columns.iter().zip(&mut profile.columns) {
            let is_indexed = table.indexes.iter().any(|index| index.first() == Some(&column.name));
            if seen.family != Some(Family::Integer) || !is_indexed {
                continue;
            }
            let ends = self.conn.on().fetch_one(text::ends(&table.name, &column.name, self.dialect), args![]).await?;
            seen.low = ends.opt_int("low")?.or(seen.low);
            seen.high = ends.opt_int("high")?.or(seen.high);
        }
        Ok(())
    }

    /// Of these tuples, how many the columns of a table have; nothing where the database did not answer in time.
    pub async fn how_many_exist(
        &mut self,
        table: &Table,
        columns: &[&Column],
        tuples: &[Vec<String>],
    ) -> Result<Option<u64>, DbError> {
        let statement = text::how_many_exist(&table.name, columns, tuples, self.dialect);
        match self.conn.on().fetch_one(statement.sql, statement.args).await {
            Ok(found) => Ok(u64::try_from(found.int("n")?).ok()),
            Err(problem) => self.go_on_after(problem).await.map(|_| None),
        }
    }

    /// A statement that failed (a time limit, a type that does not compare) ends PostgreSQL's transaction: a new one begins. Where the
    /// session itself is gone, so is the look.
    async fn go_on_after(&mut self, problem: DbError) -> Result<DbError, DbError> {
        if problem.is_transient() && !matches!(problem, DbError::Busy(_)) {
            return Err(problem);
        }
        self.conn.on().execute("ROLLBACK", args![]).await?;
        begin(&mut self.conn, self.dialect).await?;
        Ok(problem)
    }
}

async fn begin(conn: &mut Conn, dialect: Dialect) -> Result<(), DbError> {
    match dialect {
        Dialect::Postgres => {
            conn.on().execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", args![]).await?;
            let settings = "SELECT set_config('statement_timeout', $1, true), set_config('jit', 'off', true), \
                            set_config('max_parallel_workers_per_gather', '0', true)";
            conn.on().execute(settings, args![STATEMENT_TIME]).await?;
        }
        Dialect::MySql => {
            // MariaDB and MySQL name their time limit differently, and each refuses the other's.
            let in_mariadb = conn.on().execute("SET SESSION max_statement_time = 15", args![]).await;
            if in_mariadb.is_err() {
                conn.on().execute("SET SESSION max_execution_time = 15000", args![]).await?;
            }
            conn.on().execute("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ", args![]).await?;
            conn.on().execute("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY", args![]).await?;
        }
        Dialect::Sqlite => {
            conn.on().execute("PRAGMA query_only = 1", args![]).await?;
            conn.on().execute("BEGIN", args![]).await?;
        }
    }
    Ok(())
}

/// The tables that `discover` describes: those with rows of their own that may be read, in the order of their names.
pub fn described(catalogue: &Catalogue) -> Vec<&Table> {
    use crate::connector::sql::TableKind;
    catalogue.tables.values().filter(|table| table.kind == TableKind::Table && !table.columns.is_empty()).collect()
}
