//! Certificates of erasure: what was erased, how that was verified, what was kept and why, and what could not be checked. A certificate
//! is built from evidence that only `verify` can make, signed together with its place in the journal, and checkable by anybody with stock
//! tools. Code here has no access to any source of personal data.

pub mod bundle;
mod certificate;
mod check;
mod conclusion;
pub mod document;
mod input;
mod opening;
mod page;
mod publish;
mod verify;
mod wording;

pub use bundle::{BundleError, BundlePaths};
pub use certificate::{Certificate, entry_of};
pub use check::{Inconsistency, inconsistencies};
pub use conclusion::{CertificateOutcome, Complete};
pub use document::{Document, InputFacts, OpenPlace, OutcomeWord, RequestFacts, ResiduePlace};
pub use input::{COUNTS_DISAGREE, CertificateInput, CertificateItem};
pub use opening::{OPENING_FILE, SubjectOpening};
pub use publish::{CertifyError, publish, record};
pub use verify::{CertificateReport, CertificateSummary, JournalPlace, Problem, verify};
pub use wording::DOES_NOT_STATE;

#[cfg(test)]
mod tests;
