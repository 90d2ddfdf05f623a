//! Whether rows can be without an owner (after K9db): where every column by which a row gets its owner may be NULL, some rows belong to
//! nobody; and where nobody owns the rows at all, what looks personal in them stays for ever.

use super::names::looks_personal;
use super::{Live, Mapped, listed};
use crate::connector::sql::Table;
use crate::connector::sql::text::advice;
use crate::datamap::{Code, Edge, Finding, OnErasure, Right, Severity};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (mapped, table) in live.reached() {
        let into: Vec<&Edge> = live.graph.edges.iter().filter(|edge| Some(edge.to) == mapped.node).collect();
        findings.extend(may_be_without_owner(mapped, table, &into));
        findings.extend(personal_but_unowned(mapped, table, &into));
    }
    findings
}

fn may_be_without_owner(mapped: &Mapped<'_>, table: &Table, into: &[&Edge]) -> Option<Finding> {
    let owning: Vec<&&Edge> = into.iter().filter(|edge| edge.right == Right::Owns).collect();
    // An edge with a condition says itself that it is about some rows only, and one that is unlinked that NULL is what an erasure leaves.
    // Without any edge the row is the person, and not something of theirs.
    if owning.is_empty() || owning.iter().any(|edge| edge.filter.is_some() || edge.unlink || !edge.declared_on_to) {
        return None;
    }
    let identities = mapped.collection.fields.iter().filter(|field| field.identity.is_some()).map(|field| field.name.as_str());
    let columns: Vec<&str> = owning.iter().flat_map(|edge| &edge.to_columns).map(String::as_str).chain(identities).collect();
    let is_sure = |name: &&str| table.column(name).is_none_or(|column| column.not_null);
    // One sure column of a composite key is no owner yet, but a key half NULL is what its own constraint has to forbid.
    if columns.is_empty() || columns.iter().any(is_sure) {
        return None;
    }
    let mut names: Vec<&str> = columns;
    names.sort_unstable();
    names.dedup();
    let may = if names.len() == 1 { "may" } else { "may all" };
    Some(Finding {
        severity: Severity::Warning,
        code: Code::OwnerMayBeNull,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!("{} {may} be NULL, and nothing else says whose a row is", listed(names.iter().copied())),
        why: "a row with NULL there belongs to nobody: no request finds it, and no erasure removes it".into(),
        hint: "let the database forbid it once such rows are dealt with; if it does already, or they are about nobody, accept this finding with the reason"
            .into(),
        write: Some(format!(
            "{}\nhabeas: {{accept: [{{finding: {}, reason: ..}}]}}",
            advice::one_is_there(&table.name, &names),
            Code::OwnerMayBeNull
        )),
    })
}

fn personal_but_unowned(mapped: &Mapped<'_>, table: &Table, into: &[&Edge]) -> Option<Finding> {
    let is_owned = into.iter().any(|edge| edge.right == Right::Owns);
    let has_identity = mapped.collection.fields.iter().any(|field| field.identity.is_some());
    // `mask` and `delete` never touch what is merely accessed, whatever the map says of the person's own rows.
    if is_owned || has_identity || into.is_empty() || mapped.effect() == Some(OnErasure::Keep) {
        return None;
    }
    let leads = |name: &str| into.iter().any(|edge| edge.to_columns.iter().any(|column| column == name));
    let personal: Vec<&str> = table
        .columns
        .iter()
        .map(|column| column.name.as_str())
        .filter(|name| looks_personal(&table.name.name, name) && !leads(name))
        .collect();
    if personal.is_empty() {
        return None;
    }
    Some(Finding {
        severity: Severity::Warning,
        code: Code::PersonalButUnowned,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!(
            "{} {} personal, and every way here only `accesses` the rows",
            listed(personal.iter().copied()),
            if personal.len() == 1 { "looks" } else { "look" }
        ),
        why: "a row that nobody owns is shown to those who access it and erased for nobody".into(),
        hint: "write `habeas: {right: owns}` on the reference of the person whom the columns are about, or `identity` on a column that names them; `on_erasure: keep` if it is about nobody"
            .into(),
        write: Some("habeas: {right: owns}".into()),
    })
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite, only};
    use crate::datamap::Severity::Warning;

    fn map(edge: &str, effect: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {{on_erasure: delete}}
        fields: [{{name: id}}, {{name: email, fides_meta: {{identity: email}}}}]
      - name: notes
        habeas: {{on_erasure: {effect}}}
        fields:
          - {{name: id}}
          - {{name: reply_to, fides_meta: {{references: [{{dataset: app, field: notes.id, direction: from}}]}}}}
          - name: user_id
            fides_meta: {{references: [{{dataset: app, field: users.id, direction: from}}]}}
            {edge}
"
        )
    }

    fn schema(user_id: &str) -> &'static str {
        match user_id {
            "NOT NULL" => {
                "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL, reply_to INTEGER, phone TEXT)"
            }
            _ => {
                "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE); CREATE TABLE notes (id INTEGER PRIMARY KEY, user_id INTEGER, reply_to INTEGER, phone TEXT)"
            }
        }
    }

    #[tokio::test]
    async fn rows_whose_every_owner_may_be_null_are_pointed_out() {
        let findings = check_sqlite(&map("", "delete"), schema("")).await;
        assert_eq!(about(&findings, Warning, "owner_may_be_null"), ["app.notes"]);
        assert!(
            only(&findings, "owner_may_be_null")
                .write
                .as_ref()
                .unwrap()
                .contains("CHECK (\"reply_to\" IS NOT NULL OR \"user_id\" IS NOT NULL)")
        );
        let sure = check_sqlite(&map("", "delete"), schema("NOT NULL")).await;
        assert_eq!(about(&sure, Warning, "owner_may_be_null"), Vec::<&str>::new());
        let some_rows = check_sqlite(&map("habeas: {where: {id: {gt: 3}}}", "delete"), schema("")).await;
        assert_eq!(about(&some_rows, Warning, "owner_may_be_null"), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn what_looks_personal_in_rows_that_nobody_owns_is_pointed_out() {
        let accessed = map("habeas: {right: accesses, on_erasure: unlink}", "unlink")
            .replace("fides_meta: {references: [{dataset: app, field: notes.id, direction: from}]}", "description: x");
        let findings = check_sqlite(&accessed, schema("")).await;
        assert_eq!(about(&findings, Warning, "personal_but_unowned"), ["app.notes"]);
        assert!(only(&findings, "personal_but_unowned").problem.starts_with("`phone` looks personal"));
        let owned = check_sqlite(&map("", "delete"), schema("")).await;
        assert_eq!(about(&owned, Warning, "personal_but_unowned"), Vec::<&str>::new());
    }
}
