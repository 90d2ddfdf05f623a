//! What happens to the objects that a person's rows name: every version, marker and unfinished upload gets a fate of its own. What is found is
//! put aside, sealed, until the plan is frozen, so that memory does not grow with it and the plan speaks of exactly what was seen.

use std::collections::BTreeMap;

use futures_util::TryStreamExt;
use jiff::Timestamp;

use super::aside::{Aside, AsidePlace};
use super::object_words::{obstacle_problem, overlap_problem, unknown_locks, unread_problem, warnings_of};
use super::set_rule::{SetRule, name_is_overwritten, set_rule};
use super::sorted::{At, Sorted};
use super::{Brief, Decided};
use crate::connector::objects::{Entry, Lock, ObjectSource, StoreError, Stores};
use crate::counted::counted;
use crate::datamap::{Locate, ObjectPlace};
use crate::gather::{Found, GatherError, Gathering, Named, ObjectError, OtherSpellings};
use crate::hold::CollectionHolds;
use crate::plan::{Action, Disposition, Gap, Ground, Plan, PlanItem, Problem, Retained, Step};
use crate::request::Kind;

/// What results name where a store itself keeps an object.
pub(super) const STORE_LOCK: &str = "lock of the store";
/// Entries whose locks are asked for at once.
const LOCKS_AT_ONCE: usize = 1_000;

/// The decision on objects, to be added to that on rows.
#[derive(Default)]
pub struct ObjectDecision {
    pub(super) items: Vec<PlanItem>,
    pub(super) steps: Vec<ObjectStep>,
    pub(super) problems: Vec<Problem>,
    pub(super) warnings: Vec<String>,
    pub(super) gaps: Vec<Gap>,
}

/// A step on objects, and what was found for it.
pub(super) struct ObjectStep {
    pub(super) step: Step,
    pub(super) aside: Aside,
}

impl Decided {
    /// Adds what was decided on objects.
    pub fn add_objects(&mut self, decision: ObjectDecision) {
        let first = self.plan.items.len();
        let Plan { items, problems, warnings, gaps, .. } = &mut self.plan;
        items.extend(decision.items);
        problems.extend(decision.problems);
        warnings.extend(decision.warnings);
        gaps.extend(decision.gaps);
        self.objects.extend(decision.steps.into_iter().map(|mut object| {
            object.step.item += first;
            object
        }));
    }
}

