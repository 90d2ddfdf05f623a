//! Verification: whether what was erased is gone, looked at by another code path than the one that erased. What it finds becomes
//! evidence, and evidence is all that a certificate can be made from.

mod evidence;
mod level;
mod looked;
#[cfg(test)]
pub(crate) mod samples;

pub use evidence::{Contradiction, ItemOutcome, PositiveControl, ReadBack, ValueSearch, VerifiedAbsence};
pub use level::{Level, Method};
pub use looked::{Looked, Sight};
