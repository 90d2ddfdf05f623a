//! The graph for people: Graphviz for a picture, plain lines for a terminal. Names of places only.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Edge, Graph, IdentityField, NodeId};
use crate::datamap::Right;

impl Graph {
    /// Graphviz, for `habeas map graph --dot`. Identities are ellipses; what no identity reaches is dashed; edges that are not followed
    /// are dotted.
    pub fn to_dot(&self) -> String {
        let reached = self.reachable(None);
        let mut lines = vec!["digraph data_map {".to_owned(), "  rankdir=LR;".into(), "  node [shape=box];".into()];
        let kinds: BTreeSet<&str> = self.identities().map(|(_, identity)| identity.kind.as_str()).collect();
        lines.extend(
            kinds.iter().map(|kind| format!("  {} [shape=ellipse, label={}];", quoted(&identity_name(kind)), quoted(kind))),
        );
        for (node, reached) in self.nodes.iter().zip(&reached) {
            let style = if *reached { "" } else { " [style=dashed]" };
            lines.push(format!("  {}{style};", quoted(&node.name())));
        }
        for (node, identity) in self.identities() {
            let name = self.nodes[node.0].name();
            lines.push(format!(
                "  {} -> {} [label={}];",
                quoted(&identity_name(&identity.kind)),
                quoted(&name),
                quoted(&identity.column)
            ));
        }
        lines.extend(self.edges.iter().map(|edge| self.dot_edge(edge, "")));
        lines.extend(self.ignored.iter().map(|edge| self.dot_edge(edge, ", style=dotted")));
        lines.push("}".into());
        lines.join("\n") + "\n"
    }

    fn dot_edge(&self, edge: &Edge, style: &str) -> String {
        let label = format!("{} ({})", columns(edge), right_word(edge.right));
        let (from, to) = (self.nodes[edge.from.0].name(), self.nodes[edge.to.0].name());
        format!("  {} -> {} [label={}{style}];", quoted(&from), quoted(&to), quoted(&label))
    }

    /// A listing, for `habeas map graph`: each collection with how a person's rows are found in it.
    pub fn to_text(&self) -> String {
        let reached = self.reachable(None);
        let mut text = String::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let served_by = if node.source == node.dataset { String::new() } else { format!(" (source {})", node.source) };
            // Writing to a String cannot fail.
            let _ = writeln!(text, "{}{served_by}", node.name());
            for identity in &node.identities {
                let _ = writeln!(text, "  by identity {}: {}", identity.kind, identity.column);
            }
            for edge in self.edges_into(NodeId(index)) {
                let _ = writeln!(text, "  from {}", self.edge_line(edge));
            }
            for edge in self.ignored.iter().filter(|edge| edge.to.0 == index) {
                let _ = writeln!(text, "  not from {}", self.edge_line(edge));
            }
            if !reached[index] {
                let _ = writeln!(text, "  no identity reaches it");
            }
        }
        text
    }

    fn edge_line(&self, edge: &Edge) -> String {
        let mut line = format!("{}: {}, {}", self.nodes[edge.from.0].name(), columns(edge), right_word(edge.right));
        if let Some(filter) = &edge.filter {
            let _ = write!(line, ", where {}", filter.to_value());
        }
        if !edge.hide.is_empty() {
            let _ = write!(line, ", hides {}", edge.hide.join(", "));
        }
        if edge.unlink {
            line.push_str(", unlinked on erasure");
        }
        line
    }

    fn identities(&self) -> impl Iterator<Item = (NodeId, &IdentityField)> {
        self.nodes
            .iter()
            .enumerate()
            .flat_map(|(index, node)| node.identities.iter().map(move |identity| (NodeId(index), identity)))
    }
}

fn columns(edge: &Edge) -> String {
    format!("{} -> {}", edge.from_columns.join(", "), edge.to_columns.join(", "))
}

fn right_word(right: Right) -> &'static str {
    match right {
        Right::Owns => "owns",
        Right::Accesses => "accesses",
        Right::None => "none",
    }
}

fn identity_name(kind: &str) -> String {
    format!("identity {kind}")
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
