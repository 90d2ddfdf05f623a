//! From map and configuration to activities. Collections of one purpose and role are one activity, wherever they lie; a Fideslang declaration
//! of the same name, or the only one that refers to a collection's dataset, is that activity too.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{Activity, ControllerPart, Duty, HeldElsewhere, Labelled, RecipientPart, Register, TransferPart, gaps, words};
use crate::config::Config;
use crate::crypto::hex;
use crate::datamap::{
    Collection, DataMap, Dataset, Declaration, Field, Place, Role, System, Until, legal_bases, legal_basis_words,
};

/// What one activity is made of.
pub(super) struct Part<'m> {
    /// Its purpose, when somebody has written one.
    pub(super) purpose: Option<String>,
    pub(super) role: Role,
    pub(super) on_behalf_of: Vec<String>,
    pub(super) collections: Vec<(&'m Dataset, &'m Collection)>,
    pub(super) declarations: Vec<(&'m System, &'m Declaration)>,
}

impl Part<'_> {
    /// The purpose, else the dataset that nobody has named a purpose for.
    pub(super) fn name(&self) -> String {
        match (&self.purpose, self.collections.first()) {
            (Some(purpose), _) => purpose.clone(),
            (None, Some((dataset, _))) => {
                format!("{} (purpose not recorded)", dataset.name.as_deref().unwrap_or(&dataset.fides_key))
            }
            (None, None) => "purpose not recorded".into(),
        }
    }

    /// Where it stands first.
    pub(super) fn place(&self) -> Place {
        let collection = self.collections.first().map(|(_, collection)| collection.place.clone());
        collection.or_else(|| self.declarations.first().map(|(_, declaration)| declaration.place.clone())).unwrap_or_default()
    }
}

/// Makes the record.
pub fn build(config: &Config, map: &DataMap) -> Register {
    let parts = parts(map);
    let mut gaps = gaps::of_controller(config);
    gaps.extend(parts.iter().flat_map(|part| gaps::of_part(config, map, part)));
    gaps.extend(gaps::of_recipients(config, map));
    let mut activities: Vec<Activity> = parts.iter().map(|part| activity(config, map, part)).collect();
    activities.sort_by(|left, right| left.name.cmp(&right.name));
    let (activities, processing_for_others) = activities.into_iter().partition(|activity| activity.role == Role::Controller);
    let mut register = Register {
        controller: controller(config),
        activities,
        processing_for_others,
        held_elsewhere: held_elsewhere(map),
        gaps,
        data_map_digest: map.digest.clone(),
        digest: String::new(),
    };
    register.digest = digest(&register);
    register
}

/// Over what is recorded and not over where it stands: moving a line is no change of processing.
fn digest(register: &Register) -> String {
    let facts =
        serde_json::json!([register.controller, register.activities, register.processing_for_others, register.held_elsewhere,]);
    format!("sha256:{}", hex(&Sha256::digest(facts.to_string().as_bytes())))
}

fn controller(config: &Config) -> ControllerPart {
    let controller = &config.controller;
    ControllerPart {
        name: controller.name.clone(),
        address: controller.address.clone(),
        contact: controller.contact.clone(),
        country: controller.country.clone(),
        joint_controllers: controller.joint_controllers.clone(),
        representative: controller.representative.clone(),
        data_protection_officer: controller.dpo.clone(),
        supervisory_authority: controller.supervisory_authority.as_ref().map(|authority| authority.name.clone()),
    }
}

fn parts(map: &DataMap) -> Vec<Part<'_>> {
    let mut parts: Vec<Part<'_>> = Vec::new();
    for dataset in &map.datasets {
        for collection in
            dataset.collections.iter().filter(|collection| !collection.skip_processing && collection.held_by.is_none())
        {
            let adopted = only_declaration(map, &dataset.fides_key);
            let purpose = collection.purpose.clone().or_else(|| adopted.map(|(_, declaration)| purpose_of(map, declaration)));
            part_of(&mut parts, purpose.as_deref(), dataset.role, &dataset.on_behalf_of, &dataset.fides_key)
                .collections
                .push((dataset, collection));
        }
    }
    for system in &map.systems {
        for declaration in &system.declarations {
            let purpose = purpose_of(map, declaration);
            part_of(&mut parts, Some(&purpose), system.role, &[], "").declarations.push((system, declaration));
        }
    }
    parts
}

