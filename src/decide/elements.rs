//! Rows that stay because others have a part in them, and that name the subject inside JSON: the elements that do are cleared, one column at a
//! time, however many of its places name them (O-1).

use std::collections::{BTreeMap, BTreeSet};

use super::cuts::Tie;
use super::limits::is_labelled;
use super::overwrite::{self, Elements, How, Overwrite};
use super::{Desk, GatherError};
use crate::datamap::Field;
use crate::subject::NormalForm;

/// The subject's part of one JSON column.
pub(super) struct PartOfJson {
    /// Bits of the cuts by which rows are found.
    pub bits: i64,
    pub overwrite: Overwrite,
}

impl Desk<'_, '_> {
    /// The JSON columns of a node in which elements may name the subject.
    pub(super) async fn parts_of_json(&mut self, node: usize) -> Result<Vec<PartOfJson>, GatherError> {
        let mut ties: BTreeMap<String, (i64, Vec<overwrite::Tie>)> = BTreeMap::new();
        for cut in self.cuts.0.clone().iter().filter(|cut| cut.node == node) {
            let Some(spot) = &cut.inside else { continue };
            let (form, ours) = match &cut.tie {
                Tie::Edge(_) | Tie::Unseen(_) => (NormalForm::Exact, self.values_at_start(&cut.tie).await?),
                Tie::Identity(at) => self.names_of_person(node, *at),
            };
            let (bits, of_column) = ties.entry(spot.column.clone()).or_default();
            *bits |= 1 << cut.bit;
            of_column.push(overwrite::Tie { path: spot.path.clone(), form, ours });
        }
        let place = &self.brief.graph.nodes[node];
        let Some(collection) = self.brief.map.collection(&place.dataset, &place.collection) else { return Ok(Vec::new()) };
        let categories = self.brief.categories;
        let asks_for_all = categories.is_empty() || is_labelled(&collection.data_categories, categories);
        let is_asked_for = |field: &Field| asks_for_all || is_labelled(&field.data_categories, categories);
        let part = |(column, (bits, ties)): (String, (i64, Vec<overwrite::Tie>))| {
            let field = collection.field(&column)?;
            let how = How::Elements(Elements::of(field, ties, &is_asked_for));
            Some(PartOfJson { bits, overwrite: Overwrite { column, how } })
        };
        Ok(ties.into_iter().filter_map(part).collect())
    }

    fn names_of_person(&self, node: usize, identity: usize) -> (NormalForm, BTreeSet<String>) {
        let field = &self.brief.graph.nodes[node].identities[identity];
        let mine = self.gathering.person.iter().filter(|name| name.kind == field.kind);
        (field.normal_form, mine.map(|name| field.normal_form.apply(name.expose())).collect())
    }

    /// Values at an edge's start in rows that are the subject's alone. They are kept in memory: one for each such row of the start.
    async fn values_at_start(&mut self, tie: &Tie) -> Result<BTreeSet<String>, GatherError> {
        let Some(edge) = tie.edge(self.brief.graph) else { return Ok(BTreeSet::new()) };
        let values = self.gathering.owned_values(edge).await?;
        Ok(values.into_iter().filter_map(|columns| columns.into_iter().next()).collect())
    }
}
