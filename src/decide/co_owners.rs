//! Holds on other people. A row that stays because others have a part in it is changed only by clearing this subject's columns; and even that
//! is a change to a record that a hold on one of those others keeps as it is. So everybody whom the row names, by an edge from people or by an
//! identity of its own, is looked up. Where a row may lead to people in a way that cannot be followed here, every person's hold might be
//! meant, and is (H-1: unknown means held).

use std::collections::BTreeMap;

use super::{Desk, GatherError, map_error};
use crate::connector::sql::text::cut::{self, Naming};
use crate::connector::sql::{Location, SnapshotError};
use crate::datamap::{Edge, Right};
use crate::db::DbError;
use crate::hold::HoldRef;
use crate::subject::Identifier;

impl Desk<'_, '_> {
    pub(super) async fn hold_rows_of_held_people(&mut self) -> Result<(), GatherError> {
        let on_people = self.brief.holds.covers_subject(&[]);
        if on_people.is_empty() {
            return Ok(());
        }
        for node in self.live_nodes() {
            if self.cut_rows_of(node).await? == 0 {
                continue;
            }
            let edges: Vec<Edge> = self.brief.graph.edges.iter().filter(|edge| edge.to.0 == node).cloned().collect();
            let people = self.people();
            // Names inside the owners' JSON are not read here: such owners count as not named.
            let nodes = &self.brief.graph.nodes;
            let names_are_columns = |edge: &Edge| nodes[edge.from.0].identities.iter().all(|identity| identity.path.is_empty());
            let (named, unnamed): (Vec<Edge>, Vec<Edge>) = edges.into_iter().partition(|edge| {
                people.contains(&edge.from.0) && edge.declared_on_to && self.is_local(edge) && names_are_columns(edge)
            });
            for edge in &named {
                self.hold_rows_of_held_owners(edge).await?;
            }
            self.hold_rows_naming_held_people(node).await?;
            self.hold_rows_that_may_lead_further(node, &unnamed).await?;
        }
        Ok(())
    }

    fn is_local(&self, edge: &Edge) -> bool {
        self.brief.graph.nodes[edge.from.0].source == self.brief.graph.nodes[edge.to.0].source
    }

    async fn cut_rows_of(&mut self, node: usize) -> Result<u64, GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(0) };
        let source = source.to_owned();
        let Some(location) = snapshot.location(node) else { return Ok(0) };
        let statement = cut::rows(location);
        snapshot.count(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))
    }

    /// The people who own cut rows over this edge, one after the other: rows of those under a hold stay as they are.
    async fn hold_rows_of_held_owners(&mut self, edge: &Edge) -> Result<(), GatherError> {
        let graph = self.brief.graph;
        let identities = graph.nodes[edge.from.0].identities.clone();
        let Some((source, snapshot)) = self.gathering.snapshot_of(edge.to.0) else { return Ok(()) };
        let source = source.to_owned();
        let failed = |problem: DbError| map_error(&source, SnapshotError::Database(problem));
        let dialect = snapshot.dialect;
        let (Some(from), Some(to)) = (snapshot.location(edge.from.0).cloned(), snapshot.location(edge.to.0).cloned()) else {
            return Ok(());
        };
        let columns: Vec<String> = identities.iter().map(|identity| identity.column.clone()).collect();
        let owners = snapshot.list(cut::owners(edge, &columns, &from, &to, dialect)).await.map_err(failed)?;
        let mut held: BTreeMap<Vec<String>, HoldRef> = BTreeMap::new();
        for record in &owners {
            let mut values = Vec::with_capacity(edge.from_columns.len());
            for at in 0..edge.from_columns.len() {
                values.push(record.text_at(at).map_err(failed)?.unwrap_or_default().to_owned());
            }
            let mut names = Vec::new();
            for (at, identity) in identities.iter().enumerate() {
                if let Some(value) = record.text_at(edge.from_columns.len() + at).map_err(failed)? {
                    names.push(Identifier::new(&identity.kind, value));
                    names.push(Identifier::new(&identity.kind, identity.normal_form.apply(value)));
                }
            }
            let refs: Vec<String> = names.iter().map(|name| self.brief.keys.alias_ref(name)).collect();
            if let Some(hold) = self.brief.holds.covers_subject(&refs).into_iter().next() {
                held.insert(values, hold);
            }
        }
        let naming = Naming::of(&edge.to_columns, edge.inside());
        for (values, hold) in held {
            let statement = cut::hold_rows_with(&to, &naming, &values, hold.matter.as_str(), dialect);
            let Some((_, snapshot)) = self.gathering.snapshot_of(edge.to.0) else { continue };
            snapshot.run(statement).await.map_err(failed)?;
        }
        Ok(())
    }

    /// Identity values in cut rows themselves: a guest's address, an invited person's.
    async fn hold_rows_naming_held_people(&mut self, node: usize) -> Result<(), GatherError> {
        for identity in self.brief.graph.nodes[node].identities.clone() {
            let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(()) };
            let source = source.to_owned();
            let failed = |problem: DbError| map_error(&source, SnapshotError::Database(problem));
            let dialect = snapshot.dialect;
            let Some(location) = snapshot.location(node).cloned() else { return Ok(()) };
            let values = snapshot.list(cut::identities(&location, &identity, dialect)).await.map_err(failed)?;
            for record in values {
                let value = record.text("value").map_err(failed)?;
                let normal = identity.normal_form.apply(&value);
                let names = [Identifier::new(&identity.kind, value.as_str()), Identifier::new(&identity.kind, normal)];
                let refs: Vec<String> = names.iter().map(|name| self.brief.keys.alias_ref(name)).collect();
                let Some(hold) = self.brief.holds.covers_subject(&refs).into_iter().next() else { continue };
                let statement = cut::hold_rows_with(
                    &location,
                    &Naming::of(std::slice::from_ref(&identity.column), identity.inside()),
                    &[value],
                    hold.matter.as_str(),
                    dialect,
                );
                let Some((_, snapshot)) = self.gathering.snapshot_of(node) else { continue };
                snapshot.run(statement).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    async fn hold_rows_that_may_lead_further(&mut self, node: usize, unnamed: &[Edge]) -> Result<(), GatherError> {
        let hidden_ways = unnamed.iter().any(|edge| edge.right == Right::Owns && !edge.declared_on_to);
        let mut ways: Vec<(Vec<String>, Option<Location>)> = Vec::new();
        for edge in unnamed.iter().filter(|edge| edge.declared_on_to) {
            let start = if self.is_local(edge) && edge.to_path.is_empty() { self.start_by_key(edge) } else { None };
            ways.push((edge.to_columns.clone(), start));
        }
        self.run_fate(node, |location, dialect| Ok(cut::hold_unnamed(location, &ways, hidden_ways, dialect))).await
    }

    /// Where an edge starts, if it leaves from the key.
    fn start_by_key(&mut self, edge: &Edge) -> Option<Location> {
        let (_, snapshot) = self.gathering.snapshot_of(edge.from.0)?;
        snapshot.location(edge.from.0).filter(|from| from.table.primary_key == edge.from_columns).cloned()
    }
}
