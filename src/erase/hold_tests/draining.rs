//! What the answer to placing a hold waits for, and what it tells (H-2).

use std::time::Duration;

use futures_util::future::BoxFuture;

use super::world::{ADA, World, noon};
use super::{close, committed};
use crate::clock::FixedClock;
use crate::erase::{Drained, PermitError, SessionError, SessionKiller, drain};
use crate::ledger::hold::{self, HoldError};
use crate::ledger::permit::{self, Closing};

pub(super) async fn h_2_active_waits_for_older_permits_and_tells_what_is_gone(world: &World) {
    let settled_before = world.open_permit(world.request("r0")).await.unwrap();
    close(world, settled_before, committed(3)).await.unwrap();
    let older = world.open_permit(world.request("r1")).await.unwrap();
    let placed = world.place("M-1", ADA).await;

    let newer = world.open_permit(world.request("r2")).await.unwrap();
    assert_eq!(newer.holds().refs().count(), 1, "the hold covers while it is being placed");
    let report = world.drain(&placed.id, Duration::from_millis(60)).await;
    assert_eq!(report.drained, Drained::StillPlacing { open: 1 });
    assert!(report.in_flight.iter().all(|permit| permit.closing.is_none()));
    let mut tx = world.tx().await;
    assert!(matches!(hold::activate(&mut tx, &placed.id, noon()).await, Err(HoldError::InFlight { open: 1 })));
    tx.rollback().await.unwrap();

    close(world, older, committed(2)).await.unwrap();
    let report = world.drain(&placed.id, Duration::from_secs(5)).await;
    assert_eq!((report.drained, report.already_erased()), (Drained::Active, 2));
    assert_eq!(report.in_flight.len(), 1, "what was settled before the hold was not in flight");
    assert_eq!(world.drain(&placed.id, Duration::ZERO).await.drained, Drained::Active, "again is once");
    close(world, newer, Closing::nothing_done(3)).await.unwrap();
}

pub(super) async fn h_2_an_overdue_permit_is_fenced_and_cannot_commit(world: &World) {
    let mut request = world.request("r1");
    request.ttl = Duration::from_millis(50);
    let overdue = world.open_permit(request).await.unwrap();
    let placed = world.place("M-1", ADA).await;
    let report = world.drain(&placed.id, Duration::from_secs(5)).await;
    assert_eq!(report.drained, Drained::Active);
    assert_eq!(report.in_flight[0].closing, Some(Closing::unknown()), "its owner has to read the source");
    assert!(matches!(overdue.still_valid(&mut world.tx().await).await, Err(PermitError::Revoked)));
    close(world, overdue, Closing::nothing_done(0)).await.unwrap();
    let report = world.drain(&placed.id, Duration::ZERO).await;
    assert_eq!(report.in_flight[0].closing, Some(Closing::nothing_done(0)), "the owner knows that it rolled back");

    let mut request = world.request("r2");
    request.ttl = Duration::ZERO;
    let expired = world.open_permit(request).await.unwrap();
    assert!(matches!(expired.still_valid(&mut world.tx().await).await, Err(PermitError::Expired)));
    close(world, expired, Closing::nothing_done(0)).await.unwrap();
}

pub(super) async fn h_2_a_lost_session_is_in_flight_until_it_is_ended(world: &World) {
    let lost = world.open_permit(world.request("r1")).await.unwrap();
    let id = lost.id().to_owned();
    close(world, lost, Closing::unknown()).await.unwrap();
    let placed = world.place("M-1", ADA).await;
    let mut tx = world.tx().await;
    assert!(matches!(hold::activate(&mut tx, &placed.id, noon()).await, Err(HoldError::InFlight { open: 1 })));
    tx.rollback().await.unwrap();

    struct Unreachable;
    impl SessionKiller for Unreachable {
        fn end_session<'a>(
            &'a self,
            _source: &'a str,
            _permit_id: &'a str,
            _left: Duration,
        ) -> BoxFuture<'a, Result<(), SessionError>> {
            Box::pin(async { Err(SessionError("the source cannot be reached".into())) })
        }
    }
    let clock = FixedClock(noon());
    let in_vain = drain(&world.ledger, &placed.id, &Unreachable, Duration::from_millis(60), &clock).await.unwrap();
    assert_eq!(in_vain.drained, Drained::StillPlacing { open: 1 });
    assert_eq!(in_vain.problems.len(), 1);

    assert_eq!(world.drain(&placed.id, Duration::from_secs(5)).await.drained, Drained::Active);
    let fenced = permit::get(&mut world.tx().await, &id).await.unwrap().unwrap();
    assert!(fenced.fenced_at_us.is_some() && fenced.is_unknown());
}
