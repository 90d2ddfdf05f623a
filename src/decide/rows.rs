//! What happens to rows inside objects. Every version under the place is looked at, because an older one has the person's rows as well as the
//! present one. A version goes if it has rows that are the person's alone; what a lock or a hold keeps of a key keeps the whole key as it is.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;

use jiff::Timestamp;

use super::Brief;
use super::aside::AsidePlace;
use super::object_holds::HeldNames;
use super::objects::{ObjectDecision, STORE_LOCK, held_by, kept, locked_until};
use super::row_words::{cold_gap, leftover_uploads, names_set_aside, too_many_names, unfit_files, unread_objects, unread_place};
use super::set_rule::{SetRule, row_rule};
use super::sorted::{At, Sorted};
use crate::connector::objects::{Entry, EntryKind, Lock, ObjectKey, ObjectSource, StoreError, Stores, Walk, is_unfinished_file};
use crate::datamap::{NamedBy, RowPlace};
use crate::gather::{GatherError, Gathering, ObjectError};
use crate::hold::CollectionHolds;
use crate::plan::{Action, Disposition, Gap, Ground, ManifestRecord, Problem, Retained};
use crate::request::Kind;
use crate::row_objects::{Looked, RowNames, RowOrder, RowsFailure, bring, fingerprint, look_in};

/// Versions whose locks are asked for at once.
const LOCKS_AT_ONCE: usize = 1_000;

/// What was seen in all places of rows.
pub struct RowsSeen<'a>(Vec<PlaceSeen<'a>>);

/// What was seen in one place. A few hundred bytes for each version that has rows of the person.
struct PlaceSeen<'a> {
    place: &'a RowPlace,
    store: &'a ObjectSource,
    names: RowNames,
    versions: Vec<Version>,
    uploads: u64,
    cold: u64,
    unread: Vec<String>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// A version that has rows of the person.
struct Version {
    entry: Entry,
    looked: Looked,
    lock: Lock,
}

/// Looks at every place. A store that cannot be read, and an object that is not what the map says, are problems of the plan, never nothing (V-2).
pub async fn see_rows<'a>(
    brief: &Brief<'a>,
    gathering: &mut Gathering<'_>,
    stores: &'a Stores,
    folder: &Path,
    decision: &mut ObjectDecision,
) -> Result<RowsSeen<'a>, ObjectError> {
    let mut all = Vec::new();
    for place in &brief.graph.rows {
        let Some(store) = stores.get(&place.source) else {
            decision.problems.push(unread_place(place, "the store was not reached"));
            continue;
        };
        let names = gathering.row_names(place).await?;
        if names.is_too_many {
            decision.problems.push(too_many_names(place));
            continue;
        }
        let warnings = if names.set_aside > 0 { vec![names_set_aside(place, names.set_aside)] } else { Vec::new() };
        let mut seen = PlaceSeen {
            place,
            store,
            names: names.names,
            versions: Vec::new(),
            uploads: 0,
            cold: 0,
            unread: Vec::new(),
            problems: Vec::new(),
            warnings,
        };
        match seen.look(folder, brief.kind == Kind::Erasure).await {
            Ok(()) => {}
            // A busy store is asked again by the next attempt.
            Err(problem) if problem.is_transient() => {
                return Err(ObjectError::Store { source_name: store.name.clone(), problem });
            }
            Err(problem) => seen.problems.push(unread_place(place, &problem.to_string())),
        }
        all.push(seen);
    }
    Ok(RowsSeen(all))
}

