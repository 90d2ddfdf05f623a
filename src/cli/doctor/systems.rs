//! The sources beyond what the data map says of them: whether each still is the system that it was, can take an erasure, and is used at
//! all. Reach and rights are findings of the map, table by table.

use super::Finding;
use crate::cli::error::CliError;
use crate::config::Source;
use crate::connector::sql::SqlSource;
use crate::deployment::Deployment;
use crate::job::pin_source;
use crate::ledger::setting::Pinned;

/// Checks the sources.
pub(super) async fn check(deployment: &Deployment, told: &[Finding]) -> Result<Vec<Finding>, CliError> {
    let mut findings = Vec::new();
    for name in deployment.config.sources.keys() {
        if !deployment.graph.nodes.iter().any(|node| &node.source == name) {
            let hint = "describe it in the data map, or take it out of the configuration";
            findings.push(Finding::warning("source_not_mapped", name, "no collection of the data map is served by it", hint));
        }
    }
    let (sources, _) = deployment.open_sources().await;
    let mut tx = deployment.ledger.begin().await?;
    for source in sources.values() {
        if !source.catalogue.writable {
            let hint = "name the primary server, and a role that may write";
            findings.push(Finding::error(
                "source_read_only",
                &source.name,
                "it takes no writes: nothing can be erased in it",
                hint,
            ));
        }
        let is_other = matches!(pin_source(&mut tx, source, deployment.now()).await?, Pinned::Other(_));
        // The check of the map says so as well, when it could ask the ledger.
        if is_other && !told.iter().any(|finding| finding.code == "source_changed" && finding.subject == source.name) {
            let problem = "it is another database than the one that this name stood for: a restored copy, or another environment";
            let hint = "name the right database; if it was moved on purpose, give the source a new name";
            findings.push(Finding::error("source_changed", &source.name, problem, hint));
        }
    }
    tx.commit().await?;
    for source in sources.values() {
        let is_separate = deployment.config.sources.get(&source.name).is_some_and(Source::verifies_separately);
        if is_separate {
            findings.extend(verifying_role(deployment, source).await);
        }
    }
    for source in sources.into_values() {
        source.close().await;
    }
    Ok(findings)
}

/// The role of `verify:` must be at the same database and see every row of every mapped table: a row that it does not see looks erased (V-1).
async fn verifying_role(deployment: &Deployment, source: &SqlSource) -> Vec<Finding> {
    let catalogue = match source.verifying_catalogue().await {
        Ok(catalogue) => catalogue,
        Err(error) => {
            let hint = "look at `verify` of this source in the configuration";
            return vec![Finding::error("verify_unreachable", &source.name, format!("its role for verification: {error}"), hint)];
        }
    };
    // Where a role may not read the server's own identifier, the two are told by other words and cannot be compared.
    let is_of_one_kind = |identity: &str| identity.matches('/').count();
    let (work, verify) = (&source.catalogue.system_identity, &catalogue.system_identity);
    let mut findings = Vec::new();
    if work != verify && is_of_one_kind(work) == is_of_one_kind(verify) {
        let problem = "`verify` leads to another database than the one in which is erased";
        let hint = "let both name the same server and database: what is gone there says nothing about here";
        findings.push(Finding::error("verify_other_database", &source.name, problem, hint));
        return findings;
    }
    for node in deployment.graph.nodes.iter().filter(|node| node.source == source.name) {
        let Some(table) = catalogue.find(node.schema.as_deref(), &node.collection) else {
            if source.catalogue.find(node.schema.as_deref(), &node.collection).is_some() {
                let hint = "let its search path find the schema, or write `namespace` on the dataset";
                findings.push(Finding::error(
                    "verify_missing_rights",
                    node.name(),
                    "the role for verification does not find the table",
                    hint,
                ));
            }
            continue;
        };
        if !table.rights.select {
            let hint = format!("GRANT SELECT ON {} to the role of `verify`, and USAGE on its schema", table.name);
            findings.push(Finding::error("verify_missing_rights", node.name(), "the role for verification may not read it", hint));
        } else if table.row_security {
            let problem = "row security applies to the role for verification: a row that it does not see looks erased";
            findings.push(Finding::error("verify_row_security", node.name(), problem, "give that role BYPASSRLS"));
        }
    }
    findings
}
