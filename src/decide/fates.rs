//! Gives each reached row its fate. Holds beat everything, and come last; statutory duties beat what the map or policy says of the subject's
//! own rows, which comes first; shared and merely accessed rows stay.

use super::rules::{Rule, duties};
use super::{Desk, map_error};
use crate::connector::sql::SnapshotError;
use crate::connector::sql::text::Statement;
use crate::connector::sql::text::fate::{self, Narrowed, Rows};
use crate::gather::GatherError;

impl Desk<'_, '_> {
    pub(super) async fn apply_fates(&mut self) -> Result<(), GatherError> {
        let on_subject = self.brief.holds.covers_subject(&self.brief.alias_refs);
        for node in self.live_nodes() {
            self.apply_rule(node).await?;
            let brief = self.brief;
            for duty in duties(brief, &brief.graph.nodes[node]) {
                self.run_fate(node, |location, dialect| fate::retain_when(location, duty, &brief.today, dialect)).await?;
            }
            for hold in &on_subject {
                self.run_fate(node, |location, dialect| fate::hold(location, hold.matter.as_str(), Narrowed::Whole, dialect))
                    .await?;
            }
            self.apply_collection_holds(node).await?;
            self.settle(node).await?;
        }
        Ok(())
    }

    async fn settle(&mut self, node: usize) -> Result<(), GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
        let source = source.to_owned();
        snapshot.settle(node).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))
    }

    async fn apply_collection_holds(&mut self, node: usize) -> Result<(), GatherError> {
        let place = &self.brief.graph.nodes[node];
        let holds = self.brief.holds.for_collection(&place.dataset, &place.collection);
        for hold in holds.whole() {
            self.run_fate(node, |location, dialect| fate::hold(location, hold.matter.as_str(), Narrowed::Whole, dialect)).await?;
        }
        for (hold, key) in holds.records() {
            self.run_fate(node, |location, dialect| fate::hold(location, hold.matter.as_str(), Narrowed::Record(key), dialect))
                .await?;
        }
        for (hold, condition) in holds.predicates() {
            self.run_fate(node, |location, dialect| {
                fate::hold(location, hold.matter.as_str(), Narrowed::Where(condition), dialect)
            })
            .await?;
        }
        Ok(())
    }

    /// What the map says of the subject's own rows is the default; rows of others as well stay.
    async fn apply_rule(&mut self, node: usize) -> Result<(), GatherError> {
        let (chosen, ground) = match &self.rules[node] {
            Rule::Undecided => (fate::UNDECIDED, None),
            Rule::Delete => (fate::ERASE, None),
            Rule::Mask(_) => (fate::MASK, None),
            Rule::Unlink => (fate::UNLINK, None),
            Rule::Keep => (fate::RETAIN, Some("policy")),
        };
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
        let source = source.to_owned();
        let opened = snapshot.open_fates(node, chosen, ground).await;
        opened.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        // O-1: whatever is not beyond doubt this subject's alone stays, for whichever reason it was reached.
        self.run_fate(node, |location, _| Ok(fate::assign(location, Rows::Others, fate::RETAIN, Some("shared")))).await
    }

    pub(super) async fn run_fate<F>(&mut self, node: usize, statement: F) -> Result<(), GatherError>
    where
        F: FnOnce(&crate::connector::sql::Location, crate::db::Dialect) -> Result<Statement, String>,
    {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
        let source = source.to_owned();
        let Some(location) = snapshot.location(node).filter(|_| snapshot.is_reached(node)) else { return Ok(()) };
        let statement = statement(location, snapshot.dialect).map_err(|text| map_error(&source, SnapshotError::Map(text)))?;
        snapshot.run(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        Ok(())
    }
}
