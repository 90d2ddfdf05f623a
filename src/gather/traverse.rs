//! The traversal: one snapshot per source, round after round along the edges until nothing new is reached. Cycles and self-references end
//! by themselves, because a row enters only once, or a second time when its right rises.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
use thiserror::Error;

use crate::connector::sql::text::across::{self, VALUES_AT_ONCE, Values};
use crate::connector::sql::text::count::{self, Which};
use crate::connector::sql::{Reader, Snapshot, SnapshotError, SqlSource};
use crate::datamap::{Edge, Graph, NodeId, Right};
use crate::db::DbError;
use crate::subject::{Identifier, Subject};

/// Why gathering stopped.
#[derive(Debug, Error)]
pub enum GatherError {
    /// A source failed in the middle.
    #[error("source `{source_name}`: {problem}")]
    Source {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: DbError,
    },
    /// The map and the live schema do not fit.
    #[error("the data map does not fit the live schema: {0}")]
    Map(String),
    /// The manifest cannot be written.
    #[error("the manifest cannot be written: {0}")]
    Spool(String),
    /// An identifier names more than one person.
    #[error("`{kind}` names {people} different records of `{collection}`: an operator has to say which person is meant")]
    Ambiguous {
        /// Kind of the identifier.
        kind: String,
        /// `dataset.collection`.
        collection: String,
        /// How many.
        people: u64,
    },
    /// Two identifiers of the request name different people.
    #[error("the identifiers of the request contradict each other: in `{collection}` a record named by one has another `{kind}`")]
    Contradiction {
        /// Kind of the identifier that does not fit.
        kind: String,
        /// `dataset.collection`.
        collection: String,
    },
}

/// A source that could not be read.
#[derive(Debug, Clone)]
pub struct Unreached {
    /// Its name.
    pub source: String,
    /// Why, without values.
    pub problem: String,
}

/// Everything reached about one person, in open snapshots.
pub struct Gathering<'a> {
    /// Edges between collections.
    pub graph: &'a Graph,
    /// One snapshot per reached source.
    pub snapshots: BTreeMap<String, Snapshot>,
    /// Sources that could not be read: gaps, never zero (V-2).
    pub unreached: Vec<Unreached>,
    /// Names that are the person's for certain: given ones, and those in the rows that stand for them.
    pub person: Vec<Identifier>,
    /// Names in the person's own record that another person's record has too. They are not followed, and what they name is not taken for theirs.
    pub set_aside: Vec<Identifier>,
    /// All names of the person: given ones, and those in the records that they name.
    pub aliases: Vec<Identifier>,
}

