//! Drift in both directions: what the map names and the source does not have, and what the source has and the map does not name.
//! Also whether the rows that are to be erased can be named one by one.

use std::collections::BTreeSet;

use super::{Live, Mapped, closest, listed};
use crate::connector::sql::{Table, TableKind};
use crate::datamap::{Code, Finding, OnErasure, Severity, yaml_name};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for mapped in &live.collections {
        match mapped.table {
            None if mapped.node.is_none() => {}
            None => findings.push(missing_table(live, mapped)),
            Some(table) => {
                findings.extend(missing_columns(mapped, table));
                findings.extend(primary_key_differs(mapped, table));
                findings.extend(cannot_be_erased(mapped, table));
            }
        }
    }
    for table in live.catalogue.tables.values() {
        if live.is_mapped(&table.name) {
            findings.extend(unmapped_columns(live, table));
        } else {
            findings.extend(unmapped_table(live, table));
        }
    }
    findings
}

fn missing_table(live: &Live<'_>, mapped: &Mapped<'_>) -> Finding {
    let name = &mapped.collection.name;
    let elsewhere = live.catalogue.tables.keys().find(|table| table.name == *name);
    let hint = match (elsewhere, closest(name, live.catalogue.tables.keys().map(|table| table.name.as_str()))) {
        (Some(table), _) => {
            format!(
                "the schema `{}` has it: write `fides_meta: {{namespace: {{schema: {}}}}}` on the dataset",
                table.schema, table.schema
            )
        }
        (None, Some(similar)) => format!("did you mean `name: {similar}`? Otherwise remove the collection"),
        (None, None) => {
            format!("correct the name, remove the collection, or check that source `{}` is the right database", live.source)
        }
    };
    Finding {
        severity: Severity::Error,
        code: Code::MissingTable,
        write: None,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!("source `{}` has no table `{name}`", live.source),
        why: "what is not found is neither handed over nor erased, and must not be reported as nothing".into(),
        hint,
    }
}

fn missing_columns(mapped: &Mapped<'_>, table: &Table) -> Vec<Finding> {
    let missing = mapped.collection.fields.iter().filter(|field| table.column(&field.name).is_none());
    let finding = |field: &crate::datamap::Field| Finding {
        severity: Severity::Error,
        code: Code::MissingColumn,
        write: None,
        place: Some(field.place.clone()),
        subject: mapped.field_name(&field.name),
        problem: format!("table `{}` has no column `{}`", table.name, field.name),
        why: "the statements that read and erase this collection would fail".into(),
        hint: match closest(&field.name, table.columns.iter().map(|column| column.name.as_str())) {
            Some(similar) => format!("did you mean `name: {similar}`? Otherwise remove the field"),
            None => "correct the name, or remove the field".into(),
        },
    };
    missing.map(finding).collect()
}

fn primary_key_differs(mapped: &Mapped<'_>, table: &Table) -> Option<Finding> {
    let declared: BTreeSet<&str> =
        mapped.collection.fields.iter().filter(|field| field.primary_key).map(|field| field.name.as_str()).collect();
    let real: BTreeSet<&str> = table.primary_key.iter().map(String::as_str).collect();
    if declared.is_empty() || real.is_empty() || declared == real {
        return None;
    }
    Some(Finding {
        severity: Severity::Warning,
        code: Code::PrimaryKeyDiffers,
        write: Some("fides_meta: {primary_key: true}".into()),
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!("the map declares the primary key {}, the table has {}", listed(declared), listed(real.iter().copied())),
        why: "rows are erased by the key that the table has; holds on records must name that one".into(),
        hint: format!("write `fides_meta: {{primary_key: true}}` on {} alone", listed(real)),
    })
}

/// Rows are erased by primary key, and only a table has rows of its own.
fn cannot_be_erased(mapped: &Mapped<'_>, table: &Table) -> Option<Finding> {
    let changes_rows = matches!(mapped.effect(), Some(OnErasure::Delete | OnErasure::Mask | OnErasure::Unlink));
    if !mapped.is_reached || !changes_rows {
        return None;
    }
    let finding = |code, problem: String, why: &str, hint: &str| Finding {
        severity: Severity::Error,
        code,
        write: None,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem,
        why: why.into(),
        hint: hint.into(),
    };
    match table.kind {
        TableKind::View | TableKind::MaterialisedView => Some(finding(
            Code::ViewErased,
            format!("`{}` is a view, and the map says that erasure changes its rows", table.name),
            "a view has no rows of its own: what it shows is erased in its tables, and one row of it may be of many people",
            "map the tables behind it, and write `habeas: {on_erasure: keep}` or `fides_meta: {skip_processing: true}` here",
        )),
        TableKind::Table | TableKind::Foreign if table.primary_key.is_empty() => Some(finding(
            Code::NoPrimaryKey,
            format!("table `{}` has no primary key, and the map says that erasure changes its rows", table.name),
            "rows are erased by primary key only; without one, another person's equal row could go with it",
            "add a primary key to the table, or write `habeas: {on_erasure: keep}`",
        )),
        TableKind::Table | TableKind::Foreign => None,
    }
}

