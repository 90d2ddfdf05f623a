//! Asks whether the names of a map hang together: nothing is named twice, and every reference points at something that exists and can be
//! followed. A map that fails here is not used at all; what is merely unwise is a finding of `lint.rs`.

use std::collections::BTreeMap;

use super::taxonomy::did_you_mean;
use super::{
    Collection, DataMap, Dataset, Direction, Field, MapError, Place, Policy, Reference, Right, RuleAction, category_matches,
};

/// Names that are given twice, and policies that would mask one field in two ways.
pub(super) fn names(map: &DataMap) -> Vec<MapError> {
    let mut errors = Vec::new();
    twice(&mut errors, "dataset", map.datasets.iter().map(|dataset| (dataset.fides_key.as_str(), &dataset.place)));
    twice(&mut errors, "policy", map.policies.iter().map(|policy| (policy.fides_key.as_str(), &policy.place)));
    for dataset in &map.datasets {
        let collections = dataset.collections.iter().map(|collection| (collection.name.as_str(), &collection.place));
        twice(&mut errors, "collection", collections);
        dataset.collections.iter().for_each(|collection| fields_twice(&mut errors, &collection.fields));
    }
    map.policies.iter().for_each(|policy| overlapping_targets(&mut errors, policy));
    errors
}

fn fields_twice(errors: &mut Vec<MapError>, fields: &[Field]) {
    twice(errors, "field", fields.iter().map(|field| (field.name.as_str(), &field.place)));
    fields.iter().for_each(|field| fields_twice(errors, &field.fields));
}

fn twice<'m>(errors: &mut Vec<MapError>, kind: &str, named: impl Iterator<Item = (&'m str, &'m Place)>) {
    let mut first_places: BTreeMap<&str, &Place> = BTreeMap::new();
    for (name, place) in named {
        match first_places.get(name) {
            None => {
                first_places.insert(name, place);
            }
            Some(first) => {
                errors.push(error(place, format!("{kind} `{name}` is given twice"), Some(format!("the first stands at {first}"))));
            }
        }
    }
}

fn overlapping_targets(errors: &mut Vec<MapError>, policy: &Policy) {
    let erased: Vec<&String> =
        policy.rules.iter().filter(|rule| matches!(rule.action, RuleAction::Erasure(_))).flat_map(|rule| &rule.targets).collect();
    for (index, left) in erased.iter().enumerate() {
        for right in &erased[index + 1..] {
            if category_matches(left, right) || category_matches(right, left) {
                let message = format!("policy `{}` erases `{left}` and `{right}`, which overlap", policy.fides_key);
                errors.push(error(&policy.place, message, Some("keep one of them".into())));
            }
        }
    }
}

/// References and the other places where a map names its own parts.
pub(super) fn references(map: &DataMap) -> Vec<MapError> {
    let mut errors = Vec::new();
    for dataset in &map.datasets {
        for collection in &dataset.collections {
            for field in with_sub_fields(&collection.fields) {
                field
                    .references
                    .iter()
                    .filter_map(|reference| broken_reference(map, reference))
                    .for_each(|error| errors.push(error));
            }
            errors.extend(collection.erase_after.iter().filter_map(|name| broken_erase_after(map, collection, name)));
            errors.extend(broken_controller(dataset, collection));
            composite_edges(&mut errors, collection);
        }
    }
    errors
}

fn with_sub_fields(fields: &[Field]) -> Vec<&Field> {
    fields.iter().flat_map(|field| std::iter::once(field).chain(with_sub_fields(&field.fields))).collect()
}

fn broken_reference(map: &DataMap, reference: &Reference) -> Option<MapError> {
    let Reference { dataset: dataset_key, collection: collection_name, field: field_name, place, .. } = reference;
    let Some(dataset) = map.dataset(dataset_key) else {
        let hint = did_you_mean(dataset_key, map.datasets.iter().map(|dataset| dataset.fides_key.as_str()));
        return Some(error(place, format!("reference to dataset `{dataset_key}`, which does not exist"), hint));
    };
    let Some(collection) = dataset.collections.iter().find(|collection| collection.name == *collection_name) else {
        let hint = did_you_mean(collection_name, dataset.collections.iter().map(|collection| collection.name.as_str()));
        return Some(error(
            place,
            format!("reference to collection `{dataset_key}.{collection_name}`, which does not exist"),
            hint,
        ));
    };
    if collection.skip_processing || collection.held_by.is_some() {
        let key = if collection.skip_processing { "skip_processing" } else { "held_by" };
        let message = format!("reference to `{dataset_key}.{collection_name}`, which is left out by `{key}`");
        return Some(error(place, message, Some(format!("remove the reference, or `{key}` at {}", collection.place))));
    }
    if collection.objects.is_some() {
        let message =
            format!("reference to `{dataset_key}.{collection_name}`, which is a set of objects: nothing leads there by a key");
        return Some(error(place, message, Some("name the objects by `habeas: {object: …}` on the field".into())));
    }
    let Some(field) = collection.field(field_name) else {
        let column = field_name.split('.').next().unwrap_or(field_name);
        if column != field_name && collection.field(column).is_some() {
            let message = format!("reference to `{collection_name}.{field_name}`, a sub-field, which cannot be followed");
            return Some(error(place, message, Some("keep the key in a column of its own".into())));
        }
        let hint = did_you_mean(field_name, collection.fields.iter().map(|field| field.name.as_str()));
        return Some(error(
            place,
            format!("reference to field `{dataset_key}.{collection_name}.{field_name}`, which does not exist"),
            hint,
        ));
    };
    (!field.fields.is_empty()).then(|| {
        let message = format!("reference to `{collection_name}.{field_name}`, a field with sub-fields, which cannot be followed");
        error(place, message, Some("keep the key in a column of its own".into()))
    })
}

