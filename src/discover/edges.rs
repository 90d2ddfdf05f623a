//! Finds which column refers to which table: candidates by declaration, by name, by a query log, and by data alone; tries the values of each
//! in the key; lets the candidates of a column compete. The result is in the order of tables and columns.

use std::collections::BTreeSet;

use super::entity::Entity;
use super::evidence::{ACTIVE, Evidence, Inclusion, WORTH_MENTION};
use super::name_match::{ColumnWords, NameMatch, compare};
use super::people;
use super::profile::{ColumnProfile, Family};
use super::query_log::Joins;
use super::sample::Look;
use super::vocabulary::STAFF;
use super::words::canonical;
use crate::db::DbError;
use crate::observe::progress::Progress;

/// Values of a column that are tried in a key.
const TRIED: usize = 300;
/// Keys that are tried for a column whose name says nothing.
const NAMELESS: usize = 5;
/// Rows of a table up to which it is searched without an index.
const SEARCHED_WITHOUT_INDEX: u64 = 200_000;
/// Confidences nearer than this do not tell two targets apart.
const TOO_CLOSE: f64 = 0.015;

/// A column, or several, of a table that refer to another.
#[derive(Debug, Clone)]
pub struct Found {
    /// The table that refers.
    pub table: usize,
    /// Its columns.
    pub columns: Vec<usize>,
    /// The table referred to.
    pub target: usize,
    /// Its columns, pairwise.
    pub target_columns: Vec<usize>,
    /// What speaks for it.
    pub evidence: Evidence,
    /// How sure.
    pub confidence: f64,
    /// Only where a column of the referring table has this value.
    pub only_where: Option<(usize, String)>,
}

impl Found {
    /// Whether it is proposed as one that is followed.
    pub fn is_active(&self) -> bool {
        self.confidence >= ACTIVE
    }
}

