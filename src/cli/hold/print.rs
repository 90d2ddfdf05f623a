//! How holds are shown. Matter, reason and state are for everybody who may see holds; of a scope only its kind and place are shown, because
//! keys and conditions may name a person (S-1).

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::cli::error::CliError;
use crate::cli::output::Printer;
use crate::cli::show::minute;
use crate::counted::counted;
use crate::hold::{Act, Scope, State};
use crate::job::{Below, Covered, Placement, Preview};
use crate::ledger::hold::Hold;
use crate::ledger::permit::PermitOutcome;
use crate::ledger::store_lock::LockTally;

/// The answer to `hold place`.
pub(super) fn placement(printer: Printer, placement: &Placement) -> Result<(), CliError> {
    let in_flight = &placement.drained.in_flight;
    if printer.is_json() {
        let batches: Vec<Value> = in_flight
            .iter()
            .map(|permit| {
                let closed_at = permit.closed_at_us.and_then(|at| Timestamp::from_microsecond(at).ok());
                // Unknown is not zero: the worker of that batch has still to read the source.
                let erased = permit.closing.filter(|closing| closing.outcome != PermitOutcome::Unknown).map(|closing| closing.affected);
                json!({"request_id": permit.request_id, "source": permit.source, "records": permit.record_count, "erased": erased, "closed_at": closed_at})
            })
            .collect();
        return printer.document(&json!({
            "hold_id": placement.hold_id, "matter": placement.matter, "state": placement.state.as_str(),
            "kept": total(&placement.covers), "covers": placement.covers, "not_covered": placement.below,
            "already_erased": placement.drained.already_erased(), "in_flight": batches,
            "locked_in_stores": {"now": placement.mirrored.locked, "by_others": placement.mirrored.foreign},
            "problems": placement.drained.problems, "warnings": placement.warnings,
        }));
    }
    printer.data(&format!("{}  {}  {}", placement.hold_id, placement.matter, placement.state.as_str()))?;
    covered(printer, &placement.covers)?;
    not_covered(printer, &placement.below);
    if placement.mirrored.locked > 0 {
        printer.data(&format!("locked in their stores as well: {}", counted(placement.mirrored.locked, "version", "versions")))?;
    }
    if placement.mirrored.foreign > 0 {
        let versions = counted(placement.mirrored.foreign, "version", "versions");
        printer.data(&format!("locked in their stores by somebody else, and left so: {versions}"))?;
    }
    let erased = placement.drained.already_erased();
    if erased > 0 {
        let erased = counted(erased, "record", "records");
        printer.data(&format!("already erased by requests under way: at most {erased}"))?;
    }
    warn(printer, &placement.warnings);
    warn(printer, &placement.drained.problems);
    if placement.state != State::Active {
        printer.hint("it keeps new erasures out; what had begun before has not ended yet: `habeas sweep` makes it active");
    }
    Ok(())
}

/// The answer to `hold preview`.
pub(super) fn preview(printer: Printer, preview: &Preview) -> Result<(), CliError> {
    if printer.is_json() {
        return printer.document(&json!({
            "would_keep": total(&preview.covers), "covers": preview.covers, "not_covered": preview.below, "warnings": preview.warnings,
        }));
    }
    covered(printer, &preview.covers)?;
    not_covered(printer, &preview.below);
    warn(printer, &preview.warnings);
    Ok(())
}

fn total(covers: &[Covered]) -> u64 {
    covers.iter().filter_map(|covered| covered.count).sum()
}

fn covered(printer: Printer, covers: &[Covered]) -> Result<(), CliError> {
    if covers.is_empty() {
        return printer.data("no record that is there now is covered; later ones will be");
    }
    let rows = covers.iter().map(|covered| {
        let count = covered.count.map_or_else(|| "not counted".to_owned(), |count| count.to_string());
        vec![format!("{}.{}", covered.dataset, covered.collection), count]
    });
    printer.table(&["place", "kept"], rows)?;
    printer.data(&counted(total(covers), "record", "records"))
}

/// Rows that belong to the covered ones go with an erasure unless they are held themselves.
fn not_covered(printer: Printer, below: &[Below]) {
    for place in below {
        let rows = match place.count {
            None => "rows".to_owned(),
            Some(count) => counted(count, "row", "rows"),
        };
        printer.warn(&format!("{rows} of {}.{} below the covered ones: not covered", place.dataset, place.collection));
        printer.hint(&format!("to keep them as well, place a second hold of the same matter with the scope {}", place.scope));
    }
}

/// Says what somebody should know.
pub(super) fn warn(printer: Printer, warnings: &[String]) {
    for warning in warnings {
        printer.warn(warning);
    }
}

