//! What Art. 30 asks for and neither map nor configuration says, each with the place where to write it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use super::Gap;
use super::build::{Part, bases, categories, categories_of, name_of, security, subjects_of};
use super::words;
use crate::config::Config;
use crate::datamap::{Collection, DataMap, Dataset, Place, Role, is_basis_for_special_categories, legal_basis_words, yaml_name};

/// Written as the only recipient: it is disclosed to nobody.
pub(super) const NOBODY: &str = "nobody";

/// Gaps in what the configuration says of the controller.
pub(super) fn of_controller(config: &Config) -> Vec<Gap> {
    let controller = &config.controller;
    let gap = |missing: &str, article: &'static str, write: &str| Gap {
        about: "controller".into(),
        article,
        missing: missing.into(),
        place: in_config(config, controller.line),
        write: write.into(),
    };
    let mut gaps = Vec::new();
    if controller.address.is_none() && controller.contact.is_none() {
        gaps.push(gap("contact details of the controller", "Art. 30(1)(a)", "contact: privacy@acme.example"));
    }
    if controller.dpo.is_none() {
        gaps.push(gap(
            "the data protection officer, or that none has to be appointed",
            "Art. 30(1)(a)",
            "dpo: dpo@acme.example   # or `dpo: none, because ..`",
        ));
    }
    match &controller.country {
        None => gaps.push(gap("the country of the controller", "Art. 27", "country: AT")),
        Some(country) if !words::is_in_eea(country) && controller.representative.is_none() => {
            gaps.push(gap(
                "the representative in the Union of a controller outside it",
                "Art. 30(1)(a)",
                "representative: Acme EU Ltd, Dublin   # or `representative: none, because ..`",
            ));
        }
        Some(_) => {}
    }
    gaps
}

fn in_config(config: &Config, line: u64) -> Place {
    Place { file: Arc::new(PathBuf::from(&config.file)), line: u32::try_from(line).unwrap_or(0) }
}

/// Gaps in one activity.
pub(super) fn of_part(config: &Config, map: &DataMap, part: &Part<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    for (dataset, collection) in &part.collections {
        gaps.extend(of_collection(part, dataset, collection));
    }
    let mut gap = |article: &'static str, missing: &str, write: &str| {
        gaps.push(Gap { about: part.name(), article, missing: missing.into(), place: part.place(), write: write.into() });
    };
    let special: Vec<String> = categories(part)
        .iter()
        .map(|key| words::category(map, key))
        .filter(|category| category.special == Some("art9"))
        .map(|category| category.words)
        .collect();
    if !special.is_empty() && !bases(part).iter().any(|code| is_basis_for_special_categories(code)) {
        let missing = format!("the ground of Art. 9(2) for special categories ({})", special.join(", "));
        gap("Art. 9(2)", &missing, "habeas: {legal_basis: \"art6_1_a, art9_2_a\"}");
    }
    for code in bases(part).iter().filter(|code| legal_basis_words(code).is_none()) {
        gap("Art. 6(1)", &format!("which basis `{code}` is: it is no code of Art. 6 or 9"), "habeas: {legal_basis: art6_1_b}");
    }
    if part.role == Role::Processor && part.on_behalf_of.is_empty() {
        gap(
            "Art. 30(2)(a)",
            "the controllers on whose behalf this is done",
            "habeas: {role: processor, on_behalf_of: [Acme Ltd]}   # on the dataset",
        );
    }
    if security(config, part).is_empty() {
        gap(
            "Art. 30(1)(g)",
            "a description of the security measures",
            "security_measures: [..]   # under `controller:`; or habeas: {security: [..]}",
        );
    }
    if part.collections.is_empty() {
        let declared = |present: bool, article, missing, write| (!present).then_some((article, missing, write));
        let wanted = [
            declared(!categories(part).is_empty(), "Art. 30(1)(c)", "the categories of data", "data_categories: [user.contact]"),
            declared(
                part.declarations.iter().any(|(_, declaration)| !declaration.data_subjects.is_empty()),
                "Art. 30(1)(c)",
                "the categories of data subjects",
                "data_subjects: [customer]",
            ),
            declared(!bases(part).is_empty(), "Art. 6(1)", "the legal basis", "legal_basis_for_processing: Contract"),
            declared(
                part.declarations.iter().any(|(_, declaration)| declaration.retention.is_some()),
                "Art. 30(1)(f)",
                "the time limits for erasure",
                "retention_period: 1 year after the end of the contract",
            ),
        ];
        wanted.into_iter().flatten().for_each(|(article, missing, write)| gap(article, missing, write));
    }
    gaps
}

