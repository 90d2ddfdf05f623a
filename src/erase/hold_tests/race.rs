//! Holds against erasers, at random: four erasers and one who places a hold, over and over. Some erasers die, some sleep past their
//! deadline, before or after they asked whether they may commit. What is still there when the hold is acknowledged must stay.

use std::time::Duration;

use tokio::join;

use super::world::{World, noon};
use crate::args;
use crate::crypto::random_bytes;
use crate::db::Dialect;
use crate::erase::{DrainReport, Drained, Permit};
use crate::hold::Grace;
use crate::ledger::hold;
use crate::ledger::permit::{self, Closing, PermitOutcome};

/// Enough for every temper to meet a hold some dozen times.
const ROUNDS: i64 = 80;

/// How an eraser behaves.
#[derive(Clone, Copy, PartialEq)]
enum Temper {
    Orderly,
    DiesBeforeCommit,
    DiesAfterCommit,
    SleepsBeforeBegin,
    SleepsBeforeAsking,
    SleepsBeforeCommit,
}

fn temper() -> Temper {
    match random_bytes::<1>().unwrap()[0] {
        0..=3 => Temper::DiesBeforeCommit,
        4..=7 => Temper::DiesAfterCommit,
        8..=11 => Temper::SleepsBeforeAsking,
        12..=15 => Temper::SleepsBeforeCommit,
        16..=19 => Temper::SleepsBeforeBegin,
        _ => Temper::Orderly,
    }
}

async fn a_moment() {
    let micros = u64::from(u16::from_le_bytes(random_bytes().unwrap())) / 16;
    tokio::time::sleep(Duration::from_micros(micros)).await;
}

const TTL_OF_THE_SLOW: Duration = Duration::from_millis(30);

pub(super) async fn h_1_h_2_no_race_erases_what_an_acknowledged_hold_covers(world: &World) {
    let mut source = world.source.session().await.unwrap();
    source.on().execute_script("CREATE TABLE victim (id BIGINT PRIMARY KEY, erased BIGINT)").await.unwrap();
    drop(source);
    let (mut kept, mut erased_before) = (0, 0);
    for round in 0..ROUNDS {
        let victims = [round * 4, round * 4 + 1, round * 4 + 2, round * 4 + 3];
        for victim in victims {
            let mut source = world.source.begin().await.unwrap();
            source.on().execute("INSERT INTO victim (id, erased) VALUES ($1, 0)", args![victim]).await.unwrap();
            source.commit().await.unwrap();
        }
        let [a, b, c, d] = victims;
        let (at_acknowledgement, ..) =
            join!(hold_them(world, round), erase(world, a), erase(world, b), erase(world, c), erase(world, d));
        let (hold_id, seen_erased) = at_acknowledgement;
        assert_eq!(erased(world, round).await, seen_erased, "round {round}: erased although the hold was acknowledged");
        erased_before += seen_erased.len();
        kept += 4 - seen_erased.len();
        let_go(world, &hold_id).await;
    }
    assert!(kept > 20 && erased_before > 20, "the race must be open: {kept} kept, {erased_before} erased");
}