impl<'a> Gathering<'a> {
    /// Opens the snapshots and gathers what belongs to some rows of one collection, whosever they are: rows that refer to them over edges that
    /// own, and what belongs to those.
    pub async fn below(
        graph: &'a Graph,
        sources: &BTreeMap<String, SqlSource>,
        node: NodeId,
        which: Which<'_>,
    ) -> Result<Gathering<'a>, GatherError> {
        let mut gathering = Gathering::open(graph, sources, Vec::new(), Vec::new(), Reader::Work).await;
        let Some((source, snapshot)) = gathering.snapshot_of(node.0) else { return Ok(gathering) };
        let source = source.to_owned();
        let failed = |problem: DbError| GatherError::Source { source_name: source.clone(), problem };
        let Some(location) = snapshot.location(node.0) else { return Ok(gathering) };
        let statement = count::begin_with(location, which, snapshot.dialect).map_err(GatherError::Map)?;
        snapshot.expect_known_rows(node.0).await.map_err(failed)?;
        snapshot.run(statement).await.map_err(failed)?;
        snapshot.settle(node.0).await.map_err(failed)?;
        gathering.follow_edges(|edge| edge.right == Right::Owns && edge.declared_on_to).await?;
        Ok(gathering)
    }

    async fn open(
        graph: &'a Graph,
        sources: &BTreeMap<String, SqlSource>,
        mut unreached: Vec<Unreached>,
        person: Vec<Identifier>,
        reader: Reader,
    ) -> Gathering<'a> {
        let mut snapshots = BTreeMap::new();
        for (name, source) in sources {
            match Snapshot::open(source, reader, graph).await {
                Ok(snapshot) => {
                    snapshots.insert(name.clone(), snapshot);
                }
                Err(problem) => unreached.push(Unreached { source: name.clone(), problem: problem.to_string() }),
            }
        }
        Gathering { graph, snapshots, unreached, person, set_aside: Vec::new(), aliases: Vec::new() }
    }

    /// Opens the snapshots, resolves the person and follows all edges.
    pub async fn run(
        graph: &'a Graph,
        sources: &BTreeMap<String, SqlSource>,
        unreached: Vec<Unreached>,
        subject: &Subject,
        reader: Reader,
    ) -> Result<Gathering<'a>, GatherError> {
        let mut gathering = Gathering::open(graph, sources, unreached, subject.identifiers().to_vec(), reader).await;
        gathering.resolve(subject).await?;
        gathering.stop_at_rows_of_several().await?;
        gathering.follow_edges(|_| true).await?;
        gathering.find_other_owners().await?;
        Ok(gathering)
    }

    /// Round after round, only along edges whose start got rows in the round before: the number of statements grows with the edges of the
    /// map and the length of its paths, not with the rows.
    async fn follow_edges(&mut self, is_followed: impl Fn(&Edge) -> bool) -> Result<(), GatherError> {
        let edges: &'a [Edge] = &self.graph.edges;
        let mut grown: BTreeSet<NodeId> = (0..self.graph.nodes.len()).map(NodeId).filter(|node| self.is_reached(*node)).collect();
        let mut round = 0;
        while !grown.is_empty() {
            let mut growing = BTreeSet::new();
            for edge in edges.iter().filter(|edge| grown.contains(&edge.from) && is_followed(edge)) {
                if self.follow(edge, round).await? > 0 {
                    growing.insert(edge.to);
                }
            }
            grown = growing;
            round += 1;
        }
        Ok(())
    }

    fn is_reached(&self, node: NodeId) -> bool {
        let source = &self.graph.nodes[node.0].source;
        self.snapshots.get(source).is_some_and(|snapshot| snapshot.is_reached(node.0))
    }

    async fn follow(&mut self, edge: &Edge, round: i64) -> Result<u64, GatherError> {
        let from = self.graph.nodes[edge.from.0].source.clone();
        let to = self.graph.nodes[edge.to.0].source.clone();
        if from == to {
            let Some(snapshot) = self.snapshots.get_mut(&from) else { return Ok(0) };
            return snapshot.spread(edge, round).await.map_err(|error| gather_error(&from, error));
        }
        self.follow_across(edge, &from, &to, round).await
    }

    /// Carries the values at an edge's start to another source, batch by batch.
    async fn follow_across(&mut self, edge: &Edge, from: &str, to: &str, round: i64) -> Result<u64, GatherError> {
        let (Some(mut start), Some(mut end)) = (self.snapshots.remove(from), self.snapshots.remove(to)) else { return Ok(0) };
        let carried = carry(edge, (from, &mut start), (to, &mut end), round).await;
        self.snapshots.insert(from.to_owned(), start);
        self.snapshots.insert(to.to_owned(), end);
        carried
    }

    /// The snapshot that holds a node, with the source's name.
    pub fn snapshot_of(&mut self, node: usize) -> Option<(&str, &mut Snapshot)> {
        let source = self.graph.nodes[node].source.as_str();
        self.snapshots.get_mut(source).map(|snapshot| (source, snapshot))
    }

    /// Ends all snapshots.
    pub async fn close(self) -> Result<(), GatherError> {
        for (source_name, snapshot) in self.snapshots {
            snapshot.close().await.map_err(|problem| GatherError::Source { source_name, problem })?;
        }
        Ok(())
    }
}

async fn carry(
    edge: &Edge,
    (from_name, start): (&str, &mut Snapshot),
    (to_name, end): (&str, &mut Snapshot),
    round: i64,
) -> Result<u64, GatherError> {
    let (Some(from), Some(to)) = (start.location(edge.from.0).cloned(), end.location(edge.to.0).cloned()) else { return Ok(0) };
    let at_start = |problem: DbError| GatherError::Source { source_name: from_name.to_owned(), problem };
    let at_end = |problem: DbError| GatherError::Source { source_name: to_name.to_owned(), problem };
    let statement = across::outgoing(edge, &from, round, start.dialect);
    end.expect_known_rows(edge.to.0).await.map_err(at_end)?;
    let mut rows = start.stream(statement).map_err(at_start)?;
    // Values of rows that are owned, and of rows that are only seen: what they lead to is not the same.
    let mut waiting: BTreeMap<i64, Vec<Values>> = BTreeMap::new();
    let mut reached = 0;
    while let Some(record) = rows.try_next().await.map_err(at_start)? {
        let mut values = Vec::with_capacity(edge.from_columns.len());
        for at in 0..edge.from_columns.len() {
            values.push(record.text_at(at).map_err(at_start)?.unwrap_or_default().to_owned());
        }
        let rights = record.int("rights").map_err(at_start)?;
        let batch = waiting.entry(rights).or_default();
        batch.push(values);
        if batch.len() == VALUES_AT_ONCE {
            let batch = std::mem::take(batch);
            let statement = across::arrive(edge, &to, &batch, rights, round, end.dialect).map_err(GatherError::Map)?;
            reached += end.run(statement).await.map_err(at_end)?;
        }
    }
    drop(rows);
    for (rights, batch) in waiting.into_iter().filter(|(_, batch)| !batch.is_empty()) {
        let statement = across::arrive(edge, &to, &batch, rights, round, end.dialect).map_err(GatherError::Map)?;
        reached += end.run(statement).await.map_err(at_end)?;
    }
    end.settle(edge.to.0).await.map_err(at_end)?;
    Ok(reached)
}

pub(super) fn gather_error(source: &str, error: SnapshotError) -> GatherError {
    match error {
        SnapshotError::Database(problem) => GatherError::Source { source_name: source.to_owned(), problem },
        SnapshotError::Map(text) => GatherError::Map(text),
    }
}
