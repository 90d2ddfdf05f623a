//! Foreign keys against edges: a table that points to people's rows must be reached or set aside in words, and what the database
//! does by itself when a row is deleted must be what the plan does anyway. Each key is looked at from the row that is deleted, so that
//! a chain of cascades is covered link by link.

use super::{Live, Mapped};
use crate::connector::sql::{ForeignKey, OnDelete, Table};
use crate::datamap::{Code, Edge, Finding, OnErasure, Place, Right, Severity, reference_fields};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for table in live.catalogue.tables.values() {
        for key in &table.foreign_keys {
            let Some(referenced) = live.mapped_to(&key.referenced).find(|mapped| mapped.is_reached) else {
                continue;
            };
            findings.extend(unlabelled(live, table, key, referenced));
            if let Some(erased) = live.mapped_to(&key.referenced).find(|mapped| mapped.deletes_rows()) {
                findings.extend(effect_of_deletion(live, table, key, erased));
            }
        }
    }
    findings
}

/// Edges between the two tables along this key. An edge may use fewer columns than the key: it then reaches more rows, not fewer.
pub(super) fn covering<'l>(
    live: &'l Live<'_>,
    edges: &'l [Edge],
    table: &'l Table,
    key: &'l ForeignKey,
) -> impl Iterator<Item = &'l Edge> {
    let stands_for = |node, name: &crate::connector::sql::TableName| {
        live.of_node(node).and_then(|mapped| mapped.table).is_some_and(|found| found.name == *name)
    };
    let pairs = |own: &[String], other: &[String]| {
        own.iter().zip(other).all(|pair| key.columns.iter().zip(&key.referenced_columns).any(|known| known == pair))
    };
    edges.iter().filter(move |edge| {
        let is_out = stands_for(edge.from, &key.referenced) && stands_for(edge.to, &table.name);
        let is_back = stands_for(edge.from, &table.name) && stands_for(edge.to, &key.referenced);
        (is_out && pairs(&edge.to_columns, &edge.from_columns)) || (is_back && pairs(&edge.from_columns, &edge.to_columns))
    })
}

pub(super) fn key_name(live: &Live<'_>, table: &Table, key: &ForeignKey) -> String {
    format!("{}.{}", live.name_of(table), key.columns.join("+"))
}

/// The field of the key in the map, else its collection.
fn place_of(live: &Live<'_>, table: &Table, key: &ForeignKey) -> Option<Place> {
    let mapped = live.mapped_to(&table.name).next()?;
    let field = key.columns.first().and_then(|column| mapped.collection.field(column));
    Some(field.map_or(&mapped.collection.place, |field| &field.place).clone())
}

fn unlabelled(live: &Live<'_>, table: &Table, key: &ForeignKey, referenced: &Mapped<'_>) -> Option<Finding> {
    let is_left_out = live.is_mapped(&table.name) && live.mapped_to(&table.name).all(|mapped| mapped.node.is_none());
    let has_edge =
        covering(live, &live.graph.edges, table, key).chain(covering(live, &live.graph.ignored, table, key)).next().is_some();
    if is_left_out || has_edge {
        return None;
    }
    let mapped = live.mapped_to(&table.name).next();
    let pairs: Vec<(&str, &str)> =
        key.columns.iter().map(String::as_str).zip(key.referenced_columns.iter().map(String::as_str)).collect();
    let (dataset, collection) = (&referenced.dataset.fides_key, &referenced.collection.name);
    let to = match mapped {
        Some(mapped) => format!("the fields of {}", mapped.name()),
        None => format!("a new collection `{}`", table.name.name),
    };
    let hint = format!(
        "add the reference to {to}; as below if the row is the person's own, with `habeas: {{right: none}}` if it is not about them"
    );
    Some(Finding {
        severity: Severity::Error,
        code: Code::UnlabelledForeignKey,
        write: Some(reference_fields(&pairs, dataset, collection, "")),
        place: place_of(live, table, key),
        subject: key_name(live, table, key),
        problem: format!("rows here point to `{}`, which the map reaches, and no edge says what that means", referenced.name()),
        why: "rows tied to a person would be missed by the archive and by the erasure".into(),
        hint,
    })
}

