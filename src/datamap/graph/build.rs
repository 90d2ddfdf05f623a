//! Makes the graph of a map: gathers composite edges, gives every edge its direction, and joins what was declared on both sides into one.
//! Deterministic: the same map gives the same graph, in the same order.

use std::collections::VecDeque;

use super::{Edge, Graph, IdentityField, Node, NodeId};
use crate::datamap::{Collection, DataMap, Dataset, Direction, Field, Place, Predicate, Reference, Right};

/// A reference, or the references of one composite edge, before it is known which way data flows.
struct Draft {
    /// The collection whose fields declare it.
    owner: NodeId,
    /// The collection that is referenced.
    other: NodeId,
    /// Pairs of the owner's column and the other's.
    columns: Vec<(String, String)>,
    /// Keys inside the owner's column, where the reference stands on a sub-field.
    path: Vec<String>,
    /// `habeas.edge`.
    name: Option<String>,
    direction: Direction,
    right: Option<Right>,
    hide: Vec<String>,
    unlink: bool,
    filter: Option<Predicate>,
    place: Place,
}

/// An edge whose `right` may still be left open.
struct Directed {
    edge: Edge,
    right: Option<Right>,
}

impl Graph {
    /// Builds the graph of a map. References to collections that are not nodes are left out; a checked map has none.
    pub fn build(map: &DataMap) -> Graph {
        let mut graph = Graph::default();
        let mut keys = Vec::new();
        for (dataset, collection) in searchable(map) {
            graph.nodes.push(node_of(dataset, collection));
            keys.push(collection.fields.iter().filter(|field| field.primary_key).map(|field| field.name.clone()).collect());
        }
        let mut drafts = Vec::new();
        for (index, (_, collection)) in searchable(map).enumerate() {
            drafts.extend(drafts_of(&graph, NodeId(index), collection));
        }
        let declared_on_to = directions(&graph, &drafts);
        for directed in join_duplicates(drafts, &declared_on_to) {
            let mut edge = Edge { right: directed.right.unwrap_or_default(), ..directed.edge };
            edge.declared_on_to = refers_at_end(&edge, &keys);
            match edge.right {
                Right::None => graph.ignored.push(edge),
                Right::Accesses | Right::Owns => graph.edges.push(edge),
            }
        }
        let people = graph.people();
        graph.edges.iter_mut().for_each(|edge| edge.from_people = people[edge.from.0]);
        graph.objects = super::objects::places(map, &graph);
        graph.rows = super::rows::places(map, &graph);
        graph
    }
}

/// At which end the columns stand that refer. Maps may write a join on the field that is referred to as well (`users.id`, direction `to`):
/// where one end is a whole primary key and the other is not, the other refers. Otherwise the end does on which the map writes it.
fn refers_at_end(edge: &Edge, keys: &[Vec<String>]) -> bool {
    let is_key = |node: NodeId, columns: &[String]| {
        let key = &keys[node.0];
        !key.is_empty() && key.len() == columns.len() && columns.iter().all(|column| key.contains(column))
    };
    match (is_key(edge.from, &edge.from_columns), is_key(edge.to, &edge.to_columns)) {
        (true, false) => true,
        (false, true) => false,
        _ => edge.declared_on_to,
    }
}

fn searchable(map: &DataMap) -> impl Iterator<Item = (&Dataset, &Collection)> {
    let all = map.datasets.iter().flat_map(|dataset| dataset.collections.iter().map(move |collection| (dataset, collection)));
    all.filter(|(_, collection)| !collection.skip_processing && collection.held_by.is_none() && collection.objects.is_none())
}

fn node_of(dataset: &Dataset, collection: &Collection) -> Node {
    let identity = |(path, field): (Vec<String>, &Field)| {
        let kind = field.identity.clone()?;
        let (column, path) = path.split_first()?;
        Some(IdentityField { column: column.clone(), path: path.to_vec(), kind, normal_form: field.normal_form })
    };
    Node {
        dataset: dataset.fides_key.clone(),
        source: dataset.source.clone().unwrap_or_else(|| dataset.fides_key.clone()),
        schema: dataset.schema.clone(),
        collection: collection.name.clone(),
        identities: fields_with_paths(&collection.fields).into_iter().filter_map(identity).collect(),
        names: collection.names,
    }
}

/// All fields and sub-fields, each with the names that lead to it, the column first.
pub(super) fn fields_with_paths(fields: &[Field]) -> Vec<(Vec<String>, &Field)> {
    let mut all = Vec::new();
    for field in fields {
        all.push((vec![field.name.clone()], field));
        for (mut path, sub) in fields_with_paths(&field.fields) {
            path.insert(0, field.name.clone());
            all.push((path, sub));
        }
    }
    all
}

fn drafts_of(graph: &Graph, owner: NodeId, collection: &Collection) -> Vec<Draft> {
    let mut drafts: Vec<Draft> = Vec::new();
    for (path, field) in fields_with_paths(&collection.fields) {
        for reference in &field.references {
            let Some(other) = graph.node(&reference.dataset, &reference.collection) else { continue };
            if reference.words.edges.is_empty() {
                drafts.push(Draft::new(owner, other, &path, None, field, reference));
            }
            for name in &reference.words.edges {
                match drafts.iter_mut().find(|draft| draft.name.as_ref() == Some(name) && draft.other == other) {
                    Some(draft) => draft.add(field, reference),
                    None => drafts.push(Draft::new(owner, other, &path, Some(name.clone()), field, reference)),
                }
            }
        }
    }
    // A name that one field alone gives to this end is meant for another reference of that field; a checked map has no other such name.
    drafts.retain(|draft| draft.name.is_none() || draft.columns.len() > 1);
    for draft in &mut drafts {
        draft.columns.sort();
    }
    drafts
}

