//! Holds, permits and draining together, as facts, each on SQLite and on PostgreSQL.

mod draining;
mod race;
mod world;

use std::time::Duration;

use world::{ADA, Server, World, is_stale, noon, noon_after};

use crate::args;
use crate::erase::{Authorisation, Batch, CoOwners, Drained, PermitError, authorise, fence};
use crate::hold::{Grace, NotUnderstood, Refusal, State};
use crate::ledger::hold::{self, HoldError};
use crate::ledger::permit::{self, Attempt, Closing, PermitOutcome};
use crate::ledger::{LedgerError, hold_set};

/// Runs each fact on SQLite in a test of its own, and all of them on PostgreSQL in one, for the sake of one server.
macro_rules! facts {
    ($($fact:ident),+ $(,)?) => {
        mod on_sqlite {
            $(
                #[tokio::test(flavor = "multi_thread")]
                async fn $fact() {
                    super::$fact(&super::World::on_sqlite().await).await;
                }
            )+
        }

        #[tokio::test(flavor = "multi_thread")]
        async fn h_1_h_2_e_2_q_1_on_postgres() {
            let Some(server) = Server::start() else { return };
            $(
                eprintln!("{}", stringify!($fact));
                $fact(&World::on_postgres(&server, stringify!($fact)).await).await;
            )+
        }
    };
}

facts! {
    h_1_h_2_no_race_erases_what_an_acknowledged_hold_covers,
    two_holds_are_a_union_and_release_takes_two_people_and_grace,
    the_ledger_itself_refuses_a_release_by_one_person,
    h_1_what_cannot_be_opened_covers_everything,
    a_proposal_covers_nothing_until_it_is_placed,
    h_1_authorising_takes_out_what_is_held,
    q_1_a_stale_attempt_neither_opens_nor_commits_nor_closes,
    e_2_an_unsettled_batch_is_fenced_and_read_before_another_try,
    h_2_active_waits_for_older_permits_and_tells_what_is_gone,
    h_2_an_overdue_permit_is_fenced_and_cannot_commit,
    h_2_a_lost_session_is_in_flight_until_it_is_ended,
}

use draining::{
    h_2_a_lost_session_is_in_flight_until_it_is_ended, h_2_active_waits_for_older_permits_and_tells_what_is_gone,
    h_2_an_overdue_permit_is_fenced_and_cannot_commit,
};
use race::h_1_h_2_no_race_erases_what_an_acknowledged_hold_covers;

const ORDER_1: &str = r#"{"record": {"dataset": "app_db", "collection": "orders", "key": ["1"]}}"#;

struct Orders {
    source: &'static str,
    ids: Vec<i64>,
    co_owners: CoOwners,
}

impl Batch for Orders {
    fn source(&self) -> &str {
        self.source
    }
    fn dataset(&self) -> &str {
        "app_db"
    }
    fn collection(&self) -> &str {
        "orders"
    }
    fn len(&self) -> usize {
        self.ids.len()
    }
    fn key_as_text(&self, position: usize) -> Option<Vec<String>> {
        Some(vec![self.ids[position].to_string()])
    }
    fn co_owners(&self, _position: usize) -> CoOwners {
        self.co_owners.clone()
    }
    fn keep(&mut self, keep: &[bool]) {
        let mut flags = keep.iter();
        self.ids.retain(|_| *flags.next().unwrap());
    }
}

fn orders(ids: &[i64]) -> Orders {
    Orders { source: "app", ids: ids.to_vec(), co_owners: CoOwners::None }
}

async fn close(world: &World, permit: crate::erase::Permit, closing: Closing) -> Result<(), PermitError> {
    let mut tx = world.tx().await;
    permit.close(&mut tx, closing).await?;
    tx.commit().await.unwrap();
    Ok(())
}

fn committed(affected: u64) -> Closing {
    Closing { outcome: PermitOutcome::Committed, affected, already_absent: 0, held: 0 }
}