fn part_of<'p, 'm>(
    parts: &'p mut Vec<Part<'m>>,
    purpose: Option<&str>,
    role: Role,
    on_behalf_of: &[String],
    dataset: &str,
) -> &'p mut Part<'m> {
    let is_same = |part: &Part<'_>| {
        let same_purpose = match (&part.purpose, purpose) {
            (Some(known), Some(purpose)) => known.eq_ignore_ascii_case(purpose),
            (None, None) => part.collections.first().is_some_and(|(known, _)| known.fides_key == dataset),
            _ => false,
        };
        same_purpose && part.role == role && (part.on_behalf_of == on_behalf_of || on_behalf_of.is_empty())
    };
    let at = parts.iter().position(is_same).unwrap_or_else(|| {
        parts.push(Part {
            purpose: purpose.map(str::to_owned),
            role,
            on_behalf_of: on_behalf_of.to_vec(),
            collections: Vec::new(),
            declarations: Vec::new(),
        });
        parts.len() - 1
    });
    &mut parts[at]
}

/// The declaration that a dataset without purposes belongs to, when only one refers to it.
fn only_declaration<'m>(map: &'m DataMap, dataset: &str) -> Option<(&'m System, &'m Declaration)> {
    let mut referring = map.systems.iter().flat_map(|system| {
        let refers = move |declaration: &&Declaration| {
            let datasets = if declaration.datasets.is_empty() { &system.datasets } else { &declaration.datasets };
            datasets.iter().any(|key| key == dataset)
        };
        system.declarations.iter().filter(refers).map(move |declaration| (system, declaration))
    });
    let first = referring.next()?;
    referring.next().is_none().then_some(first)
}

fn purpose_of(map: &DataMap, declaration: &Declaration) -> String {
    let of_use = || declaration.data_use.as_deref().map(|key| map.data_uses.name(key).to_owned());
    declaration.name.clone().or_else(of_use).unwrap_or_else(|| "purpose not recorded".into())
}

fn activity(config: &Config, map: &DataMap, part: &Part<'_>) -> Activity {
    let labelled = |key: &str, words: &str| Labelled { key: key.to_owned(), words: words.to_owned() };
    Activity {
        name: part.name(),
        role: part.role,
        on_behalf_of: part.on_behalf_of.clone(),
        purposes: part.purpose.iter().cloned().collect(),
        data_uses: uses(part).iter().map(|key| labelled(key, map.data_uses.name(key))).collect(),
        legal_bases: bases(part).iter().map(|code| labelled(code, legal_basis_words(code).unwrap_or(code))).collect(),
        data_subjects: subjects(part).iter().map(|key| labelled(key, map.data_subjects.name(key))).collect(),
        data_categories: categories(part).iter().map(|key| words::category(map, key)).collect(),
        recipients: recipients(config, part),
        transfers: transfers(config, part),
        retention: retention(part),
        statutory_duties: part.collections.iter().flat_map(|(dataset, collection)| duties(dataset, collection)).collect(),
        security_measures: security(config, part),
        systems: systems(part),
        collections: part.collections.iter().map(|(dataset, collection)| name_of(dataset, collection)).collect(),
    }
}

pub(super) fn name_of(dataset: &Dataset, collection: &Collection) -> String {
    format!("{}.{}", dataset.fides_key, collection.name)
}

fn uses(part: &Part<'_>) -> BTreeSet<String> {
    let of_declarations = part.declarations.iter().filter_map(|(_, declaration)| declaration.data_use.clone());
    let of_collections = part.collections.iter().flat_map(|(dataset, collection)| {
        if collection.record.data_uses.is_empty() { dataset.record.data_uses.clone() } else { collection.record.data_uses.clone() }
    });
    of_declarations.chain(of_collections).collect()
}

