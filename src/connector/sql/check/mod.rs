//! The live half of `habeas map check`: what the map says against what the source really is. Errors block plans, because what cannot
//! work must fail before anything is touched; warnings do not. It compares schemas only and never reads a row.

mod composite;
mod conditions;
mod data_types;
mod delete_order;
mod edges;
mod foreign_keys;
mod indexes;
mod key_paths;
mod mask_fit;
mod masks;
mod names;
mod owners;
mod part_of_key;
mod personal;
mod presence;
mod rights;
mod sight;
mod sub_fields;
#[cfg(test)]
mod testing;
mod twins;
mod unlinks;

use std::collections::BTreeMap;

pub use sight::check_sight;

use super::{Catalogue, ForeignKey, Table, TableName};
use crate::datamap::{Collection, DataMap, Dataset, Finding, Graph, NodeId, OnErasure};

/// All findings about the collections of one source, in the order of their kinds.
pub fn check_live(map: &DataMap, graph: &Graph, source: &str, catalogue: &Catalogue) -> Vec<Finding> {
    let live = Live::new(map, graph, source, catalogue);
    let groups: [fn(&Live<'_>) -> Vec<Finding>; 16] = [
        presence::check,
        data_types::check,
        rights::check,
        foreign_keys::check,
        key_paths::check,
        composite::check,
        delete_order::check,
        owners::check,
        twins::check,
        masks::check,
        sub_fields::check,
        unlinks::check,
        conditions::check,
        edges::check,
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
    /// Positions in `collections` by table: two datasets may see the same one.
    by_table: BTreeMap<&'a TableName, Vec<usize>>,
    /// Positions in `collections` by node.
    by_node: BTreeMap<NodeId, usize>,
    /// Foreign keys by the table that they point to, each with its own table.
    inbound: BTreeMap<&'a TableName, Vec<(&'a Table, &'a ForeignKey)>>,
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
        let nodes: BTreeMap<(&str, &str), NodeId> = graph
            .nodes
            .iter()
            .enumerate()
            .map(|(at, node)| ((node.dataset.as_str(), node.collection.as_str()), NodeId(at)))
            .collect();
        let datasets = map.datasets.iter().filter(|dataset| dataset.source.as_deref().unwrap_or(&dataset.fides_key) == source);
        let mut collections = Vec::new();
        for dataset in datasets {
            for collection in dataset.collections.iter().filter(|collection| collection.held_by.is_none()) {
                let node = nodes.get(&(dataset.fides_key.as_str(), collection.name.as_str())).copied();
                collections.push(Mapped {
                    dataset,
                    collection,
                    node,
                    is_reached: node.is_some_and(|node| reached.get(node.0).copied().unwrap_or(false)),
                    table: catalogue.find(dataset.schema.as_deref(), &collection.name),
                });
            }
        }
        let mut by_table: BTreeMap<&TableName, Vec<usize>> = BTreeMap::new();
        let mut by_node = BTreeMap::new();
        for (at, mapped) in collections.iter().enumerate() {
            if let Some(table) = mapped.table {
                by_table.entry(&table.name).or_default().push(at);
            }
            if let Some(node) = mapped.node {
                by_node.insert(node, at);
            }
        }
        let mut inbound: BTreeMap<&TableName, Vec<(&Table, &ForeignKey)>> = BTreeMap::new();
        for table in catalogue.tables.values() {
            for key in &table.foreign_keys {
                inbound.entry(&key.referenced).or_default().push((table, key));
            }
        }
        Live { map, graph, source, catalogue, collections, by_table, by_node, inbound }
    }

    /// The collections that stand for a table.
    fn mapped_to<'l>(&'l self, table: &TableName) -> impl Iterator<Item = &'l Mapped<'a>> {
        self.by_table.get(table).into_iter().flatten().filter_map(|at| self.collections.get(*at))
    }

    /// The table as the map names it, else with its source: `app_db.notes`, `app.public.notes`.
    fn name_of(&self, table: &Table) -> String {
        self.mapped_to(&table.name).next().map_or_else(|| format!("{}.{}", self.source, table.name), Mapped::name)
    }

    fn is_mapped(&self, table: &TableName) -> bool {
        self.mapped_to(table).next().is_some()
    }

    /// The collection of a node, when it is of this source.
    fn of_node(&self, node: NodeId) -> Option<&Mapped<'a>> {
        self.by_node.get(&node).and_then(|at| self.collections.get(*at))
    }

    /// Collections that some identity reaches and whose table is there.
    fn reached(&self) -> impl Iterator<Item = (&Mapped<'a>, &'a Table)> {
        self.collections.iter().filter(|mapped| mapped.is_reached).filter_map(|mapped| Some((mapped, mapped.table?)))
    }

    /// The same, and those in whose rows a reference is cleared that shows nothing.
    fn changed(&self) -> impl Iterator<Item = (&Mapped<'a>, &'a Table)> {
        let is_cut =
            |mapped: &&Mapped<'a>| mapped.is_reached || self.graph.cut_unseen().any(|(_, edge)| Some(edge.to) == mapped.node);
        self.collections.iter().filter(is_cut).filter_map(|mapped| Some((mapped, mapped.table?)))
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
