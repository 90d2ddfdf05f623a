//! The end of a decision: the manifest, row by row, in the order in which it will be carried out. What cannot be frozen exactly becomes a
//! problem of the plan, and such a plan cannot be approved (P-1).

use std::collections::{BTreeMap, HashSet};

use futures_util::TryStreamExt;

use super::objects::ObjectStep;
use super::referrers::owning_referrers;
use super::steps::Source;
use super::{Decided, GatherError, MaskSecret, map_error};
use crate::connector::sql::text::read;
use crate::connector::sql::{Location, SnapshotError, decode};
use crate::counted::counted as in_words;
use crate::db::DbError;
use crate::gather::Gathering;
use crate::plan::{Action, Disposition, ManifestRecord, Plan, Problem, Referrer, RowId, Step};

/// Where the records of a manifest go: an encrypted spool, or nowhere when only the digest is wanted.
pub trait ManifestSink: Send {
    /// Takes the next record.
    fn put(&mut self, record: &ManifestRecord) -> std::io::Result<()>;
    /// Takes note of a row that stands for a person.
    fn put_person(&mut self, _place: &str, _record: &ManifestRecord) {}
    /// Keyed digest over all records so far.
    fn digest(&self) -> String;
    /// Keyed digest over the people's rows so far.
    fn people_digest(&self) -> String {
        String::new()
    }
}

/// A plan with its digest, and its steps with their counts.
pub struct Frozen {
    /// The plan.
    pub plan: Plan,
    /// Its steps.
    pub steps: Vec<Step>,
}

/// Which rows of what was decided go into a manifest.
#[derive(Debug, Clone, Copy)]
pub enum WhichRows<'a> {
    /// All of them.
    All,
    /// Those that appeared while an earlier manifest was carried out: without the people themselves, who go last.
    New,
    /// These, which are to be overwritten and had changed by their turn.
    These(&'a HashSet<RowId>),
}

impl Decided {
    /// Reads the keys of the rows in scope into the sink and closes the plan with their digest.
    pub async fn freeze(
        self,
        gathering: &mut Gathering<'_>,
        secret: &MaskSecret,
        sink: &mut dyn ManifestSink,
        scope: WhichRows<'_>,
    ) -> Result<Frozen, GatherError> {
        let Decided { mut plan, steps: sources, objects } = self;
        let (first, sources): (Vec<Source>, Vec<Source>) = sources.into_iter().partition(|source| source.comes_first);
        let mut steps = Vec::new();
        freeze_rows(first, &mut steps, &mut plan, gathering, secret, sink, scope).await?;
        let kept = freeze_objects(objects, &mut steps, scope, sink)?;
        freeze_rows(sources, &mut steps, &mut plan, gathering, secret, sink, scope).await?;
        for object in kept {
            freeze_object(object, &mut steps, sink)?;
        }
        plan.manifest_digest = sink.digest();
        plan.people_digest = sink.people_digest();
        Ok(Frozen { plan, steps })
    }
}

/// Rows of these steps that are in scope, as the next steps of a manifest.
async fn freeze_rows(
    sources: Vec<Source>,
    steps: &mut Vec<Step>,
    plan: &mut Plan,
    gathering: &mut Gathering<'_>,
    secret: &MaskSecret,
    sink: &mut dyn ManifestSink,
    scope: WhichRows<'_>,
) -> Result<(), GatherError> {
    for mut source in sources {
        let overwrites = matches!(source.step.action, Action::Overwrite { .. });
        match scope {
            // The people themselves, and what can only go after them, wait for the end.
            WhichRows::New if source.step.identity || source.step.deferred || source.step.action == Action::Keep => break,
            // Overwritten rows stay and are reached again; overwriting them twice would not be the same as once (E-3).
            WhichRows::New if overwrites && source.step.disposition == Disposition::Mask => continue,
            WhichRows::New if source.only_shared => continue,
            WhichRows::These(_) if !overwrites || source.step.of_others_too => continue,
            _ => {}
        }
        let position = u16::try_from(steps.len()).map_err(|_| GatherError::Map("a plan has too many steps".into()))?;
        let written = write_records(&source, position, gathering, secret, scope, sink).await?;
        let missed = source.counted.filter(|counted| matches!(scope, WhichRows::All) && *counted != written.records);
        // What is wrong with these keys may have been told already, with the words that help.
        if let Some(counted) = missed
            && !is_told(&plan.problems, &source.step)
        {
            plan.problems.push(key_problem(&source.step, counted, written.records));
        }
        source.step.records = written.records;
        for (column, rows) in written.unreadable {
            // Nothing was decided for these rows: the plan cannot be approved (P-1).
            plan.problems.push(unreadable_problem(&source.step, &column, rows));
        }
        steps.push(source.step);
    }
    Ok(())
}

/// Objects that go, which come first, and those that stay, which come last.
fn freeze_objects(
    objects: Vec<ObjectStep>,
    steps: &mut Vec<Step>,
    scope: WhichRows<'_>,
    sink: &mut dyn ManifestSink,
) -> Result<Vec<ObjectStep>, GatherError> {
    let (kept, going): (Vec<ObjectStep>, Vec<ObjectStep>) =
        objects.into_iter().partition(|object| object.step.action == Action::Keep);
    match scope {
        WhichRows::These(_) => return Ok(Vec::new()),
        WhichRows::New | WhichRows::All => {}
    }
    for object in going {
        freeze_object(object, steps, sink)?;
    }
    Ok(if matches!(scope, WhichRows::All) { kept } else { Vec::new() })
}

