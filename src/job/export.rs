//! Access (Art. 15) and portability (Art. 20), the recipe: gather in one snapshot per source, stream every row into the archive, account for
//! each one, and publish only what was read back whole. A source that could not be read is said so, on the first page and in the
//! status.

use jiff::Timestamp;

use super::case::{Case, JobError};
use super::erasure::Ended;
use super::planning::{gather, map_problems};
use super::result::{ArchiveFileResult, ArchiveResult, ItemResult, PlaceResult, Reason, StoredResult};
use super::shelving::{clear_leftovers, clear_superseded, note_published, shelve};
use super::waiting::store_waiting;
use crate::connector::sql::Reader;
use crate::export::{Account, Selection, Shelf, Shelved, Source, write_archive};
use crate::failpoint;
use crate::gather::Unreached;
use crate::journal::{self, Count, Digest, EventKind};
use crate::ledger::job::Writer;
use crate::ledger::request;
use crate::plan::Disposition;
use crate::request::Status;

/// Answers an access or portability request.
pub async fn export(mut case: Case<'_>) -> Result<Ended, JobError> {
    case.set_status(Status::Running).await?;
    let problems = map_problems(&case, true);
    if !problems.is_empty() {
        let lines: Vec<String> = problems.iter().map(|p| format!("{}: {} (hint: {})", p.subject, p.problem, p.hint)).collect();
        let reason = Reason {
            code: "map_refused".into(),
            message: format!("the data map does not fit the live schema, and nothing was read: {}", lines.join("; ")),
            hint: Some("correct the data map (`habeas map check`), then `habeas request retry`".into()),
        };
        let result = StoredResult { reason: Some(reason), ..StoredResult::default() };
        store_waiting(&mut case, Status::WaitingController, None, &result).await?;
        return Ok(Ended::Waiting);
    }
    let shelf = Shelf::open(&case.deployment.config.archives).await?;
    clear_leftovers(&case, &shelf).await?;
    case.deployment.progress.begin("gather", None);
    let started_at = case.deployment.now();
    let gathering = gather(&case, Reader::Work).await?;
    let source = Source {
        deployment: case.deployment,
        request: &case.request,
        subject: &case.subject,
        sources: &case.sources,
        stores: &case.stores,
        selection: Selection::of(case.deployment, &case.request, &case.job),
        started_at,
    };
    // Also a source that was open and would not be read: a gap, never nothing (V-2).
    let unreached = gathering.unreached.clone();
    let (finished, accounts) = write_archive(&source, gathering).await?;
    let shelved = shelve(&case, &shelf, finished).await?;
    failpoint::hit("export-before-publish");
    let now = case.deployment.now();
    let mut tx = case.deployment.ledger.begin().await?;
    let expires_at = note_published(&mut tx, &case, &shelved, now).await?;
    let archive = archive_of(&shelved, expires_at)?;
    let (result, status) = answer(&unreached, archive.clone(), &accounts);
    let document = serde_json::to_value(&result).unwrap_or_default();
    request::set_result(&mut tx, Writer::Attempt(case.lease), &case.request.id, &document, now).await?;
    let mut event = case
        .event(EventKind::ArchivePublished)
        .count(Count::Bytes, archive.bytes)
        .count(Count::Parts, u64::from(archive.parts))
        .count(Count::Exported, accounts.iter().map(|account| account.exported).sum());
    if let Ok(digest) = Digest::parse(&format!("sha256:{}", archive.sha256)) {
        event = event.digest(digest);
    }
    journal::append(&mut tx, &event).await?;
    case.write_status(&mut tx, status).await?;
    tx.commit().await?;
    clear_superseded(&case, &shelf, &shelved).await;
    case.deployment.progress.end();
    case.close().await;
    Ok(Ended::Answered)
}

/// The archive as the answer names it: by its first part, which has the digests of the others.
fn archive_of(shelved: &[Shelved], expires_at: Timestamp) -> Result<ArchiveResult, JobError> {
    let first = shelved.first().ok_or_else(|| JobError::Stored("an archive without a file was published".into()))?;
    let file = |shelved: &Shelved| ArchiveFileResult {
        path: shelved.path.clone(),
        bytes: shelved.bytes,
        sha256: shelved.sha256.clone(),
        version: shelved.version.clone(),
    };
    Ok(ArchiveResult {
        path: first.path.clone(),
        parts: u32::try_from(shelved.len()).unwrap_or(u32::MAX),
        bytes: shelved.iter().map(|file| file.bytes).sum(),
        sha256: first.sha256.clone(),
        version: first.version.clone(),
        files: if shelved.len() > 1 { shelved.iter().map(file).collect() } else { Vec::new() },
        expires_at: Some(expires_at),
        locked_until: shelved.iter().filter_map(|file| file.locked_until).max().filter(|until| *until > expires_at),
        removed_at: None,
        still_there: None,
    })
}

fn answer(unreached: &[Unreached], archive: ArchiveResult, accounts: &[Account]) -> (StoredResult, Status) {
    let mut gaps: Vec<PlaceResult> = unreached
        .iter()
        .map(|gap| PlaceResult { source: gap.source.clone(), place: None, code: "source_unreachable".into(), count: None })
        .collect();
    gaps.extend(accounts.iter().filter(|account| account.unread.is_some()).map(|account| PlaceResult {
        source: account.source.clone(),
        place: Some(account.collection.clone()),
        code: "objects_not_read".into(),
        count: None,
    }));
    let pending = accounts.iter().filter(|account| account.pending > 0).map(|account| PlaceResult {
        source: account.source.clone(),
        place: Some(account.collection.clone()),
        code: "being_restored".into(),
        count: Some(account.pending),
    });
    let failed: u64 = accounts.iter().map(|account| account.failed).sum();
    let status = if gaps.is_empty() && failed == 0 { Status::Completed } else { Status::Partial };
    let result = StoredResult {
        items: accounts.iter().map(item_of).collect(),
        gaps,
        pending: pending.collect(),
        archive: Some(archive),
        ..StoredResult::default()
    };
    (result, status)
}

fn item_of(account: &Account) -> ItemResult {
    ItemResult {
        source: account.source.clone(),
        dataset: account.dataset.clone(),
        collection: account.collection.clone(),
        kind: account.kind.into(),
        disposition: Disposition::Export,
        found: account.found,
        exported: account.exported,
        withheld: account.withheld,
        expected: account.found,
        affected: 0,
        retained: Vec::new(),
        rows: None,
        outcome: None,
        level: None,
        error: (account.failed > 0).then(|| failure_code(account).to_owned()),
    }
}

fn failure_code(account: &Account) -> &'static str {
    match account.kind {
        "sql" => "undecodable_value",
        _ => "object_not_read",
    }
}
