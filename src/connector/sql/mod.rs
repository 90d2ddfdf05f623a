//! SQL databases as sources: PostgreSQL and SQLite.

mod catalogue;
mod check;
mod introspect;
mod introspect_postgres;
mod introspect_sqlite;
#[cfg(test)]
mod introspect_tests;
pub(crate) mod quote;
mod types;

pub use catalogue::*;
pub use check::check_live;
pub use introspect::load_catalogue;
