//! The end of a decision: the items that people see, and the manifest, row by row, in the order in which it will be carried out.

use std::collections::{BTreeMap, HashSet};

use futures_util::TryStreamExt;

use super::cuts::{Cut, Tie};
use super::overwrite::Overwrite;
use super::rules::Rule;
use super::{Decided, Desk, GatherError, Items, MaskSecret, map_error};
use crate::connector::sql::text::fate::{self, CutRows};
use crate::connector::sql::text::read::{self, Selection};
use crate::connector::sql::{Inbound, Location, Snapshot, SnapshotError, Tally, decode};
use crate::datamap::{Edge, Graph, Predicate, Right};
use crate::db::DbError;
use crate::gather::Gathering;
use crate::plan::{
    Action, ColumnChange, Disposition, Ground, ManifestRecord, Order, Plan, PlanItem, Problem, Referrer, Retained, RowId, Step,
};

/// Where the records of a manifest go: an encrypted spool, or nowhere when only the digest is wanted.
pub trait ManifestSink: Send {
    /// Takes the next record.
    fn put(&mut self, record: &ManifestRecord) -> std::io::Result<()>;
    /// Takes note of a row that stands for a person.
    fn put_person(&mut self, _place: &str, _record: &ManifestRecord) {}
    /// Keyed digest over all records so far.
    fn digest(&self) -> String;
    /// Keyed digest over the people's rows so far.
    fn people_digest(&self) -> String {
        String::new()
    }
}

/// A plan with its digest, and its steps with their counts.
pub struct Frozen {
    /// The plan.
    pub plan: Plan,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// Which rows of what was decided go into a manifest.
#[derive(Debug, Clone, Copy)]
pub enum WhichRows<'a> {
    /// All of them.
    All,
    /// Those that appeared while an earlier manifest was carried out: without the people themselves, who go last.
    New,
    /// These, which are to be overwritten and had changed by their turn.
    These(&'a HashSet<RowId>),
}

/// A step, and where in the snapshot its rows are.
pub(super) struct Source {
    step: Step,
    node: usize,
    selection: Selection,
    masks: Vec<Overwrite>,
    /// Clears what ties rows to the person only because others own them too. Once part of the erasure is done, a row of the person's own looks
    /// like that as well: one of its owners has gone.
    only_shared: bool,
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
        // References inside a circle are cleared before anything is deleted, also in rows that stay: the order of the tables no longer sees to
        // it, and the database would act on them. Kept rows come last, for the verifier.
        let (untying, acting): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(|source| self.unties(source));
        let (kept, mut acting): (Vec<Source>, Vec<Source>) =
            acting.into_iter().partition(|source| source.step.action == Action::Keep);
        self.bind_circles(&mut acting);
        let first = untying.into_iter().map(|source| Source { step: Step { identity: false, ..source.step }, ..source });
        Ok((items, first.chain(detaching).chain(acting).chain(kept).collect()))
    }

