//! What an erasure must do to every row, and what a plan may refuse: derived from the rules of the documentation, row by row.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Edge, Reach, edges, owners, people_tables, reach, unseen_edges};
use super::*;

/// What becomes of a row that is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    Delete,
    Mask,
    Unlink,
    Keep(Why),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    Policy,
    Law,
    Shared,
    Hold,
}

/// A prediction.
#[derive(Debug, Default)]
pub struct Prediction {
    pub reach: Reach,
    pub fates: BTreeMap<RowId, Fate>,
    /// Columns that are cleared.
    pub cleared: BTreeMap<RowId, BTreeSet<String>>,
    /// Rows with cleared columns that may stay as they are instead: somebody else's hold might cover them.
    pub loose: BTreeSet<RowId>,
    /// Whether somebody else's hold covers rows that would be cut: then what leads to them is kept as well, and more may be than must be.
    pub spares: bool,
    /// Codes with which the plan may be refused.
    pub may_refuse: BTreeSet<&'static str>,
    /// Whether it has to be.
    pub must_refuse: bool,
}

/// Predicts the erasure of the world's subject.
pub fn predict(world: &World) -> Prediction {
    let mut prediction = Prediction { reach: reach(world, &world.subject), ..Prediction::default() };
    give_fates(world, &mut prediction);
    hold_rows(world, &mut prediction);
    clear_columns(world, &mut prediction);
    keep_what_is_needed(world, &mut prediction);
    refuse(world, &mut prediction);
    prediction
}

fn give_fates(world: &World, prediction: &mut Prediction) {
    let Reach { owned, accessed, unseen, alone, .. } = &prediction.reach;
    for row in owned.iter().chain(accessed).chain(unseen) {
        let table = &world.tables[row.0];
        let kind = world.value(*row, "kind");
        let kept_by_law = table.law_keeps.is_some_and(|kept| *kind == Value::Null || *kind == Value::Text(kept.into()));
        let fate = match table.rule {
            _ if !alone.contains(row) => Fate::Keep(Why::Shared),
            _ if kept_by_law => Fate::Keep(Why::Law),
            Rule::Delete => Fate::Delete,
            Rule::Mask => Fate::Mask,
            Rule::Unlink => Fate::Unlink,
            Rule::Keep => Fate::Keep(Why::Policy),
        };
        prediction.fates.insert(*row, fate);
    }
}

/// Whether one of the world's holds covers a row, for this subject's sake or the row's own.
fn is_held(world: &World, row: RowId) -> bool {
    world.holds.iter().any(|hold| match hold {
        Hold::Record(held) => *held == row,
        Hold::Collection(table) => *table == row.0,
        Hold::Kind(table, kind) => *table == row.0 && [Value::Null, Value::Text((*kind).into())].contains(world.value(row, "kind")),
        Hold::Person(address) => *address == world.subject,
    })
}

fn hold_rows(world: &World, prediction: &mut Prediction) {
    for (row, fate) in &mut prediction.fates {
        if is_held(world, *row) {
            *fate = Fate::Keep(Why::Hold);
        }
    }
}

/// Columns that go when an edge is cut: those of the reference, but none that belongs to another reference too or cannot be empty.
pub fn clearable(world: &World, table: usize, columns: &[String]) -> Vec<String> {
    let nullable: Vec<String> = columns.iter().filter(|name| world.tables[table].admits_null(name)).cloned().collect();
    let others = || edge_ends(world, table).into_iter().filter(|other| *other != columns);
    let free: Vec<String> = nullable.iter().filter(|name| !others().any(|other| other.contains(name))).cloned().collect();
    if columns.len() == 1 { nullable } else { free }
}

/// Column lists of the references on a table that the map knows.
fn edge_ends(world: &World, table: usize) -> Vec<&[String]> {
    let known = world.references.iter().filter(|reference| reference.words.is_some() && reference.on == table);
    known.map(|reference| reference.columns.as_slice()).collect()
}