async fn two_holds_are_a_union_and_release_takes_two_people_and_grace(world: &World) {
    let on_ada = world.place("M-1", ADA).await;
    let on_order = world.place("M-2", ORDER_1).await;
    assert!(on_ada.epoch < on_order.epoch);
    world.drain(&on_ada.id, Duration::ZERO).await;

    let mut tx = world.tx().await;
    let requesters = ["rosa".to_owned()];
    let refused = hold::request_release(&mut tx, &on_ada.id, "Rosa", noon(), &requesters).await.unwrap_err();
    assert!(matches!(refused, HoldError::Refused(Refusal::AffectedRequester)));
    hold::request_release(&mut tx, &on_ada.id, "ines", noon(), &requesters).await.unwrap();
    let refused = hold::approve_release(&mut tx, &on_ada.id, "INES", noon(), &requesters, Grace::default()).await.unwrap_err();
    assert!(matches!(refused, HoldError::Refused(Refusal::SamePerson)));
    let until = hold::approve_release(&mut tx, &on_ada.id, "omar", noon(), &requesters, Grace::default()).await.unwrap();
    assert_eq!(until, noon_after(7));
    tx.commit().await.unwrap();

    let mut tx = world.tx().await;
    assert!(hold::finish_due_releases(&mut tx, noon_after(6)).await.unwrap().is_empty(), "the grace is not over");
    tx.commit().await.unwrap();
    assert_eq!(world.holds().await.covers_subject(&world.aliases("ada@example.com")).len(), 1, "it covers during the grace");

    let mut tx = world.tx().await;
    let released = hold::finish_due_releases(&mut tx, noon_after(7)).await.unwrap();
    assert_eq!(released.iter().map(|hold| hold.id.as_str()).collect::<Vec<_>>(), [on_ada.id.as_str()]);
    tx.commit().await.unwrap();

    let mut permit = world.open_permit(world.request("r1")).await.unwrap();
    let authorisation = authorise(orders(&[1, 2]), &mut permit).unwrap();
    assert_eq!(authorisation.held[0].hold.id, on_order.id, "the other hold still covers its record");
    assert_eq!(authorisation.authorised.unwrap().batch().ids, [2]);
    let mut tx = world.tx().await;
    assert_eq!(hold::list(&mut tx, false).await.unwrap().len(), 1);
    assert_eq!(hold::list(&mut tx, true).await.unwrap().len(), 2);
    assert!(matches!(hold::get(&mut tx, "no such").await, Err(HoldError::NotFound { .. })));
}

async fn the_ledger_itself_refuses_a_release_by_one_person(world: &World) {
    let placed = world.place("M-1", ADA).await;
    let sql = "UPDATE hold SET state = 'releasing', release_at = 0, release_requested_by = 'ines', \
               release_approved_by = $2 WHERE id = $1";
    let by_one = world.tx().await.on().execute(sql, args![placed.id.as_str(), " INES"]).await;
    assert!(by_one.is_err());
    assert_eq!(world.tx().await.on().execute(sql, args![placed.id.as_str(), "omar"]).await.unwrap(), 1);
}

