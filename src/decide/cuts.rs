//! Which columns tie a row that stays to the subject, and are therefore cleared: a bit per edge or identity column of a collection. Held rows
//! are never cut: a hold keeps a record exactly as it is.

use std::collections::BTreeMap;

use super::limits::may_clear;
use super::rules::Rule;
use super::{Brief, Desk, GatherError, map_error};
use crate::connector::sql::text::across::VALUES_AT_ONCE;
use crate::connector::sql::text::fate::Rows;
use crate::connector::sql::text::{Statement, cut as cut_text, reach};
use crate::connector::sql::{Snapshot, SnapshotError, columns_to_clear};
use crate::datamap::{Edge, Graph, Right, Spot};

/// Something that can be cut at a node.
#[derive(Debug, Clone)]
pub(super) struct Cut {
    /// The collection whose rows are cut.
    pub node: usize,
    /// Bit in the rows' `cut`.
    pub bit: u32,
    /// Columns that tie the row to the subject.
    pub columns: Vec<String>,
    /// Those of them that are cleared; none where they cannot be.
    pub cleared: Vec<String>,
    /// The place inside the one column, where that is JSON: then only the elements that name the subject are.
    pub inside: Option<Spot>,
    /// By which the columns lead to the subject.
    pub tie: Tie,
}

impl Cut {
    /// Whether the map asks for it by `on_erasure: unlink` on the edge.
    pub(super) fn is_asked_for(&self, graph: &Graph) -> bool {
        self.tie.edge(graph).is_some_and(|edge| edge.unlink)
    }
}

/// What ties the row to the subject.
#[derive(Debug, Clone)]
pub(super) enum Tie {
    /// An edge, by its position in the graph.
    Edge(usize),
    /// An edge that gives nothing, by its position among [`Graph::ignored`].
    Unseen(usize),
    /// An identity column, by its position at the node.
    Identity(usize),
}

impl Tie {
    /// Whether it is a column that names the subject.
    pub(super) fn is_identity(&self) -> bool {
        matches!(self, Tie::Identity(_))
    }

    /// The edge, where it is one.
    pub(super) fn edge<'g>(&self, graph: &'g Graph) -> Option<&'g Edge> {
        match self {
            Tie::Edge(at) => graph.edges.get(*at),
            Tie::Unseen(at) => graph.ignored.get(*at),
            Tie::Identity(_) => None,
        }
    }
}

/// All cuts of a graph.
#[derive(Debug, Clone, Default)]
pub(super) struct Cuts(pub Vec<Cut>);

/// Bits that fit into the temporary tables' integer.
const MOST_CUTS: u32 = 60;

impl Cuts {
    /// Those that the job may make: none under a policy, and with categories only of columns that are labelled so.
    pub(super) fn of(brief: &Brief<'_>, snapshots: &BTreeMap<String, Snapshot>) -> Cuts {
        let graph = brief.graph;
        let mut cuts = Vec::new();
        for (node, place) in graph.nodes.iter().enumerate() {
            let Some(location) = snapshots.get(&place.source).and_then(|snapshot| snapshot.location(node)) else { continue };
            let edges = graph.edges.iter().enumerate().filter(|(_, edge)| edge.to.0 == node && edge.declared_on_to);
            let by_edge = edges.map(|(at, edge)| (edge.to_columns.clone(), edge.inside(), Tie::Edge(at)));
            let unseen = graph.cut_unseen().filter(|(_, edge)| edge.to.0 == node);
            let by_edge = by_edge.chain(unseen.map(|(at, edge)| (edge.to_columns.clone(), edge.inside(), Tie::Unseen(at))));
            let identities = place.identities.iter().enumerate();
            let by_identity = identities.map(|(at, field)| (vec![field.column.clone()], field.inside(), Tie::Identity(at)));
            for (bit, (columns, inside, tie)) in (0..MOST_CUTS).zip(by_edge.chain(by_identity)) {
                let is_written = |name: &&String| location.table.column(name).is_some_and(|column| !column.generated);
                let cleared = match &inside {
                    Some(_) => columns.iter().filter(is_written).cloned().collect(),
                    None => columns_to_clear(graph, node, &columns, &location.table),
                };
                let written = if cleared.is_empty() { &columns } else { &cleared };
                let path = inside.as_ref().map(|spot| spot.path.as_slice()).unwrap_or_default();
                if written.iter().all(|column| may_clear(brief, place, column, path)) {
                    cuts.push(Cut { node, bit, columns, cleared, inside, tie });
                }
            }
        }
        Cuts(cuts)
    }

    /// Bits of a node whose columns touch these: cutting one frees a foreign key.
    pub(super) fn bits_touching(&self, node: usize, columns: &[String]) -> i64 {
        let touches = |cut: &&Cut| cut.node == node && cut.cleared.iter().any(|column| columns.contains(column));
        self.0.iter().filter(touches).map(|cut| 1_i64 << cut.bit).sum()
    }
}

impl Desk<'_, '_> {
    pub(super) async fn apply_cuts(&mut self) -> Result<(), GatherError> {
        for cut in self.cuts.0.clone() {
            for rows in self.rows_to_cut(&cut) {
                if rows == Rows::Shared && self.shared_rows(cut.node).await? == 0 {
                    continue;
                }
                if self.refuse_not_null(&cut, rows) {
                    continue;
                }
                self.cut_rows(&cut, rows).await?;
            }
        }
        Ok(())
    }

