//! From everything reached to a plan: what happens to which rows, row by row, and whether it can work. It writes only into the snapshots'
//! temporary tables; the source's own rows are read alone.

mod aside;
mod co_owners;
mod copies;
mod cuts;
mod elements;
mod fates;
mod foreign_keys;
mod freeze;
mod fuses;
mod items;
mod limits;
mod mask_checks;
mod masks;
mod object_holds;
mod object_words;
mod objects;
mod overwrite;
mod referrers;
mod row_words;
mod rows;
mod rules;
mod schema;
mod schema_digest;
mod set_rule;
mod shared_rows;
mod sorted;
mod steps;
mod unseen;
mod ways;

use std::collections::{BTreeMap, BTreeSet};

use crate::connector::sql::{Inbound, SnapshotError, SqlSource};
use crate::counted::counted;
use crate::crypto::Keys;
use crate::datamap::{DataMap, Graph, Names, Policy, RuleAction, unlabelled};
use crate::gather::{GatherError, Gathering, names_of};
use crate::hold::HoldSet;
use crate::plan::{Gap, Plan, PlanItem, Problem};
use crate::request::Kind;

pub use aside::AsidePlace;
pub use copies::{changed_tables, copies_of};
pub use freeze::{Frozen, ManifestSink, WhichRows};
pub use fuses::Fuses;
pub use masks::MaskSecret;
pub use object_holds::{HeldNames, held_names};
pub use objects::{ObjectDecision, decide_objects};
pub use rows::{RowsSeen, see_rows};
pub use schema_digest::schema_digest;

/// What a decision rests on.
pub struct Brief<'a> {
    /// Kind of the request.
    pub kind: Kind,
    /// The data map.
    pub map: &'a DataMap,
    /// Its graph.
    pub graph: &'a Graph,
    /// Open sources, for their catalogues.
    pub sources: &'a BTreeMap<String, SqlSource>,
    /// Active holds.
    pub holds: &'a HoldSet,
    /// Keys by which holds know people.
    pub keys: &'a Keys,
    /// Keyed aliases of the subject, for holds.
    pub alias_refs: Vec<String>,
    /// Policy of the job.
    pub policy: Option<&'a Policy>,
    /// Categories of the job; empty means all.
    pub categories: &'a [String],
    /// Today in the controller's time zone, ISO.
    pub today: String,
    /// Limits of one request.
    pub fuses: Fuses,
    /// Keyed hash of the identifiers.
    pub subject_ref: String,
}

/// A decision under way: what has been found out so far.
struct Desk<'a, 'g> {
    brief: &'a Brief<'a>,
    gathering: &'a mut Gathering<'g>,
    rules: Vec<rules::Rule>,
    cuts: cuts::Cuts,
    detached: Vec<Inbound>,
    deferred: Vec<Inbound>,
    problems: Vec<Problem>,
    warnings: Vec<String>,
}

/// A plan and its steps, before the keys are read.
pub struct Decided {
    /// The plan, still without the manifest's digest.
    pub plan: Plan,
    /// Steps in their order, and how each finds its rows.
    steps: Vec<steps::Source>,
    /// Steps on objects, which come first: rows that name them go after.
    objects: Vec<objects::ObjectStep>,
}

