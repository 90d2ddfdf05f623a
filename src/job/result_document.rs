//! The result of a request as the interface promises it: the same document from `run --json` and `request show --json`, whatever stage the
//! request is at. What has not happened yet is an empty list or null, never a missing key.

use serde_json::{Map, Value, json};

use crate::ledger::LedgerError;
use crate::ledger::request::Request;

/// Keys that come from the stored result, with what stands there before there is one.
fn stored_part() -> Map<String, Value> {
    let mut part = Map::new();
    for list in ["items", "gaps", "pending", "residue"] {
        part.insert(list.to_owned(), json!([]));
    }
    for object in ["archive", "certificate"] {
        part.insert(object.to_owned(), Value::Null);
    }
    part
}

/// The document.
pub fn result_document(request: &Request) -> Result<Value, LedgerError> {
    let mut document = stored_part();
    if let Some(stored) = &request.result {
        let unreadable = |_| LedgerError::Unreadable { noun: "result", problem: "it is not a JSON object".into() };
        let stored: Map<String, Value> = serde_json::from_str(stored).map_err(unreadable)?;
        document.extend(stored);
    }
    let heading = json!({
        "request_id": request.id,
        "code": request.code,
        "kind": request.kind,
        "status": request.status,
        "received_at": request.received_at,
        "due_at": request.due_at,
        "extended_to": request.extended_to,
        "plan_digest": request.plan_digest,
    });
    // The ledger's columns are newer than anything that a stored result says about them.
    if let Value::Object(heading) = heading {
        document.extend(heading);
    }
    Ok(Value::Object(document))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::request::sample;

    #[test]
    fn before_there_is_a_result_every_key_is_there() {
        let document = result_document(&sample(None)).unwrap();
        for list in ["items", "gaps", "pending", "residue"] {
            assert_eq!(document[list], json!([]), "{list}");
        }
        for null in ["archive", "certificate", "extended_to", "plan_digest"] {
            assert!(document.as_object().unwrap().contains_key(null), "{null}");
            assert_eq!(document[null], Value::Null, "{null}");
        }
        assert_eq!(document["status"], "queued");
        assert_eq!(document["due_at"], "2026-12-24T22:59:59Z");
    }

    #[test]
    fn the_stored_result_is_shown_under_the_ledgers_own_status() {
        let stored = r#"{"items": [{"source": "app"}], "certificate": {"id": "c"}, "status": "running"}"#;
        let document = result_document(&sample(Some(stored))).unwrap();
        assert_eq!(document["items"][0]["source"], "app");
        assert_eq!(document["certificate"]["id"], "c");
        assert_eq!(document["status"], "queued");
        assert_eq!(document["pending"], json!([]));
    }

    #[test]
    fn a_result_that_cannot_be_read_is_an_error_and_not_an_empty_one() {
        assert!(result_document(&sample(Some("[]"))).is_err());
    }
}
