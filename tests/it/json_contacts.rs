//! Somebody else inside the JSON of an account: the emergency contact beside the holder. The contact is never taken for the holder (O-1), whatever
//! kind of identifier names them; the map has to say who is meant, and what it says is obeyed.

use serde_json::{Value, json};

use super::json_people::stored;
use super::support::archive::Archive;
use super::support::database::difference;
use super::support::laws::*;
use super::support::store::Store;
use super::support::workspace::Workspace;

/// Grace's account, with Ada as her contact; Linus has one without; Ada has one of her own.
const SCRIPT: &str = r#"
    CREATE TABLE accounts (id INTEGER PRIMARY KEY, email TEXT UNIQUE, emergency JSON);
    INSERT INTO accounts VALUES (1, 'grace@example.com', '{"email":"ada@example.com","phone":"+4312345","since":2020}'),
      (2, 'linus@example.com', NULL), (3, 'ada@example.com', NULL);
    CREATE TABLE orders (id INTEGER PRIMARY KEY, account_id INTEGER, what TEXT);
    INSERT INTO orders VALUES (10, 1, 'of Grace'), (20, 2, 'of Linus'), (30, 3, 'of Ada');
    CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER, label TEXT);
    INSERT INTO parts VALUES (100, 10, 'of Grace'), (300, 30, 'of Ada');"#;

const HOLDER: &str = "name: email, fides_meta: {identity: email}";
const NAMED: &str = "name: email, fides_meta: {identity: email}";

fn world(names: &str, holder: &str, inside: &str) -> String {
    let habeas = format!("on_erasure: delete{names}");
    let emergency = format!("name: emergency, fields: [{{{inside}}}, {{name: since}}]");
    map(&[
        collection("accounts", &habeas, &[KEY, holder, &emergency]),
        collection("orders", "on_erasure: delete", &[KEY, &refers("account_id", "accounts.id", ""), "name: what"]),
        collection("parts", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", ""), "name: label"]),
    ])
}

/// Without an account of Ada's own.
fn without_her_own() -> String {
    format!("{SCRIPT} DELETE FROM parts WHERE id = 300; DELETE FROM orders WHERE id = 30; DELETE FROM accounts WHERE id = 3;")
}

fn access(workspace: &Workspace, subject: &Value) -> Archive {
    let done = run(workspace, &json!({"kind": "access", "subject": subject})).code(0).json();
    Archive::open(&workspace.path(done["archive"]["path"].as_str().expect("an archive")))
}

fn ids(archive: &Archive, table: &str) -> Vec<i64> {
    let table = format!("app/{table}");
    let rows = if archive.tables().contains_key(&table) { archive.rows(&table) } else { Vec::new() };
    rows.iter().map(|row| row["id"].as_i64().expect("a number")).collect()
}

#[test]
fn o_1_a_name_inside_json_beside_another_is_no_plan_until_the_map_says_whose_it_is() {
    let by_phone = "name: phone, fides_meta: {identity: phone_number}";
    let two = "name: phone, fides_meta: {identity: phone_number}}, {name: email, fides_meta: {identity: email}";
    let contact_by_phone = json!({"phone_number": "+4312345"});
    for (holder, inside, subject, place) in [
        (HOLDER, NAMED, ada(), "emergency.email"),
        (HOLDER, by_phone, contact_by_phone.clone(), "emergency.phone"),
        ("name: email", two, contact_by_phone, "emergency.phone"),
    ] {
        for workspace in Workspace::on_both(SCRIPT, &world("", holder, inside)) {
            let before = workspace.database.dump();
            let checked = workspace.habeas("map check --json").run().code(2).json();
            let all = checked["findings"].as_array().expect("a list");
            let found = all.iter().find(|finding| finding["code"] == "names_undecided").unwrap_or_else(|| panic!("{checked}"));
            assert_eq!((&found["severity"], &found["subject"]), (&json!("error"), &json!(format!("app.accounts.{place}"))));
            let hint = found["hint"].as_str().expect("text");
            assert!(hint.contains("names: account") && hint.contains("names: several"), "{hint}");
            let write = found["write"].as_str().unwrap_or_default();
            assert_eq!(write.contains("field: accounts.email, direction: from"), inside == NAMED, "{found}");
            for kind in ["erasure", "access"] {
                let job = json!({"kind": kind, "subject": subject, "approval": "none"});
                let plan = workspace.habeas("plan - --json").input(job.to_string()).run().code(2).json();
                assert!(problems(&plan).contains(&"names_undecided"), "{plan}");
                let done = run(&workspace, &job).code(2).json();
                assert_eq!(done["archive"], Value::Null, "{done}");
            }
            assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
        }
    }
}

#[test]
fn o_1_what_map_check_says_to_write_clears_the_contact_and_leaves_the_account_to_its_holder() {
    let open = Workspace::sqlite(SCRIPT, &world("", HOLDER, NAMED)).habeas("map check --json").run().code(2).json();
    let all = open["findings"].as_array().expect("a list");
    let found = all.iter().find(|finding| finding["code"] == "names_undecided").expect("the finding");
    let written = format!("name: email, {}", found["write"].as_str().expect("text"));
    for workspace in Workspace::on_both(SCRIPT, &world("", HOLDER, &written)) {
        assert_eq!(workspace.habeas("map check --json").run().code(0).json()["errors"], 0);
        let archive = access(&workspace, &ada());
        assert_eq!((ids(&archive, "accounts"), ids(&archive, "orders"), ids(&archive, "parts")), (vec![3], vec![30], vec![300]));

        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
        assert_eq!(numbers(&workspace, "accounts", "id"), [1, 2]);
        assert_eq!(stored(&workspace, "accounts", "emergency", 1), json!({"email": null, "phone": "+4312345", "since": 2020}));
        assert_eq!(workspace.database.count("accounts WHERE id = 1 AND email = 'grace@example.com'"), 1);
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "parts", "id")), (vec![10, 20], vec![100]));
    }
    for workspace in Workspace::on_both(SCRIPT, &world("", HOLDER, &written)) {
        let done = run(&workspace, &erasure_of(&json!({"email": "grace@example.com"}))).code(0).json();
        assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
        assert_eq!(numbers(&workspace, "accounts", "id"), [2, 3], "with the contact in it");
        assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "parts", "id")), (vec![20, 30], vec![300]));
    }
}

