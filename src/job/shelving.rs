//! An archive on its way to the shelf and off it: noted in the ledger before it is written, named by the answer, removed when an attempt died,
//! when a newer one takes its place, or when its time is over. Each removal is journalled; what cannot be removed stays noted and is tried
//! again.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::case::{Case, JobError};
use crate::archive::Finished;
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::export::{Removal, Shelf, ShelfError, Shelved};
use crate::journal::{self, Actor, Code, Count, Event, EventKind, Id};
use crate::ledger::archive::{self, ArchiveFile};
use crate::ledger::job::Writer;
use crate::ledger::request;

/// How long an attempt may take before what it was writing is taken for left behind.
const LONGEST_ATTEMPT: SignedDuration = SignedDuration::from_hours(7 * 24);

const DIED: Code = Code::fixed("attempt_died");
const SUPERSEDED: Code = Code::fixed("superseded");
const EXPIRED: Code = Code::fixed("expired");

/// What a sweep did with archives.
#[derive(Debug, Default)]
pub struct Swept {
    /// Archives that are gone with all their parts.
    pub removed: usize,
    /// Files that are still there: path and why.
    pub kept: Vec<(String, String)>,
}

/// Takes away what earlier attempts at this request left behind.
pub(super) async fn clear_leftovers(case: &Case<'_>, shelf: &Shelf) -> Result<(), JobError> {
    let leftovers = known(case).await?.into_iter().filter(|file| file.published_at.is_none());
    for file in leftovers {
        take_off(case.deployment, shelf, &file, DIED).await?;
    }
    Ok(())
}

/// Notes every file of the archive and publishes them. If that fails, what there is of it is taken away again.
pub(super) async fn shelve(case: &Case<'_>, shelf: &Shelf, finished: Finished) -> Result<Vec<Shelved>, JobError> {
    let known = known(case).await?;
    let paths: Vec<String> = finished.files.iter().map(|file| shelf.path_of(&file.file_name)).collect();
    if paths.len() > 1 {
        // Several files cannot take the place of several others at once: half of each would be neither archive.
        for file in &known {
            if paths.contains(&file.path) {
                take_off(case.deployment, shelf, file, SUPERSEDED).await?;
            }
        }
    }
    let before: Vec<String> = known.into_iter().map(|file| file.path).collect();
    let now = case.deployment.now();
    let mut tx = case.deployment.ledger.begin().await?;
    let until = after(now, LONGEST_ATTEMPT);
    for path in &paths {
        archive::begin(&mut tx, Writer::Attempt(case.lease), &case.request.id, path, now, until).await?;
    }
    tx.commit().await?;
    match shelf.publish(finished, &case.request.id, &before).await {
        Ok(shelved) => Ok(shelved),
        Err(error) => {
            if let Err(left) = clear_leftovers(case, shelf).await {
                tracing::warn!(request = %case.request.code, "what was sent of an archive is still there: {left}");
            }
            Err(error.into())
        }
    }
}

/// Notes in the answer's transaction that the archive is published; when it will be removed.
pub(super) async fn note_published(
    tx: &mut Tx,
    case: &Case<'_>,
    shelved: &[Shelved],
    now: Timestamp,
) -> Result<Timestamp, JobError> {
    let expires_at = after(now, case.deployment.config.archives.expire_after);
    for file in shelved {
        archive::publish(tx, Writer::Attempt(case.lease), &case.request.id, &file.path, now, expires_at).await?;
    }
    Ok(expires_at)
}

/// Takes away earlier archives of the request, now that its answer names another one. The answer stands, whatever comes of that.
pub(super) async fn clear_superseded(case: &Case<'_>, shelf: &Shelf, current: &[Shelved]) {
    let cleared = async {
        for file in known(case).await? {
            if !current.iter().any(|shelved| shelved.path == file.path) {
                take_off(case.deployment, shelf, &file, SUPERSEDED).await?;
            }
        }
        Ok::<(), JobError>(())
    };
    if let Err(error) = cleared.await {
        tracing::warn!(request = %case.request.code, "an earlier archive is still there: {error}");
    }
}

