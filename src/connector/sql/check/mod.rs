//! The live half of `habeas map check`: what the map says against what the source really is. Errors block plans, because what cannot
//! work must fail before anything is touched; warnings do not. It compares schemas only and never reads a row.

mod conditions;
mod foreign_keys;
mod indexes;
mod mask_fit;
mod masks;
mod names;
mod personal;
mod presence;
mod rights;
mod sub_fields;
#[cfg(test)]
mod testing;
mod unlinks;

use super::{Catalogue, Table, TableKind, TableName};
use crate::datamap::{Collection, DataMap, Dataset, Finding, Graph, NodeId, OnErasure};

/// All findings about the collections of one source, in the order of their kinds.
pub fn check_live(map: &DataMap, graph: &Graph, source: &str, catalogue: &Catalogue) -> Vec<Finding> {
    let live = Live::new(map, graph, source, catalogue);
    let groups: [fn(&Live<'_>) -> Vec<Finding>; 9] = [
        presence::check,
        rights::check,
        foreign_keys::check,
        masks::check,
        sub_fields::check,
        unlinks::check,
        conditions::check,
        indexes::check,
        personal::check,
    ];
    groups.iter().flat_map(|check| check(&live)).collect()
}

/// The map laid over the catalogue of one source.
struct Live<'a> {
    map: &'a DataMap,
    graph: &'a Graph,
    source: &'a str,
    catalogue: &'a Catalogue,
    /// Collections of this source, without those that the company cannot reach.
    collections: Vec<Mapped<'a>>,
}

/// A collection and the table that it stands for.
struct Mapped<'a> {
    dataset: &'a Dataset,
    collection: &'a Collection,
    /// `None` when the map leaves it out of the graph (`skip_processing`).
    node: Option<NodeId>,
    /// Whether some identity leads here.
    is_reached: bool,
    /// `None` when the source has no such table.
    table: Option<&'a Table>,
}

impl<'a> Live<'a> {
    fn new(map: &'a DataMap, graph: &'a Graph, source: &'a str, catalogue: &'a Catalogue) -> Self {
        let reached = graph.reachable(None);
        let node_of = |dataset: &str, collection: &str| {
            graph.nodes.iter().position(|node| node.dataset == dataset && node.collection == collection).map(NodeId)
        };
        let datasets = map.datasets.iter().filter(|dataset| dataset.source.as_deref().unwrap_or(&dataset.fides_key) == source);
        let mut collections = Vec::new();
        for dataset in datasets {
            for collection in dataset.collections.iter().filter(|collection| collection.held_by.is_none()) {
                let node = node_of(&dataset.fides_key, &collection.name);
                collections.push(Mapped {
                    dataset,
                    collection,
                    node,
                    is_reached: node.is_some_and(|node| reached.get(node.0).copied().unwrap_or(false)),
                    table: catalogue.find(dataset.schema.as_deref(), &collection.name),
                });
            }
        }
        Live { map, graph, source, catalogue, collections }
    }

    /// The collections that stand for a table: two datasets may see the same one.
    fn mapped_to<'l>(&'l self, table: &'l TableName) -> impl Iterator<Item = &'l Mapped<'a>> {
        self.collections.iter().filter(move |mapped| mapped.table.is_some_and(|own| own.name == *table))
    }

    fn is_mapped(&self, table: &TableName) -> bool {
        self.mapped_to(table).next().is_some()
    }

    /// The collection of a node, when it is of this source.
    fn of_node(&self, node: NodeId) -> Option<&Mapped<'a>> {
        self.collections.iter().find(|mapped| mapped.node == Some(node))
    }

    /// Collections that some identity reaches and whose table is there.
    fn reached(&self) -> impl Iterator<Item = (&Mapped<'a>, &'a Table)> {
        self.collections.iter().filter(|mapped| mapped.is_reached).filter_map(|mapped| Some((mapped, mapped.table?)))
    }

    /// Whether the table only stores the content of a virtual table (`notes_content` of `notes`).
    fn is_shadow(&self, table: &Table) -> bool {
        let is_part_of = |other: &Table| table.name.name.strip_prefix(&other.name.name).is_some_and(|rest| rest.starts_with('_'));
        table.kind == TableKind::Foreign
            && self.catalogue.tables.values().any(|other| other.kind == TableKind::Foreign && is_part_of(other))
    }
}

impl Mapped<'_> {
    /// `dataset.collection`.
    fn name(&self) -> String {
        format!("{}.{}", self.dataset.fides_key, self.collection.name)
    }

    /// `dataset.collection.field`.
    fn field_name(&self, field: &str) -> String {
        format!("{}.{field}", self.name())
    }

    /// What erasure does to the subject's own rows; `None` while the map does not say.
    fn effect(&self) -> Option<OnErasure> {
        self.collection.on_erasure.or(self.collection.delete_override.then_some(OnErasure::Delete))
    }

    /// Whether erasure may delete rows here.
    fn deletes_rows(&self) -> bool {
        self.is_reached && self.effect() == Some(OnErasure::Delete)
    }
}

/// The known name that a wrong one was most likely meant to be.
fn closest<'n>(wrong: &str, known: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let scored = known.map(|name| (strsim::jaro_winkler(&wrong.to_lowercase(), &name.to_lowercase()), name));
    let (score, name) = scored.max_by(|left, right| left.0.total_cmp(&right.0))?;
    (score >= 0.84).then_some(name)
}

/// `a`, `a and b`, `a, b and c`, each in backquotes.
fn listed<'n>(names: impl IntoIterator<Item = &'n str>) -> String {
    let quoted: Vec<String> = names.into_iter().map(|name| format!("`{name}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