fn of_collection(part: &Part<'_>, dataset: &Dataset, collection: &Collection) -> Vec<Gap> {
    let declared = |is: fn(&crate::datamap::Declaration) -> bool| part.declarations.iter().any(|(_, declaration)| is(declaration));
    let gap = |article: &'static str, missing: &str, write: &str| Gap {
        about: name_of(dataset, collection),
        article,
        missing: missing.into(),
        place: collection.place.clone(),
        write: write.into(),
    };
    let mut gaps = Vec::new();
    if part.purpose.is_none() {
        gaps.push(gap("Art. 30(1)(b)", "the purpose", "habeas: {purpose: billing}"));
    }
    if collection.legal_basis.is_none() && !declared(|declaration| !declaration.legal_bases.is_empty()) {
        gaps.push(gap("Art. 6(1)", "the legal basis", "habeas: {legal_basis: art6_1_b}"));
    }
    if subjects_of(dataset, collection).is_empty() && !declared(|declaration| !declaration.data_subjects.is_empty()) {
        gaps.push(gap("Art. 30(1)(c)", "the categories of data subjects", "data_subjects: [customer]   # or on the dataset"));
    }
    if categories_of(collection).is_empty() && !declared(|declaration| !declaration.data_categories.is_empty()) {
        gaps.push(gap("Art. 30(1)(c)", "the categories of data", "data_categories: [user.contact]"));
    }
    if collection.recipients.is_empty() && !declared(|declaration| declaration.third_parties.is_some()) {
        gaps.push(gap(
            "Art. 30(1)(d)",
            "the recipients, or that there are none",
            "habeas: {recipients: [hosting provider]}   # or [nobody]",
        ));
    }
    let keeps_by_declaration = declared(|declaration| declaration.retention.is_some());
    if words::retention("", collection).is_none() && dataset.retention.is_none() && !keeps_by_declaration {
        gaps.push(gap(
            "Art. 30(1)(f)",
            "the time limit for erasure",
            "habeas: {retention: {delete_after: P1Y, counted_from: closed_at}}",
        ));
    }
    for transfer in collection.record.transfers.iter().flatten().filter(|transfer| transfer.safeguard.is_none()) {
        gaps.push(Gap {
            place: transfer.place.clone(),
            ..gap("Art. 30(1)(e)", &format!("the safeguard of the transfer to {}", transfer.to), SAFEGUARD)
        });
    }
    gaps
}

const SAFEGUARD: &str = "safeguard: standard contractual clauses (Art. 46(2)(c))";

/// Recipients of the map that the configuration does not place, those outside the EEA without a safeguard, and transfers of whole datasets.
pub(super) fn of_recipients(config: &Config, map: &DataMap) -> Vec<Gap> {
    let mut used: BTreeMap<&str, ()> = BTreeMap::new();
    for collection in
        map.datasets.iter().flat_map(|dataset| &dataset.collections).filter(|c| !c.skip_processing && c.held_by.is_none())
    {
        used.extend(collection.recipients.iter().filter(|name| *name != NOBODY).map(|name| (name.as_str(), ())));
    }
    let mut gaps = Vec::new();
    for name in used.keys() {
        let known = config.controller.recipients.iter().find(|recipient| recipient.name == **name);
        let gap = |missing: String, write: String| Gap {
            about: format!("recipient {name}"),
            article: "Art. 30(1)(e)",
            missing,
            place: in_config(config, known.map_or(config.controller.line, |recipient| recipient.line)),
            write,
        };
        match known.and_then(|recipient| Some((recipient, recipient.country.as_deref()?))) {
            None => gaps.push(gap(
                "where it is, so that nobody can say whether data leaves the EEA".into(),
                format!("recipients: {{{}: {{who: .., country: IE}}}}   # under `controller:`", yaml_name(name)),
            )),
            Some((recipient, country)) if !words::is_in_eea(country) && recipient.safeguard.is_none() => {
                gaps.push(gap(format!("the safeguard of the transfer to {country}"), SAFEGUARD.into()));
            }
            Some(_) => {}
        }
    }
    for dataset in &map.datasets {
        for transfer in dataset.record.transfers.iter().flatten() {
            if transfer.safeguard.is_none() && !words::is_in_eea(&transfer.to) {
                gaps.push(Gap {
                    about: dataset.fides_key.clone(),
                    article: "Art. 30(1)(e)",
                    missing: format!("the safeguard of the transfer to {}", transfer.to),
                    place: transfer.place.clone(),
                    write: format!("habeas: {{transfers: [{{to: {}, {SAFEGUARD}}}]}}", yaml_name(&transfer.to)),
                });
            }
        }
    }
    for system in &map.systems {
        if (system.transfers || system.countries.iter().any(|country| !words::is_in_eea(country))) && system.safeguards.is_empty() {
            gaps.push(Gap {
                about: format!("system {}", system.fides_key),
                article: "Art. 30(1)(e)",
                missing: "the safeguard of its transfers".into(),
                place: system.place.clone(),
                write: "legal_basis_for_transfers: [SCCs]".into(),
            });
        }
        if system.transfers && system.countries.is_empty() {
            gaps.push(Gap {
                about: format!("system {}", system.fides_key),
                article: "Art. 30(1)(e)",
                missing: "the countries of its transfers".into(),
                place: system.place.clone(),
                write: "third_country_transfers: [USA]".into(),
            });
        }
    }
    gaps
}
