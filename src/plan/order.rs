//! The order of an erasure: rows that refer before rows that are referred to, people last. Pure. Where tables refer to each other in a
//! circle, a nullable reference is cleared first; where there is none, one that the database checks only at the end of a transaction is left
//! to that; where there is none either, the circle is reported.

use std::collections::BTreeSet;

/// `child` refers to `parent`, so that the child's rows go first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refers {
    /// The referring node.
    pub child: usize,
    /// The node referred to.
    pub parent: usize,
    /// Whether the referring columns may be NULL.
    pub nullable: bool,
    /// Whether the check can wait for the end of the transaction, and nothing else happens before.
    pub deferrable: bool,
}

/// An order of nodes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Order {
    /// Nodes in the order of erasing.
    pub nodes: Vec<usize>,
    /// References (by their index) whose columns are cleared before anything is deleted.
    pub detached: Vec<usize>,
    /// References (by their index) that hold again only when everything between their ends has been deleted: one transaction.
    pub deferred: Vec<usize>,
    /// Nodes in a circle that cannot be opened.
    pub circle: Vec<usize>,
}

/// Orders `nodes`. Self-references are not its business: rows of one table are ordered by depth.
pub fn order(nodes: &[usize], people: &BTreeSet<usize>, references: &[Refers]) -> Order {
    let mut result = Order::default();
    let mut waiting: BTreeSet<usize> = nodes.iter().copied().collect();
    let mut open: BTreeSet<usize> = (0..references.len())
        .filter(|at| {
            let reference = &references[*at];
            reference.child != reference.parent && waiting.contains(&reference.child) && waiting.contains(&reference.parent)
        })
        .collect();
    while !waiting.is_empty() {
        let blocked: BTreeSet<usize> = open.iter().map(|at| references[*at].parent).collect();
        let free = |node: &&usize| !blocked.contains(node);
        // Nobody refers to it any more; people only when nothing else is free.
        let next = waiting.iter().filter(|node| !people.contains(node)).find(free).or_else(|| waiting.iter().find(free)).copied();
        if let Some(node) = next {
            waiting.remove(&node);
            open.retain(|at| references[*at].child != node);
            result.nodes.push(node);
            continue;
        }
        if let Some(loose) = open.iter().copied().find(|at| references[*at].nullable) {
            open.remove(&loose);
            result.detached.push(loose);
        } else if let Some(late) = open.iter().copied().find(|at| references[*at].deferrable) {
            open.remove(&late);
            result.deferred.push(late);
        } else {
            result.circle = waiting.iter().copied().collect();
            return result;
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refers(child: usize, parent: usize, nullable: bool) -> Refers {
        Refers { child, parent, nullable, deferrable: false }
    }

    #[test]
    fn children_go_before_parents_and_people_last() {
        // 0 users, 1 orders -> users, 2 items -> orders, 3 newsletter (nobody refers)
        let people = BTreeSet::from([0]);
        let order = order(&[0, 1, 2, 3], &people, &[refers(1, 0, false), refers(2, 1, false)]);
        assert_eq!(order.nodes, [2, 1, 3, 0]);
    }

    #[test]
    fn a_parent_of_people_goes_after_them() {
        let people = BTreeSet::from([0]);
        let order = order(&[0, 1], &people, &[refers(0, 1, false)]);
        assert_eq!(order.nodes, [0, 1]);
    }

    #[test]
    fn a_circle_is_opened_at_a_nullable_reference_or_reported() {
        let people = BTreeSet::from([0]);
        let opened = order(&[0, 1], &people, &[refers(0, 1, true), refers(1, 0, false)]);
        assert_eq!((opened.nodes, opened.detached), (vec![1, 0], vec![0]));
        let closed = order(&[0, 1], &people, &[refers(0, 1, false), refers(1, 0, false)]);
        assert_eq!(closed.circle, [0, 1]);
        let late = Refers { deferrable: true, ..refers(1, 0, false) };
        let waiting = order(&[0, 1], &people, &[refers(0, 1, false), late]);
        assert_eq!((waiting.nodes, waiting.deferred, waiting.circle), (vec![0, 1], vec![1], vec![]), "checked at the end");
    }
}
