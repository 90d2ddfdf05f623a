//! What can be said of the journal after its tree was computed anew from the rows and compared with every signed checkpoint. Anything
//! but [`HeadState::Consistent`] makes the program refuse erasures and certificates until a person has looked.

use std::fmt;

use serde::Serialize;

use crate::counted::counted;

/// Whether the journal is still what was signed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum HeadState {
    /// Every checkpoint fits the entries.
    Consistent {
        /// Entries in the ledger.
        size: u64,
        /// Entries covered by the largest copy outside; 0 if nothing was ever signed.
        anchored: u64,
    },
    /// A checkpoint covers more entries than there are: the ledger was rolled back (a restored backup), or entries were removed.
    Behind {
        /// Entries in the ledger.
        size: u64,
        /// Entries that had been signed.
        anchored: u64,
    },
    /// The entries are well-formed but are not those that were signed: the past was rewritten, or went on from a restored backup.
    Forked {
        /// Size of the smallest checkpoint that does not fit.
        at: u64,
    },
    /// A row or a copy is not what the program wrote.
    Tampered {
        /// Where.
        fault: Fault,
    },
    /// The ledger has checkpoints but none of their copies is outside, so that a rollback could not be noticed.
    Unanchored,
}

/// A row or a copy that is not what the program wrote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "where", rename_all = "snake_case")]
pub enum Fault {
    /// An entry of the journal.
    Entry {
        /// Its position.
        seq: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// A checkpoint in the ledger.
    Checkpoint {
        /// Its size.
        size: u64,
        /// What is wrong.
        problem: &'static str,
    },
    /// A copy outside.
    OutsideCopy {
        /// Its file name.
        file: String,
        /// What is wrong.
        problem: &'static str,
    },
}

impl HeadState {
    /// Whether erasures and certificates may go on.
    pub fn is_consistent(&self) -> bool {
        matches!(self, HeadState::Consistent { .. })
    }

    /// What an operator can do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            HeadState::Consistent { .. } => None,
            HeadState::Behind { .. } | HeadState::Forked { .. } => Some(
                "the ledger was restored or rewritten: bring back the newest ledger; holds and erasures since then are not in this one",
            ),
            HeadState::Tampered { .. } => Some("compare the ledger with a backup, and find out who can write to it"),
            HeadState::Unanchored => Some(
                "bring back the folder of outside checkpoints, or, if it was moved on purpose, let `habeas journal anchor` write it anew",
            ),
        }
    }
}

fn entries(count: u64) -> String {
    counted(count, "entry", "entries")
}

impl fmt::Display for HeadState {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HeadState::Consistent { size, anchored } => {
                write!(formatter, "{}, {anchored} of them under a checkpoint outside", entries(*size))
            }
            HeadState::Behind { size, anchored } => {
                write!(formatter, "the journal has {}, but {anchored} had been signed: entries are missing", entries(*size))
            }
            HeadState::Forked { at: 1 } => formatter.write_str("the first entry is not the one that was signed"),
            HeadState::Forked { at } => write!(formatter, "the first {} are not those that were signed", entries(*at)),
            HeadState::Tampered { fault } => fault.fmt(formatter),
            HeadState::Unanchored => formatter.write_str("no checkpoint is outside, although the ledger has signed some"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Entry { seq, problem } => write!(formatter, "journal entry {seq} {problem}"),
            Fault::Checkpoint { size, problem } => write!(formatter, "the checkpoint over {} {problem}", entries(*size)),
            Fault::OutsideCopy { file, problem } => write!(formatter, "the outside copy `{file}` {problem}"),
        }
    }
}
