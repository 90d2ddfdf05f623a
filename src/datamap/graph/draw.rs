//! The graph as a picture: Graphviz and Mermaid. Both show the same: identities, collections by source, whose the rows are, and along each
//! edge its columns, right and condition; and sets of objects with what names them. Nodes have made-up ids, and every name stands in a quoted label alone, so that no name can
//! become part of the drawing's own language.

use std::collections::{BTreeMap, BTreeSet};

use super::{Edge, Graph, NamedBy, NamingField, NodeId, RowPlace};
use crate::datamap::Right;

/// What a person can be to the rows of a collection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Standing {
    /// Some rows may be theirs.
    Owned,
    /// They see rows, and none can be theirs.
    Unowned,
    /// Nothing leads here.
    Unreached,
}

impl Graph {
    /// Graphviz, for `habeas map graph --dot`. Identities are ellipses; what a person can only see is grey, what nothing reaches is dashed;
    /// `owns` is bold, an edge that is not followed is dotted.
    pub fn to_dot(&self) -> String {
        let standings = self.standings();
        let mut lines = vec!["digraph data_map {".to_owned(), "  rankdir=LR;".into(), "  node [shape=box];".into()];
        for (at, kind) in self.kinds().iter().enumerate() {
            lines.push(format!("  i{at} [shape=ellipse, label={}];", dot_text(&[kind])));
        }
        for (number, (source, nodes)) in self.by_source().iter().enumerate() {
            lines.push(format!("  subgraph cluster_{number} {{"));
            lines.push(format!("    label={};", dot_text(&[&format!("source {source}")])));
            for node in nodes {
                let standing = standings[node.0];
                let style = match standing {
                    Standing::Owned => "",
                    Standing::Unowned => ", style=filled, fillcolor=lightgrey",
                    Standing::Unreached => ", style=dashed",
                };
                lines.push(format!("    n{} [label={}{style}];", node.0, dot_lines(&self.node_lines(*node, standing))));
            }
            lines.push("  }".into());
        }
        for (number, (source, objects)) in self.objects_by_source().iter().enumerate() {
            lines.push(format!("  subgraph cluster_objects_{number} {{"));
            lines.push(format!("    label={};", dot_text(&[&format!("objects in {source}")])));
            for at in objects {
                lines.push(format!("    o{at} [shape=folder, label={}];", dot_text(&[&self.objects[*at].name()])));
            }
            lines.push("  }".into());
        }
        for (at, place) in self.objects.iter().enumerate() {
            lines.push(format!("  n{} -> o{at} [label={}];", place.rows.0, dot_text(&[&place.locate.to_string()])));
        }
        for (at, place) in self.rows.iter().enumerate() {
            let words = [place.name(), format!("{} in {}", place.located(), place.source)];
            lines.push(format!("  r{at} [shape=folder, label={}];", dot_lines(&words)));
            for (from, field) in self.ways_to_rows(place) {
                lines.push(format!("  {from} -> r{at} [label={}];", dot_text(&[&field])));
            }
        }
        for (kind, node, column) in self.entries() {
            lines.push(format!("  i{kind} -> n{} [label={}];", node.0, dot_text(&[column])));
        }
        for edge in self.edges.iter().chain(&self.ignored) {
            let style = match edge.right {
                Right::Owns => "style=bold",
                Right::Accesses => "style=solid",
                Right::None => "style=dotted",
            };
            lines.push(format!("  n{} -> n{} [label={}, {style}];", edge.from.0, edge.to.0, dot_lines(&edge_lines(edge))));
        }
        lines.push("}".into());
        lines.join("\n") + "\n"
    }

