//! Evidence that nothing of a person was there to begin with. "Found nothing" from a reader who cannot see is not evidence, so a [`Looked`]
//! needs what showed that the reader can see in that place (V-3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::evidence::Contradiction;

/// What showed that a reader who found nothing of the subject can see there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// It saw records of other people in the same place.
    OtherRecords(u64),
    /// It found all the values that were planted there.
    Planted(u64),
    /// The place is empty and the catalogue shows nothing that could hide rows from this role.
    Unfiltered,
}

/// That somebody looked in a place and found nothing of the subject there.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use = "evidence that nobody certifies is lost"]
pub struct Looked {
    identifiers: u64,
    sight: Sight,
    looked_at: Timestamp,
}

impl Looked {
    /// What the reader looked for and what showed that it can see there. Seeing nobody else's records and finding no planted value
    /// shows nothing.
    pub(in crate::verify) fn attest(identifiers: u64, sight: Sight, looked_at: Timestamp) -> Result<Looked, Contradiction> {
        match sight {
            Sight::OtherRecords(0) | Sight::Planted(0) => Err(Contradiction::NoPositiveControl),
            _ if identifiers == 0 => Err(Contradiction::EmptySearch),
            _ => Ok(Looked { identifiers, sight, looked_at }),
        }
    }

    /// How many identifiers were looked for.
    pub fn identifiers(&self) -> u64 {
        self.identifiers
    }

    /// What showed that the reader can see there.
    pub fn sight(&self) -> Sight {
        self.sight
    }

    /// When.
    pub fn looked_at(&self) -> Timestamp {
        self.looked_at
    }
}
