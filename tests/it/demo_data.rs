//! The reference deployment's data: that it has what the story needs, and nothing that would spoil it.

use std::collections::BTreeSet;

use habeas_data::demo::people::{ADA, EVERYBODY, GRACE, HEDY, LINUS, MARGARET};
use serde_json::Value;

use super::support::database::{Database, Dump};
use super::support::sqlite;
use super::support::workspace::Workspace;

fn demo() -> (Workspace, Dump) {
    let demo = Workspace::demo();
    let dump = demo.database.dump();
    (demo, dump)
}

fn rows_where<'d>(dump: &'d Dump, table: &str, column: &str, value: impl Into<Value>) -> Vec<&'d Value> {
    let value = value.into();
    dump[table].iter().filter(|row| row[column] == value).collect()
}

#[test]
fn the_database_is_the_same_every_time() {
    let (first, second) = (demo(), demo());
    assert_eq!(first.1, second.1);
    let counts: Vec<(&str, usize)> = first.1.iter().map(|(table, rows)| (table.as_str(), rows.len())).collect();
    let expected = [
        ("attendance", 445),
        ("gps_points", 890),
        ("invitations", 4),
        ("invoices", 19),
        ("legacy_import_log", 3),
        ("login_sessions", 24),
        ("members", 6),
        ("newsletter_signups", 4),
        ("payments", 18),
        ("projects", 5),
        ("screenshots", 45),
        ("support_inquiries", 5),
        ("support_messages", 19),
        ("tasks", 15),
        ("time_entries", 1335),
        ("usage_events", 890),
        ("users", 5),
        ("workspaces", 2),
    ];
    assert_eq!(counts, expected);
}

#[test]
fn foreign_keys_hold_and_never_cascade() {
    let (demo, _) = demo();
    let Database::Sqlite(path) = &demo.database else { unreachable!("the demo is SQLite") };
    assert!(sqlite::rows(path, "SELECT 1 FROM pragma_foreign_key_check").is_empty());
    for table in sqlite::tables(path) {
        let keys = sqlite::rows(path, &format!("SELECT \"from\", on_delete FROM pragma_foreign_key_list('{table}')"));
        for key in keys {
            let column = key.text("from").unwrap();
            assert_eq!(key.text("on_delete").unwrap(), "NO ACTION", "{table}.{column}");
            let indexed = format!(
                "SELECT 1 FROM pragma_index_list('{table}') AS list JOIN pragma_index_info(list.name) AS info \
                 WHERE info.seqno = 0 AND info.name = '{column}'"
            );
            assert!(!sqlite::rows(path, &indexed).is_empty(), "{table}.{column} has no index");
        }
    }
}

#[test]
fn each_worker_has_several_hundred_entries() {
    let (_, dump) = demo();
    for (person, entries) in [(ADA, 450), (GRACE, 420), (LINUS, 390), (MARGARET, 75), (HEDY, 0)] {
        assert_eq!(rows_where(&dump, "time_entries", "user_id", person.id).len(), entries, "{}", person.full_name);
    }
    assert!(!rows_where(&dump, "time_entries", "approved_by", GRACE.id).is_empty(), "Grace approved entries of others");
    let own = dump["time_entries"].iter().filter(|entry| entry["user_id"] == entry["approved_by"]).count();
    assert_eq!(own, 0, "nobody approves their own");
}

#[test]
fn every_picture_is_somebodys() {
    let (demo, dump) = demo();
    let files = |folder: &str| -> BTreeSet<String> {
        let entries = std::fs::read_dir(demo.path(folder)).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    };
    let accounts = EVERYBODY.iter().map(|person| person.id.to_string()).collect();
    assert_eq!(files("uploads/avatars"), accounts);
    let named = dump["screenshots"].iter().map(|row| row["file"].as_str().unwrap().to_owned()).collect();
    assert_eq!(files("uploads/screens"), named);
    for (person, pictures) in [(ADA, 15), (GRACE, 14), (LINUS, 13), (MARGARET, 3), (HEDY, 0)] {
        assert_eq!(rows_where(&dump, "screenshots", "user_id", person.id).len(), pictures, "{}", person.full_name);
    }
    let picture = std::fs::read(demo.path(&format!("uploads/avatars/{}/portrait.png", ADA.id))).unwrap();
    assert!(picture.starts_with(b"\x89PNG\r\n\x1a\n"));
}