    async fn shared_rows(&mut self, node: usize) -> Result<u64, GatherError> {
        let Some((source, snapshot)) = self.gathering.snapshot_of(node) else { return Ok(0) };
        let source = source.to_owned();
        let Some(location) = snapshot.location(node) else { return Ok(0) };
        let statement = Statement::from(reach::shared_count(location));
        snapshot.count(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))
    }

    /// An edge marked `unlink` is cut on every row that stays; on shared rows and in an `unlink` collection everything that ties is cut.
    fn rows_to_cut(&self, cut: &Cut) -> Vec<Rows> {
        let whole = self.rules[cut.node] == Rule::Unlink;
        match &cut.tie {
            Tie::Edge(_) | Tie::Unseen(_) if cut.is_asked_for(self.brief.graph) => {
                vec![Rows::Exclusive, Rows::Shared, Rows::Accessed, Rows::Unseen]
            }
            Tie::Edge(at) if self.brief.graph.edges[*at].right == Right::Owns => {
                if whole {
                    vec![Rows::Exclusive, Rows::Shared]
                } else {
                    vec![Rows::Shared]
                }
            }
            Tie::Edge(_) | Tie::Unseen(_) => Vec::new(),
            Tie::Identity(_) if whole => vec![Rows::Exclusive, Rows::Shared],
            Tie::Identity(_) => vec![Rows::Shared],
        }
    }

    /// A column that admits no NULL cannot be cleared. Where the map asks for it, that is a problem; on a shared row it is a warning,
    /// because the row stays as it is on its ground.
    fn refuse_not_null(&mut self, cut: &Cut, rows: Rows) -> bool {
        let node = &self.brief.graph.nodes[cut.node];
        let (true, Some(column)) = (cut.cleared.is_empty(), cut.columns.first()) else { return false };
        let asked = cut.is_asked_for(self.brief.graph) || self.rules[cut.node] == Rule::Unlink;
        let subject = format!("{}.{column}", node.name());
        if asked {
            self.problem(
                "unlink_not_null",
                subject,
                "the map says `unlink`, and the column admits no NULL".into(),
                "make the column nullable, or write another `on_erasure`".into(),
            );
        } else if rows == Rows::Shared {
            let text = format!("{subject}: shared rows keep this column, because it admits no NULL");
            if !self.warnings.contains(&text) {
                self.warnings.push(text);
            }
        }
        true
    }

    async fn cut_rows(&mut self, cut: &Cut, rows: Rows) -> Result<(), GatherError> {
        let graph = self.brief.graph;
        let statement = match &cut.tie {
            Tie::Edge(_) | Tie::Unseen(_) => {
                let Some(edge) = cut.tie.edge(graph) else { return Ok(()) };
                if graph.nodes[edge.from.0].source != graph.nodes[edge.to.0].source {
                    return self.cut_rows_across(cut, edge, rows).await;
                }
                let Some((_, snapshot)) = self.gathering.snapshot_of(cut.node) else { return Ok(()) };
                let (Some(from), Some(to)) = (snapshot.location(edge.from.0), snapshot.location(edge.to.0)) else { return Ok(()) };
                let statement = cut_text::by_edge(edge, cut.bit, from, to, rows, snapshot.dialect);
                Some(statement.map_err(|text| map_error(&graph.nodes[cut.node].source, SnapshotError::Map(text)))?)
            }
            Tie::Identity(at) => {
                let field = &graph.nodes[cut.node].identities[*at];
                let ours: Vec<String> = self
                    .gathering
                    .person
                    .iter()
                    .filter(|alias| alias.kind == field.kind)
                    .map(|alias| alias.expose().to_owned())
                    .collect();
                let Some((_, snapshot)) = self.gathering.snapshot_of(cut.node) else { return Ok(()) };
                let Some(location) = snapshot.location(cut.node) else { return Ok(()) };
                cut_text::by_identity(location, cut.bit, field, &ours, rows, snapshot.dialect)
            }
        };
        let Some(statement) = statement else { return Ok(()) };
        let Some((source, snapshot)) = self.gathering.snapshot_of(cut.node) else { return Ok(()) };
        let source = source.to_owned();
        snapshot.run(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        Ok(())
    }

    /// No database can join the two: the values of the start are looked for at the end.
    async fn cut_rows_across(&mut self, cut: &Cut, edge: &Edge, rows: Rows) -> Result<(), GatherError> {
        if cut.inside.is_some() {
            // Refused by `map check`: values inside JSON are not compared with those of another source.
            return Ok(());
        }
        let values = self.gathering.owned_values(edge).await?;
        let Some((source, snapshot)) = self.gathering.snapshot_of(cut.node) else { return Ok(()) };
        let source = source.to_owned();
        let Some(to) = snapshot.location(edge.to.0).filter(|_| snapshot.is_reached(edge.to.0)).cloned() else { return Ok(()) };
        for some in values.chunks(VALUES_AT_ONCE) {
            let statement = cut_text::by_values(edge, cut.bit, &to, some, rows, snapshot.dialect);
            let statement = statement.map_err(|text| map_error(&source, SnapshotError::Map(text)))?;
            snapshot.run(statement).await.map_err(|problem| map_error(&source, SnapshotError::Database(problem)))?;
        }
        Ok(())
    }
}
