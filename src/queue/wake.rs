//! Telling workers that there may be something to do. On PostgreSQL one notification per transaction that queues jobs; everywhere a poll
//! that does not keep time with the others, because a notification can be missed.

use std::time::Duration;

use sqlx::postgres::PgListener;

use super::retry::jittered;
use crate::args;
use crate::db::{Db, Dialect, Tx};
use crate::ledger::{Ledger, LedgerError};

const CHANNEL: &str = "habeas_job";

/// Has workers woken when the transaction commits. Calling it again in the same transaction costs nothing: PostgreSQL sends equal
/// notifications of one transaction once. It is never sent from a trigger per row: notifications take a server-wide lock at commit.
pub async fn notify(tx: &mut Tx) -> Result<(), LedgerError> {
    if tx.dialect() == Dialect::Postgres {
        tx.on().execute("SELECT pg_notify('habeas_job', '')", args![]).await?;
    }
    Ok(())
}

/// Waits for something to do. It listens from its making on, so that whatever is queued after a fruitless look wakes the one who looked.
pub(super) struct Wake {
    listener: Option<PgListener>,
    poll: Duration,
}

impl Wake {
    /// Begins to listen, before the first look. Where listening fails (a pooler that does not pass it on) polling has to do.
    pub(super) async fn open(ledger: &Ledger, poll: Duration) -> Wake {
        let listener = match ledger.db() {
            Db::Sqlite(_) | Db::MySql(_) => None,
            Db::Postgres(pool) => match listen(pool).await {
                Ok(listener) => Some(listener),
                Err(_) => {
                    tracing::warn!("cannot listen for new jobs; looking for them at intervals instead");
                    None
                }
            },
        };
        Wake { listener, poll }
    }

    /// Returns when there may be something to do, at the latest after one and a half polls.
    pub(super) async fn wait(&mut self) {
        let nap = tokio::time::sleep(self.pause());
        let Some(listener) = &mut self.listener else {
            return nap.await;
        };
        let lost = tokio::select! {
            () = nap => false,
            heard = listener.try_recv() => !matches!(heard, Ok(Some(_))),
        };
        if lost {
            // The connection broke. The listener connects again at its next use; meanwhile this must not become a busy loop.
            tokio::time::sleep(self.pause()).await;
        }
    }

    fn pause(&self) -> Duration {
        // Without random numbers workers keep time with each other, which is slower and not wrong.
        jittered(self.poll).unwrap_or(self.poll)
    }
}

async fn listen(pool: &sqlx::PgPool) -> Result<PgListener, sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    Ok(listener)
}
