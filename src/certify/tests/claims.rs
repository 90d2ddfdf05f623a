//! What follows from which items, and that nothing stronger can be said.

use proptest::prelude::*;

use super::*;
use crate::certify::document::{ItemWord, RetainedFacts};

fn built(input: CertificateInput) -> Certificate {
    let (certificate, _) = Certificate::build(input).unwrap();
    assert_eq!(inconsistencies(certificate.document()), [], "what we build, the checker accepts");
    certificate
}

fn outcome_of(items: Vec<CertificateItem>) -> (OutcomeWord, Option<Level>) {
    let certificate = built(input(items));
    (certificate.outcome().word(), certificate.level())
}

fn open_items() -> Vec<ItemOutcome> {
    let code = Code::fixed("source_unreachable");
    vec![
        ItemOutcome::Pending { code: code.clone() },
        ItemOutcome::Unknown { code: code.clone() },
        ItemOutcome::Gap { code: code.clone() },
        ItemOutcome::Failed { code },
    ]
}

#[test]
fn v_1_complete_is_said_when_every_item_is_verified_or_retained_with_a_ground() {
    let mut invoices = erased("invoices", 10);
    invoices.found = 13;
    invoices.retained = vec![kept(3)];
    let mut ledger = item("ledger", 2, ItemOutcome::Retained);
    ledger.retained = vec![kept(2)];
    let certificate =
        built(input(vec![erased("users", 1), invoices, ledger, item("likes", 0, ItemOutcome::NothingFound(looked()))]));
    assert!(matches!(certificate.outcome(), CertificateOutcome::Complete(_)));
    assert_eq!(certificate.level(), Some(Level::AbsentOnValueSearch));
    assert!(certificate.document().statement.starts_with("Complete: "));
    assert!(certificate.document().items[1].statement.ends_with("3 records are kept on the grounds listed."));
}

#[test]
fn v_1_one_open_item_of_any_kind_makes_it_partial_at_level_0() {
    for open in open_items() {
        let name = format!("{open:?}");
        let result = outcome_of(vec![erased("users", 1), item("orders", 5, open)]);
        assert_eq!(result, (OutcomeWord::Partial, Some(Level::Instructed)), "{name}");
    }
}

#[test]
fn v_2_a_source_that_was_not_reached_is_a_gap_and_never_complete() {
    let gap = OpenPlace { source: "crm".into(), place: None, code: Code::fixed("source_unreachable") };
    let certificate = built(CertificateInput { gaps: vec![gap], ..input(vec![erased("users", 1)]) });
    assert_eq!(certificate.outcome(), CertificateOutcome::Partial);
    assert_eq!(certificate.level(), Some(Level::Instructed));
    assert!(!certificate.text().contains("\"complete\""));
}

#[test]
fn v_2_a_certificate_about_no_place_at_all_is_not_complete() {
    assert_eq!(outcome_of(Vec::new()), (OutcomeWord::Partial, Some(Level::Instructed)));
}

#[test]
fn v_1_residue_makes_it_partial_and_below_level_3() {
    let residue = || vec![ResiduePlace { source: "app".into(), place: "audit_log.payload".into(), occurrences: 2 }];
    let certificate = built(CertificateInput { residue: residue(), ..input(vec![erased("users", 1)]) });
    assert_eq!((certificate.outcome(), certificate.level()), (CertificateOutcome::Partial, Some(Level::AbsentOnReRead)));
    let nothing = item("users", 0, ItemOutcome::NothingFound(looked()));
    let certificate = built(CertificateInput { residue: residue(), ..input(vec![nothing]) });
    assert_eq!((certificate.outcome(), certificate.level()), (CertificateOutcome::Partial, Some(Level::Instructed)));
}

