//! Columns by which rows are looked up, without an index that serves the lookup: each request then reads the whole table.

use super::{Live, Mapped};
use crate::connector::sql::Table;
use crate::connector::sql::text::advice;
use crate::counted::counted;
use crate::datamap::{Code, Finding, Place, Severity};
use crate::db::Dialect;
use crate::subject::NormalForm;

/// Below so many rows a scan takes about a millisecond, and an index is not worth a word.
const ROWS_WORTH_AN_INDEX: u64 = 10_000;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let dialect = live.catalogue.dialect;
    for edge in live.graph.edges.iter().chain(live.graph.cut_unseen().map(|(_, edge)| edge)) {
        let reaches = |node| live.of_node(node).filter(|mapped| mapped.is_reached || edge.is_cut_unseen());
        if edge.to_path.is_empty()
            && let Some(mapped) = reaches(edge.to)
            && let Some(table) = mapped.table
        {
            findings.extend(missing_index(dialect, mapped, table, &edge.to_columns, &edge.place, "an edge"));
        }
    }
    for (mapped, table) in live.reached() {
        // A value that is normalised before it is compared needs an index on the expression, which the catalogue does not list.
        let identities =
            mapped.collection.fields.iter().filter(|field| field.identity.is_some() && field.normal_form == NormalForm::Exact);
        for field in identities {
            findings.extend(missing_index(dialect, mapped, table, std::slice::from_ref(&field.name), &field.place, "an identity"));
        }
    }
    findings
}

fn missing_index(
    dialect: Dialect,
    mapped: &Mapped<'_>,
    table: &Table,
    columns: &[String],
    place: &Place,
    by: &str,
) -> Option<Finding> {
    // Inside a document there is nothing that a plain index could serve.
    let are_columns = columns.iter().all(|column| table.column(column).is_some());
    if !are_columns || table.has_index_on(columns) {
        return None;
    }
    let rows = match table.estimated_rows {
        Some(rows) if rows < ROWS_WORTH_AN_INDEX => return None,
        Some(rows) => format!("about {}", counted(rows, "row", "rows")),
        None => "an unknown number of rows".into(),
    };
    let list = columns.join(", ");
    Some(Finding {
        severity: Severity::Warning,
        code: Code::MissingIndex,
        write: Some(advice::create_index(&table.name, columns, dialect == Dialect::Sqlite)),
        place: Some(place.clone()),
        subject: mapped.field_name(&columns.join("+")),
        problem: format!("rows are looked up by {by} on `{list}`, and no index serves that"),
        why: format!("every request reads the whole table ({rows})"),
        hint: "create the index, where the table is large in its quiet hours".into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite, only};
    use crate::datamap::Severity::Warning;

    #[tokio::test]
    async fn a_lookup_without_an_index_is_told_with_the_number_of_rows() {
        let map = "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}]
      - name: notes
        habeas: {on_erasure: delete}
        fields: [{name: user_id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}]
";
        let schema = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 12000) INSERT INTO notes SELECT i, 1 FROM n";
        let findings = check_sqlite(map, schema).await;
        assert_eq!(about(&findings, Warning, "missing_index"), ["app.notes.user_id"]);
        let finding = only(&findings, "missing_index");
        assert!(
            finding.why.contains("about 12,000 rows") && finding.write.as_ref().unwrap().contains("(\"user_id\")"),
            "{finding}"
        );
        let without = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER); CREATE INDEX n ON notes (user_id, id);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000) INSERT INTO users SELECT i, i FROM n";
        assert_eq!(about(&check_sqlite(map, without).await, Warning, "missing_index"), ["app.users.email"]);
        let small = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT);
            CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER);
            WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) INSERT INTO users SELECT i, i FROM n";
        let findings = check_sqlite(map, small).await;
        assert!(about(&findings, Warning, "missing_index").is_empty(), "a scan of so few rows costs nothing");
    }
}