    /// Mermaid, for `habeas map graph --mermaid`: the same as [`Graph::to_dot`], for pages that draw it by themselves.
    pub fn to_mermaid(&self) -> String {
        let standings = self.standings();
        let mut lines = vec!["flowchart LR".to_owned()];
        for (at, kind) in self.kinds().iter().enumerate() {
            lines.push(format!("  i{at}([{}])", mermaid_text(&[(*kind).to_owned()])));
        }
        for (number, (source, nodes)) in self.by_source().iter().enumerate() {
            lines.push(format!("  subgraph s{number}[{}]", mermaid_text(&[format!("source {source}")])));
            for node in nodes {
                lines.push(format!("    n{}[{}]", node.0, mermaid_text(&self.node_lines(*node, standings[node.0]))));
            }
            lines.push("  end".into());
        }
        for (number, (source, objects)) in self.objects_by_source().iter().enumerate() {
            lines.push(format!("  subgraph t{number}[{}]", mermaid_text(&[format!("objects in {source}")])));
            for at in objects {
                lines.push(format!("    o{at}[/{}/]", mermaid_text(&[self.objects[*at].name()])));
            }
            lines.push("  end".into());
        }
        for (at, place) in self.objects.iter().enumerate() {
            lines.push(format!("  n{} -->|{}| o{at}", place.rows.0, mermaid_text(&[place.locate.to_string()])));
        }
        for (at, place) in self.rows.iter().enumerate() {
            let words = [place.name(), format!("{} in {}", place.located(), place.source)];
            lines.push(format!("  r{at}[/{}/]", mermaid_text(&words)));
            for (from, field) in self.ways_to_rows(place) {
                lines.push(format!("  {from} -->|{}| r{at}", mermaid_text(&[field])));
            }
        }
        for (kind, node, column) in self.entries() {
            lines.push(format!("  i{kind} -->|{}| n{}", mermaid_text(&[column.to_owned()]), node.0));
        }
        for edge in self.edges.iter().chain(&self.ignored) {
            let arrow = match edge.right {
                Right::Owns => "==>",
                Right::Accesses => "-->",
                Right::None => "-.->",
            };
            lines.push(format!("  n{} {arrow}|{}| n{}", edge.from.0, mermaid_text(&edge_lines(edge)), edge.to.0));
        }
        lines.push("  classDef unowned fill:#ddd,stroke:#888,color:#000".into());
        lines.push("  classDef unreached stroke-dasharray:5 5".into());
        for (class, standing) in [("unowned", Standing::Unowned), ("unreached", Standing::Unreached)] {
            let of_class = (0..self.nodes.len()).filter(|at| standings[*at] == standing);
            let names: Vec<String> = of_class.map(|at| format!("n{at}")).collect();
            if !names.is_empty() {
                lines.push(format!("  class {} {class}", names.join(",")));
            }
        }
        lines.join("\n") + "\n"
    }

    /// Kinds of identifiers, each once.
    fn kinds(&self) -> Vec<&str> {
        let of_nodes = self.nodes.iter().flat_map(|node| &node.identities).map(|field| field.kind.as_str());
        let of_rows = self.rows.iter().flat_map(|place| &place.names).filter_map(|field| match &field.by {
            NamedBy::Identity(kind) => Some(kind.as_str()),
            NamedBy::Rows { .. } => None,
        });
        let kinds: BTreeSet<&str> = of_nodes.chain(of_rows).collect();
        kinds.into_iter().collect()
    }

    /// Where identifiers lead to: position of the kind, node, column.
    fn entries(&self) -> Vec<(usize, NodeId, &str)> {
        let kinds = self.kinds();
        let mut entries = Vec::new();
        for (at, node) in self.nodes.iter().enumerate() {
            for field in &node.identities {
                let kind = kinds.iter().position(|kind| *kind == field.kind).unwrap_or_default();
                entries.push((kind, NodeId(at), field.column.as_str()));
            }
        }
        entries
    }

    /// What leads to rows inside objects: the name of a drawn kind or node, and the field.
    fn ways_to_rows(&self, place: &RowPlace) -> Vec<(String, String)> {
        let kinds = self.kinds();
        let way = |field: &NamingField| match &field.by {
            NamedBy::Identity(kind) => Some((format!("i{}", kinds.iter().position(|known| known == kind)?), field.name())),
            NamedBy::Rows { node, column } => Some((format!("n{}", node.0), format!("{column} → {}", field.name()))),
        };
        place.names.iter().filter_map(way).collect()
    }