/// Removes every archive whose time is over.
pub async fn expire_archives(deployment: &Deployment) -> Result<Swept, JobError> {
    let mut tx = deployment.ledger.begin().await?;
    let due = archive::due(&mut tx, deployment.now()).await?;
    tx.rollback().await?;
    let mut swept = Swept::default();
    if due.is_empty() {
        return Ok(swept);
    }
    let shelf = Shelf::open(&deployment.config.archives).await?;
    for files in by_archive(due) {
        let kept_before = swept.kept.len();
        for file in files {
            let reason = if file.published_at.is_some() { EXPIRED } else { DIED };
            match take_off(deployment, &shelf, &file, reason).await {
                Ok(None) => {}
                Ok(Some(why)) => swept.kept.push((file.path.clone(), why)),
                Err(JobError::Shelf(ShelfError::Store(error))) => swept.kept.push((file.path.clone(), error.to_string())),
                Err(error) => return Err(error),
            }
        }
        swept.removed += usize::from(swept.kept.len() == kept_before);
    }
    Ok(swept)
}

/// The files of one archive together: they were published in one moment.
fn by_archive(files: Vec<ArchiveFile>) -> Vec<Vec<ArchiveFile>> {
    let same = |a: &ArchiveFile, b: &ArchiveFile| (&a.request_id, a.published_at) == (&b.request_id, b.published_at);
    files.chunk_by(same).map(<[ArchiveFile]>::to_vec).collect()
}

async fn known(case: &Case<'_>) -> Result<Vec<ArchiveFile>, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let files = archive::of_request(&mut tx, &case.request.id).await?;
    tx.rollback().await?;
    Ok(files)
}

/// Removes a file and notes what came of it; why it is still there, if it is.
async fn take_off(deployment: &Deployment, shelf: &Shelf, file: &ArchiveFile, reason: Code) -> Result<Option<String>, JobError> {
    let now = deployment.now();
    let outcome = shelf.remove(&file.path, &file.request_id, now).await;
    let mut tx = deployment.ledger.begin().await?;
    request::lock(&mut tx, &file.request_id).await?;
    let left = match outcome {
        Ok(Removal::Gone { entries }) => {
            archive::removed(&mut tx, file, now).await?;
            let mut event =
                Event::new(EventKind::ArchiveRemoved, now, Actor::system()).reason(reason).count(Count::Affected, entries);
            if let Ok(id) = Id::parse(&file.request_id) {
                event = event.request_id(id);
            }
            journal::append(&mut tx, &event).await?;
            tell_in_answer(&mut tx, file, now).await?;
            None
        }
        Ok(Removal::Kept { code, until }) => {
            archive::still_there(&mut tx, file, code, now).await?;
            tell_in_answer(&mut tx, file, now).await?;
            Some(until.map_or_else(|| code.to_owned(), |until| format!("{code} until {until:.0}")))
        }
        Err(error) => {
            archive::still_there(&mut tx, file, "store_failed", now).await?;
            tx.commit().await?;
            return Err(ShelfError::Store(error).into());
        }
    };
    tx.commit().await?;
    Ok(left)
}

/// Says in the request's answer what became of the archive that it names: removed when every file of it is, and still there while any of
/// them is that should have gone.
async fn tell_in_answer(tx: &mut Tx, file: &ArchiveFile, now: Timestamp) -> Result<(), JobError> {
    let request = request::get(tx, &file.request_id).await?;
    let Some(stored) = &request.result else { return Ok(()) };
    let mut answer: Value = serde_json::from_str(stored).map_err(|error| JobError::Stored(error.to_string()))?;
    let living = archive::of_request(tx, &file.request_id).await?;
    let Some(told) = answer.get_mut("archive").and_then(Value::as_object_mut) else { return Ok(()) };
    if tell(told, &file.path, &living, now) {
        request::set_result(tx, Writer::Outside, &file.request_id, &answer, now).await?;
    }
    Ok(())
}

/// `false` if the answer names another archive than the one that this file belongs to.
fn tell(told: &mut Map<String, Value>, path: &str, living: &[ArchiveFile], now: Timestamp) -> bool {
    let further = told.get("files").and_then(Value::as_array).into_iter().flatten().filter_map(|file| file.get("path"));
    let paths: Vec<&str> = told.get("path").into_iter().chain(further).filter_map(Value::as_str).collect();
    if !paths.contains(&path) {
        return false;
    }
    let left: Vec<&ArchiveFile> = living.iter().filter(|file| paths.contains(&file.path.as_str())).collect();
    told.remove("still_there");
    if left.is_empty() {
        told.insert("removed_at".to_owned(), json!(now));
    } else if let Some(problem) = left.iter().find_map(|file| file.problem.as_ref()) {
        told.insert("still_there".to_owned(), json!(problem));
    }
    true
}

fn after(now: Timestamp, length: SignedDuration) -> Timestamp {
    now.checked_add(length).unwrap_or(Timestamp::MAX)
}
