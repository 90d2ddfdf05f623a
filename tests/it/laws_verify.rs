//! V-1, V-2 and V-3 with the real program: what is not known is never called gone, and what came back is noticed.

use std::fs;

use serde_json::{Value, json};

use super::support::database::{Database, difference};
use super::support::laws::*;
use super::support::workspace::Workspace;

fn script() -> String {
    format!(
        "{PEOPLE}
         CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER);
         INSERT INTO orders VALUES (10, 1, 5), (11, 1, 50), (13, 2, 5);"
    )
}

fn shop() -> String {
    map(&[collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), "name: total"]), users()])
}

/// A second source `crm` with its own dataset, in a SQLite file.
fn add_crm(workspace: &Workspace) {
    let crm = Database::Sqlite(workspace.path("crm.db"));
    crm.script("CREATE TABLE contacts (id INTEGER PRIMARY KEY, email TEXT); INSERT INTO contacts VALUES (1, 'ada@example.com'), (2, 'grace@example.com');");
    let config = fs::read_to_string(workspace.path("habeas.yaml")).expect("it is there");
    workspace.write("habeas.yaml", &config.replace("sources:\n", "sources:\n  crm: {sqlite: crm.db}\n"));
    let contacts = collection("contacts", "on_erasure: delete", &[KEY, "name: email, fides_meta: {identity: email}"]);
    workspace.write("datamap/crm.yml", &map(&[contacts]).replace("fides_key: app", "fides_key: crm"));
}

#[test]
fn v_2_a_source_that_is_not_reached_is_a_gap_and_nothing_is_complete() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        add_crm(&workspace);
        fs::rename(workspace.path("crm.db"), workspace.path("away.db")).unwrap();
        let plan = workspace.habeas("plan - --json").input(erasure_of(&ada()).to_string()).run().code(3).json();
        assert_eq!(plan["gaps"][0]["source"], "crm", "{plan}");
        let done = erase_ada(&workspace).code(3).json();
        assert_eq!((&done["status"], &done["gaps"][0]["source"]), (&json!("partial"), &json!("crm")), "{done}");
        assert_ne!(done["certificate"]["outcome"], "complete");
        let folder = done["certificate"]["path"].as_str().unwrap();
        let text = fs::read_to_string(workspace.path(folder).join("certificate.json")).unwrap();
        assert!(text.contains("crm") && !text.contains("ada@"), "{text}");
        assert!(items(&done, "contacts").iter().all(|item| item["outcome"] == "gap"), "never zero: {done}");
        assert_eq!(numbers(&workspace, "orders", "id"), [13], "what is reached goes");

        fs::rename(workspace.path("away.db"), workspace.path("crm.db")).unwrap();
        assert_eq!(Database::Sqlite(workspace.path("crm.db")).count("contacts"), 2);
        erase_ada(&workspace).code(0);
        assert_eq!(Database::Sqlite(workspace.path("crm.db")).count("contacts"), 1);
    }
}

#[test]
fn v_1_residue_in_a_place_that_the_map_does_not_know_is_named_and_keeps_it_partial() {
    let log = "CREATE TABLE import_log (id INTEGER PRIMARY KEY, payload TEXT);
               INSERT INTO import_log VALUES (1, '{\"from\": \"crm\", \"row\": {\"mail\": \"ada@example.com\"}}'), (2, '{\"mail\": \"grace@example.com\"}');";
    let jsonb = log.replace("payload TEXT", "payload JSONB");
    let workspaces = [
        Some(Workspace::sqlite(&format!("{} {log}", script()), &shop())),
        Workspace::postgres(&format!("{} {log}", script()), &shop()),
        Workspace::postgres(&format!("{} {jsonb}", script()), &shop()),
    ];
    for workspace in workspaces.into_iter().flatten() {
        let done = erase_ada(&workspace).code(3).json();
        let residue = done["residue"].as_array().unwrap();
        assert_eq!(residue.len(), 1, "{done}");
        assert!(
            residue[0]["place"].as_str().unwrap().contains("import_log") && residue[0].to_string().contains("payload"),
            "{done}"
        );
        assert_eq!((&done["status"], &done["certificate"]["outcome"]), (&json!("partial"), &json!("partial")));
        assert_eq!(workspace.database.count("import_log"), 2, "it is named, not touched");
        assert!(!done.to_string().contains("ada@"), "S-1");
    }
}