#[test]
fn o_1_where_a_row_names_several_people_what_hangs_on_it_is_the_holders() {
    for script in [SCRIPT.to_owned(), without_her_own()] {
        let her_own = if script == SCRIPT { vec![30] } else { vec![] };
        for workspace in Workspace::on_both(&script, &world(", names: several", HOLDER, NAMED)) {
            let job = json!({"kind": "access", "subject": ada()});
            let plan = workspace.habeas("plan - --json").input(job.to_string()).run().code(0).json();
            assert!(plan["warnings"].to_string().contains("app.accounts: 1 row names somebody else beside this person"), "{plan}");
            assert_eq!(ids(&access(&workspace, &ada()), "orders"), her_own, "nothing of the holder's");
            let archive = access(&workspace, &json!({"email": "grace@example.com"}));
            assert_eq!(
                (ids(&archive, "accounts"), ids(&archive, "orders"), ids(&archive, "parts")),
                (vec![1], vec![10], vec![100])
            );

            let before = workspace.database.dump();
            let done = erase_ada(&workspace).code(0).json();
            assert_eq!(numbers(&workspace, "accounts", "id"), [1, 2], "{done}");
            assert_eq!(stored(&workspace, "accounts", "emergency", 1)["email"], Value::Null);
            assert_eq!(workspace.database.count("accounts WHERE id = 1 AND email = 'grace@example.com'"), 1);
            assert_eq!((numbers(&workspace, "orders", "id"), numbers(&workspace, "parts", "id")), (vec![10, 20], vec![100]));
            let row = |dump: &super::support::database::Dump| dump["orders"].iter().find(|row| row["id"] == 10).cloned();
            assert_eq!(row(&before), row(&workspace.database.dump()));
            // Nobody else is named any more: it is hers alone.
            run(&workspace, &erasure_of(&json!({"email": "grace@example.com"}))).code(0);
            assert_eq!((numbers(&workspace, "accounts", "id"), numbers(&workspace, "orders", "id")), (vec![2], vec![20]));
        }
    }
}

#[test]
fn o_1_a_contact_by_another_kind_of_identifier_does_not_get_the_account_either() {
    let by_phone = "name: phone, fides_meta: {identity: phone_number}";
    let contact = json!({"phone_number": "+4312345"});
    for workspace in Workspace::on_both(SCRIPT, &world(", names: several", HOLDER, by_phone)) {
        assert_eq!(ids(&access(&workspace, &contact), "orders"), Vec::<i64>::new());
        let done = run(&workspace, &erasure_of(&contact)).code(0).json();
        assert_eq!(numbers(&workspace, "accounts", "id"), [1, 2, 3], "{done}");
        assert_eq!(numbers(&workspace, "orders", "id"), [10, 20, 30]);
        assert_eq!(stored(&workspace, "accounts", "emergency", 1)["phone"], Value::Null);
        assert_eq!(workspace.database.count("accounts WHERE id = 1 AND email = 'grace@example.com'"), 1);
    }
}

