//! References whose table another column names: `owner_type` and `owner_id`. The word in the first column is printed only where it is the
//! name of a table of the schema (S-1): everything else in it stays unsaid.

use std::collections::BTreeMap;

use super::edges::{Found, try_values};
use super::entity::Entity;
use super::evidence::{Evidence, WORTH_MENTION};
use super::name_match::{NameMatch, Reason};
use super::people;
use super::sample::Look;
use super::words::{ID_WORDS, canonical, words};
use crate::connector::sql::Table;
use crate::db::DbError;

/// Words of a column that says of which kind something is.
const KINDS: [&str; 6] = ["type", "kind", "class", "model", "table", "entity"];

/// Pairs of columns that say which table and which row.
pub fn wanted(table: &Table) -> Vec<Vec<usize>> {
    let mut found = Vec::new();
    for (kind_at, kind) in table.columns.iter().enumerate() {
        let kind_words = words(&kind.name);
        let Some((last, stem)) = kind_words.split_last() else { continue };
        if stem.is_empty() || !KINDS.contains(&last.as_str()) {
            continue;
        }
        for (id_at, id) in table.columns.iter().enumerate() {
            let id_words = words(&id.name);
            let is_its_row =
                id_words.split_last().is_some_and(|(last, id_stem)| id_stem == stem && ID_WORDS.contains(&last.as_str()));
            if is_its_row && id_at != kind_at {
                found.push(vec![kind_at, id_at]);
            }
        }
    }
    found
}

/// Edges that hold for one word of the kind column each; those to people first.
pub async fn find(look: &mut Look, entities: &[Entity<'_>]) -> Result<Vec<Found>, DbError> {
    let mut found = Vec::new();
    for (at, own) in entities.iter().enumerate() {
        for pair in wanted(own.table) {
            if own.home_key() == Some(pair[1]) {
                continue;
            }
            let Some(tuples) = own.profile.tuples.iter().find(|tuples| tuples.columns == pair) else { continue };
            let mut by_kind: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
            for tuple in &tuples.values {
                by_kind.entry(&tuple[0]).or_default().push(vec![tuple[1].clone()]);
            }
            for (kind, values) in by_kind {
                let Some((target, key, strength)) = named_by(entities, kind) else { continue };
                let fits = own.profile.columns[pair[1]].family == entities[target].profile.columns[key].family;
                let inclusion = if fits { try_values(look, &entities[target], &[key], &values).await? } else { None };
                let name = Some(NameMatch { reason: Reason::NamesTheTable, strength });
                let evidence = Evidence {
                    declared: false,
                    name,
                    inclusion,
                    joins: 0,
                    indexed: false,
                    looks_like_a_switch: false,
                    rival: None,
                };
                let confidence = evidence.confidence();
                if fits && confidence >= WORTH_MENTION {
                    found.push(Found {
                        table: at,
                        columns: vec![pair[1]],
                        target,
                        target_columns: vec![key],
                        evidence,
                        confidence,
                        only_where: Some((pair[0], kind.to_owned())),
                    });
                }
            }
        }
    }
    found
        .sort_by_key(|edge| (edge.table, edge.columns.clone(), people::weight(&entities[edge.target], entities) < people::SUBJECT));
    Ok(found)
}

/// The table that a word means: `user`, `Users`, `App\Models\User`.
fn named_by(entities: &[Entity<'_>], kind: &str) -> Option<(usize, usize, f64)> {
    let last = kind.rsplit(['\\', '/', ':', '.']).next()?;
    let meant: Vec<String> = words(last).iter().map(|word| canonical(word)).collect();
    let candidates = entities.iter().enumerate().filter_map(|(at, entity)| {
        let weight = entity.called(&meant);
        (weight >= 0.9 && !meant.is_empty()).then_some((at, entity.home_key()?, weight))
    });
    candidates.max_by(|left, right| left.2.total_cmp(&right.2).then(right.0.cmp(&left.0)))
}