impl PlaceSeen<'_> {
    async fn look(&mut self, folder: &Path, also_older: bool) -> Result<(), StoreError> {
        if self.names.is_empty() {
            // Nothing is known that could stand in these rows.
            return Ok(());
        }
        let work = self.store.work.as_ref();
        let mut walk = Walk::under(work, self.place.at.as_bytes());
        let mut uploads: Vec<ObjectKey> = Vec::new();
        let mut position = 0;
        while let Some(page) = walk.next().await? {
            for entry in page.into_iter().filter(|entry| self.place.has_key(entry.key.bytes())) {
                match entry.kind {
                    EntryKind::Marker => continue,
                    EntryKind::Upload => {
                        uploads.push(entry.key);
                        continue;
                    }
                    EntryKind::Version if !also_older && !entry.is_latest => continue,
                    // What a writer of ours is just making, or has left when it died: carrying out a plan removes it.
                    EntryKind::Version if self.store.kind == "folder" && is_unfinished_file(&entry.key) => continue,
                    EntryKind::Version => {}
                }
                position += 1;
                self.look_at(entry, position, folder).await?;
            }
        }
        let keys: HashSet<&ObjectKey> = self.versions.iter().map(|version| &version.entry.key).collect();
        self.uploads = uploads.iter().filter(|key| keys.contains(key)).count() as u64;
        for some in self.versions.chunks_mut(LOCKS_AT_ONCE) {
            let entries: Vec<Entry> = some.iter().map(|version| version.entry.clone()).collect();
            for (version, lock) in some.iter_mut().zip(work.locks(&entries).await?) {
                version.lock = lock;
            }
        }
        Ok(())
    }

    async fn look_at(&mut self, entry: Entry, position: u64, folder: &Path) -> Result<(), StoreError> {
        let looked = match bring(self.store.work.as_ref(), &entry, folder).await {
            Ok(file) => look_in(file, self.place.format, &self.names, true).await,
            Err(problem) => Err(problem.into()),
        };
        match looked {
            Ok(looked) if looked.own + looked.shared == 0 => {}
            Ok(looked) => self.versions.push(Version { entry, looked, lock: Lock::Unknown }),
            // It went away while we looked at the others.
            Err(RowsFailure::Store(StoreError::Gone)) => {}
            Err(RowsFailure::Store(StoreError::Cold)) => self.cold += 1,
            Err(failure) if failure.is_transient() => return Err(failure.into_store_error()),
            Err(failure) => self.unread.push(format!("object {position}: {failure}")),
        }
        Ok(())
    }
}

impl<'a> RowsSeen<'a> {
    /// Rows of tables by which held rows were found: without them nobody could find the held ones again.
    pub fn held_names(&self, brief: &Brief<'_>, gathering: &mut Gathering<'_>, now: Timestamp) -> Vec<HeldNames> {
        let mut all = Vec::new();
        for seen in &self.0 {
            let holds = Holds::of(brief, seen.place, now);
            let held = seen.keys().into_values().find_map(|versions| holds.on_key(&versions));
            let Some(matter) = held.and_then(|held| held.reference) else { continue };
            for naming in &seen.place.names {
                let values = seen.names.fields.iter().filter(|field| field.path == naming.path).flat_map(|field| &field.values);
                let values: Vec<Vec<String>> = values.map(|value| vec![value.clone()]).collect();
                for (rows, column) in naming_columns(brief, &naming.by) {
                    let is_reached = gathering.snapshot_of(rows.0).is_some_and(|(_, snapshot)| snapshot.is_reached(rows.0));
                    if is_reached && !values.is_empty() {
                        all.push(HeldNames { rows, columns: vec![column], values: values.clone(), matter: matter.clone() });
                    }
                }
            }
        }
        all
    }

    /// Decides, and adds to the decision on objects.
    pub fn decide(
        self,
        brief: &Brief<'_>,
        aside: AsidePlace<'_>,
        now: Timestamp,
        decision: &mut ObjectDecision,
    ) -> Result<(), GatherError> {
        for seen in self.0 {
            seen.decide(brief, aside, now, decision)?;
        }
        Ok(())
    }
}

/// Whether an older version with rows of the person has rows of others too: they would go with it.
fn goes_with_others(versions: &[&Version]) -> bool {
    versions.iter().any(|version| !version.entry.is_latest && version.looked.own > 0 && version.looked.rows > version.looked.own)
}

