//! The Fides sample (`tests/fixtures/fides`): its database, its map, and what Fides did with them.

use serde_json::Value;

use super::database::Database;
use super::postgres::postgres;
use super::workspace::Workspace;

/// Key of the sample's dataset.
pub const DATASET: &str = "postgres_example_test_dataset";
/// The person that the recorded results are about.
pub const EMAIL: &str = "customer-1@example.com";
/// The data map, as published.
pub const DATASET_YAML: &str = include_str!("../../fixtures/fides/dataset.yml");
/// The twelve erasure policies.
pub const POLICIES_YAML: &str = include_str!("../../fixtures/fides/policies.yml");
/// Schema and rows, for PostgreSQL.
pub const SAMPLE_SQL: &str = include_str!("../../fixtures/fides/sample.sql");

/// A fresh database with the sample in it; `None`, after saying so, where there is no PostgreSQL.
pub fn database() -> Option<Database> {
    let database = postgres()?.create_database();
    database.script(SAMPLE_SQL);
    Some(database)
}

/// A workspace on the sample, with this data map and the twelve policies; `None`, after saying so, where there is no PostgreSQL. The
/// source bears the dataset's name, so that the map needs no word of ours.
pub fn workspace(map: &str) -> Option<Workspace> {
    let workspace = Workspace::postgres(SAMPLE_SQL, map)?;
    let config = std::fs::read_to_string(workspace.path("habeas.yaml")).expect("the configuration");
    workspace.write("habeas.yaml", &config.replace("\n  app: ", &format!("\n  {DATASET}: ")));
    workspace.write("datamap/policies.yml", POLICIES_YAML);
    Some(workspace)
}

/// `{"dataset:collection": [row]}`, every field of the map.
pub fn expected_access_raw() -> Value {
    serde_json::from_str(include_str!("../../fixtures/fides/expected_access_raw.json")).expect("JSON")
}

/// Seven times `{targets, result: {"dataset:collection": [row]}}`.
pub fn expected_access() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/fides/expected_access.json")).expect("JSON")
}

/// Twelve times `{policy, rows_masked, errors, db_diff: {table: {rows_before, rows_after}}}`.
pub fn expected_erasure() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/fides/expected_erasure.json")).expect("JSON")
}

/// A recorded difference in the form of [`super::database::difference`]: lists sorted by their text.
pub fn in_our_order(db_diff: &Value) -> Value {
    let mut sorted = db_diff.clone();
    for change in sorted.as_object_mut().expect("an object").values_mut() {
        for list in change.as_object_mut().expect("an object").values_mut() {
            list.as_array_mut().expect("a list").sort_by_key(Value::to_string);
        }
    }
    sorted
}
