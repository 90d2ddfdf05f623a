//! Ends the session of a permit whose time is over, so that its transaction can no longer commit (H-2).

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::SqlSource;
use super::eraser::session_name;
use super::text::mysql;
use crate::args;
use crate::db::{DbError, Dialect};
use crate::erase::{SessionError, SessionKiller};

impl SessionKiller for BTreeMap<String, SqlSource> {
    fn end_session<'a>(&'a self, source: &'a str, permit_id: &'a str, _left: Duration) -> BoxFuture<'a, Result<(), SessionError>> {
        async move {
            let open = self.get(source).ok_or_else(|| SessionError(format!("source `{source}` is not reached")))?;
            end(open, permit_id).await.map_err(|error| SessionError(error.to_string()))
        }
        .boxed()
    }
}

/// MySQL's answer to ending a session that has ended.
const NO_SUCH_SESSION: &str = "MySQL 1094";

async fn end(source: &SqlSource, permit_id: &str) -> Result<(), DbError> {
    // MySQL lets a role end its own sessions; another role would need a right for it.
    let mut conn = match source.dialect() {
        Dialect::MySql => source.work_session().await?,
        Dialect::Postgres | Dialect::Sqlite => source.verify_session().await?,
    };
    match source.dialect() {
        Dialect::Sqlite => {
            // While somebody's transaction is open this waits; once we have the lock, none is.
            conn.on().execute("BEGIN IMMEDIATE", args![]).await?;
            conn.on().execute("ROLLBACK", args![]).await?;
            Ok(())
        }
        Dialect::MySql => {
            for _ in 0..100 {
                let record = conn.on().fetch_one("SELECT IS_USED_LOCK($1) AS session", args![session_name(permit_id)]).await?;
                let Some(session) = record.opt_int("session")? else { return Ok(()) };
                match conn.on().execute_script(mysql::kill(session)).await {
                    // It has ended by itself in the meantime.
                    Err(DbError::Refused { code }) if code == NO_SUCH_SESSION => {}
                    other => other?,
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(DbError::Busy("the session does not end".into()))
        }
        Dialect::Postgres => {
            let end = "SELECT COUNT(pg_terminate_backend(pid)) AS n FROM pg_stat_activity WHERE application_name = $1 AND pid <> pg_backend_pid()";
            for _ in 0..100 {
                let record = conn.on().fetch_one(end, args![session_name(permit_id)]).await?;
                if record.int("n")? == 0 {
                    return Ok(());
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            Err(DbError::Busy("the session does not end".into()))
        }
    }
}
