//! Sub-fields against the live schema: only a column that can hold JSON has parts.

use super::{Live, Mapped};
use crate::datamap::{Code, Finding, Severity};
use crate::db::Dialect;
use crate::value::ColumnType;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mapped in &live.collections {
        let Some(table) = mapped.table else { continue };
        for field in mapped.collection.fields.iter().filter(|field| !field.fields.is_empty()) {
            let Some(column) = table.column(&field.name).filter(|column| !column.column_type.may_hold_json()) else { continue };
            findings.push(Finding {
                severity: Severity::Error,
                code: Code::SubFieldsNotJson,
                place: Some(field.place.clone()),
                subject: mapped.field_name(&field.name),
                problem: format!("the map has sub-fields here, and the column is of type {}", column.declared_type),
                why: "there are no parts to hand over or to overwrite in it, and what is said of them would have no effect".into(),
                hint: "remove the sub-fields, or correct the name of the column".into(),
                write: None,
            });
        }
    }
    findings.extend(live.collections.iter().flat_map(|mapped| not_followed(live, mapped)));
    findings
}

/// Identities and references inside JSON that this source cannot look up.
fn not_followed(live: &Live<'_>, mapped: &Mapped<'_>) -> Vec<Finding> {
    let (Some(node), Some(table)) = (mapped.node, mapped.table) else { return Vec::new() };
    let identities = live.graph.nodes[node.0].identities.iter().filter_map(|field| Some((field.inside()?, false)));
    let unseen = live.graph.cut_unseen().map(|(_, edge)| edge).filter(|edge| edge.to == node);
    let edges = live.graph.edges_into(node).chain(unseen).filter_map(|edge| {
        let comes_from_elsewhere = live.graph.nodes[edge.from.0].source != live.graph.nodes[edge.to.0].source;
        Some((edge.inside()?, comes_from_elsewhere))
    });
    let mut findings = Vec::new();
    for (spot, comes_from_elsewhere) in identities.chain(edges) {
        let is_text = table.column(&spot.column).is_some_and(|column| column.column_type == ColumnType::Text);
        let reason = match live.catalogue.dialect {
            Dialect::MySql => "MySQL and MariaDB are not searched inside JSON",
            _ if comes_from_elsewhere => "its values are compared with those of another source",
            Dialect::Postgres if is_text => "the column is text, and one row that is no JSON would fail the whole search",
            Dialect::Postgres | Dialect::Sqlite => continue,
        };
        let name = [vec![spot.column], spot.path].concat().join(".");
        findings.push(Finding {
            severity: Severity::Error,
            code: Code::InsideNotFollowed,
            place: Some(mapped.collection.place.clone()),
            subject: mapped.field_name(&name),
            problem: format!("an identity or reference stands inside JSON, and {reason}"),
            why: "rows that only this value leads to would not be found".into(),
            hint: "keep the value in a column of its own; the database can compute it from the JSON (a generated column)".into(),
            write: None,
        });
    }
    findings
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_postgres, check_sqlite};
    use crate::datamap::Severity::Error;

    const MAP: &str = "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, fides_meta: {identity: email}}
          - {name: a, fields: [{name: x}]}
          - {name: b, fields: [{name: x}]}
          - {name: c, fields: [{name: x}]}
";

    #[tokio::test]
    async fn sub_fields_of_a_column_that_holds_no_json_are_an_error() {
        let sqlite =
            check_sqlite(MAP, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, a JSON, b TEXT, c INTEGER)").await;
        assert_eq!(about(&sqlite, Error, "sub_fields_not_json"), ["app.users.c"]);
        let schema = "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE, a jsonb, b json, c bytea)";
        let Some(postgres) = check_postgres(MAP, schema).await else { return };
        assert_eq!(about(&postgres, Error, "sub_fields_not_json"), ["app.users.c"]);
    }
}
