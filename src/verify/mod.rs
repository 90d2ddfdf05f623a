//! Verification: whether what was erased is gone, looked at by another code path than the one that erased. What it finds becomes
//! evidence, and evidence is all that a certificate can be made from. Code here never erases.

mod conclude;
pub mod control;
mod evidence;
mod kept;
mod later;
mod level;
mod looked;
mod overwritten;
mod ownerless;
pub mod residue;
mod rows;
#[cfg(test)]
pub(crate) mod samples;
mod search;
mod search_objects;

pub use conclude::{Conclusion, Looks, conclude};
pub use control::LookError;
pub use evidence::{Contradiction, ItemOutcome, PositiveControl, ReadBack, ValueSearch, VerifiedAbsence};
pub use later::Later;
pub use level::{Level, Method};
pub use looked::{Looked, Sight};
pub use overwritten::changed_rows;
pub use ownerless::ownerless;
pub use rows::rows_of_others;
pub use search::{RetainedRows, Searched, search};
pub use search_objects::{RetainedObjects, search_stores};
