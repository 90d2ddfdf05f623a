//! Reads our own keys, which stand under `habeas:` on datasets, collections and fields: what Fideslang does not say (ownership, erasure,
//! statutory retention, sources). Fides ignores them, so one file serves both.

use super::acceptance::Level;
use super::edge_words::EDGE_KEYS;
use super::reader::{Keys, Object, Reader};
use super::tree::Node;
use super::until::Period;
use super::{
    Acceptance, Collection, Field, Names, OnErasure, Predicate, Provided, Record, RetainWhen, Retention, Role, Until, Withhold,
};
use crate::plan::Ground;
use crate::subject::NormalForm;

pub(super) const DATASET: Keys =
    Keys { known: &["source", "role", "on_behalf_of", "transfers", "security", "accept"], elsewhere: &[] };
pub(super) const COLLECTION: Keys = Keys {
    known: &[
        "on_erasure",
        "names",
        "purpose",
        "legal_basis",
        "provided",
        "recipients",
        "retention",
        "transfers",
        "security",
        "retain_when",
        "controlled_by",
        "held_by",
        "note",
        "accept",
        "triggers",
        "objects",
    ],
    elsewhere: &[],
};
pub(super) const FIELD: Keys = Keys {
    known: &["right", "hide", "on_erasure", "edge", "where", "references", "withhold", "normal_form", "unique", "accept", "object"],
    elsewhere: &[],
};
const RETENTION: Keys = Keys { known: &["delete_after", "counted_from", "class"], elsewhere: &[] };
const RETAIN_WHEN: Keys = Keys { known: &["where", "ground", "law", "until"], elsewhere: &[] };

const ROLES: [(&str, Role); 2] = [("controller", Role::Controller), ("processor", Role::Processor)];
/// `undecided` is what `habeas map discover` writes: it decides nothing, and says so.
const ON_ERASURE: [(&str, Option<OnErasure>); 5] = [
    ("delete", Some(OnErasure::Delete)),
    ("mask", Some(OnErasure::Mask)),
    ("unlink", Some(OnErasure::Unlink)),
    ("keep", Some(OnErasure::Keep)),
    ("undecided", None),
];
const NAMES: [(&str, Names); 3] = [("account", Names::Account), ("one_person", Names::OnePerson), ("several", Names::Several)];
const PROVIDED: [(&str, Provided); 4] = [
    ("by_subject", Provided::BySubject),
    ("observed", Provided::Observed),
    ("inferred", Provided::Inferred),
    ("by_other_user", Provided::ByOtherUser),
];
const WITHHOLD: [(&str, Withhold); 3] =
    [("credential", Withhold::Credential), ("third_party", Withhold::ThirdParty), ("trade_secret", Withhold::TradeSecret)];
const NORMAL_FORMS: [(&str, NormalForm); 3] =
    [("exact", NormalForm::Exact), ("ascii_lower", NormalForm::AsciiLower), ("e164", NormalForm::E164)];
/// The grounds that a map may claim: hold, policy and shared are found out, not declared here.
const STATUTORY_GROUNDS: [(&str, Ground); 2] = [("art17_3_b", Ground::LegalObligation), ("art17_3_e", Ground::LegalClaims)];

const NO_OBJECT_STORAGE: &str = "object storage is not supported yet by this version";

/// `habeas:` of a dataset.
#[derive(Default)]
pub(super) struct DatasetExtension {
    pub(super) source: Option<String>,
    pub(super) role: Role,
    pub(super) on_behalf_of: Vec<String>,
    pub(super) record: Record,
    pub(super) accept: Vec<Acceptance>,
}

/// What the `fides_meta` of a field has, whether or not it could be read: one mistake should not be told twice.
#[derive(Clone, Copy, Default)]
pub(super) struct Declares {
    pub(super) identity: bool,
    pub(super) references: bool,
}

impl Reader {
    /// `habeas:` of a dataset.
    pub(super) fn dataset_extension(&mut self, dataset: Object<'_>, what: &str) -> DatasetExtension {
        let called = format!("`habeas` of {what}");
        let habeas = dataset.get("habeas").and_then(|node| self.object(node, &called, &DATASET));
        let record = self.record(dataset, habeas);
        let Some(object) = habeas else { return DatasetExtension { record, ..DatasetExtension::default() } };
        let source = object.get("source").and_then(|_| self.required_text(object, "source"));
        DatasetExtension {
            source,
            role: self.word(object, "role", &ROLES).unwrap_or_default(),
            on_behalf_of: self.texts(object, "on_behalf_of"),
            record,
            accept: self.accept(object, Level::Dataset),
        }
    }

