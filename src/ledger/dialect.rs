//! The one difference in ledger statements apart from claiming and waking: on PostgreSQL a row that is read in order to be changed has
//! to be locked. A SQLite transaction of ours holds the only write lock from its beginning and needs no suffix.

/// A SELECT in both forms, chosen by dialect; both are literals, so that no SQL is put together at run time.
macro_rules! locking {
    ($dialect:expr, $($select:tt)+) => {
        match $dialect {
            $crate::db::Dialect::Sqlite => concat!($($select)+),
            // A ledger is never MySQL: `Ledger::open` refuses it.
            $crate::db::Dialect::Postgres | $crate::db::Dialect::MySql => concat!($($select)+, " FOR UPDATE"),
        }
    };
}

pub(crate) use locking;
