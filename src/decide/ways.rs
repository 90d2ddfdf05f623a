//! A held record is found through others: the person's row, an order above its lines. Those stay until the hold is released, so that the
//! request can then be planned again and finish (H-1, V-1: what nobody can find is not gone).

use std::collections::BTreeMap;

use super::rules::Rule;
use super::{Desk, GatherError, map_error};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::across::{VALUES_AT_ONCE, Values};
use crate::connector::sql::text::way;
use crate::datamap::Edge;
use crate::db::{Arg, DbError};

impl Desk<'_, '_> {
    /// Keeps what leads to held rows, and what those kept rows refer to, to a fix-point.
    pub(super) async fn keep_what_held_rows_need(&mut self) -> Result<(), GatherError> {
        loop {
            self.keep_what_kept_rows_refer_to().await?;
            let mut kept = 0;
            let graph = self.brief.graph;
            for edge in graph.edges.iter().chain(graph.cut_unseen().map(|(_, edge)| edge)) {
                if self.has_held_rows(edge.to.0).await? {
                    kept += self.keep_the_way(edge).await?;
                }
            }
            if kept == 0 {
                return Ok(());
            }
        }
    }

    async fn has_held_rows(&mut self, node: usize) -> Result<bool, GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(false) };
        let source = source.to_owned();
        let Some(location) = snapshot.location(node) else { return Ok(false) };
        let statement = way::held_count(location);
        let count = snapshot.count(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        Ok(count > 0)
    }

    async fn keep_the_way(&mut self, edge: &Edge) -> Result<u64, GatherError> {
        let overwritten_too = self.overwriting_loses(edge);
        if self.brief.graph.nodes[edge.from.0].source != self.brief.graph.nodes[edge.to.0].source {
            return self.keep_the_way_across(edge, overwritten_too).await;
        }
        let Some((source, snapshot)) = self.gathering.snapshot_of(edge.to.0) else { return Ok(0) };
        let source = source.to_owned();
        let (Some(from), Some(to)) = (snapshot.location(edge.from.0), snapshot.location(edge.to.0)) else { return Ok(0) };
        let statement = way::keep(edge, from, to, overwritten_too, snapshot.dialect)
            .map_err(|text| map_error(&source, SnapshotError::Map(text)))?;
        snapshot.run(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))
    }

    async fn keep_the_way_across(&mut self, edge: &Edge, overwritten_too: bool) -> Result<u64, GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(edge.to.0) else { return Ok(0) };
        let source = source.to_owned();
        let failed = |problem: DbError| map_error(&source, SnapshotError::Database(problem));
        let Some(to) = snapshot.location(edge.to.0) else { return Ok(0) };
        let statement = way::held_ends(edge, to, snapshot.dialect);
        let mut of_matter: BTreeMap<Option<String>, Vec<Values>> = BTreeMap::new();
        for end in snapshot.list(statement).await.map_err(failed)? {
            let mut values = Vec::with_capacity(edge.to_columns.len());
            for at in 0..edge.to_columns.len() {
                values.push(end.text_at(at).map_err(failed)?.unwrap_or_default().to_owned());
            }
            let matter = end.text_at(edge.to_columns.len()).map_err(failed)?.map(str::to_owned);
            of_matter.entry(matter).or_default().push(values);
        }
        let Some((source, snapshot)) = self.gathering.snapshot_of(edge.from.0) else { return Ok(0) };
        let source = source.to_owned();
        let Some(from) = snapshot.location(edge.from.0).cloned() else { return Ok(0) };
        let mut kept = 0;
        for (matter, values) in of_matter {
            for some in values.chunks(VALUES_AT_ONCE) {
                let statement = way::keep_with(edge, &from, some, Arg::Text(matter.clone()), overwritten_too, snapshot.dialect);
                kept += snapshot.run(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
            }
        }
        Ok(kept)
    }

    /// Whether overwriting a row at the edge's start changes a column by which it is found or by which it leads on.
    fn overwriting_loses(&self, edge: &Edge) -> bool {
        let Rule::Mask(masks) = &self.rules[edge.from.0] else { return true };
        let graph = self.brief.graph;
        let found_by = graph.nodes[edge.from.0].identities.iter().map(|identity| &identity.column);
        let reached_by = graph.edges_into(edge.from).flat_map(|into| &into.to_columns);
        let mut needed = found_by.chain(reached_by).chain(&edge.from_columns);
        needed.any(|column| masks.iter().any(|masked| masked.column == *column))
    }
}
