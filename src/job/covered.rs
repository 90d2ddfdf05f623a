//! What a hold's scope covers at this moment, counted in the live sources, and by which names a person is known there. It reads only. What
//! cannot be counted is said and never taken for nothing (V-2).

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::json;

use super::covered_objects::{Counting, Names, OpenStores, Visited, end, names_of, read_names, visit};
use crate::connector::sql::text::count::{self, Which};
use crate::connector::sql::text::reach;
use crate::connector::sql::{Location, Reader, SqlSource};
use crate::datamap::{Node, NodeId, Right};
use crate::deployment::Deployment;
use crate::gather::{GatherError, Gathering, Unreached};
use crate::hold::Scope;
use crate::ledger::LedgerError;
use crate::subject::{Identifier, Subject};

/// Records of one collection, or versions of objects at one place, that a scope covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Configured source.
    pub source: String,
    /// Dataset of the data map.
    pub dataset: String,
    /// Collection of the dataset; for objects that a column names, `collection.field`.
    pub collection: String,
    /// How many; `None` when they could not be counted.
    pub count: Option<u64>,
}

/// Rows that belong to covered ones (the lines of a held invoice), and that the scope does not cover: an erasure takes them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Below {
    /// Dataset of the data map.
    pub dataset: String,
    /// Collection of the dataset.
    pub collection: String,
    /// How many; `None` when they could not be counted.
    pub count: Option<u64>,
    /// A scope that covers them, as it stands in a hold file; `…` is to be filled in.
    pub scope: String,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub covers: Vec<Covered>,
    /// What belongs to the covered rows and is not covered with them.
    pub below: Vec<Below>,
    /// Names of the person, given and found; empty for other scopes.
    pub aliases: Vec<Identifier>,
    pub warnings: Vec<String>,
}

/// Looks at everything that a scope covers.
pub(super) async fn look(
    deployment: &Deployment,
    scope: &Scope,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
    open: &OpenStores,
) -> Result<Seen, LedgerError> {
    match scope {
        Scope::Subject(subject) => look_for_person(deployment, (scope, subject), sources, unreached, open).await,
        scope => {
            let mut seen = look_at_places(deployment, scope, sources, unreached).await;
            let names = names_of(deployment, scope, sources, Vec::new()).await.unwrap_or_else(|error| {
                seen.warnings.push(format!("what the covered rows name was not read: {error}"));
                Names::new()
            });
            seen.add_objects(visit(deployment, scope, open, &names, &mut Counting).await?);
            seen.add_rows_inside_objects(deployment, scope);
            Ok(seen)
        }
    }
}

impl Seen {
    fn add_objects(&mut self, visited: Vec<Visited<'_>>) {
        for Visited { place, count, problem } in visited {
            if let Some(problem) = &problem {
                self.warnings.push(format!("objects of `{}` are covered and were not counted: {problem}", place.name()));
            }
            if count > 0 || problem.is_some() {
                self.covers.push(Covered {
                    source: place.source.clone(),
                    dataset: place.dataset.clone(),
                    collection: place.collection.clone(),
                    count: problem.is_none().then_some(count),
                });
            }
        }
    }

    /// Rows inside objects are kept with their whole object, and nobody has read the objects for this.
    fn add_rows_inside_objects(&mut self, deployment: &Deployment, scope: &Scope) {
        let is_meant = |dataset: &str, collection: &str| scope.place().is_none_or(|place| place == (dataset, collection));
        for place in deployment.graph.rows.iter().filter(|place| is_meant(&place.dataset, &place.collection)) {
            self.warnings.push(format!("rows inside objects of `{}` are covered and were not counted", place.name()));
            self.covers.push(Covered {
                source: place.source.clone(),
                dataset: place.dataset.clone(),
                collection: place.collection.clone(),
                count: None,
            });
        }
    }
}