    fn by_source(&self) -> BTreeMap<&str, Vec<NodeId>> {
        let mut by_source: BTreeMap<&str, Vec<NodeId>> = BTreeMap::new();
        for (at, node) in self.nodes.iter().enumerate() {
            by_source.entry(&node.source).or_default().push(NodeId(at));
        }
        by_source
    }

    fn objects_by_source(&self) -> BTreeMap<&str, Vec<usize>> {
        let mut by_source: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (at, place) in self.objects.iter().enumerate() {
            by_source.entry(&place.source).or_default().push(at);
        }
        by_source
    }

    fn standings(&self) -> Vec<Standing> {
        let both = self.owned().into_iter().zip(self.reachable(None));
        both.map(|known| match known {
            (true, _) => Standing::Owned,
            (false, true) => Standing::Unowned,
            (false, false) => Standing::Unreached,
        })
        .collect()
    }

    fn node_lines(&self, node: NodeId, standing: Standing) -> Vec<String> {
        let mut lines = vec![self.nodes[node.0].name()];
        match standing {
            Standing::Owned => {}
            Standing::Unowned => lines.push("nobody's: only accessed".into()),
            Standing::Unreached => lines.push("no identity reaches it".into()),
        }
        lines
    }
}

fn edge_lines(edge: &Edge) -> Vec<String> {
    let mut lines = vec![
        format!("{} → {}", edge.from_columns.join(", "), edge.to_columns.join(", ")),
        match edge.unlink {
            true => format!("{}, unlinked on erasure", super::print::right_word(edge.right)),
            false => super::print::right_word(edge.right).to_owned(),
        },
    ];
    lines.extend(edge.filter.as_ref().map(|filter| format!("where {}", filter.to_value())));
    lines.extend((!edge.hide.is_empty()).then(|| format!("hides {}", edge.hide.join(", "))));
    lines
}

/// Characters that end a line or drive a terminal have no place in a picture.
fn printable(text: &str) -> impl Iterator<Item = char> {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c })
}

/// A quoted label. Graphviz reads entities and backslash escapes in it.
fn dot_text(lines: &[&str]) -> String {
    let escaped = lines.iter().map(|line| {
        let mut text = String::new();
        for character in printable(line) {
            match character {
                '"' | '\\' => text.extend(['\\', character]),
                '&' => text.push_str("&amp;"),
                other => text.push(other),
            }
        }
        text
    });
    format!("\"{}\"", escaped.collect::<Vec<_>>().join("\\n"))
}

fn dot_lines(lines: &[String]) -> String {
    dot_text(&lines.iter().map(String::as_str).collect::<Vec<_>>())
}

/// A quoted label. Mermaid reads entities without `&`, HTML and Markdown in it, so that only letters, digits and harmless signs stay as they are.
fn mermaid_text(lines: &[String]) -> String {
    let escaped = lines.iter().map(|line| {
        let mut text = String::new();
        for character in printable(line) {
            match character {
                ' ' | '_' | '.' | ',' | ':' | '-' | '→' | '(' | ')' | '\'' => text.push(character),
                other if other.is_alphanumeric() => text.push(other),
                other => text.push_str(&format!("#{};", u32::from(other))),
            }
        }
        text
    });
    format!("\"{}\"", escaped.collect::<Vec<_>>().join("<br/>"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_cannot_leave_their_labels() {
        assert_eq!(dot_text(&["a\"]; evil [\\", "b&c\n"]), "\"a\\\"]; evil [\\\\\\nb&amp;c\u{fffd}\"");
        assert_eq!(mermaid_text(&["a\"] -- b".into()]), "\"a#34;#93; -- b\"");
        assert_eq!(mermaid_text(&["<b>".into(), "#`é→".into()]), "\"#60;b#62;<br/>#35;#96;é→\"");
    }
}
