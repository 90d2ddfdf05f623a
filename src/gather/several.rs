//! Rows that name others beside this person (O-1). They are shared; and whoever is merely named in one has a part in that row alone: what hangs
//! on it is its holder's, so that nothing is followed from there. The holder is told by a column that is never the same in two rows.

use std::collections::BTreeMap;

use super::Gathering;
use super::names::{holds_the_record, names_of};
use super::traverse::GatherError;
use crate::connector::sql::text::Statement;
use crate::connector::sql::text::several::{self, Identity};
use crate::datamap::Node;
use crate::db::DbError;

impl Gathering<'_> {
    /// Before anything is followed: rows in which identifiers have found the person among others lead nowhere, but for the holder.
    pub(super) async fn stop_at_rows_of_several(&mut self) -> Result<(), GatherError> {
        // One column that names the person names nobody else.
        let may_name_others = |node: &Node| node.identities.len() > 1 || node.identities.iter().any(|field| !field.path.is_empty());
        self.find_other_identities(may_name_others).await?;
        let ours = self.names_by_kind();
        let graph = self.graph;
        for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| may_name_others(node)) {
            let Some(snapshot) = self.snapshots.get_mut(&node.source).filter(|snapshot| snapshot.is_reached(at)) else { continue };
            let Some(location) = snapshot.location(at) else { continue };
            let mut holding = identities(node, &ours);
            holding.retain(|identity| holds_the_record(identity.field, &location.table));
            let statement = several::stop(location, &holding, snapshot.dialect);
            let failed = |problem: DbError| GatherError::Source { source_name: node.source.clone(), problem };
            snapshot.run(statement).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Collections with rows that lead nowhere because they name others too, although the map has something hang on them; each with the number.
    pub async fn stopped_rows(&mut self) -> Result<Vec<(usize, u64)>, GatherError> {
        let graph = self.graph;
        let mut stopped = Vec::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            let has_something =
                graph.edges.iter().any(|edge| edge.from.0 == at) || graph.objects.iter().any(|place| place.rows.0 == at);
            let Some(snapshot) = self.snapshots.get_mut(&node.source).filter(|snapshot| snapshot.is_reached(at)) else { continue };
            let Some(location) = snapshot.location(at).filter(|_| has_something && !node.identities.is_empty()) else { continue };
            let statement: Statement = several::stopped(location);
            let count = snapshot.count(statement).await;
            let count = count.map_err(|problem| GatherError::Source { source_name: node.source.clone(), problem })?;
            if count > 0 {
                stopped.push((at, count));
            }
        }
        Ok(stopped)
    }

    /// Marks rows as shared that name others, in the collections that are asked for.
    pub(super) async fn find_other_identities(&mut self, is_asked_for: impl Fn(&Node) -> bool) -> Result<(), GatherError> {
        let ours = self.names_by_kind();
        let graph = self.graph;
        for (at, node) in graph.nodes.iter().enumerate().filter(|(_, node)| is_asked_for(node)) {
            let mut kinds: Vec<&str> = node.identities.iter().map(|field| field.kind.as_str()).collect();
            kinds.sort_unstable();
            kinds.dedup();
            let all = identities(node, &ours);
            for kind in kinds {
                let Some(snapshot) = self.snapshots.get_mut(&node.source).filter(|snapshot| snapshot.is_reached(at)) else {
                    continue;
                };
                let Some(location) = snapshot.location(at) else { continue };
                let names = names_of(graph, at, &location.table);
                let of_kind: Vec<Identity<'_>> = all.iter().copied().filter(|identity| identity.field.kind == kind).collect();
                let statement = several::mark_shared(location, &of_kind, &all, names, snapshot.dialect);
                let failed = |problem| GatherError::Source { source_name: node.source.clone(), problem };
                snapshot.run(statement).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    fn names_by_kind(&self) -> BTreeMap<String, Vec<String>> {
        let mut ours: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for name in &self.person {
            ours.entry(name.kind.clone()).or_default().push(name.expose().to_owned());
        }
        ours
    }
}

/// The identity fields of a node, each with the person's values of its kind.
fn identities<'a>(node: &'a Node, ours: &'a BTreeMap<String, Vec<String>>) -> Vec<Identity<'a>> {
    let of = |kind: &str| ours.get(kind).map(Vec::as_slice).unwrap_or_default();
    node.identities.iter().map(|field| Identity { field, ours: of(&field.kind) }).collect()
}
