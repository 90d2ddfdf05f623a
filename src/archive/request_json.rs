//! `request.json`: who asked, what, when, and who answers. The identifiers stand here as the subject gave them; the archive is theirs.

use serde_json::{Value, json};

use super::ArchiveHeader;
use super::outcome::Closing;
use super::timestamp;

/// Path of the document.
pub(super) const PATH: &str = "data/request.json";

/// Builds the document.
pub(super) fn build(header: &ArchiveHeader, closing: &Closing, parts: u32) -> Value {
    let request = &header.request;
    let identifiers: Vec<Value> =
        request.identifiers_used.iter().map(|identifier| json!({"type": identifier.kind, "value": identifier.expose()})).collect();
    let authority = header.controller.supervisory_authority.as_ref();
    json!({
        "schema_version": 1,
        "request_id": request.id,
        "code": request.code,
        "kind": request.kind,
        "received_at": timestamp::of(request.received_at),
        "as_of": timestamp::of(request.as_of),
        "completed_at": timestamp::of(closing.completed_at.unwrap_or(header.created)),
        "deadline": request.due_at.map(timestamp::of),
        "extended_until": request.extended_until.map(timestamp::of),
        "controller": {
            "name": header.controller.name,
            "address": header.controller.address,
            "contact": header.controller.contact,
            "dpo": header.controller.dpo,
        },
        "supervisory_authority": authority.map(|authority| json!({"name": authority.name, "url": authority.url})),
        "identifiers_used": identifiers,
        "identity_method": request.identity_method,
        "software": {"name": "habeas-data", "version": header.software_version},
        "parts": {"n": 1, "of": parts, "group_id": request.id},
        "answer_language": request.answer_language,
    })
}
