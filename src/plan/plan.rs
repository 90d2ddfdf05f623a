//! A plan: per location, how many records would be exported, erased, masked, unlinked or kept, and what stands in the way. It holds counts
//! and codes only, so that it can be shown, stored and digested; the keys are in the manifest.

use serde::{Deserialize, Serialize};

use super::{Disposition, Ground, Retained, digest};
use crate::request::Kind;

/// What would happen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// Kind of the request.
    pub kind: Kind,
    /// Keyed hash of the identifiers.
    pub subject_ref: String,
    /// Policy of the job, if it names one.
    pub policy: Option<String>,
    /// Categories of the job.
    pub categories: Vec<String>,
    /// Digest of the data map.
    pub data_map_digest: String,
    /// Digest of the holds that were active.
    pub holds_digest: String,
    /// Digest of the live schema of all mapped tables, and of what refers to them. Part of the shape: an approval does not pass to another
    /// schema, where the same statement may do something else.
    #[serde(default)]
    pub schema_digest: String,
    /// Per location and disposition.
    pub items: Vec<PlanItem>,
    /// Sources that could not be looked at.
    pub gaps: Vec<Gap>,
    /// What makes the plan impossible.
    pub problems: Vec<Problem>,
    /// What a person should know before approving.
    pub warnings: Vec<String>,
    /// Fuses that blew: each needs a second approver.
    pub fuses: Vec<String>,
    /// Keyed digest over the keys of the people's own rows: whom the plan is about. Part of the shape, so that an approval never passes to
    /// somebody else.
    pub people_digest: String,
    /// Keyed digest over the manifest: the keys of all rows in their order.
    pub manifest_digest: String,
}

/// One location's part of a plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanItem {
    /// Source in the configuration.
    pub source: String,
    /// Dataset of the map.
    pub dataset: String,
    /// Collection of the map.
    pub collection: String,
    /// Family of the source.
    pub kind: String,
    /// What happens.
    pub disposition: Disposition,
    /// Rows reached.
    pub found: u64,
    /// Rows that will be changed or exported.
    pub expected: u64,
    /// Rows kept, by ground.
    pub retained: Vec<Retained>,
    /// Where what is counted are versions of objects that hold rows of many people: how many rows of the person go with them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rows: Option<u64>,
    /// Columns that are overwritten or cleared, and how.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnChange>,
}

/// How one column changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnChange {
    /// The column.
    pub column: String,
    /// Fideslang's strategy, or `unlink`.
    pub strategy: String,
    /// Whether the result can be tied to the person again: then it is pseudonymisation, never erasure (Art. 4(5)).
    pub pseudonymisation: bool,
}

/// A source that was not reached, and why: never zero, never success (V-2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// Source in the configuration.
    pub source: String,
    /// Why.
    pub reason: String,
}

/// Something that makes the plan impossible, with what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A stable word.
    pub code: String,
    /// `dataset.collection` or deeper, with the place in the map where there is one.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
    /// What to write in the map, or to do.
    pub hint: String,
}

impl Plan {
    /// `sha256:` over the canonical plan: what an approval names.
    pub fn digest(&self) -> String {
        digest::of(self)
    }

    /// Digest of everything but counts and keys: a plan made anew with the same shape keeps its approval, because only rows were added.
    pub fn shape_digest(&self) -> String {
        let mut shape = self.clone();
        shape.manifest_digest.clear();
        shape.warnings.clear();
        for item in &mut shape.items {
            item.found = 0;
            item.expected = 0;
            item.rows = item.rows.map(|_| 0);
            for retained in &mut item.retained {
                retained.count = 0;
            }
        }
        digest::of(&shape)
    }

    /// Whether everything that this plan would change, the other one would change too, in the same way: places, dispositions and columns. It
    /// may keep more. Rows that the other one keeps because somebody else owns them too go as the map says when the others have gone (O-1).
    pub fn is_within(&self, approved: &Plan) -> bool {
        let changes = |item: &&PlanItem| item.disposition != Disposition::Retain && item.expected > 0;
        let same_map = self.data_map_digest == approved.data_map_digest
            && self.policy == approved.policy
            && self.categories == approved.categories;
        self.items.iter().filter(changes).all(|item| {
            let mut known =
                approved.items.iter().filter(|known| known.dataset == item.dataset && known.collection == item.collection);
            known.any(|known| {
                let same_way =
                    known.disposition == item.disposition && item.columns.iter().all(|column| known.columns.contains(column));
                let was_shared = known.retained.iter().filter(|kept| kept.ground == Ground::Shared).map(|kept| kept.count).sum();
                same_way || same_map && item.expected <= was_shared
            })
        })
    }

    /// Items that nobody has decided (P-1).
    pub fn undecided(&self) -> Vec<&PlanItem> {
        self.items.iter().filter(|item| item.disposition == Disposition::Undecided).collect()
    }

    /// Whether anything stands in the way of approving (P-1).
    pub fn can_be_approved(&self) -> bool {
        self.problems.is_empty() && self.undecided().is_empty()
    }

    /// Rows that will be deleted, overwritten or cleared.
    pub fn effects(&self) -> u64 {
        self.items.iter().filter(|item| item.disposition != Disposition::Retain).map(|item| item.expected).sum()
    }

    /// Rows found, each location counted once.
    pub fn found(&self) -> u64 {
        let mut seen = std::collections::BTreeMap::new();
        for item in &self.items {
            let count: &mut u64 = seen.entry((&item.dataset, &item.collection)).or_default();
            *count = (*count).max(item.found);
        }
        seen.values().sum()
    }

    /// Rows kept under a hold.
    pub fn held(&self) -> u64 {
        let held = |item: &PlanItem| item.retained.iter().filter(|r| r.ground == super::Ground::Hold).map(|r| r.count).sum::<u64>();
        self.items.iter().map(held).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(collection: &str, disposition: Disposition, expected: u64, shared: u64) -> PlanItem {
        let kept = Retained { count: shared, ground: Ground::Shared, reference: None, review_on: None };
        PlanItem {
            source: "app".into(),
            dataset: "app".into(),
            collection: collection.into(),
            kind: "sql".into(),
            disposition,
            found: expected + shared,
            expected,
            retained: vec![kept],
            rows: None,
            columns: Vec::new(),
        }
    }

    fn plan(items: Vec<PlanItem>) -> Plan {
        Plan {
            kind: Kind::Erasure,
            subject_ref: String::new(),
            policy: None,
            categories: Vec::new(),
            data_map_digest: "sha256:00".into(),
            holds_digest: String::new(),
            schema_digest: String::new(),
            items,
            gaps: Vec::new(),
            problems: Vec::new(),
            warnings: Vec::new(),
            fuses: Vec::new(),
            people_digest: String::new(),
            manifest_digest: String::new(),
        }
    }

    #[test]
    fn p_1_rows_that_were_kept_for_others_may_go_with_the_last_owner_and_no_more_than_these() {
        let approved = plan(vec![item("notes", Disposition::Retain, 0, 2), item("orders", Disposition::Retain, 0, 0)]);
        assert!(plan(vec![item("notes", Disposition::Erase, 2, 0)]).is_within(&approved));
        assert!(!plan(vec![item("notes", Disposition::Erase, 3, 0)]).is_within(&approved), "more than were shared");
        assert!(!plan(vec![item("orders", Disposition::Erase, 1, 0)]).is_within(&approved), "nothing was shared there");
        let another_map = Plan { data_map_digest: "sha256:01".into(), ..plan(vec![item("notes", Disposition::Erase, 2, 0)]) };
        assert!(!another_map.is_within(&approved));
    }
}
