//! Rows inside objects of which nobody has decided, which nothing can find, and whose objects another place of the map takes for its own.

use super::has_personal_labels;
use crate::datamap::{Code, Collection, DataMap, Finding, Graph, Locate, ObjectPlace, OnErasure, RowPlace, Severity};

/// Findings about rows inside objects.
pub(super) fn check(map: &DataMap, graph: &Graph) -> Vec<Finding> {
    let reached = graph.reachable(None);
    let mut findings = Vec::new();
    for (at, place) in graph.rows.iter().enumerate() {
        let Some(collection) = map.collection(&place.dataset, &place.collection) else { continue };
        match place.is_reached(&reached, None) {
            true => findings.extend(undecided(place, collection)),
            false => findings.push(unreachable(place, collection)),
        }
        let objects = graph.objects.iter().filter(|other| is_mixed(place, other)).map(|other| (other.name(), &other.place));
        let rows = graph.rows[..at].iter().filter(|other| overlap(place, other)).map(|other| (other.name(), &other.place));
        findings.extend(objects.chain(rows).map(|(other, at)| overlapping(place, &other, &at.to_string())));
    }
    findings
}

fn undecided(place: &RowPlace, collection: &Collection) -> Option<Finding> {
    if matches!(place.on_erasure, Some(OnErasure::Delete | OnErasure::Keep)) {
        return None;
    }
    let (severity, problem) = match (place.on_erasure, collection.knowingly_undecided) {
        (Some(_), _) => (Severity::Error, "rows inside objects can neither be masked nor unlinked, only deleted or kept"),
        (None, true) => (Severity::Warning, "what erasure does to these rows is still to be decided"),
        (None, false) => (Severity::Error, "the map does not say what erasure does to these rows"),
    };
    Some(Finding {
        severity,
        code: Code::UndecidedCollection,
        place: Some(collection.place.clone()),
        subject: place.name(),
        problem: problem.into(),
        why: "a person's rows are found here, and a plan with an undecided item cannot be approved".into(),
        hint: "write `habeas: {on_erasure: delete}` (or keep) on the collection".into(),
        write: Some("habeas: {on_erasure: delete}".into()),
    })
}

fn unreachable(place: &RowPlace, collection: &Collection) -> Finding {
    let fields: Vec<String> = place.names.iter().map(|field| format!("`{}`", field.name())).collect();
    Finding {
        severity: if has_personal_labels(collection) { Severity::Error } else { Severity::Warning },
        code: Code::UnreachableCollection,
        place: Some(collection.place.clone()),
        subject: place.name(),
        problem: format!("no identity reaches the rows whose values would stand in {}", fields.join(", ")),
        why: "its rows are never found, so they are neither handed over nor erased".into(),
        hint: "let a field refer to a collection that an identity reaches, or give one `fides_meta: {identity: …}`".into(),
        write: None,
    }
}

/// Whether objects that are a person's as a whole may be among those that hold rows of many people.
fn is_mixed(rows: &RowPlace, objects: &ObjectPlace) -> bool {
    if rows.source != objects.source {
        return false;
    }
    match &objects.locate {
        Locate::Key(template) if rows.is_single => template.could_name(rows.at.as_bytes(), true),
        Locate::Prefix(template) if rows.is_single => template.could_name(rows.at.as_bytes(), false),
        Locate::Key(template) | Locate::Prefix(template) => begin_alike(&rows.at, template.lead()),
        Locate::Tag { prefix, .. } | Locate::Metadata { prefix, .. } => begin_alike(&rows.at, prefix),
    }
}

fn overlap(rows: &RowPlace, other: &RowPlace) -> bool {
    rows.source == other.source
        && match (rows.is_single, other.is_single) {
            (true, true) => rows.at == other.at,
            (true, false) => rows.at.starts_with(&other.at),
            (false, true) => other.at.starts_with(&rows.at),
            (false, false) => begin_alike(&rows.at, &other.at),
        }
}

fn begin_alike(left: &str, right: &str) -> bool {
    left.starts_with(right) || right.starts_with(left)
}

fn overlapping(place: &RowPlace, other: &str, other_place: &str) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::OverlappingObjects,
        place: Some(place.place.clone()),
        subject: place.name(),
        problem: format!("its objects may also be those of `{other}` ({other_place})"),
        why: "what one of the two takes for a person's as a whole holds rows of others for the other one".into(),
        hint: "give each a prefix under which nothing of the other can lie".into(),
        write: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::datamap::{Code, Graph, lint, parse};

    fn codes(places: &str) -> Vec<Code> {
        let text = format!(
            "dataset:\n  - fides_key: app\n    collections:\n      - name: users\n        habeas: {{on_erasure: delete}}\n        fields:\n          - {{name: id, fides_meta: {{primary_key: true}}}}\n          - {{name: email, fides_meta: {{identity: email}}}}\n{places}"
        );
        let loaded = parse(&[("map.yml".into(), text)], false).expect("a map");
        let found = lint(&loaded.map, &Graph::build(&loaded.map));
        found.into_iter().map(|finding| finding.code).collect()
    }

    fn rows(name: &str, at: &str) -> String {
        format!(
            "      - name: {name}\n        habeas: {{on_erasure: delete, objects: {{source: lake, {at}, format: jsonl}}}}\n        fields:\n          - {{name: email, fides_meta: {{identity: email}}}}\n"
        )
    }

    fn objects(at: &str) -> String {
        format!("      - name: files\n        habeas: {{on_erasure: delete, objects: {{source: lake, {at}}}}}\n")
    }

    #[test]
    fn o_1_objects_with_rows_of_many_people_may_not_be_one_person_s_objects_as_well() {
        let is_told = |places: String| codes(&places).contains(&Code::OverlappingObjects);
        for (row_place, object_place, wrong) in [
            ("prefix: 'users/'", "prefix: 'users/{users.id}/'", true),
            ("prefix: 'users/events/'", "prefix: 'users/{users.id}/'", true),
            ("key: 'users/7/all.jsonl'", "prefix: 'users/{users.id}/'", true),
            ("key: 'users/all.jsonl'", "prefix: 'users/{users.id}/'", false),
            ("key: 'users/all.jsonl'", "key: 'users/{users.id}.png'", false),
            ("prefix: 'events/'", "prefix: 'users/{users.id}/'", false),
            ("prefix: 'events/'", "tag: {name: owner, value: '{users.id}'}", true),
        ] {
            assert_eq!(is_told(rows("events", row_place) + &objects(object_place)), wrong, "{row_place} {object_place}");
        }
        assert!(is_told(rows("a", "prefix: 'x/'") + &rows("b", "prefix: 'x/y/'")));
        assert!(!is_told(rows("a", "prefix: 'x/'") + &rows("b", "prefix: 'y/'")));
    }
}
