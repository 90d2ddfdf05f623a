//! What happens to the objects that a person's rows name: every version, marker and unfinished upload gets a fate of its own. What is found is
//! put aside, sealed, until the plan is frozen, so that memory does not grow with it and the plan speaks of exactly what was seen.

use std::collections::BTreeMap;
use std::path::Path;

use futures_util::TryStreamExt;
use jiff::Timestamp;
use tempfile::TempPath;

use super::rules::policy_mask;
use super::{Brief, Decided};
use crate::connector::objects::{Entry, Lock, ObjectSource, StoreError, Stores};
use crate::counted::counted;
use crate::crypto::{SpoolReader, SpoolWriter, random_bytes, random_code};
use crate::datamap::{Locate, ObjectPlace, OnErasure, Rule, RuleAction, category_matches};
use crate::gather::{Found, GatherError, Gathering, Named, ObjectError, OtherSpellings};
use crate::hold::CollectionHolds;
use crate::plan::{Action, Disposition, Ground, ManifestRecord, Plan, PlanItem, Problem, Retained, Step};
use crate::request::Kind;

/// What results name where a store itself keeps an object.
pub(super) const STORE_LOCK: &str = "lock of the store";
/// Entries whose locks are asked for at once.
const LOCKS_AT_ONCE: usize = 1_000;

/// The decision on objects, to be added to that on rows.
#[derive(Default)]
pub struct ObjectDecision {
    items: Vec<PlanItem>,
    steps: Vec<ObjectStep>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// A step on objects, and what was found for it.
pub(super) struct ObjectStep {
    pub(super) step: Step,
    aside: Aside,
}

impl Decided {
    /// Adds what was decided on objects.
    pub fn add_objects(&mut self, decision: ObjectDecision) {
        let first = self.plan.items.len();
        let Plan { items, problems, warnings, .. } = &mut self.plan;
        items.extend(decision.items);
        problems.extend(decision.problems);
        warnings.extend(decision.warnings);
        self.objects.extend(decision.steps.into_iter().map(|mut object| {
            object.step.item += first;
            object
        }));
    }
}

/// Looks at every place of objects and decides. A store that cannot be read is a gap (V-2).
pub async fn decide_objects(
    brief: &Brief<'_>,
    gathering: &mut Gathering<'_>,
    stores: &Stores,
    aside: AsidePlace<'_>,
    now: Timestamp,
) -> Result<ObjectDecision, ObjectError> {
    let mut decision = ObjectDecision::default();
    let mut told = Vec::new();
    for place in &brief.graph.objects {
        let Some(store) = stores.get(&place.source) else {
            decision.problems.push(unread_problem(place, "the store was not reached"));
            continue;
        };
        if let Some(column) = gathering.overlapping(place).await? {
            decision.problems.push(overlap_problem(place, &column));
            continue;
        }
        let mut desk = ObjectDesk::open(brief, place, store, aside, now)?;
        match desk.look(gathering).await {
            Ok(()) => {}
            // A busy store is asked again by the next attempt.
            Err(ObjectError::Store { problem, .. }) if !problem.is_transient() => {
                decision.problems.push(unread_problem(place, &problem.to_string()));
                continue;
            }
            Err(error) => return Err(error),
        }
        if !told.contains(&place.source) {
            told.push(place.source.clone());
            decision.warnings.extend(warnings_of(store));
        }
        desk.close(&mut decision)?;
    }
    Ok(decision)
}

/// Rows are the way to the objects that they name. Were they erased while the store cannot be read, nobody would ever find those objects again.
fn unread_problem(place: &ObjectPlace, why: &str) -> Problem {
    Problem {
        code: "objects_not_read".into(),
        subject: format!("{} ({})", place.name(), place.place),
        problem: format!("the objects that this person's rows name cannot be listed: {why}"),
        hint: "nothing is erased, because the rows are the only way to the objects; `habeas doctor` tells what the source needs"
            .into(),
    }
}

/// Were such an entry left and the row that names it erased, nobody would find it again.
fn obstacle_problem(place: &ObjectPlace, obstacle: &str, count: u64) -> Problem {
    let what = match obstacle {
        "SymbolicLink" => "a link to somewhere else",
        _ => "known under a second name (a hard link)",
    };
    Problem {
        code: "object_not_erasable".into(),
        subject: format!("{} ({})", place.name(), place.place),
        problem: format!(
            "{} of the person's that would have to go: each is {what}, and its bytes would stay",
            counted(count, "file", "files")
        ),
        hint: "put the files themselves there, or remove the links; then plan again".into(),
    }
}

fn overlap_problem(place: &ObjectPlace, column: &str) -> Problem {
    Problem {
        code: "object_prefix_overlaps".into(),
        subject: format!("{} ({})", place.name(), place.place),
        problem: format!(
            "values of `{column}` contain the separator that follows them in the prefix, so that one person's prefix may \
                          lie inside another's"
        ),
        hint: "name the objects by a column that cannot contain the separator, such as a number".into(),
    }
}

fn warnings_of(store: &ObjectSource) -> Vec<String> {
    let mut warnings = Vec::new();
    let facts = &store.facts;
    if facts.mfa_delete {
        warnings.push(format!(
            "source `{}`: versions can be deleted only with a second factor, which has to be done by hand",
            store.name
        ));
    }
    warnings.extend(facts.copies.iter().map(|copy| format!("source `{}`: {copy} is not reached by this erasure", store.name)));
    warnings.extend(facts.unknown.iter().map(|what| format!("source `{}`: it could not be found out {what}", store.name)));
    warnings
}

/// The decision on one place.
struct ObjectDesk<'a> {
    brief: &'a Brief<'a>,
    place: &'a ObjectPlace,
    store: &'a ObjectSource,
    on_place: CollectionHolds,
    on_person: Option<Retained>,
    now: Timestamp,
    goes: AsideWriter,
    stays: AsideWriter,
    found: u64,
    retained: BTreeMap<(Ground, Option<String>), Retained>,
    locks_unknown: u64,
    obstacles: BTreeMap<&'static str, u64>,
    missing: u64,
    spellings: OtherSpellings,
    on_rows: CollectionHolds,
    set_rule: SetRule,
}

