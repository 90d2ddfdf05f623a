//! The certificate as a page for people: the same facts, the same fixed sentences, the same digest. One file without scripts, images or
//! links to anywhere; its content policy forbids everything but its own style sheet. Prints on paper.

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;

use super::document::{Document, ItemFacts, ItemWord, OpenPlace, OutcomeWord, RetainedFacts};
use super::wording::{awaits_an_outcome, is_held};
use crate::counted::grouped;
use crate::journal::merkle::sha256;
use crate::journal::{Code, Digest};
use crate::plan::Ground;
use crate::request::Kind;
use crate::verify::{Level, Method};

const STYLE: &str = include_str!("certificate.css");

#[derive(Template)]
#[template(path = "certificate.html")]
struct Page<'d> {
    document: &'d Document,
    digest: &'d str,
    style: &'static str,
    style_hash: String,
    title: &'static str,
    levels: Vec<LevelStep>,
    level_name: &'static str,
    items: Vec<ItemRow<'d>>,
    retained: Vec<RetainedRow<'d>>,
    open: Vec<OpenRow<'d>>,
}

struct LevelStep {
    number: u8,
    name: &'static str,
    reached: bool,
}

struct ItemRow<'d> {
    facts: &'d ItemFacts,
    class: &'static str,
    word: &'static str,
    level: String,
}

struct RetainedRow<'d> {
    item: &'d ItemFacts,
    facts: &'d RetainedFacts,
    ground: &'static str,
}

struct OpenRow<'d> {
    what: &'static str,
    facts: &'d OpenPlace,
}

/// The page of a document with this digest.
pub(super) fn render(document: &Document, digest: &Digest) -> String {
    let reached = |level: Level| document.level.is_some_and(|whole| level <= whole);
    let name_of = |level: Level| match level {
        // Of what a hold keeps, or what was not looked at, nobody was instructed to delete anything.
        Level::Instructed if reached(level) && document.level == Some(level) && !awaits_an_outcome(document) => "not confirmed",
        _ => level_name(level),
    };
    let levels = Level::ALL.map(|level| LevelStep { number: level.into(), name: name_of(level), reached: reached(level) });
    let retained = document
        .items
        .iter()
        .flat_map(|item| item.retained.iter().map(move |facts| RetainedRow { item, facts, ground: ground_words(facts.ground) }));
    let gap = |place: &OpenPlace| if is_held(place) { "kept under a legal hold" } else { "not covered" };
    let gaps = document.gaps.iter().map(|facts| OpenRow { what: gap(facts), facts });
    let unsearched = document.unsearched.iter().map(|facts| OpenRow { what: "cannot be searched", facts });
    let page = Page {
        document,
        digest: digest.as_str(),
        style: STYLE,
        style_hash: STANDARD.encode(sha256(STYLE.as_bytes())),
        title: title(document),
        levels: levels.into(),
        level_name: document.level.map_or("nothing was to be erased", name_of),
        items: document.items.iter().map(item_row).collect(),
        retained: retained.collect(),
        open: gaps.chain(unsearched).collect(),
    };
    // Rendering into a string fails only if a value cannot be printed; ours all can.
    page.render().unwrap_or_default()
}

fn title(document: &Document) -> &'static str {
    match (document.outcome, document.level) {
        (OutcomeWord::Complete, Some(_)) => "Certificate of erasure",
        (OutcomeWord::Complete, None) => "Statement that nothing is held",
        (OutcomeWord::Partial, _) => "Statement on an erasure in part",
        (OutcomeWord::Refused, _) => "Statement of retention",
    }
}

fn item_row(facts: &ItemFacts) -> ItemRow<'_> {
    let method = facts.evidence.as_ref().map(|evidence| evidence.method);
    let (class, word) = match (facts.outcome, method) {
        (ItemWord::Verified, Some(Method::Mask)) => ("good", "overwritten"),
        (ItemWord::Verified, Some(Method::Unlink)) => ("good", "unlinked"),
        (ItemWord::Verified, _) => ("good", "erased"),
        (ItemWord::Pseudonymised, _) => ("open", "pseudonymised"),
        (ItemWord::Retained, _) => ("kept", "retained"),
        (ItemWord::NothingFound, _) => ("kept", "nothing held"),
        (ItemWord::Pending, _) => ("open", "pending"),
        (ItemWord::Unknown, _) => ("open", "unknown"),
        (ItemWord::Gap, _) => ("open", "not covered"),
        (ItemWord::Failed, _) => ("bad", "failed"),
    };
    let level = facts.level.map_or_else(|| "–".to_owned(), |level| u8::from(level).to_string());
    ItemRow { facts, class, word, level }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Instructed => "instructed",
        Level::Acknowledged => "acknowledged",
        Level::AbsentOnReRead => "absent on re-read",
        Level::AbsentOnValueSearch => "absent on value search",
    }
}

fn ground_words(ground: Ground) -> &'static str {
    match ground {
        Ground::Hold => "Legal hold",
        Ground::LegalObligation => "Legal obligation, Art. 17(3)(b) GDPR",
        Ground::LegalClaims => "Legal claims, Art. 17(3)(e) GDPR",
        Ground::Policy => "Kept under the controller's data map",
        Ground::Shared => "Belongs to another person as well",
    }
}

fn kind_words(kind: &Kind) -> String {
    kind.as_str().replace('_', " ")
}

/// On which ground the erasure was asked for; a word that is not ours as it is.
fn basis_words(basis: &Code) -> String {
    let meaning = match basis.as_str() {
        "art17_1_a" => "no longer necessary, Art. 17(1)(a) GDPR",
        "art17_1_b" => "consent withdrawn, Art. 17(1)(b) GDPR",
        "art17_1_c" => "objection, Art. 17(1)(c) GDPR",
        "art17_1_d" => "unlawfully processed, Art. 17(1)(d) GDPR",
        "art17_1_e" => "legal obligation to erase, Art. 17(1)(e) GDPR",
        "art17_1_f" => "collected from a child, Art. 17(1)(f) GDPR",
        other => other,
    };
    meaning.to_owned()
}

fn utc(at: &Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()
}
