//! Who may not release a hold: whoever asked for an erasure that it affects. An erasure is affected when its plan or its answer names the hold's
//! matter, when it is about the person who is held, or when it has no plan or one from before the hold, so that nobody knows.

use jiff::Timestamp;
use serde_json::Value;

use crate::db::Tx;
use crate::hold::Matter;
use crate::ledger::LedgerError;
use crate::ledger::hold::Hold;
use crate::ledger::request::{self, AskedErasure};
use crate::plan::Ground;

/// Login names of those who asked for erasures that the hold affects.
pub(super) async fn of_affected_erasures(tx: &mut Tx, hold: &Hold) -> Result<Vec<String>, LedgerError> {
    let asked = request::erasures_asked(tx, &hold.id).await?;
    let placed_at = hold.life.placed.as_ref().map(|act| act.at);
    Ok(asked.into_iter().filter(|erasure| is_affected(erasure, &hold.matter, placed_at)).map(|erasure| erasure.by).collect())
}

fn is_affected(erasure: &AskedErasure, matter: &Matter, placed_at: Option<Timestamp>) -> bool {
    if erasure.is_about_held_person {
        return true;
    }
    // A plan from before the hold cannot name it, whatever the hold covers.
    if erasure.planned_at.is_none_or(|planned_at| placed_at.is_some_and(|placed_at| planned_at <= placed_at)) {
        return true;
    }
    let Some(result) = &erasure.result else { return true };
    let Ok(result) = serde_json::from_str::<Value>(result) else { return true };
    let items = result["items"].as_array().into_iter().flatten();
    let mut retained = items.flat_map(|item| item["retained"].as_array().into_iter().flatten());
    // A record that somebody's hold keeps, nobody knows whose, names no matter: it may be this one.
    retained.any(|kept| kept["ground"] == Ground::Hold.as_str() && (kept["ref"].is_null() || kept["ref"] == matter.as_str()))
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
        let kept = |ground: &str, reference: &str| {
            format!(r#"{{"items": [{{"retained": [{{"count": 1, "ground": "{ground}", "ref": {reference}}}]}}]}}"#)
        };
        for (result, affected) in [
            (kept("hold", "\"M-1\""), true),
            (kept("hold", "null"), true),
            (kept("hold", "\"M-2\""), false),
            (kept("shared", "null"), false),
            ("not JSON".to_owned(), true),
            ("{}".to_owned(), false),
        ] {
            assert_eq!(is_affected(&erasure(Some(&result), false), &matter, Some(at(1))), affected, "{result}");
        }
        assert!(is_affected(&erasure(None, false), &matter, Some(at(1))), "not planned yet: unknown");
        assert!(is_affected(&erasure(Some("{}"), true), &matter, Some(at(1))), "it is about the held person");
        assert!(is_affected(&erasure(Some("{}"), false), &matter, Some(at(2))), "planned before the hold was there: unknown");
        let unplanned = AskedErasure { planned_at: None, ..erasure(Some("{}"), false) };
        assert!(is_affected(&unplanned, &matter, Some(at(1))), "without a plan: unknown");
    }
}
