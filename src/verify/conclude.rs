//! What can be said of each item of a plan, from what the verifier saw before and after. Every number comes from looking; a look that did not
//! happen, or that does not add up, is never absence (V-1, V-2).

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::search::Searched;
use super::{Contradiction, ItemOutcome, Looked, Method, PositiveControl, ReadBack, Sight, VerifiedAbsence};
use crate::connector::sql::Seen;
use crate::journal::Code;
use crate::ledger::execution::Execution;
use crate::plan::{Action, Disposition, Ground, Plan, PlanItem, Retained, Step};

/// What came of one item.
#[derive(Debug)]
pub struct Conclusion {
    /// The item as planned.
    pub item: PlanItem,
    /// Records found in it, by the plan and by later passes, as far as the verifier saw them.
    pub found: u64,
    /// Records that were to change.
    pub expected: u64,
    /// Records that we changed.
    pub affected: u64,
    /// Records that were gone or done before we touched them.
    pub already_done: u64,
    /// Records kept, with those that a hold kept during the erasure.
    pub retained: Vec<Retained>,
    /// The outcome, with its evidence.
    pub outcome: ItemOutcome,
    /// What went wrong with the evidence, if anything did.
    pub contradiction: Option<Contradiction>,
}

/// What the verifier has seen.
pub struct Looks<'a> {
    /// Passes, the approved one first, each with what was seen of it afterwards.
    pub passes: &'a [(Execution, Vec<Seen>)],
    /// The value search.
    pub searched: &'a Searched,
    /// Per `dataset.collection` without records of the subject: how many records of others the verifier saw there.
    pub others: &'a BTreeMap<String, u64>,
    /// Now.
    pub now: Timestamp,
}

#[derive(Default)]
struct Sum {
    records: u64,
    seen_before: u64,
    not_done: u64,
    affected: u64,
    already_done: u64,
    held: u64,
    /// Of those, held in a pass behind which everything was planned anew: what of them is kept stands in the later plan.
    held_before: u64,
    kept: u64,
    kept_present: u64,
    /// Records for which a later pass answers, though they are planned here.
    elsewhere: u64,
    /// What the last whole pass keeps, and why.
    grounds: Vec<Retained>,
    seen_at: Option<Timestamp>,
}

/// By dataset, collection and what was done.
type Sums = BTreeMap<(String, String, &'static str), Sum>;

/// Concludes on every item of the plan, and on items that only later passes had.
pub fn conclude(plan: &Plan, looks: &Looks<'_>, identifiers: u64) -> Vec<Conclusion> {
    let mut sums = Sums::new();
    let last_whole = looks.passes.iter().rposition(|(pass, _)| pass.is_whole).unwrap_or(0);
    for (position, (pass, after)) in looks.passes.iter().enumerate() {
        for (at, step) in pass.steps.iter().enumerate() {
            let when = if position < last_whole { When::Before } else { When::SinceLastPlan };
            add_step(&mut sums, pass, at, step, after.get(at).copied().unwrap_or_default(), when);
        }
    }
    let mut conclusions = Vec::new();
    let mut told = BTreeSet::new();
    for item in &plan.items {
        let sum_of = |word: &'static str| (item.dataset.clone(), item.collection.clone(), word);
        let sum = sums.remove(&sum_of(word(item.disposition))).unwrap_or_default();
        let no_sum = Sum::default();
        let kept = sums.get(&sum_of("retain")).unwrap_or(&no_sum);
        // The first item of a collection speaks of its rows, another one of references that are cleared in them.
        let speaks_of_rows = told.insert((&item.dataset, &item.collection));
        if !speaks_of_rows && sum.records == 0 && sum.elsewhere > 0 {
            // All its rows have turned out to be the subject's alone: the first item speaks of them.
            continue;
        }
        let retained = match (last_whole, speaks_of_rows) {
            (0, true) => still_kept(&item.retained, kept.elsewhere),
            (0, false) => item.retained.clone(),
            (_, true) => kept.grounds.clone(),
            (_, false) => references_kept(item, &sum, kept),
        };
        let (more, kept) = match speaks_of_rows {
            true => (also_done(plan, item, &retained, &sums), sums.remove(&sum_of("retain")).unwrap_or_default()),
            false => (None, no_sum),
        };
        // What was to be kept, and was changed by a later pass after all.
        let (item, sum) = match more.and_then(|disposition| Some((disposition, sums.remove(&sum_of(word(disposition)))?))) {
            Some((disposition, sum)) => (PlanItem { disposition, ..item.clone() }, sum),
            None => (item.clone(), sum),
        };
        conclusions.push(conclude_item(&item, &sum, &kept, retained, looks, identifiers));
    }
    for item in &plan.items {
        // References that no item of the plan was about.
        let Some(sum) = sums.remove(&(item.dataset.clone(), item.collection.clone(), word(Disposition::Unlink))) else { continue };
        let item = PlanItem { disposition: Disposition::Unlink, retained: Vec::new(), columns: Vec::new(), ..item.clone() };
        conclusions.push(conclude_item(&item, &sum, &Sum::default(), Vec::new(), looks, identifiers));
    }
    conclusions
}

/// What is done to rows of a collection of which the plan keeps all, when later passes do something to them.
fn also_done(plan: &Plan, item: &PlanItem, retained: &[Retained], sums: &Sums) -> Option<Disposition> {
    let of_another = |disposition: &Disposition| {
        let same = |other: &&PlanItem| other.dataset == item.dataset && other.collection == item.collection;
        plan.items.iter().filter(same).any(|other| other.disposition == *disposition)
    };
    let was_done = |disposition: &Disposition| {
        let sum = sums.get(&(item.dataset.clone(), item.collection.clone(), word(*disposition)));
        sum.is_some_and(|sum| sum.records > 0) && !of_another(disposition)
    };
    let kept_all = item.disposition == Disposition::Retain;
    // Where rows are kept, references that are cleared may be theirs.
    let dispositions =
        [Disposition::Erase, Disposition::Mask].into_iter().chain(retained.is_empty().then_some(Disposition::Unlink));
    dispositions.filter(|_| kept_all).find(was_done)
}

/// What is still kept when so many rows have turned out to be the subject's alone.
fn still_kept(planned: &[Retained], gone: u64) -> Vec<Retained> {
    let fewer = |kept: &Retained| match kept.ground {
        Ground::Shared => Retained { count: kept.count.saturating_sub(gone), ..kept.clone() },
        _ => kept.clone(),
    };
    planned.iter().map(fewer).filter(|kept| kept.count > 0).collect()
}

/// Whether what is left was planned anew behind a pass.
#[derive(Clone, Copy, PartialEq, Eq)]
enum When {
    Before,
    SinceLastPlan,
}

/// References that were to be cleared and stay, because a hold that came later keeps the rows in which they stand as they are (H-1).
fn references_kept(item: &PlanItem, sum: &Sum, kept: &Sum) -> Vec<Retained> {
    let held: u64 = kept.grounds.iter().filter(|kept| kept.ground == Ground::Hold).map(|kept| kept.count).sum();
    let left = if sum.records == 0 { item.expected.min(held) } else { 0 };
    let of_hold = kept.grounds.iter().find(|kept| kept.ground == Ground::Hold && left > 0);
    of_hold.map(|hold| Retained { count: left, ..hold.clone() }).into_iter().collect()
}

fn word(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Erase => "erase",
        Disposition::Mask => "mask",
        Disposition::Unlink => "unlink",
        Disposition::Retain => "kept",
        Disposition::Export => "export",
        Disposition::Undecided => "undecided",
    }
}

