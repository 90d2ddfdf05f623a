//! How many rows of a location are to be cleared of what, counted once for all edges and identities.

use super::text::cut::CutRows;
use crate::db::{DbError, Record};

/// Rows with bits in `cut`, counted by the bits that they have.
#[derive(Debug, Clone, Default)]
pub struct CutTally(Vec<Group>);

#[derive(Debug, Clone)]
struct Group {
    bits: i64,
    rows: CutRows,
    count: u64,
}

impl CutTally {
    pub(super) fn read(records: &[Record]) -> Result<CutTally, DbError> {
        let group = |record: &Record| {
            let which = record.int("which")?;
            let unknown = || DbError::Column { column: "which".to_owned(), problem: format!("{which} stands for no rows") };
            let rows = CutRows::numbered(which).ok_or_else(unknown)?;
            Ok(Group { bits: record.int("bits")?, rows, count: u64::try_from(record.int("n")?).unwrap_or(0) })
        };
        records.iter().map(group).collect::<Result<_, DbError>>().map(CutTally)
    }

    /// How many of these rows have one of these bits.
    pub fn count(&self, bits: i64, rows: CutRows) -> u64 {
        self.0.iter().filter(|group| group.rows == rows && group.bits & bits != 0).map(|group| group.count).sum()
    }

    /// The sets of bits that such rows have, each with how many have just these.
    pub fn sets(&self, rows: CutRows) -> Vec<(i64, u64)> {
        self.0.iter().filter(|group| group.rows == rows).map(|group| (group.bits, group.count)).collect()
    }

    /// Whether any row has one of these bits.
    pub fn has(&self, bits: i64) -> bool {
        self.0.iter().any(|group| group.bits & bits != 0)
    }
}
