//! How an answer becomes an exit code.

use serde_json::Value;

use super::context::Context;
use super::exit::Exit;

/// The exit code of a result document; what a request waits for is said on stderr.
pub fn exit(context: &Context, document: &Value) -> Exit {
    if let Some(message) = document["reason"]["message"].as_str() {
        context.printer.warn(message);
        if let Some(hint) = document["reason"]["hint"].as_str() {
            context.printer.hint(hint);
        }
    }
    code(document)
}

fn code(document: &Value) -> Exit {
    match document["status"].as_str().unwrap_or_default() {
        "completed" => Exit::Done,
        "partial" => partial(document),
        "waiting_approval" | "waiting_identity" => Exit::NotApproved,
        "waiting_controller" => Exit::Usage,
        "refused" => Exit::Refused,
        _ => Exit::Failure,
    }
}

fn partial(document: &Value) -> Exit {
    let items = document["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    if items.iter().any(|item| item["error"] == "still_present") {
        return Exit::VerificationFailed;
    }
    let is_held = |item: &&Value| item["retained"].as_array().is_some_and(|kept| kept.iter().any(|part| part["ground"] == "hold"));
    let nothing_changed = items.iter().all(|item| item["affected"].as_u64().unwrap_or(0) == 0);
    let everything_held =
        document["certificate"]["outcome"] == "refused" && nothing_changed && items.iter().any(|item| is_held(&item));
    if everything_held { Exit::Held } else { Exit::Partial }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_partial_answer_tells_held_from_open_and_from_contradicted() {
        let held = json!([{"retained": [{"ground": "hold", "count": 3}], "affected": 0}]);
        let answer =
            |items: Value, outcome: &str| json!({"status": "partial", "items": items, "certificate": {"outcome": outcome}});
        assert_eq!(code(&answer(held.clone(), "refused")), Exit::Held);
        assert_eq!(code(&answer(json!([{"retained": [{"ground": "hold"}], "affected": 2}]), "partial")), Exit::Partial);
        assert_eq!(code(&answer(json!([{"error": "still_present", "affected": 2}]), "partial")), Exit::VerificationFailed);
        assert_eq!(code(&json!({"status": "completed"})), Exit::Done);
    }
}
