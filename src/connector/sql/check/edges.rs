//! Edges whose two ends are of different types. Some can never be equal, which is a mistake; others are compared by their text, which finds
//! what is meant only where both sides write it the same way.

use super::Live;
use crate::connector::sql::Column;
use crate::datamap::{Code, Edge, Finding, Severity};
use crate::db::Dialect;
use crate::value::ColumnType;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    // Inside JSON a value has whatever type it has, and is compared by its text.
    let all = live.graph.edges.iter().chain(live.graph.cut_unseen().map(|(_, edge)| edge));
    all.filter(|edge| edge.to_path.is_empty()).flat_map(|edge| ends(live, edge)).collect()
}

fn ends(live: &Live<'_>, edge: &Edge) -> Vec<Finding> {
    let (Some(from), Some(to)) = (live.of_node(edge.from), live.of_node(edge.to)) else { return Vec::new() };
    let (Some(from_table), Some(to_table)) = (from.table, to.table) else { return Vec::new() };
    let mut findings = Vec::new();
    for (start, end) in edge.from_columns.iter().zip(&edge.to_columns) {
        let (Some(start), Some(end)) = (from_table.column(start), to_table.column(end)) else { continue };
        let names = format!(
            "`{}` ({}) and `{}` ({})",
            from.field_name(&start.name),
            start.declared_type,
            to.field_name(&end.name),
            end.declared_type
        );
        let place = Some(edge.place.clone());
        let subject = to.field_name(&end.name);
        match meeting(start, end, live.catalogue.dialect) {
            Meeting::Plain => {}
            Meeting::ByText => findings.push(Finding {
                severity: Severity::Warning,
                code: Code::EdgeTypes,
                place,
                subject,
                problem: format!("{names} are of different types and are compared by their text"),
                why: "a value that is written another way on the other side (`007` and 7) is not followed".into(),
                hint: "store both in the same type, or make sure that both are written the same way".into(),
                write: None,
            }),
            Meeting::Never => findings.push(Finding {
                severity: Severity::Error,
                code: Code::EdgeTypes,
                place,
                subject,
                problem: format!("{names} can never be equal"),
                why: "nothing would be found over this reference, and be called nothing".into(),
                hint: "let the reference name the column that holds the same values (see `field`), or remove it".into(),
                write: None,
            }),
        }
    }
    findings
}

enum Meeting {
    Plain,
    ByText,
    Never,
}

fn meeting(start: &Column, end: &Column, dialect: Dialect) -> Meeting {
    use ColumnType::{Boolean, Bytes, Date, Decimal, Float, Integer, Text, Time, TimestampLocal, TimestampUtc, Uuid};
    let is_number = |kind: ColumnType| matches!(kind, Integer | Decimal | Float);
    let (left, right) = (start.column_type, end.column_type);
    if left == right || (is_number(left) && is_number(right)) || (left.is_text_like() && right.is_text_like()) {
        return Meeting::Plain;
    }
    if dialect == Dialect::Sqlite && (left == Text || right == Text) {
        // What a column holds is not what it declares.
        return Meeting::ByText;
    }
    let is_moment = |kind: ColumnType| matches!(kind, Date | Time | TimestampLocal | TimestampUtc);
    let apart = |one: ColumnType, other: ColumnType| {
        (one == Uuid && (is_number(other) || is_moment(other) || other == Boolean || other == Bytes))
            || (is_number(one) && (is_moment(other) || other == Boolean || other == Bytes))
            || (is_moment(one) && (other == Boolean || other == Bytes))
            || (one == Boolean && other == Bytes)
    };
    // SQLite keeps a flag as 0 or 1, and a UUID as bytes or text.
    let is_loose = dialect == Dialect::Sqlite;
    if !is_loose && (apart(left, right) || apart(right, left)) { Meeting::Never } else { Meeting::ByText }
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_postgres, check_sqlite, only};
    use crate::datamap::Severity::{Error, Warning};

    const MAP: &str = "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}]
      - name: notes
        habeas: {on_erasure: delete}
        fields:
          - {name: id}
          - {name: user_id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}
";

    #[tokio::test]
    async fn ends_that_can_never_be_equal_are_an_error_and_those_compared_by_text_a_warning() {
        let Some(findings) = check_postgres(
            MAP,
            "CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE notes (id int PRIMARY KEY, user_id uuid)",
        )
        .await
        else {
            return;
        };
        assert_eq!(about(&findings, Error, "edge_types"), ["app.notes.user_id"]);
        assert_eq!(only(&findings, "edge_types").place.as_ref().unwrap().line, 12);
        let schema = "CREATE TABLE users (id int PRIMARY KEY, email text); CREATE TABLE notes (id int PRIMARY KEY, user_id text)";
        let Some(findings) = check_postgres(MAP, schema).await else { return };
        assert!(only(&findings, "edge_types").problem.contains("compared by their text"));
        assert_eq!(about(&check_sqlite(MAP, schema).await, Warning, "edge_types"), ["app.notes.user_id"]);
    }

    #[tokio::test]
    async fn numbers_of_different_widths_are_the_same_numbers() {
        let schema =
            "CREATE TABLE users (id bigint PRIMARY KEY, email text); CREATE TABLE notes (id int PRIMARY KEY, user_id numeric)";
        let Some(findings) = check_postgres(MAP, schema).await else { return };
        assert!(findings.iter().all(|finding| finding.code != "edge_types"), "{findings:#?}");
    }
}