/// All edges of one column each that are worth mentioning.
pub async fn find(look: &mut Look, entities: &[Entity<'_>], joins: &Joins, progress: &dyn Progress) -> Result<Vec<Found>, DbError> {
    let people: Vec<f64> = entities.iter().map(|entity| people::weight(entity, entities)).collect();
    let known = |word: &str| {
        let word = canonical(word);
        entities.iter().any(|entity| entity.aliases.iter().any(|alias| alias.words.len() == 1 && alias.words[0] == word))
    };
    let mut found = Vec::new();
    progress.begin("compare columns", Some(entities.len() as u64));
    for (at, entity) in entities.iter().enumerate() {
        for column in 0..entity.table.columns.len() {
            let mut candidates = named(entities, at, column, &people, joins, &known);
            for candidate in &mut candidates {
                weigh(look, entities, candidate).await?;
            }
            if candidates.iter().all(|candidate| !candidate.is_active()) {
                candidates.extend(nameless(look, entities, at, column, &known, &candidates).await?);
            }
            found.extend(compete(entities, candidates));
        }
        progress.advance(1);
    }
    progress.end();
    Ok(found)
}

fn named(
    entities: &[Entity<'_>],
    at: usize,
    column: usize,
    people: &[f64],
    joins: &Joins,
    known: &dyn Fn(&str) -> bool,
) -> Vec<Found> {
    let own = &entities[at];
    let profile = &own.profile.columns[column];
    let taken_apart = ColumnWords::new(own, column, known);
    let is_own_number = own.is_own_number(column, entities);
    let mut candidates = Vec::new();
    for (other_at, other) in entities.iter().enumerate() {
        for key in &other.keys {
            let is_itself = at == other_at && key.column == column;
            let declared = is_declared(own, column, other, key.column);
            let fits = profile.family.is_some() && profile.family == other.profile.columns[key.column].family;
            if is_itself || (!fits && !declared) {
                continue;
            }
            let joined =
                joins.count(&own.table.name.name, own.column_name(column), &other.table.name.name, other.column_name(key.column));
            let name = match is_own_number {
                true => None,
                false => compare(&taken_apart, own, (other, key.column), at == other_at, people_weight(other, people[other_at])),
            };
            // The key of a table that extends another is that other's number: references are rather to the other.
            let is_borrowed = other.home_key() == Some(key.column) && !other.is_own_number(key.column, entities);
            let name = name.map(|name| NameMatch { strength: name.strength * if is_borrowed { 0.85 } else { 1.0 }, ..name });
            // A join of a table's own number with a reference to it belongs to the reference.
            let joined = if is_own_number { 0 } else { joined };
            if declared || joined > 0 || name.is_some_and(|name: NameMatch| name.strength > 0.1) {
                let is_switch = !taken_apart.says_key && counts_or_switches(profile, &other.profile.columns[key.column]);
                candidates.push(candidate(entities, (at, column), (other_at, key.column), declared, name, joined, is_switch));
            }
        }
    }
    candidates
}

/// Without "id" in its name, a column that holds a few of the smallest numbers of a long key counts something or switches it.
fn counts_or_switches(column: &ColumnProfile, key: &ColumnProfile) -> bool {
    const SMALL: i64 = 9;
    let is_small = column.low.is_some_and(|low| low >= 0) && column.high.is_some_and(|high| high <= SMALL);
    let is_long = key.high.zip(column.high).is_some_and(|(key, column)| key > column.saturating_mul(10));
    column.looks_boolean() || (is_small && is_long && column.sampled >= 50)
}

/// Roles lead to the people that the application is for; its staff only where a role says staff.
fn people_weight(entity: &Entity<'_>, weight: f64) -> f64 {
    let is_staff = entity.name.iter().any(|word| STAFF.contains(&word.as_str()));
    match weight >= people::SUBJECT {
        true if is_staff => weight * 0.6,
        true => 0.9 + 0.1 * weight,
        false => 0.0,
    }
}

fn candidate(
    entities: &[Entity<'_>],
    (at, column): (usize, usize),
    (target, key): (usize, usize),
    declared: bool,
    name: Option<NameMatch>,
    joins: u64,
    looks_like_a_switch: bool,
) -> Found {
    let own = &entities[at];
    let column_name = &own.table.columns[column].name;
    let indexed = own.table.indexes.iter().any(|index| index.first() == Some(column_name));
    let evidence = Evidence { declared, name, inclusion: None, joins, indexed, looks_like_a_switch, rival: None };
    let confidence = evidence.confidence();
    Found { table: at, columns: vec![column], target, target_columns: vec![key], evidence, confidence, only_where: None }
}

fn is_declared(own: &Entity<'_>, column: usize, other: &Entity<'_>, key: usize) -> bool {
    own.table.foreign_keys.iter().any(|declared| {
        declared.referenced == other.table.name
            && declared.columns == [own.column_name(column)]
            && declared.referenced_columns == [other.column_name(key)]
    })
}

/// Tries the values of the referring column in the key.
async fn weigh(look: &mut Look, entities: &[Entity<'_>], candidate: &mut Found) -> Result<(), DbError> {
    let (column, key) = (candidate.columns[0], candidate.target_columns[0]);
    let values: Vec<Vec<String>> =
        entities[candidate.table].profile.columns[column].values().take(TRIED).map(|value| vec![value.to_owned()]).collect();
    candidate.evidence.inclusion = try_values(look, &entities[candidate.target], &[key], &values).await?;
    candidate.confidence = candidate.evidence.confidence();
    Ok(())
}

/// How many of these tuples a table has in these columns; nothing where there is nothing to try, or no cheap way to.
pub(super) async fn try_values(
    look: &mut Look,
    target: &Entity<'_>,
    columns: &[usize],
    tuples: &[Vec<String>],
) -> Result<Option<Inclusion>, DbError> {
    let names: Vec<String> = columns.iter().map(|column| target.column_name(*column).to_owned()).collect();
    let rows = target.profile.rows;
    let is_cheap = rows <= SEARCHED_WITHOUT_INDEX || target.table.has_index_on(&names[..1]);
    if tuples.is_empty() || rows == 0 || !is_cheap {
        return Ok(None);
    }
    let columns_of_target: Vec<_> = columns.iter().map(|column| &target.table.columns[*column]).collect();
    let tried = tuples.len() as u64;
    let Some(found) = look.how_many_exist(target.table, &columns_of_target, tuples).await? else { return Ok(None) };
    let key = &target.profile.columns[columns[0]];
    let outside = tuples.iter().filter(|tuple| is_outside(key, &tuple[0])).count();
    Ok(Some(Inclusion {
        tried,
        found,
        out_of_range: outside as f64 / tried as f64,
        coverage: (found as f64 / rows as f64).min(1.0),
        ln_chance: found as f64 * ln_density(key, rows),
    }))
}

fn is_outside(key: &ColumnProfile, value: &str) -> bool {
    let (Ok(number), Some(low), Some(high)) = (value.parse::<i64>(), key.low, key.high) else { return false };
    number < low || number > high
}

/// Logarithm of the share of the numbers between the ends of a key that exist: 0 for a key without gaps, in which every number of the
/// range is found. Texts do not meet by chance, unless they are short codes.
fn ln_density(key: &ColumnProfile, rows: u64) -> f64 {
    match (key.family, key.low, key.high) {
        (Some(Family::Integer), Some(low), Some(high)) => {
            let range = (high as f64 - low as f64 + 1.0).max(1.0);
            (rows as f64 / range).clamp(1e-9, 1.0).ln()
        }
        (Some(Family::Text), ..) => -1.5,
        _ => -20.0,
    }
}

/// Keys in which a column's values lie although its name does not say so: only where the column calls itself a key, and only the tightest.
async fn nameless(
    look: &mut Look,
    entities: &[Entity<'_>],
    at: usize,
    column: usize,
    known: &dyn Fn(&str) -> bool,
    tried: &[Found],
) -> Result<Vec<Found>, DbError> {
    let own = &entities[at];
    let profile = &own.profile.columns[column];
    let taken_apart = ColumnWords::new(own, column, known);
    let is_key_like = taken_apart.says_key && !taken_apart.is_bare() || profile.family == Some(Family::Uuid);
    let few = profile.values().take(5).count() < 5;
    if !is_key_like || few || own.home_key() == Some(column) {
        return Ok(Vec::new());
    }
    let mut keys: Vec<(i128, usize, usize)> = Vec::new();
    for (other_at, other) in entities.iter().enumerate() {
        let Some(key) = other.home_key() else { continue };
        let seen = &other.profile.columns[key];
        let is_tried = tried.iter().any(|found| found.target == other_at);
        let is_inside = match (profile.low, profile.high, seen.low, seen.high) {
            (_, Some(high), Some(low_key), Some(high_key)) => {
                high <= high_key && profile.low.is_some_and(|low| low >= low_key.min(-1))
            }
            _ => true,
        };
        if seen.family == profile.family && is_inside && !is_tried && (at, column) != (other_at, key) {
            keys.push((i128::from(seen.high.unwrap_or(0)) - i128::from(seen.low.unwrap_or(0)), other_at, key));
        }
    }
    keys.sort_unstable();
    let mut found = Vec::new();
    for (_, other_at, key) in keys.into_iter().take(NAMELESS) {
        let mut candidate = candidate(entities, (at, column), (other_at, key), false, None, 0, false);
        weigh(look, entities, &mut candidate).await?;
        found.push(candidate);
    }
    Ok(found)
}

/// The candidates of one column: the best is proposed, and told who came second. Where two cannot be told apart, neither is.
fn compete(entities: &[Entity<'_>], mut candidates: Vec<Found>) -> Vec<Found> {
    candidates.retain(|candidate| candidate.confidence >= WORTH_MENTION);
    let strength = |found: &Found| found.evidence.name.map_or(0.0, |name| name.strength);
    candidates.sort_by(|left, right| {
        let by_confidence = right.confidence.total_cmp(&left.confidence);
        by_confidence.then(strength(right).total_cmp(&strength(left))).then(left.target.cmp(&right.target))
    });
    // A table has one best key for a reference.
    let mut seen = BTreeSet::new();
    candidates.retain(|candidate| seen.insert(candidate.target));
    let declared = candidates.iter().any(|candidate| candidate.evidence.declared);
    if declared {
        // The database itself says where the column leads: nothing else is possible beside it.
        candidates.retain(|candidate| candidate.evidence.declared);
    }
    let name_of = |found: &Found| {
        format!("{}.{}", entities[found.target].table.name.name, entities[found.target].column_name(found.target_columns[0]))
    };
    let names: Vec<String> = candidates.iter().map(name_of).collect();
    let close = candidates.len() > 1
        && !declared
        && candidates[0].confidence - candidates[1].confidence < TOO_CLOSE
        && strength(&candidates[0]) - strength(&candidates[1]) < TOO_CLOSE;
    for (place, candidate) in candidates.iter_mut().enumerate() {
        let rivals = if declared { &[] } else { names.as_slice() };
        candidate.evidence.rival = rivals.iter().enumerate().find(|(other, _)| *other != place).map(|(_, name)| name.clone());
        let loses = (place > 0 || close) && !candidate.evidence.declared;
        if loses {
            candidate.confidence = candidate.confidence.min(ACTIVE - 0.05);
        }
    }
    candidates.truncate(3);
    candidates
}
