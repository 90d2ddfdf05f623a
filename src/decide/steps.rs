//! The items of a plan and the steps that carry them out, collection by collection, in the order in which they can work: what is overwritten,
//! cleared, deleted and kept, and where in the snapshot its rows are. The rows themselves are read by `freeze.rs`.

use super::cuts::Cut;
use super::elements::PartOfJson;
use super::items::{item_of, unlink_change, unlink_item};
use super::overwrite::Overwrite;
use super::referrers::{owning_referrers, referrers_of};
use super::rules::Rule;
use super::shared_rows::SharedClearing;
use super::{Desk, GatherError, Items, map_error};
use crate::connector::sql::text::cut::CutRows;
use crate::connector::sql::text::fate;
use crate::connector::sql::text::read::Selection;
use crate::connector::sql::{Inbound, SnapshotError};
use crate::datamap::{Edge, Graph, Node, Predicate, Right};
use crate::db::DbError;
use crate::plan::{Action, ColumnChange, Disposition, Ground, Order, PlanItem, Referrer, Step};

/// A step, and where in the snapshot its rows are.
pub(super) struct Source {
    pub step: Step,
    pub node: usize,
    pub selection: Selection,
    pub masks: Vec<Overwrite>,
    /// Clears what ties rows to the person only because others own them too. Once part of the erasure is done, a row of the person's own looks
    /// like that as well: one of its owners has gone.
    pub only_shared: bool,
    /// How many rows were decided on, where their keys have to find exactly these again.
    pub counted: Option<u64>,
    /// Comes before everything else, when all that the subject owns is still there.
    pub comes_first: bool,
}

impl Source {
    fn new(step: Step, node: usize, selection: Selection) -> Source {
        Source { step, node, selection, masks: Vec::new(), only_shared: false, counted: None, comes_first: false }
    }
}

/// Something that is cleared in rows that stay: columns, or the subject's elements of a JSON column.
pub(super) struct Clearing {
    /// Bits by which its rows are found.
    pub bits: i64,
    pub action: Action,
    pub guard: Vec<String>,
    pub changes: Vec<ColumnChange>,
    /// What is written instead, inside JSON.
    pub masks: Vec<Overwrite>,
    /// In rows that stay, it is done only because others own them too: the map does not ask for it on this very edge.
    pub only_when_shared: bool,
}

impl Clearing {
    fn of_part(part: PartOfJson) -> Clearing {
        let columns = vec![part.overwrite.column.clone()];
        Clearing {
            bits: part.bits,
            action: Action::Overwrite { columns: columns.clone(), paths: vec![part.overwrite.paths()] },
            guard: columns,
            changes: part.overwrite.changes(),
            masks: vec![part.overwrite],
            only_when_shared: false,
        }
    }

    fn of_cut(cut: &Cut, graph: &Graph, rule: &Rule) -> Clearing {
        Clearing {
            bits: 1 << cut.bit,
            action: Action::Clear { columns: cut.cleared.clone() },
            guard: guard_of(graph, cut, rule),
            changes: cut.cleared.iter().map(|column| unlink_change(column)).collect(),
            masks: Vec::new(),
            only_when_shared: !cut.is_asked_for(graph),
        }
    }
}

impl Desk<'_, '_> {
    pub(super) async fn list_items(&mut self, order: &Order) -> Result<Items, GatherError> {
        let mut items = Vec::new();
        let mut sources = Vec::new();
        let people = self.people();
        for node in &order.nodes {
            self.list_node(*node, people.contains(node), &mut items, &mut sources).await?;
        }
        let detaching = self.detaching_sources(&items);
        let (first, sources): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(|source| source.comes_first);
        // References inside a circle are cleared before anything is deleted, also in rows that stay: the order of the tables no longer sees to
        // it, and the database would act on them. Kept rows come last, for the verifier.
        let (untying, acting): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(|source| self.unties(source));
        let (kept, mut acting): (Vec<Source>, Vec<Source>) =
            acting.into_iter().partition(|source| source.step.action == Action::Keep);
        self.bind_circles(&mut acting);
        let untying = untying.into_iter().map(|source| Source { step: Step { identity: false, ..source.step }, ..source });
        Ok((items, first.into_iter().chain(untying).chain(detaching).chain(acting).chain(kept).collect()))
    }

    /// Whether a step clears columns of a reference that was taken out of the order to open a circle.
    fn unties(&self, source: &Source) -> bool {
        self.opens_a_circle(source.node, &source.step.action)
    }

    pub(super) fn opens_a_circle(&self, node: usize, action: &Action) -> bool {
        let Action::Clear { columns } = action else { return false };
        let is_of = |key: &Inbound| key.child_node.is_some_and(|child| child.0 == node);
        self.detached.iter().any(|key| is_of(key) && key.child_columns.iter().any(|column| columns.contains(column)))
    }

