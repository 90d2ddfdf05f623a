//! The sources beyond what the data map says of them: whether each still is the system that it was, can take an erasure, and is used at
//! all. Reach and rights are findings of the map, table by table.

use super::Finding;
use crate::cli::error::CliError;
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
    for source in sources.into_values() {
        source.close().await;
    }
    Ok(findings)
}