/// What the job and the map say of a set of objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetRule {
    Undecided,
    Delete,
    Keep,
    /// They share the fate of the row that names them.
    WithRow,
}

impl<'a> ObjectDesk<'a> {
    fn open(
        brief: &'a Brief<'a>,
        place: &'a ObjectPlace,
        store: &'a ObjectSource,
        aside: AsidePlace<'_>,
        now: Timestamp,
    ) -> Result<ObjectDesk<'a>, GatherError> {
        // A column's objects are held with its collection.
        let collection = place.collection.split('.').next().unwrap_or(&place.collection);
        let rows = &brief.graph.nodes[place.rows.0];
        let on_person = brief.holds.covers_subject(&brief.alias_refs).into_iter().next().map(|hold| held_by(&hold));
        Ok(ObjectDesk {
            brief,
            place,
            store,
            on_place: brief.holds.for_collection(&place.dataset, collection),
            on_person,
            now,
            goes: AsideWriter::create(aside)?,
            stays: AsideWriter::create(aside)?,
            found: 0,
            retained: BTreeMap::new(),
            locks_unknown: 0,
            obstacles: BTreeMap::new(),
            missing: 0,
            spellings: OtherSpellings::default(),
            on_rows: brief.holds.for_collection(&rows.dataset, &rows.collection),
            set_rule: set_rule(brief, place),
        })
    }

    async fn look(&mut self, gathering: &mut Gathering<'_>) -> Result<(), ObjectError> {
        let place = self.place;
        let store = self.store;
        if store.kind == "folder" {
            self.spellings = gathering.other_spellings(&store.name).await?;
        }
        // The names are few bytes each and are read to their end first: whose the objects are is asked in the same session.
        let names: Vec<Named> = gathering.named(place, true, self.name_is_overwritten())?.try_collect().await?;
        for named in &names {
            let mut found = Found::begin(store.work.as_ref(), &place.locate, named);
            let mut any = false;
            while let Some(entries) = found.next().await.map_err(|problem| self.failed(problem))? {
                any = true;
                for some in entries.chunks(LOCKS_AT_ONCE) {
                    let claimed = gathering.claimed(&store.name, some, &self.spellings).await?;
                    self.weigh(some, &claimed, named).await?;
                }
            }
            self.missing += u64::from(!any && matches!(place.locate, Locate::Key(_)));
        }
        if self.missing > 0 {
            self.refuse_an_empty_store().await?;
        }
        Ok(())
    }

    fn failed(&self, problem: StoreError) -> ObjectError {
        ObjectError::Store { source_name: self.store.name.clone(), problem }
    }

    /// A disk that is not mounted looks like a folder without files.
    async fn refuse_an_empty_store(&self) -> Result<(), ObjectError> {
        let page = self.store.work.list(b"", None).await.map_err(|problem| self.failed(problem))?;
        match page.entries.is_empty() {
            true => Err(self.failed(StoreError::Contradiction("it is empty, although records name objects in it: is it mounted?"))),
            false => Ok(()),
        }
    }

    /// Whether the plan overwrites a column that names the object: then nobody could find it any more.
    fn name_is_overwritten(&self) -> bool {
        let node = &self.brief.graph.nodes[self.place.rows.0];
        let Some(collection) = self.brief.map.collection(&node.dataset, &node.collection) else { return false };
        let columns = self.place.locate.template().columns();
        self.place.follows_row
            && collection.fields.iter().any(|field| {
                let by_job = match self.brief.policy {
                    Some(policy) => policy_mask(field, policy).is_some(),
                    None => field.is_overwritten(),
                };
                columns.contains(&field.name.as_str()) && by_job
            })
    }

    async fn weigh(&mut self, entries: &[Entry], claimed: &[bool], named: &Named) -> Result<(), ObjectError> {
        let locks = self.store.work.locks(entries).await.map_err(|problem| self.failed(problem))?;
        for ((entry, claimed), lock) in entries.iter().zip(claimed).zip(locks) {
            self.found += 1;
            match self.why_it_stays(entry, lock, *claimed, named) {
                None => {
                    if let Some(obstacle) = entry.obstacle {
                        *self.obstacles.entry(obstacle).or_default() += 1;
                    }
                    self.goes.put(entry)?;
                }
                Some(retained) => {
                    let known = self
                        .retained
                        .entry((retained.ground, retained.reference.clone()))
                        .or_insert(Retained { count: 0, ..retained.clone() });
                    known.count += 1;
                    known.review_on = known.review_on.take().into_iter().chain(retained.review_on).min();
                    self.stays.put(entry)?;
                }
            }
        }
        Ok(())
    }

    /// Holds come first, ours and the store's; unknown means held (H-1). Then whose it is (O-1), then what the map says.
    fn why_it_stays(&mut self, entry: &Entry, lock: Lock, claimed: bool, named: &Named) -> Option<Retained> {
        if let Some(hold) = &self.on_person {
            return Some(hold.clone());
        }
        let key = entry.key.text().map(|key| vec![key.to_owned()]);
        if let Some(hold) = self.on_place.held_by(key.as_deref()).first() {
            return Some(held_by(hold));
        }
        // What a hold asks of a row, an object cannot answer.
        if let Some((hold, _)) = self.on_place.predicates().first() {
            return Some(held_by(hold));
        }
        if let Some(locked) = self.locked(lock) {
            return Some(locked);
        }
        if named.is_shared || claimed {
            return Some(kept(Ground::Shared));
        }
        match self.set_rule {
            SetRule::WithRow if named.goes => None,
            SetRule::WithRow => Some(kept_with_row(named)),
            // What a hold on the very row says, it says of what the row names as well.
            _ if self.row_is_held(named) => Some(kept_with_row(named)),
            SetRule::Delete => None,
            SetRule::Keep | SetRule::Undecided => Some(kept(Ground::Policy)),
        }
    }

    /// Whether a hold on the naming rows themselves keeps them, and not only something that leads to them.
    fn row_is_held(&self, named: &Named) -> bool {
        let holds = &self.on_rows;
        let of_records = holds.records().iter().map(|(hold, _)| hold);
        let of_conditions = holds.predicates().iter().map(|(hold, _)| hold);
        let mut all = holds.whole().iter().chain(of_records).chain(of_conditions);
        named.ground.as_deref() == Some("hold") && all.any(|hold| Some(hold.matter.to_string()) == named.reference)
    }

    fn locked(&mut self, lock: Lock) -> Option<Retained> {
        let by_store = |review_on: Option<String>| Retained {
            count: 1,
            ground: Ground::Hold,
            reference: Some(STORE_LOCK.to_owned()),
            review_on,
        };
        match lock {
            Lock::Free => None,
            Lock::LegalHold => Some(by_store(None)),
            Lock::Until(until) if until > self.now => Some(by_store(Some(until.to_string()[..10].to_owned()))),
            Lock::Until(_) => None,
            Lock::Unknown => {
                self.locks_unknown += 1;
                Some(by_store(None))
            }
        }
    }

    fn close(self, decision: &mut ObjectDecision) -> Result<(), GatherError> {
        let place = self.place;
        let goes = self.goes.finish()?;
        let stays = self.stays.finish()?;
        if !matches!(self.brief.kind, Kind::Erasure) {
            decision.items.push(item_of(place, self.store, Disposition::Export, self.found, self.found, Vec::new()));
            return Ok(());
        }
        let is_undecided = self.set_rule == SetRule::Undecided;
        let disposition = match (is_undecided, goes.records) {
            (true, _) => Disposition::Undecided,
            (false, 0) if self.found > 0 => Disposition::Retain,
            (false, 0) if self.set_rule == SetRule::Keep => Disposition::Retain,
            (false, _) => Disposition::Erase,
        };
        if self.locks_unknown > 0 {
            decision.warnings.push(format!(
                "{}: of {} objects it could not be found out whether they are locked, so that they count as held: the source needs the \
                 rights to read legal holds and retention",
                place.name(),
                self.locks_unknown
            ));
        }
        if self.missing > 0 {
            let missing = self.missing;
            decision.warnings.push(format!(
                "{}: {} that the person's records name {} not in the store under that name",
                place.name(),
                counted(missing, "object", "objects"),
                if missing == 1 { "is" } else { "are" }
            ));
        }
        for (obstacle, count) in &self.obstacles {
            decision.problems.push(obstacle_problem(place, obstacle, *count));
        }
        let item = decision.items.len();
        let retained: Vec<Retained> = self.retained.into_values().collect();
        let step = |disposition: Disposition, action: Action, records: u64, retained: Vec<Retained>| Step {
            source: place.source.clone(),
            dataset: place.dataset.clone(),
            collection: place.collection.clone(),
            schema: None,
            item,
            disposition,
            action,
            guard: Vec::new(),
            unreferenced: Vec::new(),
            counted: Vec::new(),
            identity: false,
            deferred: false,
            records,
            retained,
        };
        if goes.records > 0 && disposition == Disposition::Erase {
            decision
                .steps
                .push(ObjectStep { step: step(Disposition::Erase, Action::Delete, goes.records, Vec::new()), aside: goes });
        }
        if stays.records > 0 {
            let records = stays.records;
            decision
                .steps
                .push(ObjectStep { step: step(Disposition::Retain, Action::Keep, records, retained.clone()), aside: stays });
        }
        let expected =
            if disposition == Disposition::Erase { self.found - retained.iter().map(|kept| kept.count).sum::<u64>() } else { 0 };
        decision.items.push(item_of(place, self.store, disposition, self.found, expected, retained));
        Ok(())
    }
}