    /// Everything between the ends of a deferred reference belongs to one transaction.
    fn bind_circles(&self, acting: &mut [Source]) {
        for key in &self.deferred {
            let is_end = |source: &Source| {
                source.step.action == Action::Delete
                    && (source.node == key.parent.0 || key.child_node.is_some_and(|n| n.0 == source.node))
            };
            let (Some(first), Some(last)) = (acting.iter().position(is_end), acting.iter().rposition(is_end)) else { continue };
            if first < last {
                acting[first..=last].iter_mut().for_each(|source| source.step.deferred = true);
            }
        }
    }

    async fn list_node(
        &mut self,
        node: usize,
        identity: bool,
        items: &mut Vec<PlanItem>,
        sources: &mut Vec<Source>,
    ) -> Result<(), GatherError> {
        let graph = self.brief.graph;
        let place = &graph.nodes[node];
        let rule = self.rules[node].clone();
        let owners = self.owner_columns(node);
        let clearings = self.clearings(node, &rule).await?;
        let Some(snapshot) = self.gathering.snapshots.get_mut(&place.source) else { return Ok(()) };
        let failed = |problem: DbError| map_error(&place.source, SnapshotError::Database(problem));
        let tally = snapshot.tally(node).await.map_err(failed)?;
        let cut = snapshot.cut_tally(node).await.map_err(failed)?;
        let mut item = item_of(place, &rule, &tally);
        let step = |item: usize, disposition: Disposition, action: Action, guard: Vec<String>| Step {
            identity,
            ..step_of(place, item, disposition, action, guard)
        };
        let referrers = referrers_of(snapshot, node);
        let counted: Vec<Referrer> = owning_referrers(graph, snapshot, node).into_iter().map(|(_, referrer)| referrer).collect();
        let shared = self.shared_clearings(node, identity, &clearings, &cut.sets(CutRows::Shared));
        let main = items.len();
        let mut cut_item: Option<PlanItem> = None;
        let mut clearing_sources = Vec::new();
        for (clearing, rows) in clearings.iter().flat_map(|one| [(one, CutRows::Unlinked), (one, CutRows::Others)]) {
            let count = cut.count(clearing.bits, rows);
            if count == 0 {
                continue;
            }
            // One item tells all of a collection that is unlinked; elsewhere the kept rows that lose a column have one of their own.
            let is_main = rule == Rule::Unlink;
            let target = if is_main { &mut item } else { cut_item.get_or_insert_with(|| unlink_item(&item)) };
            if rows == CutRows::Others {
                target.expected += count;
                target.disposition = Disposition::Unlink;
            }
            add_changes(target, &clearing.changes);
            let at = if is_main { main } else { main + 1 };
            let step = step(at, Disposition::Unlink, clearing.action.clone(), clearing.guard.clone());
            clearing_sources.push(Source {
                masks: clearing.masks.clone(),
                counted: matches!(clearing.action, Action::Overwrite { .. }).then_some(count),
                ..Source::new(step, node, Selection::Cut(clearing.bits, rows))
            });
        }
        for SharedClearing { selection, count, clearing, goes_last } in shared {
            let is_main = rule == Rule::Unlink;
            let target = if is_main { &mut item } else { cut_item.get_or_insert_with(|| unlink_item(&item)) };
            target.expected += count;
            target.disposition = Disposition::Unlink;
            add_changes(target, &clearing.changes);
            let at = if is_main { main } else { main + 1 };
            let of_all = step(at, Disposition::Unlink, clearing.action, clearing.guard);
            let of_all = Step { counted: counted.clone(), of_others_too: true, identity: goes_last, ..of_all };
            clearing_sources.push(Source {
                only_shared: clearing.only_when_shared,
                counted: matches!(of_all.action, Action::Overwrite { .. }).then_some(count),
                masks: clearing.masks,
                comes_first: !goes_last,
                ..Source::new(of_all, node, selection)
            });
        }
        if !counted.is_empty() && item.retained.iter().any(|kept| kept.ground == Ground::Shared) {
            // Who else owns these rows by rows of their own can go without leaving a trace here.
            let look = step(main, Disposition::Retain, Action::Look, self.all_owner_columns(node));
            let look = Step { counted: counted.clone(), of_others_too: true, identity: false, ..look };
            let look = Source::new(look, node, Selection::SharedUncut);
            sources.push(Source { only_shared: true, comes_first: true, ..look });
        }
        if item.disposition == Disposition::Mask
            && let Rule::Mask(columns) = &rule
        {
            let names: Vec<String> = columns.iter().map(|overwrite| overwrite.column.clone()).collect();
            let guard = owners.iter().chain(&names).cloned().collect();
            let action = Action::Overwrite { columns: names, paths: columns.iter().map(Overwrite::paths).collect() };
            let overwrite = Step { counted, ..step(main, Disposition::Mask, action, guard) };
            sources.push(Source {
                masks: columns.clone(),
                counted: Some(item.expected),
                ..Source::new(overwrite, node, Selection::Fate(fate::MASK))
            });
        }
        // Overwriting comes first: it knows a row by its owner, which is cleared then.
        sources.append(&mut clearing_sources);
        if item.disposition == Disposition::Erase && item.expected > 0 {
            let delete = Step { unreferenced: referrers, ..step(main, Disposition::Erase, Action::Delete, owners) };
            sources.push(Source { counted: Some(item.expected), ..Source::new(delete, node, Selection::Fate(fate::ERASE)) });
        }
        if !item.retained.is_empty() {
            let keep = step(main, Disposition::Retain, Action::Keep, Vec::new());
            let keep = Step { retained: item.retained.clone(), ..keep };
            sources.push(Source::new(keep, node, Selection::Fate(fate::RETAIN)));
        }
        items.push(item);
        items.extend(cut_item);
        Ok(())
    }