#[test]
fn v_2_what_kept_records_say_is_counted_and_never_called_none() {
    let with_hits = ValueSearch { in_kept_records: 3, ..search() };
    let mut orders = item("orders", 12, ItemOutcome::Verified(absence(Method::Delete, 10, Some(with_hits))));
    orders.retained = vec![kept(2)];
    let places = [("orders.email", 2), ("orders.note", 1)];
    let place = |(place, occurrences): (&str, u64)| ResiduePlace { source: "app".into(), place: place.into(), occurrences };
    let certificate = built(CertificateInput { in_kept_records: places.map(place).into(), ..input(vec![orders]) });
    let document = certificate.document();
    assert_eq!((certificate.outcome().word(), certificate.level()), (OutcomeWord::Complete, Some(Level::AbsentOnValueSearch)));
    let page = crate::certify::page::render(document, certificate.digest());
    for text in [&document.statement, &document.items[0].statement, &page] {
        assert!(text.contains("found none outside the records that are kept, and 3 occurrences in those"), "{text}");
        assert!(!text.contains("found none;") && !text.contains("found none, and"), "{text}");
    }
    assert!(page.contains("orders.note"), "{page}");
    // The checker counts again: a list that is shorter than what the search found is refused.
    let mut shorter = document.clone();
    shorter.in_kept_records.truncate(1);
    assert!(!inconsistencies(&shorter).is_empty());
    let mut none = document.clone();
    none.in_kept_records.clear();
    none.items[0].evidence.as_mut().unwrap().search.as_mut().unwrap().in_kept_records = 0;
    assert!(inconsistencies(&none).contains(&Inconsistency::Statement), "the sentence follows the numbers");
}

/// Level 0 has many reasons, and of what a hold keeps nobody has requested the deletion.
#[test]
fn v_1_level_0_says_why_and_of_held_records_never_that_their_deletion_was_requested() {
    let place = |code: &'static str| OpenPlace { source: "app".into(), place: Some("app.orders".into()), code: Code::fixed(code) };
    let held = || {
        let mut orders = item("orders", 2, ItemOutcome::Retained);
        orders.retained = vec![Retained { ground: Ground::Hold, ..kept(2) }];
        CertificateInput { gaps: vec![place("held")], ..input(vec![erased("users", 1), orders]) }
    };
    let said = |input: CertificateInput| {
        let certificate = built(input);
        assert_eq!((certificate.outcome().word(), certificate.level()), (OutcomeWord::Partial, Some(Level::Instructed)));
        let page = crate::certify::page::render(certificate.document(), certificate.digest());
        (certificate.document().statement.clone(), page)
    };
    let (statement, page) = said(held());
    assert!(statement.contains("Level 0, not confirmed: what a legal hold keeps was left as it is"), "{statement}");
    assert!(statement.starts_with("Partial: what is listed as retained under a legal hold,"), "{statement}");
    assert!(!statement.contains("deletion was requested;") && !statement.contains("not looked at"), "{statement}");
    assert!(page.contains("kept under a legal hold") && page.contains("not confirmed") && !page.contains(">instructed<"), "{page}");
    let also = |outcome: ItemOutcome| {
        let mut input = held();
        input.items.push(item("likes", 5, outcome));
        said(input).0
    };
    let code = Code::fixed("some_reason");
    let expected = [
        (
            ItemOutcome::Pending { code: code.clone() },
            "Level 0, instructed: deletion was requested; for at least one place nothing",
        ),
        (
            ItemOutcome::Unknown { code: code.clone() },
            "Level 0, instructed: deletion was requested; for at least one place nothing",
        ),
        (ItemOutcome::Failed { code: code.clone() }, "Level 0, not confirmed: for at least one place the erasure failed"),
        (ItemOutcome::Gap { code }, "Level 0, not confirmed: at least one place was not looked at"),
    ];
    for (outcome, words) in expected {
        let statement = also(outcome);
        assert!(statement.contains(words) && statement.contains("what a legal hold keeps was left as it is"), "{statement}");
    }
    let (statement, _) = said(CertificateInput { gaps: vec![place("source_unreachable")], ..input(vec![erased("users", 1)]) });
    assert!(statement.ends_with("Level 0, not confirmed: at least one place was not looked at, and nothing is stated about it."));
    let (statement, _) = said(input(Vec::new()));
    assert!(statement.ends_with("Level 0, not confirmed: no place was looked at."), "{statement}");
}

