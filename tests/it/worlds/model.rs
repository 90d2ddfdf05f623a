//! Whose every row is, found by looking at all rows and all references again and again until nothing changes. No SQL, no cleverness.

use std::collections::{BTreeMap, BTreeSet};

use super::*;

/// A reference that the map follows, in the direction in which data flows.
#[derive(Debug, Clone)]
pub struct Edge<'w> {
    pub from: usize,
    pub from_columns: &'w [String],
    pub to: usize,
    pub to_columns: &'w [String],
    pub right: Right,
    pub unlink: bool,
    pub kind: Option<&'static str>,
    /// Whether the columns that refer stand at the reached end.
    pub refers_at_end: bool,
}

/// The edges of a world.
pub fn edges(world: &World) -> Vec<Edge<'_>> {
    edges_of(world, |words| words.right != Right::None)
}

/// References that show nothing, and whose columns are cleared all the same.
pub fn unseen_edges(world: &World) -> Vec<Edge<'_>> {
    edges_of(world, |words| words.right == Right::None && words.unlink && words.to_referrer)
}

fn edges_of(world: &World, wanted: impl Fn(&Words) -> bool) -> Vec<Edge<'_>> {
    let mut edges = Vec::new();
    for reference in &world.references {
        let Some(words) = reference.words.as_ref().filter(|words| wanted(words)) else { continue };
        let (from, from_columns, to, to_columns) = match words.to_referrer {
            true => (reference.other, &reference.other_columns, reference.on, &reference.columns),
            false => (reference.on, &reference.columns, reference.other, &reference.other_columns),
        };
        edges.push(Edge {
            from,
            from_columns,
            to,
            to_columns,
            right: words.right,
            unlink: words.unlink,
            kind: words.kind,
            refers_at_end: words.to_referrer,
        });
    }
    edges
}

impl Edge<'_> {
    /// The rows at the start from which this row is reached; none at all where the edge does not count for it.
    pub fn starts(&self, world: &World, end: RowId) -> Vec<RowId> {
        if !self.counts_for(world, end) {
            return Vec::new();
        }
        let starts = (0..world.tables[self.from].rows.len()).map(|row| (self.from, row));
        starts.filter(|start| self.joins(world, *start, end)).collect()
    }

    /// Whether the row names something over this edge, whether or not that exists.
    pub fn names_something(&self, world: &World, end: RowId) -> bool {
        self.counts_for(world, end) && self.to_columns.iter().all(|name| *world.value(end, name) != Value::Null)
    }

    fn counts_for(&self, world: &World, end: RowId) -> bool {
        end.0 == self.to && self.kind.is_none_or(|kind| *world.value(end, "kind") == Value::Text(kind.into()))
    }

    fn joins(&self, world: &World, start: RowId, end: RowId) -> bool {
        self.from_columns.iter().zip(self.to_columns).all(|(from, to)| {
            let value = world.value(start, from);
            *value != Value::Null && value == world.value(end, to)
        })
    }
}

/// What a person has of the world.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Rows that carry their address.
    pub named: BTreeSet<RowId>,
    pub owned: BTreeSet<RowId>,
    pub accessed: BTreeSet<RowId>,
    /// Neither, but they name the person over a reference that shows nothing and is cleared.
    pub unseen: BTreeSet<RowId>,
    /// Owned, and beyond doubt by nobody else.
    pub alone: BTreeSet<RowId>,
}

/// Tables whose rows are people: one address, others refer to their key, and they do not themselves belong to rows with addresses.
pub fn people_tables(world: &World) -> BTreeSet<usize> {
    let edges = edges(world);
    let has_one_address = |table: usize| world.tables[table].identities().count() == 1;
    let has_addresses = |table: usize| world.tables[table].mapped && world.tables[table].identities().next().is_some();
    let owned_by =
        |owner: usize, table: usize| edges.iter().any(|edge| edge.right == Right::Owns && edge.from == owner && edge.to == table);
    let referred = |table: usize| {
        edges.iter().any(|edge| edge.from == table && edge.to != table && edge.from_columns == world.tables[table].key)
    };
    let belongs = |table: usize| {
        (0..world.tables.len())
            .any(|other| other != table && has_addresses(other) && owned_by(other, table) && !owned_by(table, other))
    };
    (0..world.tables.len())
        .filter(|table| has_addresses(*table) && has_one_address(*table) && referred(*table) && !belongs(*table))
        .collect()
}