#[test]
fn v_1_every_form_of_an_address_is_found() {
    for form in ["ADA@EXAMPLE.COM", "ada%40example.com", "YWRhQGV4YW1wbGUuY29t", "mailto:ada@example.com?x=1"] {
        let log = format!("CREATE TABLE log (id INTEGER PRIMARY KEY, line TEXT); INSERT INTO log VALUES (1, 'x {form} y');");
        for workspace in Workspace::on_each(&format!("{} {log}", script()), &shop()) {
            let done = erase_ada(&workspace).run_to_end();
            let seen = done["residue"].as_array().unwrap().len() + done["to_review"].as_array().unwrap().len();
            assert_eq!((seen, &done["status"]), (1, &json!("partial")), "{form}: {done}");
        }
    }
    let log = "CREATE TABLE log (id INTEGER PRIMARY KEY, line TEXT); INSERT INTO log VALUES (1, 'xada@example.com'), (2, 'ada@example.community'), (3, NULL);";
    for workspace in Workspace::on_each(&format!("{} {log}", script()), &shop()) {
        erase_ada(&workspace).code(0);
    }
}

fn journal(workspace: &Workspace, request: &str) -> Vec<String> {
    let entries = workspace.habeas(&format!("journal show --request {request} --json")).run().code(0).json();
    entries
        .as_array()
        .expect("it is there")
        .iter()
        .map(|entry| entry["event"]["kind"].as_str().expect("it is there").to_owned())
        .collect()
}

#[test]
fn v_1_a_record_that_is_there_again_reopens_the_request() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let done = erase_ada(&workspace).code(0).json();
        let code = done["code"].as_str().unwrap();
        let said = workspace.habeas(&format!("verify {code}")).run().code(0);
        assert!(said.stdout.contains("still gone"), "{}", said.stdout);
        assert!(!journal(&workspace, code).contains(&"resurrection".to_owned()));

        workspace.database.script("INSERT INTO orders VALUES (11, 1, 50)");
        let said = workspace.habeas(&format!("verify {code} --json")).run().code(4).json();
        assert_eq!(said["status"], "partial", "{said}");
        assert!(said["residue"].to_string().contains("app.orders"), "{said}");
        assert!(journal(&workspace, code).contains(&"resurrection".to_owned()));
        workspace.habeas("journal verify").run().code(0);

        // Looked at again, it is no news, and still not gone.
        let said = workspace.habeas(&format!("verify {code}")).run();
        assert_ne!(said.code, Some(0), "{}", said.stdout);
        assert!(!said.stdout.contains("still gone"), "{}", said.stdout);
    }
}

#[test]
fn v_1_a_person_who_is_there_again_is_found_by_their_identifier() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let done = erase_ada(&workspace).code(0).json();
        let code = done["code"].as_str().unwrap();
        // Other keys, the same person.
        workspace.database.script("INSERT INTO users VALUES (9, 'ada@example.com'); INSERT INTO orders VALUES (90, 9, 1)");
        let said = workspace.habeas(&format!("verify {code} --json")).run().code(4).json();
        assert_eq!(said["status"], "partial", "{said}");
    }
}

#[test]
fn v_1_a_scheduled_look_finds_it_as_well() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let done = erase_ada(&workspace).code(0).json();
        let code = done["code"].as_str().unwrap();
        workspace.database.script("INSERT INTO orders VALUES (11, 1, 50)");
        workspace.habeas("sweep").run().code(0);
        let ledger = Database::Sqlite(workspace.path("habeas.db"));
        assert_eq!(ledger.count("job WHERE duty <> 'answer' AND state = 'ready'"), 4, "1 h, 24 h, 7 d and 30 d later");
        let status = || workspace.habeas(&format!("request show {code} --json")).run().code(0).json()["status"].clone();
        assert_eq!(status(), "completed", "not due yet");
        ledger.script("UPDATE job SET run_at = 0 WHERE state = 'ready'");
        workspace.habeas("sweep").run().code(0);
        assert_eq!(status(), "partial");
        assert_eq!(journal(&workspace, code).iter().filter(|kind| *kind == "resurrection").count(), 1, "told once");
    }
}

#[test]
fn v_3_a_verifier_that_cannot_see_the_records_before_does_not_let_the_erasure_begin() {
    let Some(workspace) = Workspace::postgres(&script(), &shop()) else { return };
    let Some(elsewhere) = Workspace::postgres(&script(), &shop()) else { return };
    // The same tables and nobody in them: whoever looks there finds her gone at once.
    elsewhere.database.script("DELETE FROM orders; DELETE FROM users");
    let (Database::Postgres(url), Database::Postgres(blind)) = (&workspace.database, &elsewhere.database) else { unreachable!() };
    let config = fs::read_to_string(workspace.path("habeas.yaml")).unwrap();
    workspace.write("habeas.yaml", &config.replace(&format!("\"{url}\""), &format!("\"{url}\", verify: \"{blind}\"")));
    let before = workspace.database.dump();
    let said = erase_ada(&workspace);
    assert_ne!(said.code, Some(0), "{}", said.stdout);
    assert_ne!(said.code, Some(3), "{}", said.stdout);
    assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{}", said.stderr);
    assert_eq!(Database::Sqlite(workspace.path("habeas.db")).count("certificate"), 0);
}