fn add_step(sums: &mut Sums, pass: &Execution, at: usize, step: &Step, after: Seen, when: When) {
    let detaching = step.disposition == Disposition::Erase && !matches!(step.action, Action::Delete | Action::Rewrite);
    if detaching || step.action == Action::Look {
        // The same rows are deleted or kept by a later step, which is the one that counts.
        return;
    }
    let name = if step.action == Action::Keep { "retain" } else { word(step.disposition) };
    let sum = sums.entry((step.dataset.clone(), step.collection.clone(), name)).or_default();
    let records = pass.records_of(at).saturating_sub(after.superseded);
    sum.elsewhere += after.superseded;
    if step.action == Action::Keep {
        sum.kept += records;
        sum.kept_present += after.present;
        if when == When::SinceLastPlan {
            step.retained.iter().for_each(|kept| add_kept(&mut sum.grounds, kept.clone()));
        }
        return;
    }
    let tally = pass.tallies.get(at).copied().unwrap_or_default();
    sum.records += records;
    sum.seen_before += pass.seen.as_ref().and_then(|seen| seen.get(at)).copied().unwrap_or(0).min(records);
    // Rows that a hold kept may stand where they were; no other row may hide behind them (V-1).
    sum.not_done += records.saturating_sub(after.done).saturating_sub(tally.held);
    sum.affected += if step.of_others_too { tally.affected.min(records) } else { tally.affected };
    sum.already_done += tally.already_done;
    sum.held += tally.held;
    sum.held_before += if when == When::Before { tally.held } else { 0 };
    sum.seen_at = sum.seen_at.max(pass.seen_at);
    if step.of_others_too && !step.identity && when == When::Before {
        // The later plan does not reach them any more: cleared, they stay with the others.
        let gone = records.saturating_sub(after.present);
        let count = after.done.saturating_sub(gone);
        let kept = sums.entry((step.dataset.clone(), step.collection.clone(), "retain")).or_default();
        add_kept(&mut kept.grounds, Retained { count, ground: Ground::Shared, reference: None, review_on: None });
    }
}

/// Rows kept on the same ground are told together.
fn add_kept(grounds: &mut Vec<Retained>, more: Retained) {
    if more.count == 0 {
        return;
    }
    let same = |known: &&mut Retained| {
        known.ground == more.ground && known.reference == more.reference && known.review_on == more.review_on
    };
    match grounds.iter_mut().find(same) {
        Some(known) => known.count += more.count,
        None => grounds.push(more),
    }
}

