//! Looks again, later, whether what a request erased is still gone: late replicas, caches, imports and cached sessions bring things back. A
//! resurrection reopens the request and is journalled. After the last look the manifests are destroyed.

use jiff::Timestamp;

use super::case::{Case, JobError};
use super::result::{PlaceResult, StoredResult};
use super::verifying::verify;
use crate::crypto::destroy_spool;
use crate::db::Tx;
use crate::deployment::Deployment;
use crate::erase::manifest::path_of;
use crate::journal::{self, Count, EventKind};
use crate::ledger::execution::{self, Execution};
use crate::ledger::job::{JobLease, NewJob, Writer};
use crate::ledger::{plan as plans, request};
use crate::plan::{Action, Plan};
use crate::queue;
use crate::request::Status;
use crate::verify::Contradiction;

/// Queues the looks that follow an erasure.
pub async fn schedule(tx: &mut Tx, case: &Case<'_>, now: Timestamp) -> Result<(), JobError> {
    let looks = &case.deployment.config.verify.again_after;
    for (number, after) in looks.iter().enumerate() {
        let run_at = now.checked_add(*after).unwrap_or(now);
        let mut job = NewJob::for_request(super::REVERIFY, &case.request, run_at);
        job.unique_key = Some(format!("reverify:{}:{}:{number}", case.request.id, now.as_microsecond()));
        job.payload = serde_json::json!({ "last": number + 1 == looks.len() }).to_string();
        queue::enqueue(tx, &job, now).await?;
    }
    Ok(())
}

/// Looks again at everything that a request erased; where it is back, or was never gone, as far as its answer did not say so.
pub async fn look_again(case: &mut Case<'_>) -> Result<Vec<PlaceResult>, JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let passes = execution::of_request(&mut tx, &case.request.id).await?;
    let Some(first) = passes.last() else {
        return Err(JobError::Stored("it has not erased anything yet".into()));
    };
    let digest = first.plan_digest.clone();
    let stored = plans::get(&mut tx, &case.request.id, &digest).await?;
    tx.rollback().await?;
    let plan: Plan = serde_json::from_str(&stored.document).map_err(|error| JobError::Stored(error.to_string()))?;
    let all: Vec<Execution> = passes.into_iter().filter(|pass| pass.plan_digest == digest).collect();
    let readable: Vec<Execution> = all.into_iter().filter(|pass| pass.manifest_file.is_some()).collect();
    let verified = verify(case, &plan, &readable).await?;
    let mut places: Vec<PlaceResult> = Vec::new();
    for conclusion in &verified.conclusions {
        if let Some(Contradiction::StillPresent { count }) = conclusion.contradiction {
            places.push(PlaceResult {
                source: conclusion.item.source.clone(),
                place: Some(format!("{}.{}", conclusion.item.dataset, conclusion.item.collection)),
                code: "resurrected".into(),
                count: Some(count),
            });
        }
    }
    for residue in &verified.searched.residue {
        places.push(PlaceResult {
            source: residue.source.clone(),
            place: Some(residue.place.clone()),
            code: "residue".into(),
            count: Some(residue.occurrences),
        });
    }
    let known = known_residue(case);
    places.retain(|place| !known.contains(place));
    let resurrected: u64 = places.iter().filter_map(|place| place.count).sum();
    if resurrected > 0 {
        reopen(case, &places, resurrected).await?;
    }
    Ok(places)
}

/// Looks again at every erasure whose manifest is still there, for a job of kind `reverify`; its answer names what is back.
pub async fn look_at_all(deployment: &Deployment, lease: &JobLease) -> Result<(), JobError> {
    let id = lease.request_id.clone().ok_or_else(|| JobError::Stored("it belongs to no request".into()))?;
    let mut tx = deployment.ledger.begin().await?;
    let now = deployment.now();
    request::set_status(&mut tx, Writer::Attempt(lease), &id, Status::Running, now).await?;
    let erasures = execution::with_manifests(&mut tx).await?;
    tx.commit().await?;
    let mut result = StoredResult::default();
    for request_id in erasures {
        let mut case = Case::of_request(deployment, lease, &request_id).await?;
        result.residue.extend(look_again(&mut case).await?);
        case.close().await;
    }
    let status = if result.residue.is_empty() { Status::Completed } else { Status::Partial };
    let document = serde_json::to_value(&result).unwrap_or_default();
    let mut tx = deployment.ledger.begin().await?;
    request::set_result(&mut tx, Writer::Attempt(lease), &id, &document, now).await?;
    request::set_status(&mut tx, Writer::Attempt(lease), &id, status, now).await?;
    tx.commit().await?;
    Ok(())
}

/// Residue that the request's answer already names is not news.
fn known_residue(case: &Case<'_>) -> Vec<PlaceResult> {
    let stored: Option<StoredResult> = case.request.result.as_deref().and_then(|text| serde_json::from_str(text).ok());
    stored.map(|result| result.residue).unwrap_or_default()
}

async fn reopen(case: &mut Case<'_>, places: &[PlaceResult], count: u64) -> Result<(), JobError> {
    let mut result: StoredResult =
        case.request.result.as_deref().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
    result.residue.extend(places.iter().cloned());
    let document = serde_json::to_value(&result).unwrap_or_default();
    let now = case.deployment.now();
    let mut tx = case.deployment.ledger.begin().await?;
    request::set_result(&mut tx, Writer::Attempt(case.lease), &case.request.id, &document, now).await?;
    if case.request.status == Status::Completed {
        case.write_status(&mut tx, Status::Partial).await?;
    }
    journal::append(&mut tx, &case.event(EventKind::Resurrection).count(Count::StillPresent, count)).await?;
    tx.commit().await?;
    tracing::error!(request = %case.request.code, records = count, "erased records are there again: the request is open");
    Ok(())
}

/// After the last look nothing needs the keys any more.
pub async fn destroy_manifests(case: &Case<'_>) -> Result<(), JobError> {
    let mut tx = case.deployment.ledger.begin().await?;
    let passes = execution::of_request(&mut tx, &case.request.id).await?;
    tx.rollback().await?;
    for pass in passes {
        let Some(file) = &pass.manifest_file else { continue };
        let keeps_something = pass.steps.iter().any(|step| step.action == Action::Keep);
        if keeps_something && case.request.status == Status::Partial {
            continue;
        }
        destroy_spool(&path_of(&case.deployment.config.spool, file))?;
        let mut tx = case.deployment.ledger.begin().await?;
        execution::forget_manifest(&mut tx, Writer::Attempt(case.lease), &pass).await?;
        journal::append(&mut tx, &case.event(EventKind::ManifestDestroyed)).await?;
        tx.commit().await?;
    }
    Ok(())
}
