//! Evidence of absence. These values can be made only inside `verify`, by code that has looked: a [`VerifiedAbsence`] needs the proof
//! that the reader could see the records before (V-3). Whoever holds one may print it but cannot make or improve one. Nothing here holds
//! an identifier or a key.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::level::{Level, Method};
use super::looked::Looked;
use crate::counted::counted;
use crate::journal::Code;

/// Why evidence does not show what it should. Each of these means: do not certify, find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Contradiction {
    /// The reader had not seen any of the records before.
    #[error("the reader had seen none of the records before they were erased")]
    NoPositiveControl,
    /// The reader looked for other records than it had seen.
    #[error("{} had been seen, {} looked for", counted(*seen, "record", "records"), counted(*read, "was", "were"))]
    OtherRecords {
        /// Before.
        seen: u64,
        /// Afterwards.
        read: u64,
    },
    /// Records are still there.
    #[error("{} still there", counted(*count, "record is", "records are"))]
    StillPresent {
        /// How many.
        count: u64,
    },
    /// It was not the primary that was read.
    #[error("a replica or a cache was read, not the primary")]
    NotPrimary,
    /// The looking again happened before the first look.
    #[error("the records were read back before they had been seen")]
    WrongOrder,
    /// A search that does not find planted values finds nothing at all.
    #[error("the search found {found} of {planted} planted values")]
    BlindSearch {
        /// Planted.
        planted: u64,
        /// Found.
        found: u64,
    },
    /// The search found the subject.
    #[error("the search found {} of the subject's identifiers", counted(*count, "occurrence", "occurrences"))]
    Residue {
        /// How many.
        count: u64,
    },
    /// Nothing was searched for, or nowhere.
    #[error("the search had no identifiers or no places")]
    EmptySearch,
}

/// That the reader had seen these records before they were erased (V-3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositiveControl {
    records_seen: u64,
    seen_at: Timestamp,
}

/// What reading back by key gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadBack {
    /// How the records were erased.
    pub method: Method,
    /// Keys looked for.
    pub records_read: u64,
    /// Keys found again (deleted rows), or values found unchanged (masked and unlinked rows).
    pub still_present: u64,
    /// Whether the session was on the primary.
    pub on_primary: bool,
    /// When the last key was read.
    pub read_at: Timestamp,
}

/// What a search for the subject's identifiers as values gave, for one source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ValueSearch {
    /// How many identifiers were searched for.
    pub identifiers: u64,
    /// How many columns or objects were searched, mapped and unmapped.
    pub places: u64,
    /// Places that could not be searched (compressed, encrypted, images).
    pub unsearchable: u64,
    /// Control values planted in the search's own path.
    pub planted: u64,
    /// How many of them it found.
    pub planted_found: u64,
    /// Occurrences of the identifiers that it found outside the records that are kept.
    pub residue: u64,
    /// Occurrences within records that are kept: no residue, and not absence either (V-2).
    #[serde(default)]
    pub in_kept_records: u64,
    /// When it ended.
    pub searched_at: Timestamp,
}

/// Records that a separate look did not find any more.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "evidence that nobody certifies is lost"]
pub struct VerifiedAbsence {
    method: Method,
    control: PositiveControl,
    read_at: Timestamp,
    search: Option<ValueSearch>,
}

/// What can be said of one item of a plan in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemOutcome {
    /// Everything that was to be erased is verified absent.
    Verified(VerifiedAbsence),
    /// Everything that was found is kept, on grounds that the item lists.
    Retained,
    /// Nothing of the subject was there.
    NothingFound(Looked),
    /// Accepted elsewhere, to be confirmed later.
    Pending {
        /// Why.
        code: Code,
    },
    /// Whether it took effect is not known.
    Unknown {
        /// Why.
        code: Code,
    },
    /// Not looked at (V-2).
    Gap {
        /// Why.
        code: Code,
    },
    /// Tried, and refused, broken, or contradicted by the verification.
    Failed {
        /// Why.
        code: Code,
    },
}

impl PositiveControl {
    /// What the verifier's own reader saw before the erasure.
    pub(in crate::verify) fn saw(records_seen: u64, seen_at: Timestamp) -> Result<PositiveControl, Contradiction> {
        if records_seen == 0 {
            return Err(Contradiction::NoPositiveControl);
        }
        Ok(PositiveControl { records_seen, seen_at })
    }

    /// How many records were seen; never 0.
    pub fn records_seen(&self) -> u64 {
        self.records_seen
    }

    /// When.
    pub fn seen_at(&self) -> Timestamp {
        self.seen_at
    }
}

impl VerifiedAbsence {
    /// Weighs what was seen before against what was read afterwards. A search makes it level 3; one that found anything, or that did
    /// not find what was planted for it, is a contradiction and not merely a lower level.
    pub(in crate::verify) fn attest(
        control: PositiveControl,
        read_back: &ReadBack,
        search: Option<ValueSearch>,
    ) -> Result<VerifiedAbsence, Contradiction> {
        if read_back.records_read != control.records_seen {
            return Err(Contradiction::OtherRecords { seen: control.records_seen, read: read_back.records_read });
        }
        if read_back.still_present > 0 {
            return Err(Contradiction::StillPresent { count: read_back.still_present });
        }
        if !read_back.on_primary {
            return Err(Contradiction::NotPrimary);
        }
        if read_back.read_at < control.seen_at {
            return Err(Contradiction::WrongOrder);
        }
        if let Some(search) = &search {
            search.check()?;
        }
        Ok(VerifiedAbsence { method: read_back.method, control, read_at: read_back.read_at, search })
    }