/// Places a hold on the round's subject and waits until it is acknowledged; what was erased at that moment.
async fn hold_them(world: &World, round: i64) -> (String, Vec<i64>) {
    a_moment().await;
    let placed = world.place("M-1", &format!(r#"{{"subject": {{"email": "{round}@example.com"}}}}"#)).await;
    let report = world.drain(&placed.id, Duration::from_secs(20)).await;
    assert_eq!(report.drained, Drained::Active, "{:?}", report.problems);
    let gone = erased(world, round).await;
    for victim in &gone {
        assert_told_or_settled_before(world, &report, *victim).await;
    }
    (placed.id, gone)
}

/// What is gone at the acknowledgement is in its report, erased or unknown, unless it was settled before the hold was placed.
async fn assert_told_or_settled_before(world: &World, report: &DrainReport, victim: i64) {
    let request_id = victim.to_string();
    let told = report.in_flight.iter().filter(|permit| permit.request_id == request_id).filter_map(|permit| permit.closing);
    if told.into_iter().any(|closing| closing.affected == 1 || closing.outcome == PermitOutcome::Unknown) {
        return;
    }
    let sql = "SELECT 1 AS before FROM permit JOIN hold ON hold.id = $1 WHERE request_id = $2 AND closed_at < barrier_at";
    let mut tx = world.tx().await;
    let before = tx.on().fetch_optional(sql, args![report.hold_id.as_str(), request_id]).await.unwrap();
    assert!(before.is_some(), "an erasure in flight was not told");
}

async fn erase(world: &World, victim: i64) {
    let round = victim / 4;
    let temper = temper();
    let mut request = world.request(&format!("{victim}"));
    request.aliases = world.aliases(&format!("{round}@example.com"));
    request.record_count = 1;
    if temper != Temper::Orderly {
        request.ttl = TTL_OF_THE_SLOW;
    }
    a_moment().await;
    let aliases = request.aliases.clone();
    let permit = world.open_permit(request).await.unwrap();
    assert_every_placed_hold_was_seen(world, &permit).await;
    if !permit.holds().covers_subject(&aliases).is_empty() {
        return close(world, permit, Closing::nothing_done(1)).await;
    }
    match temper {
        Temper::SleepsBeforeBegin => tokio::time::sleep(TTL_OF_THE_SLOW * 2).await,
        _ => a_moment().await,
    }
    let mut source = world.source.begin().await.unwrap();
    if source.dialect() == Dialect::Postgres {
        source.on().fetch_one("SELECT set_config('application_name', $1, true)", args![permit.id()]).await.unwrap();
    }
    let affected = source.on().execute("UPDATE victim SET erased = 1 WHERE id = $1", args![victim]).await.unwrap();
    assert_eq!(affected, 1);
    if temper == Temper::SleepsBeforeAsking {
        tokio::time::sleep(TTL_OF_THE_SLOW * 2).await;
    }
    if permit.still_valid(&mut world.tx().await).await.is_err() {
        drop(source);
        return close(world, permit, Closing::nothing_done(0)).await;
    }
    match temper {
        Temper::DiesBeforeCommit => return,
        Temper::SleepsBeforeCommit => tokio::time::sleep(TTL_OF_THE_SLOW * 2).await,
        _ => a_moment().await,
    }
    let closing = match source.commit().await {
        Ok(()) => Closing { outcome: PermitOutcome::Committed, affected, already_absent: 0, held: 0 },
        Err(_) => Closing::unknown(),
    };
    if temper == Temper::DiesAfterCommit {
        return;
    }
    a_moment().await;
    close(world, permit, closing).await;
}

/// A permit of some epoch has seen every hold of that epoch or an earlier one, and none of a later.
async fn assert_every_placed_hold_was_seen(world: &World, permit: &Permit) {
    let mut tx = world.tx().await;
    for placed in hold::list(&mut tx, false).await.unwrap() {
        let Some(epoch) = placed.epoch else { continue };
        let seen = permit.holds().refs().any(|hold| hold.id == placed.id);
        assert_eq!(seen, epoch <= permit.holds().epoch(), "hold of epoch {epoch}, permit of epoch {}", permit.holds().epoch());
    }
}

async fn close(world: &World, permit: Permit, closing: Closing) {
    let mut tx = world.tx().await;
    permit.close(&mut tx, closing).await.unwrap();
    tx.commit().await.unwrap();
}

async fn erased(world: &World, round: i64) -> Vec<i64> {
    // Not in a transaction: taking SQLite's write lock here would wait for an eraser that the draining should have waited for.
    let mut source = world.source.session().await.unwrap();
    let sql = "SELECT id FROM victim WHERE erased = 1 AND id / 4 = $1 ORDER BY id";
    let rows = source.on().fetch_all(sql, args![round]).await.unwrap();
    rows.iter().map(|row| row.int("id").unwrap()).collect()
}

/// Releases the round's hold and settles what its erasers left open, so that the next round starts small.
async fn let_go(world: &World, hold_id: &str) {
    let mut tx = world.tx().await;
    let none = Grace::of_days(0).unwrap();
    hold::request_release(&mut tx, hold_id, "ines", noon(), &[]).await.unwrap();
    hold::approve_release(&mut tx, hold_id, "omar", noon(), &[], none).await.unwrap();
    assert_eq!(hold::finish_due_releases(&mut tx, noon()).await.unwrap().len(), 1);
    tx.commit().await.unwrap();
    let mut tx = world.tx().await;
    for left_open in permit::open_permits_before(&mut tx, i64::MAX).await.unwrap() {
        permit::revoke(&mut tx, &left_open.id).await.unwrap();
        permit::mark_fenced(&mut tx, &left_open.id).await.unwrap();
    }
    tx.commit().await.unwrap();
}
