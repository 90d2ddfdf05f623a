//! Who may not release a hold: whoever asked for an erasure that it affects. An erasure is affected when its plan or its answer names the hold's
//! matter, or another one in a collection that the hold covers too: a record names the first hold that keeps it, and a second one may keep it as
//! well. It is affected when it is about the person who is held, and when it has no plan or one from before the hold, so that nobody knows.

use jiff::Timestamp;
use serde_json::Value;

use crate::crypto::Keys;
use crate::db::Tx;
use crate::hold::{Matter, Scope};
use crate::ledger::LedgerError;
use crate::ledger::hold::{self, Hold};
use crate::ledger::request::{self, AskedErasure};
use crate::plan::Ground;

/// Login names of those who asked for erasures that the hold affects.
pub(super) async fn of_affected_erasures(tx: &mut Tx, keys: &Keys, hold: &Hold) -> Result<Vec<String>, LedgerError> {
    let asked = request::erasures_asked(tx, &hold.id).await?;
    let placed_at = hold.life.placed.as_ref().map(|act| act.at);
    // A scope that does not open covers everything.
    let scope = hold::scope(tx, keys, &hold.id).await.unwrap_or(Scope::Everything {});
    let held = Held { matter: &hold.matter, scope: &scope, placed_at };
    Ok(asked.into_iter().filter(|erasure| is_affected(erasure, held)).map(|erasure| erasure.by).collect())
}

/// What of a hold decides whom it concerns.
#[derive(Clone, Copy)]
struct Held<'h> {
    matter: &'h Matter,
    scope: &'h Scope,
    placed_at: Option<Timestamp>,
}

impl Held<'_> {
    /// Whether it may keep records of this item: a subject's hold is told by the names of the person alone.
    fn may_cover(&self, item: &Value) -> bool {
        match self.scope.place() {
            Some((dataset, collection)) => item["dataset"] == dataset && item["collection"] == collection,
            None => matches!(self.scope, Scope::Everything {}),
        }
    }
}

fn is_affected(erasure: &AskedErasure, hold: Held<'_>) -> bool {
    if erasure.is_about_held_person {
        return true;
    }
    // A plan from before the hold cannot name it, whatever the hold covers.
    if erasure.planned_at.is_none_or(|planned_at| hold.placed_at.is_some_and(|placed_at| planned_at <= placed_at)) {
        return true;
    }
    let Some(result) = &erasure.result else { return true };
    let Ok(result) = serde_json::from_str::<Value>(result) else { return true };
    let mut items = result["items"].as_array().into_iter().flatten();
    items.any(|item| {
        let mut retained = item["retained"].as_array().into_iter().flatten().filter(|kept| kept["ground"] == Ground::Hold.as_str());
        // A record that somebody's hold keeps, nobody knows whose, names no matter: it may be this one.
        retained.any(|kept| kept["ref"].is_null() || kept["ref"] == hold.matter.as_str() || hold.may_cover(item))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn erasure(result: Option<&str>, is_about_held_person: bool) -> AskedErasure {
        AskedErasure { by: "ines".into(), result: result.map(str::to_owned), planned_at: Some(at(2)), is_about_held_person }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn an_erasure_is_affected_by_the_matter_that_keeps_its_records_and_by_what_nobody_knows() {
        let matter = Matter::new("M-1").unwrap();
        let scope: Scope = serde_json::from_str(r#"{"collection": {"dataset": "app", "collection": "orders"}}"#).unwrap();
        let held = Held { matter: &matter, scope: &scope, placed_at: Some(at(1)) };
        let kept = |collection: &str, ground: &str, reference: &str| {
            let retained = format!(r#"{{"count": 1, "ground": "{ground}", "ref": {reference}}}"#);
            format!(r#"{{"items": [{{"dataset": "app", "collection": "{collection}", "retained": [{retained}]}}]}}"#)
        };
        for (result, affected) in [
            (kept("users", "hold", "\"M-1\""), true),
            (kept("users", "hold", "null"), true),
            (kept("users", "hold", "\"M-2\""), false),
            (kept("orders", "hold", "\"M-2\""), true),
            (kept("orders", "shared", "null"), false),
            ("not JSON".to_owned(), true),
            ("{}".to_owned(), false),
        ] {
            assert_eq!(is_affected(&erasure(Some(&result), false), held), affected, "{result}");
        }
        let everything = Held { scope: &Scope::Everything {}, ..held };
        assert!(is_affected(&erasure(Some(&kept("users", "hold", "\"M-2\"")), false), everything), "it keeps this record as well");
        assert!(is_affected(&erasure(None, false), held), "not planned yet: unknown");
        assert!(is_affected(&erasure(Some("{}"), true), held), "it is about the held person");
        let later = Held { placed_at: Some(at(2)), ..held };
        assert!(is_affected(&erasure(Some("{}"), false), later), "planned before the hold was there: unknown");
        let unplanned = AskedErasure { planned_at: None, ..erasure(Some("{}"), false) };
        assert!(is_affected(&unplanned, held), "without a plan: unknown");
    }
}
