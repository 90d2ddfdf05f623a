//! Legal holds: what they cover and how they live. Pure: who asks and when are handed in.
//! Everything here errs towards keeping: what cannot be evaluated is held (H-1), and letting go takes two people and time.

mod check;
mod file;
mod lifecycle;
mod matching;
mod matter;
#[cfg(test)]
pub(crate) mod sample;
mod scope;

pub use check::{NewHold, ScopeError};
pub use file::{HoldFile, HoldFileError};
pub use lifecycle::{Act, Grace, Life, Refusal, State};
pub use matching::{CollectionHolds, Coverage, HoldRef, HoldSet, NotUnderstood, Verdict};
pub use matter::{Matter, MatterError, Reason};
pub use scope::Scope;