/// What the job's categories and policy, and else the map, say of a set.
fn set_rule(brief: &Brief<'_>, place: &ObjectPlace) -> SetRule {
    let rows = &brief.graph.nodes[place.rows.0];
    let (collection, field) = match place.collection.split_once('.') {
        Some((_, field)) => {
            let collection = brief.map.collection(&rows.dataset, &rows.collection);
            (collection, collection.and_then(|collection| collection.field(field)))
        }
        None => (brief.map.collection(&place.dataset, &place.collection), None),
    };
    let Some(collection) = collection else { return SetRule::Undecided };
    let labels: Vec<&String> = match field {
        Some(field) => collection.data_categories.iter().chain(&field.data_categories).collect(),
        None => {
            let of_fields = collection.fields.iter().flat_map(|field| &field.data_categories);
            collection.data_categories.iter().chain(of_fields).collect()
        }
    };
    let falls_under = |targets: &[String]| labels.iter().any(|label| targets.iter().any(|target| category_matches(target, label)));
    // What the job does not name it does not touch; objects that share a row's fate have it from the row.
    if !place.follows_row && !brief.categories.is_empty() && !falls_under(brief.categories) {
        return SetRule::Keep;
    }
    if let Some(policy) = brief.policy.filter(|_| !place.follows_row) {
        let erases = |rule: &Rule| matches!(rule.action, RuleAction::Erasure(_)) && falls_under(&rule.targets);
        return if policy.rules.iter().any(erases) { SetRule::Delete } else { SetRule::Keep };
    }
    match (place.follows_row, place.on_erasure) {
        (true, _) => SetRule::WithRow,
        (false, Some(OnErasure::Delete)) => SetRule::Delete,
        (false, Some(OnErasure::Keep)) => SetRule::Keep,
        (false, _) => SetRule::Undecided,
    }
}