/// Columns of tables in which the value of a naming field stands.
fn naming_columns(brief: &Brief<'_>, by: &NamedBy) -> Vec<(crate::datamap::NodeId, String)> {
    match by {
        NamedBy::Rows { node, column } => vec![(*node, column.clone())],
        NamedBy::Identity(kind) => {
            let nodes = brief.graph.nodes.iter().enumerate();
            let columns = nodes.flat_map(|(at, node)| node.identities.iter().map(move |identity| (at, identity)));
            let of_kind = columns.filter(|(_, identity)| &identity.kind == kind && identity.path.is_empty());
            of_kind.map(|(at, identity)| (crate::datamap::NodeId(at), identity.column.clone())).collect()
        }
    }
}

/// What keeps keys of one place as they are.
struct Holds {
    on_person: Option<Retained>,
    /// A hold on anybody at all.
    on_somebody: Option<Retained>,
    on_place: CollectionHolds,
    now: Timestamp,
}

impl Holds {
    fn of(brief: &Brief<'_>, place: &RowPlace, now: Timestamp) -> Holds {
        Holds {
            on_person: brief.holds.covers_subject(&brief.alias_refs).first().map(held_by),
            on_somebody: brief.holds.covers_subject(&[]).first().map(held_by),
            on_place: brief.holds.for_collection(&place.dataset, &place.collection),
            now,
        }
    }

    /// Why everything under a key stays: ours first, then the store's on any version that has rows of the person; unknown means held (H-1).
    fn on_key(&self, versions: &[&Version]) -> Option<Retained> {
        if let Some(hold) = &self.on_person {
            return Some(hold.clone());
        }
        let key = versions.first().and_then(|version| version.entry.key.text()).map(|key| vec![key.to_owned()]);
        if let Some(hold) = self.on_place.held_by(key.as_deref()).first() {
            return Some(held_by(hold));
        }
        // What a hold asks of a row of a table, nobody has asked of these.
        if let Some((hold, _)) = self.on_place.predicates().first() {
            return Some(held_by(hold));
        }
        // An older version goes as a whole, and nobody knows whose the other rows in it are: perhaps those of a held person.
        if let Some(hold) = self.on_somebody.as_ref().filter(|_| goes_with_others(versions)) {
            return Some(hold.clone());
        }
        let locked: Vec<Lock> = versions.iter().filter(|version| version.looked.own > 0).map(|version| version.lock).collect();
        let locked: Vec<Lock> = locked.into_iter().filter(|lock| lock.holds(self.now)).collect();
        let until = |lock: &Lock| match lock {
            Lock::Until(until) => Some(until.to_string()[..10].to_owned()),
            _ => None,
        };
        let review_on = locked.iter().filter_map(until).max();
        (!locked.is_empty()).then(|| locked_until(review_on))
    }
}

