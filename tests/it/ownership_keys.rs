//! References by less than a whole key: a number that is somebody's in one region and somebody else's in the next, and a value that several
//! people share. Nobody's row is taken for another's, and nobody is cut off from what is theirs as well (O-1).

use serde_json::{Value, json};

use super::support::database::difference;
use super::support::laws::*;
use super::support::workspace::Workspace;

const REGIONS: &str =
    "CREATE TABLE people (region INTEGER NOT NULL, no INTEGER NOT NULL, email VARCHAR(90) UNIQUE, PRIMARY KEY (region, no));
    CREATE TABLE notes (id INTEGER PRIMARY KEY, region INTEGER, owner INTEGER, body TEXT);
    INSERT INTO people VALUES (1, 7, 'ada@example.com'), (2, 8, 'grace@example.com');
    INSERT INTO notes VALUES (1, 1, 7, 'hers'), (2, 2, 7, 'of one who has left the other region'), (3, 2, 8, 'his');";

fn everywhere(script: &str, map: &str) -> Vec<Workspace> {
    Workspace::on_both(script, map).into_iter().chain(Workspace::mariadb(script, map)).collect()
}

fn people() -> String {
    let keyed = |name: &str| format!("name: {name}, fides_meta: {{primary_key: true}}");
    collection("people", "on_erasure: delete", &[&keyed("region"), &keyed("no"), "name: email, fides_meta: {identity: email}"])
}

#[test]
fn o_1_a_number_that_is_somebody_elses_in_another_region_is_no_plan() {
    for right in ["", "right: accesses, on_erasure: unlink"] {
        let notes =
            collection("notes", "on_erasure: delete", &[KEY, "name: region", &refers("owner", "people.no", right), "name: body"]);
        for workspace in everywhere(REGIONS, &map(&[notes, people()])) {
            let before = workspace.database.dump();
            let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(2).json();
            assert!(problems(&plan).contains(&"composite_key_half_declared"), "{plan}");
            erase_ada(&workspace).code(2);
            assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{right}");
            let said = run(&workspace, &json!({"kind": "access", "subject": ada()})).code(2);
            assert_eq!(said.json()["archive"], Value::Null, "the other region's note is not handed over either: {}", said.stdout);
        }
    }
}

#[test]
fn o_1_with_the_whole_key_each_region_keeps_its_own() {
    let whole = [refers("region", "people.region", "edge: owner"), refers("owner", "people.no", "edge: owner")];
    let notes = collection("notes", "on_erasure: delete", &[KEY, &whole[0], &whole[1], "name: body"]);
    for workspace in everywhere(REGIONS, &map(&[notes, people()])) {
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "notes", "id"), [2, 3]);
        assert_eq!(workspace.database.count("notes WHERE owner = 7"), 1);
    }
}

/// Two people answer one telephone, and what is filed under its number is of both: nothing of it goes, nor loses the number, before the last of
/// them does.
#[test]
fn o_1_what_a_value_of_several_people_names_belongs_to_all_of_them() {
    let script = format!(
        "{PEOPLE} ALTER TABLE users ADD phone INTEGER; UPDATE users SET phone = 7 WHERE id < 3; UPDATE users SET phone = 9 WHERE id = 3;
         CREATE TABLE notes (id INTEGER PRIMARY KEY, phone INTEGER, partner INTEGER);
         INSERT INTO notes VALUES (1, 7, NULL), (2, 9, NULL), (3, 7, 3), (4, 9, 1);"
    );
    let users =
        collection("users", "on_erasure: delete", &[KEY_OF_USERS, "name: email, fides_meta: {identity: email}", "name: phone"]);
    let notes = collection("notes", "on_erasure: delete", &[KEY, &refers("phone", "users.phone", ""), &to_user("partner", "")]);
    for workspace in everywhere(&script, &map(&[notes, users])) {
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "notes", "id"), [1, 2, 3, 4]);
        let still = |condition: &str| workspace.database.count(&format!("notes WHERE {condition}"));
        assert_eq!(
            (still("phone = 7"), still("id = 4 AND phone = 9 AND partner IS NULL")),
            (2, 1),
            "the number is Grace's as well"
        );
        run(&workspace, &erasure_of(&json!({"email": "grace@example.com"}))).code(0);
        assert_eq!(numbers(&workspace, "notes", "id"), [2, 3, 4]);
        assert_eq!(still("id = 3 AND phone IS NULL AND partner = 3"), 1, "the last who had the number has gone");
        run(&workspace, &erasure_of(&json!({"email": "linus@example.com"}))).code(0);
        assert_eq!(workspace.database.count("notes"), 0);
    }
}
