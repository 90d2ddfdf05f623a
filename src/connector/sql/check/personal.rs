//! Where personal data is likely and the map is silent: columns named like it outside the map or out of reach, and materialised views,
//! which keep copies.

use super::names::looks_personal;
use super::{Live, listed};
use crate::connector::sql::text::advice;
use crate::connector::sql::{Table, TableKind};
use crate::datamap::{Code, Finding, Place, Severity};
use crate::value::ColumnType;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in live.catalogue.tables.values() {
        if table.kind == TableKind::View || live.catalogue.is_shadow(table) {
            continue;
        }
        findings.extend(personal_looking(live, table));
        findings.extend(materialised_view(live, table));
    }
    findings
}

fn personal_looking(live: &Live<'_>, table: &Table) -> Option<Finding> {
    let is_left_out = live.is_mapped(&table.name) && live.mapped_to(&table.name).all(|mapped| mapped.node.is_none());
    if is_left_out {
        return None;
    }
    let is_reached =
        |column: &str| live.mapped_to(&table.name).any(|mapped| mapped.is_reached && mapped.collection.field(column).is_some());
    // A switch says something about data, and is none.
    let columns =
        table.columns.iter().filter(|column| column.column_type != ColumnType::Boolean).map(|column| column.name.as_str());
    let personal: Vec<&str> = columns.filter(|name| looks_personal(&table.name.name, name) && !is_reached(name)).collect();
    if personal.is_empty() {
        return None;
    }
    let mapped = live.mapped_to(&table.name).next();
    let place: Option<Place> = mapped.map(|mapped| mapped.collection.place.clone());
    Some(Finding {
        severity: Severity::Warning,
        code: Code::PersonalLookingName,
        write: None,
        place,
        subject: mapped.map_or_else(|| format!("{}.{}", live.source, table.name), |mapped| mapped.name()),
        problem: format!(
            "{} {} personal, and no request reaches that",
            listed(personal.iter().copied()),
            if personal.len() == 1 { "looks" } else { "look" }
        ),
        why: "personal data that the map does not reach is neither handed over nor erased".into(),
        hint: match mapped {
            Some(mapped) if mapped.is_reached => format!("add {} to the fields of {}", listed(personal), mapped.name()),
            Some(mapped) => {
                format!("add an `identity` or `references` to {}, or `fides_meta: {{skip_processing: true}}`", mapped.name())
            }
            None => format!("map the table `{}`, or name it with `fides_meta: {{skip_processing: true}}`", table.name.name),
        },
    })
}

fn materialised_view(live: &Live<'_>, table: &Table) -> Option<Finding> {
    if table.kind != TableKind::MaterialisedView || live.reached().next().is_none() {
        return None;
    }
    Some(Finding {
        severity: Severity::Warning,
        code: Code::MaterialisedView,
        write: Some(advice::refresh(&table.name)),
        place: live.mapped_to(&table.name).next().map(|mapped| mapped.collection.place.clone()),
        subject: format!("{}.{}", live.source, table.name),
        problem: "a materialised view keeps copies of rows of other tables".into(),
        why: "what is erased in the tables stays in it until the next refresh, and the residue scan will find it there".into(),
        hint: "refresh it after each erasure, at the latest before the verification".into(),
    })
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_postgres, check_sqlite, only};
    use crate::datamap::Severity::Warning;

    const MAP: &str = "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}]
      - name: guests
        fields: [{name: id}, {name: phone}]
      - name: partners
        fides_meta: {skip_processing: true}
        fields: [{name: id}]
";

    #[tokio::test]
    async fn personal_names_outside_the_map_or_out_of_reach_are_pointed_out() {
        let schema = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE, last_ip TEXT); CREATE TABLE guests (id INTEGER PRIMARY KEY, phone TEXT);
            CREATE TABLE partners (id INTEGER PRIMARY KEY, email TEXT); CREATE TABLE leads (id INTEGER PRIMARY KEY, first_name TEXT, birth_date DATE);
            CREATE TABLE sizes (id INTEGER PRIMARY KEY, label TEXT)";
        let findings = check_sqlite(MAP, schema).await;
        assert_eq!(about(&findings, Warning, "personal_looking_name"), ["app.guests", "app.main.leads", "app.users"]);
        let leads =
            findings.iter().find(|finding| finding.subject == "app.main.leads" && finding.code == "personal_looking_name").unwrap();
        assert_eq!(leads.problem, "`first_name` and `birth_date` look personal, and no request reaches that");
    }

    #[tokio::test]
    async fn a_materialised_view_keeps_copies() {
        let schema = "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE); CREATE TABLE guests (id int, phone text); CREATE TABLE partners (id int);
            CREATE MATERIALIZED VIEW addresses AS SELECT id FROM users";
        let Some(findings) = check_postgres(MAP, schema).await else { return };
        assert!(
            only(&findings, "materialised_view").write.as_deref() == Some("REFRESH MATERIALIZED VIEW \"public\".\"addresses\";")
        );
    }
}
