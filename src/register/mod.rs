//! The record of processing activities that Art. 30 GDPR asks for, made from the data map and the configuration. Pure. What neither says is
//! a [`Gap`] with the place where to write it: nothing is filled in and nothing is hidden (V-2).
//!
//! `build` (activities) ─> `gaps` (what is missing) ─> `markdown`, `csv`, or JSON as it is

mod build;
mod csv;
mod gaps;
mod markdown;
mod words;

pub use build::build;

use serde::Serialize;

use crate::datamap::{Place, Role};

/// The whole record.
#[derive(Debug, Clone, Serialize)]
pub struct Register {
    /// Who answers for it (Art. 30(1)(a)).
    pub controller: ControllerPart,
    /// What the company does as controller (Art. 30(1)), by name.
    pub activities: Vec<Activity>,
    /// What it does on behalf of others (Art. 30(2)), by name.
    pub processing_for_others: Vec<Activity>,
    /// Data that the company cannot reach.
    pub held_elsewhere: Vec<HeldElsewhere>,
    /// What Art. 30 asks for and nobody has written down.
    pub gaps: Vec<Gap>,
    /// `sha256:` of the data map's files.
    pub data_map_digest: String,
    /// `sha256:` over everything above: it changes when what is recorded changes.
    pub digest: String,
}

/// The controller as the configuration names it.
#[derive(Debug, Clone, Serialize)]
pub struct ControllerPart {
    /// Name.
    pub name: String,
    /// Postal address.
    pub address: Option<String>,
    /// How data subjects reach it.
    pub contact: Option<String>,
    /// Country.
    pub country: Option<String>,
    /// Controllers that decide with it.
    pub joint_controllers: Vec<String>,
    /// Representative in the Union (Art. 27).
    pub representative: Option<String>,
    /// Data protection officer.
    pub data_protection_officer: Option<String>,
    /// Supervisory authority.
    pub supervisory_authority: Option<String>,
}

/// A word of a vocabulary with its meaning for people.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Labelled {
    /// The word of the map.
    pub key: String,
    /// In words.
    pub words: String,
}

/// A category of data.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Category {
    /// Fideslang label.
    pub key: String,
    /// In words.
    pub words: String,
    /// `art9` for special categories, `art10` for criminal convictions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub special: Option<&'static str>,
}

/// Somebody to whom data is disclosed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RecipientPart {
    /// As the map names them.
    pub name: String,
    /// Who that is.
    pub who: Option<String>,
    /// Where.
    pub country: Option<String>,
}

/// A transfer outside the EEA.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TransferPart {
    /// Country or organisation.
    pub to: String,
    /// To whom.
    pub recipient: Option<String>,
    /// What protects it.
    pub safeguard: Option<String>,
}

/// How long one collection is kept.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RetentionPart {
    /// `dataset.collection`; nothing for what a Fideslang object says of all its data.
    pub collection: Option<String>,
    /// The period as the map has it.
    pub delete_after: Option<String>,
    /// What it counts from.
    pub counted_from: Option<String>,
    /// Deletion class.
    pub class: Option<String>,
    /// In words.
    pub words: String,
}

/// A statutory duty to keep some rows.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Duty {
    /// `dataset.collection`.
    pub collection: String,
    /// Which rows.
    pub rows: serde_json::Value,
    /// The ground (Art. 17(3)).
    pub ground: String,
    /// The law.
    pub law: Option<String>,
    /// When it ends.
    pub until: Option<String>,
}

/// A processing activity: what is done for one purpose in one role.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    /// Its purpose, or what stands in for it.
    pub name: String,
    /// Controller or processor.
    pub role: Role,
    /// For whom, as processor.
    pub on_behalf_of: Vec<String>,
    /// Why.
    pub purposes: Vec<String>,
    /// Fideslang uses.
    pub data_uses: Vec<Labelled>,
    /// On which ground.
    pub legal_bases: Vec<Labelled>,
    /// Whose data.
    pub data_subjects: Vec<Labelled>,
    /// Which data.
    pub data_categories: Vec<Category>,
    /// To whom it is disclosed.
    pub recipients: Vec<RecipientPart>,
    /// Transfers outside the EEA; `null` where nobody has said whether there are any.
    pub transfers: Option<Vec<TransferPart>>,
    /// How long.
    pub retention: Vec<RetentionPart>,
    /// What the law keeps longer.
    pub statutory_duties: Vec<Duty>,
    /// How it is protected.
    pub security_measures: Vec<String>,
    /// In which systems.
    pub systems: Vec<String>,
    /// In which collections.
    pub collections: Vec<String>,
}

/// Data that the company documents and cannot reach.
#[derive(Debug, Clone, Serialize)]
pub struct HeldElsewhere {
    /// `dataset.collection`.
    pub collection: String,
    /// What it is.
    pub description: Option<String>,
    /// Who has it.
    pub held_by: String,
    /// How to get at it.
    pub note: Option<String>,
}

/// Something that Art. 30 asks for and that stands nowhere.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// What it is about: `controller`, an activity, a collection.
    pub about: String,
    /// The provision that asks for it.
    pub article: &'static str,
    /// What is missing.
    pub missing: String,
    /// Where to write it.
    pub place: Place,
    /// What to write.
    pub write: String,
}

impl Register {
    /// As Markdown.
    pub fn to_markdown(&self) -> String {
        markdown::render(self)
    }

    /// As CSV for spreadsheets (RFC 4180): one line for each activity, place held elsewhere and gap.
    pub fn to_csv(&self) -> Vec<u8> {
        csv::render(self)
    }
}
