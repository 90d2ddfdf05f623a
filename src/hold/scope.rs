//! What a legal hold covers. A scope that cannot be evaluated covers everything it might (H-1: unknown means held).

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::datamap::Predicate;
use crate::subject::Subject;

/// The records that a hold keeps.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Scope {
    /// Everything of one person, by any alias.
    Subject(Subject),
    /// One record, by its primary key written as text, in the order of the key's columns.
    Record {
        /// Dataset of the data map.
        dataset: String,
        /// Collection of the dataset.
        collection: String,
        /// The primary key's values as text.
        key: Vec<String>,
    },
    /// A whole collection, whoever its rows belong to, later rows too.
    Collection {
        /// Dataset of the data map.
        dataset: String,
        /// Collection of the dataset.
        collection: String,
    },
    /// Rows of a collection for which a predicate is true or unknown, evaluated at execution, later rows too.
    Predicate {
        /// Dataset of the data map.
        dataset: String,
        /// Collection of the dataset.
        collection: String,
        /// The condition.
        r#where: Predicate,
    },
    /// Everything, of everybody.
    Everything {},
}

impl Scope {
    /// The kind of scope, for lists: says nothing about anybody.
    pub fn kind(&self) -> &'static str {
        match self {
            Scope::Subject(_) => "subject",
            Scope::Record { .. } => "record",
            Scope::Collection { .. } => "collection",
            Scope::Predicate { .. } => "predicate",
            Scope::Everything {} => "everything",
        }
    }

    /// Dataset and collection, where the scope names them.
    pub fn place(&self) -> Option<(&str, &str)> {
        match self {
            Scope::Record { dataset, collection, .. }
            | Scope::Collection { dataset, collection }
            | Scope::Predicate { dataset, collection, .. } => Some((dataset, collection)),
            Scope::Subject(_) | Scope::Everything {} => None,
        }
    }
}

/// Keys and the values of conditions may name a person (S-1).
impl fmt::Debug for Scope {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.place() {
            Some((dataset, collection)) => write!(formatter, "Scope({} of {dataset}.{collection})", self.kind()),
            None => write!(formatter, "Scope({})", self.kind()),
        }
    }
}
