//! `processing.jsonld`: the information of Art. 15(1) and (2) for every table, in the W3C Data Privacy Vocabulary, with its context inside so
//! that it can be read without a network. What the data map does not say is named as not recorded, never left out.

use serde_json::{Value, json};

use super::ArchiveHeader;
use super::words::{NOT_RECORDED, legal_basis_in_words, origin_code, origin_in_words};
use super::written::Written;

/// Path of the document.
pub(super) const PATH: &str = "data/processing.jsonld";

/// Builds the document.
pub(super) fn build(header: &ArchiveHeader, tables: &[Written]) -> Value {
    json!({
        "@context": {
            "dct": "http://purl.org/dc/terms/",
            "dpv": "https://w3id.org/dpv#",
            "eu-gdpr": "https://w3id.org/dpv/legal/eu/gdpr#",
            "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
            "xsd": "http://www.w3.org/2001/XMLSchema#",
        },
        "@id": format!("urn:uuid:{}", super::datapackage::uuid_of(&header.request.id)),
        "@type": "dpv:RightExerciseActivity",
        "dct:created": {"@type": "xsd:dateTime", "@value": super::timestamp::of(header.created)},
        "dpv:hasDataController": controller(header),
        "dpv:hasRight": rights(),
        "dpv:hasProcess": tables.iter().filter(|table| table.tally.found > 0).map(process).collect::<Vec<Value>>(),
    })
}

fn controller(header: &ArchiveHeader) -> Value {
    let controller = &header.controller;
    json!({
        "@type": "dpv:DataController",
        "dpv:hasName": controller.name,
        "dpv:hasAddress": or_not_recorded(controller.address.as_deref()),
        "dpv:hasContact": or_not_recorded(controller.contact.as_deref()),
        "dpv:hasDataProtectionOfficer": {
            "@type": "dpv:DataProtectionOfficer",
            "dpv:hasContact": or_not_recorded(controller.dpo.as_deref()),
        },
        "dpv:hasAuthority": controller.supervisory_authority.as_ref().map_or_else(
            || json!({"@type": "dpv:DataProtectionAuthority", "dpv:hasName": NOT_RECORDED}),
            |authority| json!({"@type": "dpv:DataProtectionAuthority", "dpv:hasName": authority.name, "dpv:hasContact": or_not_recorded(authority.url.as_deref())}),
        ),
    })
}

/// Art. 15(1)(e) and (f).
fn rights() -> Value {
    let right = |id: &str| json!({"@id": format!("eu-gdpr:{id}")});
    json!([right("A16"), right("A17"), right("A18"), right("A20"), right("A21"), right("A77")])
}

fn process(table: &Written) -> Value {
    let spec = &table.spec;
    let role = match spec.role {
        crate::datamap::Role::Controller => "dpv:DataController",
        crate::datamap::Role::Processor => "dpv:DataProcessor",
    };
    json!({
        "@type": "dpv:Process",
        "dct:identifier": format!("{}.{}", spec.source, spec.table),
        "dct:title": table.title(),
        "dct:description": or_not_recorded(spec.description.as_deref()),
        "dpv:hasRole": {"@id": role},
        "dpv:hasPurpose": labelled("dpv:Purpose", spec.purpose.as_deref()),
        "dpv:hasLegalBasis": legal_basis(spec.legal_basis.as_deref()),
        "dpv:hasPersonalData": each("dpv:PersonalData", &categories(table)),
        "dpv:hasRecipient": each("dpv:Recipient", &spec.recipients),
        "dpv:hasStorageCondition": labelled("dpv:StorageCondition", spec.retention.as_deref()),
        "dpv:hasDataSource": match spec.origin {
            Some(origin) => json!({"@type": "dpv:DataSource", "dct:identifier": origin_code(origin), "rdfs:label": origin_in_words(origin)}),
            None => labelled("dpv:DataSource", None),
        },
        // Art. 15(1)(h) and 15(2): the data map has no place for either yet.
        "dpv:hasAutomationLevel": labelled("dpv:AutomationLevel", None),
        "dpv:hasThirdCountry": labelled("dpv:ThirdCountry", None),
    })
}

/// The labels of a table and of its columns, sorted, each once.
pub(super) fn categories(table: &Written) -> Vec<String> {
    let of_columns = table.spec.columns.iter().flat_map(|column| &column.categories);
    let mut all: Vec<String> = table.spec.categories.iter().chain(of_columns).cloned().collect();
    all.sort();
    all.dedup();
    all
}

fn labelled(type_name: &str, label: Option<&str>) -> Value {
    json!({"@type": type_name, "rdfs:label": or_not_recorded(label)})
}

fn each(type_name: &str, labels: &[String]) -> Value {
    match labels {
        [] => labelled(type_name, None),
        labels => labels.iter().map(|label| labelled(type_name, Some(label))).collect(),
    }
}

fn legal_basis(code: Option<&str>) -> Value {
    let Some(code) = code else { return labelled("dpv:LegalBasis", None) };
    let mut basis = json!({"@type": "dpv:LegalBasis", "dct:identifier": code, "rdfs:label": legal_basis_in_words(code)});
    if let Some(letter) = code.strip_prefix("art6_1_").filter(|letter| matches!(*letter, "a" | "b" | "c" | "d" | "e" | "f")) {
        basis["@id"] = json!(format!("eu-gdpr:A6-1-{letter}"));
    }
    basis
}

fn or_not_recorded(text: Option<&str>) -> &str {
    text.unwrap_or(NOT_RECORDED)
}
