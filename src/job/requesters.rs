//! Who may not release a hold: whoever asked for an erasure that it affects. An erasure is affected when its plan or its answer names the hold's
//! matter, when it is about the person who is held, or when nobody has planned it yet and so nobody knows.

use serde_json::Value;

use crate::db::Tx;
use crate::hold::Matter;
use crate::ledger::LedgerError;
use crate::ledger::request::{self, AskedErasure};
use crate::plan::Ground;

/// Login names of those who asked for erasures that the hold affects.
pub(super) async fn of_affected_erasures(tx: &mut Tx, hold_id: &str, matter: &Matter) -> Result<Vec<String>, LedgerError> {
    let asked = request::erasures_asked(tx, hold_id).await?;
    Ok(asked.into_iter().filter(|erasure| is_affected(erasure, matter)).map(|erasure| erasure.by).collect())
}

fn is_affected(erasure: &AskedErasure, matter: &Matter) -> bool {
    if erasure.is_about_held_person {
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
        AskedErasure { by: "ines".into(), result: result.map(str::to_owned), is_about_held_person }
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
            assert_eq!(is_affected(&erasure(Some(&result), false), &matter), affected, "{result}");
        }
        assert!(is_affected(&erasure(None, false), &matter), "not planned yet: unknown");
        assert!(is_affected(&erasure(Some("{}"), true), &matter), "it is about the held person");
    }
}