fn broken_erase_after(map: &DataMap, collection: &Collection, name: &str) -> Option<MapError> {
    let exists = name.split_once('.').is_some_and(|(dataset, collection)| map.collection(dataset, collection).is_some());
    if exists {
        return None;
    }
    let known: Vec<String> = map
        .datasets
        .iter()
        .flat_map(|dataset| dataset.collections.iter().map(|collection| format!("{}.{}", dataset.fides_key, collection.name)))
        .collect();
    let hint = did_you_mean(name, known.iter().map(String::as_str)).or_else(|| Some("write `dataset.collection`".into()));
    let message = format!("`erase_after` of collection `{}` names `{name}`, which does not exist", collection.name);
    Some(error(&collection.place, message, hint))
}

fn broken_controller(dataset: &Dataset, collection: &Collection) -> Option<MapError> {
    let name = collection.controlled_by.as_deref()?;
    let exists = name.split_once('.').is_some_and(|(other, field)| {
        dataset.collections.iter().any(|candidate| candidate.name == other && candidate.field(field).is_some())
    });
    if exists {
        return None;
    }
    let message = format!("`controlled_by` of collection `{}` names `{name}`, which does not exist", collection.name);
    Some(error(&collection.place, message, Some("write `collection.field` of the same dataset".into())))
}

/// What the fields of one composite edge have said so far.
struct Said<'m> {
    direction: Direction,
    right: Option<(Right, &'m Field)>,
    fields: Vec<(&'m Field, &'m Reference)>,
}

/// Name of an edge, and what it leads to.
type EdgeKey<'m> = (&'m str, &'m str, &'m str);

/// The fields of one composite edge must say the same about it, and there must be several.
fn composite_edges(errors: &mut Vec<MapError>, collection: &Collection) {
    let mut edges: BTreeMap<EdgeKey<'_>, Said<'_>> = BTreeMap::new();
    for field in &collection.fields {
        for reference in &field.references {
            for edge in &reference.words.edges {
                let key = (edge.as_str(), reference.dataset.as_str(), reference.collection.as_str());
                let said = edges.entry(key).or_insert(Said { direction: reference.direction, right: None, fields: Vec::new() });
                said.fields.push((field, reference));
                disagreement(errors, edge, said, field, reference);
            }
        }
    }
    for ((edge, ..), said) in &edges {
        let [(field, reference)] = said.fields.as_slice() else { continue };
        // A name that is meant for another of the field's references says nothing about this one.
        let is_meant_elsewhere = edges.iter().any(|(other, said)| {
            other.0 == *edge && said.fields.len() > 1 && said.fields.iter().any(|(known, _)| known.name == field.name)
        });
        let is_part_of_another = edges
            .values()
            .any(|other| other.fields.len() > 1 && other.fields.iter().any(|(_, known)| std::ptr::eq(*known, *reference)));
        if is_meant_elsewhere || is_part_of_another {
            continue;
        }
        let message = format!("edge `{edge}` is used on field `{}` only, and a composite key has several", field.name);
        let hint = format!(
            "write `habeas: {{edge: {edge}}}` on the other fields that refer to `{}` together with it, or leave `edge` out",
            reference.collection
        );
        errors.push(error(&reference.place, message, Some(hint)));
    }
}

fn disagreement<'m>(errors: &mut Vec<MapError>, edge: &str, said: &mut Said<'m>, field: &'m Field, reference: &'m Reference) {
    if said.direction != reference.direction {
        let message = format!("the fields of edge `{edge}` disagree about `direction`");
        errors.push(error(&reference.place, message, Some("write the same direction on each".into())));
    }
    let Some(right) = reference.words.right else { return };
    let (first_right, first_field) = *said.right.get_or_insert((right, field));
    if first_right != right {
        let message = format!("the fields of edge `{edge}` disagree about `right`");
        let hint = format!("field `{}` at {} says otherwise; write it once", first_field.name, first_field.place);
        errors.push(error(&field.place, message, Some(hint)));
    }
}

fn error(place: &Place, message: String, hint: Option<String>) -> MapError {
    MapError { place: place.clone(), message, hint }
}