fn clear_columns(world: &World, prediction: &mut Prediction) {
    let ours = Value::Text(world.subject.clone());
    let edges = [edges(world), unseen_edges(world)].concat();
    let mut cleared: BTreeMap<RowId, BTreeSet<String>> = BTreeMap::new();
    for (row, fate) in &prediction.fates {
        let (Fate::Keep(_) | Fate::Unlink | Fate::Mask) = fate else { continue };
        if *fate == Fate::Keep(Why::Hold) {
            continue;
        }
        let is_owned = prediction.reach.owned.contains(row);
        let is_shared = is_owned && !prediction.reach.alone.contains(row);
        let all_ties = is_shared || is_owned && world.tables[row.0].rule == Rule::Unlink;
        let mut columns = BTreeSet::new();
        for edge in edges.iter().filter(|edge| edge.refers_at_end) {
            let wanted = edge.unlink || all_ties && edge.right == Right::Owns;
            if wanted && edge.starts(world, *row).iter().any(|start| prediction.reach.alone.contains(start)) {
                columns.extend(clearable(world, row.0, edge.to_columns));
            }
        }
        for column in world.tables[row.0].identities().filter(|_| all_ties) {
            if *world.value(*row, column) == ours {
                columns.insert(column.to_owned());
            }
        }
        if !columns.is_empty() {
            cleared.insert(*row, columns);
        }
    }
    prediction.cleared = cleared;
    spare_rows_of_held_people(world, prediction);
}

/// A hold on somebody else keeps the rows that they own as they are; where the engine cannot know, it may spare others too.
fn spare_rows_of_held_people(world: &World, prediction: &mut Prediction) {
    let owners = owners(world);
    for hold in &world.holds {
        let Hold::Person(address) = hold else { continue };
        if *address == world.subject {
            continue;
        }
        prediction.spares |= !prediction.cleared.is_empty();
        prediction.loose.extend(prediction.cleared.keys().copied());
        for row in owners.get(address).into_iter().flatten() {
            prediction.cleared.remove(row);
            prediction.loose.remove(row);
        }
    }
}

/// References between rows that count for the order of things: declared keys, and what the map says a row has of another.
fn references(world: &World) -> Vec<&Reference> {
    let counts = |reference: &&Reference| {
        let owns_outwards = reference.words.as_ref().is_some_and(|words| words.right == Right::Owns && !words.to_referrer);
        reference.declared.is_some() || owns_outwards
    };
    world.references.iter().filter(counts).collect()
}

/// Pairs of a row that refers and the row it refers to.
fn pairs<'w>(world: &'w World, reference: &'w Reference) -> impl Iterator<Item = (RowId, RowId)> + 'w {
    let joins = move |child: RowId, parent: RowId| {
        reference.columns.iter().zip(&reference.other_columns).all(|(own, other)| {
            let value = world.value(child, own);
            *value != Value::Null && value == world.value(parent, other)
        })
    };
    let children = (0..world.tables[reference.on].rows.len()).map(move |row| (reference.on, row));
    children.flat_map(move |child| {
        let parents = (0..world.tables[reference.other].rows.len()).map(move |row| (reference.other, row));
        parents.filter(move |parent| joins(child, *parent)).map(move |parent| (child, parent))
    })
}

fn is_cut(prediction: &Prediction, row: RowId, columns: &[String]) -> bool {
    prediction.cleared.get(&row).is_some_and(|cleared| columns.iter().any(|name| cleared.contains(name)))
}

/// Kept rows keep what they refer to, and held rows keep the way that leads to them.
fn keep_what_is_needed(world: &World, prediction: &mut Prediction) {
    let edges = [edges(world), unseen_edges(world)].concat();
    loop {
        let mut kept: Vec<(RowId, Why)> = Vec::new();
        for reference in references(world) {
            for (child, parent) in pairs(world, reference) {
                let Some(Fate::Keep(why)) = prediction.fates.get(&child) else { continue };
                let is_cut = is_cut(prediction, child, &reference.columns);
                if *why != Why::Shared && !is_cut && prediction.fates.get(&parent) == Some(&Fate::Delete) {
                    kept.push((parent, *why));
                }
            }
        }
        for (row, fate) in &prediction.fates {
            if *fate == Fate::Keep(Why::Hold) {
                kept.extend(edges.iter().flat_map(|edge| way_to(world, prediction, edge, *row)));
            }
        }
        if kept.is_empty() {
            return;
        }
        for (row, why) in kept {
            let known = prediction.fates.get(&row).copied();
            let why = if known == Some(Fate::Keep(Why::Hold)) { Why::Hold } else { why };
            prediction.fates.insert(row, Fate::Keep(why));
            prediction.cleared.remove(&row);
        }
    }
}

