//! References that show nothing and are cut all the same (`right: none, on_erasure: unlink`). The rows that name the person over them are
//! somebody else's: they enter when an erasure is decided, after everything that is the person's has been found, and lead nowhere.

use super::cuts::Tie;
use super::rules::Rule;
use super::{Desk, GatherError, map_error};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::across::{self, VALUES_AT_ONCE};
use crate::connector::sql::text::unseen;
use crate::datamap::Edge;
use crate::db::DbError;

impl Desk<'_, '_> {
    /// Adds the rows whose columns such references clear: none where the job's policy or categories leave the columns alone.
    pub(super) async fn find_unseen_rows(&mut self) -> Result<(), GatherError> {
        if self.brief.policy.is_some() {
            return Ok(());
        }
        let graph = self.brief.graph;
        let reached = graph.reachable(None);
        for (at, edge) in graph.cut_unseen() {
            // Nobody has to say what becomes of rows of which none can be anybody's.
            if !reached[edge.to.0] && self.rules[edge.to.0] == Rule::Undecided {
                self.rules[edge.to.0] = Rule::Keep;
            }
            if !self.cuts.0.iter().any(|cut| matches!(cut.tie, Tie::Unseen(of) if of == at)) {
                continue;
            }
            let start = &graph.nodes[edge.from.0].source;
            if self.gathering.snapshots.get(start).is_none_or(|snapshot| !snapshot.is_reached(edge.from.0)) {
                continue;
            }
            match *start == graph.nodes[edge.to.0].source {
                true => self.find_unseen_here(edge).await?,
                false => self.find_unseen_across(edge).await?,
            }
        }
        Ok(())
    }

    async fn find_unseen_here(&mut self, edge: &Edge) -> Result<(), GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(edge.to.0) else { return Ok(()) };
        let source = source.to_owned();
        let failed = |problem: DbError| map_error(&source, SnapshotError::Database(problem));
        let (Some(from), Some(to)) = (snapshot.location(edge.from.0), snapshot.location(edge.to.0)) else { return Ok(()) };
        let statement = unseen::arrive(edge, from, to, snapshot.dialect);
        let statement = statement.map_err(|text| map_error(&source, SnapshotError::Map(text)))?;
        snapshot.expect_known_rows(edge.to.0).await.map_err(failed)?;
        snapshot.run(statement).await.map_err(failed)?;
        snapshot.settle(edge.to.0).await.map_err(failed)
    }

    async fn find_unseen_across(&mut self, edge: &Edge) -> Result<(), GatherError> {
        let values = self.gathering.owned_values(edge).await?;
        let Some((source, snapshot)) = self.gathering.snapshot_of(edge.to.0) else { return Ok(()) };
        let source = source.to_owned();
        let failed = |problem: DbError| map_error(&source, SnapshotError::Database(problem));
        let Some(to) = snapshot.location(edge.to.0).cloned() else { return Ok(()) };
        snapshot.expect_known_rows(edge.to.0).await.map_err(failed)?;
        for some in values.chunks(VALUES_AT_ONCE) {
            let statement = across::arrive(edge, &to, some, 0, 0, snapshot.dialect);
            let statement = statement.map_err(|text| map_error(&source, SnapshotError::Map(text)))?;
            snapshot.run(statement).await.map_err(failed)?;
        }
        snapshot.settle(edge.to.0).await.map_err(failed)
    }
}
