//! What a job that is limited to categories may change: nothing but fields whose label matches, and rows of a collection whose own label does.
//! A label on an object covers everything in it. Pure.

use super::Brief;
use crate::datamap::{Collection, Field, Masking, Node, OnErasure, category_matches};

/// Whether one of the labels is of one of the categories.
pub(super) fn is_labelled(labels: &[String], categories: &[String]) -> bool {
    labels.iter().any(|label| categories.iter().any(|target| category_matches(target, label)))
}

/// Whether a job may clear what stands at a place of a row: a column, or the keys that lead to a value in its JSON. A policy overwrites labelled
/// fields and unties nothing.
pub(super) fn may_clear(brief: &Brief<'_>, node: &Node, column: &str, inside: &[String]) -> bool {
    if brief.policy.is_some() {
        return false;
    }
    let Some(collection) = brief.map.collection(&node.dataset, &node.collection) else { return brief.categories.is_empty() };
    if brief.categories.is_empty() || is_labelled(&collection.data_categories, brief.categories) {
        return true;
    }
    let mut field = collection.field(column);
    for key in inside {
        match field {
            Some(above) if is_labelled(&above.data_categories, brief.categories) => return true,
            Some(above) => field = above.fields.iter().find(|sub| sub.name == *key),
            None => return false,
        }
    }
    field.is_some_and(|field| is_labelled(&field.data_categories, brief.categories))
}

/// A collection as a job sees it that asks for some of its fields: what is outside has neither label nor strategy, and where the rows would be
/// deleted, the fields are overwritten instead, with null where the map has no strategy for them. `None` when no field is asked for.
pub(super) fn limited(collection: &Collection, categories: &[String]) -> Option<Collection> {
    let deletes = match collection.on_erasure {
        Some(effect) => effect == OnErasure::Delete,
        None => collection.delete_override,
    };
    let otherwise = deletes.then_some(Masking::NullRewrite);
    let mut some = collection.clone();
    some.delete_override = false;
    if deletes {
        some.on_erasure = Some(OnErasure::Mask);
    }
    let asked = some.fields.iter_mut().filter_map(|field| limit(field, None, categories, otherwise.as_ref()).then_some(())).count();
    (asked > 0).then_some(some)
}

/// Takes label and strategy off what is not asked for; whether anything in the field is. `above` is the strategy of what it lies in.
fn limit(field: &mut Field, above: Option<&Masking>, categories: &[String], otherwise: Option<&Masking>) -> bool {
    let own = field.mask.clone();
    let masking = own.as_ref().or(above);
    if is_labelled(&field.data_categories, categories) {
        field.mask = masking.or(otherwise).cloned();
        return true;
    }
    field.mask = None;
    field.data_categories.clear();
    let mut asked = false;
    for sub in &mut field.fields {
        asked |= limit(sub, masking, categories, otherwise);
    }
    asked
}