impl PlaceSeen<'_> {
    /// Versions by their keys, in the order of the keys.
    fn keys(&self) -> BTreeMap<&ObjectKey, Vec<&Version>> {
        let mut keys: BTreeMap<&ObjectKey, Vec<&Version>> = BTreeMap::new();
        for version in &self.versions {
            keys.entry(&version.entry.key).or_default().push(version);
        }
        keys
    }

    fn decide(
        self,
        brief: &Brief<'_>,
        aside: AsidePlace<'_>,
        now: Timestamp,
        decision: &mut ObjectDecision,
    ) -> Result<(), GatherError> {
        if brief.kind != Kind::Erasure {
            let found = self.versions.iter().map(|version| version.looked.own + version.looked.shared).sum();
            decision.items.push(self.at().item(Disposition::Export, found, found));
            decision.problems.extend(self.problems.iter().cloned());
            return Ok(());
        }
        let rule = row_rule(brief, self.place);
        let holds = Holds::of(brief, self.place, now);
        let mut desk = Desk { sorted: Sorted::empty(aside)?, rows: 0, unfit: 0, locks_unknown: 0 };
        for versions in self.keys().into_values() {
            self.sort(&versions, holds.on_key(&versions), rule, &mut desk)?;
        }
        self.close(rule, desk, decision)
    }

    /// One key: all its versions with the person's rows go, or all stay.
    fn sort(&self, versions: &[&Version], held: Option<Retained>, rule: SetRule, desk: &mut Desk) -> Result<(), GatherError> {
        let own: Vec<&&Version> = versions.iter().filter(|version| version.looked.own > 0).collect();
        let key =
            OfKey { ids: own.iter().map(|version| version.entry.id.clone()).collect(), with_others: goes_with_others(versions) };
        let stays = held.or((rule != SetRule::Delete).then(|| kept(Ground::Policy)));
        for version in versions {
            let looked = version.looked;
            if looked.own > 0 && stays.is_none() {
                desk.rows += looked.own;
                desk.unfit += u64::from(version.entry.obstacle.is_some());
                // Rows that name others too stay in what is written anew; an older version goes with them, for the present one has its own.
                if looked.shared > 0 && version.entry.is_latest {
                    desk.sorted.retain(&kept(Ground::Shared));
                }
                desk.sorted.goes_as(&self.record(version, &key)?)?;
                continue;
            }
            let why = match &stays {
                Some(why) if looked.own > 0 => why.clone(),
                _ => kept(Ground::Shared),
            };
            desk.locks_unknown += u64::from(why.reference.as_deref() == Some(STORE_LOCK) && version.lock == Lock::Unknown);
            desk.sorted.stays(&version.entry, &why)?;
        }
        Ok(())
    }

    fn record(&self, version: &Version, key: &OfKey) -> Result<ManifestRecord, GatherError> {
        let order = RowOrder {
            format: self.place.format,
            names: self.names.clone(),
            rows: version.looked.own,
            shared: version.looked.shared,
            versions: key.ids.clone(),
            with_others: key.with_others,
        };
        Ok(ManifestRecord {
            step: 0,
            key: version.entry.manifest_key(),
            fingerprint: fingerprint(&version.entry, version.looked.own),
            values: order.to_values().map_err(|error| GatherError::Spool(error.to_string()))?,
        })
    }

    fn close(self, rule: SetRule, desk: Desk, decision: &mut ObjectDecision) -> Result<(), GatherError> {
        decision.problems.extend(self.problems.iter().cloned());
        if !self.unread.is_empty() {
            decision.problems.push(unread_objects(self.place, &self.unread));
        }
        if desk.unfit > 0 {
            decision.problems.push(unfit_files(self.place, desk.unfit));
        }
        if self.cold > 0 {
            decision.gaps.push(Gap { source: self.place.source.clone(), reason: cold_gap(self.place, self.cold) });
        }
        decision.warnings.extend(self.warnings.iter().cloned());
        decision.warnings.extend(leftover_uploads(self.place, self.uploads));
        decision.warnings.extend(super::object_words::unknown_locks(&self.place.name(), desk.locks_unknown));
        let told: BTreeSet<String> = decision.warnings.iter().cloned().collect();
        decision
            .warnings
            .extend(super::object_words::warnings_of(self.store).into_iter().filter(|warning| !told.contains(warning)));
        desk.sorted.close(self.at(), rule, Action::Rewrite, Some(desk.rows), decision)
    }

    fn at(&self) -> At<'_> {
        let place = self.place;
        At { source: &place.source, dataset: &place.dataset, collection: &place.collection, kind: self.store.kind }
    }
}

/// What is known of a key as a whole.
struct OfKey {
    ids: Vec<Option<String>>,
    with_others: bool,
}

/// The versions of a place, sorted, and what else was counted.
struct Desk {
    sorted: Sorted,
    rows: u64,
    unfit: u64,
    locks_unknown: u64,
}
