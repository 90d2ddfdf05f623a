//! Rows about locks in stores: which count, and what may be cleared because of them (H-1), on each database.

use jiff::Timestamp;

use crate::args;
use crate::db::Tx;
use crate::ledger::store_lock::{self, LockState, LockTally};
use crate::ledger::testing::ledgers;

/// A hold in this state; its grace ends at the given second.
async fn hold(tx: &mut Tx, id: &str, state: &str, release_at: i64) {
    let sql = "INSERT INTO hold (id, matter, reason_code, state, scope_kind, scope, epoch, barrier_at, placed_by, release_requested_by, \
               release_approved_by, release_at) VALUES ($1, 'M', 'audit', $2, 'everything', $3, 1, 1, 'a', 'a', 'b', $4)";
    tx.on().execute(sql, args![id, state, vec![0_u8], at(release_at)]).await.unwrap();
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).unwrap()
}

async fn note(tx: &mut Tx, hold: &str, version: &str, state: LockState) {
    store_lock::note(tx, hold, "uploads", (version, b"sealed".to_vec()), state, at(1)).await.unwrap();
}

async fn states(tx: &mut Tx, version: &str) -> Vec<(String, LockState, bool)> {
    let rows = store_lock::of_version(tx, version, at(100)).await.unwrap();
    rows.into_iter().map(|row| (row.hold_id, row.state, row.is_over)).collect()
}

#[tokio::test]
async fn h_1_only_rows_of_holds_that_are_over_go_and_every_other_state_covers() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        for (id, state, release_at) in [
            ("active", "active", 0),
            ("due", "releasing", 100),
            ("grace", "releasing", 101),
            ("newer", "paused", 0),
            ("over", "released", 0),
        ] {
            hold(&mut tx, id, state, release_at).await;
            note(&mut tx, id, "v1", LockState::Set).await;
        }
        note(&mut tx, "over", "v2", LockState::Set).await;
        let is_over: Vec<bool> = states(&mut tx, "v1").await.into_iter().map(|(_, _, is_over)| is_over).collect();
        assert_eq!(is_over, [false, true, false, false, true]);
        assert_eq!(store_lock::over(&mut tx, at(100), "", 10).await.unwrap(), ["v1", "v2"]);
        assert_eq!(store_lock::over(&mut tx, at(100), "v1", 10).await.unwrap(), ["v2"]);
        assert_eq!(store_lock::tallies(&mut tx).await.unwrap()["over"], LockTally { ours: 2, unsettled: 0 });
        store_lock::strike_off(&mut tx, "v1", at(100)).await.unwrap();
        let left: Vec<String> = states(&mut tx, "v1").await.into_iter().map(|(hold, _, _)| hold).collect();
        assert_eq!(left, ["active", "grace", "newer"]);
        assert_eq!(states(&mut tx, "v2").await.len(), 1, "another version");
    }
}

#[tokio::test]
async fn h_1_a_row_says_that_a_lock_is_ours_only_after_it_was_seen_off_and_set() {
    for test in ledgers().await {
        let mut tx = test.ledger.begin().await.unwrap();
        for id in ["a", "b"] {
            hold(&mut tx, id, "active", 0).await;
        }
        let state = |rows: Vec<(String, LockState, bool)>| rows.into_iter().map(|(_, state, _)| state).collect::<Vec<_>>();
        note(&mut tx, "a", "v", LockState::Setting).await;
        assert!(!store_lock::begin_clearing(&mut tx, "v", at(2)).await.unwrap(), "nothing is known to be ours");
        store_lock::confirm(&mut tx, "v", at(2)).await.unwrap();
        note(&mut tx, "b", "v", LockState::Set).await;
        store_lock::forget(&mut tx, "a", "v").await.unwrap();
        assert_eq!(state(states(&mut tx, "v").await), [LockState::Set, LockState::Set], "what is set is not forgotten");
        store_lock::seen_off(&mut tx, "v", at(3)).await.unwrap();
        assert_eq!(state(states(&mut tx, "v").await), [LockState::Setting, LockState::Setting], "somebody took it off");
        store_lock::doubt(&mut tx, "v", at(4)).await.unwrap();
        assert!(!store_lock::begin_clearing(&mut tx, "v", at(4)).await.unwrap());
        store_lock::confirm(&mut tx, "v", at(5)).await.unwrap();
        assert!(store_lock::begin_clearing(&mut tx, "v", at(6)).await.unwrap());
        assert!(!store_lock::begin_clearing(&mut tx, "v", at(6)).await.unwrap(), "one of two is at it");
        store_lock::confirm(&mut tx, "v", at(6)).await.unwrap();
        assert_eq!(state(states(&mut tx, "v").await), [LockState::Clearing, LockState::Clearing]);
        store_lock::not_cleared(&mut tx, "v", at(7)).await.unwrap();
        assert_eq!(state(states(&mut tx, "v").await), [LockState::Set, LockState::Set]);
        tx.on().execute("UPDATE store_lock SET state = 'resting'", args![]).await.unwrap();
        assert_eq!(state(states(&mut tx, "v").await), [LockState::Unsure, LockState::Unsure], "a word of a newer program");
    }
}
