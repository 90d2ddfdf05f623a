//! Where personal data lives: Fideslang dataset YAML plus our `habeas:` keys. Pure but for [`load()`], which reads files: it knows no database.
//!
//! `tree` (YAML with lines) ─> `fideslang`, `extension`, `policy`, `masking` (decode) ─> `check` (names hang together) ─> [`DataMap`]
//! ─> `graph` (where data flows) ─> `lint` (what is unwise)

mod acceptance;
mod check;
mod edge_words;
mod error;
mod extension;
mod fideslang;
mod finding;
mod graph;
mod legal_basis;
mod lint;
mod load;
mod masking;
mod model;
mod objects;
mod parse;
mod paste;
mod policy;
mod policy_use;
mod predicate;
mod reader;
mod record;
mod row_format;
mod sub_fields;
mod systems;
mod taxonomy;
mod template;
#[cfg(test)]
mod tests;
mod tree;
mod until;
mod vocabulary;

pub use acceptance::{Acceptance, Accepted, apply_acceptances};
pub use error::{Loaded, MapError, MapErrors, MapWarning};
pub use finding::{Code, Finding, Severity};
pub use graph::{Edge, Graph, IdentityField, NamedBy, NamingField, Node, NodeId, ObjectPlace, RowPlace, Spot};
pub use legal_basis::{is_basis_for_special_categories, legal_bases, legal_basis_words, suggest_legal_basis};
pub use lint::{lint, whom};
pub use load::load;
pub use model::*;
pub use objects::{Locate, Objects};
pub use parse::parse;
pub use paste::{reference_fields, yaml_name};
pub use policy_use::unlabelled;
pub use predicate::{Operator, Predicate};
pub use record::{Declaration, Record, System, Transfer};
pub use row_format::RowFormat;
pub use taxonomy::Taxonomy;
pub use template::{Piece, Template, TemplateError};
pub use vocabulary::Vocabulary;