/// What the plan does to the referencing rows before the referenced one is deleted.
enum Handling {
    /// All of them are deleted first.
    Deleted,
    /// All but those that a law keeps.
    DeletedUnlessRetained,
    /// Their column is cleared first.
    Unlinked,
    /// Nothing.
    Untouched(Untouched),
}

/// Why the plan leaves referencing rows alone.
#[derive(Clone, Copy)]
enum Untouched {
    Unmapped,
    NoEdge,
    Ignored,
    Filtered,
    OtherOwner,
    /// The same, where the rows are people: whoever is merely named there should not be shown another person's record.
    OtherPerson,
    NotDeleted,
    Retained,
}

impl Untouched {
    fn reason(self) -> &'static str {
        match self {
            Untouched::Unmapped => "the map does not mention the table",
            Untouched::NoEdge => "no edge leads to them",
            Untouched::Ignored => "the edge has `right: none`",
            Untouched::Filtered => "the edge has a `where`, and other rows point here too",
            Untouched::OtherOwner | Untouched::OtherPerson => "the edge gives access only, so they belong to somebody else",
            Untouched::NotDeleted => "the map does not say that they are deleted",
            Untouched::Retained => "`retain_when` keeps some of them",
        }
    }

    /// The same as a piece of the map.
    fn write(self) -> &'static str {
        match self {
            Untouched::Unmapped | Untouched::NoEdge | Untouched::NotDeleted => "habeas: {on_erasure: delete}",
            Untouched::Ignored | Untouched::OtherPerson => "habeas: {right: none, on_erasure: unlink}",
            Untouched::OtherOwner => "habeas: {right: accesses, on_erasure: unlink}",
            Untouched::Filtered | Untouched::Retained => "habeas: {on_erasure: unlink}",
        }
    }

    fn remedy(self, column: &str) -> String {
        let unlink = format!("`habeas: {{on_erasure: unlink}}` on the field `{column}`, which clears it first");
        match self {
            Untouched::Unmapped | Untouched::NoEdge => {
                format!(
                    "map the rows with `references` on `{column}`, and write `habeas: {{on_erasure: delete}}` if they are the person's own, or {unlink}"
                )
            }
            Untouched::Ignored => format!("write {unlink}; with `right: none` the rows are still shown to nobody"),
            Untouched::OtherPerson => {
                format!("write {unlink}; with `right: none` instead of `accesses`, so that nobody is shown another person's record")
            }
            Untouched::NotDeleted => format!("write `habeas: {{on_erasure: delete}}` on the collection, or {unlink}"),
            Untouched::Filtered | Untouched::OtherOwner | Untouched::Retained => format!("write {unlink}"),
        }
    }
}

fn handling(live: &Live<'_>, table: &Table, key: &ForeignKey) -> Handling {
    if !live.is_mapped(&table.name) {
        return Handling::Untouched(Untouched::Unmapped);
    }
    let is_end = |edge: &Edge| live.mapped_to(&table.name).any(|mapped| mapped.node == Some(edge.to));
    if covering(live, &live.graph.ignored, table, key).any(|edge| edge.is_cut_unseen() && is_end(edge)) {
        return Handling::Unlinked;
    }
    let is_ignored = covering(live, &live.graph.ignored, table, key).next().is_some();
    let mut untouched = if is_ignored { Untouched::Ignored } else { Untouched::NoEdge };
    for edge in covering(live, &live.graph.edges, table, key) {
        let is_end = |mapped: &&Mapped<'_>| mapped.node == Some(edge.to) || mapped.node == Some(edge.from);
        let Some(mapped) = live.mapped_to(&table.name).find(is_end) else {
            continue;
        };
        if mapped.node == Some(edge.to) && edge.unlink {
            return Handling::Unlinked;
        }
        untouched = match (edge.right, mapped.effect()) {
            (Right::Accesses | Right::None, _) if live.graph.has_identities(edge.to) => Untouched::OtherPerson,
            (Right::Accesses | Right::None, _) => Untouched::OtherOwner,
            (Right::Owns, Some(OnErasure::Delete)) if edge.filter.is_some() => Untouched::Filtered,
            (Right::Owns, Some(OnErasure::Delete)) if mapped.collection.retain_when.is_empty() => return Handling::Deleted,
            (Right::Owns, Some(OnErasure::Delete)) => return Handling::DeletedUnlessRetained,
            (Right::Owns, _) => Untouched::NotDeleted,
        };
    }
    Handling::Untouched(untouched)
}