    /// What may be cleared in rows of a node that stay: elements of JSON first, then columns.
    async fn clearings(&mut self, node: usize, rule: &Rule) -> Result<Vec<Clearing>, GatherError> {
        let mut clearings: Vec<Clearing> = self.parts_of_json(node).await?.into_iter().map(Clearing::of_part).collect();
        let cuts = self.cuts.0.iter().filter(|cut| cut.node == node && cut.inside.is_none());
        clearings.extend(cuts.map(|cut| Clearing::of_cut(cut, self.brief.graph, rule)));
        Ok(clearings)
    }

    /// Columns that say whose a row is. A column that is cleared before the deletion does not count.
    fn owner_columns(&self, node: usize) -> Vec<String> {
        let mut columns = self.all_owner_columns(node);
        let cleared = |column: &String| {
            self.detached.iter().any(|key| key.child_node.is_some_and(|n| n.0 == node) && key.child_columns.contains(column))
        };
        columns.retain(|column| !cleared(column));
        columns
    }

    /// The ends of owning edges, and identity columns.
    pub(super) fn all_owner_columns(&self, node: usize) -> Vec<String> {
        let graph = self.brief.graph;
        let owning = graph.edges.iter().filter(|edge| edge.to.0 == node && edge.declared_on_to && edge.right == Right::Owns);
        let mut columns: Vec<String> = owning.flat_map(ends_of).collect();
        columns.extend(graph.nodes[node].identities.iter().map(|identity| identity.column.clone()));
        columns.sort();
        columns.dedup();
        columns
    }

    fn detaching_sources(&self, items: &[PlanItem]) -> Vec<Source> {
        let mut sources = Vec::new();
        for key in &self.detached {
            let Some(child) = key.child_node else { continue };
            let place = &self.brief.graph.nodes[child.0];
            let item = items.iter().position(|item| {
                item.dataset == place.dataset
                    && item.collection == place.collection
                    && item.disposition == Disposition::Erase
                    && item.expected > 0
            });
            let Some(item) = item else { continue };
            let action = Action::Clear { columns: key.child_columns.clone() };
            let step = step_of(place, item, Disposition::Erase, action, key.child_columns.clone());
            sources.push(Source::new(step, child.0, Selection::Tied));
        }
        sources
    }
}

fn step_of(place: &Node, item: usize, disposition: Disposition, action: Action, guard: Vec<String>) -> Step {
    Step {
        disposition,
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        schema: place.schema.clone(),
        item,
        action,
        guard,
        unreferenced: Vec::new(),
        counted: Vec::new(),
        of_others_too: false,
        identity: false,
        deferred: false,
        records: 0,
        retained: Vec::new(),
    }
}

/// Each change of a column is told once.
fn add_changes(item: &mut PlanItem, changes: &[ColumnChange]) {
    for change in changes {
        if !item.columns.contains(change) {
            item.columns.push(change.clone());
        }
    }
}

/// Columns that say whether a row is at the end of an edge: those that refer, and those of the edge's condition.
fn ends_of(edge: &Edge) -> Vec<String> {
    let condition = edge.filter.iter().flat_map(Predicate::columns).map(str::to_owned);
    edge.to_columns.iter().cloned().chain(condition).collect()
}

/// Columns by which a row is known to be tied to the person still. What is overwritten before does not count.
fn guard_of(graph: &Graph, cut: &Cut, rule: &Rule) -> Vec<String> {
    let mut guard = cut.tie.edge(graph).map_or_else(|| cut.columns.clone(), ends_of);
    guard.sort();
    guard.dedup();
    if let Rule::Mask(masks) = rule {
        guard.retain(|column| cut.cleared.contains(column) || !masks.iter().any(|overwrite| overwrite.column == *column));
    }
    guard
}
