//! The sentences of a certificate. They are fixed: for the same facts there is exactly one text, and the checker refuses any other, so
//! that nobody can print a stronger claim over weaker evidence. Masking that can be undone is called pseudonymisation, never erasure.

use super::document::{Document, EvidenceFacts, ItemFacts, ItemWord, OpenPlace, OutcomeWord, SightWord};
use crate::counted::{counted, grouped};
use crate::journal::Code;
use crate::verify::{Level, Method};

/// Printed on every certificate, whatever its level.
pub const DOES_NOT_STATE: [&str; 4] = [
    "This certificate does not state that storage media were sanitised (NIST SP 800-88r2).",
    "It does not state that data unknown to the data map does not exist.",
    "It does not state that recipients not listed have erased their copies.",
    "Its signature shows who said this and when; it does not by itself show that the data is gone.",
];

/// The word for a place that a hold keeps as it is.
const HELD: &str = "held";

/// What a level of the whole lets this document say.
fn level_sentence(level: Level, document: &Document) -> String {
    let kept: u64 = document.in_kept_records.iter().fold(0, |sum, place| sum.saturating_add(place.occurrences));
    match level {
        Level::Instructed => open_sentence(document),
        Level::Acknowledged => "Level 1, acknowledged: the store reported it, per item.".to_owned(),
        Level::AbsentOnReRead => {
            "Level 2, absent on re-read: a separate session that had seen the records before found none of them, by key, on the primary."
                .to_owned()
        }
        Level::AbsentOnValueSearch => format!(
            "Level 3, absent on value search: a separate session that had seen the records before found none of them, by key, on the \
             primary; a search of the listed places for the person's identifiers found {}, and it found all planted values.",
            none_but_kept(kept)
        ),
    }
}

/// What a search found outside the records that are kept, and within them (V-2: what is left out of a search is never "none").
fn none_but_kept(kept: u64) -> String {
    match kept {
        0 => "none".to_owned(),
        some => format!("none outside the records that are kept, and {} in those", counted(some, "occurrence", "occurrences")),
    }
}

/// Whether a place stays open because a hold keeps it.
pub(super) fn is_held(place: &OpenPlace) -> bool {
    place.code.as_str() == HELD
}

/// Whether the deletion of something was asked for whose outcome is still awaited.
pub(super) fn awaits_an_outcome(document: &Document) -> bool {
    document.items.iter().any(|item| matches!(item.outcome, ItemWord::Pending | ItemWord::Unknown))
}

/// Level 0: why nothing confirms it, each reason that there is. Of what a hold keeps nothing was requested.
fn open_sentence(document: &Document) -> String {
    let some = |word| document.items.iter().any(|item| item.outcome == word);
    let reasons = [
        (awaits_an_outcome(document), "deletion was requested; for at least one place nothing confirms it yet"),
        (some(ItemWord::Failed), "for at least one place the erasure failed, or the verification contradicted it"),
        (
            some(ItemWord::Gap) || document.gaps.iter().any(|place| !is_held(place)),
            "at least one place was not looked at, and nothing is stated about it",
        ),
        (
            document.gaps.iter().any(is_held),
            "what a legal hold keeps was left as it is: its deletion was not requested, and the request stays open for it",
        ),
        (document.items.is_empty(), "no place was looked at"),
        (!document.residue.is_empty(), "the person's identifiers were found again"),
    ];
    let said: Vec<&str> = reasons.into_iter().filter(|(applies, _)| *applies).map(|(_, reason)| reason).collect();
    let name = if awaits_an_outcome(document) { "instructed" } else { "not confirmed" };
    format!("Level 0, {name}: {}.", said.join("; "))
}

