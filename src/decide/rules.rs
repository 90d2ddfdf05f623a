//! What the map or the job's policy says of a collection's own rows. Pure.

use super::Brief;
use super::limits::{is_labelled, limited};
use super::overwrite::{Overwrite, overwrites};
use crate::datamap::{Collection, Field, Masking, Node, OnErasure, RetainWhen, RuleAction, category_matches};

/// What happens to rows that the subject alone owns.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule {
    /// Nobody has said.
    Undecided,
    /// Delete them.
    Delete,
    /// Overwrite these columns, or parts of them.
    Mask(Vec<Overwrite>),
    /// Clear what leads to the subject.
    Unlink,
    /// Keep them: the controller's decision, or outside the job's policy or categories.
    Keep,
}

/// The rule of a node under this job. What the job's categories leave out is not spoken of at all: a collection whose own label matches goes as
/// the map says, of any other nothing changes but the fields that are labelled.
pub(super) fn rule_for(brief: &Brief<'_>, node: &Node) -> Rule {
    let Some(collection) = brief.map.collection(&node.dataset, &node.collection) else { return Rule::Undecided };
    if brief.categories.is_empty() || is_labelled(&collection.data_categories, brief.categories) {
        return match brief.policy {
            Some(policy) => by_policy(collection, policy),
            None => by_map(collection),
        };
    }
    let Some(collection) = limited(collection, brief.categories) else { return Rule::Keep };
    match brief.policy {
        Some(policy) => by_policy(&collection, policy),
        None => in_fields(&collection),
    }
}

/// Of rows of which only some fields are asked for: deleting the row would take the others along, and untying it is left to the columns that
/// are among them.
fn in_fields(collection: &Collection) -> Rule {
    match by_map(collection) {
        Rule::Mask(masks) if masks.is_empty() => Rule::Keep,
        Rule::Delete | Rule::Unlink => Rule::Keep,
        rule => rule,
    }
}

/// Rows that a statutory duty keeps, whatever the rule.
pub(super) fn duties<'m>(brief: &Brief<'m>, node: &Node) -> &'m [RetainWhen] {
    brief.map.collection(&node.dataset, &node.collection).map(|c| c.retain_when.as_slice()).unwrap_or_default()
}

fn by_map(collection: &Collection) -> Rule {
    match collection.on_erasure {
        None if collection.delete_override => Rule::Delete,
        None => Rule::Undecided,
        Some(OnErasure::Delete) => Rule::Delete,
        Some(OnErasure::Unlink) => Rule::Unlink,
        Some(OnErasure::Keep) => Rule::Keep,
        Some(OnErasure::Mask) => Rule::Mask(overwrites(collection, &|field| field.mask.clone())),
    }
}

fn by_policy(collection: &Collection, policy: &crate::datamap::Policy) -> Rule {
    let strategy_of = |field: &Field| policy_mask(field, policy);
    if collection.delete_override && collection.fields.iter().any(|field| is_touched(field, &strategy_of)) {
        return Rule::Delete;
    }
    let masks = overwrites(collection, &strategy_of);
    if masks.is_empty() { Rule::Keep } else { Rule::Mask(masks) }
}

/// Whether a policy speaks of a field that may be written, or of a part of it.
fn is_touched(field: &Field, strategy_of: &dyn Fn(&Field) -> Option<Masking>) -> bool {
    !field.read_only && (strategy_of(field).is_some() || field.fields.iter().any(|sub| is_touched(sub, strategy_of)))
}

/// The first rule whose target the field's label matches; the field's own strategy comes before the rule's.
pub(super) fn policy_mask(field: &Field, policy: &crate::datamap::Policy) -> Option<Masking> {
    for rule in &policy.rules {
        let RuleAction::Erasure(masking) = &rule.action else { continue };
        let hit = |label: &String| rule.targets.iter().any(|target| category_matches(target, label));
        if field.data_categories.iter().any(hit) {
            return Some(field.mask.clone().unwrap_or_else(|| masking.clone()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::datamap::{self, Policy};

    const MAP: &str = "dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: mask}
        fields:
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email, masking_strategy_override: {strategy: null_rewrite}}}
          - {name: tax_no, data_categories: [user.contact], fides_meta: {read_only: true, masking_strategy_override: {strategy: null_rewrite}}}
policy:
  - fides_key: contact
    rules:
      - {name: r, action_type: erasure, targets: [user.contact], masking_strategy: {strategy: null_rewrite}}
";

    fn masked(rule: &Rule) -> Vec<&str> {
        match rule {
            Rule::Mask(columns) => columns.iter().map(|overwrite| overwrite.column.as_str()).collect(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_read_only_field_is_written_neither_by_the_map_nor_by_a_policy() {
        let loaded =
            datamap::parse(&[(PathBuf::from("app.yml"), MAP.to_owned())], false).unwrap_or_else(|errors| panic!("{errors}"));
        let collection = loaded.map.collection("app", "users").unwrap();
        let policy: &Policy = loaded.map.policy("contact").unwrap();
        assert_eq!(masked(&by_map(collection)), ["email"]);
        assert_eq!(masked(&by_policy(collection, policy)), ["email"]);
    }
}