#[test]
fn no_level_is_worded_as_another() {
    let read_back = item("users", 1, ItemOutcome::Verified(absence(Method::Delete, 1, None)));
    let pseudonyms = item("users", 1, ItemOutcome::Verified(absence(Method::Pseudonymise, 1, None)));
    let open = item("users", 1, open_items().swap_remove(0));
    for (number, item) in [open, pseudonyms, read_back, erased("users", 1)].into_iter().enumerate() {
        let statement = built(input(vec![item])).document().statement.clone();
        assert!(statement.contains(&format!("Level {number}, ")) && statement.matches("Level ").count() == 1, "{statement}");
    }
}

#[test]
fn v_1_an_item_whose_numbers_do_not_add_up_has_failed() {
    let mut short = erased("users", 4);
    short.found = 5;
    let mut too_many = erased("orders", 4);
    too_many.retained = vec![kept(1)];
    let groundless = item("ledger", 2, ItemOutcome::Retained);
    let mut none_kept = item("ledger", 0, ItemOutcome::Retained);
    none_kept.retained = vec![kept(0)];
    let found = item("likes", 1, ItemOutcome::NothingFound(looked()));
    for item in [short, too_many, groundless, none_kept, found] {
        let certificate = built(input(vec![erased("profiles", 1), item]));
        assert_eq!(certificate.outcome(), CertificateOutcome::Partial);
        assert_eq!(certificate.document().items[1].outcome, ItemWord::Failed);
        assert_eq!(certificate.document().items[1].code, Some(COUNTS_DISAGREE));
    }
}

#[test]
fn the_level_of_the_whole_is_that_of_its_weakest_item() {
    let read_back_only = item("orders", 2, ItemOutcome::Verified(absence(Method::Mask, 2, None)));
    assert_eq!(outcome_of(vec![erased("users", 1), read_back_only]), (OutcomeWord::Complete, Some(Level::AbsentOnReRead)));
}

#[test]
fn pseudonymisation_is_never_called_erasure() {
    let rows = item("users", 2, ItemOutcome::Verified(absence(Method::Pseudonymise, 2, Some(search()))));
    let certificate = built(input(vec![rows]));
    assert_eq!((certificate.outcome(), certificate.level()), (CertificateOutcome::Partial, Some(Level::Acknowledged)));
    let facts = &certificate.document().items[0];
    assert_eq!(facts.outcome, ItemWord::Pseudonymised);
    assert!(facts.statement.starts_with("2 records were pseudonymised, which is not erasure"));
    assert!(!facts.statement.contains("found none"));
}

#[test]
fn a_request_of_which_everything_is_kept_is_refused_with_grounds() {
    let mut ledger = item("ledger", 2, ItemOutcome::Retained);
    ledger.retained = vec![Retained { count: 2, ground: Ground::Hold, reference: Some("M-2026-7".into()), review_on: None }];
    let certificate = built(input(vec![ledger, item("likes", 0, ItemOutcome::NothingFound(looked()))]));
    assert_eq!((certificate.outcome(), certificate.level()), (CertificateOutcome::Refused, None));
    assert!(certificate.text().contains("\"ref\": \"M-2026-7\""));
}

#[test]
fn v_3_nothing_held_is_said_only_by_a_reader_that_was_shown_to_see() {
    let certificate = built(input(vec![item("users", 0, ItemOutcome::NothingFound(looked()))]));
    assert_eq!((certificate.outcome().word(), certificate.level()), (OutcomeWord::Complete, None));
    assert!(certificate.document().statement.starts_with("Nothing is held: "));
    let sentence = &certificate.document().items[0].statement;
    assert!(sentence.contains("The reader was shown to see: it saw records of others there."), "{sentence}");
    let items = serde_json::to_string(&certificate.document().items).unwrap();
    assert!(!items.contains("98765"), "how many records others have is nobody's business");
}