/// The sentences for the whole.
pub fn statement(document: &Document) -> String {
    let (outcome, level, items) = (document.outcome, document.level, &document.items);
    let nothing_held = !items.is_empty() && items.iter().all(|item| item.outcome == ItemWord::NothingFound);
    let opening = match outcome {
        OutcomeWord::Complete if nothing_held => {
            "Nothing is held: in every place listed a search for the person's identifiers found no record, by a reader that was shown to \
             see there."
        }
        OutcomeWord::Complete => {
            "Complete: every record that was found about the person in the places listed is verified as erased, or is retained on a \
             ground listed."
        }
        OutcomeWord::Partial if document.gaps.iter().any(is_held) => {
            "Partial: what is listed as retained under a legal hold, pending, unknown, failed, not covered, pseudonymised or residue is \
             not stated to be erased."
        }
        OutcomeWord::Partial => {
            "Partial: what is listed as pending, unknown, failed, not covered, pseudonymised or residue is not stated to be erased."
        }
        OutcomeWord::Refused => "Refused: nothing was erased. Every record that was found is retained on a ground listed.",
    };
    let mut text = opening.to_owned();
    if let Some(level) = level {
        text.push_str(" The level of the whole is that of its weakest item. ");
        text.push_str(&level_sentence(level, document));
    }
    text
}

/// The sentences for one item.
pub fn item_statement(item: &ItemFacts) -> String {
    let code = item.code.as_ref().map_or("no_reason", Code::as_str);
    let mut text = match item.outcome {
        ItemWord::Verified | ItemWord::Pseudonymised => item.evidence.as_ref().map(absence_sentence).unwrap_or_default(),
        ItemWord::Retained => String::new(),
        ItemWord::NothingFound => nothing_found_sentence(item),
        ItemWord::Pending => format!("Deletion was requested; no confirmation has been received yet ({code})."),
        ItemWord::Unknown => format!("It is not known whether the erasure took effect ({code})."),
        ItemWord::Gap => format!("This place was not looked at ({code}). Nothing is stated about it."),
        ItemWord::Failed => format!("The erasure failed, or the verification contradicted it ({code})."),
    };
    let kept: u64 = item.retained.iter().map(|retained| retained.count).sum();
    if kept > 0 {
        let space = if text.is_empty() { "" } else { " " };
        text.push_str(&format!("{space}{} kept on the grounds listed.", counted(kept, "record is", "records are")));
    }
    text
}

fn absence_sentence(evidence: &EvidenceFacts) -> String {
    let EvidenceFacts { method, records_seen, read_at, .. } = evidence;
    let (these, none_of_them, them) = match records_seen {
        1 => ("this record".to_owned(), "it no longer", "it"),
        count => (format!("these {}", counted(*count, "record", "records")), "none of them", "them"),
    };
    let seen = format!("At {read_at} a separate session that had seen {these} before the erasure found");
    let mut text = match method {
        Method::Delete => format!("{seen} {none_of_them}, by key, on the primary."),
        Method::Mask => {
            format!("{seen} none of the overwritten values in {them}, by key, on the primary. Other fields of the records remain.")
        }
        Method::Unlink => {
            format!(
                "{seen} {none_of_them} tied to the person, by key, on the primary. The rows themselves remain as those of others."
            )
        }
        Method::Pseudonymise => {
            let were = counted(*records_seen, "record was", "records were");
            return format!(
                "{were} pseudonymised, which is not erasure: values were replaced by others that a key or a guess can tie to the person. \
                 What is left is personal data."
            );
        }
    };
    if let Some(search) = &evidence.search {
        text.push_str(&format!(
            " A search for {} of the person in {} of this source found {}; it found {} of {}.",
            counted(search.identifiers, "identifier", "identifiers"),
            counted(search.places, "place", "places"),
            none_but_kept(search.in_kept_records),
            grouped(search.planted_found),
            counted(search.planted, "planted value", "planted values"),
        ));
        if search.unsearchable > 0 {
            text.push_str(&format!(" {} could not be searched.", counted(search.unsearchable, "place", "places")));
        }
    }
    text
}

fn nothing_found_sentence(item: &ItemFacts) -> String {
    let Some(looked) = &item.looked else { return String::new() };
    let sight = match looked.sight {
        SightWord::OtherRecords => "it saw records of others there",
        SightWord::Planted => "it found all values that were planted there",
        SightWord::Unfiltered => "the place is empty and nothing in it hides rows from the reader",
    };
    let identifiers = counted(looked.identifiers, "identifier", "identifiers");
    format!(
        "At {} a search for {identifiers} of the person found no record here. The reader was shown to see: {sight}.",
        looked.looked_at
    )
}
