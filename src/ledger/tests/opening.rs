//! Opening a ledger, or being refused one; and what an installation remembers.

use super::*;
use crate::args;
use crate::db::DbError;
use crate::ledger::setting;
use crate::ledger::testing::on_postgres;

#[tokio::test]
async fn a_pinned_value_stays() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        assert_eq!(setting::pin(&mut tx, "source.app", "system-1", now()).await.unwrap(), setting::Pinned::First);
        assert_eq!(setting::pin(&mut tx, "source.app", "system-1", now()).await.unwrap(), setting::Pinned::Same);
        let other = setting::pin(&mut tx, "source.app", "system-2", now()).await.unwrap();
        assert_eq!(other, setting::Pinned::Other("system-1".into()));
        assert_eq!(setting::pin(&mut tx, "source.other", "system-2", now()).await.unwrap(), setting::Pinned::First);
    }
}

#[tokio::test]
async fn a_ledger_of_a_newer_version_is_refused() {
    for test in ledgers().await {
        Ledger::open(&test.url).await.expect("opening an up-to-date ledger changes nothing");
        let mut tx = test.ledger.begin().await.unwrap();
        tx.on().execute("INSERT INTO schema_version (version) VALUES (999)", args![]).await.unwrap();
        tx.commit().await.unwrap();
        let refusal = Ledger::open(&test.url).await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Newer { found: 999, .. }), "{refusal}");
    }
}

#[tokio::test]
async fn a_locked_ledger_is_busy_once_patience_is_over() {
    for test in ledgers().await {
        let patience = Duration::from_millis(300);
        let impatient = Ledger::open_with_patience(&test.url, patience).await.unwrap();
        let mut holding = test.ledger.begin().await.unwrap();
        let id = take_in(&mut holding, &test, &person(&[("user_id", "1")]), Some("k")).await.unwrap().request().id.clone();
        let began = std::time::Instant::now();
        let refusal = async {
            let mut tx = impatient.begin().await?;
            take_in(&mut tx, &test, &person(&[("user_id", "1")]), Some("k")).await?;
            Ok::<(), LedgerError>(())
        };
        let refusal = refusal.await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Database(DbError::Busy(_))), "{refusal}");
        assert!(refusal.is_transient());
        assert!(began.elapsed() >= patience && began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        holding.commit().await.unwrap();
        let mut tx = impatient.begin().await.unwrap();
        let received = take_in(&mut tx, &test, &person(&[("user_id", "1")]), Some("k")).await.unwrap();
        assert_eq!(received.request().id, id);
    }
}

#[tokio::test]
async fn q_1_a_server_that_may_forget_commits_is_refused() {
    let Some(test) = on_postgres().await else { return };
    let mut tx = test.ledger.begin().await.unwrap();
    tx.on().execute("ALTER ROLE postgres IN DATABASE postgres SET synchronous_commit = off", args![]).await.unwrap();
    tx.commit().await.unwrap();
    let (address, host) = test.url.split_once('?').unwrap();
    let other = format!("{}/postgres?{host}", address.rsplit_once('/').unwrap().0);
    assert!(matches!(Ledger::open(&other).await, Err(LedgerError::NotDurable)));
}
