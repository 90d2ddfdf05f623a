//! Where personal data lives: Fideslang dataset YAML plus our `habeas:` keys. Pure but for [`load`], which reads files: it knows no database.
//!
//! `tree` (YAML with lines) ─> `fideslang`, `extension`, `policy`, `masking` (decode) ─> `check` (names hang together) ─> [`DataMap`]

mod check;
mod error;
mod extension;
mod fideslang;
mod finding;
mod load;
mod masking;
mod model;
mod parse;
mod policy;
mod predicate;
mod reader;
mod taxonomy;
mod tree;
mod until;

pub use error::{Loaded, MapError, MapErrors, MapWarning};
pub use finding::{Finding, Severity};
pub use load::load;
pub use model::*;
pub use parse::parse;
pub use predicate::{Operator, Predicate};
pub use taxonomy::Taxonomy;