fn effect_of_deletion(live: &Live<'_>, table: &Table, key: &ForeignKey, erased: &Mapped<'_>) -> Option<Finding> {
    let untouched = match handling(live, table, key) {
        Handling::Deleted | Handling::Unlinked => return None,
        Handling::DeletedUnlessRetained if matches!(key.on_delete, OnDelete::SetNull | OnDelete::SetDefault) => return None,
        Handling::DeletedUnlessRetained => Untouched::Retained,
        Handling::Untouched(untouched) => untouched,
    };
    let can_be_cleared = key.columns.iter().all(|name| table.column(name).is_some_and(|column| !column.not_null));
    let (erased, reason) = (erased.name(), untouched.reason());
    let (remedy, write) = match (untouched, key.on_delete) {
        (Untouched::Unmapped | Untouched::NoEdge | Untouched::NotDeleted, _) => (untouched.remedy(&key.columns.join("+")), untouched.write().to_owned()),
        (_, OnDelete::NoAction | OnDelete::Restrict) if !can_be_cleared => (
            "the column admits no NULL, so that the row stays with those that point to it; where that is meant, accept this finding with the reason".to_owned(),
            format!("habeas: {{accept: [{{finding: {}, reason: ..}}]}}", Code::DeleteBlocked),
        ),
        _ => (untouched.remedy(&key.columns.join("+")), untouched.write().to_owned()),
    };
    let write = Some(write);
    let action = match key.on_delete {
        OnDelete::NoAction | OnDelete::Restrict => None,
        OnDelete::Cascade => Some("delete"),
        OnDelete::SetNull => Some("clear a column of"),
        OnDelete::SetDefault => Some("change a column of"),
    };
    let place = place_of(live, table, key);
    let subject = key_name(live, table, key);
    Some(match action {
        None => Finding {
            severity: Severity::Warning,
            code: Code::DeleteBlocked,
            write,
            place,
            subject,
            problem: format!("a row of `{erased}` cannot be deleted while rows here point to it; {reason}"),
            why: "the row has to be kept with them, or the erasure stops and rolls back".into(),
            hint: remedy,
        },
        Some(action) => Finding {
            severity: Severity::Error,
            code: Code::CascadeOutsidePlan,
            write,
            place,
            subject,
            problem: format!("deleting a row of `{erased}` makes the database {action} rows here by itself; {reason}"),
            why: "rows that no plan lists would be changed, whoever owns them and whatever holds cover them".into(),
            hint: format!("{remedy}; or change the foreign key to RESTRICT"),
        },
    })
}

#[cfg(test)]
mod tests {
    use crate::connector::sql::check::testing::{about, check_sqlite, only};
    use crate::datamap::Severity::{Error, Warning};
    use crate::datamap::{Code, Finding};

    /// A map of users and their notes; `right` and `more` go to the field that points to the user, `notes` to the collection.
    fn map(notes: &str, edge: &str) -> String {
        format!(
            "
dataset:
  - fides_key: app
    collections:
      - name: users
        habeas: {{on_erasure: delete}}
        fields:
          - {{name: id, fides_meta: {{primary_key: true}}}}
          - {{name: email, fides_meta: {{identity: email}}}}
      - name: notes
        {notes}
        fields:
          - {{name: id}}
          - {{name: paid}}
          - name: user_id
            {edge}
"
        )
    }

    const EDGE: &str = "fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}";
    const DELETED: &str = "habeas: {on_erasure: delete}";

