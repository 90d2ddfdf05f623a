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

/// Target, own columns and its columns, pairwise.
fn pairs(tables: &[&Table], at: usize) -> Vec<(usize, Vec<usize>, Vec<usize>)> {
    let own = tables[at];
    let mut found = Vec::new();
    for (other_at, other) in tables.iter().enumerate().filter(|(other_at, _)| *other_at != at) {
        let Some(key) = key_of_several(other, own) else { continue };
        let position = |table: &Table, name: &str| table.columns.iter().position(|column| column.name.eq_ignore_ascii_case(name));
        let own_columns: Option<Vec<usize>> = key.iter().map(|name| position(own, name)).collect();
        let other_columns: Option<Vec<usize>> = key.iter().map(|name| position(other, name)).collect();
        if let (Some(own_columns), Some(other_columns)) = (own_columns, other_columns) {
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
            if is_link || own_is_resolved {
                continue;
            }
            let Some(tuples) = own.profile.tuples.iter().find(|tuples| tuples.columns == columns) else { continue };
            let values: Vec<Vec<String>> = tuples.values.iter().cloned().collect();
            let inclusion = try_values(look, &entities[target], &target_columns, &values).await?;
            let declared = is_declared(own, &columns, &entities[target], &target_columns);
            let name = Some(NameMatch { reason: Reason::SameNameAsKey, strength: 0.85 });
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