async fn h_1_what_cannot_be_opened_covers_everything(world: &World) {
    let placed = world.place("M-1", ORDER_1).await;
    let other_keys = world.other_keys();
    let sealed = hold_set::load_active(&mut world.tx().await, &other_keys, &world.map).await.unwrap();
    assert_eq!(sealed.unclear()[0].1, NotUnderstood::Sealed);
    assert_eq!(sealed.for_collection("app_db", "customer").whole().len(), 1);

    let mut renamed = world.map.clone();
    renamed.datasets[0].collections.retain(|collection| collection.name != "orders");
    let unknown_place = hold_set::load_active(&mut world.tx().await, &world.keys, &renamed).await.unwrap();
    assert_eq!(unknown_place.unclear()[0].1, NotUnderstood::Place);

    let newer = world.keys.seal(hold::SCOPE_SEAL, br#"{"time_range": {"from": "2026-01-01"}}"#).unwrap();
    let mut tx = world.tx().await;
    tx.on().execute("UPDATE hold SET state = 'paused', scope = $2 WHERE id = $1", args![placed.id.as_str(), newer]).await.unwrap();
    let newer = hold_set::load_active(&mut tx, &world.keys, &world.map).await.unwrap();
    assert_eq!(newer.unclear()[0].1, NotUnderstood::Format, "a state and a scope of a newer program");
    tx.rollback().await.unwrap();

    world.place("M-2", ADA).await;
    world.script("DELETE FROM hold_alias").await;
    let holds = world.holds().await;
    assert_eq!(holds.covers_subject(&world.aliases("ada@example.com")).len(), 1, "lost alias rows free nobody");
    assert!(holds.covers_subject(&world.aliases("bob@example.com")).is_empty());
}

async fn a_proposal_covers_nothing_until_it_is_placed(world: &World) {
    let file = crate::hold::HoldFile::parse(&format!(r#"{{"matter": "M-1", "reason": "audit", "scope": {ADA}}}"#)).unwrap();
    let new = crate::hold::NewHold::check(file, &world.map, &[]).unwrap();
    let mut tx = world.tx().await;
    let id = hold::propose(&mut tx, &world.keys, &new, "omar", noon()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.holds().await.refs().count(), 0);

    let mut tx = world.tx().await;
    let placed = hold::place_proposed(&mut tx, &id, "ines", noon()).await.unwrap();
    tx.commit().await.unwrap();
    assert_eq!(world.holds().await.epoch(), placed.epoch);
    assert_eq!(world.holds().await.refs().count(), 1);
    assert_eq!(world.drain(&id, Duration::ZERO).await.drained, Drained::Active);
    let mut tx = world.tx().await;
    assert_eq!(hold::get(&mut tx, &id).await.unwrap().life.state, State::Active);
    assert_eq!(hold::scope(&mut tx, &world.keys, &id).await.unwrap().kind(), "subject");
}

fn held_records<B>(authorisation: &Authorisation<B>) -> usize {
    authorisation.held.iter().map(|held| held.positions.len()).sum()
}

async fn h_1_authorising_takes_out_what_is_held(world: &World) {
    world.place("M-1", ORDER_1).await;
    world.place("M-2", r#"{"subject": {"email": "bob@example.com"}}"#).await;
    let condition = r#"{"predicate": {"dataset": "app_db", "collection": "orders", "where": {"total": {"gt": 100}}}}"#;
    world.place("M-3", condition).await;
    let mut permit = world.open_permit(world.request("r1")).await.unwrap();

    let elsewhere = authorise(Orders { source: "crm", ..orders(&[2]) }, &mut permit);
    assert!(matches!(elsewhere, Err(PermitError::OtherSource { .. })));

    let authorisation = authorise(orders(&[1, 2]), &mut permit).unwrap();
    assert_eq!(held_records(&authorisation), 1);
    let authorised = authorisation.authorised.unwrap();
    assert_eq!(authorised.batch().ids, [2]);
    assert_eq!(authorised.must_not_match()[0].0.matter.as_str(), "M-3");

    let too_many = authorise(orders(&[3, 4]), &mut permit);
    assert!(matches!(too_many, Err(PermitError::TooMany { permitted: 3, asked: 4 })));

    let shared = Orders { co_owners: CoOwners::Known(world.aliases("bob@example.com")), ..orders(&[5]) };
    let authorisation = authorise(shared, &mut permit).unwrap();
    assert!(authorisation.authorised.is_none(), "it is a record of Bob as well, who is under hold");

    let mut permit = world.open_permit(world.request("r2")).await.unwrap();
    let shared = Orders { co_owners: CoOwners::Unknown, ..orders(&[5]) };
    assert!(authorise(shared, &mut permit).unwrap().authorised.is_none(), "it might be Bob's");

    world.place("M-4", ADA).await;
    let mut permit = world.open_permit(world.request("r3")).await.unwrap();
    let authorisation = authorise(orders(&[2, 3]), &mut permit).unwrap();
    assert!(authorisation.authorised.is_none());
    assert_eq!(held_records(&authorisation), 2);
}

async fn q_1_a_stale_attempt_neither_opens_nor_commits_nor_closes(world: &World) {
    let permit = world.open_permit(world.request("r1")).await.unwrap();
    permit.still_valid(&mut world.tx().await).await.unwrap();
    world.script("UPDATE job SET attempt = 2").await;
    assert!(is_stale(&world.open_permit(world.request("r2")).await.unwrap_err()));
    assert!(is_stale(&permit.still_valid(&mut world.tx().await).await.unwrap_err()));
    assert!(is_stale(&close(world, permit, committed(3)).await.unwrap_err()));
    let unsettled = permit::unsettled_of_request(&mut world.tx().await, "r1").await.unwrap();
    assert_eq!(unsettled.len(), 1, "the stale attempt has written nothing");
}

async fn e_2_an_unsettled_batch_is_fenced_and_read_before_another_try(world: &World) {
    drop(world.open_permit(world.request("r1")).await.unwrap());
    assert!(matches!(world.open_permit(world.request("r1")).await, Err(PermitError::Unsettled)));

    let now = Attempt { job_id: "job".into(), number: 1 };
    let unsettled = permit::unsettled_of_request(&mut world.tx().await, "r1").await.unwrap();
    let id = &unsettled[0].id;
    let early = permit::settle(&mut world.tx().await, id, &now, &committed(3)).await;
    assert!(matches!(early, Err(LedgerError::Stale)), "its session may still commit");

    fence(&world.ledger, world, &unsettled[0]).await.unwrap();
    assert!(matches!(world.open_permit(world.request("r1")).await, Err(PermitError::Unsettled)), "fenced, not yet read");
    let mut tx = world.tx().await;
    permit::settle(&mut tx, id, &now, &committed(3)).await.unwrap();
    tx.commit().await.unwrap();
    assert!(permit::settle(&mut world.tx().await, id, &now, &committed(2)).await.is_err(), "a known outcome stays");
    assert_eq!(permit::get(&mut world.tx().await, id).await.unwrap().unwrap().closing, Some(committed(3)));
    let again = world.open_permit(world.request("r1")).await.unwrap();
    close(world, again, Closing::nothing_done(0)).await.unwrap();
}
