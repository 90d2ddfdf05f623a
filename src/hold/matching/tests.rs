//! What holds cover and what they do not, as facts.

use super::super::sample;
use super::*;

fn hold(id: &str, matter: &str, coverage: Coverage) -> (HoldRef, Coverage) {
    (HoldRef { id: id.into(), matter: Matter::new(matter).unwrap(), review_on: None }, coverage)
}

fn scope(json: &str) -> Coverage {
    Coverage::of(serde_json::from_str(json).unwrap(), BTreeSet::new(), &sample::map())
}

fn person(alias: &str) -> Coverage {
    Coverage::of(Scope::Subject(sample::person("ada@example.com")), BTreeSet::from([alias.to_owned()]), &sample::map())
}

fn order(set: &HoldSet, aliases: &[&str], key: &str) -> Verdict {
    let aliases: Vec<String> = aliases.iter().map(|alias| alias.to_string()).collect();
    set.verdict(&aliases, "app_db", "orders", Some(&[key.to_owned()]))
}

fn ids(verdict: Verdict) -> Vec<String> {
    match verdict {
        Verdict::Held(holds) => holds.into_iter().map(|hold| hold.id).collect(),
        other => panic!("not held: {other:?}"),
    }
}

#[test]
fn nothing_is_held_without_a_hold() {
    assert_eq!(order(&HoldSet::new(0, Vec::new()), &["a"], "1"), Verdict::Free);
}

#[test]
fn h_1_any_alias_of_the_request_is_enough() {
    let set = HoldSet::new(1, vec![hold("1", "M-1", person("mail"))]);
    assert_eq!(ids(order(&set, &["user id", "mail"], "1")), ["1"]);
    assert_eq!(order(&set, &["user id"], "1"), Verdict::Free);
}

#[test]
fn h_1_records_of_nobody_knows_whom_are_held_by_every_subject_hold() {
    let set = HoldSet::new(1, vec![hold("1", "M-1", person("mail"))]);
    assert_eq!(ids(order(&set, &[], "1")), ["1"]);
}

#[test]
fn a_record_hold_covers_its_record_alone_in_any_spelling_of_the_key() {
    let held = scope(r#"{"record": {"dataset": "app_db", "collection": "orders", "key": ["042"]}}"#);
    let set = HoldSet::new(1, vec![hold("1", "M-1", held)]);
    assert_eq!(ids(order(&set, &["a"], "42")), ["1"]);
    assert_eq!(order(&set, &["a"], "43"), Verdict::Free);
    assert_eq!(set.verdict(&["a".into()], "app_db", "customer", Some(&["42".into()])), Verdict::Free);
}

#[test]
fn h_1_a_key_that_cannot_be_compared_is_held() {
    let held = scope(r#"{"record": {"dataset": "app_db", "collection": "orders", "key": ["42"]}}"#);
    let set = HoldSet::new(1, vec![hold("1", "M-1", held)]);
    let aliases = ["a".to_owned()];
    assert_eq!(ids(set.verdict(&aliases, "app_db", "orders", None)), ["1"]);
    assert_eq!(ids(set.verdict(&aliases, "app_db", "orders", Some(&["42".into(), "7".into()]))), ["1"]);
}

#[test]
fn predicates_are_handed_to_the_source() {
    let held = scope(r#"{"predicate": {"dataset": "app_db", "collection": "orders", "where": {"total": {"gt": 100}}}}"#);
    let set = HoldSet::new(1, vec![hold("1", "M-1", held)]);
    assert!(matches!(order(&set, &["a"], "1"), Verdict::HeldIf(conditions) if conditions.len() == 1));
}

#[test]
fn two_holds_are_a_union_and_releasing_one_frees_only_what_no_other_covers() {
    let record = || scope(r#"{"record": {"dataset": "app_db", "collection": "orders", "key": ["1"]}}"#);
    let both = vec![hold("1", "M-1", person("mail")), hold("2", "M-2", record())];
    assert_eq!(ids(order(&HoldSet::new(2, both), &["mail"], "1")), ["2", "1"]);
    let one_left = HoldSet::new(3, vec![hold("2", "M-2", record())]);
    assert_eq!(ids(order(&one_left, &["mail"], "1")), ["2"], "the other hold still covers it");
    assert_eq!(order(&one_left, &["mail"], "2"), Verdict::Free);
}

#[test]
fn h_1_what_is_not_understood_covers_everything() {
    let renamed = r#"{"collection": {"dataset": "app_db", "collection": "orders_2019"}}"#;
    assert_eq!(scope(renamed), Coverage::Unclear(NotUnderstood::Place));
    let nobody = Coverage::of(Scope::Subject(sample::person("a@b")), BTreeSet::new(), &sample::map());
    for unclear in [scope(renamed), nobody, Coverage::Unclear(NotUnderstood::Sealed)] {
        let set = HoldSet::new(1, vec![hold("1", "M-1", unclear)]);
        assert_eq!(ids(order(&set, &["a"], "1")), ["1"]);
        assert_eq!(set.unclear().len(), 1);
    }
    let everything = HoldSet::new(1, vec![hold("1", "M-1", scope(r#"{"everything": {}}"#))]);
    assert_eq!(ids(order(&everything, &["a"], "1")), ["1"]);
    assert!(everything.unclear().is_empty());
}

#[test]
fn the_digest_names_the_set_and_not_its_order_or_epoch() {
    let set = |epoch, ids: &[&str]| HoldSet::new(epoch, ids.iter().map(|id| hold(id, "M-1", person("mail"))).collect());
    assert_eq!(set(1, &["1", "2"]).digest(), set(9, &["2", "1"]).digest());
    assert_ne!(set(1, &["1"]).digest(), set(1, &["1", "2"]).digest());
    assert_ne!(set(1, &["1"]).digest(), HoldSet::new(1, vec![hold("1", "M-1", Coverage::Unclear(NotUnderstood::Sealed))]).digest());
}

#[test]
fn s_1_debug_output_names_no_key() {
    let held = scope(r#"{"record": {"dataset": "app_db", "collection": "orders", "key": ["ada@example.com"]}}"#);
    let set = HoldSet::new(1, vec![hold("1", "M-1", held)]);
    assert!(!format!("{set:?}").contains("ada@"));
}
