//! Where personal data lives: Fideslang dataset YAML plus our `habeas:` keys. Pure: it reads text and knows no database.

mod model;
mod predicate;

pub use model::*;
pub use predicate::{Operator, Predicate};