impl Draft {
    fn new(owner: NodeId, other: NodeId, path: &[String], name: Option<String>, field: &Field, reference: &Reference) -> Draft {
        let column = path.first().unwrap_or(&field.name);
        let words = &reference.words;
        Draft {
            owner,
            other,
            columns: vec![(column.clone(), reference.field.clone())],
            path: path.get(1..).unwrap_or_default().to_vec(),
            name,
            direction: reference.direction,
            right: words.right,
            hide: words.hide.clone(),
            unlink: words.unlink,
            filter: words.r#where.clone(),
            place: reference.place.clone(),
        }
    }

    /// Takes in a further field of a composite edge.
    fn add(&mut self, field: &Field, reference: &Reference) {
        self.columns.push((field.name.clone(), reference.field.clone()));
        let words = &reference.words;
        self.right = stricter(self.right, words.right);
        union(&mut self.hide, &words.hide);
        self.unlink |= words.unlink;
        self.filter = match (self.filter.take(), words.r#where.clone()) {
            (Some(left), Some(right)) if left != right => Some(Predicate::All(vec![left, right])),
            (left, right) => left.or(right),
        };
    }

    /// The edge, given whether data flows to the collection that declares it.
    fn directed(self, declared_on_to: bool) -> Directed {
        let right = self.right;
        let to_path = self.path;
        let (owner_columns, other_columns) = self.columns.into_iter().unzip();
        let (from, from_columns, to, to_columns) = match declared_on_to {
            true => (self.other, other_columns, self.owner, owner_columns),
            false => (self.owner, owner_columns, self.other, other_columns),
        };
        let edge = Edge {
            from,
            from_columns,
            to,
            to_columns,
            to_path,
            right: Right::default(),
            hide: self.hide,
            unlink: self.unlink,
            filter: self.filter,
            declared_on_to,
            from_people: false,
            place: self.place,
        };
        Directed { edge, right }
    }
}

/// Says of each draft whether data flows to the collection that declares it. An undirected reference is used in whichever direction a
/// breadth-first search from the identity fields comes to it first.
fn directions(graph: &Graph, drafts: &[Draft]) -> Vec<bool> {
    let mut declared_on_to: Vec<Option<bool>> = drafts
        .iter()
        .map(|draft| match draft.direction {
            Direction::From => Some(true),
            Direction::To => Some(false),
            // Both ends are one collection: only the declared order of the columns is left to go by.
            Direction::Either => (draft.owner == draft.other).then_some(true),
        })
        .collect();
    let mut reached: Vec<bool> = graph.nodes.iter().map(|node| !node.identities.is_empty()).collect();
    let mut waiting: VecDeque<NodeId> = (0..reached.len()).filter(|index| reached[*index]).map(NodeId).collect();
    while let Some(node) = waiting.pop_front() {
        for (draft, flows_to_owner) in drafts.iter().zip(&mut declared_on_to) {
            let touches = draft.owner == node || draft.other == node;
            if !touches || draft.right == Some(Right::None) {
                continue;
            }
            let flows_to_owner = *flows_to_owner.get_or_insert(draft.other == node);
            let (from, to) = if flows_to_owner { (draft.other, draft.owner) } else { (draft.owner, draft.other) };
            if from == node && !reached[to.0] {
                reached[to.0] = true;
                waiting.push_back(to);
            }
        }
    }
    // What no identity reaches is never followed; the referenced side is then taken as the parent, as in a foreign key.
    declared_on_to.into_iter().map(|flows_to_owner| flows_to_owner.unwrap_or(true)).collect()
}

/// Maps often declare one join on both of its fields. It is one edge; what is said on one side only counts, and where both sides
/// disagree the more careful one does, so that a second mention never widens what is erased.
fn join_duplicates(drafts: Vec<Draft>, declared_on_to: &[bool]) -> Vec<Directed> {
    let mut joined: Vec<Directed> = Vec::with_capacity(drafts.len());
    for (draft, declared_on_to) in drafts.into_iter().zip(declared_on_to) {
        let next = draft.directed(*declared_on_to);
        match joined.iter_mut().find(|earlier| is_same_join(&earlier.edge, &next.edge)) {
            Some(earlier) => earlier.take_in(next),
            None => joined.push(next),
        }
    }
    joined
}

impl Directed {
    fn take_in(&mut self, other: Directed) {
        self.right = stricter(self.right, other.right);
        union(&mut self.edge.hide, &other.edge.hide);
        self.edge.unlink |= other.edge.unlink;
        self.edge.declared_on_to |= other.edge.declared_on_to;
        self.edge.filter = self.edge.filter.take().or(other.edge.filter);
    }
}

fn is_same_join(left: &Edge, right: &Edge) -> bool {
    let same_filter = left.filter == right.filter || left.filter.is_none() || right.filter.is_none();
    same_filter
        && left.from == right.from
        && left.to == right.to
        && left.to_path == right.to_path
        && column_pairs(left) == column_pairs(right)
}

fn column_pairs(edge: &Edge) -> Vec<(&String, &String)> {
    let mut pairs: Vec<_> = edge.from_columns.iter().zip(&edge.to_columns).collect();
    pairs.sort();
    pairs
}

fn stricter(left: Option<Right>, right: Option<Right>) -> Option<Right> {
    match (left, right) {
        (Some(left), Some(right)) => Some(left.min(right)),
        (left, right) => left.or(right),
    }
}

fn union(names: &mut Vec<String>, more: &[String]) {
    for name in more {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
}
