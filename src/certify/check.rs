//! Whether a document is consistent in itself: its outcome, its levels and its sentences must be those that its own facts bear. Written
//! apart from what builds certificates, so that a mistake there is caught here. Needs neither ledger nor network.

use std::fmt;

use serde::Serialize;

use super::document::{Document, EvidenceFacts, FORM, ItemFacts, ItemWord, OutcomeWord};
use super::wording::{DOES_NOT_STATE, item_statement, statement};
use crate::verify::{Level, Method};

/// A part of the document that its facts do not bear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Inconsistency {
    /// It is of another form than this program knows.
    Form,
    /// The outcome is not the one that follows from the items (V-1).
    Outcome {
        /// What follows.
        expected: OutcomeWord,
    },
    /// The level is not the minimum over the items.
    Level {
        /// What follows.
        expected: Option<Level>,
    },
    /// The statement is not the fixed text.
    Statement,
    /// The list of what it does not state is not the fixed one.
    DoesNotState,
    /// An item is not borne by its evidence.
    Item {
        /// Its place among the items, from 0.
        index: usize,
        /// What is wrong.
        problem: &'static str,
    },
}

impl fmt::Display for Inconsistency {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Inconsistency::Form => write!(formatter, "the document is not a {FORM}"),
            Inconsistency::Outcome { expected } => {
                write!(formatter, "its items bear no other outcome than `{}`", expected.as_str())
            }
            Inconsistency::Level { expected: Some(level) } => write!(formatter, "its items bear level {}", u8::from(*level)),
            Inconsistency::Level { expected: None } => formatter.write_str("it states a level although nothing was to be erased"),
            Inconsistency::Statement => formatter.write_str("its statement is not the fixed wording for its outcome and level"),
            Inconsistency::DoesNotState => formatter.write_str("the list of what it does not state is not the fixed one"),
            Inconsistency::Item { index, problem } => write!(formatter, "item {}: {problem}", index + 1),
        }
    }
}

/// Everything in the document that its own facts do not bear.
pub fn inconsistencies(document: &Document) -> Vec<Inconsistency> {
    let mut found = Vec::new();
    if document.form != FORM {
        found.push(Inconsistency::Form);
    }
    for (index, item) in document.items.iter().enumerate() {
        let problem = problem_of(item).or_else(|| other_count_in_kept_records(document, item));
        found.extend(problem.map(|problem| Inconsistency::Item { index, problem }));
    }
    let expected = expected_outcome(document);
    if document.outcome != expected {
        found.push(Inconsistency::Outcome { expected });
    }
    let expected = expected_level(document);
    if document.level != expected {
        found.push(Inconsistency::Level { expected });
    }
    if document.statement != statement(document) {
        found.push(Inconsistency::Statement);
    }
    if document.does_not_state != DOES_NOT_STATE {
        found.push(Inconsistency::DoesNotState);
    }
    found
}

fn expected_outcome(document: &Document) -> OutcomeWord {
    let open = document.items.is_empty() || !document.gaps.is_empty() || !document.residue.is_empty();
    if open || document.items.iter().any(|item| !item.outcome.is_settled()) {
        return OutcomeWord::Partial;
    }
    let some = |word| document.items.iter().any(|item| item.outcome == word);
    if some(ItemWord::Retained) && !some(ItemWord::Verified) { OutcomeWord::Refused } else { OutcomeWord::Complete }
}

fn expected_level(document: &Document) -> Option<Level> {
    if document.items.is_empty() || !document.gaps.is_empty() {
        return Some(Level::Instructed);
    }
    let lowest = document.items.iter().filter_map(expected_item_level).min();
    match (document.residue.is_empty(), lowest) {
        (true, lowest) => lowest,
        (false, Some(Level::AbsentOnValueSearch)) => Some(Level::AbsentOnReRead),
        (false, Some(lower)) => Some(lower),
        (false, None) => Some(Level::Instructed),
    }
}

fn expected_item_level(item: &ItemFacts) -> Option<Level> {
    match item.outcome {
        ItemWord::Retained | ItemWord::NothingFound => None,
        ItemWord::Pending | ItemWord::Unknown | ItemWord::Gap | ItemWord::Failed => Some(Level::Instructed),
        ItemWord::Pseudonymised => Some(Level::Acknowledged),
        ItemWord::Verified => {
            let searched = item.evidence.as_ref().is_some_and(|evidence| evidence.search.is_some());
            Some(if searched { Level::AbsentOnValueSearch } else { Level::AbsentOnReRead })
        }
    }
}

/// What the search found in kept records is told place by place: one list for all items of a source.
fn other_count_in_kept_records(document: &Document, item: &ItemFacts) -> Option<&'static str> {
    let search = item.evidence.as_ref()?.search.as_ref()?;
    let mut listed = document.in_kept_records.iter().filter(|place| place.source == item.source);
    let listed = listed.try_fold(0_u64, |sum, place| sum.checked_add(place.occurrences));
    (listed != Some(search.in_kept_records)).then_some("what its search found in kept records is not what is listed")
}

fn problem_of(item: &ItemFacts) -> Option<&'static str> {
    let kept = item.retained.iter().try_fold(0u64, |sum, retained| sum.checked_add(retained.count));
    let Some(kept) = kept else { return Some("its counts are impossible") };
    let absent = item.evidence.as_ref().map_or(0, |evidence| evidence.records_absent);
    let is_open = !item.outcome.is_settled() && item.outcome != ItemWord::Pseudonymised;
    let is_looked_at = matches!(item.outcome, ItemWord::Verified | ItemWord::Pseudonymised);
    if is_open != item.code.is_some() {
        return Some("an open item has a reason, and only an open one");
    }
    if is_looked_at != item.evidence.is_some() || (item.outcome == ItemWord::NothingFound) != item.looked.is_some() {
        return Some("it has not the evidence that its outcome needs, or has other evidence");
    }
    if !is_open && absent.checked_add(kept) != Some(item.found) {
        return Some("the records found are not those verified and retained");
    }
    if item.retained.iter().any(|retained| retained.count == 0) || (item.outcome == ItemWord::Retained && kept == 0) {
        return Some("it retains no record");
    }
    if let Some(problem) = item.evidence.as_ref().and_then(|evidence| problem_of_evidence(evidence, item.outcome)) {
        return Some(problem);
    }
    if item.looked.as_ref().is_some_and(|looked| looked.identifiers == 0) {
        return Some("nothing was looked for");
    }
    if item.level != expected_item_level(item) {
        return Some("its evidence bears another level");
    }
    (item.statement != item_statement(item)).then_some("its statement is not the fixed wording")
}

fn problem_of_evidence(evidence: &EvidenceFacts, outcome: ItemWord) -> Option<&'static str> {
    if evidence.records_seen == 0 || evidence.records_seen != evidence.records_absent {
        return Some("there is no positive control over all its records");
    }
    if evidence.read_at < evidence.seen_at {
        return Some("the records were read back before they had been seen");
    }
    if (evidence.method == Method::Pseudonymise) != (outcome == ItemWord::Pseudonymised) {
        return Some("pseudonymisation is not erasure");
    }
    let search = evidence.search.as_ref()?;
    search.check().is_err().then_some("its search shows no absence")
}
