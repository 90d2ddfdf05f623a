//! Writes a proposal as a data map. What is sure stands in it, what is unsure stands in comments with its evidence, and what erasure does is
//! left undecided with a suggestion beside it. The same proposal gives the same bytes; names are quoted wherever YAML could take them for
//! something else.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::proposal::{Edge, Proposal, ProposedColumn, ProposedTable};
use super::summary::in_words;
use crate::datamap::Right;
use crate::subject::NormalForm;

/// The text of the map.
pub fn data_map(proposal: &Proposal) -> String {
    let mut text = HEAD.to_owned();
    for unread in &proposal.unread {
        line(&mut text, 0, &format!("# Not looked at: {}: {}", harmless(&unread.table), unread.problem));
    }
    text.push_str("dataset:\n");
    let schemas: BTreeSet<&str> = proposal.tables.iter().map(|table| table.schema.as_str()).collect();
    for schema in schemas {
        dataset(&mut text, proposal, schema);
    }
    text
}

const HEAD: &str = "\
# A proposal by `habeas map discover`, to be read and corrected by somebody who knows the application.
#
# * Each edge has its confidence and its evidence above it. What is less sure is commented out and says how to take it.
# * `on_erasure: undecided` blocks every plan that erases, until somebody writes delete, mask, unlink or keep (docs/data-map.md).
# * `right: none` is an edge that is known and not followed: a reply does not belong to whoever wrote what it replies to.
# * Purposes, legal bases, recipients and retention are not in a schema: they are for people to write.
";

/// Dataset key of a schema: the source itself, or with the schema's name behind it.
fn dataset_key(proposal: &Proposal, schema: &str) -> String {
    if matches!(schema, "main" | "public") || proposal.tables.iter().all(|table| table.schema == schema) {
        return proposal.source.clone();
    }
    let safe: String = schema.chars().map(|c| if c.is_ascii_alphanumeric() || c == '_' { c } else { '-' }).collect();
    format!("{}.{safe}", proposal.source)
}

fn dataset(text: &mut String, proposal: &Proposal, schema: &str) {
    let key = dataset_key(proposal, schema);
    line(text, 2, &format!("- fides_key: {}", scalar(&key)));
    line(text, 4, &format!("habeas: {{source: {}}}", scalar(&proposal.source)));
    if !matches!(schema, "main" | "public") {
        line(text, 4, &format!("fides_meta: {{namespace: {{schema: {}}}}}", scalar(schema)));
    }
    line(text, 4, "collections:");
    for (at, table) in proposal.tables.iter().enumerate().filter(|(_, table)| table.schema == schema) {
        collection(text, proposal, at, table);
    }
}

fn collection(text: &mut String, proposal: &Proposal, at: usize, table: &ProposedTable) {
    let what = if table.is_subject { ", people" } else { "" };
    line(text, 6, &format!("# {}{what}", rows(table.rows)));
    line(text, 6, &format!("- name: {}", scalar(&table.name)));
    line(text, 8, &format!("habeas: {{on_erasure: undecided}} # suggested: {}", table.suggestion));
    line(text, 8, "fields:");
    for column in &table.columns {
        field(text, proposal, at, table, column);
    }
}

fn rows(rows: u64) -> String {
    match rows {
        0 => "no rows".to_owned(),
        1 => "1 row".to_owned(),
        // Two digits are as good as an estimate gets, and stay the same from one day to the next.
        rows => {
            let scale = 10u64.pow(rows.ilog10().saturating_sub(1));
            format!("about {} rows", rows / scale * scale)
        }
    }
}

fn field(text: &mut String, proposal: &Proposal, at: usize, table: &ProposedTable, column: &ProposedColumn) {
    let edges: Vec<&Edge> = proposal.edges.iter().filter(|edge| edge.table == at && edge.columns.contains(&column.name)).collect();
    // A reference is written `table.column`: a dot in the table's name would make another of it.
    let (active, unsure): (Vec<&Edge>, Vec<&Edge>) =
        edges.into_iter().partition(|edge| edge.active && can_be_written(proposal, edge));
    for edge in &active {
        line(text, 10, &format!("# {:.2} {}; {}", edge.confidence, target(proposal, edge), in_words(&edge.evidence)));
        if !edge.why.is_empty() {
            line(text, 10, &format!("#   {}: {}", right_word(edge.right), edge.why));
        }
    }
    for edge in &unsure {
        line(text, 10, &format!("# unsure, {:.2} {}; {}", edge.confidence, target(proposal, edge), in_words(&edge.evidence)));
        line(text, 10, &format!("#   to take it: {}", references(proposal, &[edge], column)));
    }
    line(text, 10, &format!("- name: {}", scalar(&column.name)));
    if let Some(label) = column.label {
        // A label in a table that nothing reaches would promise what no request can keep.
        let hash = if table.is_reached { "" } else { "# " };
        line(text, 12, &format!("{hash}data_categories: [{}]", label.category));
    }
    meta(text, proposal, &active, column);
    extension(text, table, &active, column);
}

