//! The archive as a data package: every payload file is a resource, once, with the digest that the bag has for it.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::opened::Opened;
use super::{Check, VerifyReport};
use crate::archive::bagit;
use crate::archive::datapackage::PATH;

#[derive(Deserialize)]
struct Package {
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    path: String,
    hash: String,
    #[serde(default)]
    schema: Schema,
    #[serde(rename = "x-rows")]
    rows: Option<u64>,
}

#[derive(Default, Deserialize)]
struct Schema {
    fields: Vec<Field>,
}

/// A column as the package declares it.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Field {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) type_name: String,
    pub(super) format: Option<String>,
    #[serde(rename = "x-json", default)]
    pub(super) holds_json: bool,
    #[serde(rename = "x-encoding")]
    pub(super) encoding: Option<String>,
}

/// What the package says of a file.
pub(super) struct Declared {
    pub(super) fields: Vec<Field>,
    pub(super) rows: Option<u64>,
}

/// Checks the list of resources. Returns what is declared, by path.
pub(super) fn check(opened: &mut Opened, report: &mut VerifyReport) -> BTreeMap<String, Declared> {
    let mut declared = BTreeMap::new();
    let Some(package) = opened.json::<Package>(PATH, report) else { return declared };
    let Some(manifest) = opened.text(bagit::MANIFEST, report) else { return declared };
    let digests = bagit::read_manifest(&manifest).unwrap_or_default();
    for resource in package.resources {
        match digests.get(resource.path.as_str()) {
            None => report.add(Check::Document, PATH, format!("names {}, which is not in the payload", resource.path)),
            Some(digest) if resource.hash.strip_prefix("sha256:") != Some(*digest) => {
                report.add(Check::Document, PATH, format!("has another digest for {} than the bag", resource.path));
            }
            Some(_) => {}
        }
        let what = Declared { fields: resource.schema.fields, rows: resource.rows };
        if declared.insert(resource.path.clone(), what).is_some() {
            report.add(Check::Document, PATH, format!("names {} twice", resource.path));
        }
    }
    for path in opened.files.keys().filter(|path| bagit::is_payload(path) && !declared.contains_key(*path)) {
        report.add(Check::Unlisted, path, "is in the payload but no resource of the data package");
    }
    declared
}
