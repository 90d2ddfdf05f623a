//! The certificate of an erasure: built from evidence alone, recorded in the journal, signed, and written where the auditor finds it. Code
//! here has no session that could erase.

use super::case::{Case, JobError};
use super::erasure::gap_places;
use super::result::{CertificateResult, PlaceResult, StoredResult};
use super::verifying::{Verified, concluded_items};
use crate::certify::{self, Certificate, CertificateInput, CertificateItem, InputFacts, OpenPlace, RequestFacts, ResiduePlace};
use crate::decide::{changed_tables, copies_of};
use crate::failpoint;
use crate::journal::{Code, Digest, Id, NotACode};
use crate::ledger::certificate as certificates;
use crate::ledger::execution::Execution;
use crate::plan::{Disposition, Ground, Plan};
use crate::request::Status;
use crate::verify::ItemOutcome;

/// Records that were kept for others, and whose owners have all been erased in the same moment: somebody has to look at them.
const LEFT_WITHOUT_OWNER: &str = "left_without_owner";

/// What goes into the request.
pub struct Verdict {
    /// The stored answer.
    pub result: StoredResult,
    /// The status that follows from it.
    pub status: Status,
}

/// Issues the certificate, or finds the one that an earlier attempt has recorded for this plan.
pub async fn certify(case: &Case<'_>, plan: &Plan, passes: &[Execution], verified: Verified) -> Result<Verdict, JobError> {
    let items = concluded_items(&verified.conclusions);
    let recorded = recorded_for(case, &passes[0].plan_digest).await?;
    let residue = verified.searched.residue.clone();
    let left_without_owner = places(&verified.ownerless, LEFT_WITHOUT_OWNER);
    let unsearched = not_searched(&verified.searched.unsearched);
    let in_kept_records = places(&verified.searched.kept, "in_kept_record");
    let to_review = places(&verified.searched.uncertain, "to_review");
    let held = items.iter().any(|item| item.retained.iter().any(|kept| kept.ground == Ground::Hold && kept.count > 0));
    let (id, outcome, level) = match recorded {
        Some(found) => found,
        None => record(case, plan, passes, verified, held).await?,
    };
    failpoint::hit("certify-after-record");
    let folder = case.deployment.config.certificates.join(folder_name(case, &id));
    let deployment = case.deployment;
    let paths = certify::publish(&deployment.ledger, &deployment.notary, deployment.clock.as_ref(), &id, &folder).await?;
    let mut gaps = gap_places(plan);
    gaps.extend(left_without_owner);
    let open = !gaps.is_empty()
        || !residue.is_empty()
        || items.iter().any(|item| item.outcome.is_some_and(super::erasure::is_open))
        || outcome == "partial";
    let status = if open || held { Status::Partial } else { Status::Completed };
    let certificate = CertificateResult { id, path: paths.folder.display().to_string(), outcome, level };
    let result = StoredResult {
        items,
        gaps,
        pending: Vec::new(),
        residue: places(&residue, "residue"),
        to_review,
        in_kept_records,
        unsearched,
        archive: None,
        certificate: Some(certificate),
        reason: None,
    };
    Ok(Verdict { result, status })
}

fn places(found: &[ResiduePlace], code: &str) -> Vec<PlaceResult> {
    found
        .iter()
        .map(|place| PlaceResult {
            source: place.source.clone(),
            place: Some(place.place.clone()),
            code: code.to_owned(),
            count: Some(place.occurrences),
        })
        .collect()
}

fn not_searched(places: &[OpenPlace]) -> Vec<PlaceResult> {
    let told = |place: &OpenPlace| PlaceResult {
        source: place.source.clone(),
        place: place.place.clone(),
        code: place.code.to_string(),
        count: None,
    };
    places.iter().map(told).collect()
}

/// Folder of a certificate: the request's code and the beginning of the certificate's id; nothing of the person.
fn folder_name(case: &Case<'_>, id: &str) -> String {
    format!("{}-{}", case.request.code.to_lowercase(), &id[..id.len().min(8)])
}

