//! Who owns what, as far as the map tells (after K9db): ways that make a row many people's without anybody noticing, and ids of a person that
//! stay in rows which that person only accesses.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, VecDeque};

use crate::datamap::{Code, DataMap, Edge, Finding, Graph, NodeId, Right, Severity};

/// From this many link tables on a row is as good as everybody's.
const TOO_MANY_HOPS: u8 = 2;

pub(super) fn check(map: &DataMap, graph: &Graph) -> Vec<Finding> {
    let mut findings = multiplied(graph);
    findings.extend(graph.edges.iter().filter_map(|edge| left_behind(map, graph, edge)));
    findings.extend(graph.edges.iter().filter_map(|edge| shows_another_person(map, graph, edge)));
    findings
}

/// Where a walk along owning edges stands: the node, how many link tables it has crossed, and whether it came down to this node, from a row
/// to those that refer to it. Going up from there crosses a link table.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Stand {
    node: NodeId,
    hops: u8,
    came_down: bool,
}

/// A shortest way to the first edge that crosses a second link table, for each such edge.
fn multiplied(graph: &Graph) -> Vec<Finding> {
    let owning: Vec<&Edge> = graph.edges.iter().filter(|edge| edge.right == Right::Owns).collect();
    let mut out: BTreeMap<NodeId, Vec<&Edge>> = BTreeMap::new();
    owning.iter().for_each(|edge| out.entry(edge.from).or_default().push(edge));
    let starts = (0..graph.nodes.len()).filter(|at| !graph.nodes[*at].identities.is_empty()).map(NodeId);
    let mut ways: BTreeMap<Stand, Vec<NodeId>> = BTreeMap::new();
    let mut waiting = VecDeque::new();
    for node in starts {
        let stand = Stand { node, hops: 0, came_down: false };
        ways.insert(stand, vec![node]);
        waiting.push_back(stand);
    }
    let mut findings: Vec<(usize, Finding)> = Vec::new();
    while let Some(stand) = waiting.pop_front() {
        let way = ways.get(&stand).cloned().unwrap_or_default();
        for edge in out.get(&stand.node).into_iter().flatten() {
            let crosses = stand.came_down && !edge.declared_on_to;
            let next = Stand { node: edge.to, hops: stand.hops + u8::from(crosses), came_down: edge.declared_on_to };
            let mut longer = way.clone();
            longer.push(edge.to);
            if next.hops >= TOO_MANY_HOPS {
                let at = graph.edges.iter().position(|other| std::ptr::eq(other, *edge)).unwrap_or_default();
                if !findings.iter().any(|(known, _)| *known == at) {
                    findings.push((at, multiplies(graph, edge, &longer)));
                }
            } else if let Entry::Vacant(unseen) = ways.entry(next) {
                unseen.insert(longer);
                waiting.push_back(next);
            }
        }
    }
    findings.sort_by_key(|(at, _)| *at);
    findings.into_iter().map(|(_, finding)| finding).collect()
}

fn multiplies(graph: &Graph, edge: &Edge, way: &[NodeId]) -> Finding {
    let names: Vec<&str> = way.iter().map(|node| graph.nodes[node.0].collection.as_str()).collect();
    let reached = graph.nodes[edge.to.0].name();
    Finding {
        severity: Severity::Warning,
        code: Code::OwnershipMultiplies,
        place: Some(edge.place.clone()),
        subject: format!("{}.{}", graph.nodes[edge.from.0].name(), edge.from_columns.join("+")),
        problem: format!("over {TOO_MANY_HOPS} link tables a person owns rows of {reached}: {}", names.join(" → ")),
        why: "each link table gives a row to everybody linked to it, so that such a row has as many owners as all of them together: it is handed \
              to each, and erased only with the last"
            .into(),
        hint: "say on one of the links that it gives sight and not ownership: `right: accesses` exports the row and never erases it, `right: none` \
               ends the way here"
            .into(),
        write: Some("habeas: {right: accesses}".into()),
    }
}

/// The person's own row goes, and its id stays where it was only mentioned.
fn left_behind(map: &DataMap, graph: &Graph, edge: &Edge) -> Option<Finding> {
    let (from, to) = (&graph.nodes[edge.from.0], &graph.nodes[edge.to.0]);
    if edge.right != Right::Accesses || edge.unlink || !edge.declared_on_to || from.identities.is_empty() {
        return None;
    }
    let name = edge.to_columns.join("+");
    let is_person = graph.has_identities(edge.to);
    let field = map.collection(&to.dataset, &to.collection).and_then(|c| c.field(edge.to_columns.first()?));
    Some(Finding {
        severity: Severity::Warning,
        code: Code::ReferenceLeftBehind,
        place: Some(field.map_or_else(|| edge.place.clone(), |field| field.place.clone())),
        subject: format!("{}.{name}", to.name()),
        problem: format!("it names a person of {} who only accesses the row, and nothing clears it", from.name()),
        why: "after an erasure the id still stands here, and ties the row to whoever can look it up elsewhere".into(),
        hint: match is_person {
            true => {
                "write `on_erasure: unlink`, which clears the column in every row that stays, and `right: none`, so that nobody is shown \
                 the record of another person"
            }
            false => "write `on_erasure: unlink` beside `right: accesses`, which clears the column in every row that stays",
        }
        .into(),
        write: Some(match is_person {
            true => "habeas: {right: none, on_erasure: unlink}".into(),
            false => "habeas: {right: accesses, on_erasure: unlink}".into(),
        }),
    })
}

/// Whoever is seen over such an edge is seen as a whole, but for what is hidden: name, address, everything that the map lists of them.
fn shows_another_person(map: &DataMap, graph: &Graph, edge: &Edge) -> Option<Finding> {
    let to = &graph.nodes[edge.to.0];
    let is_hidden = |column: &String| edge.hide.contains(column);
    if edge.right != Right::Accesses || to.identities.is_empty() || to.identities.iter().all(|field| is_hidden(&field.column)) {
        return None;
    }
    let shown: Vec<String> = to.identities.iter().map(|field| field.column.clone()).filter(|column| !is_hidden(column)).collect();
    let collection = map.collection(&to.dataset, &to.collection)?;
    let place = edge.to_columns.first().filter(|_| edge.declared_on_to).and_then(|column| collection.field(column));
    let none = if edge.declared_on_to { "habeas: {right: none, on_erasure: unlink}" } else { "habeas: {right: none}" };
    Some(Finding {
        severity: Severity::Warning,
        code: Code::AnotherPersonShown,
        place: Some(place.map_or_else(|| edge.place.clone(), |field| field.place.clone())),
        subject: format!("{}.{}", to.name(), edge.to_columns.join("+")),
        problem: format!("a person is shown rows of {} that carry the identifiers of others ({})", to.name(), shown.join(", ")),
        why: "the archive of one person then holds the record of another; what that one has is never shown over it".into(),
        hint: format!(
            "write `{none}` if nothing is to be shown, or list in `hide` what of the other person is not for their eyes; accept this finding where it is meant"
        ),
        write: Some(none.into()),
    })
}
