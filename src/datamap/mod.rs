//! Where personal data lives: Fideslang dataset YAML plus our `habeas:` keys. Pure: it reads text and knows no database.

mod finding;
mod model;
mod predicate;

pub use finding::{Finding, Severity};
pub use model::*;
pub use predicate::{Operator, Predicate};
