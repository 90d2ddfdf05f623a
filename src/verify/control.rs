//! The verifier's first look, before anything is erased: by key, from the manifest, in a session of its own. Only what it saw then can it
//! later say to be gone (V-3).

use std::collections::BTreeMap;

use thiserror::Error;

use super::later::Later;
use super::rows::look_at_rows;
use crate::connector::Systems;
use crate::connector::objects::{ObjectSource, StoreError, present};
use crate::connector::sql::{ReadBack, Reader, Seen, SqlBatch};
use crate::db::DbError;
use crate::deployment::Deployment;
use crate::erase::manifest::{Group, ManifestError, groups_of};
use crate::erase::{batch_of, entries_of};
use crate::ledger::execution::Execution;
use crate::plan::Action;

/// Why the verifier could not look. Not being able to look is never absence (V-2).
#[derive(Debug, Error)]
pub enum LookError {
    /// The manifest.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// A source.
    #[error("source `{source_name}`: {problem}")]
    Source {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: DbError,
    },
    /// A store of objects.
    #[error("source `{source_name}`: {problem}")]
    Store {
        /// Its name.
        source_name: String,
        /// What it said.
        problem: StoreError,
    },
    /// A source or table of the manifest is not there.
    #[error("`{0}` cannot be read back: it is not reached, or its table has changed")]
    Gone(String),
}

/// Looks at every record of a pass for which no later pass answers; what was seen, per step.
pub async fn look(deployment: &Deployment, systems: Systems<'_>, pass: &Execution, later: &Later) -> Result<Vec<Seen>, LookError> {
    look_by(deployment, systems, pass, later, Reader::Verify).await
}

/// The same through the pool of one's choice.
pub async fn look_by(
    deployment: &Deployment,
    systems: Systems<'_>,
    pass: &Execution,
    later: &Later,
    by: Reader,
) -> Result<Vec<Seen>, LookError> {
    let mut seen = vec![Seen::default(); pass.steps.len()];
    let mut sessions: BTreeMap<String, ReadBack> = BTreeMap::new();
    for group in groups_of(deployment, pass)? {
        let group = group?;
        let name = pass.steps[group.step].source.clone();
        if let Some(store) = systems.stores.get(&name) {
            deployment.progress.advance(group.rows.keys.len() as u64);
            let step = group.step;
            match pass.steps[step].action {
                Action::Rewrite => look_at_rows(&group, store, by, &deployment.config.spool, &mut seen[step]).await?,
                _ => look_at_objects(&group, store, by, &mut seen[step]).await?,
            }
            continue;
        }
        let source = systems.databases.get(&name).ok_or_else(|| LookError::Gone(name.clone()))?;
        let failed = |problem: DbError| LookError::Source { source_name: name.clone(), problem };
        if !sessions.contains_key(&name) {
            sessions.insert(name.clone(), ReadBack::open_by(source, by).await.map_err(failed)?);
        }
        let Some(session) = sessions.get_mut(&name) else { continue };
        let mut batch: SqlBatch = batch_of(pass, group.step, group.rows, source)
            .ok_or_else(|| LookError::Gone(pass.steps[group.step].collection.clone()))?;
        deployment.progress.advance(batch.rows.keys.len() as u64);
        seen[group.step].superseded += later.take_out(&pass.steps[group.step], &mut batch);
        let looked = session.look(&batch).await.map_err(failed)?;
        seen[group.step].present += looked.present;
        seen[group.step].done += looked.done;
    }
    Ok(seen)
}

/// Objects are looked for in lists, through a client of the verifier's own.
async fn look_at_objects(group: &Group, store: &ObjectSource, by: Reader, seen: &mut Seen) -> Result<(), LookError> {
    let entries = entries_of(group).map_err(ManifestError::from)?;
    let client = match by {
        Reader::Verify => store.verify.as_ref(),
        Reader::Work => store.work.as_ref(),
    };
    let there = present(client, &entries).await;
    let there = there.map_err(|problem| LookError::Store { source_name: store.name.clone(), problem })?;
    let present = there.iter().filter(|there| **there).count() as u64;
    seen.present += present;
    seen.done += entries.len() as u64 - present;
    Ok(())
}
