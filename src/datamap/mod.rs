//! Where personal data lives: Fideslang dataset YAML plus our `habeas:` keys. Pure but for [`load()`], which reads files: it knows no database.
//!
//! `tree` (YAML with lines) ─> `fideslang`, `extension`, `policy`, `masking` (decode) ─> `check` (names hang together) ─> [`DataMap`]
//! ─> `graph` (where data flows) ─> `lint` (what is unwise)

mod check;
mod edge_words;
mod error;
mod extension;
mod fideslang;
mod finding;
mod graph;
mod lint;
mod load;
mod masking;
mod model;
mod parse;
mod policy;
mod predicate;
mod reader;
mod taxonomy;
#[cfg(test)]
mod tests;
mod tree;
mod until;

pub use error::{Loaded, MapError, MapErrors, MapWarning};
pub use finding::{Code, Finding, Severity};
pub use graph::{Edge, Graph, IdentityField, Node, NodeId};
pub use lint::lint;
pub use load::load;
pub use model::*;
pub use parse::parse;
pub use predicate::{Operator, Predicate};
pub use taxonomy::Taxonomy;
