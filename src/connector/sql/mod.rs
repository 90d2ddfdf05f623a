//! SQL databases as sources: PostgreSQL and SQLite. `text/` builds every statement, `snapshot` gathers, `eraser` erases, `readback` verifies.

mod catalogue;
pub mod decode;
pub mod introspect;
mod location;
mod snapshot;
mod source;
pub mod text;

pub use catalogue::*;
pub use location::{Inbound, Location, RowKey, inbound_keys};
pub use snapshot::{Reader, Snapshot, SnapshotError, Tally};
pub use source::{SourceError, SqlAddress, SqlSource};
