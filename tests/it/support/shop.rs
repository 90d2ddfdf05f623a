//! A shop with one customer who leaves, for tests of what must be the same however an erasure went: rows that are deleted, overwritten,
//! cleared and kept, and neighbours who must not notice. Source and ledger are on the same kind of database.

use std::fs;

use serde_json::{Value, json};

use super::database::Database;
use super::postgres::postgres;
use super::workspace::Workspace;

/// The customer who leaves.
pub const EMAIL: &str = "ada@example.com";

const SCHEMA: &str = "
CREATE TABLE customers (id INTEGER PRIMARY KEY, email TEXT NOT NULL, name TEXT);
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers (id), note TEXT, total INTEGER);
CREATE INDEX orders_by_customer ON orders (customer_id);
CREATE TABLE visits (id INTEGER PRIMARY KEY, customer_id INTEGER, agent TEXT);
CREATE INDEX visits_by_customer ON visits (customer_id);
CREATE TABLE tickets (id INTEGER PRIMARY KEY, opened_by INTEGER, answered_by INTEGER, subject TEXT);
CREATE INDEX tickets_by_opener ON tickets (opened_by);
CREATE INDEX tickets_by_answerer ON tickets (answered_by);
INSERT INTO customers VALUES (1001, 'ada@example.com', 'Ada Lovelace'), (1002, 'grace@example.com', 'Grace Hopper');
INSERT INTO visits VALUES (1, 1001, 'browser one'), (2, 1001, 'browser two'), (3, 1001, NULL), (4, 1002, 'browser three');
INSERT INTO tickets VALUES (1, 1001, 1002, 'lost parcel'), (2, 1002, 1001, 'where is it'), (3, 1002, 1001, 'again'), (4, 1002, 1002, 'x');
";

/// The data map.
pub const MAP: &str = "dataset:
  - fides_key: app
    collections:
      - name: customers
        habeas: {on_erasure: delete, provided: by_subject, legal_basis: art6_1_b}
        fields:
          - {name: id, data_categories: [user.unique_id], fides_meta: {primary_key: true, identity: customer_id}}
          - {name: email, data_categories: [user.contact.email], fides_meta: {identity: email}, habeas: {normal_form: ascii_lower}}
          - {name: name, data_categories: [user.name]}
      - name: orders
        habeas: {on_erasure: delete, provided: by_subject, legal_basis: art6_1_b}
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - {name: customer_id, data_categories: [user.unique_id], fides_meta: {references: [{dataset: app, field: customers.id, direction: from}]}}
          - {name: note, data_categories: [user.content.private]}
          - {name: total, data_categories: [user.financial]}
      - name: visits
        habeas: {on_erasure: mask, provided: by_subject, legal_basis: art6_1_b}
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - {name: customer_id, data_categories: [user.unique_id], fides_meta: {references: [{dataset: app, field: customers.id, direction: from}], masking_strategy_override: {strategy: null_rewrite}}}
          - {name: agent, data_categories: [user.device], fides_meta: {masking_strategy_override: {strategy: null_rewrite}}}
      - name: tickets
        habeas: {on_erasure: delete, provided: by_subject, legal_basis: art6_1_b}
        fields:
          - {name: id, data_categories: [system.operations], fides_meta: {primary_key: true}}
          - {name: opened_by, data_categories: [user.unique_id], fides_meta: {references: [{dataset: app, field: customers.id, direction: from}]}}
          - name: answered_by
            data_categories: [user.unique_id]
            fides_meta: {references: [{dataset: app, field: customers.id, direction: from}]}
            habeas: {right: accesses, hide: [opened_by, subject], on_erasure: unlink}
          - {name: subject, data_categories: [user.content.private]}
";

/// Which database a test runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// SQLite files.
    Sqlite,
    /// Two databases of the private server.
    Postgres,
    /// A source in MariaDB; the ledger is a SQLite file.
    MariaDb,
}

impl On {
    /// Every kind.
    pub const ALL: [On; 3] = [On::Sqlite, On::Postgres, On::MariaDb];
}

/// The shop with its ledger.
pub struct Shop {
    /// The folder of the operator.
    pub workspace: Workspace,
    /// The ledger.
    pub ledger: Database,
}

impl Shop {
    /// With so many orders of the customer, every fourth of them large, as many of somebody else's, and further lines of configuration.
    /// `None`, after saying so, where there is no such database.
    pub fn open(on: On, orders: u32, more_config: &str) -> Option<Shop> {
        Shop::of(on, &format!("{SCHEMA}{}", orders_of(orders)), more_config)
    }

    /// With the shop's tables and whatever else a script puts into them.
    pub fn with(on: On, script: &str, more_config: &str) -> Option<Shop> {
        Shop::of(on, &format!("{SCHEMA}{script}"), more_config)
    }

    fn of(on: On, script: &str, more_config: &str) -> Option<Shop> {
        let (workspace, ledger) = match on {
            On::Sqlite => {
                let workspace = Workspace::sqlite(script, MAP);
                let ledger = Database::Sqlite(workspace.path("habeas.db"));
                (workspace, ledger)
            }
            On::Postgres => (Workspace::postgres(script, MAP)?, postgres()?.create_database()),
            On::MariaDb => {
                let workspace = Workspace::mariadb(script, MAP)?;
                let ledger = Database::Sqlite(workspace.path("habeas.db"));
                (workspace, ledger)
            }
        };
        let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("the configuration");
        let config = match &ledger {
            Database::Sqlite(_) | Database::MariaDb { .. } => config,
            Database::Postgres(url) => config.replace("ledger: sqlite:habeas.db", &format!("ledger: \"{url}\"")),
        };
        workspace.write("habeas.yaml", &format!("{config}{more_config}"));
        Some(Shop { workspace, ledger })
    }

    /// A call of the program in the operator's folder.
    pub fn habeas(&self, arguments: &str) -> super::binary::Habeas {
        self.workspace.habeas(arguments)
    }

    /// Queues a job and gives the request's id.
    pub fn submit(&self, job: &Value) -> String {
        self.habeas("submit -").input(job.to_string()).run().code(0).stdout.trim().to_owned()
    }

    /// A request as `request show` tells it.
    pub fn request(&self, id: &str) -> Value {
        self.habeas(&format!("request show {id} --json")).run().code(0).json()
    }

    /// The kinds of the journal's entries, in order.
    pub fn journal(&self) -> Vec<String> {
        let entries = self.habeas("journal show --last 100000 --json").run().code(0).json();
        entries.as_array().expect("a list").iter().map(|entry| entry["event"]["kind"].as_str().expect("text").to_owned()).collect()
    }

    /// Names in a folder of the operator's, sorted; none where there is no such folder.
    pub fn names_in(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.workspace.path(folder)).into_iter().flatten().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

/// A job about the customer.
pub fn job(kind: &str) -> Value {
    let mut job = json!({"kind": kind, "subject": {"email": EMAIL}});
    if kind == "erasure" {
        job["approval"] = json!("none");
    }
    job
}

fn orders_of(count: u32) -> String {
    let mut script = String::new();
    for (customer, first) in [(1001, 1), (1002, 1_000_001)] {
        let rows: Vec<String> = (first..first + count)
            .map(|id| format!("({id}, {customer}, 'order {id}', {})", if id % 4 == 0 { 500 } else { 5 }))
            .collect();
        for chunk in rows.chunks(500) {
            script.push_str(&format!("INSERT INTO orders VALUES {};\n", chunk.join(", ")));
        }
    }
    script
}
