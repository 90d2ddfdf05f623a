//! Evidence for tests elsewhere in the crate, which cannot make any.

use jiff::{SignedDuration, Timestamp};

use super::{Looked, Method, PositiveControl, ReadBack, Sight, ValueSearch, VerifiedAbsence};

/// Some seconds after a fixed instant.
pub fn at(seconds: i64) -> Timestamp {
    "2026-11-24T09:00:00Z".parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
}

/// A read-back that found nothing.
pub fn read_back(method: Method, records_read: u64) -> ReadBack {
    ReadBack { method, records_read, still_present: 0, on_primary: true, read_at: at(60) }
}

/// A search that found nothing but what was planted.
pub fn search() -> ValueSearch {
    ValueSearch {
        identifiers: 2,
        places: 31,
        unsearchable: 0,
        planted: 3,
        planted_found: 3,
        residue: 0,
        in_kept_records: 0,
        searched_at: at(90),
    }
}

/// Records verified absent, with or without a search.
pub fn absence(method: Method, records: u64, search: Option<ValueSearch>) -> VerifiedAbsence {
    VerifiedAbsence::attest(PositiveControl::saw(records, at(0)).unwrap(), &read_back(method, records), search).unwrap()
}

/// A place where nothing was.
pub fn looked() -> Looked {
    Looked::attest(2, Sight::OtherRecords(98_765), at(60)).unwrap()
}
