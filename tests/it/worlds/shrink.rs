//! Makes a failing world smaller for as long as it goes on failing, so that a person can read what is wrong with it.

use std::time::{Duration, Instant};

use super::*;

/// The smallest world found that still fails, within some time.
pub fn smallest(world: &World, fails: impl Fn(&World) -> bool) -> World {
    let deadline = Instant::now() + Duration::from_secs(60);
    let mut smallest = world.clone();
    loop {
        let mut shrunk = false;
        let mut at = 0;
        while let Some(next) = candidate(&smallest, at) {
            if Instant::now() > deadline {
                return smallest;
            }
            if fails(&next) {
                smallest = next;
                shrunk = true;
            } else {
                at += 1;
            }
        }
        if !shrunk {
            return smallest;
        }
    }
}

/// The world without its part of this number; none when there are no more parts.
fn candidate(world: &World, at: usize) -> Option<World> {
    let mut next = world.clone();
    let mut at = at;
    if at < next.holds.len() {
        next.holds.remove(at);
        return Some(next);
    }
    at -= next.holds.len();
    let last_is_free = |world: &World| {
        let last = world.tables.len() - 1;
        let held = world.holds.iter().any(|hold| match hold {
            Hold::Record(row) => row.0 == last,
            Hold::Collection(table) | Hold::Kind(table, _) => *table == last,
            Hold::Person(_) => false,
        });
        last > 0 && !held && world.references.iter().all(|reference| reference.on != last && reference.other != last)
    };
    if at == 0 && last_is_free(&next) {
        next.tables.pop();
        return Some(next);
    }
    at = at.saturating_sub(usize::from(last_is_free(&next)));
    if at < next.references.len() {
        next.references.remove(at);
        return Some(next);
    }
    at -= next.references.len();
    if at < next.references.len() {
        next.references[at].declared = None;
        return Some(next).filter(|_| world.references[at].declared.is_some()).or_else(|| candidate_or_same(world));
    }
    at -= next.references.len();
    let mut rows: Vec<RowId> = next.all_rows().collect();
    rows.reverse();
    if let Some(row) = rows.get(at) {
        let referred = next.holds.iter().any(|hold| matches!(hold, Hold::Record(held) if held.0 == row.0));
        let is_needed = referred || is_referred_to(&next, *row);
        if is_needed {
            return candidate_or_same(world);
        }
        next.tables[row.0].rows.remove(row.1);
        return Some(next);
    }
    at -= rows.len();
    for row in rows {
        let columns: Vec<String> = next.tables[row.0].columns.iter().filter(|c| !c.not_null).map(|c| c.name.clone()).collect();
        for column in columns {
            if *next.value(row, &column) == Value::Null {
                continue;
            }
            if at == 0 {
                next.tables[row.0].rows[row.1].insert(column, Value::Null);
                return Some(next);
            }
            at -= 1;
        }
    }
    None
}

/// Something that does not fail: the search goes on to the next part.
fn candidate_or_same(world: &World) -> Option<World> {
    let mut nothing = world.clone();
    nothing.references.clear();
    nothing.holds.clear();
    nothing.tables.truncate(1);
    nothing.tables[0].rows.clear();
    Some(nothing)
}

/// Whether a declared key points to the row.
fn is_referred_to(world: &World, row: RowId) -> bool {
    world.references.iter().filter(|reference| reference.declared.is_some() && reference.other == row.0).any(|reference| {
        (0..world.tables[reference.on].rows.len()).any(|child| {
            let own = (reference.on, child);
            let same = reference
                .columns
                .iter()
                .zip(&reference.other_columns)
                .all(|(a, b)| *world.value(own, a) != Value::Null && world.value(own, a) == world.value(row, b));
            same && own != row
        })
    })
}
