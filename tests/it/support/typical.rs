//! An application of ordinary size: people, and nineteen further tables that hang on them in one, two or three steps.

use std::fmt::Write as _;

/// Whose data is asked for: ten rows in each table.
pub const TYPICAL: &str = "typical@example.com";

/// The same with ten times as many rows.
pub const BUSY: &str = "busy@example.com";

/// Tables in all.
pub const TABLES: usize = 20;

/// Rows of the typical person in each table but the first.
const ROWS: usize = 10;

/// Which table the rows of a table hang on: a third of them on rows that themselves hang on others.
fn parent(table: usize) -> usize {
    match table {
        1..=12 => 0,
        13..=17 => table - 12,
        _ => table - 5,
    }
}

/// The data map.
pub fn map() -> String {
    let mut map = String::from(
        "dataset:
  - fides_key: app
    collections:
      - name: t0
        habeas: {on_erasure: delete, purpose: account, legal_basis: art6_1_b, provided: by_subject}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}}
",
    );
    for table in 1..TABLES {
        let _ = write!(
            map,
            "      - name: t{table}
        habeas: {{on_erasure: delete, purpose: account, legal_basis: art6_1_b, provided: by_subject}}
        fields:
          - {{name: id, data_categories: [system.operations], fides_meta: {{primary_key: true}}}}
          - {{name: parent_id, data_categories: [user.unique_id], fides_meta: {{references: [{{dataset: app, field: t{}.id, direction: from}}]}}}}
          - {{name: note, data_categories: [user.content.private]}}
          - {{name: at, data_categories: [user.behavior]}}
          - {{name: amount, data_categories: [user.financial]}}
",
            parent(table)
        );
    }
    map
}

/// Tables with the rows of both people and of a thousand others (PostgreSQL).
pub fn schema_and_rows() -> String {
    let mut script = format!(
        "CREATE TABLE t0 (id BIGINT PRIMARY KEY, email TEXT NOT NULL UNIQUE);
         INSERT INTO t0 SELECT n, CASE n WHEN 1 THEN '{TYPICAL}' WHEN 2 THEN '{BUSY}' ELSE 'person-' || n || '@example.org' END
             FROM generate_series(1, 1002) AS n;\n"
    );
    for table in 1..TABLES {
        // Person 1 has the rows 1 to 10 of each table, person 2 the rows 1001 to 1100, and each other person rows from 10000 on.
        let (first, second, others) = match parent(table) {
            0 => ("1", "2", "3 + n % 1000"),
            _ => ("n", "n", "n"),
        };
        let _ = write!(
            script,
            "CREATE TABLE t{table} (id BIGINT PRIMARY KEY, parent_id BIGINT NOT NULL REFERENCES t{parent} (id), note TEXT, at TIMESTAMPTZ, amount NUMERIC(12, 2));
             INSERT INTO t{table} SELECT n, p, 'note ' || md5(n::text), TIMESTAMPTZ '2026-01-01' + n * INTERVAL '1 minute', n * 1.25 FROM (
                 SELECT n, {first} AS p FROM generate_series(1, {ROWS}) AS n UNION ALL
                 SELECT n, {second} FROM generate_series(1001, 1000 + 10 * {ROWS}) AS n UNION ALL
                 SELECT n, {others} FROM generate_series(10000, 19999) AS n) AS rows;
             CREATE INDEX ON t{table} (parent_id);\n",
            parent = parent(table),
        );
    }
    script.push_str("ANALYZE;\n");
    script
}
