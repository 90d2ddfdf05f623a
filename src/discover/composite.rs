//! References of several columns (`order_id` and `line_no` into order lines): columns that carry the same names as the several columns of
//! a key. Only where one of them refers to nothing by itself, since two references side by side are not one.

use super::edges::{Found, try_values};
use super::entity::{Entity, id_stem};
use super::evidence::{Evidence, WORTH_MENTION};
use super::name_match::{NameMatch, Reason};
use super::sample::Look;
use super::words::{ID_WORDS, words};
use crate::connector::sql::Table;
use crate::db::DbError;

/// Columns of a key at most.
const WIDEST: usize = 4;

/// Tuples of a table's columns that may refer to a key of several columns: which to sample together.
pub fn wanted(tables: &[&Table], at: usize) -> Vec<Vec<usize>> {
    let mut lists: Vec<Vec<usize>> = pairs(tables, at).into_iter().map(|(_, own, _)| own).collect();
    lists.sort();
    lists.dedup();
    lists
}

/// Target, own columns and its columns, pairwise: those that the database declares, whatever they are called, and those that carry the names of a
/// key.
fn pairs(tables: &[&Table], at: usize) -> Vec<(usize, Vec<usize>, Vec<usize>)> {
    let own = tables[at];
    let position = |table: &Table, name: &String| table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
    let positions =
        |table: &Table, names: &[String]| names.iter().map(|name| position(table, name)).collect::<Option<Vec<usize>>>();
    let mut found: Vec<(usize, Vec<usize>, Vec<usize>)> = Vec::new();
    for declared in own.foreign_keys.iter().filter(|declared| declared.columns.len() > 1) {
        let Some(other_at) = tables.iter().position(|other| other.name == declared.referenced) else { continue };
        let both = positions(own, &declared.columns).zip(positions(tables[other_at], &declared.referenced_columns));
        found.extend(both.map(|(own_columns, other_columns)| (other_at, own_columns, other_columns)));
    }
    for (other_at, other) in tables.iter().enumerate().filter(|(other_at, _)| *other_at != at) {
        let Some(key) = key_of_several(other, own) else { continue };
        let Some((own_columns, other_columns)) = positions(own, &key).zip(positions(other, &key)) else { continue };
        let is_known = |known: &(usize, Vec<usize>, Vec<usize>)| {
            known.0 == other_at && own_columns.iter().all(|column| known.1.contains(column))
        };
        if !found.iter().any(is_known) {
            found.push((other_at, own_columns, other_columns));
        }
    }
    found
}

/// The declared key; without one, the column that is named after the table and the other keys that both tables have.
fn key_of_several(table: &Table, own: &Table) -> Option<Vec<String>> {
    if (2..=WIDEST).contains(&table.primary_key.len()) {
        return Some(table.primary_key.clone());
    }
    if !table.primary_key.is_empty() {
        return None;
    }
    let says_key = |name: &str| words(name).iter().any(|word| ID_WORDS.contains(&word.as_str()));
    let shared: Vec<String> = table
        .columns
        .iter()
        .filter(|column| says_key(&column.name) && own.columns.iter().any(|other| other.name == column.name))
        .map(|column| column.name.clone())
        .collect();
    let table_words: Vec<String> = words(&table.name.name).iter().map(|word| super::words::canonical(word)).collect();
    let is_named_after_it = shared.iter().any(|name| {
        let stem = id_stem(&words(name));
        stem.len() > 1 && table_words.ends_with(&stem)
    });
    ((2..=WIDEST).contains(&shared.len()) && is_named_after_it).then_some(shared)
}

/// Edges of several columns, given those of one.
pub async fn find(look: &mut Look, entities: &[Entity<'_>], single: &[Found]) -> Result<Vec<Found>, DbError> {
    let tables: Vec<&Table> = entities.iter().map(|entity| entity.table).collect();
    let mut found = Vec::new();
    for (at, own) in entities.iter().enumerate() {
        for (target, columns, target_columns) in pairs(&tables, at) {
            let refers_alone = |table: usize, column: &usize| {
                let is_reference = single.iter().any(|edge| edge.is_active() && edge.table == table && edge.columns == [*column]);
                is_reference || entities[table].home_key() == Some(*column)
            };
            // Every part is a reference of its own: rows that name the same two things are not yet one another's.
            let is_link = target_columns.iter().all(|column| refers_alone(target, column));
            let own_is_resolved = columns.iter().all(|column| refers_alone(at, column));
            let declared = is_declared(own, &columns, &entities[target], &target_columns);
            if !declared && (is_link || own_is_resolved) {
                continue;
            }
            let tuples = own.profile.tuples.iter().find(|tuples| tuples.columns == columns);
            let values: Vec<Vec<String>> = tuples.iter().flat_map(|tuples| tuples.values.iter().cloned()).collect();
            if values.is_empty() && !declared {
                continue;
            }
            let inclusion = try_values(look, &entities[target], &target_columns, &values).await?;
            let is_called_alike = columns.iter().zip(&target_columns).all(|(own_column, column)| {
                own.column_name(*own_column).eq_ignore_ascii_case(entities[target].column_name(*column))
            });
            let name = is_called_alike.then_some(NameMatch { reason: Reason::SameNameAsKey, strength: 0.85 });
            let evidence =
                Evidence { declared, name, inclusion, joins: 0, indexed: false, looks_like_a_switch: false, rival: None };
            let confidence = evidence.confidence();
            if confidence >= WORTH_MENTION {
                found.push(Found { table: at, columns, target, target_columns, evidence, confidence, only_where: None });
            }
        }
    }
    Ok(found)
}

/// A part of a declared key leads by itself to no row of the same table: such an edge would take people for each other.
pub fn drop_parts(found: &mut Vec<Found>) {
    let whole: Vec<(usize, usize, Vec<usize>)> = found
        .iter()
        .filter(|edge| edge.evidence.declared && edge.columns.len() > 1)
        .map(|edge| (edge.table, edge.target, edge.columns.clone()))
        .collect();
    found.retain(|edge| {
        let is_part = |(table, target, columns): &(usize, usize, Vec<usize>)| {
            edge.table == *table && edge.target == *target && edge.columns.iter().all(|column| columns.contains(column))
        };
        edge.evidence.declared || !whole.iter().any(is_part)
    });
}

fn is_declared(own: &Entity<'_>, columns: &[usize], other: &Entity<'_>, key: &[usize]) -> bool {
    let names = |entity: &Entity<'_>, columns: &[usize]| -> Vec<String> {
        columns.iter().map(|column| entity.column_name(*column).to_owned()).collect()
    };
    own.table.foreign_keys.iter().any(|declared| {
        declared.referenced == other.table.name
            && declared.columns == names(own, columns)
            && declared.referenced_columns == names(other, key)
    })
}
