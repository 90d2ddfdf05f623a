//! What the map alone shows to be unwise or unfinished, before any database is asked. Errors block plans, warnings do not.
//! It never looks at data and never repairs a map: it says what to write.

mod objects;
mod order;
mod ownership;
mod rows;
pub mod whom;
mod words;

use super::{
    Code, Collection, DataMap, Dataset, Direction, Edge, Field, Finding, Graph, Node, OnErasure, Place, Predicate, Reference,
    Severity, category_matches, yaml_name,
};

/// All findings, in the order of collections and fields.
pub fn lint(map: &DataMap, graph: &Graph) -> Vec<Finding> {
    let mut findings = Vec::new();
    let reached = graph.reachable(None);
    for (node, is_reached) in graph.nodes.iter().zip(reached) {
        let Some(collection) = map.collection(&node.dataset, &node.collection) else { continue };
        findings.extend(match is_reached {
            true => undecided(node, collection),
            false => Some(unreachable(node, collection)),
        });
        findings.extend(whom::check(graph, node, collection));
        findings.extend(mask_without_fields(node, collection));
        findings.extend(pseudonymised_fields(node, collection));
        findings.extend(super::sub_fields::findings(node, collection));
        findings.extend(unmapped_retention_columns(node, collection));
        findings.extend(owned_by_default(map, node, collection));
        findings.extend(words::legal_basis(node, collection));
    }
    findings.extend(objects::check(map, graph));
    findings.extend(rows::check(map, graph));
    findings.extend(ownership::check(map, graph));
    findings.extend(order::check(map));
    for edge in graph.edges.iter().chain(&graph.ignored) {
        let reached = &graph.nodes[edge.to.0];
        let Some((dataset, collection)) = dataset_and_collection(map, reached) else { continue };
        findings.extend(unknown_hidden_fields(dataset, collection, edge));
        findings.extend(unmapped_edge_columns(dataset, collection, edge));
        findings.extend(unlink_at_the_wrong_end(dataset, collection, edge));
    }
    findings.extend(super::policy_use::findings(map));
    findings
}

fn dataset_and_collection<'m>(map: &'m DataMap, node: &Node) -> Option<(&'m Dataset, &'m Collection)> {
    Some((map.dataset(&node.dataset)?, map.collection(&node.dataset, &node.collection)?))
}

fn undecided(node: &Node, collection: &Collection) -> Option<Finding> {
    if collection.on_erasure.is_some() || collection.delete_override {
        return None;
    }
    // A map that says "undecided" is a draft that somebody knows of. The plan is blocked all the same (P-1).
    let (severity, problem) = match collection.knowingly_undecided {
        true => (Severity::Warning, "what erasure does to these rows is still to be decided"),
        false => (Severity::Error, "the map does not say what erasure does to these rows"),
    };
    Some(Finding {
        severity,
        code: Code::UndecidedCollection,
        write: Some("habeas: {on_erasure: delete}".into()),
        place: Some(collection.place.clone()),
        subject: node.name(),
        problem: problem.into(),
        why: "a person's rows are found here, and a plan with an undecided item cannot be approved".into(),
        hint: "write `habeas: {on_erasure: delete}` (or mask, unlink, keep) on the collection".into(),
    })
}

fn unreachable(node: &Node, collection: &Collection) -> Finding {
    let is_personal = has_personal_labels(collection);
    let hint =
        "write `fides_meta: {identity: ..}` on a field that holds an identifier, or `references` to a collection that is reached";
    Finding {
        severity: if is_personal { Severity::Error } else { Severity::Warning },
        code: Code::UnreachableCollection,
        write: (!is_personal).then(|| "fides_meta: {skip_processing: true}".into()),
        place: Some(collection.place.clone()),
        subject: node.name(),
        problem: match is_personal {
            true => "it is labelled as personal data, but no identity reaches it".into(),
            false => "no identity reaches it".into(),
        },
        why: "its rows are never found, so they are neither handed over nor erased".into(),
        hint: format!("{hint}; if it holds nothing personal, `fides_meta: {{skip_processing: true}}`"),
    }
}

fn has_personal_labels(collection: &Collection) -> bool {
    fn personal(labels: &[String]) -> bool {
        labels.iter().any(|label| category_matches("user", label))
    }
    fn in_fields(fields: &[Field]) -> bool {
        fields.iter().any(|field| personal(&field.data_categories) || in_fields(&field.fields))
    }
    personal(&collection.data_categories) || in_fields(&collection.fields)
}

fn mask_without_fields(node: &Node, collection: &Collection) -> Option<Finding> {
    if collection.on_erasure != Some(OnErasure::Mask) || collection.fields.iter().any(Field::is_overwritten) {
        return None;
    }
    Some(Finding {
        severity: Severity::Error,
        code: Code::MaskWithoutFields,
        write: Some("fides_meta: {masking_strategy_override: {strategy: null_rewrite}}".into()),
        place: Some(collection.place.clone()),
        subject: node.name(),
        problem: "`on_erasure: mask`, but no field says how it is overwritten".into(),
        why: "erasure would change nothing here and the data would stay".into(),
        hint: "write `fides_meta: {masking_strategy_override: {strategy: null_rewrite}}` on each field to clear".into(),
    })
}