fn item_of(
    place: &ObjectPlace,
    store: &ObjectSource,
    disposition: Disposition,
    found: u64,
    expected: u64,
    retained: Vec<Retained>,
) -> PlanItem {
    PlanItem {
        source: place.source.clone(),
        dataset: place.dataset.clone(),
        collection: place.collection.clone(),
        kind: store.kind.to_owned(),
        disposition,
        found,
        expected,
        retained,
        columns: Vec::new(),
    }
}

fn held_by(hold: &crate::hold::HoldRef) -> Retained {
    Retained {
        count: 1,
        ground: Ground::Hold,
        reference: Some(hold.matter.to_string()),
        review_on: hold.review_on.map(|date| date.to_string()),
    }
}

fn kept(ground: Ground) -> Retained {
    Retained { count: 1, ground, reference: None, review_on: None }
}

fn kept_with_row(named: &Named) -> Retained {
    let ground = match named.ground.as_deref() {
        Some("hold") => Ground::Hold,
        Some("art17_3_b") => Ground::LegalObligation,
        Some("art17_3_e") => Ground::LegalClaims,
        Some("shared") => Ground::Shared,
        _ => Ground::Policy,
    };
    Retained { count: 1, ground, reference: named.reference.clone(), review_on: named.review_on.clone() }
}