pub(super) fn bases(part: &Part<'_>) -> BTreeSet<String> {
    let of_collections =
        part.collections.iter().flat_map(|(_, collection)| legal_bases(collection.legal_basis.as_deref().unwrap_or_default()));
    let of_declarations = part.declarations.iter().flat_map(|(_, declaration)| declaration.legal_bases.iter().map(String::as_str));
    of_collections.chain(of_declarations).map(str::to_owned).collect()
}

pub(super) fn subjects_of(dataset: &Dataset, collection: &Collection) -> Vec<String> {
    if collection.record.data_subjects.is_empty() {
        dataset.record.data_subjects.clone()
    } else {
        collection.record.data_subjects.clone()
    }
}

fn subjects(part: &Part<'_>) -> BTreeSet<String> {
    let of_collections = part.collections.iter().flat_map(|(dataset, collection)| subjects_of(dataset, collection));
    of_collections.chain(part.declarations.iter().flat_map(|(_, declaration)| declaration.data_subjects.clone())).collect()
}

pub(super) fn categories_of(collection: &Collection) -> BTreeSet<String> {
    fn take(fields: &[Field], labels: &mut BTreeSet<String>) {
        for field in fields {
            labels.extend(field.data_categories.iter().cloned());
            take(&field.fields, labels);
        }
    }
    let mut labels: BTreeSet<String> = collection.data_categories.iter().cloned().collect();
    take(&collection.fields, &mut labels);
    // What runs the service is no data about anybody.
    labels.retain(|label| label != "system" && !label.starts_with("system."));
    labels
}

pub(super) fn categories(part: &Part<'_>) -> BTreeSet<String> {
    let of_collections = part.collections.iter().flat_map(|(_, collection)| categories_of(collection));
    of_collections.chain(part.declarations.iter().flat_map(|(_, declaration)| declaration.data_categories.clone())).collect()
}

fn recipient_names(part: &Part<'_>) -> BTreeSet<String> {
    let of_collections = part.collections.iter().flat_map(|(_, collection)| collection.recipients.clone());
    of_collections.chain(part.declarations.iter().filter_map(|(_, declaration)| declaration.third_parties.clone())).collect()
}

fn recipients(config: &Config, part: &Part<'_>) -> Vec<RecipientPart> {
    let described = |name: String| {
        let known = config.controller.recipients.iter().find(|recipient| recipient.name == name);
        RecipientPart {
            who: known.and_then(|recipient| recipient.who.clone()),
            country: known.and_then(|recipient| recipient.country.clone()),
            name,
        }
    };
    recipient_names(part).into_iter().map(described).collect()
}

/// Those that are written down, and those that follow from where the recipients are. Nothing where some recipient's country is not known:
/// then nobody can say that there are no others.
fn transfers(config: &Config, part: &Part<'_>) -> Option<Vec<TransferPart>> {
    let mut stated: BTreeSet<TransferPart> = BTreeSet::new();
    let mut is_stated = !part.collections.is_empty();
    for (dataset, collection) in &part.collections {
        let written = collection.record.transfers.as_ref().or(dataset.record.transfers.as_ref());
        is_stated &= written.is_some();
        stated.extend(written.into_iter().flatten().map(|transfer| TransferPart {
            to: transfer.to.clone(),
            recipient: transfer.recipient.clone(),
            safeguard: transfer.safeguard.clone(),
        }));
    }
    for (system, _) in &part.declarations {
        let safeguard = Some(system.safeguards.join(", ")).filter(|text| !text.is_empty());
        let transfer = |to: String| TransferPart { to, recipient: None, safeguard: safeguard.clone() };
        stated.extend(system.countries.iter().filter(|country| !words::is_in_eea(country)).cloned().map(transfer));
        if system.transfers && system.countries.is_empty() {
            stated.insert(transfer("countries not recorded".into()));
        }
    }
    let names = recipient_names(part);
    let mut all_known = !names.is_empty();
    for name in &names {
        let recipient = config.controller.recipients.iter().find(|recipient| recipient.name == *name);
        match recipient.and_then(|recipient| Some((recipient, recipient.country.as_deref()?))) {
            Some((_, country)) if words::is_in_eea(country) => {}
            Some((recipient, country)) => {
                let safeguard = recipient.safeguard.clone();
                stated.insert(TransferPart { to: country.to_owned(), recipient: Some(name.clone()), safeguard });
            }
            None if name == gaps::NOBODY => {}
            None => all_known = false,
        }
    }
    (is_stated || all_known || !stated.is_empty()).then(|| stated.into_iter().collect())
}

