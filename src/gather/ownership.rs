//! Whose else a reached row is (O-1). A row that this subject owns is shared when another row owns it too, or when it carries another
//! person's identity. Where that cannot be known it counts as shared: such a row is never deleted.

use std::collections::BTreeMap;

use super::Gathering;
use super::resolve::columns_of_kind;
use super::traverse::{GatherError, gather_error};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::reach::{self, Share};
use crate::connector::sql::text::Statement;
use crate::datamap::{Edge, Right};
use crate::db::DbError;

impl Gathering<'_> {
    pub(super) async fn find_other_owners(&mut self) -> Result<(), GatherError> {
        let graph = self.graph;
        for edge in graph.edges.iter().filter(|edge| edge.right == Right::Owns) {
            if graph.nodes[edge.from.0].source == graph.nodes[edge.to.0].source {
                self.find_owners_over(edge).await?;
            } else {
                self.find_owners_across(edge).await?;
            }
        }
        self.find_other_identities().await?;
        self.share_what_shared_rows_own().await
    }

    /// What a shared row owns has the same owners. To a fix-point, since such rows may own others in turn.
    async fn share_what_shared_rows_own(&mut self) -> Result<(), GatherError> {
        let graph = self.graph;
        loop {
            let mut marked = 0;
            for edge in graph.edges.iter().filter(|edge| edge.right == Right::Owns) {
                if self.has_shared_rows(edge.from.0).await? {
                    marked += self.share_over(edge).await?;
                }
            }
            if marked == 0 {
                return Ok(());
            }
        }
    }

    /// Asked first, because it saves a pass over what the edge reaches.
    async fn has_shared_rows(&mut self, node: usize) -> Result<bool, GatherError> {
        let Some((source, snapshot)) = self.snapshot_of(node) else { return Ok(false) };
        let source = source.to_owned();
        let Some(location) = snapshot.location(node) else { return Ok(false) };
        let statement = Statement { sql: reach::shared_count(location), args: Vec::new() };
        let count = snapshot.count(statement).await.map_err(|problem| GatherError::Source { source_name: source, problem })?;
        Ok(count > 0)
    }

    async fn share_over(&mut self, edge: &Edge) -> Result<u64, GatherError> {
        let graph = self.graph;
        if graph.nodes[edge.from.0].source != graph.nodes[edge.to.0].source {
            return self.share_across(edge).await;
        }
        let Some((source, snapshot)) = self.snapshot_of(edge.to.0) else { return Ok(0) };
        let source = source.to_owned();
        let (Some(from), Some(to)) = (snapshot.location(edge.from.0), snapshot.location(edge.to.0)) else { return Ok(0) };
        let statement = reach::mark_shared_by_owner(edge, from, to, snapshot.dialect)
            .map_err(|text| gather_error(&source, SnapshotError::Map(text)))?;
        snapshot.run(statement).await.map_err(|problem| GatherError::Source { source_name: source, problem })
    }

    async fn share_across(&mut self, edge: &Edge) -> Result<u64, GatherError> {
        let shared = self.owned_values(edge, Share::OfOthersToo).await?;
        let Some((source, snapshot)) = self.snapshot_of(edge.to.0) else { return Ok(0) };
        let source = source.to_owned();
        let dialect = snapshot.dialect;
        let Some(to) = snapshot.location(edge.to.0).cloned() else { return Ok(0) };
        let mut marked = 0;
        for values in shared {
            let run = snapshot.run(reach::mark_shared_with(edge, &to, &values, dialect)).await;
            marked += run.map_err(|problem| GatherError::Source { source_name: source.clone(), problem })?;
        }
        Ok(marked)
    }

    async fn find_owners_over(&mut self, edge: &Edge) -> Result<(), GatherError> {
        if self.is_only_way(edge) {
            return Ok(());
        }
        let Some((source, snapshot)) = self.snapshot_of(edge.to.0) else { return Ok(()) };
        let source = source.to_owned();
        let (Some(from), Some(to)) = (snapshot.location(edge.from.0), snapshot.location(edge.to.0)) else { return Ok(()) };
        let statement =
            reach::mark_shared(edge, from, to, snapshot.dialect).map_err(|text| gather_error(&source, SnapshotError::Map(text)))?;
        snapshot.run(statement).await.map_err(|problem| GatherError::Source { source_name: source, problem })?;
        Ok(())
    }

    /// A row that can be owned over this edge alone, whose columns name its owner by key, has been reached through that owner: there is no
    /// other to look for. It saves a pass over the largest tables.
    fn is_only_way(&mut self, edge: &Edge) -> bool {
        let graph = self.graph;
        let owning = graph.edges.iter().filter(|other| other.to == edge.to && other.right == Right::Owns).count();
        let has_identity = !graph.nodes[edge.to.0].identities.is_empty();
        let Some((_, snapshot)) = self.snapshot_of(edge.to.0) else { return false };
        let by_key = snapshot.location(edge.from.0).is_some_and(|from| from.table.primary_key == edge.from_columns);
        owning == 1 && !has_identity && by_key && edge.declared_on_to && edge.from != edge.to
    }

    /// Over an edge from another source: the row is shared if it names a value that is not among ours. When the other source could not be
    /// read, none is ours.
    async fn find_owners_across(&mut self, edge: &Edge) -> Result<(), GatherError> {
        let ours = self.owned_values(edge, Share::Any).await?;
        let Some((source, snapshot)) = self.snapshot_of(edge.to.0) else { return Ok(()) };
        let source = source.to_owned();
        let dialect = snapshot.dialect;
        let Some(to) = snapshot.location(edge.to.0).cloned() else { return Ok(()) };
        let failed = |problem: DbError| GatherError::Source { source_name: source.clone(), problem };
        for statement in reach::mark_shared_across(edge, &to, &ours, dialect) {
            snapshot.run(statement).await.map_err(failed)?;
        }
        Ok(())
    }

    async fn owned_values(&mut self, edge: &Edge, share: Share) -> Result<Vec<Vec<String>>, GatherError> {
        let Some((source, snapshot)) = self.snapshot_of(edge.from.0) else { return Ok(Vec::new()) };
        let source = source.to_owned();
        let failed = |problem: DbError| GatherError::Source { source_name: source.clone(), problem };
        let Some(from) = snapshot.location(edge.from.0).cloned() else { return Ok(Vec::new()) };
        let statement: Statement = reach::owned_values(edge, &from, share, snapshot.dialect);
        let mut values = Vec::new();
        for record in snapshot.list(statement).await.map_err(failed)? {
            let mut parts = Vec::new();
            for at in 0..edge.from_columns.len() {
                parts.push(record.text_at(at).map_err(failed)?.unwrap_or_default().to_owned());
            }
            values.push(parts);
        }
        Ok(values)
    }

    async fn find_other_identities(&mut self) -> Result<(), GatherError> {
        let mut ours: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for alias in &self.aliases {
            ours.entry(alias.kind.clone()).or_default().push(alias.expose().to_owned());
        }
        let graph = self.graph;
        for (at, node) in graph.nodes.iter().enumerate() {
            let mut kinds: Vec<&str> = node.identities.iter().map(|field| field.kind.as_str()).collect();
            kinds.dedup();
            for kind in kinds {
                let Some(snapshot) = self.snapshots.get_mut(&node.source) else { continue };
                let Some(location) = snapshot.location(at) else { continue };
                let known = ours.get(kind).map(Vec::as_slice).unwrap_or_default();
                let statement = reach::mark_shared_by_identity(location, &columns_of_kind(node, kind), known, snapshot.dialect);
                let failed = |problem| GatherError::Source { source_name: node.source.clone(), problem };
                snapshot.run(statement).await.map_err(failed)?;
            }
        }
        Ok(())
    }
}
