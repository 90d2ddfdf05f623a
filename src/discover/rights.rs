//! What reaching a row over an edge gives a person. Careful on purpose: one clear owner, everybody else merely has to do with the row;
//! rows of a table under somebody's row are theirs only where nobody else is named; whatever is left open is known and not followed.

use std::collections::BTreeMap;

use super::edges::Found;
use super::entity::{Entity, id_stem};
use super::people;
use super::vocabulary::{DONE_BY_OTHERS, OTHERS, OWNERS, has};
use super::words::{ID_WORDS, words};
use crate::datamap::Right;

/// A right, and why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Given {
    /// What it is.
    pub right: Right,
    /// Why, for a comment.
    pub why: &'static str,
}

/// How a column that names a person stands to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    /// It is called like the table of people: the row is theirs.
    Plain,
    /// Author, creator, sender.
    Owner,
    /// Reviewer, editor, approver.
    Other,
}

/// The right of each active edge, in their order.
pub fn decide(entities: &[Entity<'_>], edges: &[&Found]) -> Vec<Given> {
    let subject: Vec<bool> = entities.iter().map(|entity| people::weight(entity, entities) >= people::SUBJECT).collect();
    let none = |why| Given { right: Right::None, why };
    let mut given: Vec<Given> = edges.iter().map(|_| none("nothing about a person reaches it")).collect();
    // Distance from the people themselves, of every table whose rows have an owner.
    let mut distance: BTreeMap<usize, usize> = (0..entities.len()).filter(|at| subject[*at]).map(|at| (at, 0)).collect();

    for table in 0..entities.len() {
        let own: Vec<usize> = (0..edges.len()).filter(|at| edges[*at].table == table).collect();
        if own_people(entities, edges, &own, &subject, &mut given) && !subject[table] {
            distance.insert(table, 1);
        }
    }
    // Rows under a row: from the people outwards, each table under its nearest owner.
    loop {
        let mut next: Vec<(usize, usize)> = Vec::new();
        for table in (0..entities.len()).filter(|table| !distance.contains_key(table)) {
            let parents = (0..edges.len()).filter(|at| {
                let edge = edges[*at];
                edge.table == table && edge.target != table && !subject[edge.target] && distance.contains_key(&edge.target)
            });
            let nearest = parents.min_by_key(|at| (distance[&edges[*at].target], !is_part_of(entities, edges[*at]), *at));
            next.extend(nearest.map(|edge| (table, edge)));
        }
        if next.is_empty() {
            break;
        }
        for (table, edge) in next {
            given[edge] = Given { right: Right::Owns, why: "part of a row that is theirs" };
            distance.insert(table, distance[&edges[edge].target] + 1);
        }
    }
    for (at, edge) in edges.iter().enumerate() {
        if given[at].right == Right::None && edge.table == edge.target {
            given[at].why = "another row of the same table: a reply is not its parent's";
        } else if given[at].right == Right::None && !subject[edge.target] && distance.contains_key(&edge.target) {
            given[at].why = "the row has an owner of its own, or a nearer one";
        }
    }
    given
}

/// Gives the edges of one table to people; whether one of them owns its rows.
fn own_people(entities: &[Entity<'_>], edges: &[&Found], own: &[usize], subject: &[bool], given: &mut [Given]) -> bool {
    let mut to_people: Vec<(bool, Part, bool, usize)> = own
        .iter()
        .filter(|at| subject[edges[**at].target] && edges[**at].target != edges[**at].table)
        .map(|at| {
            let edge = edges[*at];
            let staff = people::is_staff(&entities[edge.target]);
            let nullable = edge.columns.iter().any(|column| !entities[edge.table].table.columns[*column].not_null);
            (staff, part(&entities[edge.table], edge, &entities[edge.target]), nullable, *at)
        })
        .collect();
    to_people.sort();
    let mut has_owner = false;
    for (place, (staff, part, _, at)) in to_people.iter().enumerate() {
        let is_a_person_itself = subject[edges[*at].table];
        given[*at] = match part {
            Part::Plain | Part::Owner if place == 0 && !(*staff && has_other_owner(edges, own, *at, subject, entities)) => {
                has_owner = true;
                Given { right: Right::Owns, why: if *part == Part::Plain { "names whose row it is" } else { "names who made it" } }
            }
            _ if is_a_person_itself => Given { right: Right::None, why: "a person is not another person's row" },
            Part::Plain | Part::Owner => {
                Given { right: Right::Accesses, why: "the row has an owner; this person has to do with it" }
            }
            Part::Other => Given { right: Right::Accesses, why: "has to do with the row, which is not theirs" },
        };
    }
    has_owner
}

/// Whether somebody else than the company's own people can own the row.
fn has_other_owner(edges: &[&Found], own: &[usize], except: usize, subject: &[bool], entities: &[Entity<'_>]) -> bool {
    own.iter().any(|at| {
        let edge = edges[*at];
        let is_under_a_row = !subject[edge.target]
            && edge.target != edge.table
            && edges
                .iter()
                .any(|upper| upper.table == edge.target && subject[upper.target] && !people::is_staff(&entities[upper.target]));
        *at != except && is_under_a_row
    })
}

/// Of a key of several columns the one that says most counts: what is called alike on both sides (the tenant) says nothing.
fn part(own: &Entity<'_>, edge: &Found, target: &Entity<'_>) -> Part {
    let pairs = || edge.columns.iter().zip(&edge.target_columns);
    let is_telling = |(column, key): &(&usize, &usize)| own.column_name(**column) != target.column_name(**key);
    let telling: Vec<usize> = pairs().filter(is_telling).map(|(column, _)| *column).collect();
    let columns = if telling.is_empty() || edge.columns.len() == 1 { &edge.columns } else { &telling };
    columns.iter().map(|column| part_of_column(own, *column, target)).min().unwrap_or(Part::Other)
}

fn part_of_column(own: &Entity<'_>, column: usize, target: &Entity<'_>) -> Part {
    let all = words(own.column_name(column));
    let stem = id_stem(&all);
    if stem.is_empty() || target.called(&stem) >= 0.8 {
        return Part::Plain;
    }
    let said: Vec<&String> = all.iter().filter(|word| !has(&ID_WORDS, word)).collect();
    if said.last().is_some_and(|word| *word == "by") {
        let done = said.len().checked_sub(2).map_or("", |at| said[at].as_str());
        return if has(&DONE_BY_OTHERS, done) { Part::Other } else { Part::Owner };
    }
    let own_name: Vec<&String> = stem.iter().filter(|word| !own.name.contains(word)).collect();
    let about_others = own_name.iter().any(|word| has(&OTHERS, word));
    let about_owner = own_name.last().or(stem.last().as_ref()).is_some_and(|word| has(&OWNERS, word));
    match (about_others, about_owner) {
        (false, true) => Part::Owner,
        (false, false) if target.called(&own_name.iter().map(|word| (*word).clone()).collect::<Vec<_>>()) >= 0.8 => Part::Plain,
        _ => Part::Other,
    }
}

/// Whether a table carries the name of the one above it in front: order details of orders.
fn is_part_of(entities: &[Entity<'_>], edge: &Found) -> bool {
    entities[edge.table].name.starts_with(&entities[edge.target].name)
}
