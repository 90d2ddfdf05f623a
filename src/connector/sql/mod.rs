//! SQL databases as sources: PostgreSQL and SQLite.

mod catalogue;

pub use catalogue::*;
