//! Finding everything about one person: resolve the identifiers, then follow the edges of the data map to a fix-point, across sources.
//! It reads; it decides nothing about what happens to the rows.

mod claims;
mod names;
mod objects;
mod ownership;
mod resolve;
mod row_names;
mod several;
mod traverse;

pub use claims::OtherSpellings;
pub use names::names_of;
pub use objects::{Found, Named, ObjectError};
pub use row_names::NamesFound;
pub use traverse::{GatherError, Gathering, Unreached};
