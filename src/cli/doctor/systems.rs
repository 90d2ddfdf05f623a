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
        let has_rows = deployment.graph.nodes.iter().any(|node| &node.source == name);
        let has_objects = deployment.graph.uses_store(name);
        if !has_rows && !has_objects {
            let hint = "describe it in the data map, or take it out of the configuration";
            findings.push(Finding::warning("source_not_mapped", name, "no collection of the data map is served by it", hint));
        }
    }
    let (sources, _) = deployment.open_sources().await;
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
        let identity = &source.catalogue.system_identity;
        let changed = changed(deployment, &source.name, identity, "database").await?;
        // The check of the map says so as well, when it could ask the ledger.
        let is_new = |finding: &Finding| !told.iter().any(|known| known.code == finding.code && known.subject == finding.subject);
        findings.extend(changed.filter(is_new));
    }
    for source in sources.into_values() {
        source.close().await;
    }
    Ok(findings)
}

/// Whether a source is another system than the one that its name stood for; at the first look it is remembered.
pub(super) async fn changed(
    deployment: &Deployment,
    source: &str,
    identity: &str,
    noun: &str,
) -> Result<Option<Finding>, CliError> {
    let mut tx = deployment.ledger.begin().await?;
    let is_other = matches!(pin_source(&mut tx, source, identity, deployment.now()).await?, Pinned::Other(_));
    tx.commit().await?;
    let problem = format!("it is another {noun} than the one that this name stood for: a restored copy, or another environment");
    let hint = "name the right one; if it was moved on purpose, give the source a new name";
    Ok(is_other.then(|| Finding::error("source_changed", source, problem, hint)))
}