    async fn check(map: &str, action: &str) -> Vec<Finding> {
        let schema: &'static str = match action {
            "CASCADE" => {
                "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE); CREATE TABLE notes (id INTEGER PRIMARY KEY,
                 paid BOOLEAN, user_id INTEGER REFERENCES users ON DELETE CASCADE); CREATE INDEX n ON notes (user_id)"
            }
            "SET NULL" => {
                "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE); CREATE TABLE notes (id INTEGER PRIMARY KEY,
                 paid BOOLEAN, user_id INTEGER REFERENCES users ON DELETE SET NULL); CREATE INDEX n ON notes (user_id)"
            }
            _ => {
                "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE); CREATE TABLE notes (id INTEGER PRIMARY KEY,
                 paid BOOLEAN, user_id INTEGER REFERENCES users); CREATE INDEX n ON notes (user_id)"
            }
        };
        let findings = check_sqlite(map, schema).await;
        // Whose a row with NULL is, is asked elsewhere.
        findings.into_iter().filter(|finding| finding.code != Code::OwnerMayBeNull).collect()
    }

    #[tokio::test]
    async fn a_table_that_points_to_people_needs_an_edge() {
        let findings = check(&map(DELETED, ""), "").await;
        assert_eq!(about(&findings, Error, "unlabelled_foreign_key"), ["app.notes.user_id"]);
        let write = only(&findings, "unlabelled_foreign_key").write.clone().unwrap();
        assert!(write.contains("- {name: user_id") && write.contains("field: users.id"), "{write}");
        let users_only = map(DELETED, "").split("      - name: notes").next().unwrap().to_owned();
        let findings = check(&users_only, "").await;
        assert_eq!(about(&findings, Error, "unlabelled_foreign_key"), ["app.main.notes.user_id"]);
        assert!(only(&findings, "unlabelled_foreign_key").hint.contains("a new collection `notes`"));
    }

    #[tokio::test]
    async fn right_none_and_skip_processing_are_words_enough() {
        let ignored = map(DELETED, &format!("{EDGE}\n            habeas: {{right: none}}"));
        assert_eq!(about(&check(&ignored, "").await, Error, "unlabelled_foreign_key"), Vec::<&str>::new());
        let skipped = map("fides_meta: {skip_processing: true}", "");
        assert_eq!(about(&check(&skipped, "").await, Error, "unlabelled_foreign_key"), Vec::<&str>::new());
    }

    #[tokio::test]
    async fn a_cascade_that_the_plan_does_anyway_is_fine() {
        for action in ["CASCADE", "SET NULL", "NO ACTION"] {
            assert_eq!(check(&map(DELETED, EDGE), action).await, [], "{action}");
        }
    }

    #[tokio::test]
    async fn o_1_a_cascade_onto_rows_outside_the_plan_is_an_error() {
        let access = format!("{EDGE}\n            habeas: {{right: accesses}}");
        let none = format!("{EDGE}\n            habeas: {{right: none}}");
        let filtered = format!("{EDGE}\n            habeas: {{where: {{paid: true}}}}");
        for (notes, edge) in [
            (DELETED, access.as_str()),
            (DELETED, none.as_str()),
            (DELETED, filtered.as_str()),
            ("habeas: {on_erasure: keep}", EDGE),
            ("fides_meta: {skip_processing: true}", ""),
        ] {
            for action in ["CASCADE", "SET NULL"] {
                let findings = check(&map(notes, edge), action).await;
                assert_eq!(about(&findings, Error, "cascade_outside_plan"), ["app.notes.user_id"], "{notes} {edge} {action}");
            }
            let findings = check(&map(notes, edge), "NO ACTION").await;
            assert_eq!(about(&findings, Warning, "delete_blocked"), ["app.notes.user_id"], "{notes} {edge}");
        }
    }

    #[tokio::test]
    async fn unlinking_first_takes_the_row_out_of_the_cascade() {
        let unlinked = format!("{EDGE}\n            habeas: {{right: accesses, on_erasure: unlink}}");
        for action in ["CASCADE", "SET NULL", "NO ACTION"] {
            assert_eq!(check(&map(DELETED, &unlinked), action).await, [], "{action}");
        }
    }

    #[tokio::test]
    async fn h_1_a_cascade_may_not_reach_what_a_law_keeps() {
        let kept = "habeas: {on_erasure: delete, retain_when: [{where: {paid: true}, ground: art17_3_b}]}";
        assert_eq!(about(&check(&map(kept, EDGE), "CASCADE").await, Error, "cascade_outside_plan"), ["app.notes.user_id"]);
        assert_eq!(check(&map(kept, EDGE), "SET NULL").await, [], "the row stays, without its link");
        assert_eq!(about(&check(&map(kept, EDGE), "").await, Warning, "delete_blocked"), ["app.notes.user_id"]);
    }
}
