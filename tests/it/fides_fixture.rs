//! The Fides fixture itself: that the recorded results fit the rows which it loads, so that a later failure is the program's.

use serde_json::Value;

use super::support::database::difference;
use super::support::fides;

#[test]
fn every_recorded_row_is_in_the_sample() {
    let Some(database) = fides::database() else { return };
    let dump = database.dump();
    assert_eq!(dump.len(), 15, "13 tables of the sample and 2 of its second schema");
    for recorded in fides::expected_erasure() {
        for (table, change) in recorded["db_diff"].as_object().unwrap() {
            for row in change["rows_before"].as_array().unwrap() {
                assert!(dump[table].contains(row), "{}: {table} has no row {row}", recorded["policy"]);
            }
        }
    }
    for recorded in fides::expected_access() {
        for (place, rows) in recorded["result"].as_object().unwrap() {
            let table = place.strip_prefix(fides::DATASET).unwrap().trim_start_matches(':');
            for row in rows.as_array().unwrap() {
                let holds = |candidate: &Value| row.as_object().unwrap().iter().all(|(field, value)| &candidate[field] == value);
                assert!(dump[table].iter().any(holds), "{table} has no row with {row}");
            }
        }
    }
}

#[test]
fn a_statement_shows_as_the_recorded_difference() {
    let Some(database) = fides::database() else { return };
    let before = database.dump();
    assert_eq!(difference(&before, &database.dump()), serde_json::json!({}));
    database.script("UPDATE address SET city = NULL WHERE id IN (1, 2)");
    let recorded = fides::expected_erasure();
    let recorded = recorded.iter().find(|one| one["policy"] == "null_address_city").unwrap();
    assert_eq!(difference(&before, &database.dump()), fides::in_our_order(&recorded["db_diff"]));
}

#[test]
fn twelve_policies_and_seven_target_sets_are_there() {
    assert_eq!(fides::expected_access().len(), 7);
    let recorded = fides::expected_erasure();
    assert_eq!(recorded.len(), 12);
    for one in recorded {
        let key = one["policy"].as_str().unwrap();
        assert!(fides::POLICIES_YAML.contains(&format!("fides_key: {key}\n")), "{key} is a policy");
    }
    assert!(fides::SAMPLE_SQL.contains(fides::EMAIL));
    assert!(fides::DATASET_YAML.contains(&format!("fides_key: {}\n", fides::DATASET)));
}