/// The owned rows that lead to a held one, and would not any more.
fn way_to(world: &World, prediction: &Prediction, edge: &Edge<'_>, held: RowId) -> Vec<(RowId, Why)> {
    if !edge.unlink && !prediction.reach.owned.contains(&held) {
        return Vec::new();
    }
    let starts = edge.starts(world, held);
    let gives_up = |row: &RowId| {
        matches!(prediction.fates.get(row), Some(Fate::Delete | Fate::Unlink)) && prediction.reach.owned.contains(row)
    };
    starts.into_iter().filter(gives_up).map(|row| (row, Why::Hold)).collect()
}

fn refuse(world: &World, prediction: &mut Prediction) {
    for table in people_tables(world) {
        if prediction.reach.named.iter().filter(|row| row.0 == table).count() > 1 {
            prediction.may_refuse.insert("identity_ambiguous");
            prediction.must_refuse = true;
        }
    }
    // Rows that would stay and refer to one that would go.
    for reference in references(world) {
        for (child, parent) in pairs(world, reference) {
            let goes = prediction.fates.get(&parent) == Some(&Fate::Delete);
            let stays = prediction.fates.get(&child) != Some(&Fate::Delete);
            let surely_cut = is_cut(prediction, child, &reference.columns) && !prediction.loose.contains(&child);
            if goes && stays && !surely_cut {
                prediction.may_refuse.extend(["delete_blocked", "cascade_outside_plan"]);
                // What somebody else's hold might cover may keep the row that would go.
                prediction.must_refuse |= !prediction.spares;
            }
        }
    }
    for reference in &world.references {
        refuse_by_the_map(world, reference, prediction);
    }
    if has_circle(world) {
        prediction.may_refuse.insert("delete_order_impossible");
    }
    for table in world.tables.iter().filter(|table| table.mapped && table.rule == Rule::Unlink) {
        let ends = edges(world).into_iter().filter(|edge| world.tables[edge.to].name == table.name && edge.refers_at_end);
        if ends.into_iter().any(|edge| edge.right == Right::Owns && clearable(world, edge.to, edge.to_columns).is_empty()) {
            prediction.may_refuse.extend(["unlink_not_null", "unlink_key_column"]);
        }
    }
}

/// What `map check` says against a reference, whatever the rows are.
fn refuse_by_the_map(world: &World, reference: &Reference, prediction: &mut Prediction) {
    let (child, words) = (&world.tables[reference.on], reference.words.as_ref());
    if reference.declared.is_some() && (words.is_none() || !child.mapped) {
        prediction.may_refuse.insert("unlabelled_foreign_key");
    }
    let changes_rows = reference.declared.is_some_and(|action| !matches!(action, OnDelete::NoAction | OnDelete::Restrict));
    let is_fine = words.is_some_and(|words| {
        words.unlink
            || words.right == Right::Owns && words.kind.is_none() && child.rule == Rule::Delete && child.law_keeps.is_none()
    });
    if changes_rows && !is_fine {
        prediction.may_refuse.insert("cascade_outside_plan");
    }
    if words.is_some_and(|words| words.unlink) && clearable(world, reference.on, &reference.columns).is_empty() {
        prediction.may_refuse.extend(["unlink_not_null", "unlink_key_column"]);
    }
}

/// Whether tables refer to each other in a circle in which something cannot be emptied.
fn has_circle(world: &World) -> bool {
    let counted = references(world);
    let mut open: Vec<&&Reference> = counted.iter().filter(|reference| reference.on != reference.other).collect();
    loop {
        let before = open.len();
        let referred: BTreeSet<usize> = open.iter().map(|reference| reference.other).collect();
        open.retain(|reference| referred.contains(&reference.on));
        if open.len() == before {
            break;
        }
    }
    open.iter().any(|reference| reference.columns.iter().any(|name| !world.tables[reference.on].admits_null(name)))
        || counted.iter().any(|reference| reference.on == reference.other)
}

/// The rows of a table after the erasure, as the prediction has them; `loosened` leaves the loose rows as they were.
pub fn after(world: &World, prediction: &Prediction, table: usize) -> Vec<(RowId, Row)> {
    let mut rows = Vec::new();
    for (at, row) in world.tables[table].rows.iter().enumerate() {
        let id = (table, at);
        let mut row = row.clone();
        match prediction.fates.get(&id) {
            Some(Fate::Delete) => continue,
            Some(Fate::Mask) => {
                row.insert("note".into(), Value::Null);
            }
            _ => {}
        }
        for column in prediction.cleared.get(&id).into_iter().flatten() {
            row.insert(column.clone(), Value::Null);
        }
        rows.push((id, row));
    }
    rows
}