/// Decides what an erasure does.
pub async fn decide(brief: &Brief<'_>, gathering: &mut Gathering<'_>, held: &[HeldNames]) -> Result<Decided, GatherError> {
    let rules = brief.graph.nodes.iter().map(|node| rules::rule_for(brief, node)).collect();
    let cuts = cuts::Cuts::of(brief, &gathering.snapshots);
    let mut warnings: Vec<String> = gathering.set_aside.iter().map(|name| set_aside_words(&name.kind)).collect();
    let stopped = gathering.stopped_rows().await?;
    warnings.extend(stopped.into_iter().map(|(at, rows)| stopped_words(&brief.graph.nodes[at].name(), rows)));
    let mut desk =
        Desk { brief, gathering, rules, cuts, detached: Vec::new(), deferred: Vec::new(), problems: Vec::new(), warnings };
    // An archive changes nothing: what could go wrong with an erasure is not said of it.
    let changes_rows = !matches!(brief.kind, Kind::Access | Kind::Portability);
    if changes_rows {
        desk.find_unseen_rows().await?;
    }
    desk.apply_fates().await?;
    if changes_rows {
        desk.apply_cuts().await?;
        desk.hold_rows_of_held_people().await?;
        desk.hold_rows_naming_held_objects(held).await?;
        desk.keep_what_held_rows_need().await?;
        desk.check_schema().await?;
    }
    let order = desk.order_nodes();
    if changes_rows {
        desk.rank_rows_of_self_references().await?;
        desk.refuse_what_is_left_behind().await?;
    }
    let (items, steps) = desk.list_items(&order).await?;
    desk.warn_of_categories_without_labels();
    let mut fuses = Vec::new();
    if changes_rows {
        desk.warn_of_copies(&items);
        fuses = desk.blown_fuses(&items).await?;
    }
    let Desk { problems, warnings, gathering, .. } = desk;
    let gaps = gathering.unreached.iter().map(|gap| Gap { source: gap.source.clone(), reason: gap.problem.clone() }).collect();
    let plan = Plan {
        kind: brief.kind,
        subject_ref: brief.subject_ref.clone(),
        policy: brief.policy.map(|policy| policy.fides_key.clone()),
        categories: brief.categories.to_vec(),
        data_map_digest: brief.map.digest.clone(),
        holds_digest: brief.holds.digest(),
        items,
        gaps,
        problems,
        warnings,
        fuses,
        schema_digest: schema_digest(brief.graph, brief.sources),
        people_digest: String::new(),
        manifest_digest: String::new(),
    };
    Ok(Decided { plan, steps, objects: Vec::new() })
}

/// What a name of the person that is also somebody else's means for the plan.
fn set_aside_words(kind: &str) -> String {
    format!(
        "the `{kind}` in this person's record stands in another person's record too: it is not followed, rows that it alone names are not \
         taken for theirs, and the search afterwards does not look for it"
    )
}

/// What a row means that names somebody else beside the person, and on which something hangs.
fn stopped_words(collection: &str, rows: u64) -> String {
    format!(
        "{collection}: {} somebody else beside this person: nothing that hangs on such a row is taken for theirs; what is, needs a reference \
         of its own",
        counted(rows, "row names", "rows name")
    )
}

impl Desk<'_, '_> {
    /// A category that no field has changes nothing, which may not be what the job means.
    fn warn_of_categories_without_labels(&mut self) {
        let brief = self.brief;
        let rules = brief.policy.iter().flat_map(|policy| &policy.rules);
        let counts = rules.filter(|rule| matches!(rule.action, RuleAction::Erasure(_)) == (brief.kind == Kind::Erasure));
        let targets = counts.flat_map(|rule| &rule.targets);
        for category in unlabelled(brief.map, targets.chain(brief.categories)) {
            self.warnings.push(format!("no field of the data map is labelled `{category}` or below it: nothing is selected by it"));
        }
    }

    fn problem(&mut self, code: &str, subject: String, problem: String, hint: String) {
        self.problems.push(Problem { code: code.to_owned(), subject, problem, hint });
    }

    /// Nodes that have a live table in a source that was reached.
    fn live_nodes(&self) -> Vec<usize> {
        let is_live = |at: &usize| {
            let source = &self.brief.graph.nodes[*at].source;
            self.gathering.snapshots.get(source).is_some_and(|snapshot| snapshot.location(*at).is_some())
        };
        (0..self.brief.graph.nodes.len()).filter(is_live).collect()
    }

    fn name(&self, node: usize) -> String {
        self.brief.graph.nodes[node].name()
    }

    /// Nodes whose rows are people.
    fn people(&self) -> BTreeSet<usize> {
        let graph = self.brief.graph;
        let is_people = |at: &usize| {
            let location = self.gathering.snapshots.get(&graph.nodes[*at].source).and_then(|snapshot| snapshot.location(*at));
            location.is_some_and(|location| names_of(graph, *at, &location.table) == Names::Account)
        };
        (0..graph.nodes.len()).filter(is_people).collect()
    }
}

fn map_error(source: &str, error: SnapshotError) -> GatherError {
    match error {
        SnapshotError::Database(problem) => GatherError::Source { source_name: source.to_owned(), problem },
        SnapshotError::Map(text) => GatherError::Map(text),
    }
}

/// Items of a plan, and the sources of its steps.
type Items = (Vec<PlanItem>, Vec<steps::Source>);
