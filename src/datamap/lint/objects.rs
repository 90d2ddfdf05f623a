//! Sets of objects that nobody has decided about, and sets that no person's rows can name. What the rows and columns are called is asked when
//! the map is read; what lies in the store is asked of the store.

use super::has_personal_labels;
use crate::datamap::{Code, Collection, DataMap, Dataset, Finding, Graph, OnErasure, Severity};

/// Findings about sets of objects.
pub(super) fn check(map: &DataMap, graph: &Graph) -> Vec<Finding> {
    let reached = graph.reachable(None);
    let mut findings = Vec::new();
    for (dataset, collection) in sets(map) {
        // Rows that are left out of processing are no node, and the set is then named by nothing.
        let place = graph.objects.iter().find(|place| place.dataset == dataset.fides_key && place.collection == collection.name);
        match place.is_some_and(|place| reached[place.rows.0]) {
            true => findings.extend(undecided(dataset, collection)),
            false => findings.push(unreachable(dataset, collection)),
        }
    }
    findings
}

fn sets(map: &DataMap) -> impl Iterator<Item = (&Dataset, &Collection)> {
    let all = map.datasets.iter().flat_map(|dataset| dataset.collections.iter().map(move |collection| (dataset, collection)));
    let is_set = |collection: &Collection| collection.objects.as_ref().is_some_and(|objects| objects.rows.is_none());
    all.filter(move |(_, collection)| is_set(collection) && !collection.skip_processing && collection.held_by.is_none())
}

fn undecided(dataset: &Dataset, collection: &Collection) -> Option<Finding> {
    if matches!(collection.on_erasure, Some(OnErasure::Delete | OnErasure::Keep)) {
        return None;
    }
    let (severity, problem) = match (collection.on_erasure, collection.knowingly_undecided) {
        (Some(_), _) => (Severity::Error, "objects can neither be masked nor unlinked, only deleted or kept"),
        (None, true) => (Severity::Warning, "what erasure does to these objects is still to be decided"),
        (None, false) => (Severity::Error, "the map does not say what erasure does to these objects"),
    };
    Some(Finding {
        severity,
        code: Code::UndecidedCollection,
        place: Some(collection.place.clone()),
        subject: format!("{}.{}", dataset.fides_key, collection.name),
        problem: problem.into(),
        why: "a person's objects are found here, and a plan with an undecided item cannot be approved".into(),
        hint: "write `habeas: {on_erasure: delete}` (or keep) on the collection".into(),
        write: Some("habeas: {on_erasure: delete}".into()),
    })
}

fn unreachable(dataset: &Dataset, collection: &Collection) -> Finding {
    let is_personal = has_personal_labels(collection);
    let rows = collection.objects.as_ref().and_then(|objects| objects.locate.template().collections().first().copied());
    Finding {
        severity: if is_personal { Severity::Error } else { Severity::Warning },
        code: Code::UnreachableCollection,
        place: Some(collection.place.clone()),
        subject: format!("{}.{}", dataset.fides_key, collection.name),
        problem: format!("no identity reaches the rows of `{}`, which name these objects", rows.unwrap_or_default()),
        why: "its objects are never found, so they are neither handed over nor erased".into(),
        hint: "fill the template from a collection that an identity reaches, or connect that collection; if nothing here is \
               personal, `fides_meta: {skip_processing: true}`"
            .into(),
        write: None,
    }
}
