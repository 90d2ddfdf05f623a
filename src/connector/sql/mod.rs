//! SQL databases as sources: PostgreSQL, SQLite, MySQL and MariaDB. `text/` builds every statement, `snapshot` gathers, `eraser` erases, `readback` verifies.

mod carry;
mod catalogue;
mod chained;
mod check;
mod clearing;
mod cut_tally;
pub mod decode;
mod eraser;
pub mod hazards;
mod introspect;
mod introspect_mysql;
mod introspect_mysql_rules;
#[cfg(test)]
mod introspect_mysql_tests;
mod introspect_postgres;
mod introspect_postgres_rules;
mod introspect_sqlite;
mod introspect_sqlite_text;
#[cfg(test)]
mod introspect_tests;
mod killer;
mod location;
mod readback;
mod snapshot;
mod source;
pub mod text;
mod trigger;
mod types;
mod words;

pub use catalogue::*;
pub use check::{check_live, check_sight};
pub use clearing::columns_to_clear;
pub use cut_tally::CutTally;
pub use eraser::{Applied, EraseError, EraseSession, Idle, SqlBatch};
pub use introspect::{load_catalogue, schema_version};
pub use location::{Inbound, Location, RowKey, inbound_keys, mapped_references};
pub use readback::{ReadBack, Seen};
pub use snapshot::{Reader, Snapshot, SnapshotError, Tally};
pub use source::{SourceError, SqlAddress, SqlSource};
pub use trigger::{Effect, Swallows, Trigger};