    /// Whether a step clears columns of a reference that was taken out of the order to open a circle.
    fn unties(&self, source: &Source) -> bool {
        let Action::Clear { columns } = &source.step.action else { return false };
        let is_of = |key: &Inbound| key.child_node.is_some_and(|child| child.0 == source.node);
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
        let place = self.brief.graph.nodes[node].clone();
        let elements = self.parts_of_json(node).await?;
        let Some(snapshot) = self.gathering.snapshots.get_mut(&place.source) else { return Ok(()) };
        let failed = |problem: DbError| map_error(&place.source, SnapshotError::Database(problem));
        let tally = snapshot.tally(node).await.map_err(failed)?;
        let rule = self.rules[node].clone();
        let mut item = item_of(&place, &rule, &tally);
        let step = |item: usize, disposition: Disposition, action: Action, guard: Vec<String>| Step {
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
            identity,
            deferred: false,
            records: 0,
            retained: Vec::new(),
        };
        let referrers = referrers_of(snapshot, node);
        let counted = owning_referrers(self.brief.graph, snapshot, node).into_iter().map(|(_, referrer)| referrer).collect();
        let main = items.len();
        let mut cut_item: Option<PlanItem> = None;
        let mut clearing = Vec::new();
        for (part, rows) in elements.iter().flat_map(|part| [(part, CutRows::Unlinked), (part, CutRows::Others)]) {
            let Some(location) = snapshot.location(node) else { continue };
            let count = snapshot.count(fate::cut_count(location, part.bits, rows)).await.map_err(failed)?;
            if count == 0 {
                continue;
            }
            let is_main = rule == Rule::Unlink;
            let target = if is_main { &mut item } else { cut_item.get_or_insert_with(|| unlink_item(&item)) };
            if rows == CutRows::Others {
                target.expected += count;
                target.disposition = Disposition::Unlink;
            }
            target.columns.extend(part.overwrite.changes());
            let columns = vec![part.overwrite.column.clone()];
            let action = Action::Overwrite { columns: columns.clone(), paths: vec![part.overwrite.paths()] };
            let at = if is_main { main } else { main + 1 };
            clearing.push(Source {
                step: step(at, Disposition::Unlink, action, columns),
                node,
                selection: Selection::Cut(part.bits, rows),
                masks: vec![part.overwrite.clone()],
                only_shared: false,
            });
        }
        let cuts = self.cuts.0.iter().filter(|cut| cut.node == node && cut.inside.is_none());
        for (cut, rows) in cuts.flat_map(|cut| [(cut, CutRows::Unlinked), (cut, CutRows::Others)]) {
            let Some(location) = snapshot.location(node) else { continue };
            let statement = fate::cut_count(location, 1 << cut.bit, rows);
            let count = snapshot.count(statement).await.map_err(failed)?;
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
            target.columns.extend(cut.cleared.iter().map(|column| unlink_change(column)));
            let action = Action::Clear { columns: cut.cleared.clone() };
            let at = if is_main { main } else { main + 1 };
            clearing.push(Source {
                step: step(at, Disposition::Unlink, action, guard_of(self.brief.graph, cut, &rule)),
                node,
                selection: Selection::Cut(1 << cut.bit, rows),
                masks: Vec::new(),
                only_shared: rows == CutRows::Others && !cut.is_asked_for(self.brief.graph),
            });
        }
        let owners = self.owner_columns(node);
        if item.disposition == Disposition::Mask
            && let Rule::Mask(columns) = &rule
        {
            let names: Vec<String> = columns.iter().map(|overwrite| overwrite.column.clone()).collect();
            let guard = owners.iter().chain(&names).cloned().collect();
            let action = Action::Overwrite { columns: names, paths: columns.iter().map(Overwrite::paths).collect() };
            let mut overwrite = step(main, Disposition::Mask, action, guard);
            overwrite.counted = counted;
            sources.push(Source {
                step: overwrite,
                node,
                selection: Selection::Fate(fate::MASK),
                masks: columns.clone(),
                only_shared: false,
            });
        }
        // Overwriting comes first: it knows a row by its owner, which is cleared then.
        sources.append(&mut clearing);
        if item.disposition == Disposition::Erase && item.expected > 0 {
            let mut delete = step(main, Disposition::Erase, Action::Delete, owners);
            delete.unreferenced = referrers;
            sources.push(Source {
                step: delete,
                node,
                selection: Selection::Fate(fate::ERASE),
                masks: Vec::new(),
                only_shared: false,
            });
        }
        if !item.retained.is_empty() {
            let keep = step(main, Disposition::Retain, Action::Keep, Vec::new());
            sources.push(Source {
                step: Step { retained: item.retained.clone(), ..keep },
                node,
                selection: Selection::Fate(fate::RETAIN),
                masks: Vec::new(),
                only_shared: false,
            });
        }
        items.push(item);
        items.extend(cut_item);
        Ok(())
    }