fn pseudonymised_fields<'m>(node: &'m Node, collection: &'m Collection) -> impl Iterator<Item = Finding> + 'm {
    collection.fields.iter().filter_map(|field| {
        let mask = field.mask.as_ref().filter(|mask| mask.is_pseudonymisation())?;
        Some(Finding {
            severity: Severity::Warning,
            code: Code::PseudonymisedField,
            write: Some("fides_meta: {masking_strategy_override: {strategy: null_rewrite}}".into()),
            place: Some(field.place.clone()),
            subject: format!("{}.{}", node.name(), field.name),
            problem: format!("`{}` is pseudonymisation, not erasure", mask.name()),
            why: "what it writes can be tied to the person again with a kept key or by guessing (Art. 4(5)); the certificate will say so".into(),
            hint: "use `null_rewrite` or `random_string_rewrite`, or delete the row".into(),
        })
    })
}

/// Rows that a person's row points at (a product, a city) are often everybody's. O-1 still asks each row who owns it, but a row that only
/// one person points at today would pass.
fn owned_by_default(map: &DataMap, node: &Node, collection: &Collection) -> Vec<Finding> {
    let mut findings = Vec::new();
    for field in &collection.fields {
        let silent = |reference: &&Reference| reference.direction == Direction::To && reference.words.right.is_none();
        for reference in field.references.iter().filter(silent) {
            let Some(target) = map.collection(&reference.dataset, &reference.collection) else { continue };
            let is_changed = target.delete_override || matches!(target.on_erasure, Some(OnErasure::Delete | OnErasure::Mask));
            if !is_changed {
                continue;
            }
            findings.push(Finding {
                severity: Severity::Warning,
                code: Code::OwnedByDefault,
                write: Some("habeas: {right: none}".into()),
                place: Some(reference.place.clone()),
                subject: format!("{}.{}", node.name(), field.name),
                problem: format!("it gives the person rows of {}.{} without saying so", reference.dataset, reference.collection),
                why: "a row that a person's row points at may be common to all; taken for theirs, it is erased with them".into(),
                hint: "write `habeas: {right: owns}` if such a row belongs to the person, else `right: accesses` or `right: none`"
                    .into(),
            });
        }
    }
    findings
}

fn unmapped_retention_columns(node: &Node, collection: &Collection) -> Vec<Finding> {
    let mut findings = Vec::new();
    for duty in &collection.retain_when {
        let until = duty.until.iter().map(|until| until.column.as_str());
        for column in unmapped(collection, duty.r#where.columns().into_iter().chain(until)) {
            let why =
                "if the table does not have it either, the rows that the law keeps cannot be told apart, and the plan refuses";
            findings.push(unmapped_column(&node.name(), &collection.place, column, "retain_when", why));
        }
    }
    findings
}

fn unmapped_edge_columns(dataset: &Dataset, collection: &Collection, edge: &Edge) -> Vec<Finding> {
    let name = format!("{}.{}", dataset.fides_key, collection.name);
    let why = "if the table does not have it either, the edge cannot be followed";
    let columns = edge.filter.iter().flat_map(Predicate::columns);
    unmapped(collection, columns).map(|column| unmapped_column(&name, &edge.place, column, "where", why)).collect()
}

/// Each column that the collection does not list, once.
fn unmapped<'c>(collection: &Collection, columns: impl Iterator<Item = &'c str>) -> impl Iterator<Item = &'c str> {
    let missing: std::collections::BTreeSet<&str> = columns.filter(|column| collection.field(column).is_none()).collect();
    missing.into_iter()
}

fn unmapped_column(collection: &str, place: &Place, column: &str, key: &str, why: &str) -> Finding {
    Finding {
        severity: Severity::Warning,
        code: Code::UnmappedColumn,
        write: Some(format!("- {{name: {}}}", yaml_name(column))),
        place: Some(place.clone()),
        subject: format!("{collection}.{column}"),
        problem: format!("`{key}` names a column that the map does not list"),
        why: why.into(),
        hint: format!("correct the name, or add `- name: {column}` to the fields of {collection}"),
    }
}

fn unknown_hidden_fields<'m>(
    dataset: &'m Dataset,
    collection: &'m Collection,
    edge: &'m Edge,
) -> impl Iterator<Item = Finding> + 'm {
    edge.hide.iter().filter(|name| collection.field(name).is_none()).map(move |name| {
        let known = collection.fields.iter().map(|field| field.name.as_str());
        let suggestion = super::taxonomy::did_you_mean(name, known);
        Finding {
            severity: Severity::Error,
            code: Code::UnknownHiddenField,
            write: None,
            place: Some(edge.place.clone()),
            subject: format!("{}.{}.{name}", dataset.fides_key, collection.name),
            problem: "`hide` names a field that the reached collection does not have".into(),
            why: "the field that was meant would be handed to a person who may not see it".into(),
            hint: suggestion.unwrap_or_else(|| format!("name a field of {}.{}", dataset.fides_key, collection.name)),
        }
    })
}

/// A reference with `direction: to` leads away from its field, so nothing at the reached end can be cleared.
fn unlink_at_the_wrong_end(dataset: &Dataset, collection: &Collection, edge: &Edge) -> Option<Finding> {
    if !edge.unlink || edge.declared_on_to {
        return None;
    }
    Some(Finding {
        severity: Severity::Error,
        code: Code::UnlinkAtTheWrongEnd,
        write: None,
        place: Some(edge.place.clone()),
        subject: format!("{}.{}", dataset.fides_key, collection.name),
        problem: "`on_erasure: unlink` stands on a field that leads to these rows, not on a field of theirs".into(),
        why: "unlinking clears the columns of the reached row that name the person; this row has none".into(),
        hint: "remove `on_erasure: unlink` here, or declare the reference with `direction: from` on the other side".into(),
    })
}
