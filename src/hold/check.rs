//! A hold that may be placed: its scope is checked against the data map, because a scope that names nothing would silently keep
//! nothing. Also works out by which aliases a subject's hold matches. Nothing else can make a [`NewHold`].

use jiff::civil::Date;
use thiserror::Error;

use super::{HoldFile, Matter, Reason, Scope};
use crate::counted::counted;
use crate::datamap::{Collection, DataMap, Field};
use crate::subject::{Identifier, NormalForm, Subject};
use crate::suggest;

/// Why a scope cannot be placed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ScopeError {
    /// Not in the data map.
    #[error("the data map has no dataset `{0}`")]
    UnknownDataset(String),
    /// Not in the data map.
    #[error("the data map has no collection `{dataset}.{collection}`")]
    UnknownCollection {
        /// Dataset as given.
        dataset: String,
        /// Collection as given.
        collection: String,
    },
    /// Not in the data map.
    #[error("the data map has no field `{column}` in `{dataset}.{collection}`")]
    UnknownColumn {
        /// Dataset as given.
        dataset: String,
        /// Collection as given.
        collection: String,
        /// Column of the condition.
        column: String,
    },
    /// The key has another number of parts than the map's primary key.
    #[error(
        "the key of `{dataset}.{collection}` has {} and {} given",
        counted(*expected, "part", "parts"),
        counted(*given, "is", "are")
    )]
    KeyParts {
        /// Dataset as given.
        dataset: String,
        /// Collection as given.
        collection: String,
        /// Parts of the primary key; at least 1.
        expected: usize,
        /// Parts given.
        given: usize,
    },
    /// An identifier by which nobody could be found.
    #[error("no field of the data map has the identity `{kind}`")]
    UnknownIdentity {
        /// The kind as given.
        kind: String,
        /// Kinds that the map declares.
        known: Vec<String>,
    },
}

impl ScopeError {
    /// What to do about it.
    pub fn hint(&self) -> String {
        let ScopeError::UnknownIdentity { kind, known } = self else {
            return "a scope names what the data map has: `habeas map graph` lists it".into();
        };
        let meant = suggest::nearest(kind, known.iter().map(String::as_str));
        let meant = meant.map(|kind| format!("did you mean `{kind}`? ")).unwrap_or_default();
        format!("{meant}the data map declares: {}", known.join(", "))
    }
}

/// A checked hold, ready to be placed.
#[derive(Debug, Clone)]
pub struct NewHold {
    matter: Matter,
    reason: Reason,
    scope: Scope,
    aliases: Vec<Identifier>,
    review_on: Option<Date>,
}

impl NewHold {
    /// Checks a hold file against the map. `resolved` are further aliases of the subject that were found in the sources: they keep the
    /// hold true when the person changes an e-mail address later.
    pub fn check(file: HoldFile, map: &DataMap, resolved: &[Identifier]) -> Result<NewHold, ScopeError> {
        check_scope(&file.scope, map)?;
        let mut aliases = match &file.scope {
            Scope::Subject(subject) => aliases_of(subject, map)?,
            _ => Vec::new(),
        };
        if !aliases.is_empty() {
            aliases.extend(resolved.iter().flat_map(|identifier| in_all_forms(identifier, map)));
        }
        aliases.sort();
        aliases.dedup();
        Ok(NewHold { matter: file.matter, reason: file.reason, scope: file.scope, aliases, review_on: file.review_on })
    }

    /// The matter.
    pub fn matter(&self) -> &Matter {
        &self.matter
    }

    /// The reason.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// What it covers.
    pub fn scope(&self) -> &Scope {
        &self.scope
    }

    /// Every identifier by which a subject's hold matches; empty for other scopes.
    pub fn aliases(&self) -> &[Identifier] {
        &self.aliases
    }

    /// When somebody should look at it again.
    pub fn review_on(&self) -> Option<Date> {
        self.review_on
    }
}

/// Whether the map knows what a scope names. A stored scope that fails here (a collection renamed since) counts as everything.
pub(super) fn check_scope(scope: &Scope, map: &DataMap) -> Result<(), ScopeError> {
    let Some((dataset, collection)) = scope.place() else {
        return Ok(());
    };
    if map.dataset(dataset).is_none() {
        return Err(ScopeError::UnknownDataset(dataset.to_owned()));
    }
    let (dataset, collection) = (dataset.to_owned(), collection.to_owned());
    let Some(found) = map.collection(&dataset, &collection) else {
        return Err(ScopeError::UnknownCollection { dataset, collection });
    };
    match scope {
        Scope::Record { key, .. } => {
            let expected = key_parts(found).max(1);
            let unmapped_key = key_parts(found) == 0;
            if key.is_empty() || (!unmapped_key && key.len() != expected) {
                return Err(ScopeError::KeyParts { dataset, collection, expected, given: key.len() });
            }
        }
        Scope::Predicate { r#where, .. } => {
            if let Some(column) = r#where.columns().into_iter().find(|column| found.field(column).is_none()) {
                return Err(ScopeError::UnknownColumn { dataset, collection, column: column.to_owned() });
            }
        }
        Scope::Subject(_) | Scope::Collection { .. } | Scope::Everything {} => {}
    }
    Ok(())
}

