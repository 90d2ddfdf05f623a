//! Longer ways over foreign keys: a table that points to a table that the map does not mention, which points to people. Mapping the nearer
//! one is not enough, so the farther ones are named in the same run, each with its way.

use std::collections::{BTreeMap, VecDeque};

use super::Live;
use super::foreign_keys::key_name;
use crate::connector::sql::{ForeignKey, Table, TableName};
use crate::datamap::{Code, Finding, Severity};

pub(super) fn check(live: &Live<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (through, way) in ways(live) {
        for (table, key) in live.inbound.get(through).into_iter().flatten() {
            if table.name == *through || is_set_aside(live, table) {
                continue;
            }
            findings.push(finding(live, table, key, &way));
        }
    }
    findings
}

/// Tables outside the map from which foreign keys lead to rows that the map reaches, each with its shortest way.
fn ways<'l>(live: &'l Live<'_>) -> BTreeMap<&'l TableName, Vec<String>> {
    let mut ways: BTreeMap<&TableName, Vec<String>> = BTreeMap::new();
    let mut waiting: VecDeque<&TableName> = live.reached().map(|(_, table)| &table.name).collect();
    while let Some(referenced) = waiting.pop_front() {
        let way = ways.get(referenced).cloned().unwrap_or_default();
        for (table, key) in live.inbound.get(referenced).into_iter().flatten() {
            if live.is_mapped(&table.name) || ways.contains_key(&table.name) {
                continue;
            }
            let mut longer = vec![step(table, key)];
            longer.extend(way.iter().cloned());
            ways.insert(&table.name, longer);
            waiting.push_back(&table.name);
        }
    }
    ways
}

/// `orders.user_id → users.id`.
fn step(table: &Table, key: &ForeignKey) -> String {
    let columns = |names: &[String]| names.join("+");
    format!("{}.{} → {}.{}", table.name.name, columns(&key.columns), key.referenced.name, columns(&key.referenced_columns))
}

/// The map has decided about it: it is reached already, or left out in words.
fn is_set_aside(live: &Live<'_>, table: &Table) -> bool {
    live.mapped_to(&table.name).any(|mapped| mapped.is_reached || mapped.node.is_none())
}

fn finding(live: &Live<'_>, table: &Table, key: &ForeignKey, way: &[String]) -> Finding {
    Finding {
        severity: Severity::Error,
        code: Code::UnlabelledForeignKey,
        place: live.mapped_to(&table.name).next().map(|mapped| mapped.collection.place.clone()),
        subject: key_name(live, table, key),
        problem: format!(
            "rows here lead to people over a table that the map does not mention: {}, {}",
            step(table, key),
            way.join(", ")
        ),
        why: "rows tied to a person would be missed by the archive and by the erasure".into(),
        hint: format!("map `{}` first, then this table with a reference to it", key.referenced.name),
        write: None,
    }
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
        fields: [{name: id}, {name: email, fides_meta: {identity: email}}]
";
    const SCHEMA: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, email TEXT UNIQUE);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER REFERENCES users, parent INTEGER REFERENCES orders);
        CREATE TABLE lines (id INTEGER PRIMARY KEY, order_id INTEGER REFERENCES orders);
        CREATE TABLE returns (id INTEGER PRIMARY KEY, line_id INTEGER REFERENCES lines)";

    #[tokio::test]
    async fn a_way_over_tables_outside_the_map_is_told_whole() {
        let findings = check_sqlite(MAP, SCHEMA).await;
        let subjects = ["app.main.orders.user_id", "app.main.returns.line_id", "app.main.lines.order_id"];
        assert_eq!(about(&findings, Error, "unlabelled_foreign_key"), subjects);
        let far = findings.iter().find(|finding| finding.subject == "app.main.returns.line_id").unwrap();
        let way = "returns.line_id → lines.id, lines.order_id → orders.id, orders.user_id → users.id";
        assert!(far.problem.contains(way), "{}", far.problem);
    }

    #[tokio::test]
    async fn a_table_that_is_left_out_ends_the_way() {
        let map = format!("{MAP}      - {{name: orders, fides_meta: {{skip_processing: true}}, fields: []}}\n");
        assert_eq!(about(&check_sqlite(&map, SCHEMA).await, Error, "unlabelled_foreign_key"), Vec::<&str>::new());
    }
}
