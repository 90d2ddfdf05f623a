//! The bucket for archives: whether it answers, and whether what is written there can be removed again when its time is over.

use super::Finding;
use crate::config::{ArchivePlace, Config};
use crate::connector::objects::StoreError;
use crate::counted::counted;
use crate::export::{Shelf, ShelfError};

/// Checks the bucket, where archives go into one.
pub(super) async fn check(config: &Config) -> Vec<Finding> {
    let ArchivePlace::S3 { address, prefix } = &config.archives.place else { return Vec::new() };
    let subject = format!("s3://{}/{prefix}", address.bucket);
    match look(config, prefix).await {
        Ok(findings) => {
            findings.into_iter().map(|(severity, code, problem, hint)| severity(code, &subject, problem, hint)).collect()
        }
        Err(error) => {
            let hint = match &error {
                ShelfError::Store(error) => error.hint(),
                _ => None,
            };
            let hint = hint.unwrap_or("see to it that the store answers; docs/objects.md lists the rights that archives need");
            vec![Finding::error("archives_unreachable", subject, error.to_string(), hint)]
        }
    }
}

type Told = (fn(&'static str, &str, String, &'static str) -> Finding, &'static str, String, &'static str);

async fn look(config: &Config, prefix: &str) -> Result<Vec<Told>, ShelfError> {
    let shelf = Shelf::open(&config.archives).await?;
    let Some(store) = shelf.store() else { return Ok(Vec::new()) };
    let facts = store.facts().await?;
    store.list(prefix.as_bytes(), None).await?;
    match store.list_uploads(prefix.as_bytes(), None).await {
        Ok(_) | Err(StoreError::NotSupported { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    let warning: fn(&'static str, &str, String, &'static str) -> Finding =
        |code, subject, problem, hint| Finding::warning(code, subject, problem, hint);
    let mut told: Vec<Told> = Vec::new();
    if let Some(retains) = facts.retains_new
        && retains > config.archives.expire_after
    {
        let days = counted(retains.as_hours() / 24, "day", "days");
        let problem = format!("the bucket retains whatever is written there for {days}: archives stay longer than they should");
        told.push((warning, "archives_retained", problem, "take another bucket, or shorten its default retention"));
    }
    if facts.mfa_delete {
        let problem = "versions there can be deleted only with a second factor: no archive will be removed".to_owned();
        told.push((warning, "archives_mfa_delete", problem, "take another bucket"));
    }
    for copy in &facts.copies {
        let problem = format!("archives are copied elsewhere ({copy}), and removing them does not reach the copies");
        told.push((warning, "archives_replicated", problem, "leave the prefix out of the replication"));
    }
    Ok(told)
}
