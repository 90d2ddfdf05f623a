//! The map as a graph: collections are nodes, references are edges along which a person's data is found. Built once from a checked map and
//! never changed; cycles and self-references are ordinary, since whoever walks the graph remembers the keys already seen.
//! It says where data *may* be reached; which rows belong to whom is asked of the rows.

mod build;
mod draw;
mod objects;
mod print;
mod rows;

use std::collections::VecDeque;

pub use objects::ObjectPlace;
pub(super) use objects::mistakes as object_mistakes;
pub(super) use rows::mistakes as row_mistakes;
pub use rows::{NamedBy, NamingField, RowPlace};

use serde::{Deserialize, Serialize};

use super::{Names, Place, Predicate, Right};
use crate::subject::NormalForm;

/// Position of a node in [`Graph::nodes`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct NodeId(pub usize);

/// All collections that can be searched, and the edges between them.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// Collections, by dataset and name. Those left out by `skip_processing` or `held_by` are not here.
    pub nodes: Vec<Node>,
    /// Edges that are followed, in the order of the collections and fields that declare them.
    pub edges: Vec<Edge>,
    /// Edges with right `none`: known, and deliberately not followed.
    pub ignored: Vec<Edge>,
    /// Sets of objects that rows name, in the order of the map.
    pub objects: Vec<ObjectPlace>,
    /// Sets of objects that hold rows of many people, in the order of the map.
    pub rows: Vec<RowPlace>,
}

/// A collection in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// Dataset key.
    pub dataset: String,
    /// Configured source that serves it.
    pub source: String,
    /// Database schema, when the map gives one.
    pub schema: Option<String>,
    /// Collection name.
    pub collection: String,
    /// Columns by which a person is found here directly.
    pub identities: Vec<IdentityField>,
    /// Whom they name, where the map says it.
    pub names: Option<Names>,
}

/// A column that holds an identifier of the subject.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdentityField {
    /// Column name.
    pub column: String,
    /// Keys that lead to it inside a JSON column; none for a plain column.
    pub path: Vec<String>,
    /// Kind of the identifier, such as `email`.
    pub kind: String,
    /// How stored and given values are made comparable (I-1).
    pub normal_form: NormalForm,
}

/// A join along which data flows from one collection to another.
#[derive(Debug, Clone, PartialEq)]
pub struct Edge {
    /// Where the known keys are.
    pub from: NodeId,
    /// Its columns; several make a composite key.
    pub from_columns: Vec<String>,
    /// What is reached.
    pub to: NodeId,
    /// Its columns, each equal to the one of `from_columns` at the same position.
    pub to_columns: Vec<String>,
    /// Keys that lead to the value inside the one column of `to_columns`, where that is JSON; none for plain columns.
    pub to_path: Vec<String>,
    /// What reaching a row gives the subject.
    pub right: Right,
    /// Fields of the reached collection left out of an export when a row is reached over this edge only.
    pub hide: Vec<String>,
    /// On erasure, the columns at the reached end are cleared.
    pub unlink: bool,
    /// Only rows of the reached collection for which this holds are reached.
    pub filter: Option<Predicate>,
    /// The columns that refer stand at the `to` end (as in a foreign key of the reached table), not at the `from` end.
    pub declared_on_to: bool,
    /// Rows at its start are, or stand for, people: it is followed from the subject's own ones alone. Somebody else's record may be seen, what
    /// they have may not.
    pub from_people: bool,
    /// Where it is declared.
    pub place: Place,
}

/// A place inside a JSON column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The column.
    pub column: String,
    /// Keys that lead to it, never none.
    pub path: Vec<String>,
}

impl IdentityField {
    /// The place inside JSON, where it is one.
    pub fn inside(&self) -> Option<Spot> {
        (!self.path.is_empty()).then(|| Spot { column: self.column.clone(), path: self.path.clone() })
    }

    /// `column` or `column.key.key`, for messages.
    pub fn name(&self) -> String {
        [std::slice::from_ref(&self.column), &self.path].concat().join(".")
    }
}

impl Edge {
    /// Whether it gives nothing and is cut all the same: its columns are cleared in rows that nobody is shown.
    pub fn is_cut_unseen(&self) -> bool {
        self.right == Right::None && self.unlink && self.declared_on_to
    }

    /// Names of the fields at its end: columns, or `column.key.key`.
    pub fn end_names(&self) -> Vec<String> {
        match self.inside() {
            None => self.to_columns.clone(),
            Some(spot) => vec![[vec![spot.column], spot.path].concat().join(".")],
        }
    }

    /// The place inside JSON at its end, where that is one.
    pub fn inside(&self) -> Option<Spot> {
        let column = self.to_columns.first()?;
        (!self.to_path.is_empty()).then(|| Spot { column: column.clone(), path: self.to_path.clone() })
    }
}

impl Node {
    /// `dataset.collection`, for messages.
    pub fn name(&self) -> String {
        format!("{}.{}", self.dataset, self.collection)
    }

