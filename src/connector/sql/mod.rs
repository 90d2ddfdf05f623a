//! SQL databases as sources: PostgreSQL and SQLite. `text/` builds every statement, `snapshot` gathers, `eraser` erases, `readback` verifies.

mod catalogue;
mod check;
mod clearing;
pub mod decode;
mod eraser;
mod introspect;
mod introspect_postgres;
mod introspect_sqlite;
#[cfg(test)]
mod introspect_tests;
mod killer;
mod location;
mod readback;
mod snapshot;
mod source;
pub mod text;
mod types;

pub use catalogue::*;
pub use check::check_live;
pub use clearing::columns_to_clear;
pub use eraser::{Applied, EraseError, EraseSession, Idle, SqlBatch};
pub use introspect::load_catalogue;
pub use location::{Inbound, Location, RowKey, inbound_keys, mapped_references};
pub use readback::{ReadBack, Seen};
pub use snapshot::{Reader, Snapshot, SnapshotError, Tally};
pub use source::{SourceError, SqlAddress, SqlSource};