fn conclude_item(
    item: &PlanItem,
    sum: &Sum,
    kept: &Sum,
    planned: Vec<Retained>,
    looks: &Looks<'_>,
    identifiers: u64,
) -> Conclusion {
    let planned_kept: u64 = planned.iter().map(|kept| kept.count).sum();
    let held_kept = planned.iter().any(|kept| kept.ground == Ground::Hold);
    let held_since = sum.held - sum.held_before;
    let mut retained = planned;
    if held_since > 0 {
        retained.push(Retained { count: held_since, ground: Ground::Hold, reference: None, review_on: None });
    }
    let mut conclusion = Conclusion {
        item: item.clone(),
        found: sum.seen_before.saturating_sub(sum.held_before) + planned_kept,
        expected: sum.records,
        affected: sum.affected,
        already_done: sum.already_done,
        retained,
        outcome: ItemOutcome::Retained,
        contradiction: None,
    };
    if item.disposition == Disposition::Undecided {
        conclusion.outcome = ItemOutcome::Failed { code: Code::fitted("undecided") };
        return conclusion;
    }
    if held_kept && kept.kept_present < kept.kept {
        // Somebody else removed what a hold keeps: not ours to call fine.
        conclusion.outcome = ItemOutcome::Failed { code: Code::fitted("held_records_missing") };
        return conclusion;
    }
    if sum.records == 0 {
        conclusion.outcome = if planned_kept > 0 { ItemOutcome::Retained } else { nothing_found(item, looks, identifiers) };
        return conclusion;
    }
    let to_verify = sum.seen_before.saturating_sub(sum.held);
    if to_verify == 0 && sum.held > 0 {
        if conclusion.retained.is_empty() {
            // Held once, and since then nobody has said what became of them.
            conclusion.outcome = ItemOutcome::Gap { code: Code::fitted("not_looked_at") };
        }
        return conclusion;
    }
    match attest(item, sum, to_verify, looks) {
        Ok(absence) => conclusion.outcome = ItemOutcome::Verified(absence),
        Err(contradiction) => {
            conclusion.outcome = ItemOutcome::Failed { code: code_of(contradiction) };
            conclusion.contradiction = Some(contradiction);
        }
    }
    conclusion
}

fn attest(item: &PlanItem, sum: &Sum, to_verify: u64, looks: &Looks<'_>) -> Result<VerifiedAbsence, Contradiction> {
    let seen_at = sum.seen_at.ok_or(Contradiction::NoPositiveControl)?;
    let control = PositiveControl::saw(to_verify, seen_at)?;
    let read_back = ReadBack {
        method: method_of(item),
        records_read: to_verify,
        still_present: sum.not_done,
        // `ReadBack` sessions refuse a standby.
        on_primary: true,
        read_at: looks.now,
    };
    let search = looks.searched.searches.get(&item.source).cloned();
    match VerifiedAbsence::attest(control.clone(), &read_back, search) {
        // The search has its own place in the certificate; the read-back by key stands without it, at its own level.
        Err(Contradiction::Residue { .. } | Contradiction::BlindSearch { .. } | Contradiction::EmptySearch) => {
            VerifiedAbsence::attest(control, &read_back, None)
        }
        verdict => verdict,
    }
}

fn method_of(item: &PlanItem) -> Method {
    match item.disposition {
        Disposition::Mask if item.columns.iter().any(|column| column.pseudonymisation) => Method::Pseudonymise,
        Disposition::Mask => Method::Mask,
        Disposition::Unlink => Method::Unlink,
        _ => Method::Delete,
    }
}

fn nothing_found(item: &PlanItem, looks: &Looks<'_>, identifiers: u64) -> ItemOutcome {
    let sight = match looks.others.get(&format!("{}.{}", item.dataset, item.collection)) {
        None => return ItemOutcome::Gap { code: Code::fitted("not_looked_at") },
        Some(0) => Sight::Unfiltered,
        Some(others) => Sight::OtherRecords(*others),
    };
    match Looked::attest(identifiers, sight, looks.now) {
        Ok(looked) => ItemOutcome::NothingFound(looked),
        Err(contradiction) => ItemOutcome::Failed { code: code_of(contradiction) },
    }
}

fn code_of(contradiction: Contradiction) -> Code {
    Code::fitted(match contradiction {
        Contradiction::NoPositiveControl => "no_positive_control",
        Contradiction::OtherRecords { .. } => "other_records_read",
        Contradiction::StillPresent { .. } => "still_present",
        Contradiction::NotPrimary => "not_primary",
        Contradiction::WrongOrder => "wrong_order",
        Contradiction::BlindSearch { .. } => "blind_search",
        Contradiction::Residue { .. } => "residue",
        Contradiction::EmptySearch => "empty_search",
    })
}
