//! What the job and the map say of a set of objects. Pure.

use super::Brief;
use super::rules::policy_mask;
use crate::datamap::{Field, ObjectPlace, OnErasure, RowPlace, Rule, RuleAction, category_matches};

/// What the job and the map say of a set of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SetRule {
    /// Nobody has said.
    Undecided,
    /// Delete them.
    Delete,
    /// Keep them.
    Keep,
    /// They share the fate of the row that names them.
    WithRow,
}

/// What the job's categories and policy, and else the map, say of a set.
pub(super) fn set_rule(brief: &Brief<'_>, place: &ObjectPlace) -> SetRule {
    let Some(collection) = brief.map.collection(&place.dataset, &place.described_in) else { return SetRule::Undecided };
    let field = place.field.as_deref().and_then(|field| collection.field(field));
    let labels: Vec<&String> = match field {
        Some(field) => collection.data_categories.iter().chain(&field.data_categories).collect(),
        None => {
            let of_fields = collection.fields.iter().flat_map(|field| &field.data_categories);
            collection.data_categories.iter().chain(of_fields).collect()
        }
    };
    let falls_under = |targets: &[String]| labels.iter().any(|label| targets.iter().any(|target| category_matches(target, label)));
    // What the job does not name it does not touch; objects that share a row's fate have it from the row.
    if !place.follows_row && !brief.categories.is_empty() && !falls_under(brief.categories) {
        return SetRule::Keep;
    }
    if let Some(policy) = brief.policy.filter(|_| !place.follows_row) {
        let erases = |rule: &Rule| matches!(rule.action, RuleAction::Erasure(_)) && falls_under(&rule.targets);
        return if policy.rules.iter().any(erases) { SetRule::Delete } else { SetRule::Keep };
    }
    match (place.follows_row, place.on_erasure) {
        (true, _) => SetRule::WithRow,
        (false, Some(OnErasure::Delete)) => SetRule::Delete,
        (false, Some(OnErasure::Keep)) => SetRule::Keep,
        (false, _) => SetRule::Undecided,
    }
}

/// What they say of rows inside objects: a label on a field is a label of the rows.
pub(super) fn row_rule(brief: &Brief<'_>, place: &RowPlace) -> SetRule {
    let Some(collection) = brief.map.collection(&place.dataset, &place.collection) else { return SetRule::Undecided };
    let mut labels: Vec<&String> = collection.data_categories.iter().collect();
    collection.fields.iter().for_each(|field| add_labels(field, &mut labels));
    let falls_under = |targets: &[String]| labels.iter().any(|label| targets.iter().any(|target| category_matches(target, label)));
    if !brief.categories.is_empty() && !falls_under(brief.categories) {
        return SetRule::Keep;
    }
    if let Some(policy) = brief.policy {
        let erases = |rule: &Rule| matches!(rule.action, RuleAction::Erasure(_)) && falls_under(&rule.targets);
        return if policy.rules.iter().any(erases) { SetRule::Delete } else { SetRule::Keep };
    }
    match place.on_erasure {
        Some(OnErasure::Delete) => SetRule::Delete,
        Some(OnErasure::Keep) => SetRule::Keep,
        _ => SetRule::Undecided,
    }
}

fn add_labels<'f>(field: &'f Field, labels: &mut Vec<&'f String>) {
    labels.extend(&field.data_categories);
    field.fields.iter().for_each(|sub| add_labels(sub, labels));
}

/// Whether the plan overwrites a column that names the object: then nobody could find it any more.
pub(super) fn name_is_overwritten(brief: &Brief<'_>, place: &ObjectPlace) -> bool {
    let Some(collection) = brief.map.collection(&place.dataset, &place.described_in).filter(|_| place.follows_row) else {
        return false;
    };
    let is_overwritten = |field: &Field| match brief.policy {
        Some(policy) => policy_mask(field, policy).is_some(),
        None => field.is_overwritten(),
    };
    let mut names = place.locate.template().columns().into_iter().filter_map(|column| collection.field(column));
    names.any(is_overwritten)
}