#[test]
fn graces_bills_are_six_to_keep_one_past_its_time_and_one_unpaid() {
    let (_, dump) = demo();
    let bills = rows_where(&dump, "invoices", "user_id", GRACE.id);
    let paid = |paid: bool| bills.iter().filter(move |bill| bill["paid"] == i64::from(paid));
    let within = paid(true).filter(|bill| bill["issued_on"].as_str().unwrap() > "2020-01-01").count();
    assert_eq!((bills.len(), paid(true).count(), paid(false).count(), within), (8, 7, 1, 6));
    let payments = dump["payments"].iter().filter(|payment| bills.iter().any(|bill| bill["id"] == payment["invoice_id"]));
    assert_eq!(payments.count(), 7);
}

#[test]
fn every_support_message_leads_to_its_customer() {
    let (_, dump) = demo();
    let messages = &dump["support_messages"];
    for message in messages {
        let mut at = message;
        while at["author_id"].is_null() {
            at = messages.iter().find(|other| other["id"] == at["in_reply_to"]).unwrap();
        }
        let inquiry = dump["support_inquiries"].iter().find(|inquiry| inquiry["id"] == message["inquiry_id"]).unwrap();
        assert_eq!(at["author_id"], inquiry["user_id"]);
    }
    assert!(messages.iter().any(|message| message["author_id"].is_null()), "the agent replied");
}

/// Rows that are a person's own, or that name them and are cleared when they go.
fn text_of_others(dump: &Dump, id: i64, email: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (table, rows) in dump {
        for row in rows {
            let Value::Object(fields) = row else { continue };
            let own = fields.iter().any(|(name, value)| value == email || (name.ends_with("_id") || name == "id") && *value == id);
            for (column, value) in fields {
                let text = value.as_str().unwrap_or_default();
                if !own && (text.contains(email) || text.contains(&id.to_string())) {
                    found.insert(format!("{table}.{column}"));
                }
            }
        }
    }
    found
}

#[test]
fn only_margaret_is_left_over_where_the_map_does_not_look() {
    let (_, dump) = demo();
    for person in EVERYBODY {
        let mut found = text_of_others(&dump, person.id, person.email);
        // The body of a message names its own author.
        found.retain(|place| place != "support_messages.body");
        let expected: &[&str] = if person == MARGARET { &["legacy_import_log.payload"] } else { &[] };
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected, "{}", person.full_name);
    }
}

#[test]
fn the_data_map_names_every_column_but_the_leftover_table() {
    let (demo, _) = demo();
    let Database::Sqlite(path) = &demo.database else { unreachable!("the demo is SQLite") };
    let map =
        ["account", "workspace"].map(|name| std::fs::read_to_string(demo.path(&format!("datamap/{name}.yml"))).unwrap()).concat();
    for table in sqlite::tables(path) {
        let collection = map.split("\n      - name: ").find(|part| part.starts_with(&format!("{table}\n")));
        assert_eq!(collection.is_none(), table == "legacy_import_log", "{table}");
        for column in sqlite::rows(path, &format!("SELECT name FROM pragma_table_info('{table}')")) {
            let column = column.text("name").unwrap();
            let mapped = |text: &str| text.contains(&format!("name: {column},")) || text.contains(&format!("name: {column}\n"));
            assert!(collection.is_none_or(mapped), "{table}.{column} is not in the map");
        }
    }
}
