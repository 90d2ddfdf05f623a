//! The identifiers of a job or a hold against the kinds that the data map declares. A misspelt kind finds nobody, and a stray space names
//! somebody else: the first is refused, the second is said, because a value counts byte for byte and such people exist (I-1). Kinds are
//! named and values never (S-1).

use std::collections::BTreeMap;

use super::IntakeError;
use crate::datamap::Graph;
use crate::subject::{Identifier, NormalForm, Subject};
use crate::suggest;

/// The kinds by which the map finds people, each with the normal forms of its fields.
fn kinds(graph: &Graph) -> BTreeMap<&str, Vec<NormalForm>> {
    let mut kinds: BTreeMap<&str, Vec<NormalForm>> = BTreeMap::new();
    for identity in graph.nodes.iter().flat_map(|node| &node.identities) {
        kinds.entry(&identity.kind).or_default().push(identity.normal_form);
    }
    kinds
}

/// Refuses a subject whom nothing of the map finds, and a kind that looks like a slip for one that the job does not give.
pub(super) fn refuse_what_finds_nobody(graph: &Graph, subject: &Subject) -> Result<(), IntakeError> {
    let kinds = kinds(graph);
    let unknown: Vec<&str> =
        subject.identifiers().iter().map(|given| given.kind.as_str()).filter(|kind| !kinds.contains_key(kind)).collect();
    let not_given = || kinds.keys().copied().filter(|kind| subject.of_kind(kind).is_none());
    let slip = unknown.iter().find_map(|kind| Some((*kind, suggest::nearest(kind, not_given())?)));
    let known = || kinds.keys().map(|kind| (*kind).to_owned()).collect();
    match slip {
        Some((kind, meant)) => Err(IntakeError::NoIdentity { kinds: kind.into(), meant: Some(meant.into()), known: known() }),
        None if unknown.len() == subject.identifiers().len() => {
            Err(IntakeError::NoIdentity { kinds: unknown.join(", "), meant: None, known: known() })
        }
        None => Ok(()),
    }
}

/// What about these identifiers is probably not meant so: kinds by which nothing is looked up, and spaces that count.
pub fn doubts(graph: &Graph, subject: &Subject) -> Vec<String> {
    let kinds = kinds(graph);
    let declared = || kinds.keys().copied().collect::<Vec<_>>().join(", ");
    let of_one = |given: &Identifier| match kinds.get(given.kind.as_str()) {
        None => Some(format!(
            "`subject.{}`: nothing is looked up by it, because the data map declares no identity of this kind; it declares: {}",
            given.kind,
            declared()
        )),
        Some(forms) => forms.iter().find_map(|form| stray(&form.apply(given.expose()))).map(|what| {
            format!(
                "`subject.{}` {what}: it counts, because values are compared byte for byte; without it this is another name",
                given.kind
            )
        }),
    };
    subject.identifiers().iter().filter_map(of_one).collect()
}

fn stray(value: &str) -> Option<&'static str> {
    let is_blank = |character: char| character.is_whitespace() || is_invisible(character);
    if value.starts_with(is_blank) {
        return Some("begins with a space or an invisible character");
    }
    if value.ends_with(is_blank) {
        return Some("ends with a space or an invisible character");
    }
    if value.contains(is_invisible) {
        return Some("has an invisible character in it");
    }
    (value.contains('@') && value.contains(char::is_whitespace)).then_some("is an address with a space in it")
}

/// Characters without a width, which come along when an address is copied from a page.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datamap::{IdentityField, Node};

    fn graph() -> Graph {
        let identity =
            |kind: &str, normal_form| IdentityField { column: kind.into(), path: Vec::new(), kind: kind.into(), normal_form };
        let node = Node {
            dataset: "app".into(),
            source: "app".into(),
            schema: None,
            collection: "users".into(),
            identities: vec![
                identity("email", NormalForm::AsciiLower),
                identity("user_id", NormalForm::Exact),
                identity("phone", NormalForm::E164),
            ],
            names: None,
        };
        Graph { nodes: vec![node], ..Graph::default() }
    }

    fn subject(given: &[(&str, &str)]) -> Subject {
        Subject::new(given.iter().map(|(kind, value)| Identifier::new(*kind, *value))).unwrap()
    }

    fn refused(given: &[(&str, &str)]) -> Option<(String, String)> {
        let error = refuse_what_finds_nobody(&graph(), &subject(given)).err()?;
        Some((error.to_string(), error.hint().unwrap_or_default()))
    }

    #[test]
    fn a_misspelt_kind_is_refused_with_the_kind_that_was_meant() {
        let (error, hint) = refused(&[("emial", "ada@example.com")]).unwrap();
        assert!(error.contains("`emial`") && !error.contains("ada@"), "{error}");
        assert_eq!(hint, "did you mean `email`? the data map declares: email, phone, user_id");
        let (error, hint) = refused(&[("email", "ada@example.com"), ("userid", "42")]).unwrap();
        assert!(error.contains("`userid`") && hint.starts_with("did you mean `user_id`?"), "beside a right one: {error} {hint}");
        let (error, hint) = refused(&[("passport", "X1")]).unwrap();
        assert!(error.contains("`passport`") && hint == "the data map declares: email, phone, user_id", "{error} {hint}");
    }

    #[test]
    fn a_kind_that_the_map_does_not_know_is_told_and_the_others_are_used() {
        let given = [("email", "ada@example.com"), ("passport", "X1")];
        assert_eq!(refused(&given), None);
        let told = doubts(&graph(), &subject(&given));
        assert!(told.len() == 1 && told[0].contains("`subject.passport`") && told[0].contains("email, phone, user_id"), "{told:?}");
        let given = [("email", "ada@example.com"), ("email2", "x")];
        assert_eq!(refused(&given), None, "what it resembles is given as well");
    }

    #[test]
    fn i_1_a_space_that_the_normal_form_does_not_drop_is_told_and_never_trimmed() {
        let told = |kind: &str, value: &str| doubts(&graph(), &subject(&[(kind, value)])).join("\n");
        for (kind, value, words) in [
            ("email", " ada@example.com", "begins with a space"),
            ("email", "ada@example.com ", "ends with a space"),
            ("email", "ada@example.com\u{a0}", "ends with a space"),
            ("email", "ada@example.com\u{feff}", "ends with"),
            ("email", "ada @example.com", "an address with a space in it"),
            ("email", "ada\u{200b}@example.com", "an invisible character in it"),
            ("user_id", "42 ", "ends with a space"),
        ] {
            let text = told(kind, value);
            assert!(text.contains(words) && text.contains(kind) && !text.contains("ada"), "{value:?}: {text}");
        }
        for (kind, value) in [("phone", " +43 1 23456 "), ("user_id", "Ada Lovelace"), ("email", "ada@example.com")] {
            assert_eq!(told(kind, value), "", "{value}");
        }
    }
}