async fn look_for_person(
    deployment: &Deployment,
    (scope, subject): (&Scope, &Subject),
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
    open: &OpenStores,
) -> Result<Seen, LedgerError> {
    let mut seen = Seen::default();
    let mut gathering = match Gathering::run(&deployment.graph, sources, unreached, subject, Reader::Work).await {
        Ok(gathering) => gathering,
        Err(error) => {
            seen.warnings.push(format!("{error}; the person is held by the given identifiers only, and nothing was counted"));
            return Ok(seen);
        }
    };
    seen.aliases = gathering.aliases.clone();
    for gap in &gathering.unreached {
        seen.warnings.push(format!(
            "source `{}` was not reached ({}): its records are covered but not counted, and names of the person in it are not known",
            gap.source, gap.problem
        ));
    }
    for (at, node) in deployment.graph.nodes.iter().enumerate() {
        match owned(&mut gathering, at).await {
            Ok(Some(0)) => {}
            Ok(count) => seen.covers.push(covered(node, count)),
            Err(error) => {
                seen.warnings.push(error.to_string());
                seen.covers.push(covered(node, None));
            }
        }
    }
    let names = read_names(deployment, scope, &mut gathering).await;
    end(gathering).await;
    seen.add_objects(visit(deployment, scope, open, &names, &mut Counting).await?);
    seen.add_rows_inside_objects(deployment, scope);
    Ok(seen)
}

/// Rows that the person owns, shared ones too; `None` where the collection could not be read.
async fn owned(gathering: &mut Gathering<'_>, node: usize) -> Result<Option<u64>, GatherError> {
    let Some((source, snapshot)) = gathering.snapshot_of(node) else { return Ok(None) };
    let source_name = source.to_owned();
    if snapshot.location(node).is_none() {
        return Ok(None);
    }
    let tally = snapshot.tally(node).await.map_err(|problem| GatherError::Source { source_name, problem })?;
    Ok(Some(tally.iter().filter(|rows| rows.rights == 2).map(|rows| rows.count).sum()))
}

