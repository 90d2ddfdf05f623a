//! Checks of a map written in YAML against a schema that is made for the test.

use std::path::PathBuf;

use super::check_live;
use crate::connector::sql::{Catalogue, load_catalogue};
use crate::datamap::{self, Finding, Graph, Severity};
use crate::db::testing::{self, TestDatabase};

/// The findings about a SQLite file with this schema.
pub(super) async fn check_sqlite(map: &str, schema: &'static str) -> Vec<Finding> {
    check_catalogue(map, &catalogue_of(&testing::sqlite(schema).await).await)
}

/// The findings about a PostgreSQL database with this schema; nothing where PostgreSQL is not installed.
pub(super) async fn check_postgres(map: &str, schema: &'static str) -> Option<Vec<Finding>> {
    let database = testing::postgres(schema).await?;
    Some(check_catalogue(map, &catalogue_of(&database).await))
}

pub(super) async fn catalogue_of(database: &TestDatabase) -> Catalogue {
    load_catalogue(database.db.session().await.unwrap().on()).await.unwrap()
}

/// The findings about a catalogue; the dataset of the map is to be `app`.
pub(super) fn check_catalogue(map: &str, catalogue: &Catalogue) -> Vec<Finding> {
    let loaded = datamap::parse(&[(PathBuf::from("app.yml"), map.to_owned())], false).unwrap_or_else(|errors| panic!("{errors}"));
    check_live(&loaded.map, &Graph::build(&loaded.map), "app", catalogue)
}

/// Subjects of the findings of one kind.
pub(super) fn about<'f>(findings: &'f [Finding], severity: Severity, code: &str) -> Vec<&'f str> {
    let wanted = findings.iter().filter(|finding| finding.severity == severity && finding.code == code);
    wanted.map(|finding| finding.subject.as_str()).collect()
}

/// The only finding of one kind.
pub(super) fn only<'f>(findings: &'f [Finding], code: &str) -> &'f Finding {
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.code == code).collect();
    assert_eq!(found.len(), 1, "{code}: {findings:#?}");
    found[0]
}