#[test]
fn v_3_a_place_where_nothing_was_found_is_vouched_for_only_by_seeing_others_there() {
    let more =
        "CREATE TABLE seen (id INTEGER PRIMARY KEY, user_id INTEGER); CREATE TABLE empty (id INTEGER PRIMARY KEY, user_id INTEGER);
                INSERT INTO seen VALUES (1, 2);";
    let place = |name: &str| collection(name, "on_erasure: delete", &[KEY, &to_user("user_id", "")]);
    for workspace in Workspace::on_each(&format!("{} {more}", script()), &map(&[place("empty"), place("seen"), users()])) {
        let done = erase_ada(&workspace).run_to_end();
        let folder = done["certificate"]["path"].as_str().unwrap();
        let certificate: Value =
            serde_json::from_str(&fs::read_to_string(workspace.path(folder).join("certificate.json")).unwrap()).unwrap();
        assert!(certificate.to_string().contains("seen"), "{certificate}");
        for name in ["empty", "seen"] {
            assert_eq!(item(&done, name)["outcome"], "already_absent", "{done}");
        }
    }
}

#[test]
fn v_1_the_certificate_counts_what_was_done_and_a_changed_one_is_not_valid() {
    for workspace in Workspace::on_each(&script(), &shop()) {
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!((&done["certificate"]["outcome"], &done["certificate"]["level"]), (&json!("complete"), &json!(3)));
        let folder = workspace.path(done["certificate"]["path"].as_str().unwrap());
        let path = folder.join("certificate.json");
        let text = fs::read_to_string(&path).unwrap();
        for secret in ["ada@", "Ada"] {
            assert!(!text.contains(secret), "no names in it");
        }
        workspace.habeas(&format!("certificate verify {} --key keys/signing.pub", folder.display())).run().code(0);
        let changed = text.replacen("\"found\": 2", "\"found\": 1", 1);
        assert_ne!(changed, text, "{text}");
        fs::write(&path, changed).unwrap();
        workspace.habeas(&format!("certificate verify {} --key keys/signing.pub", folder.display())).run().code(4);
    }
}

/// A note that is also Grace's, one that Ada merely sees, and one under a hold: all stay, all name her, and the certificate counts them.
#[test]
fn v_2_kept_records_that_still_name_the_person_are_counted_and_listed() {
    let script = format!(
        "{PEOPLE} CREATE TABLE notes (id INTEGER PRIMARY KEY, author INTEGER, partner INTEGER, viewer INTEGER, body TEXT);
         INSERT INTO notes VALUES (1, 1, NULL, NULL, 'hers'), (2, 1, 2, NULL, 'write to ada@example.com'),
                                  (3, 2, NULL, 1, 'ask ada@example.com'), (4, 1, NULL, NULL, 'held: ada@example.com');"
    );
    let notes = collection(
        "notes",
        "on_erasure: delete",
        &[
            KEY,
            &to_user("author", ""),
            &to_user("partner", ""),
            &to_user("viewer", "right: accesses, on_erasure: unlink"),
            "name: body",
        ],
    );
    for is_held in [false, true] {
        for workspace in Workspace::on_both(&script, &map(&[users(), notes.clone()])) {
            if is_held {
                hold(&workspace, "M-1", &json!({"record": {"dataset": "app", "collection": "notes", "key": ["4"]}}));
            }
            let done = erase_ada(&workspace).code(if is_held { 3 } else { 0 }).json();
            let listed = done["in_kept_records"].as_array().expect("a list");
            let in_body: u64 = listed
                .iter()
                .filter(|place| place["place"].as_str().is_some_and(|place| place.ends_with("notes.body")))
                .filter_map(|place| place["count"].as_u64())
                .sum();
            assert_eq!(in_body, if is_held { 3 } else { 2 }, "{done}");
            assert_eq!(done["residue"], json!([]), "{done}");
            let folder = workspace.path(done["certificate"]["path"].as_str().expect("a path"));
            let text = fs::read_to_string(folder.join("certificate.json")).expect("it is there");
            let page = fs::read_to_string(folder.join("certificate.html")).expect("it is there");
            assert!(!text.contains("found none;") && !text.contains("found none, and"), "{text}");
            for said in [&text, &page] {
                assert!(said.contains("found none outside the records that are kept"), "{said}");
                assert!(said.contains("notes.body"), "{said}");
            }
            if is_held {
                assert!(text.contains("Level 0, not confirmed: what a legal hold keeps was left as it is"), "{text}");
                assert!(!text.contains("deletion was requested;"), "{text}");
            }
            workspace.habeas("certificate verify").args([&folder]).run().code(0);
            let shown = workspace.habeas("request show").args(done["code"].as_str()).run().code(0);
            assert!(shown.stdout.contains("still named"), "{}", shown.stdout);
        }
    }
}