    /// `habeas:` of a collection.
    pub(super) fn collection_extension(&mut self, parent: Object<'_>, what: &str, collection: &mut Collection) {
        let called = format!("`habeas` of {what}");
        let habeas = parent.get("habeas").and_then(|node| self.object(node, &called, &COLLECTION));
        collection.record = self.record(parent, habeas);
        let Some(object) = habeas else { return };
        if object.get("objects").is_some() {
            self.error(object.line_of("objects"), format!("`objects` of {what}: {NO_OBJECT_STORAGE}"), None);
        }
        let on_erasure = self.word(object, "on_erasure", &ON_ERASURE);
        collection.on_erasure = on_erasure.flatten();
        collection.knowingly_undecided = on_erasure == Some(None);
        collection.names = self.word(object, "names", &NAMES);
        collection.purpose = self.text(object, "purpose");
        collection.legal_basis = self.text(object, "legal_basis");
        collection.provided = self.word(object, "provided", &PROVIDED);
        collection.recipients = self.texts(object, "recipients");
        collection.retention = object.get("retention").and_then(|node| self.retention(node));
        collection.retain_when = self.list(object, "retain_when").iter().filter_map(|node| self.retain_when(node)).collect();
        collection.controlled_by = self.text(object, "controlled_by");
        collection.held_by = object.get("held_by").and_then(|_| self.required_text(object, "held_by"));
        collection.note = self.text(object, "note");
        collection.accept = self.accept(object, Level::Collection);
        collection.triggers = self.texts(object, "triggers");
    }

    fn retention(&mut self, node: &Node) -> Option<Retention> {
        let object = self.object(node, "`retention`", &RETENTION)?;
        let delete_after = self.text(object, "delete_after");
        if let Some(Err(problem)) = delete_after.as_deref().map(str::parse::<Period>) {
            self.error(object.line_of("delete_after"), format!("`delete_after`: {problem}"), None);
        }
        Some(Retention { delete_after, counted_from: self.text(object, "counted_from"), class: self.text(object, "class") })
    }

    fn retain_when(&mut self, node: &Node) -> Option<RetainWhen> {
        let what = "an entry of `retain_when`";
        let object = self.object(node, what, &RETAIN_WHEN)?;
        for key in ["where", "ground"].into_iter().filter(|key| object.get(key).is_none()) {
            let hint = match key {
                "where" => "write the rows that the law keeps, or `{all: []}` for every row",
                _ => "write `art17_3_b` (legal obligation) or `art17_3_e` (legal claims)",
            };
            self.error(object.line, format!("{what} has no `{key}`"), Some(hint.into()));
        }
        let r#where = self.predicate(object, "where");
        let ground = self.word(object, "ground", &STATUTORY_GROUNDS);
        let law = self.text(object, "law");
        let until = match object.get("until") {
            None => None,
            Some(_) => Some(self.until(object)?),
        };
        Some(RetainWhen { r#where: r#where?, ground: ground?, law, until })
    }

    fn until(&mut self, object: Object<'_>) -> Option<Until> {
        let text = self.text(object, "until")?;
        match text.parse() {
            Ok(until) => Some(until),
            Err(problem) => {
                self.error(object.line_of("until"), format!("`until`: {problem}"), None);
                None
            }
        }
    }

    pub(super) fn predicate(&mut self, object: Object<'_>, key: &str) -> Option<Predicate> {
        let node = object.get(key)?;
        match Predicate::from_value(&node.to_json()) {
            Ok(predicate) => Some(predicate),
            Err(problem) => {
                self.error(node.line, format!("`{key}`: {problem}"), None);
                None
            }
        }
    }

    /// `habeas:` of a field. Comes after `fides_meta`, because most of its keys say something about the references there.
    pub(super) fn field_extension(&mut self, parent: Object<'_>, what: &str, declares: Declares, field: &mut Field) {
        let called = format!("`habeas` of {what}");
        let Some(object) = parent.get("habeas").and_then(|node| self.object(node, &called, &FIELD)) else { return };
        if object.get("object").is_some() {
            self.error(object.line_of("object"), format!("`object` of {what}: {NO_OBJECT_STORAGE}"), None);
        }
        if declares.references {
            self.edge_words(object, field);
        } else {
            for key in EDGE_KEYS.into_iter().chain(["references"]).filter(|key| object.get(key).is_some()) {
                let hint = (key == "on_erasure").then(|| "what erasure does to whole rows stands on the collection".to_owned());
                self.error(object.line_of(key), format!("`{key}` of {what} belongs to a field with `references`"), hint);
            }
        }
        if !declares.identity && object.get("normal_form").is_some() {
            self.error(object.line_of("normal_form"), format!("`normal_form` of {what} belongs to a field with `identity`"), None);
        }
        field.normal_form = self.word(object, "normal_form", &NORMAL_FORMS).unwrap_or_default();
        field.unique = self.flag(object, "unique");
        field.withhold = self.word(object, "withhold", &WITHHOLD);
        field.accept = self.accept(object, Level::Field);
    }
}