fn meta(text: &mut String, proposal: &Proposal, active: &[&Edge], column: &ProposedColumn) {
    let mut parts = Vec::new();
    if column.primary_key {
        parts.push("primary_key: true".to_owned());
    }
    if let Some(identity) = &column.identity {
        parts.push(format!("identity: {}", scalar(&identity.kind)));
    }
    if !active.is_empty() {
        parts.push(references(proposal, active, column));
    }
    if !parts.is_empty() {
        line(text, 12, &format!("fides_meta: {{{}}}", parts.join(", ")));
    }
}

fn extension(text: &mut String, table: &ProposedTable, active: &[&Edge], column: &ProposedColumn) {
    let mut parts = Vec::new();
    let composite: Vec<String> =
        active.iter().filter(|edge| edge.columns.len() > 1).map(|edge| scalar(&edge.columns.join("_"))).collect();
    // A column that is a part of several keys says nothing of its own: their other columns do.
    let is_only_a_part = composite.len() > 1 && composite.len() == active.len();
    if let Some(edge) = active.iter().min_by_key(|edge| (edge.columns.len(), edge.right)).filter(|_| !is_only_a_part) {
        parts.push(format!("right: {}", right_word(edge.right)));
    }
    match composite.as_slice() {
        [] => {}
        [only] => parts.push(format!("edge: {only}")),
        several => parts.push(format!("edge: [{}]", several.join(", "))),
    }
    if let Some((kind, word)) = active.iter().find_map(|edge| edge.only_where.as_ref()) {
        parts.push(format!("where: {{{}: {}}}", scalar(kind), scalar(word)));
    }
    if let Some(identity) = column.identity.as_ref().filter(|identity| identity.normal_form != NormalForm::Exact) {
        let form = if identity.normal_form == NormalForm::E164 { "e164" } else { "ascii_lower" };
        parts.push(format!("normal_form: {form}"));
    }
    if column.label.is_some_and(|label| label.is_credential) {
        parts.push("withhold: credential".to_owned());
    }
    if parts.is_empty() {
        return;
    }
    let accessed = active.iter().any(|edge| edge.right == Right::Accesses);
    let hint = if accessed && table.is_reached && column.can_be_cleared { " # or with `on_erasure: unlink`" } else { "" };
    line(text, 12, &format!("habeas: {{{}}}{hint}", parts.join(", ")));
}

fn references(proposal: &Proposal, edges: &[&Edge], column: &ProposedColumn) -> String {
    let one = |edge: &&Edge| {
        let to = &proposal.tables[edge.target];
        let part = edge.columns.iter().position(|name| *name == column.name).unwrap_or(0);
        let field = format!("{}.{}", to.name, edge.target_columns[part]);
        format!("{{dataset: {}, field: {}, direction: from}}", scalar(&dataset_key(proposal, &to.schema)), scalar(&field))
    };
    let mut all: Vec<String> = Vec::new();
    for reference in edges.iter().map(one) {
        if !all.contains(&reference) {
            all.push(reference);
        }
    }
    format!("references: [{}]", all.join(", "))
}

fn can_be_written(proposal: &Proposal, edge: &Edge) -> bool {
    !proposal.tables[edge.target].name.contains('.')
}

fn target(proposal: &Proposal, edge: &Edge) -> String {
    let to = format!("to {}.{}", proposal.tables[edge.target].name, edge.target_columns.join("+"));
    let only = edge.only_where.as_ref().map(|(kind, word)| format!(" where {kind} is {word}")).unwrap_or_default();
    harmless(&format!("{to}{only}"))
}

fn right_word(right: Right) -> &'static str {
    match right {
        Right::None => "none",
        Right::Accesses => "accesses",
        Right::Owns => "owns",
    }
}

fn line(text: &mut String, indent: usize, content: &str) {
    // Writing to a String cannot fail.
    writeln!(text, "{:indent$}{content}", "").unwrap_or_default();
}

/// Names in comments: a line break would end the comment.
fn harmless(name: &str) -> String {
    name.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A name as YAML: plain where nothing can be mistaken, quoted as JSON is otherwise.
fn scalar(name: &str) -> String {
    const WORDS: [&str; 12] = ["y", "n", "yes", "no", "true", "false", "on", "off", "null", "nan", "inf", "infinity"];
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well && name.chars().all(plain) && !WORDS.contains(&name.to_lowercase().as_str()) {
        return name.to_owned();
    }
    serde_json::Value::from(name).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_yaml_could_mistake_is_quoted() {
        assert_eq!(scalar("user_id"), "user_id");
        for (name, written) in [("no", "\"no\""), ("1st", "\"1st\""), ("a: b", "\"a: b\""), ("x\ny", "\"x\\ny\""), ("", "\"\"")] {
            assert_eq!(scalar(name), written);
        }
        assert_eq!(harmless("x\nhabeas: {on_erasure: delete}"), "x\u{fffd}habeas: {on_erasure: delete}");
    }

    #[test]
    fn numbers_of_rows_are_rounded_so_that_the_map_stays_the_same() {
        assert_eq!(rows(4132), "about 4100 rows");
        assert_eq!(rows(4187), "about 4100 rows");
        assert_eq!((rows(0), rows(7)), ("no rows".to_owned(), "about 7 rows".to_owned()));
    }
}
