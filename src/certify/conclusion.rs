//! V-1 as a type: [`Complete`] can be made only here, from items of which every one is verified absent by evidence, retained on a
//! ground, or shown to hold nothing, with no gap and no residue beside them. Everything weaker is another word.

use super::document::OutcomeWord;
use super::input::{CertificateInput, CertificateItem};
use crate::verify::{ItemOutcome, Level, Method};

/// Permission to say "complete".
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Complete {
    _only_made_here: (),
}

/// What a certificate says of the whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateOutcome {
    /// Every item is settled.
    Complete(Complete),
    /// Something is open.
    Partial,
    /// Everything that was found is kept.
    Refused,
}

impl CertificateOutcome {
    /// The word in the document.
    pub fn word(self) -> OutcomeWord {
        match self {
            CertificateOutcome::Complete(Complete { .. }) => OutcomeWord::Complete,
            CertificateOutcome::Partial => OutcomeWord::Partial,
            CertificateOutcome::Refused => OutcomeWord::Refused,
        }
    }
}

/// What follows from the items and from what lies beside them.
pub(super) fn conclude(input: &CertificateInput) -> CertificateOutcome {
    let Some(complete) = Complete::of(input) else { return CertificateOutcome::Partial };
    let erased = input.items.iter().any(|item| matches!(item.outcome, ItemOutcome::Verified(_)));
    let kept = input.items.iter().any(|item| matches!(item.outcome, ItemOutcome::Retained));
    if kept && !erased { CertificateOutcome::Refused } else { CertificateOutcome::Complete(complete) }
}

impl Complete {
    /// A certificate without any item says nothing, and nothing is not complete (V-2).
    fn of(input: &CertificateInput) -> Option<Complete> {
        let settled = !input.items.is_empty() && input.items.iter().all(is_settled);
        (settled && input.gaps.is_empty() && input.residue.is_empty()).then_some(Complete { _only_made_here: () })
    }
}

fn is_settled(item: &CertificateItem) -> bool {
    let kept: u64 = item.retained.iter().map(|retained| retained.count).sum();
    match &item.outcome {
        ItemOutcome::Verified(absence) => absence.method() != Method::Pseudonymise && absence.records() + kept == item.found,
        ItemOutcome::Retained => kept > 0 && kept == item.found,
        ItemOutcome::NothingFound(_) => item.found == 0 && kept == 0,
        ItemOutcome::Pending { .. } | ItemOutcome::Unknown { .. } | ItemOutcome::Gap { .. } | ItemOutcome::Failed { .. } => false,
    }
}

/// The minimum over the items of which something was to be erased. What is open counts as 0; residue is what level 3 says there is none
/// of, so that with residue the level ends at 2.
pub(super) fn level_of_the_whole(input: &CertificateInput) -> Option<Level> {
    if input.items.is_empty() || !input.gaps.is_empty() {
        return Some(Level::Instructed);
    }
    let lowest = input.items.iter().filter_map(level_of).min();
    if input.residue.is_empty() { lowest } else { Some(lowest.map_or(Level::Instructed, |level| level.min(Level::AbsentOnReRead))) }
}

/// The level of one item; `None` where there was nothing to erase.
pub(super) fn level_of(item: &CertificateItem) -> Option<Level> {
    match &item.outcome {
        ItemOutcome::Verified(absence) => Some(absence.level()),
        ItemOutcome::Retained | ItemOutcome::NothingFound(_) => None,
        ItemOutcome::Pending { .. } | ItemOutcome::Unknown { .. } | ItemOutcome::Gap { .. } | ItemOutcome::Failed { .. } => {
            Some(Level::Instructed)
        }
    }
}