fn retention(part: &Part<'_>) -> Vec<super::RetentionPart> {
    let of_words = |words: &String| super::RetentionPart {
        collection: None,
        delete_after: None,
        counted_from: None,
        class: None,
        words: words.clone(),
    };
    let of_collections = part.collections.iter().filter_map(|(dataset, collection)| {
        let name = name_of(dataset, collection);
        words::retention(&name, collection)
            .or_else(|| dataset.retention.as_ref().map(|text| super::RetentionPart { collection: Some(name), ..of_words(text) }))
    });
    of_collections
        .chain(part.declarations.iter().filter_map(|(_, declaration)| declaration.retention.as_ref().map(of_words)))
        .collect()
}

fn duties(dataset: &Dataset, collection: &Collection) -> Vec<Duty> {
    let duty = |duty: &crate::datamap::RetainWhen| Duty {
        collection: name_of(dataset, collection),
        rows: duty.r#where.to_value(),
        ground: duty.ground.as_str().to_owned(),
        law: duty.law.clone(),
        until: duty.until.as_ref().map(until_words),
    };
    collection.retain_when.iter().map(duty).collect()
}

fn until_words(until: &Until) -> String {
    let mut period = String::from("P");
    for (amount, unit) in [(until.years, 'Y'), (until.months, 'M'), (until.days, 'D')] {
        if amount > 0 {
            period.push_str(&format!("{amount}{unit}"));
        }
    }
    format!("{} after {}", crate::archive::period_in_words(&period), until.column)
}

pub(super) fn security(config: &Config, part: &Part<'_>) -> Vec<String> {
    let mut measures: Vec<String> = config.controller.security_measures.clone();
    for (dataset, collection) in &part.collections {
        measures.extend(dataset.record.security.iter().chain(&collection.record.security).cloned());
    }
    measures.extend(part.declarations.iter().filter_map(|(system, _)| system.security.clone()));
    let mut seen = BTreeSet::new();
    measures.retain(|measure| seen.insert(measure.clone()));
    measures
}

fn systems(part: &Part<'_>) -> Vec<String> {
    let sources = part.collections.iter().flat_map(|(dataset, collection)| stored_in(dataset, collection));
    let declared = part.declarations.iter().map(|(system, _)| system.name.clone().unwrap_or_else(|| system.fides_key.clone()));
    sources.chain(declared).collect::<BTreeSet<String>>().into_iter().collect()
}

/// The database of a collection with the stores of what its rows name; or the store of a set of objects.
fn stored_in(dataset: &Dataset, collection: &Collection) -> Vec<String> {
    if let Some(objects) = &collection.objects {
        return vec![objects.source.clone()];
    }
    let database = dataset.source.clone().unwrap_or_else(|| dataset.fides_key.clone());
    let stores = collection.fields.iter().filter_map(|field| field.object.as_ref()).map(|object| object.source.clone());
    std::iter::once(database).chain(stores).collect()
}

fn held_elsewhere(map: &DataMap) -> Vec<HeldElsewhere> {
    let all = map.datasets.iter().flat_map(|dataset| dataset.collections.iter().map(move |collection| (dataset, collection)));
    all.filter_map(|(dataset, collection)| {
        Some(HeldElsewhere {
            collection: name_of(dataset, collection),
            description: collection.description.clone(),
            held_by: collection.held_by.clone()?,
            note: collection.note.clone(),
        })
    })
    .collect()
}