    /// Columns that say whose a row is: the ends of owning edges, and identity columns. A column that is cleared before the deletion does
    /// not count.
    fn owner_columns(&self, node: usize) -> Vec<String> {
        let graph = self.brief.graph;
        let owning = graph.edges.iter().filter(|edge| edge.to.0 == node && edge.declared_on_to && edge.right == Right::Owns);
        let mut columns: Vec<String> = owning.flat_map(ends_of).collect();
        columns.extend(graph.nodes[node].identities.iter().map(|identity| identity.column.clone()));
        columns.sort();
        columns.dedup();
        let cleared = |column: &String| {
            self.detached.iter().any(|key| key.child_node.is_some_and(|n| n.0 == node) && key.child_columns.contains(column))
        };
        columns.retain(|column| !cleared(column));
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
            let step = Step {
                disposition: Disposition::Erase,
                source: place.source.clone(),
                dataset: place.dataset.clone(),
                collection: place.collection.clone(),
                schema: place.schema.clone(),
                item,
                action: Action::Clear { columns: key.child_columns.clone() },
                guard: key.child_columns.clone(),
                unreferenced: Vec::new(),
                counted: Vec::new(),
                identity: false,
                deferred: false,
                records: 0,
                retained: Vec::new(),
            };
            sources.push(Source { step, node: child.0, selection: Selection::Tied, masks: Vec::new(), only_shared: false });
        }
        sources
    }
}

/// Columns that say whether a row is at the end of an edge: those that refer, and those of the edge's condition.
fn ends_of(edge: &Edge) -> Vec<String> {
    let condition = edge.filter.iter().flat_map(Predicate::columns).map(str::to_owned);
    edge.to_columns.iter().cloned().chain(condition).collect()
}

/// Columns by which a row is known to be tied to the person still. What is overwritten before does not count.
fn guard_of(graph: &Graph, cut: &Cut, rule: &Rule) -> Vec<String> {
    let mut guard = match &cut.tie {
        Tie::Edge(at) => ends_of(&graph.edges[*at]),
        Tie::Identity(_) => cut.columns.clone(),
    };
    guard.sort();
    guard.dedup();
    if let Rule::Mask(masks) = rule {
        guard.retain(|column| cut.cleared.contains(column) || !masks.iter().any(|overwrite| overwrite.column == *column));
    }
    guard
}

/// Tables whose rows own rows of this node by referring to them, and those whose rows the database would delete or change together with
/// them (O-1, H-1). What is this subject's there goes first, so that a row that still refers is somebody else's, or kept.
fn referrers_of(snapshot: &Snapshot, node: usize) -> Vec<Referrer> {
    let mapped = snapshot
        .mapped_references()
        .iter()
        .filter(|key| key.parent.0 == node && key.child_node.is_none_or(|child| child.0 != node));
    let acting = snapshot.declared_references().iter().filter(|key| key.parent.0 == node && key.on_delete.acts());
    let referrer = |key: &Inbound| Referrer {
        schema: key.child.schema.clone(),
        table: key.child.name.clone(),
        columns: key.child_columns.clone(),
        referred: key.parent_columns.clone(),
        acts: key.on_delete.acts(),
    };
    mapped.chain(acting).map(referrer).collect()
}

/// The same where such rows may stay, with the nodes of their tables, and whether or not the database knows of the reference: it lets a row be
/// changed that others refer to.
fn owning_referrers(graph: &Graph, snapshot: &Snapshot, node: usize) -> Vec<(usize, Referrer)> {
    let owning = graph
        .edges
        .iter()
        .filter(|edge| edge.to.0 == node && edge.from != edge.to && edge.right == Right::Owns && !edge.declared_on_to);
    let referrer = |edge: &Edge| {
        let location = snapshot.location(edge.from.0)?;
        Some((
            edge.from.0,
            Referrer {
                schema: location.table.name.schema.clone(),
                table: location.table.name.name.clone(),
                columns: edge.from_columns.clone(),
                referred: edge.to_columns.clone(),
                acts: false,
            },
        ))
    };
    owning.filter_map(referrer).collect()
}

fn item_of(place: &crate::datamap::Node, rule: &Rule, tally: &[Tally]) -> PlanItem {
    let count_of = |wanted: i64| tally.iter().filter(|t| t.fate == wanted).map(|t| t.count).sum::<u64>();
    let found: u64 = tally.iter().map(|t| t.count).sum();
    let (mut disposition, expected) = match rule {
        Rule::Undecided => (Disposition::Undecided, 0),
        Rule::Delete => (Disposition::Erase, count_of(fate::ERASE)),
        Rule::Mask(_) => (Disposition::Mask, count_of(fate::MASK)),
        Rule::Unlink => (Disposition::Unlink, count_of(fate::UNLINK)),
        Rule::Keep => (Disposition::Retain, 0),
    };
    if expected == 0 && found > 0 && disposition != Disposition::Undecided {
        disposition = Disposition::Retain;
    }
    let columns = match rule {
        Rule::Mask(masks) => masks.iter().flat_map(Overwrite::changes).collect(),
        _ => Vec::new(),
    };
    PlanItem {
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        kind: "sql".to_owned(),
        disposition,
        found,
        expected,
        retained: retained_of(tally),
        columns,
    }
}