/// Looks at every place of objects and decides. A store that cannot be read is a problem of the plan, never nothing (V-2).
pub async fn decide_objects(
    brief: &Brief<'_>,
    gathering: &mut Gathering<'_>,
    stores: &Stores,
    aside: AsidePlace<'_>,
    now: Timestamp,
) -> Result<ObjectDecision, ObjectError> {
    let mut decision = ObjectDecision::default();
    let mut told = Vec::new();
    let mut spellings: BTreeMap<&str, OtherSpellings> = BTreeMap::new();
    for place in &brief.graph.objects {
        let Some(store) = stores.get(&place.source) else {
            decision.problems.push(unread_problem(place, "the store was not reached"));
            continue;
        };
        if let Some(column) = gathering.overlapping(place).await? {
            decision.problems.push(overlap_problem(place, &column));
            continue;
        }
        if !spellings.contains_key(place.source.as_str()) {
            let others = match store.kind {
                "folder" => gathering.other_spellings(&store.name).await?,
                _ => OtherSpellings::default(),
            };
            spellings.insert(&place.source, others);
        }
        let mut desk = ObjectDesk::open(brief, place, store, aside, now)?;
        match desk.look(gathering, &spellings[place.source.as_str()]).await {
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

/// The decision on one place.
struct ObjectDesk<'a> {
    brief: &'a Brief<'a>,
    place: &'a ObjectPlace,
    store: &'a ObjectSource,
    on_place: CollectionHolds,
    on_person: Option<Retained>,
    now: Timestamp,
    sorted: Sorted,
    found: u64,
    locks_unknown: u64,
    obstacles: BTreeMap<&'static str, u64>,
    missing: u64,
    on_rows: CollectionHolds,
    set_rule: SetRule,
}

impl<'a> ObjectDesk<'a> {
    fn open(
        brief: &'a Brief<'a>,
        place: &'a ObjectPlace,
        store: &'a ObjectSource,
        aside: AsidePlace<'_>,
        now: Timestamp,
    ) -> Result<ObjectDesk<'a>, GatherError> {
        let rows = &brief.graph.nodes[place.rows.0];
        let on_person = brief.holds.covers_subject(&brief.alias_refs).into_iter().next().map(|hold| held_by(&hold));
        Ok(ObjectDesk {
            brief,
            place,
            store,
            on_place: brief.holds.for_collection(&place.dataset, &place.described_in),
            on_person,
            now,
            sorted: Sorted::empty(aside)?,
            found: 0,
            locks_unknown: 0,
            obstacles: BTreeMap::new(),
            missing: 0,
            on_rows: brief.holds.for_collection(&rows.dataset, &rows.collection),
            set_rule: set_rule(brief, place),
        })
    }

    async fn look(&mut self, gathering: &mut Gathering<'_>, spellings: &OtherSpellings) -> Result<(), ObjectError> {
        let place = self.place;
        let store = self.store;
        // The names are few bytes each and are read to their end first: whose the objects are is asked in the same session.
        let names: Vec<Named> = gathering.named(place, true, name_is_overwritten(self.brief, place))?.try_collect().await?;
        for named in &names {
            let mut found = Found::begin(store.work.as_ref(), &place.locate, named);
            let mut any = false;
            while let Some(entries) = found.next().await.map_err(|problem| self.failed(problem))? {
                any = true;
                for some in entries.chunks(LOCKS_AT_ONCE) {
                    let claimed = gathering.claimed(&store.name, some, spellings).await?;
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

    async fn weigh(&mut self, entries: &[Entry], claimed: &[bool], named: &Named) -> Result<(), ObjectError> {
        let locks = self.store.work.locks(entries).await.map_err(|problem| self.failed(problem))?;
        for ((entry, claimed), lock) in entries.iter().zip(claimed).zip(locks) {
            self.found += 1;
            match self.why_it_stays(entry, lock, *claimed, named) {
                None => {
                    if let Some(obstacle) = entry.obstacle {
                        *self.obstacles.entry(obstacle).or_default() += 1;
                    }
                    self.sorted.goes(entry)?;
                }
                Some(why) => self.sorted.stays(entry, &why)?,
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
        if !lock.holds(self.now) {
            return None;
        }
        self.locks_unknown += u64::from(lock == Lock::Unknown);
        let review_on = match lock {
            Lock::Until(until) => Some(until.to_string()[..10].to_owned()),
            _ => None,
        };
        Some(locked_until(review_on))
    }

    fn close(self, decision: &mut ObjectDecision) -> Result<(), GatherError> {
        let place = self.place;
        let at = At { source: &place.source, dataset: &place.dataset, collection: &place.collection, kind: self.store.kind };
        if !matches!(self.brief.kind, Kind::Erasure) {
            decision.items.push(at.item(Disposition::Export, self.found, self.found));
            return Ok(());
        }
        decision.warnings.extend(unknown_locks(&place.name(), self.locks_unknown));
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
        self.sorted.close(at, self.set_rule, Action::Delete, None, decision)
    }
}

pub(super) fn held_by(hold: &crate::hold::HoldRef) -> Retained {
    Retained {
        count: 1,
        ground: Ground::Hold,
        reference: Some(hold.matter.to_string()),
        review_on: hold.review_on.map(|date| date.to_string()),
    }
}

pub(super) fn kept(ground: Ground) -> Retained {
    Retained { count: 1, ground, reference: None, review_on: None }
}

/// Kept by the store itself; until then, where it says so.
pub(super) fn locked_until(review_on: Option<String>) -> Retained {
    Retained { count: 1, ground: Ground::Hold, reference: Some(STORE_LOCK.to_owned()), review_on }
}

fn kept_with_row(named: &Named) -> Retained {
    let ground = Ground::of_row(named.ground.as_deref());
    Retained { count: 1, ground, reference: named.reference.clone(), review_on: named.review_on.clone() }
}