fn unmapped_columns(live: &Live<'_>, table: &Table) -> Vec<Finding> {
    let is_known = |column: &str| live.mapped_to(&table.name).any(|mapped| mapped.collection.field(column).is_some());
    let Some(mapped) = live.mapped_to(&table.name).next() else {
        return Vec::new();
    };
    let unknown = table.columns.iter().filter(|column| !is_known(&column.name));
    let finding = |column: &crate::connector::sql::Column| Finding {
        severity: Severity::Warning,
        code: Code::UnmappedColumn,
        write: Some(format!("- {{name: {}, data_categories: [..]}}", yaml_name(&column.name))),
        place: Some(mapped.collection.place.clone()),
        subject: mapped.field_name(&column.name),
        problem: format!("the table has a column `{}` ({}) that the map does not mention", column.name, column.declared_type),
        why: "it is not handed over, and an archive has to say so; where rows are masked, it stays as it is".into(),
        hint: format!("add it to the fields of {} with the labels that fit", mapped.name()),
    };
    unknown.map(finding).collect()
}

fn unmapped_table(live: &Live<'_>, table: &Table) -> Option<Finding> {
    if matches!(table.kind, TableKind::View | TableKind::MaterialisedView) || live.catalogue.is_shadow(table) {
        return None;
    }
    let unreadable = if table.rights.select { "" } else { ", and this role may not read it" };
    Some(Finding {
        severity: Severity::Warning,
        code: Code::UnmappedTable,
        write: Some(format!("- {{name: {}, fides_meta: {{skip_processing: true}}, fields: []}}", yaml_name(&table.name.name))),
        place: None,
        subject: format!("{}.{}", live.source, table.name),
        problem: format!("the map does not mention this table{unreadable}"),
        why: "if it holds personal data, that data is neither handed over nor erased".into(),
        hint: format!(
            "add it to the collections of a dataset that source `{}` serves, with its columns; as below if nothing in it is about people",
            live.source
        ),
    })
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
        fields:
          - {name: id, fides_meta: {primary_key: true}}
          - {name: email, fides_meta: {identity: email}}
";

    #[tokio::test]
    async fn a_map_that_fits_has_no_findings() {
        let findings = check_sqlite(MAP, "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE)").await;
        assert_eq!(findings, []);
    }

    #[tokio::test]
    async fn a_missing_table_is_an_error_with_a_suggestion() {
        let findings = check_sqlite(MAP, "CREATE TABLE user (id INTEGER PRIMARY KEY, email TEXT)").await;
        assert_eq!(about(&findings, Error, "missing_table"), ["app.users"]);
        let missing = only(&findings, "missing_table");
        assert!(missing.hint.contains("`name: user`"), "{}", missing.hint);
        assert_eq!(missing.place.as_ref().unwrap().line, 5);
    }

    #[tokio::test]
    async fn a_table_in_another_schema_is_pointed_out() {
        let schema = "CREATE SCHEMA shop; CREATE SCHEMA old; CREATE TABLE shop.users (id int PRIMARY KEY, email text);
                      CREATE TABLE old.users (id int PRIMARY KEY, email text)";
        let Some(findings) = check_postgres(MAP, schema).await else { return };
        assert!(only(&findings, "missing_table").hint.contains("schema"));
    }

    #[tokio::test]
    async fn a_missing_column_is_an_error_with_a_suggestion() {
        let findings = check_sqlite(MAP, "CREATE TABLE users (id INTEGER PRIMARY KEY, e_mail TEXT)").await;
        assert_eq!(about(&findings, Error, "missing_column"), ["app.users.email"]);
        assert!(only(&findings, "missing_column").hint.contains("e_mail"));
    }

    #[tokio::test]
    async fn what_the_map_does_not_mention_is_a_warning() {
        let schema =
            "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, plan TEXT); CREATE TABLE jobs (id INTEGER PRIMARY KEY);
                      CREATE VIEW people AS SELECT * FROM users; CREATE VIRTUAL TABLE notes USING fts5(body)";
        let findings = check_sqlite(MAP, schema).await;
        assert_eq!(about(&findings, Warning, "unmapped_column"), ["app.users.plan"]);
        assert_eq!(about(&findings, Warning, "unmapped_table"), ["app.main.jobs", "app.main.notes"]);
        assert!(findings.iter().all(|finding| finding.severity == Warning));
    }

    #[tokio::test]
    async fn e_1_rows_without_a_primary_key_cannot_be_erased() {
        let findings = check_sqlite(MAP, "CREATE TABLE users (id INTEGER UNIQUE, email TEXT UNIQUE)").await;
        assert_eq!(about(&findings, Error, "no_primary_key"), ["app.users"]);
    }

    #[tokio::test]
    async fn a_view_cannot_be_erased() {
        let schema = "CREATE TABLE people (id INTEGER PRIMARY KEY, email TEXT); CREATE VIEW users AS SELECT * FROM people";
        assert_eq!(about(&check_sqlite(MAP, schema).await, Error, "view_erased"), ["app.users"]);
    }

    #[tokio::test]
    async fn another_primary_key_than_the_map_says_is_a_warning() {
        let findings = check_sqlite(MAP, "CREATE TABLE users (id INTEGER, email TEXT PRIMARY KEY)").await;
        assert_eq!(about(&findings, Warning, "primary_key_differs"), ["app.users"]);
    }
}
