//! What a legal hold covers. A scope that cannot be evaluated covers everything it might (H-1: unknown means held).

use serde::{Deserialize, Serialize};

use crate::datamap::Predicate;
use crate::subject::Subject;

/// The records that a hold keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
