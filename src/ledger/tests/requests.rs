//! Intake, reading back, moving on and listing of requests.

use serde_json::json;

use super::super::job::Writer;
use super::super::request::{self, Filter, NewRequest, Received};
use super::*;
use crate::ledger::testing::on_sqlite;

#[tokio::test]
async fn a_request_reads_back_as_it_was_taken_in() {
    for test in ledgers().await {
        let subject = person(&[("email", "ada@example.com"), ("user_id", "42")]);
        let document = json!({"kind": "rectification", "reason_code": "typo"});
        let private = json!({"changes": {"user.name.last": "Byron"}});
        let new = NewRequest {
            kind: Kind::Rectification,
            subject: Some(&subject),
            document: &document,
            private: Some(&private),
            idempotency_key: Some("ticket-4711"),
            received_at: now(),
            deadline: Some(Deadline::first(now(), &jiff::tz::TimeZone::UTC).unwrap()),
            status: Status::WaitingIdentity,
            is_test: true,
            requested_by: None,
        };
        let mut tx = test.ledger.begin().await.unwrap();
        let received = request::insert(&mut tx, &test.keys, &new, now()).await.unwrap();
        let written = received.request();
        let read = request::find(&mut tx, &written.code.to_lowercase()).await.unwrap();
        assert_eq!(request::find(&mut tx, &written.id).await.unwrap().code, written.code);
        assert_eq!((read.kind, read.status, read.is_test), (Kind::Rectification, Status::WaitingIdentity, true));
        assert_eq!(read.subject(&test.keys).unwrap(), Some(subject.clone()));
        assert_eq!(read.private(&test.keys).unwrap(), Some(private.clone()));
        assert_eq!(read.subject_ref, Some(test.keys.subject_ref(&subject)));
        assert_eq!(read.due_at.unwrap().to_string(), "2026-12-24T23:59:59Z");
        assert_eq!(read.received_at, now());
        assert_eq!(serde_json::from_str::<serde_json::Value>(&read.document).unwrap(), document);
        assert_eq!(request::aliases(&mut tx, &read.id).await.unwrap().len(), 2);
        assert!(matches!(request::find(&mut tx, "ZZZZZZ").await, Err(LedgerError::NotFound { .. })));
        assert!(!format!("{read:?}").contains("ada@"));
    }
}

#[tokio::test]
async fn s_1_no_plain_column_names_a_person() {
    let test = on_sqlite().await;
    let subject = person(&[("email", "canary-7f3a@example.com")]);
    let private = json!({"changes": {"user.name.last": "Canary-8e2b"}});
    let mut new = NewRequest {
        kind: Kind::Rectification,
        subject: Some(&subject),
        document: &json!({"kind": "rectification"}),
        private: Some(&private),
        idempotency_key: Some("canary-9d1c@example.com"),
        received_at: now(),
        deadline: None,
        status: Status::Queued,
        is_test: false,
        requested_by: None,
    };
    let mut tx = test.ledger.begin().await.unwrap();
    request::insert(&mut tx, &test.keys, &new, now()).await.unwrap();
    let leaking = json!({"kind": "rectification", "changes": {"user.name.last": "Byron"}});
    new.document = &leaking;
    assert!(matches!(request::insert(&mut tx, &test.keys, &new, now()).await, Err(LedgerError::Unreadable { .. })));
    tx.commit().await.unwrap();
    test.ledger.db().close().await;
    let path = test.url.strip_prefix("sqlite:").unwrap();
    let folder = std::path::Path::new(path).parent().unwrap();
    let mut searched = 0;
    for file in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_file()) {
        let text = String::from_utf8_lossy(&std::fs::read(file).unwrap()).to_lowercase();
        assert!(!text.contains("canary-"), "an identifier is in the ledger's file in the clear");
        searched += text.len();
    }
    assert!(searched > 1000);
}

