//! What a hold's scope covers at this moment, counted in the live sources, and by which names a person is known there. It reads only. What
//! cannot be counted is said and never taken for nothing (V-2).

use std::collections::BTreeMap;

use serde::Serialize;

use crate::connector::sql::text::count::{self, Which};
use crate::connector::sql::{Location, Reader, SqlSource};
use crate::datamap::{Node, NodeId};
use crate::deployment::Deployment;
use crate::gather::{GatherError, Gathering, Unreached};
use crate::hold::Scope;
use crate::subject::{Identifier, Subject};

/// Records of one collection that a scope covers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Covered {
    /// Configured source.
    pub source: String,
    /// Dataset of the data map.
    pub dataset: String,
    /// Collection of the dataset.
    pub collection: String,
    /// How many; `None` when they could not be counted.
    pub count: Option<u64>,
}

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub covers: Vec<Covered>,
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
) -> Seen {
    match scope {
        Scope::Subject(subject) => look_for_person(deployment, subject, sources, unreached).await,
        scope => look_at_places(deployment, scope, sources, unreached).await,
    }
}

async fn look_for_person(
    deployment: &Deployment,
    subject: &Subject,
    sources: &BTreeMap<String, SqlSource>,
    unreached: Vec<Unreached>,
) -> Seen {
    let mut seen = Seen::default();
    let mut gathering = match Gathering::run(&deployment.graph, sources, unreached, subject, Reader::Work).await {
        Ok(gathering) => gathering,
        Err(error) => {
            seen.warnings.push(format!("{error}; the person is held by the given identifiers only, and nothing was counted"));
            return seen;
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
    if let Err(error) = gathering.close().await {
        tracing::debug!(%error, "a snapshot did not end cleanly");
    }
    seen
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
    for gap in unreached.iter().filter(|gap| seen.covers.iter().any(|covered| covered.source == gap.source)) {
        seen.warnings
            .push(format!("source `{}` was not reached ({}): its records are covered all the same", gap.source, gap.problem));
    }
    if let (true, Some((dataset, collection))) = (seen.covers.is_empty(), scope.place()) {
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
