//! Columns that unlinking would clear: those of an edge with `on_erasure: unlink`, and in a collection with that word every column that
//! leads to the subject.

use std::collections::BTreeSet;

use super::{Live, Mapped};
use crate::connector::sql::{Table, columns_to_clear};
use crate::datamap::{Code, Edge, Finding, OnErasure, Place, Right, Severity};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (mapped, table) in live.changed() {
        for column in fixed_columns(live, mapped, table) {
            findings.extend(cannot_be_cleared(mapped, table, column));
        }
    }
    findings
}

/// Edges whose columns are cleared in rows that stay.
fn cut_edges<'l>(live: &'l Live<'_>, mapped: &'l Mapped<'_>) -> impl Iterator<Item = &'l Edge> {
    let all = mapped.effect() == Some(OnErasure::Unlink);
    let unseen = live.graph.cut_unseen().map(|(_, edge)| edge);
    live.graph.edges.iter().chain(unseen).filter(move |edge| {
        Some(edge.to) == mapped.node
            && edge.declared_on_to
            && edge.to_path.is_empty()
            && (edge.unlink || all && edge.right == Right::Owns)
    })
}

fn identities<'l>(mapped: &'l Mapped<'_>) -> impl Iterator<Item = &'l str> {
    let all = mapped.effect() == Some(OnErasure::Unlink);
    mapped.collection.fields.iter().filter(move |field| all && field.identity.is_some()).map(|field| field.name.as_str())
}

/// Columns that unlinking sets to NULL.
pub(super) fn cleared_columns(live: &Live<'_>, mapped: &Mapped<'_>) -> BTreeSet<String> {
    let mut columns: BTreeSet<String> = identities(mapped).map(str::to_owned).collect();
    if let Some(table) = mapped.table {
        let of_edges = cut_edges(live, mapped);
        columns.extend(of_edges.flat_map(|edge| columns_to_clear(live.graph, edge.to.0, &edge.to_columns, table)));
    }
    columns
}

/// Columns of what is to be cleared where nothing of it can be. Of a composite key one part is enough.
fn fixed_columns<'l>(live: &'l Live<'_>, mapped: &'l Mapped<'_>, table: &Table) -> BTreeSet<&'l str> {
    let is_fixed = |edge: &&Edge| columns_to_clear(live.graph, edge.to.0, &edge.to_columns, table).is_empty();
    let fixed = cut_edges(live, mapped).filter(is_fixed);
    fixed.flat_map(|edge| edge.to_columns.iter().map(String::as_str)).chain(identities(mapped)).collect()
}

fn cannot_be_cleared(mapped: &Mapped<'_>, table: &Table, name: &str) -> Option<Finding> {
    let column = table.column(name)?;
    let (code, what) = if table.primary_key.iter().any(|key| key == name) {
        (Code::UnlinkKeyColumn, "is part of the primary key")
    } else if column.generated {
        (Code::UnlinkGeneratedColumn, "is computed by the database")
    } else if column.not_null {
        (Code::UnlinkNotNull, "is NOT NULL")
    } else {
        return None;
    };
    let place: &Place = mapped.collection.field(name).map_or(&mapped.collection.place, |field| &field.place);
    Some(Finding {
        severity: Severity::Error,
        code,
        write: None,
        place: Some(place.clone()),
        subject: mapped.field_name(name),
        problem: format!("unlinking clears `{name}`, which {what}"),
        why: "the database would refuse the statement and the whole erasure roll back".into(),
        hint: "make the column nullable, or write `habeas: {on_erasure: delete}` or `keep` instead of `unlink`".into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite};
    use crate::datamap::Severity::Error;

    const MAP: &str = "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: unlink}
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}]
      - name: notes
        habeas: {on_erasure: delete}
        fields:
          - name: reviewer_id
            fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}
            habeas: {right: accesses, on_erasure: unlink}
          - name: author_id
            fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}
";

    #[tokio::test]
    async fn only_nullable_columns_can_be_unlinked() {
        let strict = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE);
            CREATE TABLE notes (author_id INTEGER NOT NULL, reviewer_id INTEGER, PRIMARY KEY (reviewer_id))";
        let findings = check_sqlite(MAP, strict).await;
        assert_eq!(about(&findings, Error, "unlink_not_null"), ["app.users.email"], "the author is not unlinked");
        assert_eq!(about(&findings, Error, "unlink_key_column"), ["app.notes.reviewer_id"]);
        let lenient = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL, reviewer_id INTEGER)";
        assert!(check_sqlite(MAP, lenient).await.iter().all(|finding| !finding.code.as_str().starts_with("unlink")));
    }
}
