//! The graph as plain lines for a terminal: each collection with how a person's rows are found in it. Names of places only.

use std::fmt::Write;

use super::{Edge, Graph, NamedBy, NodeId};
use crate::datamap::Right;

impl Graph {
    /// A listing, for `habeas map graph`: each collection with how a person's rows are found in it.
    pub fn to_text(&self) -> String {
        let (reached, owned) = (self.reachable(None), self.owned());
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
            } else if !owned[index] {
                let _ = writeln!(text, "  nobody's: rows are only accessed");
            }
        }
        for place in &self.objects {
            let rows = self.nodes[place.rows.0].name();
            let _ = writeln!(text, "{} (objects in source {})", place.name(), place.source);
            let _ = writeln!(text, "  named by {rows}: {}", place.locate);
            if !reached[place.rows.0] {
                let _ = writeln!(text, "  no identity reaches it");
            }
        }
        for place in &self.rows {
            let _ = writeln!(text, "{} (rows of {} objects in source {})", place.name(), place.format, place.source);
            let _ = writeln!(text, "  in {} {}", if place.is_single { "object" } else { "objects below" }, place.at);
            for field in &place.names {
                let _ = match &field.by {
                    NamedBy::Identity(kind) => writeln!(text, "  by identity {kind}: {}", field.name()),
                    NamedBy::Rows { node, column } => {
                        writeln!(text, "  by {}.{column}: {}", self.nodes[node.0].name(), field.name())
                    }
                };
            }
            if !place.is_reached(&reached, None) {
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
}

fn columns(edge: &Edge) -> String {
    format!("{} -> {}", edge.from_columns.join(", "), edge.to_columns.join(", "))
}

pub(super) fn right_word(right: Right) -> &'static str {
    match right {
        Right::Owns => "owns",
        Right::Accesses => "accesses",
        Right::None => "none",
    }
}
