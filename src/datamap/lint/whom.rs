//! Identities inside JSON beside others of the same rows. An account knows its holder by a column, and in its JSON an emergency contact, an
//! invited friend, whoever pays: taken for the holder, they would be handed the account and could have it erased with everything that hangs on
//! it (O-1). Only the map can say whom they name; this says what to write, and never guesses.

use crate::datamap::{Code, Collection, Field, Finding, Graph, IdentityField, Node, Severity};

pub(super) fn check(graph: &Graph, node: &Node, collection: &Collection) -> Vec<Finding> {
    node.left_open().into_iter().map(|(inside, other)| finding(graph, node, collection, inside, other)).collect()
}

fn finding(graph: &Graph, node: &Node, collection: &Collection, inside: &IdentityField, other: &IdentityField) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::NamesUndecided,
        place: Some(field_of(collection, inside).map_or_else(|| collection.place.clone(), |field| field.place.clone())),
        subject: format!("{}.{}", node.name(), inside.name()),
        problem: format!(
            "it names a person inside JSON, and `{}` in the same row names one: nobody has said whether they are the same",
            other.name()
        ),
        why: WHY.into(),
        hint: what_to_say(&inside.name()),
        write: known_by(graph, node, inside).map(|(people, column)| reference_to(people, &column.column)),
    }
}

/// Why it matters that two names of one row may be two people's.
pub const WHY: &str = "an emergency contact or an invited friend would be taken for the one whose record it is: it would be handed to them and \
                       erased for them, with everything that hangs on it";

/// What the map can say of a field that may name somebody else than the rest of the row.
pub fn what_to_say(field: &str) -> String {
    format!(
        "where all identifiers of a row are always one person's, write `habeas: {{names: account}}` on the collection, or `one_person` where a \
         person has many rows; where they may be several people's, `habeas: {{names: several}}`: each of them is then shown the row, and it goes \
         with the last of them; where `{field}` is always somebody else's, write a reference there in the place of the identity, which is \
         cleared for whom it names and shows them nothing"
    )
}

/// A reference that is cleared for whom it names, and shows them nothing.
pub fn reference_to(people: &Node, column: &str) -> String {
    format!(
        "fides_meta: {{references: [{{dataset: {}, field: {}.{column}, direction: from}}]}}, habeas: {{right: none, on_erasure: unlink}}",
        people.dataset, people.collection
    )
}

/// By which column people of that kind of identifier are known: in the same rows, or else in another collection of the source. Values inside
/// JSON are compared with no other source.
fn known_by<'g>(graph: &'g Graph, node: &'g Node, inside: &IdentityField) -> Option<(&'g Node, &'g IdentityField)> {
    let others = graph.nodes.iter().filter(|other| other.source == node.source);
    std::iter::once(node).chain(others).find_map(|people| {
        let is_column = |field: &&IdentityField| field.path.is_empty() && field.kind == inside.kind;
        Some((people, people.identities.iter().find(is_column)?))
    })
}

fn field_of<'m>(collection: &'m Collection, inside: &IdentityField) -> Option<&'m Field> {
    let column = collection.field(&inside.column)?;
    inside.path.iter().try_fold(column, |field, key| field.fields.iter().find(|sub| sub.name == *key))
}