async fn look_at_places(
    deployment: &Deployment,
    scope: &Scope,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
) -> Seen {
    let mut seen = Seen::default();
    let is_meant = |node: &Node| scope.place().is_none_or(|place| place == (node.dataset.as_str(), node.collection.as_str()));
    let which = match scope {
        Scope::Record { key, .. } => Which::Key(key),
        Scope::Predicate { r#where, .. } => Which::Unless(r#where),
        Scope::Subject(_) | Scope::Collection { .. } | Scope::Everything {} => Which::All,
    };
    for (at, node) in deployment.graph.nodes.iter().enumerate().filter(|(_, node)| is_meant(node)) {
        match rows(sources.get(&node.source), NodeId(at), node, which).await {
            Ok(count) => seen.covers.push(covered(node, Some(count))),
            Err(problem) => {
                seen.warnings.push(format!("`{}` was not counted: {problem}", node.name()));
                seen.covers.push(covered(node, None));
            }
        }
    }
    seen.below = match scope {
        Scope::Record { .. } | Scope::Predicate { .. } => below(deployment, scope, which, sources, &mut seen.warnings).await,
        Scope::Collection { .. } => named_below(deployment, scope),
        Scope::Subject(_) | Scope::Everything {} => Vec::new(),
    };
    for gap in unreached.iter().filter(|gap| seen.covers.iter().any(|covered| covered.source == gap.source)) {
        seen.warnings
            .push(format!("source `{}` was not reached ({}): its records are covered all the same", gap.source, gap.problem));
    }
    let is_set = |(dataset, collection): (&str, &str)| {
        let graph = &deployment.graph;
        graph.objects.iter().any(|place| place.dataset == dataset && place.described_in == collection)
            || graph.rows.iter().any(|place| place.dataset == dataset && place.collection == collection)
    };
    if let (true, Some((dataset, collection))) = (seen.covers.is_empty(), scope.place().filter(|place| !is_set(*place))) {
        seen.warnings.push(format!("`{dataset}.{collection}` is left out of processing: it is covered but not counted"));
    }
    seen
}

async fn rows(source: Option<&SqlSource>, at: NodeId, node: &Node, which: Which<'_>) -> Result<u64, String> {
    let source = source.ok_or("its source is not reached")?;
    let table = source.catalogue.find(node.schema.as_deref(), &node.collection).ok_or("the source has no such table")?;
    let location = Location::new(at, &node.dataset, &node.collection, table);
    let statement = count::rows(&location, which, source.dialect())?;
    let mut session = source.work_session().await.map_err(|error| error.to_string())?;
    let record = session.on().fetch_one(statement.sql, statement.args).await.map_err(|error| error.to_string())?;
    let count = record.int("n").map_err(|error| error.to_string())?;
    Ok(u64::try_from(count).unwrap_or_default())
}

fn covered(node: &Node, count: Option<u64>) -> Covered {
    Covered { source: node.source.clone(), dataset: node.dataset.clone(), collection: node.collection.clone(), count }
}

fn node_of(deployment: &Deployment, scope: &Scope) -> Option<NodeId> {
    let (dataset, collection) = scope.place()?;
    deployment.graph.node(dataset, collection)
}

/// What belongs to the covered rows, counted. A place that could not be counted is named all the same (V-2).
async fn below(
    deployment: &Deployment,
    scope: &Scope,
    which: Which<'_>,
    sources: &BTreeMap<String, SqlSource>,
    warnings: &mut Vec<String>,
) -> Vec<Below> {
    let Some(top) = node_of(deployment, scope) else { return Vec::new() };
    let mut gathering = match Gathering::below(&deployment.graph, sources, top, which).await {
        Ok(gathering) => gathering,
        Err(error) => {
            warnings.push(format!("what belongs to the covered rows was not counted: {error}"));
            return named_below(deployment, scope);
        }
    };
    let mut found = Vec::new();
    for place in named_below(deployment, scope) {
        let Some(node) = deployment.graph.node(&place.dataset, &place.collection) else { continue };
        match further(&mut gathering, node).await {
            Ok(Some(0)) => {}
            Ok(count) => found.push(Below { count, ..place }),
            Err(error) => {
                warnings.push(error.to_string());
                found.push(place);
            }
        }
    }
    end(gathering).await;
    found
}

/// Rows that were followed to, without those that the scope names itself.
async fn further(gathering: &mut Gathering<'_>, node: NodeId) -> Result<Option<u64>, GatherError> {
    let Some(all) = owned(gathering, node.0).await? else { return Ok(None) };
    let Some((source, snapshot)) = gathering.snapshot_of(node.0) else { return Ok(None) };
    let source_name = source.to_owned();
    let Some(location) = snapshot.location(node.0) else { return Ok(None) };
    let named = snapshot.count(reach::seeded_count(location).into()).await;
    Ok(Some(all.saturating_sub(named.map_err(|problem| GatherError::Source { source_name, problem })?)))
}

/// Collections whose rows belong to rows of the scope's, over however many others.
fn named_below(deployment: &Deployment, scope: &Scope) -> Vec<Below> {
    let graph = &deployment.graph;
    let Some(top) = node_of(deployment, scope) else { return Vec::new() };
    let whole = matches!(scope, Scope::Collection { .. });
    let mut found: Vec<(NodeId, Below)> = Vec::new();
    let mut waiting = vec![top];
    while let Some(at) = waiting.pop() {
        for edge in graph.edges_from(at).filter(|edge| edge.right == Right::Owns && edge.declared_on_to) {
            let is_covered = whole && edge.to == top;
            if is_covered || found.iter().any(|(known, _)| *known == edge.to) {
                continue;
            }
            let Some(node) = graph.nodes.get(edge.to.0) else { continue };
            let place = json!({"dataset": node.dataset, "collection": node.collection});
            let is_plain =
                at == top && edge.to_columns.len() == 1 && edge.to_path.is_empty() && matches!(scope, Scope::Record { .. });
            let scope = match edge.to_columns.first().filter(|_| is_plain) {
                Some(column) => {
                    json!({"predicate": {"dataset": node.dataset, "collection": node.collection, "where": {column.as_str(): "…"}}})
                }
                None => json!({"collection": place}),
            };
            let (dataset, collection) = (node.dataset.clone(), node.collection.clone());
            found.push((edge.to, Below { dataset, collection, count: None, scope: scope.to_string() }));
            waiting.push(edge.to);
        }
    }
    found.into_iter().map(|(_, below)| below).collect()
}
