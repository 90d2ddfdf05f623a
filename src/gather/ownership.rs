//! Whose else a reached row is (O-1). A row that this subject owns is shared when another row owns it too, or when it carries another
//! person's identity. Where that cannot be known it counts as shared: such a row is never deleted.

use super::Gathering;
use super::traverse::{GatherError, gather_error};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::Statement;
use crate::connector::sql::text::{across, reach};
use crate::datamap::{Edge, Right};
use crate::db::DbError;

impl Gathering<'_> {
    pub(super) async fn find_other_owners(&mut self) -> Result<(), GatherError> {
        self.find_other_identities(|_| true).await?;
        let graph = self.graph;
        loop {
            let mut marked = 0;
            for edge in graph.edges.iter().filter(|edge| edge.right == Right::Owns) {
                marked += if graph.nodes[edge.from.0].source == graph.nodes[edge.to.0].source {
                    self.find_owners_over(edge).await?
                } else {
                    self.find_owners_across(edge).await?
                };
            }
            if marked == 0 {
                return Ok(());
            }
        }
    }

    async fn find_owners_over(&mut self, edge: &Edge) -> Result<u64, GatherError> {
        if self.is_only_way(edge) && self.shared_rows(edge.from.0).await? == 0 {
            return Ok(0);
        }
        let Some((source, snapshot)) = self.snapshot_of(edge.to.0) else { return Ok(0) };
        let source = source.to_owned();
        let (Some(from), Some(to)) = (snapshot.location(edge.from.0), snapshot.location(edge.to.0)) else { return Ok(0) };
        let statement =
            reach::mark_shared(edge, from, to, snapshot.dialect).map_err(|text| gather_error(&source, SnapshotError::Map(text)))?;
        snapshot.run(statement).await.map_err(|problem| GatherError::Source { source_name: source, problem })
    }

    async fn shared_rows(&mut self, node: usize) -> Result<u64, GatherError> {
        let Some((source, snapshot)) = self.snapshot_of(node) else { return Ok(0) };
        let source = source.to_owned();
        let Some(location) = snapshot.location(node) else { return Ok(0) };
        let statement = Statement::from(reach::shared_count(location));
        snapshot.count(statement).await.map_err(|problem| GatherError::Source { source_name: source, problem })
    }

    /// A row that can be owned over this edge alone, whose columns name its owner by key, has been reached through that owner: there is no
    /// other to look for, unless the owner is shared. It saves a pass over the largest tables.
    fn is_only_way(&mut self, edge: &Edge) -> bool {
        let graph = self.graph;
        let owning = graph.edges.iter().filter(|other| other.to == edge.to && other.right == Right::Owns).count();
        let has_identity = !graph.nodes[edge.to.0].identities.is_empty();
        let Some((_, snapshot)) = self.snapshot_of(edge.to.0) else { return false };
        let by_key = snapshot.location(edge.from.0).is_some_and(|from| from.table.primary_key == edge.from_columns);
        // JSON may name others beside this subject.
        owning == 1 && !has_identity && by_key && edge.declared_on_to && edge.from != edge.to && edge.to_path.is_empty()
    }

    /// Over an edge from another source: the row is shared if it names a value that is not among ours. When the other source could not be
    /// read, none is ours.
    async fn find_owners_across(&mut self, edge: &Edge) -> Result<u64, GatherError> {
        let before = self.shared_rows(edge.to.0).await?;
        let ours = self.owned_values(edge).await?;
        let Some((source, snapshot)) = self.snapshot_of(edge.to.0) else { return Ok(0) };
        let source = source.to_owned();
        let dialect = snapshot.dialect;
        let Some(to) = snapshot.location(edge.to.0).cloned() else { return Ok(0) };
        let failed = |problem: DbError| GatherError::Source { source_name: source.clone(), problem };
        let statements =
            across::mark_shared(edge, &to, &ours, dialect).map_err(|text| gather_error(&source, SnapshotError::Map(text)))?;
        for statement in statements {
            snapshot.run(statement).await.map_err(failed)?;
        }
        Ok(self.shared_rows(edge.to.0).await?.saturating_sub(before))
    }

    /// Values at an edge's start in rows that are this subject's alone, as text.
    pub async fn owned_values(&mut self, edge: &Edge) -> Result<Vec<Vec<String>>, GatherError> {
        let Some((source, snapshot)) = self.snapshot_of(edge.from.0) else { return Ok(Vec::new()) };
        let source = source.to_owned();
        let failed = |problem: DbError| GatherError::Source { source_name: source.clone(), problem };
        let Some(from) = snapshot.location(edge.from.0).cloned() else { return Ok(Vec::new()) };
        let statement: Statement = across::owned_values(edge, &from, snapshot.dialect);
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
}
