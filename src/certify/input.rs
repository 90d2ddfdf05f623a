//! What a certificate is made from: the plan's items with what came of each. An item whose numbers do not add up is turned into a failed
//! one here, before anything is concluded from it.

use jiff::Timestamp;

use super::document::{InputFacts, OpenPlace, RequestFacts, ResiduePlace};
use crate::crypto::PublicKey;
use crate::journal::{Code, Id, Origin};
use crate::plan::Retained;
use crate::subject::Subject;
use crate::verify::ItemOutcome;

/// The records found are not those that were verified and retained.
pub const COUNTS_DISAGREE: Code = Code::fixed("counts_disagree");

/// Everything that goes into a certificate.
#[derive(Debug)]
pub struct CertificateInput {
    /// Legal name of the controller.
    pub controller: String,
    /// The key that is going to sign.
    pub key: PublicKey,
    /// The journal that is going to record the issue.
    pub journal: Origin,
    /// Now.
    pub issued_at: Timestamp,
    /// What had been asked for.
    pub request: RequestFacts,
    /// Whom it is about; only a keyed hash goes in.
    pub subject: Subject,
    /// What it rests on.
    pub inputs: InputFacts,
    /// Every item of the plan, those with nothing found too.
    pub items: Vec<CertificateItem>,
    /// Systems and places outside the plan that were not covered: unreachable, disabled, unmapped (V-2).
    pub gaps: Vec<OpenPlace>,
    /// Where the subject was found after the erasure.
    pub residue: Vec<ResiduePlace>,
    /// Where records that are kept still name the subject.
    pub in_kept_records: Vec<ResiduePlace>,
    /// Places that cannot be searched.
    pub unsearched: Vec<OpenPlace>,
    /// The earlier certificate that this one adds to or replaces.
    pub supersedes: Option<Id>,
}

/// One item of the plan and what came of it.
#[derive(Debug)]
pub struct CertificateItem {
    /// The configured system.
    pub source: String,
    /// Dataset of the data map.
    pub dataset: String,
    /// Collection of the dataset.
    pub collection: String,
    /// Kind of the system: `sql`, …
    pub kind: String,
    /// Records that were found.
    pub found: u64,
    /// Records among them that are kept, on which grounds.
    pub retained: Vec<Retained>,
    /// Where records are versions of objects that hold rows of many people: how many rows of the person were in those that are verified absent.
    pub rows: Option<u64>,
    /// What came of the others; [`ItemOutcome::Retained`] if there are none.
    pub outcome: ItemOutcome,
}

impl CertificateInput {
    /// Turns items whose numbers do not add up into failed ones.
    pub(super) fn with_numbers_checked(mut self) -> CertificateInput {
        for item in &mut self.items {
            item.retained.retain(|retained| retained.count > 0);
            if !item.numbers_add_up() {
                item.outcome = ItemOutcome::Failed { code: COUNTS_DISAGREE };
            }
        }
        self
    }
}

impl CertificateItem {
    /// Found = verified + retained; nothing found means 0. Open items claim nothing, so that there is nothing to add up.
    fn numbers_add_up(&self) -> bool {
        let kept = self.retained.iter().try_fold(0u64, |sum, retained| sum.checked_add(retained.count));
        let Some(kept) = kept else { return false };
        match &self.outcome {
            ItemOutcome::Verified(absence) => absence.records().checked_add(kept) == Some(self.found),
            ItemOutcome::Retained => kept > 0 && kept == self.found,
            ItemOutcome::NothingFound(_) => kept == 0 && self.found == 0,
            ItemOutcome::Pending { .. } | ItemOutcome::Unknown { .. } | ItemOutcome::Gap { .. } | ItemOutcome::Failed { .. } => {
                true
            }
        }
    }
}
