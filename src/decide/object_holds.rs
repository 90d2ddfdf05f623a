//! Rows that name held objects stay, whatever else is decided of them: without the row nobody could find the object again when the hold is
//! released (H-1).

use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::{Brief, Desk, map_error};
use crate::connector::objects::{EntryKind, Stores};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::fate::{self, Narrowed};
use crate::datamap::{NodeId, ObjectPlace};
use crate::db::DbError;
use crate::gather::{Found, GatherError, Gathering, Named, ObjectError};

/// Values by which rows of a collection name objects that are held.
pub struct HeldNames {
    pub(super) rows: NodeId,
    pub(super) columns: Vec<String>,
    pub(super) values: Vec<Vec<String>>,
    pub(super) matter: String,
}

/// Sets of values in one statement.
const AT_ONCE: usize = 200;

/// Looks for held objects wherever there may be any: in stores that have locks, and in collections on which there is a hold. Where nothing can
/// be held, nothing is listed.
pub async fn held_names(
    brief: &Brief<'_>,
    gathering: &mut Gathering<'_>,
    stores: &Stores,
    now: Timestamp,
) -> Result<Vec<HeldNames>, ObjectError> {
    let mut all = Vec::new();
    for place in &brief.graph.objects {
        let Some(store) = stores.get(&place.source) else { continue };
        let on_place = brief.holds.for_collection(&place.dataset, &place.described_in);
        if store.facts.lockable == Some(false) && on_place.is_empty() {
            continue;
        }
        let failed = |problem| ObjectError::Store { source_name: store.name.clone(), problem };
        let mut held: Vec<HeldNames> = Vec::new();
        let mut names = gathering.named(place, false, false)?;
        while let Some(named) = names.try_next().await? {
            let mut found = Found::begin(store.work.as_ref(), &place.locate, &named);
            let mut matter = None;
            while let Some(entries) = found.next().await.map_err(failed)?
                && matter.is_none()
            {
                let locks = store.work.locks(&entries).await.map_err(failed)?;
                for (entry, lock) in entries.iter().zip(locks) {
                    let key = entry.key.text().map(|key| vec![key.to_owned()]);
                    let ours = on_place.held_by(key.as_deref()).into_iter().next();
                    let unanswerable = on_place.predicates().first().map(|(hold, _)| hold.clone());
                    let is_locked = entry.kind == EntryKind::Version && lock.holds(now);
                    matter = match ours.or(unanswerable) {
                        Some(hold) => Some(hold.matter.to_string()),
                        None if is_locked => Some(super::objects::STORE_LOCK.to_owned()),
                        None => continue,
                    };
                    break;
                }
            }
            if let Some(matter) = matter {
                add(&mut held, place, named, matter);
            }
        }
        drop(names);
        all.extend(held);
    }
    Ok(all)
}

fn add(held: &mut Vec<HeldNames>, place: &ObjectPlace, named: Named, matter: String) {
    match held.iter_mut().find(|known| known.matter == matter) {
        Some(known) => known.values.push(named.values),
        None => held.push(HeldNames {
            rows: place.rows,
            columns: place.locate.template().columns().into_iter().map(str::to_owned).collect(),
            values: vec![named.values],
            matter,
        }),
    }
}

impl Desk<'_, '_> {
    pub(super) async fn hold_rows_naming_held_objects(&mut self, held: &[HeldNames]) -> Result<(), GatherError> {
        for names in held {
            let Some((source, snapshot)) = self.gathering.snapshot_of(names.rows.0) else { continue };
            let source = source.to_owned();
            let Some(location) = snapshot.location(names.rows.0).cloned() else { continue };
            let columns: Vec<&str> = names.columns.iter().map(String::as_str).collect();
            for values in names.values.chunks(AT_ONCE) {
                let narrowed = Narrowed::Values { columns: &columns, values };
                let statement = fate::hold(&location, &names.matter, narrowed, snapshot.dialect)
                    .map_err(|text| map_error(&source, SnapshotError::Map(text)))?;
                let held = snapshot.run(statement).await;
                held.map_err(|problem: DbError| map_error(&source, SnapshotError::Database(problem)))?;
            }
        }
        Ok(())
    }
}
