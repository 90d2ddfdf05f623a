//! What opens and closes an archive: who asked and who answers, and how every source ended. A source that could not be read is said so here,
//! and never as an empty one (V-2).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Account, Source};
use crate::archive::{
    ArchiveHeader, Closing, Controller, NotCovered, NotHeldHere, RequestInfo, Snapshot, SourceError, SourceKind, SourceOutcome,
    SourceStatus, SupervisoryAuthority,
};
use crate::deployment::Deployment;
use crate::gather::Gathering;

/// The archive's header.
pub(super) fn header_of(source: &Source<'_>) -> ArchiveHeader {
    let controller = &source.deployment.config.controller;
    let request = source.request;
    let authority = controller.supervisory_authority.as_ref();
    ArchiveHeader {
        controller: Controller {
            name: controller.name.clone(),
            address: controller.address.clone(),
            contact: controller.contact.clone(),
            dpo: controller.dpo.clone(),
            supervisory_authority: authority.map(|a| SupervisoryAuthority { name: a.name.clone(), url: a.url.clone() }),
        },
        request: RequestInfo {
            id: request.id.clone(),
            code: request.code.clone(),
            kind: request.kind,
            received_at: request.received_at,
            as_of: source.started_at,
            due_at: request.due_at,
            extended_until: request.extended_to,
            identifiers_used: source.subject.identifiers().to_vec(),
            identity_method: None,
            answer_language: "en".into(),
        },
        created: source.started_at,
        software_version: env!("CARGO_PKG_VERSION").into(),
    }
}

/// The archive's closing: one outcome for every dataset.
pub(super) fn closing_of(
    source: &Source<'_>,
    accounts: &[Account],
    snapshots: &BTreeMap<String, String>,
    gathering: &Gathering<'_>,
) -> Closing {
    let finished_at = source.deployment.now();
    let mut outcomes = Vec::new();
    let mut datasets: BTreeMap<&str, &str> = BTreeMap::new();
    for node in &gathering.graph.nodes {
        datasets.insert(&node.dataset, &node.source);
    }
    for (dataset, name) in datasets {
        let mine: Vec<&Account> = accounts.iter().filter(|account| account.kind == "sql" && account.dataset == dataset).collect();
        let unreached = gathering.unreached.iter().find(|gap| gap.source == name);
        let failed: u64 = mine.iter().map(|account| account.failed).sum();
        let found: u64 = mine.iter().map(|account| account.found).sum();
        let status = match unreached {
            Some(_) => SourceStatus::Failed,
            None if failed > 0 => SourceStatus::Partial,
            None if found == 0 => SourceStatus::Empty,
            None => SourceStatus::Ok,
        };
        let mut errors: Vec<SourceError> = unreached
            .map(|gap| SourceError {
                code: "unreachable".into(),
                count: 1,
                text: format!("This source could not be read: {}.", gap.problem),
            })
            .into_iter()
            .collect();
        for account in &mine {
            for failure in &account.failures {
                errors.push(SourceError { code: "undecodable_value".into(), count: 1, text: failure.clone() });
            }
        }
        outcomes.push(SourceOutcome {
            name: dataset.to_owned(),
            kind: SourceKind::Sql,
            status,
            started_at: source.started_at,
            finished_at,
            snapshot: snapshots.get(name).map(|value| Snapshot { kind: "version".into(), value: value.clone() }),
            held: Vec::new(),
            errors,
            not_covered: not_covered(&mine),
            query_digest: None,
            waived_by: None,
        });
    }
    outcomes.extend(stores_of(source, accounts, gathering, finished_at));
    Closing { completed_at: Some(finished_at), sources: outcomes, not_held_here: not_held_here(source.deployment) }
}

/// The outcome of every store that the map names.
fn stores_of(source: &Source<'_>, accounts: &[Account], gathering: &Gathering<'_>, finished_at: Timestamp) -> Vec<SourceOutcome> {
    let of_objects = gathering.graph.objects.iter().map(|place| place.source.as_str());
    let names: BTreeSet<&str> = of_objects.chain(gathering.graph.rows.iter().map(|place| place.source.as_str())).collect();
    let outcome = |name: &str| {
        let mine: Vec<&Account> = accounts.iter().filter(|account| account.kind != "sql" && account.source == name).collect();
        let unreached = gathering.unreached.iter().find(|gap| gap.source == name).map(|gap| gap.problem.clone());
        let unread = unreached.or_else(|| mine.iter().find_map(|account| account.unread.clone()));
        let failed: u64 = mine.iter().map(|account| account.failed).sum();
        let found: u64 = mine.iter().map(|account| account.found).sum();
        let status = match &unread {
            Some(_) if found == 0 => SourceStatus::Failed,
            Some(_) => SourceStatus::Partial,
            None if failed > 0 => SourceStatus::Partial,
            None if found == 0 => SourceStatus::Empty,
            None => SourceStatus::Ok,
        };
        let mut errors: Vec<SourceError> = unread
            .into_iter()
            .map(|why| SourceError { code: "unreachable".into(), count: 1, text: format!("This store could not be read: {why}.") })
            .collect();
        let failures = mine.iter().flat_map(|account| &account.failures);
        errors.extend(failures.map(|why| SourceError { code: "object_not_read".into(), count: 1, text: why.clone() }));
        SourceOutcome {
            name: name.to_owned(),
            kind: SourceKind::S3,
            status,
            started_at: source.started_at,
            finished_at,
            snapshot: None,
            held: Vec::new(),
            errors,
            not_covered: not_covered(&mine),
            query_digest: None,
            waived_by: None,
        }
    };
    names.into_iter().map(outcome).collect()
}

fn not_covered(accounts: &[&Account]) -> Vec<NotCovered> {
    let mut places = Vec::new();
    for account in accounts.iter().filter(|account| account.found > 0) {
        places.extend(
            account.not_covered.iter().map(|column| NotCovered { table: account.collection.clone(), column: Some(column.clone()) }),
        );
    }
    places
}

fn not_held_here(deployment: &Deployment) -> Vec<NotHeldHere> {
    let collections = deployment.map.datasets.iter().flat_map(|dataset| &dataset.collections);
    collections
        .filter_map(|collection| {
            let held_by = collection.held_by.clone()?;
            let what = collection.description.clone().unwrap_or_else(|| collection.name.clone());
            Some(NotHeldHere { what, held_by, note: collection.note.clone() })
        })
        .collect()
}