fn retained_of(tally: &[Tally]) -> Vec<Retained> {
    let mut retained: Vec<Retained> = Vec::new();
    for row in tally.iter().filter(|t| t.fate == fate::RETAIN) {
        let ground = match row.ground.as_deref() {
            Some("hold") => Ground::Hold,
            Some("art17_3_b") => Ground::LegalObligation,
            Some("art17_3_e") => Ground::LegalClaims,
            Some("shared") => Ground::Shared,
            _ => Ground::Policy,
        };
        match retained.iter_mut().find(|known| known.ground == ground && known.reference == row.reference) {
            Some(known) => {
                known.count += row.count;
                known.review_on = known.review_on.take().into_iter().chain(row.review_on.clone()).min();
            }
            None => retained.push(Retained {
                count: row.count,
                ground,
                reference: row.reference.clone(),
                review_on: row.review_on.clone(),
            }),
        }
    }
    retained
}

fn unlink_item(main: &PlanItem) -> PlanItem {
    PlanItem { disposition: Disposition::Unlink, expected: 0, retained: Vec::new(), columns: Vec::new(), ..main.clone() }
}

fn unlink_change(column: &str) -> ColumnChange {
    ColumnChange { column: column.to_owned(), strategy: "unlink".to_owned(), pseudonymisation: false }
}

impl Decided {
    /// Reads the keys of the rows in scope into the sink and closes the plan with their digest.
    pub async fn freeze(
        self,
        gathering: &mut Gathering<'_>,
        secret: &MaskSecret,
        sink: &mut dyn ManifestSink,
        scope: WhichRows<'_>,
    ) -> Result<Frozen, GatherError> {
        let Decided { mut plan, steps: sources } = self;
        let mut steps = Vec::new();
        for mut source in sources {
            let overwrites = matches!(source.step.action, Action::Overwrite { .. });
            match scope {
                // The people themselves, and what can only go after them, wait for the end.
                WhichRows::New if source.step.identity || source.step.deferred || source.step.action == Action::Keep => break,
                // Overwritten rows stay and are reached again; overwriting them twice would not be the same as once (E-3).
                WhichRows::New if overwrites && source.step.disposition == Disposition::Mask => continue,
                WhichRows::New if source.only_shared => continue,
                WhichRows::These(_) if !overwrites => continue,
                _ => {}
            }
            let position = u16::try_from(steps.len()).map_err(|_| GatherError::Map("a plan has too many steps".into()))?;
            let written = write_records(&source, position, gathering, secret, scope, sink).await?;
            let counted = plan.items.get(source.step.item).map_or(0, |item| item.expected);
            let is_whole =
                matches!(scope, WhichRows::All) && matches!(source.step.action, Action::Delete | Action::Overwrite { .. });
            // What is wrong with these keys may have been told already, with the words that help.
            if is_whole && written.records != counted && !is_told(&plan.problems, &source.step) {
                plan.problems.push(key_problem(&source.step, counted, written.records));
            }
            source.step.records = written.records;
            for (column, rows) in written.unreadable {
                // Nothing was decided for these rows: the plan cannot be approved (P-1).
                plan.problems.push(unreadable_problem(&source.step, &column, rows));
            }
            steps.push(source.step);
        }
        plan.manifest_digest = sink.digest();
        plan.people_digest = sink.people_digest();
        Ok(Frozen { plan, steps })
    }
}

