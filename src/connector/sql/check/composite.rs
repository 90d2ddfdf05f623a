//! Composite keys that the map takes apart. Each part by itself is equal in rows of many people (the same number in another tenant), so that
//! such references reach other people's rows: all parts of a key are one edge, and the map has to say so by one name.

use super::{Live, Mapped, part_of_key};
use crate::connector::sql::{ForeignKey, Table};
use crate::datamap::{Code, Edge, Finding, NodeId, Severity};

/// The columns of an edge from the side that refers.
struct Ends<'e> {
    child: NodeId,
    child_columns: &'e [String],
    parent: NodeId,
    parent_columns: &'e [String],
}

impl<'e> Ends<'e> {
    fn of(edge: &'e Edge) -> Ends<'e> {
        match edge.declared_on_to {
            true => Ends { child: edge.to, child_columns: &edge.to_columns, parent: edge.from, parent_columns: &edge.from_columns },
            false => {
                Ends { child: edge.from, child_columns: &edge.from_columns, parent: edge.to, parent_columns: &edge.to_columns }
            }
        }
    }
}

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for edge in &live.graph.edges {
        let Some(found) = taken_apart(live, edge).or_else(|| part_of_key::check(live, edge)) else { continue };
        if !findings.iter().any(|known| known.subject == found.subject) {
            findings.push(found);
        }
    }
    findings
}

fn taken_apart(live: &Live<'_>, edge: &Edge) -> Option<Finding> {
    let ends = Ends::of(edge);
    let (child, parent) = (live.of_node(ends.child)?, live.of_node(ends.parent)?);
    let (child_table, parent_table) = (child.table?, parent.table?);
    if parent_table.names_one_row(ends.parent_columns) {
        return None;
    }
    let declared = child_table.foreign_keys.iter().find(|key| is_part_of(&ends, key, parent_table));
    let columns = match declared {
        Some(key) => key.columns.clone(),
        None => beside(live, &ends, parent_table),
    };
    (columns.len() > 1).then(|| finding(child, parent, edge, &columns, declared.is_some()))
}

/// Whether an edge has some of the pairs of a foreign key, and not all.
fn is_part_of(ends: &Ends<'_>, key: &ForeignKey, parent: &Table) -> bool {
    let pairs = |own: &String, other: &String| key.columns.iter().zip(&key.referenced_columns).any(|(a, b)| a == own && b == other);
    key.referenced == parent.name
        && ends.child_columns.len() < key.columns.len()
        && ends.child_columns.iter().zip(ends.parent_columns).all(|(own, other)| pairs(own, other))
}

/// Columns of one collection that refer, each by itself, to different parts of the same primary key.
fn beside(live: &Live<'_>, ends: &Ends<'_>, parent: &Table) -> Vec<String> {
    let mut columns = Vec::new();
    let mut parts = Vec::new();
    for other in &live.graph.edges {
        let other = Ends::of(other);
        let ([own], [part]) = (other.child_columns, other.parent_columns) else { continue };
        let is_part = parent.primary_key.len() > 1 && parent.primary_key.contains(part) && !parts.contains(part);
        if other.child == ends.child && other.parent == ends.parent && is_part {
            columns.push(own.clone());
            parts.push(part.clone());
        }
    }
    columns
}

fn finding(child: &Mapped<'_>, parent: &Mapped<'_>, edge: &Edge, columns: &[String], declared: bool) -> Finding {
    let parent_name = &parent.collection.name;
    let names: Vec<String> = columns.iter().map(|name| format!("`{name}`")).collect();
    let what = if declared { "one foreign key" } else { "parts of one key" };
    Finding {
        severity: Severity::Error,
        code: Code::CompositeKeyHalfDeclared,
        place: Some(edge.place.clone()),
        subject: format!("{}.{}.{}", child.dataset.fides_key, child.collection.name, columns.join("+")),
        problem: format!("{} are {what} to `{parent_name}`, and the map does not read them as one", names.join(" and ")),
        why: "one part alone is equal in rows of many people: they would be taken for each other's".into(),
        hint: format!(
            "write `habeas: {{edge: {parent_name}}}`, or another name, on each of {}, and the reference to `{parent_name}` on each",
            names.join(" and ")
        ),
        write: None,
    }
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite};
    use crate::datamap::Severity::Error;

    fn map(tenant: &str, author: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: accounts
        habeas: {{on_erasure: delete}}
        fields:
          - {{name: tenant, fides_meta: {{primary_key: true}}}}
          - {{name: id, fides_meta: {{primary_key: true}}}}
          - {{name: email, fides_meta: {{identity: email}}}}
      - name: posts
        habeas: {{on_erasure: delete}}
        fields:
          - {{name: id, fides_meta: {{primary_key: true}}}}
          - {{name: tenant{tenant}}}
          - {{name: author{author}}}
"
        )
    }

    fn reference(field: &str, habeas: &str) -> String {
        format!(", fides_meta: {{references: [{{dataset: app, field: accounts.{field}, direction: from}}]}}, habeas: {{{habeas}}}")
    }

    const TABLES: &str = "CREATE TABLE accounts (tenant INTEGER NOT NULL, id INTEGER NOT NULL, email TEXT UNIQUE, PRIMARY KEY (tenant, id));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, tenant INTEGER, author INTEGER, FOREIGN KEY (tenant, author) REFERENCES accounts (tenant, id))";
    const IMPLIED: &str = "CREATE TABLE accounts (tenant INTEGER NOT NULL, id INTEGER NOT NULL, email TEXT UNIQUE, PRIMARY KEY (tenant, id));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, tenant INTEGER, author INTEGER, FOREIGN KEY (tenant, author) REFERENCES accounts)";
    const UNDECLARED: &str =
        "CREATE TABLE accounts (tenant INTEGER NOT NULL, id INTEGER NOT NULL, email TEXT UNIQUE, PRIMARY KEY (tenant, id));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, tenant INTEGER, author INTEGER)";
    const BY_ID_ALONE: &str = "CREATE TABLE accounts (tenant INTEGER NOT NULL, id INTEGER NOT NULL UNIQUE, email TEXT UNIQUE, PRIMARY KEY (tenant, id));
        CREATE TABLE posts (id INTEGER PRIMARY KEY, tenant INTEGER, author INTEGER, FOREIGN KEY (tenant, author) REFERENCES accounts (tenant, id))";

    #[tokio::test]
    async fn o_1_the_parts_of_a_composite_key_are_one_edge() {
        let code = "composite_key_half_declared";
        let split = map(&reference("tenant", ""), &reference("id", ""));
        let half = map("", &reference("id", ""));
        let whole = map(&reference("tenant", "edge: account"), &reference("id", "edge: account"));
        for (map, schema, is_wrong) in [
            (&split, TABLES, true),
            (&half, TABLES, true),
            (&split, IMPLIED, true),
            (&half, IMPLIED, true),
            (&whole, TABLES, false),
            (&split, UNDECLARED, true),
            (&whole, UNDECLARED, false),
            (&half, BY_ID_ALONE, false),
        ] {
            let findings = check_sqlite(map, schema).await;
            let expected: &[&str] = if is_wrong { &["app.posts.tenant+author"] } else { &[] };
            let mut found = about(&findings, Error, code);
            found
                .iter_mut()
                .for_each(|subject| *subject = if subject.contains("author+tenant") { "app.posts.tenant+author" } else { subject });
            assert_eq!(found, expected, "{schema}\n{map}");
        }
    }
}
