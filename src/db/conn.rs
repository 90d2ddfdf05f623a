//! Running statements: on a session of our own ([`Conn`]) or inside a transaction ([`Tx`]). Both lend a [`Handle`], which has the verbs.

#![expect(clippy::disallowed_methods, clippy::disallowed_types, reason = "the one home of handing text to the driver")]

use futures_util::stream::{BoxStream, StreamExt};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Executor, MySql, MySqlConnection, PgConnection, Postgres, Sqlite, SqliteConnection, Transaction};

use super::{Arg, DbError, Dialect, Record, Sql};

/// A dedicated session.
#[derive(Debug)]
pub enum Conn {
    /// SQLite.
    Sqlite(PoolConnection<Sqlite>),
    /// PostgreSQL.
    Postgres(PoolConnection<Postgres>),
    /// MySQL or MariaDB.
    MySql(PoolConnection<MySql>),
}

/// A transaction; dropped without [`Tx::commit`], it rolls back.
#[must_use = "a transaction that is not committed rolls back"]
pub enum Tx {
    /// SQLite.
    Sqlite(Transaction<'static, Sqlite>),
    /// PostgreSQL.
    Postgres(Transaction<'static, Postgres>),
    /// MySQL or MariaDB.
    MySql(Transaction<'static, MySql>),
}

/// Something that can run statements.
pub enum Handle<'c> {
    /// SQLite.
    Sqlite(&'c mut SqliteConnection),
    /// PostgreSQL.
    Postgres(&'c mut PgConnection),
    /// MySQL or MariaDB.
    MySql(&'c mut MySqlConnection),
}

impl Conn {
    /// The session's verbs.
    pub fn on(&mut self) -> Handle<'_> {
        match self {
            Conn::Sqlite(connection) => Handle::Sqlite(connection),
            Conn::Postgres(connection) => Handle::Postgres(connection),
            Conn::MySql(connection) => Handle::MySql(connection),
        }
    }
}

impl Tx {
    /// The transaction's verbs.
    pub fn on(&mut self) -> Handle<'_> {
        match self {
            Tx::Sqlite(transaction) => Handle::Sqlite(transaction),
            Tx::Postgres(transaction) => Handle::Postgres(transaction),
            Tx::MySql(transaction) => Handle::MySql(transaction),
        }
    }

    /// Which SQL this transaction speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Tx::Sqlite(_) => Dialect::Sqlite,
            Tx::Postgres(_) => Dialect::Postgres,
            Tx::MySql(_) => Dialect::MySql,
        }
    }

    /// Makes everything done in the transaction durable.
    pub async fn commit(self) -> Result<(), DbError> {
        match self {
            Tx::Sqlite(transaction) => transaction.commit().await?,
            Tx::Postgres(transaction) => transaction.commit().await?,
            Tx::MySql(transaction) => transaction.commit().await?,
        }
        Ok(())
    }

    /// Undoes everything done in the transaction.
    pub async fn rollback(self) -> Result<(), DbError> {
        match self {
            Tx::Sqlite(transaction) => transaction.rollback().await?,
            Tx::Postgres(transaction) => transaction.rollback().await?,
            Tx::MySql(transaction) => transaction.rollback().await?,
        }
        Ok(())
    }
}

/// Checks the count of arguments, then binds them: one body for both drivers, whose types differ.
macro_rules! bound {
    ($sql:expr, $args:expr, |$query:ident, $values:ident| $bind_array:expr) => {{
        let expected = $sql.placeholder_count();
        if expected != $args.len() {
            return Err(DbError::Arguments { expected, given: $args.len() });
        }
        let mut $query = sqlx::query(AssertSqlSafe($sql.as_str().to_owned()));
        for arg in $args {
            $query = match arg {
                Arg::Int(value) => $query.bind(value),
                Arg::Real(value) => $query.bind(value),
                Arg::Text(value) => $query.bind(value),
                Arg::Bytes(value) => $query.bind(value),
                Arg::TextArray($values) => $bind_array,
            };
        }
        $query
    }};
}

fn no_arrays() -> DbError {
    DbError::Refused { code: "only PostgreSQL has array arguments".into() }
}

/// MySQL's text, with its arguments in the order of their places. Without arguments a statement goes as plain text: not every statement can
/// be prepared there, and values then come back as the server prints them.
fn for_mysql(sql: &Sql, args: &[Arg]) -> Result<(String, Vec<Arg>), DbError> {
    let expected = sql.placeholder_count();
    if expected != args.len() {
        return Err(DbError::Arguments { expected, given: args.len() });
    }
    let (text, numbers) = sql.question_marks();
    let in_place = |number: &usize| number.checked_sub(1).and_then(|at| args.get(at)).cloned();
    let given = args.len();
    let args = numbers.iter().map(in_place).collect::<Option<Vec<Arg>>>().ok_or(DbError::Arguments { expected, given })?;
    Ok((text, args))
}

/// Runs a call of the driver with MySQL's statement: as plain text without arguments, prepared with them.
macro_rules! on_mysql {
    ($sql:expr, $args:expr, |$query:ident| $run:expr) => {{
        let (text, args) = for_mysql(&$sql, &$args)?;
        if args.is_empty() {
            let $query = sqlx::raw_sql(AssertSqlSafe(text));
            $run
        } else {
            let mut $query = sqlx::query(AssertSqlSafe(text));
            for arg in args {
                $query = match arg {
                    Arg::Int(value) => $query.bind(value),
                    Arg::Real(value) => $query.bind(value),
                    Arg::Text(value) => $query.bind(value),
                    Arg::Bytes(value) => $query.bind(value),
                    Arg::TextArray(_) => return Err(no_arrays()),
                };
            }
            $run
        }
    }};
}

impl<'c> Handle<'c> {
    /// A handle on the same session for one statement of several: the verbs below use a handle up.
    pub fn again(&mut self) -> Handle<'_> {
        match self {
            Handle::Sqlite(connection) => Handle::Sqlite(connection),
            Handle::Postgres(connection) => Handle::Postgres(connection),
            Handle::MySql(connection) => Handle::MySql(connection),
        }
    }

