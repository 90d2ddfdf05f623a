//! Opening MySQL and MariaDB, and making every session alike whatever the server's defaults are: names quoted as everywhere else, strict
//! values, no backslash that means something, UTC, UTF-8 that is compared byte by byte. It never leaves a setting to the server that
//! could change what a statement of ours means.

#![expect(clippy::disallowed_methods, reason = "settings of a session, before it is handed out")]

use std::str::FromStr;
use std::time::Duration;

use sqlx::mysql::{MySqlConnectOptions, MySqlPoolOptions};
use sqlx::{Connection, Executor, MySqlConnection, MySqlPool};

use super::{DbError, PoolOptions};

/// `ANSI_QUOTES`: \"name\" is a name, as on the other databases. `NO_BACKSLASH_ESCAPES`: a quote ends only at a quote. `STRICT_ALL_TABLES`: a
/// value that does not fit is refused and not bent. Zero dates are let through, because rows have them and they must survive.
const SETTINGS: &str = "SET SESSION sql_mode = 'ANSI_QUOTES,PIPES_AS_CONCAT,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,NO_ENGINE_SUBSTITUTION,\
ERROR_FOR_DIVISION_BY_ZERO', SESSION time_zone = '+00:00', SESSION character_set_results = utf8mb4, NAMES utf8mb4 COLLATE utf8mb4_bin, \
SESSION foreign_key_checks = 1, SESSION unique_checks = 1, SESSION sql_safe_updates = 0, SESSION sql_select_limit = DEFAULT, \
SESSION autocommit = 1";

/// Whether an address is for this driver.
pub(super) fn is_address(url: &str) -> bool {
    url.starts_with("mysql://") || url.starts_with("mariadb://")
}

/// Opens a pool; the first connection is made at once.
pub(super) async fn open(url: &str, options: &PoolOptions) -> Result<MySqlPool, DbError> {
    let unparsable = || DbError::Unreachable("the mysql:// URL cannot be parsed".into());
    let address = url.replacen("mariadb://", "mysql://", 1);
    let connect = MySqlConnectOptions::from_str(&address).map_err(|_| unparsable())?;
    let extra = Extra::of(options);
    // The pool would try again until its patience is over and then call itself busy; one connection by itself says what is wrong.
    let mut probe = MySqlConnection::connect_with(&connect).await.map_err(|error| match error {
        sqlx::Error::Io(cause) => DbError::Unreachable(cause.kind().to_string()),
        other => other.into(),
    })?;
    prepare(&mut probe, extra).await?;
    probe.close().await?;
    let pool = MySqlPoolOptions::new()
        .max_connections(options.connections)
        .acquire_timeout(options.patience.max(Duration::from_secs(5)))
        .after_connect(move |connection, _| Box::pin(prepare(connection, extra)))
        .connect_with(connect)
        .await?;
    Ok(pool)
}

/// What a session is told beyond [`SETTINGS`].
#[derive(Clone, Copy)]
struct Extra {
    /// How long a statement waits for a row or a table that somebody else has locked. The server counts in whole seconds.
    lock_wait_seconds: i64,
    read_only: bool,
}

impl Extra {
    fn of(options: &PoolOptions) -> Extra {
        let seconds = i64::try_from(options.patience.as_secs()).unwrap_or(i64::MAX);
        Extra { lock_wait_seconds: seconds.clamp(1, 3600), read_only: options.read_only }
    }
}

async fn prepare(connection: &mut MySqlConnection, extra: Extra) -> Result<(), sqlx::Error> {
    connection.execute(sqlx::raw_sql(SETTINGS)).await?;
    let lock_wait = sqlx::query("SET SESSION innodb_lock_wait_timeout = ?, SESSION lock_wait_timeout = ?");
    connection.execute(lock_wait.bind(extra.lock_wait_seconds).bind(extra.lock_wait_seconds)).await?;
    if extra.read_only {
        connection.execute(sqlx::raw_sql("SET SESSION TRANSACTION READ ONLY")).await?;
    }
    Ok(())
}