#[test]
fn what_the_map_says_of_all_identifiers_of_a_row_is_obeyed() {
    for names in ["account", "one_person"] {
        let map = world(&format!(", names: {names}"), HOLDER, NAMED);
        for workspace in Workspace::on_both(&without_her_own(), &map) {
            assert_eq!(workspace.habeas("map check --json").run().code(0).json()["errors"], 0);
            let archive = access(&workspace, &ada());
            assert_eq!(
                (ids(&archive, "accounts"), ids(&archive, "orders")),
                (vec![1], vec![10]),
                "{names}: a second address of hers"
            );
            let done = run(&workspace, &erasure_of(&json!({"email": "grace@example.com"}))).code(0).json();
            assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
            assert_eq!((numbers(&workspace, "accounts", "id"), numbers(&workspace, "orders", "id")), (vec![2], vec![20]));
        }
        // A hold under the one address covers whoever asks by the other.
        for workspace in Workspace::on_both(&without_her_own(), &map) {
            hold(&workspace, "M-1", &json!({"subject": ada()}));
            let before = workspace.database.dump();
            run(&workspace, &erasure_of(&json!({"email": "grace@example.com"})));
            assert_eq!(difference(&before, &workspace.database.dump()), json!({}), "{names}");
        }
    }
}

/// Two columns of which none tells whose record it is. A message is both their's, and what hangs on it is said by a reference of its own.
#[test]
fn o_1_a_name_beside_another_in_columns_is_no_way_to_what_hangs_on_the_row() {
    let script = "
        CREATE TABLE messages (id INTEGER PRIMARY KEY, sender VARCHAR(90), recipient VARCHAR(90), thread INTEGER);
        CREATE TABLE files (id INTEGER PRIMARY KEY, message_id INTEGER);
        CREATE TABLE notes (id INTEGER PRIMARY KEY, message_id INTEGER, author VARCHAR(90));
        INSERT INTO messages VALUES (1, 'ada@example.com', 'grace@example.com', 5), (2, 'ada@example.com', 'ada@example.com', 5),
          (3, 'ada@example.com', NULL, 5), (4, 'grace@example.com', 'linus@example.com', 5);
        INSERT INTO files VALUES (10, 1), (20, 2), (30, 3), (40, 4);
        INSERT INTO notes VALUES (100, 1, 'ada@example.com'), (101, 1, 'grace@example.com'), (102, 1, NULL);";
    let identity = |name: &str| format!("name: {name}, fides_meta: {{identity: email}}");
    let message = refers("message_id", "messages.id", "");
    let map = map(&[
        collection("messages", "on_erasure: delete", &[KEY, &identity("sender"), &identity("recipient"), "name: thread"]),
        collection("files", "on_erasure: delete", &[KEY, &message]),
        collection("notes", "on_erasure: delete", &[KEY, &message, &identity("author")]),
    ]);
    for workspace in Workspace::on_both(script, &map).into_iter().chain(Workspace::mariadb(script, &map)) {
        let archive = access(&workspace, &ada());
        assert_eq!((ids(&archive, "messages"), ids(&archive, "files")), (vec![1, 2, 3], vec![20, 30]));
        assert_eq!(ids(&archive, "notes"), [100], "by its own reference");
        erase_ada(&workspace).code(0);
        assert_eq!((numbers(&workspace, "messages", "id"), numbers(&workspace, "files", "id")), (vec![1, 4], vec![10, 40]));
        assert_eq!(workspace.database.count("messages WHERE id = 1 AND sender IS NULL AND recipient = 'grace@example.com'"), 1);
    }
}

