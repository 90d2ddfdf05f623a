//! `fides_meta.erase_after` that goes round in a circle: each collection waits for the other, and none can be first.

use std::collections::{BTreeMap, BTreeSet};

use crate::datamap::{Code, Collection, DataMap, Finding, Severity};

pub(super) fn check(map: &DataMap) -> Vec<Finding> {
    let mut waits: BTreeMap<String, (&Collection, &[String])> = BTreeMap::new();
    for dataset in &map.datasets {
        for collection in dataset.collections.iter().filter(|collection| !collection.erase_after.is_empty()) {
            waits.insert(format!("{}.{}", dataset.fides_key, collection.name), (collection, &collection.erase_after));
        }
    }
    let mut findings = Vec::new();
    let mut told: BTreeSet<String> = BTreeSet::new();
    for name in waits.keys() {
        let Some(circle) = circle_from(&waits, name).filter(|circle| !circle.iter().any(|member| told.contains(member))) else {
            continue;
        };
        findings.extend(waits.get(name).map(|(collection, _)| finding(name, collection, &circle)));
        told.extend(circle);
    }
    findings
}

/// The way from a collection back to itself, when there is one.
fn circle_from(waits: &BTreeMap<String, (&Collection, &[String])>, start: &str) -> Option<Vec<String>> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut ways: Vec<Vec<&str>> = vec![vec![start]];
    while let Some(way) = ways.pop() {
        for next in waits.get(*way.last()?).map(|(_, after)| *after).unwrap_or_default() {
            if next == start {
                return Some(way.iter().map(|name| (*name).to_owned()).collect());
            }
            if seen.insert(next) {
                let mut longer = way.clone();
                longer.push(next);
                ways.push(longer);
            }
        }
    }
    None
}

fn finding(name: &str, collection: &Collection, circle: &[String]) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::DeleteOrderImpossible,
        place: Some(collection.place.clone()),
        subject: name.to_owned(),
        problem: format!("`erase_after` goes round in a circle: {} → {name}", circle.join(" → ")),
        why: "each of them waits until another one is erased, so that none can be first".into(),
        hint: "take one `erase_after` out; where foreign keys exist, the order follows from them".into(),
        write: None,
    }
}
