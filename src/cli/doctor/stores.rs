//! The stores of objects beyond what the data map says of them: whether one that the map does not use can be read, whether each still is the
//! store that it was, and what deleting in it does not reach. What is worth knowing and no finding is said as a note.

use super::Finding;
use super::systems;
use crate::cli::error::CliError;
use crate::config::Source;
use crate::connector::objects::{ObjectAddress, ObjectSource, StoreError, StoreFacts, Versioning, probe};
use crate::deployment::Deployment;

/// What was found of all configured stores.
#[derive(Default)]
pub(super) struct Stores {
    /// What is wrong or may be.
    pub(super) findings: Vec<Finding>,
    /// A line for each that was reached.
    pub(super) notes: Vec<String>,
}

/// Opens and tries every configured store.
pub(super) async fn check(deployment: &Deployment, told: &[Finding]) -> Result<Stores, CliError> {
    let mut stores = Stores::default();
    for source in deployment.config.sources.values() {
        let Some(address) = source.object_address() else { continue };
        let open = match ObjectSource::open(&source.name, address).await {
            Ok(open) => open,
            Err(problem) => {
                stores.add(told, unreached(source, &problem));
                continue;
            }
        };
        stores.notes.push(format!("{}: {}", source.name, note(address, &open.facts)));
        let is_used = deployment.graph.uses_store(&source.name);
        if !is_used {
            for problem in probe(&open).await.refused {
                stores.add(told, unreached(source, &problem));
            }
        }
        stores.findings.extend(of_facts(&source.name, &open.facts));
        let identity = &open.facts.identity;
        let changed = systems::changed(deployment, &source.name, identity, "bucket or folder").await?;
        changed.into_iter().for_each(|finding| stores.add(told, finding));
    }
    Ok(stores)
}

impl Stores {
    /// The check of the map may have said it already.
    fn add(&mut self, told: &[Finding], finding: Finding) {
        if !told.iter().any(|known| known.code == finding.code && known.subject == finding.subject) {
            self.findings.push(finding);
        }
    }
}

fn unreached(source: &Source, problem: &StoreError) -> Finding {
    let code = if matches!(problem, StoreError::Denied { .. }) { "missing_rights" } else { "source_unreachable" };
    let hint = problem.hint().unwrap_or("look at its address and credentials in the configuration");
    Finding::error(code, &source.name, problem.to_string(), hint)
}

fn of_facts(name: &str, facts: &StoreFacts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if facts.mfa_delete {
        let problem = "versions can be deleted only with a second factor, which this program does not have";
        let hint = "switch MFA delete off while erasures run, or delete by hand what they leave";
        findings.push(Finding::warning("mfa_delete", name, problem, hint));
    }
    for copy in &facts.copies {
        let hint = "name the place that it goes to as a source of its own, so that it is erased there too";
        findings.push(Finding::warning("replicated", name, format!("{copy} is not reached by an erasure here"), hint));
    }
    for what in &facts.unknown {
        let problem = format!("it could not be found out {what}");
        findings.push(Finding::warning("missing_rights", name, problem, "grant the right that is named"));
    }
    findings
}

/// What somebody who answers for the store should know.
fn note(address: &ObjectAddress, facts: &StoreFacts) -> String {
    let kind = match address {
        ObjectAddress::S3(_) => "a bucket",
        ObjectAddress::Folder(_) => "a folder",
    };
    let versions = match (address, facts.versioning) {
        (ObjectAddress::Folder(_), _) => "it keeps no versions: what was overwritten or deleted before left no trace",
        (_, Versioning::Never) => "it keeps no versions",
        (_, Versioning::Enabled) => "it keeps every version",
        (_, Versioning::Suspended) => "it kept versions until that was suspended, and those are still there",
    };
    let locks = match facts.lockable {
        Some(true) => "versions can be locked",
        Some(false) => "nothing in it can be locked",
        None => "whether versions are locked is asked of each",
    };
    format!("{kind}; {versions}; {locks}; whether we may delete in it, only deleting tells")
}
