//! A certificate: made once from evidence, never edited. What it says follows from its items; there is no way to hand in an outcome, a
//! level or a sentence.

use jiff::Timestamp;

use super::conclusion::{CertificateOutcome, conclude, level_of, level_of_the_whole};
use super::document::{
    Document, EvidenceFacts, FORM, InputFacts, IssuerFacts, ItemFacts, ItemWord, LookedFacts, RequestFacts, RetainedFacts,
};
use super::input::{CertificateInput, CertificateItem};
use super::opening::SubjectOpening;
use super::wording::{DOES_NOT_STATE, item_statement, statement};
use crate::crypto::{CryptoError, random_bytes};
use crate::journal::{Actor, Code, Count, Digest, Event, EventKind, Id};
use crate::plan::Retained;
use crate::verify::{ItemOutcome, Level, Method, VerifiedAbsence};

/// Longest law or matter that is printed.
const REFERENCE_CHARACTERS_AT_MOST: usize = 120;

/// A certificate that is ready to be signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    document: Document,
    outcome: CertificateOutcome,
    text: String,
    digest: Digest,
}

impl Certificate {
    /// Concludes from the items what may be said, and says it. The opening belongs into the subject's own copy and nowhere else.
    pub fn build(input: CertificateInput) -> Result<(Certificate, SubjectOpening), CryptoError> {
        let input = input.with_numbers_checked();
        let certificate_id = Id::from(uuid::Builder::from_random_bytes(random_bytes::<16>()?).into_uuid());
        let opening = SubjectOpening::new(certificate_id.clone(), &input.subject)?;
        let outcome = conclude(&input);
        let level = level_of_the_whole(&input);
        let items: Vec<ItemFacts> = input.items.iter().map(item_facts).collect();
        let mut document = Document {
            form: FORM.to_owned(),
            certificate_id,
            issued_at: whole_seconds(input.issued_at),
            supersedes: input.supersedes,
            issuer: IssuerFacts {
                controller: input.controller,
                product: concat!("habeas-data ", env!("CARGO_PKG_VERSION")).to_owned(),
                key: input.key.fingerprint(),
                journal: input.journal.to_string(),
            },
            request: request_facts(input.request),
            subject_ref: opening.subject_ref.clone(),
            inputs: InputFacts { holds_evaluated_at: whole_seconds(input.inputs.holds_evaluated_at), ..input.inputs },
            outcome: outcome.word(),
            level,
            statement: String::new(),
            does_not_state: DOES_NOT_STATE.map(str::to_owned).to_vec(),
            items,
            gaps: input.gaps,
            residue: input.residue,
            in_kept_records: input.in_kept_records,
            unsearched: input.unsearched,
        };
        document.statement = statement(&document);
        // A document of strings and numbers has no way to fail.
        let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
        let digest = Digest::of(text.as_bytes());
        Ok((Certificate { document, outcome, text, digest }, opening))
    }

    /// What it says.
    pub fn document(&self) -> &Document {
        &self.document
    }

    /// The conclusion.
    pub fn outcome(&self) -> CertificateOutcome {
        self.outcome
    }

    /// Level of the whole; `None` where there was nothing to erase.
    pub fn level(&self) -> Option<Level> {
        self.document.level
    }

    /// Its id.
    pub fn id(&self) -> &Id {
        &self.document.certificate_id
    }

    /// The exact text that is signed.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// `sha256:` and hex of the text.
    pub fn digest(&self) -> &Digest {
        &self.digest
    }
}

/// The journal entry that records the issue. It follows from the document alone, so that anybody who holds the document can compute it.
pub fn entry_of(document: &Document, digest: &Digest) -> Event {
    let event = Event::new(EventKind::CertificateIssued, document.issued_at, Actor::system())
        .request_id(document.request.id.clone())
        .certificate_id(document.certificate_id.clone())
        .outcome(Code::fixed(document.outcome.as_str()))
        .digest(digest.clone());
    match document.level {
        Some(level) => event.count(Count::Level, u64::from(u8::from(level))),
        None => event,
    }
}

fn item_facts(item: &CertificateItem) -> ItemFacts {
    let (outcome, code, evidence, looked) = match &item.outcome {
        ItemOutcome::Verified(absence) => {
            let pseudonymised = absence.method() == Method::Pseudonymise;
            let word = if pseudonymised { ItemWord::Pseudonymised } else { ItemWord::Verified };
            (word, None, Some(evidence_facts(absence)), None)
        }
        ItemOutcome::Retained => (ItemWord::Retained, None, None, None),
        ItemOutcome::NothingFound(looked) => {
            let looked_at = whole_seconds(looked.looked_at());
            let facts = LookedFacts { identifiers: looked.identifiers(), sight: looked.sight().into(), looked_at };
            (ItemWord::NothingFound, None, None, Some(facts))
        }
        ItemOutcome::Pending { code } => (ItemWord::Pending, Some(code.clone()), None, None),
        ItemOutcome::Unknown { code } => (ItemWord::Unknown, Some(code.clone()), None, None),
        ItemOutcome::Gap { code } => (ItemWord::Gap, Some(code.clone()), None, None),
        ItemOutcome::Failed { code } => (ItemWord::Failed, Some(code.clone()), None, None),
    };
    let mut facts = ItemFacts {
        source: item.source.clone(),
        dataset: item.dataset.clone(),
        collection: item.collection.clone(),
        kind: item.kind.clone(),
        found: item.found,
        rows: item.rows,
        outcome,
        level: level_of(item),
        statement: String::new(),
        code,
        retained: item.retained.iter().map(retained_facts).collect(),
        evidence,
        looked,
    };
    facts.statement = item_statement(&facts);
    facts
}

fn evidence_facts(absence: &VerifiedAbsence) -> EvidenceFacts {
    let mut search = absence.search().cloned();
    if let Some(search) = &mut search {
        search.searched_at = whole_seconds(search.searched_at);
    }
    EvidenceFacts {
        method: absence.method(),
        records_seen: absence.control().records_seen(),
        seen_at: whole_seconds(absence.control().seen_at()),
        records_absent: absence.records(),
        read_at: whole_seconds(absence.read_at()),
        search,
    }
}

fn retained_facts(retained: &Retained) -> RetainedFacts {
    RetainedFacts {
        count: retained.count,
        ground: retained.ground,
        reference: retained.reference.as_deref().and_then(printable_reference),
        review_on: retained.review_on.as_deref().filter(|date| date.parse::<jiff::civil::Date>().is_ok()).map(str::to_owned),
    }
}

/// A law or a matter as it may stand in a certificate. What could be an address, or is no plain line, is left out rather than printed.
fn printable_reference(reference: &str) -> Option<String> {
    let plain = |character: char| character.is_alphanumeric() || " §.,:;()/_&#+-".contains(character);
    let fits = reference.chars().count() <= REFERENCE_CHARACTERS_AT_MOST && !reference.trim().is_empty();
    (fits && reference.chars().all(plain)).then(|| reference.to_owned())
}

fn request_facts(request: RequestFacts) -> RequestFacts {
    RequestFacts {
        received_at: whole_seconds(request.received_at),
        due_at: request.due_at.map(whole_seconds),
        completed_at: whole_seconds(request.completed_at),
        ..request
    }
}

/// Certificates speak in whole seconds.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}