/// Folder of the subject's own copy.
fn subject_folder_name(case: &Case<'_>, id: &str) -> String {
    format!("{}-subject", folder_name(case, id))
}

async fn recorded_for(case: &Case<'_>, plan_digest: &str) -> Result<Option<(String, String, Option<u8>)>, JobError> {
    for row in certificates::of_request(&case.deployment.ledger, &case.request.id).await? {
        let document: serde_json::Value = serde_json::from_str(&row.document).unwrap_or_default();
        if document.pointer("/inputs/plan_digest").and_then(serde_json::Value::as_str) == Some(plan_digest) {
            let outcome = document.get("outcome").and_then(serde_json::Value::as_str).unwrap_or("partial").to_owned();
            let level = document.get("level").and_then(serde_json::Value::as_u64).and_then(|level| u8::try_from(level).ok());
            return Ok(Some((row.id, outcome, level)));
        }
    }
    Ok(None)
}

async fn record(
    case: &Case<'_>,
    plan: &Plan,
    passes: &[Execution],
    verified: Verified,
    held: bool,
) -> Result<(String, String, Option<u8>), JobError> {
    let input = input_of(case, plan, passes, verified, held)
        .await
        .map_err(|word| JobError::Stored(format!("a word that no certificate takes: {word}")))?;
    let (certificate, opening) = Certificate::build(input)?;
    let id = certificate.id().to_string();
    destroy_openings_without_certificate(case).await?;
    // The subject's own copy: it carries the opening, which the public folder must not have.
    let folder = case.deployment.config.certificates.join(subject_folder_name(case, &id));
    std::fs::create_dir_all(&folder).and_then(|()| opening.write(&folder)).map_err(|error| JobError::Stored(error.to_string()))?;
    let mut tx = case.deployment.ledger.begin().await?;
    certify::record(&mut tx, &certificate).await?;
    failpoint::hit("certify-before-commit");
    tx.commit().await?;
    let level = certificate.level().map(u8::from);
    Ok((id, certificate.outcome().word().as_str().to_owned(), level))
}

/// Openings come before their certificates, since a certificate that nobody can open is worth less than none. An attempt that died between
/// the two has left one that opens nothing.
async fn destroy_openings_without_certificate(case: &Case<'_>) -> Result<(), JobError> {
    let recorded = certificates::of_request(&case.deployment.ledger, &case.request.id).await?;
    let known: Vec<String> = recorded.iter().map(|row| subject_folder_name(case, &row.id)).collect();
    let of_this_request = format!("{}-", case.request.code.to_lowercase());
    let unreadable = |error: std::io::Error| JobError::Stored(error.to_string());
    for entry in std::fs::read_dir(&case.deployment.config.certificates).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with(&of_this_request) && name.ends_with("-subject") && !known.contains(&name) {
            std::fs::remove_dir_all(entry.path()).map_err(unreadable)?;
        }
    }
    Ok(())
}

