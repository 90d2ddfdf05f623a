//! `habeas map discover`: proposes a data map for a live schema. It samples, never scans, never writes, and decides nothing: what erasure
//! does stays undecided, what is unsure is a comment, and no value of a row appears in what it says (S-1).
//!
//! `sample` (rows) ─> `profile` ─> `entity` (what tables are called) ─> `edges`, `composite`, `polymorphic` (what refers to what, with
//! `name_match` and `evidence`) ─> `people`, `rights`, `category` ─> [`Proposal`] ─> `yaml`, `document`, `summary`

mod category;
mod composite;
mod document;
mod edges;
mod entity;
mod evidence;
mod identity;
mod name_match;
mod people;
mod polymorphic;
mod profile;
mod proposal;
pub mod query_log;
mod rights;
mod sample;
mod shape;
mod summary;
mod vocabulary;
mod words;
mod yaml;

pub use document::document;
pub use evidence::{ACTIVE, Evidence, Inclusion};
pub use name_match::{NameMatch, Reason};
pub use proposal::{Edge, Proposal, ProposedColumn, ProposedTable, Unread};
pub use summary::summary;
pub use yaml::data_map;

use crate::connector::sql::SqlSource;
use crate::db::DbError;
use crate::observe::progress::Progress;
use edges::Found;
use entity::Entity;
use query_log::{Joins, Names};
use sample::{Look, described};

/// What a query's names can mean in a source: for reading a query log.
pub fn names_of(source: &SqlSource) -> Names {
    let mut names = Names::default();
    for table in described(&source.catalogue) {
        names.add(&table.name.name, table.columns.iter().map(|column| column.name.as_str()));
    }
    names
}

/// Looks at a source and proposes a map.
///
/// # Errors
/// The database, when its session is lost. A table that cannot be read is named in the proposal.
pub async fn discover(source: &SqlSource, joins: &Joins, progress: &dyn Progress) -> Result<Proposal, DbError> {
    let mut look = Look::open(source).await?;
    let all = described(&source.catalogue);
    let (mut entities, unread) = sampled(&mut look, &all, progress).await?;
    let mut found = edges::find(&mut look, &entities, joins, progress).await?;
    found.extend(composite::find(&mut look, &entities, &found).await?);
    composite::drop_parts(&mut found);
    let by_kind = polymorphic::find(&mut look, &entities).await?;
    take_in(&mut found, by_kind);
    look.close().await?;
    found.sort_by(|left, right| {
        let place = |found: &Found| (found.table, found.columns.clone(), !found.is_active());
        place(left).cmp(&place(right)).then(right.confidence.total_cmp(&left.confidence)).then(left.target.cmp(&right.target))
    });
    entities.iter_mut().for_each(|entity| entity.profile.tuples.clear());
    Ok(proposal::assemble(&source.name, &entities, found, unread))
}

async fn sampled<'c>(
    look: &mut Look,
    tables: &[&'c crate::connector::sql::Table],
    progress: &dyn Progress,
) -> Result<(Vec<Entity<'c>>, Vec<Unread>), DbError> {
    let prefix = words::common_prefix(tables.iter().map(|table| table.name.name.as_str()));
    let (mut entities, mut unread) = (Vec::new(), Vec::new());
    progress.begin("sample tables", Some(tables.len() as u64));
    for (at, table) in tables.iter().enumerate() {
        let mut tuples = composite::wanted(tables, at);
        tuples.extend(polymorphic::wanted(table));
        let looked = match table.rights.select {
            true => look.profile(table, &tuples).await?,
            false => Err(DbError::Denied("no SELECT".into())),
        };
        match looked {
            Ok(profile) => entities.push(Entity::new(table, profile, prefix.as_deref())),
            Err(problem) => unread.push(Unread { table: table.name.to_string(), problem: problem.to_string() }),
        }
        progress.advance(1);
    }
    progress.end();
    Ok((entities, unread))
}

/// A column whose table another column names has no table of its own: what the name alone suggested steps back. A field of a data map
/// takes one condition, so that only the first of several tables can be proposed as followed.
fn take_in(found: &mut Vec<Found>, by_kind: Vec<Found>) {
    for mut edge in by_kind {
        let same_column = |other: &Found| other.table == edge.table && other.columns == edge.columns;
        for other in found.iter_mut().filter(|other| same_column(other) && other.only_where.is_none() && !other.evidence.declared) {
            other.confidence = other.confidence.min(ACTIVE - 0.05);
        }
        if found.iter().any(|other| same_column(other) && other.only_where.is_some() && other.is_active()) {
            edge.confidence = edge.confidence.min(ACTIVE - 0.01);
        }
        found.push(edge);
    }
}
