//! How many people must say yes to a plan before it runs.

use serde::{Deserialize, Serialize};

use super::Kind;

/// `approval` of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Approval {
    /// Nobody: the job was decided where it came from.
    None,
    /// One person.
    One,
    /// Two different people.
    Two,
}

impl Approval {
    pub(super) const ALL: [Approval; 3] = [Approval::None, Approval::One, Approval::Two];

    /// What applies to a job: what it says, else one person for what changes or erases data and nobody for what only reads.
    pub fn of(asked: Option<Approval>, kind: Kind) -> Approval {
        let reads_only = matches!(kind, Kind::Access | Kind::Portability | Kind::Reverify);
        asked.unwrap_or(if reads_only { Approval::None } else { Approval::One })
    }

    /// The word in job files.
    pub fn as_str(self) -> &'static str {
        match self {
            Approval::None => "none",
            Approval::One => "one",
            Approval::Two => "two",
        }
    }

    /// How many different people.
    pub fn people(self) -> u8 {
        match self {
            Approval::None => 0,
            Approval::One => 1,
            Approval::Two => 2,
        }
    }
}
