//! Which columns go when a row is cut loose from a person. Of a composite key only the part that no other reference of the row needs: the
//! tenant stays where the author goes, or the row would lose its other owners as well (O-1). A column that admits no NULL cannot go.

use super::Table;
use crate::datamap::{Edge, Graph};

/// The columns of a reference that are cleared; none where it cannot be cut.
pub fn columns_to_clear(graph: &Graph, node: usize, columns: &[String], table: &Table) -> Vec<String> {
    let is_fixed = |name: &&String| {
        let admits_null = table.column(name).is_some_and(|column| !column.not_null && !column.generated);
        !admits_null || table.primary_key.contains(name)
    };
    let loose: Vec<String> = columns.iter().filter(|name| !is_fixed(name)).cloned().collect();
    if columns.len() == 1 {
        // Several references over one column are told apart by a condition: only one of them counts for a row.
        return loose;
    }
    let is_needed = |name: &String| references_at(graph, node).any(|other| other != columns && other.contains(name));
    loose.into_iter().filter(|name| !is_needed(name)).collect()
}

/// Columns by which rows of a node refer to others, reference by reference, whatever they give.
fn references_at(graph: &Graph, node: usize) -> impl Iterator<Item = &[String]> {
    graph.edges.iter().chain(&graph.ignored).filter_map(move |edge: &Edge| match edge.declared_on_to {
        true => (edge.to.0 == node).then_some(edge.to_columns.as_slice()),
        false => (edge.from.0 == node).then_some(edge.from_columns.as_slice()),
    })
}
