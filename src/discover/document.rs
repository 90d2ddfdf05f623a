//! A proposal as one JSON document: every edge with its evidence in numbers, every table and column with what was made of it.

use serde_json::{Value, json};

use super::proposal::{Edge, Proposal, ProposedTable};
use super::summary::counts;

/// The document.
pub fn document(proposal: &Proposal) -> Value {
    let counts = counts(proposal);
    json!({
        "source": proposal.source,
        "summary": {
            "tables": proposal.tables.len(), "subjects": counts.subjects, "reached": counts.reached,
            "edges": {"active": counts.active, "unsure": counts.unsure}, "undecided": proposal.tables.len(),
        },
        "tables": proposal.tables.iter().map(table).collect::<Vec<_>>(),
        "edges": proposal.edges.iter().map(|one| edge(proposal, one)).collect::<Vec<_>>(),
        "unread": proposal.unread.iter().map(|unread| json!({"table": unread.table, "problem": unread.problem})).collect::<Vec<_>>(),
    })
}

fn table(table: &ProposedTable) -> Value {
    let columns = table.columns.iter().map(|column| {
        json!({
            "name": column.name,
            "category": column.label.map(|label| label.category),
            "credential": column.label.is_some_and(|label| label.is_credential),
            "identity": column.identity.as_ref().map(|identity| json!({"kind": identity.kind, "normal_form": identity.normal_form})),
        })
    });
    json!({
        "schema": table.schema, "name": table.name, "rows": table.rows, "subject": table.is_subject, "reached": table.is_reached,
        "suggestion": table.suggestion, "columns": columns.collect::<Vec<_>>(),
    })
}

fn edge(proposal: &Proposal, edge: &Edge) -> Value {
    let inclusion = edge.evidence.inclusion.map(|seen| {
        json!({
            "tried": seen.tried, "found": seen.found, "share": rounded(seen.share()), "coverage": rounded(seen.coverage),
            "out_of_range": rounded(seen.out_of_range), "beyond_chance": rounded(seen.surprise()),
        })
    });
    json!({
        "table": proposal.tables[edge.table].name, "columns": edge.columns,
        "target": proposal.tables[edge.target].name, "target_columns": edge.target_columns,
        "confidence": edge.confidence, "active": edge.active, "right": edge.right,
        "where": edge.only_where.as_ref().map(|(column, word)| json!({column: word})),
        "evidence": {
            "declared": edge.evidence.declared, "name": edge.evidence.name, "inclusion": inclusion, "joins": edge.evidence.joins,
            "indexed": edge.evidence.indexed, "rival": edge.evidence.rival,
        },
    })
}

fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}