async fn input_of(
    case: &Case<'_>,
    plan: &Plan,
    passes: &[Execution],
    verified: Verified,
    held: bool,
) -> Result<CertificateInput, NotACode> {
    let deployment = case.deployment;
    let now = deployment.now();
    let holds = case.holds().await.ok();
    let mut gaps: Vec<OpenPlace> = plan
        .gaps
        .iter()
        .map(|gap| OpenPlace { source: gap.source.clone(), place: None, code: Code::fitted("source_unreachable") })
        .collect();
    gaps.extend(unsearched_copies(case, plan, &verified));
    gaps.extend(verified.ownerless.iter().map(|left| OpenPlace {
        source: left.source.clone(),
        place: Some(left.place.clone()),
        code: Code::fixed(LEFT_WITHOUT_OWNER),
    }));
    if held {
        // A held part keeps the request open: the whole is not complete before the hold is released and the rest is erased.
        gaps.extend(held_places(plan, &verified));
    }
    let key = *deployment.notary.anchor().key();
    let journal = deployment.notary.anchor().origin().clone();
    let supersedes = certificates::of_request(&deployment.ledger, &case.request.id)
        .await
        .ok()
        .and_then(|rows| rows.last().and_then(|row| Id::parse(&row.id).ok()));
    let items = verified.conclusions.into_iter().map(certificate_item).collect();
    Ok(CertificateInput {
        controller: deployment.config.controller.name.clone(),
        key,
        journal,
        issued_at: now,
        request: RequestFacts {
            id: Id::parse(&case.request.id)?,
            kind: case.request.kind,
            legal_basis: case.job.ground.map(|ground| Code::fitted(ground.as_str())),
            received_at: case.request.received_at,
            due_at: case.request.deadline(),
            completed_at: now,
        },
        subject: case.subject.clone(),
        inputs: InputFacts {
            data_map_digest: Digest::parse(&deployment.map.digest)?,
            plan_digest: Some(Digest::parse(&passes[0].plan_digest)?),
            hold_epoch: holds.as_ref().map_or(0, |holds| u64::try_from(holds.epoch()).unwrap_or(0)),
            holds_evaluated_at: now,
            identity_assurance: None,
        },
        items,
        gaps,
        residue: verified.searched.residue,
        in_kept_records: verified.searched.kept,
        unsearched: verified.searched.unsearched,
        supersedes,
    })
}

/// Materialised views over erased rows that the value search could not read: a copy may be left there (V-2).
fn unsearched_copies(case: &Case<'_>, plan: &Plan, verified: &Verified) -> Vec<OpenPlace> {
    let mut places = Vec::new();
    for (name, source) in &case.sources {
        let changed = changed_tables(&case.deployment.graph, name, &source.catalogue, &plan.items);
        for view in copies_of(&source.catalogue, &changed) {
            let view = view.to_string();
            let is_it = |open: &&OpenPlace| open.source == *name && open.place.as_ref().is_none_or(|place| *place == view);
            if verified.searched.unsearched.iter().any(|open| is_it(&open)) {
                places.push(OpenPlace { source: name.clone(), place: Some(view), code: Code::fitted("copy_not_searched") });
            }
        }
    }
    places
}

fn held_places(plan: &Plan, verified: &Verified) -> Vec<OpenPlace> {
    let mut places: Vec<OpenPlace> = Vec::new();
    for conclusion in &verified.conclusions {
        let kept = conclusion.retained.iter().any(|kept| kept.ground == Ground::Hold && kept.count > 0);
        if kept {
            let place = Some(format!("{}.{}", conclusion.item.dataset, conclusion.item.collection));
            places.push(OpenPlace { source: conclusion.item.source.clone(), place, code: Code::fitted("held") });
        }
    }
    let nothing_erased = verified.conclusions.iter().all(|c| !matches!(c.outcome, ItemOutcome::Verified(_)));
    if nothing_erased || plan.items.is_empty() { Vec::new() } else { places }
}

fn certificate_item(conclusion: crate::verify::Conclusion) -> CertificateItem {
    let own = conclusion.item;
    let unlink_of_kept = own.disposition == Disposition::Unlink && own.retained.is_empty();
    let found = match &conclusion.outcome {
        // What the verifier saw and what the plan keeps: the builder checks the sum.
        ItemOutcome::Verified(absence) => absence.records() + conclusion.retained.iter().map(|kept| kept.count).sum::<u64>(),
        _ if unlink_of_kept => conclusion.expected,
        _ => conclusion.found,
    };
    CertificateItem {
        source: own.source,
        dataset: own.dataset,
        collection: own.collection,
        kind: own.kind,
        found,
        retained: conclusion.retained,
        rows: own.rows.filter(|_| matches!(conclusion.outcome, ItemOutcome::Verified(_))),
        outcome: conclusion.outcome,
    }
}