async fn write_records(
    source: &Source,
    position: u16,
    gathering: &mut Gathering<'_>,
    secret: &MaskSecret,
    scope: WhichRows<'_>,
    sink: &mut dyn ManifestSink,
) -> Result<Written, GatherError> {
    let nothing = Written { records: 0, unreadable: BTreeMap::new() };
    let graph = gathering.graph;
    let Some((name, snapshot)) = gathering.snapshot_of(source.node) else { return Ok(nothing) };
    let name = name.to_owned();
    let failed = |problem: DbError| map_error(&name, SnapshotError::Database(problem));
    let Some(location) = snapshot.location(source.node).cloned() else { return Ok(nothing) };
    let dialect = snapshot.dialect;
    let columns: Vec<String> = source.masks.iter().map(|overwrite| overwrite.column.clone()).collect();
    let is_ranked = snapshot.inbound.iter().any(|key| key.parent.0 == source.node && key.child_node == Some(key.parent));
    let counted: Vec<(Referrer, Location)> = match source.step.counted.is_empty() {
        true => Vec::new(),
        false => owning_referrers(graph, snapshot, source.node)
            .into_iter()
            .filter_map(|(child, referrer)| Some((referrer, snapshot.location(child)?.clone())))
            .collect(),
    };
    let marks = read::Marks { guard: &source.step.guard, counted: &counted };
    let statement = read::frozen(&location, source.selection, marks, &columns, is_ranked, dialect);
    let width = location.key_width();
    let mut rows = snapshot.stream(statement).map_err(failed)?;
    let mut written = 0;
    let mut unreadable: BTreeMap<String, u64> = BTreeMap::new();
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let key = decode::key(&row, width).map_err(failed)?;
        if let WhichRows::These(rows) = scope
            && !rows.contains(&RowId::of(&source.step, &key))
        {
            continue;
        }
        let fingerprint = row.text_at(width).map_err(failed)?.unwrap_or_default().to_owned();
        let mut values = Vec::with_capacity(columns.len());
        let row_name = format!("{}.{}:{}", location.dataset, location.collection, key_name(&key));
        for (at, overwrite) in source.masks.iter().enumerate() {
            let present = row.text_at(width + 1 + at).map_err(failed)?;
            let room = location.table.column(&overwrite.column).and_then(|live| live.max_length);
            values.push(overwrite.value(secret, &row_name, present, room).unwrap_or_else(|_| {
                *unreadable.entry(overwrite.column.clone()).or_default() += 1;
                None
            }));
        }
        let record = ManifestRecord { step: position, key, fingerprint, values };
        if source.step.identity && !matches!(source.step.action, Action::Clear { .. }) {
            sink.put_person(&source.step.collection, &record);
        }
        sink.put(&record).map_err(|error| GatherError::Spool(error.to_string()))?;
        written += 1;
    }
    Ok(Written { records: written, unreadable })
}

/// What came of the rows of a step.
struct Written {
    records: u64,
    /// Rows in which parts of a column are to be overwritten and whose text there is no JSON, by column.
    unreadable: BTreeMap<String, u64>,
}

fn unreadable_problem(step: &Step, column: &str, rows: u64) -> Problem {
    Problem {
        code: "not_json".to_owned(),
        subject: format!("{}.{}.{column}", step.dataset, step.collection),
        problem: format!("{rows} of the person's rows hold text here that is no JSON, so that parts of it cannot be overwritten"),
        hint: "mend those rows, or overwrite the whole column: write the strategy on the column itself".to_owned(),
    }
}

/// E-1, the last line of defence: a row that its own key does not find again would be left, and everything else certified; a key that finds
/// more rows than were decided on would take others along.
fn key_problem(step: &Step, counted: u64, by_key: u64) -> Problem {
    Problem {
        code: "key_not_exact".to_owned(),
        subject: format!("{}.{}", step.dataset, step.collection),
        problem: format!("{counted} rows were found, and by their keys {by_key} of them are found again"),
        hint: "the declared primary key must name exactly one row each: look for NULL, for inheriting tables, and for keys that compare as equal"
            .to_owned(),
    }
}

/// Whether the plan has a problem of this very collection.
fn is_told(problems: &[Problem], step: &Step) -> bool {
    let place = format!("{}.{}", step.dataset, step.collection);
    // A subject may be followed by the file and line of the map.
    problems.iter().any(|problem| problem.subject.split(" (").next() == Some(place.as_str()))
}

fn key_name(key: &[crate::value::KeyPart]) -> String {
    key.iter().map(decode::key_text).collect::<Vec<_>>().join("\u{0}")
}