/// Where entries are put aside: beside the manifests, under the request's own name, so that what an attempt that died has left is removed by the
/// next one.
#[derive(Clone, Copy)]
pub struct AsidePlace<'a> {
    /// The folder.
    pub folder: &'a Path,
    /// Id of the request; empty for a rehearsal.
    pub request: &'a str,
}

/// Entries put aside in a sealed file of their own, whose key is in memory alone.
struct AsideWriter {
    path: TempPath,
    key: [u8; 32],
    spool: SpoolWriter,
    records: u64,
}

/// The same, closed.
struct Aside {
    path: TempPath,
    key: [u8; 32],
    records: u64,
}

impl AsideWriter {
    fn create(place: AsidePlace<'_>) -> Result<AsideWriter, GatherError> {
        let code = random_code(12).map_err(spool_error)?.to_lowercase();
        let path = place.folder.join(format!("{}-{code}.found", place.request));
        let key = random_bytes().map_err(spool_error)?;
        let spool = SpoolWriter::create(&path, key).map_err(spool_error)?;
        Ok(AsideWriter { path: TempPath::try_from_path(path).map_err(spool_error)?, key, spool, records: 0 })
    }

    fn put(&mut self, entry: &Entry) -> Result<(), GatherError> {
        let fingerprint = format!("{} {}", entry.size, entry.etag.as_deref().unwrap_or_default());
        let record = ManifestRecord { step: 0, key: entry.manifest_key(), fingerprint, values: Vec::new() };
        self.records += 1;
        self.spool.append(&record.to_bytes()).map_err(spool_error)
    }

    fn finish(self) -> Result<Aside, GatherError> {
        self.spool.finish().map_err(spool_error)?;
        Ok(Aside { path: self.path, key: self.key, records: self.records })
    }
}

impl ObjectStep {
    /// The records of the step, for the manifest.
    pub(super) fn each(
        &self,
        position: u16,
        mut put: impl FnMut(&ManifestRecord) -> Result<(), GatherError>,
    ) -> Result<u64, GatherError> {
        let mut reader = SpoolReader::open(&self.aside.path, self.aside.key).map_err(spool_error)?;
        let mut records = 0;
        while let Some(bytes) = reader.next_record().map_err(spool_error)? {
            let record = ManifestRecord::from_bytes(bytes).map_err(spool_error)?;
            put(&ManifestRecord { step: position, ..record })?;
            records += 1;
        }
        Ok(records)
    }
}

fn spool_error(error: impl std::fmt::Display) -> GatherError {
    GatherError::Spool(error.to_string())
}