/// An order that is a person's by its account as well as by an address in it is theirs with what hangs on it, whoever else it names.
#[test]
fn o_1_a_reference_leads_on_where_a_name_beside_another_does_not() {
    let script = format!(
        "{PEOPLE} CREATE TABLE orders (id INTEGER PRIMARY KEY, user_id INTEGER, bill_to VARCHAR(90), ship_to VARCHAR(90));
         CREATE TABLE parts (id INTEGER PRIMARY KEY, order_id INTEGER);
         INSERT INTO orders VALUES (1, 1, 'ada@example.com', 'grace@example.com'), (2, 2, 'ada@example.com', 'grace@example.com');
         INSERT INTO parts VALUES (10, 1), (20, 2);"
    )
    .replace("email TEXT", "email VARCHAR(90)");
    let identity = |name: &str| format!("name: {name}, fides_meta: {{identity: email}}");
    let map = map(&[
        users(),
        collection("orders", "on_erasure: delete", &[KEY, &to_user("user_id", ""), &identity("bill_to"), &identity("ship_to")]),
        collection("parts", "on_erasure: delete", &[KEY, &refers("order_id", "orders.id", "")]),
    ]);
    for workspace in Workspace::on_both(&script, &map).into_iter().chain(Workspace::mariadb(&script, &map)) {
        let archive = access(&workspace, &ada());
        assert_eq!(
            (ids(&archive, "orders"), ids(&archive, "parts")),
            (vec![1, 2], vec![10]),
            "the other is Grace's, and bears her name"
        );
        erase_ada(&workspace).code(0);
        assert_eq!(numbers(&workspace, "parts", "id"), [10, 20], "shared, as the orders are");
    }
}

#[test]
fn o_1_objects_that_a_row_of_several_people_names_are_the_holders() {
    let avatars = collection("avatars", "on_erasure: delete, objects: {source: uploads, prefix: 'avatars/{accounts.id}/'}", &[]);
    let map = world(", names: several", HOLDER, NAMED) + &avatars;
    for (workspace, store) in Store::each(SCRIPT, &map) {
        store.put("avatars/1/grace.jpg", b"grace");
        store.put("avatars/3/ada.jpg", b"ada");
        let keys = |subject: &Value| -> Vec<String> {
            let archive = access(&workspace, subject);
            archive.rows("uploads/avatars").iter().map(|row| row["key"].as_str().expect("a key").to_owned()).collect()
        };
        assert_eq!(keys(&ada()), ["avatars/3/ada.jpg"]);
        assert_eq!(keys(&json!({"email": "grace@example.com"})), ["avatars/1/grace.jpg"]);
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(store.keys(), ["avatars/1/grace.jpg"], "{done}");
    }
}

#[test]
fn o_1_a_contact_in_a_column_beside_the_holders_is_not_the_holder_either() {
    let script = "CREATE TABLE accounts (id INTEGER PRIMARY KEY, email VARCHAR(90) UNIQUE, contact VARCHAR(90));
        INSERT INTO accounts VALUES (1, 'grace@example.com', 'ada@example.com'), (2, 'linus@example.com', NULL), (3, 'ada@example.com', NULL);
        CREATE TABLE orders (id INTEGER PRIMARY KEY, account_id INTEGER);
        INSERT INTO orders VALUES (10, 1), (20, 2), (30, 3);";
    let identity = |name: &str| format!("name: {name}, fides_meta: {{identity: email}}");
    let world = |contact: &str| {
        map(&[
            collection("accounts", "on_erasure: delete", &[KEY, &identity("email"), contact]),
            collection("orders", "on_erasure: delete", &[KEY, &refers("account_id", "accounts.id", "")]),
        ])
    };
    let undecided = world(&identity("contact"));
    for workspace in Workspace::on_each(script, &undecided) {
        let before = workspace.database.dump();
        let checked = workspace.habeas("map check --json").run().code(2).json();
        assert!(checked.to_string().contains("names_undecided"), "{checked}");
        for kind in ["erasure", "access"] {
            let job = json!({"kind": kind, "subject": ada(), "approval": "none"});
            let plan = workspace.habeas("plan - --json").input(job.to_string()).run().code(2).json();
            assert!(problems(&plan).contains(&"names_undecided"), "{plan}");
            assert_eq!(run(&workspace, &job).code(2).json()["archive"], Value::Null);
        }
        assert_eq!(difference(&before, &workspace.database.dump()), json!({}));
    }
    let decided = world(&refers("contact", "accounts.email", "right: none, on_erasure: unlink"));
    for workspace in Workspace::on_each(script, &decided) {
        assert_eq!(ids(&access(&workspace, &ada()), "orders"), [30]);
        let done = erase_ada(&workspace).code(0).json();
        assert_eq!(done["certificate"]["outcome"], "complete", "{done}");
        assert_eq!((numbers(&workspace, "accounts", "id"), numbers(&workspace, "orders", "id")), (vec![1, 2], vec![10, 20]));
        assert_eq!(workspace.database.count("accounts WHERE id = 1 AND email = 'grace@example.com' AND contact IS NULL"), 1);
    }
}