    /// Identities inside JSON, each with another one of the same rows, of which the map does not say whether they name the same person: an
    /// account and, in its settings, whom to call in an emergency. Of whichever kind they are, the one inside is as likely to be somebody else's.
    pub fn left_open(&self) -> Vec<(&IdentityField, &IdentityField)> {
        let first = self.identities.iter().find(|field| field.path.is_empty()).or(self.identities.first());
        let (None, Some(first)) = (self.names, first) else { return Vec::new() };
        self.identities.iter().filter(|field| *field != first && !field.path.is_empty()).map(|inside| (inside, first)).collect()
    }
}

impl Graph {
    /// The node of a collection; none when the collection is unknown or left out.
    pub fn node(&self, dataset: &str, collection: &str) -> Option<NodeId> {
        self.nodes.iter().position(|node| node.dataset == dataset && node.collection == collection).map(NodeId)
    }

    /// Whether rows of a node carry identifiers of people.
    pub fn has_identities(&self, node: NodeId) -> bool {
        self.nodes.get(node.0).is_some_and(|node| !node.identities.is_empty())
    }

    /// The place of objects that results know under this name.
    pub fn object_place(&self, dataset: &str, collection: &str) -> Option<&ObjectPlace> {
        self.objects.iter().find(|place| place.dataset == dataset && place.collection == collection)
    }

    /// The place of rows inside objects that results know under this name.
    pub fn row_place(&self, dataset: &str, collection: &str) -> Option<&RowPlace> {
        self.rows.iter().find(|place| place.dataset == dataset && place.collection == collection)
    }

    /// Collections in whose rows stands what names rows inside objects.
    pub fn naming_nodes(&self, place: &RowPlace) -> Vec<NodeId> {
        let has_kind = |node: &Node, kind: &str| node.identities.iter().any(|identity| identity.kind == kind);
        let nodes = |field: &NamingField| match &field.by {
            NamedBy::Rows { node, .. } => vec![*node],
            NamedBy::Identity(kind) => (0..self.nodes.len()).filter(|at| has_kind(&self.nodes[*at], kind)).map(NodeId).collect(),
        };
        place.names.iter().flat_map(nodes).collect()
    }

    /// Whether the map describes objects in a store.
    pub fn uses_store(&self, source: &str) -> bool {
        self.objects.iter().any(|place| place.source == source) || self.rows.iter().any(|place| place.source == source)
    }

    /// Edges that lead out of a node.
    pub fn edges_from(&self, node: NodeId) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.from == node)
    }

    /// Edges that lead into a node.
    pub fn edges_into(&self, node: NodeId) -> impl Iterator<Item = &Edge> {
        self.edges.iter().filter(move |edge| edge.to == node)
    }

    /// Which nodes can be reached when identifiers of these kinds are given; `None` stands for every kind that the map knows.
    pub fn reachable(&self, identity_kinds: Option<&[&str]>) -> Vec<bool> {
        let is_given = |identity: &IdentityField| identity_kinds.is_none_or(|kinds| kinds.contains(&identity.kind.as_str()));
        self.rights(is_given).into_iter().map(|right| right > Right::None).collect()
    }

    /// Which nodes may have rows that are somebody's own: those that a way of `owns` alone leads to.
    pub fn owned(&self) -> Vec<bool> {
        self.rights(|_| true).into_iter().map(|right| right == Right::Owns).collect()
    }

    /// Edges with right `none` whose columns are cleared on erasure, with their positions in [`Graph::ignored`].
    pub fn cut_unseen(&self) -> impl Iterator<Item = (usize, &Edge)> {
        self.ignored.iter().enumerate().filter(|(_, edge)| edge.is_cut_unseen())
    }

    /// The highest right that somebody may have in rows of each node.
    fn rights(&self, is_given: impl Fn(&IdentityField) -> bool) -> Vec<Right> {
        let named = |node: &Node| if node.identities.iter().any(&is_given) { Right::Owns } else { Right::None };
        let mut rights: Vec<Right> = self.nodes.iter().map(named).collect();
        let mut waiting: VecDeque<NodeId> = (0..rights.len()).filter(|at| rights[*at] == Right::Owns).map(NodeId).collect();
        while let Some(node) = waiting.pop_front() {
            let right = rights[node.0];
            for edge in self.edges_from(node).filter(|edge| right == Right::Owns || !edge.from_people) {
                let given = right.min(edge.right);
                if given > rights[edge.to.0] {
                    rights[edge.to.0] = given;
                    waiting.push_back(edge.to);
                }
            }
        }
        rights
    }

    /// Which nodes are people: those with identities, and those that such a row owns by pointing at them (a table of addresses that names the
    /// account). Whoever merely sees a row there goes no further.
    fn people(&self) -> Vec<bool> {
        let mut people: Vec<bool> = self.nodes.iter().map(|node| !node.identities.is_empty()).collect();
        loop {
            let points_up =
                |edge: &&Edge| edge.right == Right::Owns && !edge.declared_on_to && people[edge.from.0] && !people[edge.to.0];
            let Some(account) = self.edges.iter().find(points_up).map(|edge| edge.to.0) else { return people };
            people[account] = true;
        }
    }
}
