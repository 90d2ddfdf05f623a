//! Clearing the subject's part of rows that others own too. Whether such a row stays depends on those others, and they may ask for their
//! erasure at the same moment: so all that is cleared of one row is one step, and a row of which anybody's part has changed since the plan is
//! left alone (O-1). These steps come before everything else, while whose a row is can still be read from what the subject owns.

use super::Desk;
use super::overwrite::{How, Overwrite};
use super::steps::Clearing;
use crate::connector::sql::text::cut::CutRows;
use crate::connector::sql::text::read::Selection;
use crate::datamap::Masking;
use crate::plan::Action;

/// What is cleared in the shared rows of a node that are tied to the subject in the same ways.
pub(super) struct SharedClearing {
    /// Finds these rows.
    pub selection: Selection,
    pub count: u64,
    /// All that is cleared in them.
    pub clearing: Clearing,
    /// Whether it waits for the end: it clears by what the people themselves are found.
    pub goes_last: bool,
}

impl Desk<'_, '_> {
    /// One for each set of ties, in two parts where a circle of references has to be opened before the people's own rows have their turn.
    pub(super) fn shared_clearings(
        &self,
        node: usize,
        is_people: bool,
        clearings: &[Clearing],
        sets: &[(i64, u64)],
    ) -> Vec<SharedClearing> {
        let owners = self.all_owner_columns(node);
        let named = self.identity_bits(node);
        let mut shared = Vec::new();
        for (bits, count) in sets {
            let of_set: Vec<&Clearing> = clearings.iter().filter(|clearing| clearing.bits & bits != 0).collect();
            let mut put = |part: &[&Clearing], cleared_before: &[String], goes_last: bool| {
                let selection = Selection::CutExactly(*bits, CutRows::Shared);
                let clearing = together(part, &owners, cleared_before);
                shared.extend(clearing.map(|clearing| SharedClearing { selection, count: *count, clearing, goes_last }));
            };
            if !(is_people && bits & named != 0) {
                put(&of_set, &[], false);
                continue;
            }
            let (untying, rest): (Vec<&Clearing>, Vec<&Clearing>) =
                of_set.into_iter().partition(|clearing| self.opens_a_circle(node, &clearing.action));
            let untied: Vec<String> = untying.iter().flat_map(|clearing| columns_of(clearing)).cloned().collect();
            put(&untying, &[], false);
            put(&rest, &untied, true);
        }
        shared
    }

    /// Bits of the identity columns of a node.
    fn identity_bits(&self, node: usize) -> i64 {
        let by_identity = self.cuts.0.iter().filter(|cut| cut.node == node && cut.tie.is_identity());
        by_identity.map(|cut| 1_i64 << cut.bit).sum()
    }
}

/// Several clearings as one; nothing when there are none.
fn together(clearings: &[&Clearing], owners: &[String], cleared_before: &[String]) -> Option<Clearing> {
    if clearings.is_empty() {
        return None;
    }
    let mut masks: Vec<Overwrite> = clearings.iter().flat_map(|clearing| clearing.masks.clone()).collect();
    let overwritten: Vec<String> = masks.iter().map(|mask| mask.column.clone()).collect();
    let mut columns: Vec<String> = Vec::new();
    for column in clearings.iter().flat_map(|clearing| columns_of(clearing)) {
        if !columns.contains(column) && !overwritten.contains(column) {
            columns.push(column.clone());
        }
    }
    let mut guard: Vec<String> = clearings.iter().flat_map(|clearing| clearing.guard.iter().cloned()).collect();
    guard.extend(owners.iter().chain(&overwritten).chain(&columns).cloned());
    guard.retain(|column| !cleared_before.contains(column));
    guard.sort();
    guard.dedup();
    let action = if masks.is_empty() {
        Action::Clear { columns }
    } else {
        // A change to the elements of JSON knows the new text; with the columns in the same statement nobody can come in between.
        masks.extend(columns.into_iter().map(|column| Overwrite { column, how: How::Whole(Masking::NullRewrite, None) }));
        let columns = masks.iter().map(|mask| mask.column.clone()).collect();
        Action::Overwrite { columns, paths: masks.iter().map(Overwrite::paths).collect() }
    };
    let mut changes = Vec::new();
    for change in clearings.iter().flat_map(|clearing| &clearing.changes) {
        if !changes.contains(change) {
            changes.push(change.clone());
        }
    }
    Some(Clearing {
        bits: clearings.iter().map(|clearing| clearing.bits).fold(0, std::ops::BitOr::bitor),
        action,
        guard,
        changes,
        masks,
        only_when_shared: clearings.iter().any(|clearing| clearing.only_when_shared),
    })
}

fn columns_of(clearing: &Clearing) -> &[String] {
    match &clearing.action {
        Action::Clear { columns } | Action::Overwrite { columns, .. } => columns,
        Action::Delete | Action::Rewrite | Action::Look | Action::Keep => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decide::items::unlink_change;

    fn clearing(bit: u32, column: &str) -> Clearing {
        Clearing {
            bits: 1 << bit,
            action: Action::Clear { columns: vec![column.to_owned()] },
            guard: vec![column.to_owned()],
            changes: vec![unlink_change(column)],
            masks: Vec::new(),
            only_when_shared: bit == 0,
        }
    }

    #[test]
    fn o_1_all_that_is_cleared_of_a_row_is_one_step_that_knows_all_its_owners() {
        let (author, partner) = (clearing(0, "author"), clearing(1, "partner"));
        let owners = ["author", "editor", "partner"].map(str::to_owned);
        let both = together(&[&author, &partner], &owners, &[]).unwrap();
        assert_eq!(both.action, Action::Clear { columns: vec!["author".into(), "partner".into()] });
        assert_eq!((both.bits, both.only_when_shared), (0b11, true));
        assert_eq!(both.guard, owners);
        let late = together(&[&partner], &owners, &["author".to_owned()]).unwrap();
        assert_eq!((late.guard.join(" ").as_str(), late.only_when_shared), ("editor partner", false));
        assert!(together(&[], &owners, &[]).is_none());
    }
}