    /// The level that this evidence bears. Pseudonymised records are not absent, so that no look at them bears more than 1.
    pub fn level(&self) -> Level {
        match (self.method, &self.search) {
            (Method::Pseudonymise, _) => Level::Acknowledged,
            (_, Some(_)) => Level::AbsentOnValueSearch,
            (_, None) => Level::AbsentOnReRead,
        }
    }

    /// How the records were erased.
    pub fn method(&self) -> Method {
        self.method
    }

    /// How many records.
    pub fn records(&self) -> u64 {
        self.control.records_seen
    }

    /// That they had been seen.
    pub fn control(&self) -> &PositiveControl {
        &self.control
    }

    /// When they were looked for again.
    pub fn read_at(&self) -> Timestamp {
        self.read_at
    }

    /// The search, if there was one.
    pub fn search(&self) -> Option<&ValueSearch> {
        self.search.as_ref()
    }
}

impl ValueSearch {
    /// Whether the search shows absence at all.
    pub fn check(&self) -> Result<(), Contradiction> {
        if self.identifiers == 0 || self.places == 0 {
            return Err(Contradiction::EmptySearch);
        }
        if self.planted == 0 || self.planted_found != self.planted {
            return Err(Contradiction::BlindSearch { planted: self.planted, found: self.planted_found });
        }
        match self.residue {
            0 => Ok(()),
            count => Err(Contradiction::Residue { count }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, read_back, search};
    use super::super::{Looked, Sight};
    use super::*;

    fn control() -> PositiveControl {
        PositiveControl::saw(7, at(0)).unwrap()
    }

    #[test]
    fn v_3_a_reader_that_had_seen_nothing_attests_nothing() {
        assert_eq!(PositiveControl::saw(0, at(0)), Err(Contradiction::NoPositiveControl));
        let other = ReadBack { records_read: 6, ..read_back(Method::Delete, 7) };
        assert_eq!(VerifiedAbsence::attest(control(), &other, None), Err(Contradiction::OtherRecords { seen: 7, read: 6 }));
        let early = PositiveControl::saw(7, at(3_600)).unwrap();
        assert_eq!(VerifiedAbsence::attest(early, &read_back(Method::Delete, 7), None), Err(Contradiction::WrongOrder));
        assert_eq!(Looked::attest(1, Sight::OtherRecords(0), at(0)), Err(Contradiction::NoPositiveControl));
        assert_eq!(Looked::attest(1, Sight::Planted(0), at(0)), Err(Contradiction::NoPositiveControl));
        assert_eq!(Looked::attest(0, Sight::Unfiltered, at(0)), Err(Contradiction::EmptySearch));
    }

    #[test]
    fn v_1_records_still_there_or_read_from_a_replica_are_not_absent() {
        let there = ReadBack { still_present: 1, ..read_back(Method::Delete, 7) };
        assert_eq!(VerifiedAbsence::attest(control(), &there, None), Err(Contradiction::StillPresent { count: 1 }));
        let replica = ReadBack { on_primary: false, ..read_back(Method::Delete, 7) };
        assert_eq!(VerifiedAbsence::attest(control(), &replica, None), Err(Contradiction::NotPrimary));
    }

    #[test]
    fn v_3_a_search_that_misses_a_planted_value_or_finds_residue_is_a_contradiction() {
        let attest =
            |search| VerifiedAbsence::attest(control(), &read_back(Method::Delete, 7), Some(search)).map(|seen| seen.level());
        assert_eq!(attest(search()), Ok(Level::AbsentOnValueSearch));
        assert_eq!(attest(ValueSearch { planted_found: 2, ..search() }), Err(Contradiction::BlindSearch { planted: 3, found: 2 }));
        let none_planted = ValueSearch { planted: 0, planted_found: 0, ..search() };
        assert_eq!(attest(none_planted), Err(Contradiction::BlindSearch { planted: 0, found: 0 }));
        assert_eq!(attest(ValueSearch { residue: 1, ..search() }), Err(Contradiction::Residue { count: 1 }));
        assert_eq!(attest(ValueSearch { places: 0, ..search() }), Err(Contradiction::EmptySearch));
    }

    #[test]
    fn the_level_is_what_the_evidence_bears_and_pseudonyms_bear_little() {
        let level = |method, search| VerifiedAbsence::attest(control(), &read_back(method, 7), search).unwrap().level();
        assert_eq!(level(Method::Mask, None), Level::AbsentOnReRead);
        assert_eq!(level(Method::Unlink, Some(search())), Level::AbsentOnValueSearch);
        assert_eq!(level(Method::Pseudonymise, Some(search())), Level::Acknowledged);
        assert!(Level::AbsentOnReRead > Level::Acknowledged);
        assert!(Level::try_from(9).is_err());
    }
}
