//! What was found in one place of a store, sorted into what goes and what stays, and what follows for the plan: an item and its steps. The same for
//! objects and for rows inside objects.

use std::collections::BTreeMap;

use super::aside::{AsidePlace, AsideWriter};
use super::objects::{ObjectDecision, ObjectStep};
use super::set_rule::SetRule;
use crate::connector::objects::Entry;
use crate::gather::GatherError;
use crate::plan::{Action, Disposition, Ground, ManifestRecord, PlanItem, Retained, Step};

/// The place by the names that results use.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) source: &'a str,
    pub(super) dataset: &'a str,
    pub(super) collection: &'a str,
    pub(super) kind: &'a str,
}

/// What was found.
pub(super) struct Sorted {
    goes: AsideWriter,
    stays: AsideWriter,
    retained: BTreeMap<(Ground, Option<String>), Retained>,
}

impl Sorted {
    pub(super) fn empty(aside: AsidePlace<'_>) -> Result<Sorted, GatherError> {
        Ok(Sorted { goes: AsideWriter::create(aside)?, stays: AsideWriter::create(aside)?, retained: BTreeMap::new() })
    }

    /// It goes.
    pub(super) fn goes(&mut self, entry: &Entry) -> Result<(), GatherError> {
        self.goes.put(entry)
    }

    /// It goes, in the way that the record says.
    pub(super) fn goes_as(&mut self, record: &ManifestRecord) -> Result<(), GatherError> {
        self.goes.put_record(record)
    }

    /// It stays.
    pub(super) fn stays(&mut self, entry: &Entry, why: &Retained) -> Result<(), GatherError> {
        self.retain(why);
        self.stays.put(entry)
    }

    /// Something of it is kept, and counted.
    pub(super) fn retain(&mut self, why: &Retained) {
        let known = self.retained.entry((why.ground, why.reference.clone()));
        let known = known.or_insert(Retained { count: 0, ..why.clone() });
        known.count += 1;
        known.review_on = known.review_on.take().into_iter().chain(why.review_on.clone()).min();
    }

    /// The item of the plan, and a step for what goes and for what stays. `acting` is what is done to what goes, `rows` how many rows are in it.
    pub(super) fn close(
        self,
        at: At<'_>,
        rule: SetRule,
        acting: Action,
        rows: Option<u64>,
        decision: &mut ObjectDecision,
    ) -> Result<(), GatherError> {
        let goes = self.goes.finish()?;
        let stays = self.stays.finish()?;
        let retained: Vec<Retained> = self.retained.into_values().collect();
        let found = goes.records + retained.iter().map(|kept| kept.count).sum::<u64>();
        let disposition = match (rule, goes.records) {
            (SetRule::Undecided, _) => Disposition::Undecided,
            (_, 0) if found > 0 => Disposition::Retain,
            (SetRule::Keep, 0) => Disposition::Retain,
            _ => Disposition::Erase,
        };
        let expected = if disposition == Disposition::Erase { goes.records } else { 0 };
        let item = decision.items.len();
        if expected > 0 {
            let step = at.step(item, Disposition::Erase, acting, expected, Vec::new());
            decision.steps.push(ObjectStep { step, aside: goes });
        }
        if stays.records > 0 {
            let step = at.step(item, Disposition::Retain, Action::Keep, stays.records, retained.clone());
            decision.steps.push(ObjectStep { step, aside: stays });
        }
        let rows = rows.filter(|_| expected > 0);
        decision.items.push(PlanItem { retained, rows, ..at.item(disposition, found, expected) });
        Ok(())
    }
}

impl At<'_> {
    /// An item of the plan that keeps nothing.
    pub(super) fn item(self, disposition: Disposition, found: u64, expected: u64) -> PlanItem {
        PlanItem {
            source: self.source.to_owned(),
            dataset: self.dataset.to_owned(),
            collection: self.collection.to_owned(),
            kind: self.kind.to_owned(),
            disposition,
            found,
            expected,
            retained: Vec::new(),
            rows: None,
            columns: Vec::new(),
        }
    }

    fn step(self, item: usize, disposition: Disposition, action: Action, records: u64, retained: Vec<Retained>) -> Step {
        Step {
            source: self.source.to_owned(),
            dataset: self.dataset.to_owned(),
            collection: self.collection.to_owned(),
            schema: None,
            item,
            disposition,
            action,
            guard: Vec::new(),
            unreferenced: Vec::new(),
            counted: Vec::new(),
            of_others_too: false,
            identity: false,
            deferred: false,
            records,
            retained,
        }
    }
}
