//! Whether this role, on this server, may do what the map wants, and what could hide or swallow it: row security, triggers, rules.

use std::collections::BTreeSet;

use super::{Live, Mapped, unlinks};
use crate::connector::sql::Table;
use crate::connector::sql::hazards::{Doing, Hazard, Written, hazards};
use crate::connector::sql::text::advice;
use crate::datamap::{Code, Field, Finding, OnErasure, Severity};
use crate::db::Dialect;

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let changes_anything = live.changed().any(|(mapped, _)| deletes(mapped) || updates(live, mapped));
    if changes_anything && !live.catalogue.writable {
        findings.push(not_writable(live));
    }
    for (mapped, table) in live.changed() {
        findings.extend(missing_rights(live, mapped, table));
        findings.extend(unreadable_columns(mapped, table));
        findings.extend(row_security(mapped, table));
        findings.extend(by_itself(live, mapped, table));
    }
    findings
}

fn deletes(mapped: &Mapped<'_>) -> bool {
    mapped.deletes_rows()
}

fn updates(live: &Live<'_>, mapped: &Mapped<'_>) -> bool {
    let unseen = live.graph.cut_unseen().map(|(_, edge)| edge);
    let is_unlinked = live.graph.edges.iter().chain(unseen).any(|edge| edge.unlink && Some(edge.to) == mapped.node);
    is_unlinked || matches!(mapped.effect(), Some(OnErasure::Mask | OnErasure::Unlink))
}

fn not_writable(live: &Live<'_>) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::SourceNotWritable,
        write: None,
        place: None,
        subject: live.source.to_owned(),
        problem: "the source takes no writes: a standby, a read-only session or a read-only file".into(),
        why: "nothing can be erased there, and what a replica shows is not the truth".into(),
        hint: "point the source to the primary, with a role and a file that may be written".into(),
    }
}

fn missing_rights(live: &Live<'_>, mapped: &Mapped<'_>, table: &Table) -> Option<Finding> {
    if !live.catalogue.writable && table.rights.select {
        return None; // Said once, for the whole source.
    }
    // PostgreSQL wants UPDATE also for the row lock that is taken before a row is deleted.
    let needs_update = updates(live, mapped) || (deletes(mapped) && live.catalogue.dialect == Dialect::Postgres);
    let wanted = [
        ("SELECT", !table.rights.select),
        ("UPDATE", needs_update && !table.rights.update),
        ("DELETE", deletes(mapped) && !table.rights.delete),
    ];
    let missing: Vec<&str> = wanted.into_iter().filter(|(_, is_missing)| *is_missing).map(|(right, _)| right).collect();
    if missing.is_empty() {
        return None;
    }
    let rights = missing.join(", ");
    Some(Finding {
        severity: Severity::Error,
        code: Code::MissingRights,
        write: Some(advice::grant(&rights, &table.name)),
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!("the role of source `{}` lacks {rights} on `{}`", live.source, table.name),
        why: "what may not be read or erased must not be reported as nothing".into(),
        hint: "give the role these rights; DELETE also needs UPDATE, to lock the rows".into(),
    })
}

/// Columns that the map names, or that tell rows apart, and that the role may not read, although it may read others of the table.
fn unreadable_columns(mapped: &Mapped<'_>, table: &Table) -> Option<Finding> {
    let needed = mapped.collection.fields.iter().map(|field| &field.name).chain(&table.primary_key);
    let closed: BTreeSet<&str> =
        needed.filter(|name| table.column(name).is_some_and(|column| !column.may_select)).map(String::as_str).collect();
    if closed.is_empty() || !table.rights.select {
        return None;
    }
    let columns = closed.into_iter().collect::<Vec<_>>().join(", ");
    Some(Finding {
        severity: Severity::Error,
        code: Code::MissingRights,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!("the role may not read {columns} of `{}`", table.name),
        why: "what may not be read is neither handed over nor found for erasure".into(),
        hint: format!("GRANT SELECT ({columns}) ON {} TO the role", table.name),
        write: None,
    })
}