/// Everything that the bearer of an address owns and accesses.
pub fn reach(world: &World, address: &str) -> Reach {
    let edges = edges(world);
    let mut reach = Reach::default();
    let ours = Value::Text(address.to_owned());
    for row in world.all_rows().filter(|row| world.tables[row.0].mapped) {
        if world.tables[row.0].identities().any(|column| *world.value(row, column) == ours) {
            reach.named.insert(row);
        }
    }
    // Where somebody else is named in the same row, it is no way to what hangs on it.
    let is_anothers_too = |row: &RowId| {
        let mut addresses = world.tables[row.0].identities().map(|column| world.value(*row, column));
        addresses.any(|value| *value != Value::Null && *value != ours)
    };
    let leading: BTreeSet<RowId> = reach.named.iter().filter(|row| !is_anothers_too(row)).copied().collect();
    let led_to = spread(world, &edges, leading, |edge, _| edge.right == Right::Owns);
    reach.owned = led_to.union(&reach.named).copied().collect();
    // Another person's record may be seen; what they have may not.
    let tables = tables_of_people(world, &edges);
    let goes_on = |_: &Edge<'_>, start: RowId| led_to.contains(&start) || !tables.contains(&start.0);
    let mut seen = spread(world, &edges, led_to.clone(), goes_on);
    seen.extend(&reach.owned);
    reach.accessed = seen.difference(&reach.owned).copied().collect();
    reach.alone = alone(world, &edges, &reach, &ours);
    let unseen = unseen_edges(world);
    let names_us = |row: &RowId| unseen.iter().any(|edge| edge.starts(world, *row).iter().any(|start| reach.alone.contains(start)));
    reach.unseen = world.all_rows().filter(|row| !seen.contains(row) && names_us(row)).collect();
    reach
}

/// Tables with addresses, and those that rows of such tables own by pointing at them.
fn tables_of_people(world: &World, edges: &[Edge<'_>]) -> BTreeSet<usize> {
    let has_addresses = |table: &usize| world.tables[*table].mapped && world.tables[*table].identities().next().is_some();
    let mut people: BTreeSet<usize> = (0..world.tables.len()).filter(has_addresses).collect();
    loop {
        let up = edges.iter().filter(|edge| edge.right == Right::Owns && !edge.refers_at_end && people.contains(&edge.from));
        let new: Vec<usize> = up.map(|edge| edge.to).filter(|table| !people.contains(table)).collect();
        if new.is_empty() {
            return people;
        }
        people.extend(new);
    }
}

fn spread(
    world: &World,
    edges: &[Edge<'_>],
    mut known: BTreeSet<RowId>,
    follow: impl Fn(&Edge<'_>, RowId) -> bool,
) -> BTreeSet<RowId> {
    loop {
        let new: Vec<RowId> = world
            .all_rows()
            .filter(|row| !known.contains(row))
            .filter(|row| {
                edges
                    .iter()
                    .any(|edge| edge.starts(world, *row).into_iter().any(|start| known.contains(&start) && follow(edge, start)))
            })
            .collect();
        if new.is_empty() {
            return known;
        }
        known.extend(new);
    }
}

/// Owned rows that nobody else owns: no address of another in them, and over every owning edge they come from rows that are this person's
/// alone. What leads nowhere may be anybody's.
fn alone(world: &World, edges: &[Edge<'_>], reach: &Reach, ours: &Value) -> BTreeSet<RowId> {
    let people = people_tables(world);
    let mut alone = reach.owned.clone();
    alone.retain(|row| {
        let is_the_person = people.contains(&row.0) && reach.named.contains(row);
        is_the_person || world.tables[row.0].identities().all(|column| [&Value::Null, ours].contains(&world.value(*row, column)))
    });
    loop {
        let shared: Vec<RowId> = alone
            .iter()
            .copied()
            .filter(|row| {
                edges.iter().filter(|edge| edge.right == Right::Owns).any(|edge| {
                    let starts = edge.starts(world, *row);
                    let from_nowhere = starts.is_empty() && edge.refers_at_end && edge.names_something(world, *row);
                    from_nowhere || starts.iter().any(|start| !alone.contains(start))
                })
            })
            .collect();
        if shared.is_empty() {
            return alone;
        }
        alone.retain(|row| !shared.contains(row));
    }
}

/// Addresses of all people and guests, each with what they own.
pub fn owners(world: &World) -> BTreeMap<String, BTreeSet<RowId>> {
    let mut addresses = BTreeSet::new();
    for row in world.all_rows().filter(|row| world.tables[row.0].mapped) {
        for column in world.tables[row.0].identities() {
            if let Value::Text(address) = world.value(row, column) {
                addresses.insert(address.clone());
            }
        }
    }
    addresses.into_iter().map(|address| (address.clone(), reach(world, &address).owned)).collect()
}
