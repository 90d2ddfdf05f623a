//! Collections that refer to each other in a circle without a reference that may be NULL: whichever is deleted first leaves the others
//! pointing nowhere. Asked of the same function that orders a plan.

use std::collections::BTreeSet;

use super::Live;
use crate::connector::sql::OnDelete;
use crate::datamap::{Code, Finding, Severity};
use crate::plan::{Refers, order};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let nodes: Vec<usize> =
        live.reached().filter(|(mapped, _)| mapped.deletes_rows()).filter_map(|(mapped, _)| Some(mapped.node?.0)).collect();
    let mut references = Vec::new();
    for (mapped, table) in live.reached().filter(|(mapped, _)| mapped.deletes_rows()) {
        for key in &table.foreign_keys {
            let nullable = key.columns.iter().all(|name| table.column(name).is_some_and(|column| !column.not_null));
            // What the database checks only at the end of a transaction is erased in one.
            let deferrable = key.deferrable && key.on_delete == OnDelete::NoAction;
            let parents = live.mapped_to(&key.referenced).filter(|parent| parent.deletes_rows());
            let pairs = parents.filter_map(|parent| Some((mapped.node?.0, parent.node?.0)));
            references.extend(pairs.map(|(child, parent)| Refers { child, parent, nullable, deferrable }));
        }
    }
    let mut circle: BTreeSet<usize> = order(&nodes, &BTreeSet::new(), &references).circle.into_iter().collect();
    // What only waits for the circle, or is only waited for, is not part of it.
    loop {
        let within = |node: usize| {
            references.iter().filter(move |pair| pair.child != pair.parent && (pair.child == node || pair.parent == node))
        };
        let is_part = |node: &usize| {
            within(*node).any(|pair| pair.child == *node && circle.contains(&pair.parent))
                && within(*node).any(|pair| pair.parent == *node && circle.contains(&pair.child))
        };
        let smaller: BTreeSet<usize> = circle.iter().copied().filter(is_part).collect();
        if smaller.len() == circle.len() {
            break;
        }
        circle = smaller;
    }
    let members: Vec<_> =
        live.collections.iter().filter(|mapped| mapped.node.is_some_and(|node| circle.contains(&node.0))).collect();
    let Some(first) = members.first() else { return Vec::new() };
    let names: Vec<String> = members.iter().map(|mapped| mapped.name()).collect();
    vec![Finding {
        severity: Severity::Error,
        code: Code::DeleteOrderImpossible,
        place: Some(first.collection.place.clone()),
        subject: names.join(", "),
        problem: "these tables refer to each other in a circle, and no reference in it may be NULL".into(),
        why: "whichever row is deleted first, another one still points to it, and the database refuses".into(),
        hint: "let one of the references be NULL (`ALTER COLUMN .. DROP NOT NULL`) or be checked later (`ALTER CONSTRAINT .. DEFERRABLE`), or keep one of the collections (`on_erasure: keep`)".into(),
        write: Some("habeas: {on_erasure: keep}".into()),
    }]
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
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}, {name: main_id}]
      - name: addresses
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: user_id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}]
      - name: visits
        habeas: {on_erasure: delete}
        fields: [{name: id}, {name: user_id, fides_meta: {references: [{dataset: app, field: users.id, direction: from}]}}]
";

    #[tokio::test]
    async fn a_circle_of_references_that_may_not_be_null_is_an_error() {
        let closed = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, main_id INTEGER NOT NULL REFERENCES addresses ON DELETE RESTRICT);
            CREATE TABLE addresses (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users ON DELETE RESTRICT);
            CREATE TABLE visits (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users)";
        assert_eq!(about(&check_sqlite(MAP, closed).await, Error, "delete_order_impossible"), ["app.addresses, app.users"]);
        let kept = MAP.replacen("on_erasure: delete", "on_erasure: keep", 1);
        assert_eq!(about(&check_sqlite(&kept, closed).await, Error, "delete_order_impossible"), Vec::<&str>::new());
        let late = closed.replace(" ON DELETE RESTRICT", "");
        let late: &'static str = Box::leak(late.into_boxed_str());
        assert_eq!(
            about(&check_sqlite(MAP, late).await, Error, "delete_order_impossible"),
            Vec::<&str>::new(),
            "checked at the end"
        );
        let open = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, main_id INTEGER REFERENCES addresses);
            CREATE TABLE addresses (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users);
            CREATE TABLE visits (id INTEGER PRIMARY KEY, user_id INTEGER NOT NULL REFERENCES users)";
        assert_eq!(about(&check_sqlite(MAP, open).await, Error, "delete_order_impossible"), Vec::<&str>::new());
    }
}