#[test]
fn s_1_nothing_in_a_certificate_names_the_person_and_references_that_could_are_left_out() {
    let mut ledger = item("ledger", 2, ItemOutcome::Retained);
    let reference = |text: &str| Retained { reference: Some(text.into()), review_on: Some("soon".into()), ..kept(1) };
    ledger.retained = vec![reference(EMAIL), reference("line\nbreak")];
    let (certificate, opening) = Certificate::build(input(vec![erased("users", 1), ledger])).unwrap();
    let page = crate::certify::page::render(certificate.document(), certificate.digest());
    for text in [certificate.text(), &page, &format!("{certificate:?} {opening:?}")] {
        assert!(!text.contains("ada.lovelace") && !text.contains("424242"), "{text}");
    }
    let silent = |facts: &RetainedFacts| facts.reference.is_none() && facts.review_on.is_none();
    assert!(certificate.document().items[1].retained.iter().all(silent));
}

#[test]
fn the_opening_shows_whose_certificate_it_is_and_only_that_one() {
    let (certificate, opening) = Certificate::build(input(vec![erased("users", 1)])).unwrap();
    let (other, _) = Certificate::build(input(vec![erased("users", 1)])).unwrap();
    assert_eq!(certificate.document().subject_ref, opening.subject_ref);
    assert_ne!(other.document().subject_ref, opening.subject_ref, "two certificates of one person cannot be linked");
    assert!(opening.opens_to(&subject()));
    assert!(!opening.opens_to(&Subject::new([Identifier::new("email", EMAIL)]).unwrap()));
    let folder = tempfile::tempdir().unwrap();
    opening.write(folder.path()).unwrap();
    let text = std::fs::read_to_string(folder.path().join(OPENING_FILE)).unwrap();
    assert_eq!(serde_json::from_str::<SubjectOpening>(&text).unwrap(), opening);
    assert!(!text.contains(EMAIL));
}

fn any_item() -> impl Strategy<Value = CertificateItem> {
    (0u64..4, 0u64..3, 0u64..3, 0usize..10).prop_map(|(found, verified, retained, which)| {
        let methods = [Method::Delete, Method::Mask, Method::Unlink, Method::Pseudonymise];
        let outcome = match which {
            0..4 => ItemOutcome::Verified(absence(methods[which], verified + 1, (found % 2 == 0).then(search))),
            4 => ItemOutcome::Retained,
            5 => ItemOutcome::NothingFound(looked()),
            _ => open_items().swap_remove(which - 6),
        };
        let mut item = item("some", found, outcome);
        item.retained = vec![kept(retained)];
        item
    })
}

proptest! {
    /// Builder and checker were written apart; whatever the items, they agree, and "complete" has no open item in it.
    #[test]
    fn v_1_whatever_the_items_the_checker_agrees_and_complete_has_nothing_open(items in prop::collection::vec(any_item(), 0..4)) {
        let certificate = built(input(items));
        let document = certificate.document();
        let everything_settled = !document.items.is_empty() && document.items.iter().all(|item| item.outcome.is_settled());
        prop_assert_eq!(document.outcome != OutcomeWord::Partial, everything_settled);
    }
}

#[test]
fn v_1_the_checker_refuses_every_claim_that_the_facts_do_not_bear() {
    let honest =
        built(input(vec![erased("users", 2), item("orders", 5, ItemOutcome::Gap { code: Code::fixed("rights_missing") })]));
    let alter = |change: fn(&mut Document)| {
        let mut document = honest.document().clone();
        change(&mut document);
        inconsistencies(&document)
    };
    let changes: [fn(&mut Document); 14] = [
        |document| document.outcome = OutcomeWord::Complete,
        |document| document.level = Some(Level::AbsentOnValueSearch),
        |document| document.level = None,
        |document| document.statement.push('!'),
        |document| document.does_not_state.truncate(3),
        |document| document.form = "other".into(),
        |document| document.items.truncate(1),
        |document| document.items[0].found = 3,
        |document| document.items[0].level = None,
        |document| document.items[0].statement = "All gone.".into(),
        |document| document.items[0].evidence = None,
        |document| document.items[1].outcome = ItemWord::NothingFound,
        |document| document.items[0].evidence.as_mut().unwrap().records_seen = 0,
        |document| document.items[0].evidence.as_mut().unwrap().search.as_mut().unwrap().planted_found = 0,
    ];
    for (number, change) in changes.into_iter().enumerate() {
        assert!(!alter(change).is_empty(), "change {number}");
    }
}