fn freeze_object(mut object: ObjectStep, steps: &mut Vec<Step>, sink: &mut dyn ManifestSink) -> Result<(), GatherError> {
    let position = u16::try_from(steps.len()).map_err(|_| GatherError::Map("a plan has too many steps".into()))?;
    let written = object.aside.each(position, |record| sink.put(record).map_err(|error| GatherError::Spool(error.to_string())))?;
    object.step.records = written;
    steps.push(object.step);
    Ok(())
}

async fn write_records(
    source: &Source,
    position: u16,
    gathering: &mut Gathering<'_>,
    secret: &MaskSecret,
    scope: WhichRows<'_>,
    sink: &mut dyn ManifestSink,
) -> Result<Written, GatherError> {
    let nothing = Written { records: 0, unreadable: BTreeMap::new() };
    let graph = gathering.graph;
    let Some((name, snapshot)) = gathering.snapshot_of(source.node) else { return Ok(nothing) };
    let name = name.to_owned();
    let failed = |problem: DbError| map_error(&name, SnapshotError::Database(problem));
    let Some(location) = snapshot.location(source.node).cloned() else { return Ok(nothing) };
    let dialect = snapshot.dialect;
    let columns: Vec<String> = source.masks.iter().map(|overwrite| overwrite.column.clone()).collect();
    let is_ranked = snapshot.inbound.iter().any(|key| key.parent.0 == source.node && key.child_node == Some(key.parent));
    let counted: Vec<(Referrer, Location)> = match source.step.counted.is_empty() {
        true => Vec::new(),
        false => owning_referrers(graph, snapshot, source.node)
            .into_iter()
            .filter_map(|(child, referrer)| Some((referrer, snapshot.location(child)?.clone())))
            .collect(),
    };
    let marks = read::Marks { guard: &source.step.guard, counted: &counted, counts_leaving: source.comes_first };
    let statement = read::frozen(&location, source.selection, marks, &columns, is_ranked, dialect);
    let width = location.key_width();
    let mut rows = snapshot.stream(statement).map_err(failed)?;
    let mut written = 0;
    let mut unreadable: BTreeMap<String, u64> = BTreeMap::new();
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let key = decode::key(&row, width).map_err(failed)?;
        if let WhichRows::These(rows) = scope
            && !rows.contains(&RowId::of(&source.step, &key))
        {
            continue;
        }
        let fingerprint = row.text_at(width).map_err(failed)?.unwrap_or_default().to_owned();
        let mut values = Vec::with_capacity(columns.len());
        let row_name = format!("{}.{}:{}", location.dataset, location.collection, key_name(&key));
        for (at, overwrite) in source.masks.iter().enumerate() {
            let present = row.text_at(width + 1 + at).map_err(failed)?;
            let room = location.table.column(&overwrite.column).and_then(|live| live.max_length);
            values.push(overwrite.value(secret, &row_name, present, room).unwrap_or_else(|_| {
                *unreadable.entry(overwrite.column.clone()).or_default() += 1;
                None
            }));
        }
        let record = ManifestRecord { step: position, key, fingerprint, values };
        if source.step.identity && !matches!(source.step.action, Action::Clear { .. }) {
            sink.put_person(&source.step.collection, &record);
        }
        sink.put(&record).map_err(|error| GatherError::Spool(error.to_string()))?;
        written += 1;
    }
    Ok(Written { records: written, unreadable })
}

/// What came of the rows of a step.
struct Written {
    records: u64,
    /// Rows in which parts of a column are to be overwritten and whose text there is no JSON, by column.
    unreadable: BTreeMap<String, u64>,
}

fn unreadable_problem(step: &Step, column: &str, rows: u64) -> Problem {
    Problem {
        code: "not_json".to_owned(),
        subject: format!("{}.{}.{column}", step.dataset, step.collection),
        problem: format!("{rows} of the person's rows hold text here that is no JSON, so that parts of it cannot be overwritten"),
        hint: "mend those rows, or overwrite the whole column: write the strategy on the column itself".to_owned(),
    }
}

/// E-1, the last line of defence: a row that its own key does not find again would be left, and everything else certified; a key that finds
/// more rows than were decided on would take others along.
fn key_problem(step: &Step, counted: u64, by_key: u64) -> Problem {
    Problem {
        code: "key_not_exact".to_owned(),
        subject: format!("{}.{}", step.dataset, step.collection),
        problem: format!("{} found, and by their keys {by_key} found again", in_words(counted, "row was", "rows were")),
        hint: "the declared primary key must name exactly one row each: look for NULL, for inheriting tables, and for keys that compare as equal"
            .to_owned(),
    }
}

/// Whether the plan has a problem of this very collection.
fn is_told(problems: &[Problem], step: &Step) -> bool {
    let place = format!("{}.{}", step.dataset, step.collection);
    // A subject may be followed by the file and line of the map.
    problems.iter().any(|problem| problem.subject.split(" (").next() == Some(place.as_str()))
}

fn key_name(key: &[crate::value::KeyPart]) -> String {
    key.iter().map(decode::key_text).collect::<Vec<_>>().join("\u{0}")
}
