//! Who may do what to a hold, and when.

use super::*;

fn at(day: i8) -> Timestamp {
    format!("2026-11-{day:02}T00:00:00Z").parse().unwrap()
}

fn active() -> Life {
    let mut life = Life::place_at_once("ines", at(1)).unwrap();
    life.activate(at(1)).unwrap();
    life
}

#[test]
fn one_person_places_and_two_release_after_the_grace() {
    let mut life = active();
    life.request_release("ines", at(2), &[]).unwrap();
    assert_eq!(life.state, State::Active, "asking alone changes nothing");
    life.approve_release("omar", at(3), &[], Grace::default()).unwrap();
    assert!(life.state.covers(), "the hold covers during the grace");
    assert_eq!(life.finish_release(at(9)), Err(Refusal::Grace { until: at(10) }));
    life.finish_release(at(10)).unwrap();
    assert!(!life.state.covers());
}

#[test]
fn the_same_person_cannot_release_alone_under_any_spelling() {
    let mut life = active();
    life.request_release("ines", at(2), &[]).unwrap();
    for spelling in ["ines", "INES", " Ines "] {
        assert_eq!(life.approve_release(spelling, at(3), &[], Grace::default()), Err(Refusal::SamePerson));
    }
    assert_eq!(life.state, State::Active);
}

#[test]
fn the_requester_of_an_affected_erasure_can_take_neither_part() {
    let requesters = ["omar".to_owned()];
    let mut life = active();
    assert_eq!(life.request_release("Omar", at(2), &requesters), Err(Refusal::AffectedRequester));
    life.request_release("ines", at(2), &requesters).unwrap();
    assert_eq!(life.approve_release("omar", at(3), &requesters, Grace::default()), Err(Refusal::AffectedRequester));
    let since = ["ines".to_owned()];
    let late = life.approve_release("lena", at(3), &since, Grace::default());
    assert_eq!(late, Err(Refusal::AffectedRequester), "the first person has asked for an erasure since");
}

#[test]
fn one_person_can_keep_a_hold_during_the_grace() {
    let mut life = active();
    life.request_release("ines", at(2), &[]).unwrap();
    life.approve_release("omar", at(3), &[], Grace::default()).unwrap();
    life.keep().unwrap();
    assert_eq!(life, active());
    assert_eq!(life.keep(), Err(Refusal::NotRequested));
}

#[test]
fn steps_out_of_order_are_refused() {
    let mut proposed = Life::propose("ines", at(1)).unwrap();
    assert!(!proposed.state.covers());
    assert!(matches!(proposed.activate(at(1)), Err(Refusal::State { .. })));
    assert!(matches!(proposed.request_release("ines", at(1), &[]), Err(Refusal::State { .. })));
    let mut life = active();
    assert_eq!(life.approve_release("omar", at(2), &[], Grace::default()), Err(Refusal::NotRequested));
    assert!(matches!(life.finish_release(at(2)), Err(Refusal::State { .. })));
    assert!(matches!(life.place("omar", at(2)), Err(Refusal::State { .. })));
    assert_eq!(Life::propose("  ", at(1)), Err(Refusal::Nobody));
    assert_eq!(Grace::of_days(31), None);
}

#[test]
fn states_are_read_back_from_their_words() {
    for state in State::ALL {
        assert_eq!(State::parse(state.as_str()), Some(state));
    }
    assert_eq!(State::parse("paused"), None);
}