fn row_security(mapped: &Mapped<'_>, table: &Table) -> Option<Finding> {
    table.row_security.then(|| Finding {
        severity: Severity::Error,
        code: Code::RowSecurity,
        write: None,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: format!("row security of `{}` applies to this role and can hide rows from it", table.name),
        why: "rows that a policy hides look like rows that are not there, and would be called erased".into(),
        hint: format!("ALTER ROLE … BYPASSRLS; or CREATE POLICY … ON {} FOR ALL TO the role USING (true)", table.name),
    })
}

/// What the database does by itself to what the map wants.
fn by_itself(live: &Live<'_>, mapped: &Mapped<'_>, table: &Table) -> Vec<Finding> {
    let found = hazards(live.catalogue, table, &doing(live, mapped));
    let finding = |hazard: Hazard| Finding {
        severity: hazard.severity,
        code: hazard.code,
        place: Some(mapped.collection.place.clone()),
        subject: mapped.name(),
        problem: hazard.problem,
        why: hazard.why.into(),
        hint: hazard.hint,
        write: None,
    };
    found.into_iter().map(finding).collect()
}

fn doing(live: &Live<'_>, mapped: &Mapped<'_>) -> Doing {
    let masks = mapped.collection.fields.iter().filter(|field| mapped.effect() == Some(OnErasure::Mask) && !field.read_only);
    let written = |field: &Field| match &field.mask {
        Some(mask) => Written::by(mask),
        None => field.is_overwritten().then_some(Written::Varying),
    };
    let masked = masks.filter_map(|field| Some((field.name.clone(), written(field)?)));
    let cleared = unlinks::cleared_columns(live, mapped).into_iter().map(|name| (name, Written::Null));
    Doing { deletes: deletes(mapped), writes: masked.chain(cleared).collect(), accepted: mapped.collection.triggers.clone() }
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, catalogue_of, check_catalogue, check_postgres, check_sqlite, only};
    use crate::datamap::Severity::Error;
    use crate::db::{PoolOptions, testing};

    const MAP: &str = "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}]
";

    #[tokio::test]
    async fn a_source_that_takes_no_writes_is_an_error_said_once() {
        let database = testing::sqlite("CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE)").await;
        let mut catalogue = catalogue_of(&database).await;
        catalogue.writable = false;
        let findings = check_catalogue(MAP, &catalogue);
        assert_eq!(about(&findings, Error, "source_not_writable"), ["app"]);
        assert_eq!(findings.len(), 1);
        let kept = MAP.replace("on_erasure: delete", "on_erasure: keep");
        assert_eq!(check_catalogue(&kept, &catalogue), [], "nothing is to be written");
    }

    #[tokio::test]
    async fn rights_that_the_map_needs_are_named() {
        let schema = "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE); ALTER TABLE users ENABLE ROW LEVEL SECURITY;
            DO 'BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END'; GRANT SELECT ON users TO reader";
        let Some(database) = testing::postgres(schema).await else { return };
        let reader = database.as_role("reader", PoolOptions::default()).await;
        let catalogue = crate::connector::sql::load_catalogue(reader.session().await.unwrap().on()).await.unwrap();
        let findings = check_catalogue(MAP, &catalogue);
        assert!(only(&findings, "missing_rights").problem.contains("lacks UPDATE, DELETE on `public.users`"), "{findings:#?}");
        assert_eq!(about(&findings, Error, "row_security"), ["app.users"]);
    }

    #[tokio::test]
    async fn triggers_and_rules_are_named() {
        let schema = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
            CREATE TRIGGER audit AFTER DELETE ON users BEGIN SELECT 1; END";
        assert!(only(&check_sqlite(MAP, schema).await, "triggers").problem.contains("audit"));
        let schema = "CREATE TABLE users (id int PRIMARY KEY, email text UNIQUE); CREATE RULE never AS ON DELETE TO users DO INSTEAD NOTHING";
        let Some(findings) = check_postgres(MAP, schema).await else { return };
        assert!(only(&findings, "swallowed_by_trigger").problem.contains("rule never"));
    }
}