fn key_parts(collection: &Collection) -> usize {
    collection.fields.iter().filter(|field| field.primary_key).count()
}

/// Each identifier as given and in every normal form that the map declares for its kind (I-1).
fn aliases_of(subject: &Subject, map: &DataMap) -> Result<Vec<Identifier>, ScopeError> {
    let mut aliases = Vec::new();
    for identifier in subject.identifiers() {
        if normal_forms(&identifier.kind, map).is_empty() {
            return Err(ScopeError::UnknownIdentity { kind: identifier.kind.clone(), known: declared_kinds(map) });
        }
        aliases.extend(in_all_forms(identifier, map));
    }
    Ok(aliases)
}

fn in_all_forms(identifier: &Identifier, map: &DataMap) -> Vec<Identifier> {
    let normal = normal_forms(&identifier.kind, map).into_iter().map(|form| form.apply(identifier.expose()));
    let mut forms: Vec<Identifier> = normal.map(|value| Identifier::new(identifier.kind.clone(), value)).collect();
    forms.push(identifier.clone());
    forms
}

fn declared_kinds(map: &DataMap) -> Vec<String> {
    fn collect(fields: &[Field], kinds: &mut Vec<String>) {
        for field in fields {
            kinds.extend(field.identity.clone());
            collect(&field.fields, kinds);
        }
    }
    let mut kinds = Vec::new();
    for collection in map.datasets.iter().flat_map(|dataset| &dataset.collections) {
        collect(&collection.fields, &mut kinds);
    }
    kinds.sort();
    kinds.dedup();
    kinds
}

fn normal_forms(kind: &str, map: &DataMap) -> Vec<NormalForm> {
    fn collect(fields: &[Field], kind: &str, forms: &mut Vec<NormalForm>) {
        for field in fields {
            if field.identity.as_deref() == Some(kind) {
                forms.push(field.normal_form);
            }
            collect(&field.fields, kind, forms);
        }
    }
    let mut forms = Vec::new();
    for collection in map.datasets.iter().flat_map(|dataset| &dataset.collections) {
        collect(&collection.fields, kind, &mut forms);
    }
    forms
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    fn refused(scope: &str) -> ScopeError {
        let text = format!(r#"{{"matter": "M-1", "reason": "audit", "scope": {scope}}}"#);
        NewHold::check(HoldFile::parse(&text).unwrap(), &sample::map(), &[]).unwrap_err()
    }

    #[test]
    fn h_1_a_scope_that_names_nothing_is_not_placed() {
        let unknown = r#"{"collection": {"dataset": "app", "collection": "orders"}}"#;
        assert_eq!(refused(unknown), ScopeError::UnknownDataset("app".into()));
        let unknown = r#"{"collection": {"dataset": "app_db", "collection": "order"}}"#;
        assert!(matches!(refused(unknown), ScopeError::UnknownCollection { .. }));
        let unknown = r#"{"predicate": {"dataset": "app_db", "collection": "orders", "where": {"any": [{"totl": {"gt": 1}}]}}}"#;
        assert!(matches!(refused(unknown), ScopeError::UnknownColumn { column, .. } if column == "totl"));
        let unknown = r#"{"record": {"dataset": "app_db", "collection": "orders", "key": ["1", "2"]}}"#;
        assert!(matches!(refused(unknown), ScopeError::KeyParts { expected: 1, given: 2, .. }));
        let unknown = r#"{"subject": {"e-mail": "ada@example.com"}}"#;
        let refusal = refused(unknown);
        assert!(matches!(&refusal, ScopeError::UnknownIdentity { kind, .. } if kind == "e-mail"));
        assert!(refusal.hint().starts_with("did you mean `email`? the data map declares: email"), "{}", refusal.hint());
    }

    #[test]
    fn i_1_a_subject_is_held_as_given_in_normal_form_and_by_what_was_resolved() {
        let text = r#"{"matter": "M-1", "reason": "litigation", "scope": {"subject": {"email": "Ada@Example.com"}}}"#;
        let resolved = [Identifier::new("user_id", "42")];
        let hold = NewHold::check(HoldFile::parse(text).unwrap(), &sample::map(), &resolved).unwrap();
        let aliases: Vec<(&str, &str)> = hold.aliases().iter().map(|a| (a.kind.as_str(), a.expose())).collect();
        assert_eq!(aliases, [("email", "Ada@Example.com"), ("email", "ada@example.com"), ("user_id", "42")]);
        let text = r#"{"matter": "M-1", "reason": "litigation", "scope": {"subject": {"user_id": "42"}}}"#;
        let resolved = [Identifier::new("email", "Ada@Example.com")];
        let hold = NewHold::check(HoldFile::parse(text).unwrap(), &sample::map(), &resolved).unwrap();
        assert!(
            hold.aliases().contains(&Identifier::new("email", "ada@example.com")),
            "what was resolved is held in normal form too"
        );
    }
}