    /// Which SQL this handle speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Handle::Sqlite(_) => Dialect::Sqlite,
            Handle::Postgres(_) => Dialect::Postgres,
            Handle::MySql(_) => Dialect::MySql,
        }
    }

    /// Runs a statement; the number of rows that it changed.
    pub async fn execute(self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<u64, DbError> {
        let sql = sql.into();
        match self {
            Handle::Sqlite(connection) => {
                let query = bound!(sql, args, |query, _values| return Err(no_arrays()));
                Ok(connection.execute(query).await?.rows_affected())
            }
            Handle::Postgres(connection) => {
                let query = bound!(sql, args, |query, values| query.bind(values));
                Ok(connection.execute(query).await?.rows_affected())
            }
            Handle::MySql(connection) => on_mysql!(sql, args, |query| Ok(connection.execute(query).await?.rows_affected())),
        }
    }

    /// Runs several statements without arguments, separated by semicolons (migrations, fixtures, session settings).
    pub async fn execute_script(self, sql: impl Into<Sql>) -> Result<(), DbError> {
        let sql = sql.into();
        let text = AssertSqlSafe(sql.as_str().to_owned());
        match self {
            Handle::Sqlite(connection) => {
                connection.execute(sqlx::raw_sql(text)).await?;
            }
            Handle::Postgres(connection) => {
                connection.execute(sqlx::raw_sql(text)).await?;
            }
            Handle::MySql(connection) => {
                connection.execute(sqlx::raw_sql(text)).await?;
            }
        }
        Ok(())
    }

    /// All rows. Only for results whose size is bounded by the schema or by us.
    pub async fn fetch_all(self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Vec<Record>, DbError> {
        let sql = sql.into();
        match self {
            Handle::Sqlite(connection) => {
                let query = bound!(sql, args, |query, _values| return Err(no_arrays()));
                Ok(connection.fetch_all(query).await?.into_iter().map(Record::Sqlite).collect())
            }
            Handle::Postgres(connection) => {
                let query = bound!(sql, args, |query, values| query.bind(values));
                Ok(connection.fetch_all(query).await?.into_iter().map(Record::Postgres).collect())
            }
            Handle::MySql(connection) => {
                on_mysql!(sql, args, |query| Ok(connection.fetch_all(query).await?.into_iter().map(Record::MySql).collect()))
            }
        }
    }

    /// The first row, if there is one.
    pub async fn fetch_optional(self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Option<Record>, DbError> {
        let sql = sql.into();
        match self {
            Handle::Sqlite(connection) => {
                let query = bound!(sql, args, |query, _values| return Err(no_arrays()));
                Ok(connection.fetch_optional(query).await?.map(Record::Sqlite))
            }
            Handle::Postgres(connection) => {
                let query = bound!(sql, args, |query, values| query.bind(values));
                Ok(connection.fetch_optional(query).await?.map(Record::Postgres))
            }
            Handle::MySql(connection) => {
                on_mysql!(sql, args, |query| Ok(connection.fetch_optional(query).await?.map(Record::MySql)))
            }
        }
    }

    /// The first row; none is an error.
    pub async fn fetch_one(self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<Record, DbError> {
        self.fetch_optional(sql, args).await?.ok_or_else(|| DbError::Refused { code: "no row".into() })
    }

    /// A stream of rows that holds only what the driver buffers. The argument list must match before the stream begins.
    pub fn stream(self, sql: impl Into<Sql>, args: Vec<Arg>) -> Result<BoxStream<'c, Result<Record, DbError>>, DbError> {
        let sql = sql.into();
        match self {
            Handle::Sqlite(connection) => {
                let query = bound!(sql, args, |query, _values| return Err(no_arrays()));
                Ok(connection.fetch(query).map(|row| row.map(Record::Sqlite).map_err(DbError::from)).boxed())
            }
            Handle::Postgres(connection) => {
                let query = bound!(sql, args, |query, values| query.bind(values));
                Ok(connection.fetch(query).map(|row| row.map(Record::Postgres).map_err(DbError::from)).boxed())
            }
            Handle::MySql(connection) => {
                on_mysql!(sql, args, |query| Ok(connection
                    .fetch(query)
                    .map(|row| row.map(Record::MySql).map_err(DbError::from))
                    .boxed()))
            }
        }
    }
}