/// All holds.
pub(super) fn list(
    printer: Printer,
    holds: &[Hold],
    locks: &BTreeMap<String, LockTally>,
    time_zone: &TimeZone,
) -> Result<(), CliError> {
    if printer.is_json() {
        let with_locks = |hold: &Hold| with_locks(as_json(hold), locks.get(&hold.id).copied().unwrap_or_default());
        return printer.document(&holds.iter().map(with_locks).collect::<Vec<_>>());
    }
    if holds.is_empty() {
        printer.talk("there are no holds");
        return Ok(());
    }
    let rows = holds.iter().map(|hold| {
        vec![
            hold.id.clone(),
            hold.matter.to_string(),
            hold.reason.as_str().to_owned(),
            hold.scope_kind.clone(),
            hold.life.state.as_str().to_owned(),
            hold.life.placed.as_ref().map(|act| minute(act.at, time_zone)).unwrap_or_default(),
            hold.review_on.map(|date| date.to_string()).unwrap_or_default(),
        ]
    });
    printer.table(&["hold", "matter", "reason", "scope", "state", "placed", "review on"], rows)
}

/// One hold with all that happened to it.
pub(super) fn one(
    printer: Printer,
    (hold, locks): (&Hold, LockTally),
    scope: Option<&Scope>,
    time_zone: &TimeZone,
) -> Result<(), CliError> {
    let place = scope.and_then(Scope::place).map(|(dataset, collection)| format!("{dataset}.{collection}"));
    if printer.is_json() {
        let mut document = with_locks(as_json(hold), locks);
        document["scope"] = json!({"kind": hold.scope_kind, "place": place, "readable": scope.is_some()});
        return printer.document(&document);
    }
    let act = |act: &Option<Act>| act.as_ref().map(|act| format!("{} by {}", minute(act.at, time_zone), act.by));
    let at = |at: Option<Timestamp>| at.map(|at| minute(at, time_zone));
    let scope_words = match (scope, place) {
        (None, _) => format!("{} (it does not open: everything is covered)", hold.scope_kind),
        (Some(_), Some(place)) => format!("{} of {place}", hold.scope_kind),
        (Some(_), None) => hold.scope_kind.clone(),
    };
    let lines = [
        ("hold", Some(hold.id.clone())),
        ("matter", Some(hold.matter.to_string())),
        ("reason", Some(hold.reason.as_str().to_owned())),
        ("scope", Some(scope_words)),
        ("state", Some(hold.life.state.as_str().to_owned())),
        ("locked in stores", (locks.ours > 0).then(|| counted(locks.ours, "version", "versions"))),
        ("lock unsettled", (locks.unsettled > 0).then(|| counted(locks.unsettled, "version", "versions"))),
        ("proposed", act(&hold.life.proposed)),
        ("placed", act(&hold.life.placed)),
        ("active", at(hold.life.active_at)),
        ("release asked", act(&hold.life.release_requested)),
        ("release agreed", act(&hold.life.release_approved)),
        ("ends", at(hold.life.release_at)),
        ("released", at(hold.life.released_at)),
        ("review on", hold.review_on.map(|date| date.to_string())),
    ];
    for (label, value) in lines {
        if let Some(value) = value {
            printer.data(&format!("{label:<16} {value}"))?;
        }
    }
    Ok(())
}

/// How a release, or its calling off, stands.
pub(super) fn released(printer: Printer, hold: &Hold, time_zone: &TimeZone) -> Result<(), CliError> {
    if printer.is_json() {
        return printer.document(&as_json(hold));
    }
    let (id, state) = (&hold.id, hold.life.state);
    let words = match (&hold.life.release_requested, hold.life.release_at) {
        _ if state == State::Released => "released: it covers nothing any more".to_owned(),
        (_, Some(until)) if state == State::Releasing => format!("releasing: it covers until {}", minute(until, time_zone)),
        (Some(asked), _) => format!("{}: {} asks for the release, and nothing is let go yet", state.as_str(), asked.by),
        (None, _) => format!("{}: it stays", state.as_str()),
    };
    printer.data(&format!("{id}  {words}"))?;
    match state {
        State::Releasing => printer.hint(&format!("until then one person can keep it: `habeas hold keep {id}`")),
        State::Released => {}
        _ if hold.life.release_requested.is_some() => {
            printer.hint(&format!("a second person agrees with `habeas hold release {id} --by NAME`"))
        }
        _ => {}
    }
    Ok(())
}

fn with_locks(mut document: Value, locks: LockTally) -> Value {
    document["locked_in_stores"] = json!({"ours": locks.ours, "unsettled": locks.unsettled});
    document
}

fn as_json(hold: &Hold) -> Value {
    let act = |act: &Option<Act>| act.as_ref().map(|act| json!({"by": act.by, "at": act.at}));
    let life = &hold.life;
    json!({
        "hold_id": hold.id, "matter": hold.matter, "reason": hold.reason, "state": life.state.as_str(), "scope_kind": hold.scope_kind,
        "proposed": act(&life.proposed), "placed": act(&life.placed), "active_at": life.active_at,
        "release_requested": act(&life.release_requested), "release_approved": act(&life.release_approved),
        "release_at": life.release_at, "released_at": life.released_at,
        "review_on": hold.review_on.map(|date| date.to_string()),
    })
}
