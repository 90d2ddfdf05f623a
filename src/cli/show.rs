//! How verbs show a request to people: its heading, its places as a table, and what is open. Made from the result document, so that
//! people and programs are told the same.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::Value;

use super::error::CliError;
use super::output::Printer;
use crate::counted::counted as in_words;

/// A day in the controller's time zone.
pub fn day(at: Timestamp, time_zone: &TimeZone) -> String {
    at.to_zoned_datetime(time_zone.clone()).date().to_string()
}

/// A day and minute in the controller's time zone.
pub fn minute(at: Timestamp, time_zone: &TimeZone) -> String {
    at.to_zoned_datetime(time_zone.clone()).strftime("%Y-%m-%d %H:%M %Z").to_string()
}

/// Prints a result document.
pub fn result(printer: Printer, document: &Value, time_zone: &TimeZone) -> Result<(), CliError> {
    heading(printer, document, time_zone)?;
    items(printer, &document["items"])?;
    if nothing_held(document) {
        printer.data(&format!("{:<12} nothing about this person in the places above", "held"))?;
    }
    let places = [
        ("gaps", "not reached"),
        ("pending", "pending"),
        ("residue", "still found"),
        ("in_kept_records", "still named"),
        ("to_review", "look at"),
        ("unsearched", "not searched"),
    ];
    for (key, label) in places {
        for entry in document[key].as_array().into_iter().flatten() {
            printer.data(&format!("{label:<12} {}", place(entry)))?;
        }
    }
    if let Some(path) = document["archive"]["path"].as_str() {
        printer.data(&format!("{:<12} {path}{}", "archive", life_of(&document["archive"], time_zone)))?;
    }
    for part in document["archive"]["files"].as_array().into_iter().flatten().skip(1) {
        printer.data(&format!("{:<12} {}", "", part["path"].as_str().unwrap_or_default()))?;
    }
    if let Some(outcome) = document["certificate"]["outcome"].as_str() {
        let level = document["certificate"]["level"].as_u64().map(|level| format!(", level {level}")).unwrap_or_default();
        let path = document["certificate"]["path"].as_str().unwrap_or_default();
        printer.data(&format!("{:<12} {outcome}{level}  {path}", "certificate"))?;
    }
    Ok(())
}

/// How long an archive is there, or since when it is not.
fn life_of(archive: &Value, time_zone: &TimeZone) -> String {
    let at = |key: &str| archive[key].as_str().and_then(|at| at.parse().ok()).map(|at: Timestamp| minute(at, time_zone));
    let why = archive["still_there"].as_str();
    match (at("removed_at"), why, at("locked_until"), at("expires_at")) {
        (Some(removed), ..) => format!("  (removed {removed})"),
        (_, Some(why), ..) => format!("  (its time is over, and it is still there: {why})"),
        (_, _, Some(locked), _) => format!("  (the bucket keeps it until {locked})"),
        (_, _, _, Some(expires)) => format!("  (until {expires})"),
        _ => String::new(),
    }
}

/// Whether an answer found nothing anywhere; said only where every place was reached (V-2).
fn nothing_held(document: &Value) -> bool {
    let items = document["items"].as_array().map(Vec::as_slice).unwrap_or_default();
    document["status"] == "completed" && !items.is_empty() && items.iter().all(|item| item["found"] == 0)
}

fn heading(printer: Printer, document: &Value, time_zone: &TimeZone) -> Result<(), CliError> {
    let text = |key: &str| document[key].as_str().unwrap_or_default().to_owned();
    let instant = |key: &str| document[key].as_str().and_then(|at| at.parse().ok()).map(|at: Timestamp| minute(at, time_zone));
    let lines = [
        ("request", Some(format!("{}  {}", text("code"), text("request_id")))),
        ("kind", Some(text("kind"))),
        ("status", Some(text("status"))),
        ("received", instant("received_at")),
        ("due", instant("due_at")),
        ("extended to", instant("extended_to")),
        ("plan", document["plan_digest"].as_str().map(str::to_owned)),
    ];
    for (label, value) in lines {
        if let Some(value) = value {
            printer.data(&format!("{label:<12} {value}"))?;
        }
    }
    Ok(())
}

/// Prints the places of a result or of a plan as a table.
pub fn items(printer: Printer, items: &Value) -> Result<(), CliError> {
    let items = items.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.is_empty() {
        return Ok(());
    }
    let word = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        _ => String::new(),
    };
    let rows = items.iter().map(|item| {
        let done = if item["disposition"] == "export" { &item["exported"] } else { &item["affected"] };
        let outcome = item["error"].as_str().map_or_else(|| word(&item["outcome"]), |error| format!("failed: {error}"));
        vec![
            format!("{}.{}", word(&item["dataset"]), word(&item["collection"])),
            word(&item["disposition"]),
            word(&item["found"]),
            super::plan::with_rows(word(&item["expected"]), item["rows"].as_u64()),
            word(done),
            kept(&item["retained"]),
            outcome,
            word(&item["level"]),
        ]
    });
    printer.table(&["place", "disposition", "found", "expected", "done", "kept", "outcome", "level"], rows)
}

fn kept(retained: &Value) -> String {
    let one = |part: &Value| {
        let reference = part["ref"].as_str().map(|reference| format!(" {reference}")).unwrap_or_default();
        format!("{} {}{reference}", part["count"], part["ground"].as_str().unwrap_or_default())
    };
    retained.as_array().into_iter().flatten().map(one).collect::<Vec<_>>().join(", ")
}

/// A place of a result in one line.
fn place(entry: &Value) -> String {
    let text = |key: &str| entry[key].as_str().unwrap_or_default();
    let place = if text("place").is_empty() { String::new() } else { format!(" {}", text("place")) };
    let count = entry["count"].as_u64().map(|count| format!(" ({count})")).unwrap_or_default();
    format!("{}{place}: {}{count}", text("source"), text("code"))
}

/// How many findings: `1 error, 0 warnings`.
pub fn counted(errors: usize, warnings: usize) -> String {
    format!("{}, {}", in_words(errors, "error", "errors"), in_words(warnings, "warning", "warnings"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_kept_is_told_with_its_ground() {
        let retained =
            json!([{"count": 3, "ground": "hold", "ref": "M-1", "review_on": "2027-01-01"}, {"count": 1, "ground": "shared"}]);
        assert_eq!(kept(&retained), "3 hold M-1, 1 shared");
    }

    #[test]
    fn a_place_is_told_as_far_as_it_is_known() {
        assert_eq!(place(&json!({"source": "app", "code": "unreached"})), "app: unreached");
        let full = json!({"source": "app", "place": "notes.body", "code": "value_found", "count": 2});
        assert_eq!(place(&full), "app notes.body: value_found (2)");
    }

    #[test]
    fn findings_are_counted_in_words_that_fit() {
        assert_eq!(counted(1, 0), "1 error, 0 warnings");
        assert_eq!(counted(2, 1), "2 errors, 1 warning");
    }

    #[test]
    fn times_are_the_controllers() {
        let vienna = TimeZone::get("Europe/Vienna").unwrap();
        let due: Timestamp = "2026-12-24T22:59:59Z".parse().unwrap();
        assert_eq!((day(due, &vienna).as_str(), minute(due, &vienna).as_str()), ("2026-12-24", "2026-12-24 23:59 CET"));
    }
}
