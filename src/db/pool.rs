//! Opening a database and handing out connections.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{Connection, MySqlPool, PgConnection, PgPool, SqlitePool};

use super::{Conn, DbError, Tx, mysql};

/// Which SQL a database speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// SQLite 3.
    Sqlite,
    /// PostgreSQL 13 or newer.
    Postgres,
    /// MySQL 8 or MariaDB 10.5 or newer: for sources only, never for the ledger.
    MySql,
}

/// How to open a database.
#[derive(Debug, Clone)]
pub struct PoolOptions {
    /// Connections at most.
    pub connections: u32,
    /// How long to wait for a connection or a lock.
    pub patience: Duration,
    /// Create a missing SQLite file.
    pub create: bool,
    /// Open for reading only (SQLite: `mode=ro`; PostgreSQL: sessions default to READ ONLY).
    pub read_only: bool,
    /// Switch a SQLite file to write-ahead logging. Only for files that are ours: a source keeps its own mode.
    pub wal: bool,
    /// What the server shows as the session's name.
    pub application_name: String,
}

impl Default for PoolOptions {
    fn default() -> Self {
        PoolOptions {
            connections: 4,
            patience: Duration::from_secs(10),
            create: false,
            read_only: false,
            wal: false,
            application_name: "habeas".into(),
        }
    }
}

/// An open database: a pool of connections of one dialect.
#[derive(Clone, Debug)]
pub enum Db {
    /// SQLite file.
    Sqlite(SqlitePool),
    /// PostgreSQL server.
    Postgres(PgPool),
    /// MySQL or MariaDB server.
    MySql(MySqlPool),
}

impl Db {
    /// Opens `sqlite:PATH`, `postgres://…` / `postgresql://…`, or `mysql://…` / `mariadb://…`. The first connection is made at once, so that an unreachable
    /// server is an error here and not later.
    pub async fn open(url: &str, options: PoolOptions) -> Result<Db, DbError> {
        if url.starts_with("postgres://") || url.starts_with("postgresql://") {
            return Self::open_postgres(url, options).await;
        }
        if mysql::is_address(url) {
            return Ok(Db::MySql(mysql::open(url, &options).await?));
        }
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::open_sqlite(PathBuf::from(path.trim_start_matches("//")), options).await,
            None => Err(DbError::Unreachable("a database URL starts with sqlite:, postgres:// or mysql://".into())),
        }
    }

    async fn open_sqlite(path: PathBuf, options: PoolOptions) -> Result<Db, DbError> {
        let mut connect = SqliteConnectOptions::new()
            .filename(&path)
            .create_if_missing(options.create)
            .read_only(options.read_only)
            .busy_timeout(options.patience)
            .foreign_keys(true)
            .statement_cache_capacity(64);
        if options.wal {
            connect = connect.journal_mode(SqliteJournalMode::Wal).synchronous(SqliteSynchronous::Full);
        }
        if !options.create && !path.exists() {
            return Err(DbError::Unreachable(format!("no file `{}`", path.display())));
        }
        let pool = SqlitePoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.patience.max(Duration::from_secs(5)))
            .connect_with(connect)
            .await?;
        Ok(Db::Sqlite(pool))
    }

    async fn open_postgres(url: &str, options: PoolOptions) -> Result<Db, DbError> {
        let lock_timeout = format!("{}ms", options.patience.as_millis().max(1));
        let mut connect = PgConnectOptions::from_str(url)
            .map_err(|_| DbError::Unreachable("the postgres:// URL cannot be parsed".into()))?
            .application_name(&options.application_name)
            .options([
                ("timezone", "UTC"),
                ("datestyle", "ISO, YMD"),
                ("intervalstyle", "iso_8601"),
                ("bytea_output", "hex"),
                ("extra_float_digits", "3"),
                ("lock_timeout", lock_timeout.as_str()),
            ]);
        if options.read_only {
            connect = connect.options([("default_transaction_read_only", "on")]);
        }
        // The pool would try again until its patience is over and then call itself busy; one connection by itself says what is wrong.
        let probe = PgConnection::connect_with(&connect).await.map_err(|error| match error {
            sqlx::Error::Io(cause) => DbError::Unreachable(cause.kind().to_string()),
            other => other.into(),
        })?;
        probe.close().await?;
        let pool = PgPoolOptions::new()
            .max_connections(options.connections)
            .acquire_timeout(options.patience.max(Duration::from_secs(5)))
            .connect_with(connect)
            .await?;
        Ok(Db::Postgres(pool))
    }

    /// Which SQL this database speaks.
    pub fn dialect(&self) -> Dialect {
        match self {
            Db::Sqlite(_) => Dialect::Sqlite,
            Db::Postgres(_) => Dialect::Postgres,
            Db::MySql(_) => Dialect::MySql,
        }
    }

    /// A connection for our sole use. It is closed, not reused, when dropped: temporary tables, settings and any open transaction
    /// end with it.
    pub async fn session(&self) -> Result<Conn, DbError> {
        match self {
            Db::Sqlite(pool) => {
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                Ok(Conn::Sqlite(connection))
            }
            Db::Postgres(pool) => {
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                Ok(Conn::Postgres(connection))
            }
            Db::MySql(pool) => {
                let mut connection = pool.acquire().await?;
                connection.close_on_drop();
                Ok(Conn::MySql(connection))
            }
        }
    }

    /// A read-write transaction that rolls back when dropped. On SQLite it takes the write lock at once (`BEGIN IMMEDIATE`):
    /// a deferred one that reads first fails with SQLITE_BUSY_SNAPSHOT, which no timeout helps.
    pub async fn begin(&self) -> Result<Tx, DbError> {
        match self {
            Db::Sqlite(pool) => Ok(Tx::Sqlite(pool.begin_with("BEGIN IMMEDIATE").await?)),
            Db::Postgres(pool) => Ok(Tx::Postgres(pool.begin().await?)),
            Db::MySql(pool) => Ok(Tx::MySql(pool.begin().await?)),
        }
    }

    /// Closes all connections.
    pub async fn close(&self) {
        match self {
            Db::Sqlite(pool) => pool.close().await,
            Db::Postgres(pool) => pool.close().await,
            Db::MySql(pool) => pool.close().await,
        }
    }
}
