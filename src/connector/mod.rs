//! The only code that talks to systems holding personal data.

pub mod objects;
mod sessions;
pub mod sql;

pub use sessions::Sessions;

use std::collections::BTreeMap;

/// Everything that is open.
#[derive(Clone, Copy)]
pub struct Systems<'a> {
    /// Databases by name.
    pub databases: &'a BTreeMap<String, sql::SqlSource>,
    /// Stores of objects by name.
    pub stores: &'a objects::Stores,
}
