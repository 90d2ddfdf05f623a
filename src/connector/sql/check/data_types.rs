//! `fides_meta.data_type` against the live type. The live type is what counts for every statement, so that a difference is a sign that the
//! map describes another column, or an older one.

use super::{Live, Mapped};
use crate::connector::sql::{Column, Table};
use crate::datamap::{Code, Field, Finding, Severity};
use crate::db::Dialect;
use crate::value::ColumnType;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mapped in &live.collections {
        let Some(table) = mapped.table else { continue };
        for field in &mapped.collection.fields {
            findings.extend(differs(live.catalogue.dialect, mapped, table, field));
        }
    }
    findings
}

fn differs(dialect: Dialect, mapped: &Mapped<'_>, table: &Table, field: &Field) -> Option<Finding> {
    let (column, said) = (table.column(&field.name)?, field.data_type.as_deref()?);
    if fits(dialect, said, column) {
        return None;
    }
    let better = word_for(column.column_type);
    Some(Finding {
        severity: Severity::Warning,
        code: Code::DataTypeDiffers,
        place: Some(field.place.clone()),
        subject: mapped.field_name(&field.name),
        problem: format!("the map says `data_type: {said}`, and the column is of type {}", column.declared_type),
        why: "the live type counts; the map may describe another column, or one that has changed since".into(),
        hint: match better {
            Some(word) => format!("write `data_type: {word}`, or leave it out"),
            None => "leave `data_type` out: Fideslang has no word for this type".into(),
        },
        write: better.map(|word| format!("fides_meta: {{data_type: {word}}}")),
    })
}

/// Whether a word of Fideslang can stand for a live type. Fideslang has few words; dates, decimals and UUIDs are text to it.
fn fits(dialect: Dialect, said: &str, column: &Column) -> bool {
    let base = said.strip_suffix("[]");
    let live = column.column_type;
    if base.is_some() {
        return matches!(live, ColumnType::Array | ColumnType::Json | ColumnType::Other) || dialect == Dialect::Sqlite;
    }
    match said {
        "string" | "object_id" => {
            !matches!(live, ColumnType::Integer | ColumnType::Float | ColumnType::Boolean | ColumnType::Array)
        }
        "integer" => matches!(live, ColumnType::Integer | ColumnType::Decimal),
        "float" => matches!(live, ColumnType::Float | ColumnType::Decimal),
        // SQLite and others store 0 and 1.
        "boolean" => matches!(live, ColumnType::Boolean | ColumnType::Integer),
        "object" => matches!(live, ColumnType::Json | ColumnType::Text | ColumnType::Other),
        _ => true,
    }
}

fn word_for(live: ColumnType) -> Option<&'static str> {
    match live {
        ColumnType::Integer => Some("integer"),
        ColumnType::Decimal | ColumnType::Float => Some("float"),
        ColumnType::Boolean => Some("boolean"),
        ColumnType::Json => Some("object"),
        ColumnType::Text | ColumnType::Uuid => Some("string"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite, only};
    use crate::datamap::Severity::Warning;

    fn map(id: &str, email: &str, doc: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {{on_erasure: delete}}
        fields:
          - {{name: id, fides_meta: {{data_type: {id}}}}}
          - {{name: email, fides_meta: {{identity: email, data_type: {email}}}}}
          - {{name: doc, fides_meta: {{data_type: {doc}}}}}
          - {{name: born, fides_meta: {{data_type: string}}}}
"
        )
    }

    const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, doc JSON, born DATE)";

    #[tokio::test]
    async fn a_type_that_the_column_does_not_have_is_pointed_out() {
        assert_eq!(check_sqlite(&map("integer", "string", "object"), SCHEMA).await, []);
        let findings = check_sqlite(&map("string", "integer", "object"), SCHEMA).await;
        assert_eq!(about(&findings, Warning, "data_type_differs"), ["app.users.email", "app.users.id"]);
        let findings = check_sqlite(&map("string", "string", "object"), SCHEMA).await;
        assert_eq!(only(&findings, "data_type_differs").write.as_deref(), Some("fides_meta: {data_type: integer}"));
    }
}