#[tokio::test]
async fn the_same_request_sent_twice_is_one_request() {
    for test in ledgers().await {
        let ada = person(&[("email", "ada@example.com")]);
        let mut tx = test.ledger.begin().await.unwrap();
        let first = take_in(&mut tx, &test, &ada, Some("ticket-1")).await.unwrap();
        tx.commit().await.unwrap();
        let mut tx = test.ledger.begin().await.unwrap();
        let second = take_in(&mut tx, &test, &ada, Some("ticket-1")).await.unwrap();
        assert!(matches!(&second, Received::Before(before) if before.id == first.request().id));
        let grace = person(&[("email", "grace@example.com")]);
        let refusal = take_in(&mut tx, &test, &grace, Some("ticket-1")).await.unwrap_err();
        assert!(matches!(&refusal, LedgerError::IdempotencyConflict { existing_code } if *existing_code == first.request().code));
        assert!(refusal.is_conflict());
        let other_key = take_in(&mut tx, &test, &ada, Some("ticket-2")).await.unwrap();
        assert!(matches!(other_key, Received::New(_)));
        assert!(matches!(take_in(&mut tx, &test, &ada, None).await.unwrap(), Received::New(_)), "no key, no repetition");
    }
}

#[tokio::test]
async fn the_same_request_sent_twice_at_once_is_one_request() {
    for test in ledgers().await {
        let ada = person(&[("email", "ada@example.com")]);
        let send = || async {
            let mut tx = test.ledger.begin().await.unwrap();
            let received = take_in(&mut tx, &test, &ada, Some("ticket-1")).await.unwrap();
            tx.commit().await.unwrap();
            (received.request().id.clone(), matches!(received, Received::New(_)))
        };
        let all = futures_util::future::join_all((0..6).map(|_| send())).await;
        assert_eq!(all.iter().filter(|(_, is_new)| *is_new).count(), 1);
        assert!(all.iter().all(|(id, _)| *id == all[0].0));
    }
}

#[tokio::test]
async fn a_request_moves_only_as_its_lifecycle_says() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let id = take_in(&mut tx, &test, &person(&[("user_id", "1")]), None).await.unwrap().request().id.clone();
        let go = async |tx: &mut Tx, next| request::set_status(tx, Writer::Outside, &id, next, now()).await;
        go(&mut tx, Status::Running).await.unwrap();
        go(&mut tx, Status::Running).await.unwrap();
        go(&mut tx, Status::Completed).await.unwrap();
        assert_eq!(request::get(&mut tx, &id).await.unwrap().closed_at, Some(now()));
        let refusal = go(&mut tx, Status::Cancelled).await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Transition { from: Status::Completed, to: Status::Cancelled }));
        go(&mut tx, Status::Partial).await.unwrap();
        assert_eq!(request::get(&mut tx, &id).await.unwrap().closed_at, None, "what came back is open again");
    }
}

#[tokio::test]
async fn lists_show_the_most_urgent_first_and_what_died() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        let mut ids = Vec::new();
        for number in ["1", "2", "3"] {
            let received = take_in(&mut tx, &test, &person(&[("user_id", number)]), None).await.unwrap();
            ids.push(received.request().id.clone());
        }
        let later = Deadline { due_at: now().checked_add(2000.hours()).unwrap(), rule: "test".into() };
        request::extend(&mut tx, &ids[0], &later, now()).await.unwrap();
        request::set_status(&mut tx, Writer::Outside, &ids[1], Status::Cancelled, now()).await.unwrap();
        let listed = request::list(&mut tx, &Filter::default()).await.unwrap();
        let order: Vec<&str> = listed.iter().map(|listed| listed.request.id.as_str()).collect();
        assert_eq!(order, [&ids[2], &ids[0], &ids[1]]);
        assert_eq!(listed[1].request.deadline(), Some(later.due_at));
        assert!(listed[1].request.due_at.unwrap() < later.due_at, "the first deadline stays on record");

        let mut count = async |filter: Filter| request::list(&mut tx, &filter).await.unwrap().len();
        assert_eq!(count(Filter { open_only: true, ..Filter::default() }).await, 2);
        assert_eq!(count(Filter { status: Some(Status::Cancelled), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { kind: Some(Kind::Access), ..Filter::default() }).await, 0);
        let soon = now().checked_add(800.hours()).unwrap();
        assert_eq!(count(Filter { due_by: Some(soon), ..Filter::default() }).await, 1);
        let about = test.keys.subject_ref(&person(&[("user_id", "3")])).to_string();
        assert_eq!(count(Filter { subject_ref: Some(about), ..Filter::default() }).await, 1);
        assert_eq!(count(Filter { limit: 1, offset: 2, ..Filter::default() }).await, 1);
        let refusal = request::extend(&mut tx, &ids[1], &later, now()).await.unwrap_err();
        assert!(matches!(refusal, LedgerError::Transition { .. }), "a closed request has no deadline to extend");
    }
}
