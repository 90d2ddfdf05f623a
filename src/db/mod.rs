//! A thin layer over sqlx that lets the same code work with SQLite, PostgreSQL and MySQL: arguments and records without the driver's types.
//! Both the ledger and the SQL connector use it. It never builds SQL; it counts placeholders, because SQLite binds a missing
//! parameter as NULL without a word.

mod arg;
mod conn;
mod error;
mod mysql;
#[cfg(test)]
mod mysql_tests;
mod pool;
mod record;
mod sql;
#[cfg(test)]
pub(crate) mod testing;

pub use arg::Arg;
pub use conn::{Conn, Handle, Tx};
pub use error::DbError;
pub use pool::{Db, Dialect, PoolOptions};
pub use record::{Record, Stored};
pub use sql::Sql;
